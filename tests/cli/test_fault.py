"""`bc26 sim --fault`: what it says, and that the same does the same again."""

import unittest

from support import run

SCRIPT = b"".join(b"AT+QIGETERROR\nAT+QISTATE?\nAT+CMEE?\n" for _ in range(5))


class Fault(unittest.TestCase):
    def test_help_lists_all(self):
        done = run("sim", "--fault", "help")
        self.assertEqual(done.returncode, 0)
        for name in ("lost", "late", "reboot", "sleep", "swap", "quirks", "seed=N"):
            self.assertIn(name.encode(), done.stdout)

    def test_errors_name_what_is_allowed(self):
        for words, expected in (("found=1", ("'found'", "lost", "quirks")), ("lost=2", ("0 to 1",)),
                                ("seed=x", ("0 to 4294967295",))):
            with self.subTest(words=words):
                done = run("sim", "--stdio", "--fault", words)
                self.assertEqual(done.returncode, 2)
                for text in expected:
                    self.assertIn(text.encode(), done.stderr)

    def test_the_seed_decides(self):
        def said(*options):
            done = run("sim", "--stdio", "--fault", "quirks=0.3,foreign=0.3,flipped=0.01", *options, data=SCRIPT)
            self.assertEqual(done.returncode, 0)
            return done.stdout, done.stderr
        self.assertEqual(said("--seed", "5"), said("--seed", "5"))
        self.assertNotEqual(said("--seed", "5"), said("--seed", "6"))
        self.assertIn(b"faults with seed 5: ", said("--seed", "5")[1])

    def test_nothing_is_said_of_no_faults(self):
        done = run("sim", "--stdio", data=b"ATE0\nAT\n")
        self.assertEqual((done.stdout, done.stderr), (b"ATE0\r\r\nOK\r\n\r\nOK\r\n", b""))
