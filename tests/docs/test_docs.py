"""What the documents show is what the project has: excerpts stand in the files
they name, the demo prints what the README says, links lead somewhere."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

import pexpect

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("AT_BUILD", ROOT / "build"))
DOCUMENTS = ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "spec/README.md", "spec/diff.md", "spec/upgrade.md"]
EXCERPT = re.compile(r"<!-- from: (\S+) -->\n```\w*\n(.*?)```", re.S)
SESSION = re.compile(r"<!-- session -->\n```\n(.*?)```", re.S)
TIMES = r"in [0-9.]+ s, [0-9]+ B/s"     # differ from run to run
DEMO = re.compile(r"<!-- demo -->\n```\n(.*?)```", re.S)


def read(name: str) -> str:
    path = BUILD / name[len("build/"):] if name.startswith("build/") else ROOT / name
    return path.read_text(encoding="utf-8")


def unindented(text: str) -> str:
    """Lines without what they are indented by, so that an excerpt from a function is found."""
    return "\n".join(line.strip() for line in textwrap.dedent(text).strip().splitlines())


FENCED = re.compile(r"(?:<!-- [^\n]* -->\n)?```(\w*)\n.*?```", re.S)


def sections(text: str) -> list[dict[str, object]]:
    """What a translation must not change, heading by heading: code, links, figures, tables."""
    blocks: list[str] = []

    def take(block: re.Match[str]) -> str:
        if block.group(1) == "mermaid":     # its words are translated, its arrows aren't
            blocks.append(" ".join(re.findall(r"-->|<-->|\w+(?=\[|\(\[)", block.group(0))))
        else:
            blocks.append(block.group(0))
        return f"\n\0{len(blocks) - 1}\0\n"

    out = []
    for part in re.split(r"(?m)^(?=#+ )", FENCED.sub(take, text)):
        spans = re.findall(r"`([^`]+)`", part)
        links = [link.replace(".zh-CN", "") for link in re.findall(r"\]\(([^)]+)\)", part)]
        words = re.sub(r"`[^`]+`|\]\([^)]+\)|\0\d+\0", " ", part)
        out.append({"level": len(part) - len(part.lstrip("#")),
                    "code": [blocks[int(i)] for i in re.findall(r"\0(\d+)\0", part)],
                    "spans": sorted(spans), "links": sorted(links),
                    "figures": sorted(re.findall(r"\d+(?:[.,:]\d+)*", words)),
                    "rows": len(re.findall(r"(?m)^\|", part)),
                    "items": len(re.findall(r"(?m)^- ", part))})
    return out


def start(test: unittest.TestCase, command: str, folder: str, port: int) -> str:
    """What runs behind the session. Returns what it says once it's ready."""
    words = [word.replace("7007", str(port)) for word in shlex.split(command)]
    process = subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    assert process.stderr
    test.addCleanup(process.stderr.close)
    test.addCleanup(process.wait, 60)
    test.addCleanup(os.killpg, process.pid, signal.SIGKILL)     # with what it forked
    return process.stderr.readline() if " sim " in command else ""


def surplus(text: str) -> str:
    """What stands there besides progress, which is wiped away, and prompts, as a result code
    may come behind one."""
    return re.sub(r"\r[^\r\n]*\x1b\[K|(?:\$|bc26>) |\x1b\[[0-9;?]*[A-Za-z]|[\r\n]", "", text)


def hold_session(test: unittest.TestCase, shown: str) -> str:
    """What a terminal has after the lines of a session were typed; what it runs behind it uses
    a port that is free."""
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (Path(folder.name) / "build").symlink_to(BUILD)
    terminal = pexpect.spawn("/bin/sh", cwd=folder.name, encoding="utf-8", timeout=60, env={
        "PATH": os.environ["PATH"], "HOME": folder.name, "TERM": "dumb", "PS1": "$ ", "ENV": "",
        "LC_ALL": "C"}, dimensions=(50, 200))
    test.addCleanup(terminal.close, True)
    out = ""
    for block in re.split(r"(?m)^(?=\$ |bc26> )", shown)[1:]:
        line, _, answer = block.partition("\n")
        prompt, typed = re.match(r"(\$ |bc26> )(.*)", line).groups()   # type: ignore[union-attr]
        out += prompt + typed + "\n"
        if typed.endswith(" &"):
            out += start(test, typed[:-2], folder.name, port)
            continue
        terminal.expect_exact(prompt)
        terminal.sendline(typed)
        terminal.expect_exact("\n")
        for expected in answer.splitlines():
            parts = [re.escape(part) for part in re.split(TIMES, expected)]
            terminal.expect(TIMES.join(parts) + r"\r*\n")
            out += surplus(terminal.before) + expected + "\n"
    return out


class Documents(unittest.TestCase):
    maxDiff = None

    def test_the_translation_keeps_step(self) -> None:
        """The same commands, the same figures, in the same places."""
        ours, theirs = (sections(read(name)) for name in ("README.md", "README.zh-CN.md"))
        self.assertEqual(len(ours), len(theirs), "headings")
        for i, (a, b) in enumerate(zip(ours, theirs)):
            for what, found in a.items():
                with self.subTest(heading=i, what=what):
                    self.assertEqual(b[what], found)

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

    def test_the_session_prints_what_the_readme_shows(self) -> None:
        """Each line behind `$ ` or `bc26> ` is typed at a terminal; all that follows is compared."""
        shown = SESSION.search(read("README.md"))
        assert shown
        self.assertEqual(hold_session(self, shown.group(1)), shown.group(1))

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
