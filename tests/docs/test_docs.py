"""What the documents show is what the project has: excerpts stand in the files
they name, the demo prints what the README says, links lead somewhere."""

import os
import re
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("AT_BUILD", ROOT / "build"))
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "spec/README.md", "spec/diff.md"]
EXCERPT = re.compile(r"<!-- from: (\S+) -->\n```\w*\n(.*?)```", re.S)
DEMO = re.compile(r"<!-- demo -->\n```\n(.*?)```", re.S)


def read(name: str) -> str:
    path = BUILD / name[len("build/"):] if name.startswith("build/") else ROOT / name
    return path.read_text(encoding="utf-8")


def unindented(text: str) -> str:
    """Lines without what they are indented by, so that an excerpt from a function is found."""
    return "\n".join(line.strip() for line in textwrap.dedent(text).strip().splitlines())


class Documents(unittest.TestCase):
    def test_excerpts_stand_in_their_files(self) -> None:
        found = 0
        for name in DOCUMENTS:
            for source, excerpt in EXCERPT.findall(read(name)):
                found += 1
                with self.subTest(document=name, source=source):
                    self.assertIn(unindented(excerpt), unindented(read(source)))
        self.assertGreaterEqual(found, 4)

    def test_demo_prints_what_the_readme_shows(self) -> None:
        shown = DEMO.search(read("README.md"))
        assert shown
        run = subprocess.run([str(BUILD / "bin/bc26"), "demo"], capture_output=True, text=True,
                             timeout=100, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        for part in shown.group(1).split("...\n"):
            self.assertTrue(part.strip(), "an empty part would be found anywhere")
            self.assertIn(part.strip("\n"), run.stdout)

    def test_smallest_spec_is_sound(self) -> None:
        shown = re.search(r"```yaml\n(atspec: 1\n.*?)```", read("spec/README.md"), re.S)
        assert shown
        with tempfile.TemporaryDirectory() as folder:
            spec = Path(folder) / "tiny.yaml"
            common = os.path.relpath(ROOT / "spec", folder) + "/common/v250.yaml"
            spec.write_text(shown.group(1).replace("common/v250.yaml", common), encoding="utf-8")
            run = subprocess.run([sys.executable, str(ROOT / "gen/atspec"), "check", str(spec)],
                                 capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual((run.returncode, run.stdout), (0, ""))

    def test_links_lead_somewhere(self) -> None:
        for name in DOCUMENTS:
            for link in re.findall(r"\]\(([^)#]+)\)", read(name)):
                with self.subTest(document=name, link=link):
                    self.assertTrue((ROOT / name).parent.joinpath(link).exists())

    def test_commands_of_the_readme_exist(self) -> None:
        usage = subprocess.run(["sh", str(ROOT / "dev"), "--help"], capture_output=True,
                               text=True, check=True).stdout
        for name in DOCUMENTS:
            for command in re.findall(r"\./dev ([a-z]+)", read(name)):
                self.assertRegex(usage, rf"(?m)^  {command} ", f"{name}: ./dev {command}")


if __name__ == "__main__":
    unittest.main()
