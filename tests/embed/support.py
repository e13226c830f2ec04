"""What the tests of embedding share: a scratch directory outside the tree, the project as
others get it, and programs that are built from that alone."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any, Optional, Sequence

ROOT = Path(__file__).resolve().parents[2]
CONSUMER = ROOT / "tests" / "embed" / "consumer"
SAID = (CONSUMER / "host.txt").read_text("utf-8")       # by host.c, whoever built the library
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Werror"]
COMPILERS = ("gcc", "clang", "g++", "clang++")
# What compiling takes, and no more: neither Ragel nor Python.
PLAIN_TOOLS = (*COMPILERS, "cc", "c++", "as", "ld", "ar", "ranlib", "nm", "cmake", "ninja", "sh")


class Scratch(unittest.TestCase):
    """Its tests have a directory of their own; the class may have one, too."""

    maxDiff = None
    common: Path

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.common = Path(folder.name).resolve()
        cls.prepare()

    @classmethod
    def prepare(cls) -> None:
        """What all tests of the class need, in cls.common."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()

    def put(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def build_and_run(self, command: Sequence[Any], env: Optional[dict[str, str]] = None) -> str:
        """What a program says that a compiler's command makes."""
        program = self.folder / "program"
        run([*command, "-o", program], env=env)
        return run([program])


def run(command: Sequence[Any], cwd: Optional[Path] = None, env: Optional[dict[str, str]] = None) -> str:
    """What it prints; a failure of the test, should it fail."""
    done = start(command, cwd, env)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def start(command: Sequence[Any], cwd: Optional[Path] = None,
          env: Optional[dict[str, str]] = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=280,
                          env={**os.environ, **(env or {})}, check=False)


def dist(folder: Path, *options: str, root: Path = ROOT, env: Optional[dict[str, str]] = None) -> Path:
    run(["sh", root / "dev", "dist", folder, *options], env={"AT_NO_INSTALL": "1", **(env or {})})
    return folder


def plain_path(folder: Path, *more: str) -> dict[str, str]:
    """An environment that has no Ragel and no Python."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    for name in (*PLAIN_TOOLS, *more):
        found = shutil.which(name)
        if found and not (tools / name).exists():
            (tools / name).symlink_to(found)
    return {"PATH": str(tools)}
