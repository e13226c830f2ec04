"""The worked upgrade of spec/upgrade.md, and the script for continuous integration: both as in
a user's repository, which has this one as a submodule."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "spec" / "upgrade.md"
BLOCK = re.compile(r"<!-- (file|append|shell)(?:: (\S+))? -->\n```\w*\n(.*?)```", re.S)
END = "-- end of a command --"
MODEM = """\
atspec: 1
module: counter
title: A pulse counter
source: {document: Its manual, version: '1', date: '2024-01-01', sections: {'1': Counting}}
defaults: {response_time: 300 ms}
include: [atspec/spec/common/v250.yaml]
parameters:
  total: {type: integer, range: 0..999999, doc: Pulses}
commands:
  COUNT:
    section: '1'
    doc: Set the total
    set: {syntax: 'AT+COUNT=<total>'}
"""


class Project(unittest.TestCase):
    """A scratch repository with this one, as it is here, under `atspec`."""

    maxDiff = None

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name, "meter")
        (self.folder / "atspec").mkdir(parents=True)
        for name in ("gen", "include", "spec"):
            shutil.copytree(ROOT / name, self.folder / "atspec" / name, ignore=shutil.ignore_patterns("__pycache__"))
        bin_ = Path(folder.name, "bin")     # the Python that has the generator's modules
        bin_.mkdir()
        (bin_ / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" -B "$@"\n')
        (bin_ / "python3").chmod(0o755)
        self.env = {"PATH": f"{bin_}:{os.environ['PATH']}", "HOME": folder.name, "LC_ALL": "C",
                    "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.org",
                    "GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@example.org"}
        for where in ("atspec", "."):
            self.git("init", "-q", "-b", "main", cwd=where)
            self.commit("Begin", cwd=where)

    def git(self, *arguments: str, cwd: str = ".") -> None:
        subprocess.run(["git", *arguments], cwd=self.folder / cwd, env=self.env, check=True, capture_output=True, timeout=60)

    def commit(self, message: str, cwd: str = ".") -> None:
        self.git("add", "-A", cwd=cwd)
        self.git("commit", "-q", "-m", message, cwd=cwd)


class Upgrade(Project):
    def test_the_page(self) -> None:
        """Files are written, commands run in one shell; a line `...` stands for any lines."""
        script, shown = "", []
        for kind, name, text in BLOCK.findall(PAGE.read_text("utf-8")):
            if kind == "shell":
                for block in re.split(r"(?m)^\$ ", text)[1:]:
                    command, _, output = block.partition("\n")
                    script += f"{command}\n{{ at=$?; printf '%s\\n' '{END}'; (exit $at); }}\n"
                    shown.append((command, output))
            else:
                redirect = ">>" if kind == "append" else ">"
                script += f"cat {redirect}{name} <<'END OF FILE'\n{text}END OF FILE\n"
        self.assertGreater(len(shown), 20)
        run = subprocess.run(["sh"], input=script, cwd=self.folder, env=self.env, text=True, timeout=250, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        printed = run.stdout.split(END + "\n")[:-1]
        self.assertEqual(len(printed), len(shown), run.stdout)
        for (command, output), found in zip(shown, printed):
            with self.subTest(command):
                pattern = "".join(map(self.line, output.splitlines(True)))
                self.assertRegex(found, rf"\A{pattern}\Z")

    @staticmethod
    def line(line: str) -> str:
        return r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line)


class Integration(Project):
    """spec/ci: a change of a project passes or doesn't."""

    def setUp(self) -> None:
        super().setUp()
        shutil.copy(ROOT / "spec" / "ci" / "atspec.sh", self.folder)
        (self.folder / ".gitignore").write_text("changelog.md\n")
        (self.folder / "accepted.yaml").write_text("accepted: []\n")
        self.write(MODEM)
        self.build()
        self.commit("Count pulses")
        self.git("checkout", "-q", "-b", "work")

    def write(self, text: str) -> None:
        (self.folder / "modem.yaml").write_text(text)

    def build(self) -> None:
        subprocess.run(["python3", "atspec/gen/atspec", "build", "modem.yaml", "-o", "generated", "--host"],
                       cwd=self.folder, env=self.env, check=True, timeout=60)

    def check(self, base: str = "main") -> "tuple[int, str]":
        run = subprocess.run(["sh", "atspec.sh", base], cwd=self.folder, env=self.env, text=True, timeout=100, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return run.returncode, run.stdout

    def test_an_unchanged_project(self) -> None:
        status, output = self.check()
        self.assertEqual(status, 0, output)
        self.assertIn("no changes", (self.folder / "changelog.md").read_text())

    def test_a_change_that_breaks_until_it_is_accepted(self) -> None:
        self.write(MODEM.replace("0..999999", "0..9999"))
        self.build()
        self.commit("Count less")
        status, output = self.check()
        self.assertEqual(status, 1, output)
        self.assertIn("| breaking | T204 `parameters.total` |", output)
        (self.folder / "accepted.yaml").write_text(
            "accepted:\n  - {rule: T204, path: parameters.total, because: no meter counts on, date: '2024-05-06', by: Ann}\n")
        status, output = self.check()
        self.assertEqual(status, 0, output)
        self.assertIn("accepted: no meter counts on, Ann, 2024-05-06", (self.folder / "changelog.md").read_text())

    def test_a_change_that_does_not_break(self) -> None:
        self.write(MODEM.replace("0..999999", "0..9999999"))
        self.build()
        status, output = self.check()
        self.assertEqual(status, 0, output)
        self.assertIn("T203", (self.folder / "changelog.md").read_text())

    def test_sources_that_are_not_what_the_spec_generates(self) -> None:
        self.write(MODEM.replace("0..999999", "0..9999999"))
        status, output = self.check()
        self.assertEqual(status, 1, output)
        self.assertIn("generated is stale", output)

    def test_a_spec_that_is_not_sound(self) -> None:
        self.write(MODEM.replace("<total>", "<totals>"))
        status, output = self.check()
        self.assertEqual(status, 1, output)
        self.assertIn("error[E023]", output)

    def test_a_spec_that_is_new(self) -> None:
        self.git("checkout", "-q", "main~1", "-b", "older")
        status, output = self.check("older")
        self.assertNotEqual(status, 0, output)      # it isn't there at all
        self.git("checkout", "-q", "work")
        status, output = self.check("older")
        self.assertEqual(status, 0, output)

    def test_a_spec_in_a_submodule(self) -> None:
        """Its base is the submodule's commit that the base of the project has."""
        script = self.folder / "atspec.sh"
        script.write_text(re.sub(r"(?m)^spec=\S+", "spec=atspec/spec/mine.yaml", script.read_text()))
        spec = self.folder / "atspec" / "spec" / "mine.yaml"
        text = MODEM.replace("atspec/spec/common", "common")
        for edition in (text, text.replace("0..999999", "0..9999")):
            spec.write_text(edition)
            subprocess.run(["python3", "atspec/gen/atspec", "build", "atspec/spec/mine.yaml", "-o", "generated", "--host"],
                           cwd=self.folder, env=self.env, check=True, timeout=60)
            self.git("-C", "atspec", "add", "spec/mine.yaml")
            self.git("-C", "atspec", "commit", "-qm", "Mine")
            self.commit("Take it")
        status, output = self.check("HEAD~1")
        self.assertEqual(status, 1, output)
        self.assertIn("T204 `parameters.total`", output)

    def test_a_branch_that_does_not_exist(self) -> None:
        self.assertNotEqual(self.check("nowhere")[0], 0)

    def test_the_workflow_runs_it(self) -> None:
        flow = yaml.safe_load((ROOT / "spec" / "ci" / "github.yml").read_text("utf-8"))
        steps = flow["jobs"]["spec"]["steps"]
        self.assertEqual(steps[0]["with"], {"fetch-depth": 0, "submodules": True}, "diff needs the base, and what it includes")
        runs = [step["run"] for step in steps if "run" in step]
        self.assertTrue(any("sh atspec.sh" in run for run in runs))
        self.assertTrue(any("changelog.md" in run for run in runs))


if __name__ == "__main__":
    unittest.main()
