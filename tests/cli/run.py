"""Runs one file of these tests, such as `run.py test_services`.

What was skipped, and why, stands in lines that begin with `skipped:`, as the tests in C
print them: ctest shows nothing of tests that pass, so ./dev test gathers these lines.
"""

import sys
import unittest


def main(name):
    suite = unittest.defaultTestLoader.loadTestsFromName(name)
    result = unittest.TextTestRunner().run(suite)
    for test, reason in result.skipped:
        print(f"skipped: {test.id()}, for {reason}")
    if result.testsRun == 0 and not result.skipped:
        print(f"{name} holds no tests", file=sys.stderr)
        return 1
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
