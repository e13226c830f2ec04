"""Every call of the tool that the reference manual shows prints what the form says."""

import os
import shlex
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("AT_BUILD", ROOT / "build"))
sys.path.insert(0, str(ROOT / "gen"))
sys.dont_write_bytecode = True

from atspec.build import load_spec  # noqa: E402
from atspec.doc import Author  # noqa: E402
from atspec.tokens import match_form  # noqa: E402


class Reference(unittest.TestCase):
    def test_calls_of_the_tool(self) -> None:
        spec, _ = load_spec(str(ROOT / "spec" / "quectel" / "bc26-tcpip.yaml"))
        assert spec
        author = Author(spec)
        for form in spec.forms:
            tool, *arguments = shlex.split(author.cli(form))
            run = subprocess.run([str(BUILD / "bin" / tool), *arguments], capture_output=True, timeout=60, check=False)
            with self.subTest(author.cli(form)):
                self.assertEqual((run.returncode, run.stderr), (0, b""))
                line = run.stdout.decode()
                self.assertTrue(line.endswith("\r"), line)
                self.assertIsNotNone(match_form(line[:-1], form), line)


if __name__ == "__main__":
    unittest.main()
