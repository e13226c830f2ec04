"""Static analysis of what was built: check.py gcc | clang-tidy | cppcheck | mypy | flake8 [FILE...]

C: src and what is generated for the BC26, each file as the build's compile_commands.json compiles it.
Python: gen and tests. Any finding is a failure; what each tool is told to leave out stands, with the
reason, in its configuration: .clang-tidy, machines.clang-tidy and cppcheck.txt here, .mypy.ini and .flake8.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterable

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("AT_BUILD", ROOT / "build"))
SKIPPED = 77
# Of Ragel, whose C is a machine's and not a person's; and a file that only tests compile.
MACHINES = ("scan.c", "bc26_head.c", "bc26_command.c")
TESTS = ("bc26_examples.c",)
# These drive programs by their words and leave types of their own out: what they annotate is checked.
UNTYPED = ("tests/cli", "tests/bench")
RELAXED = ["--allow-untyped-defs", "--allow-incomplete-defs", "--allow-untyped-calls", "--no-check-untyped-defs",
           "--allow-any-generics"]


@dataclass(frozen=True)
class Source:
    path: Path
    flags: tuple[str, ...]      # of the compiler, without those that name files

    @property
    def of_ragel(self) -> bool:
        return self.path.name in MACHINES


def flags_of(command: str) -> tuple[str, ...]:
    words = shlex.split(command)[1:]
    kept = []
    skip = False
    for word in words:
        skip, was = word in ("-o", "-c"), skip
        if not skip and not was:
            kept.append(word)
    return tuple(kept)


def sources() -> list[Source]:
    """Every source that isn't a test's, once."""
    found: dict[Path, Source] = {}
    of = [ROOT / "src", BUILD / "generated/bc26", BUILD / "generated/runtime"]
    for entry in json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8")):
        path = Path(entry["file"])
        if any(path.is_relative_to(folder) for folder in of) and path.name not in TESTS:
            found.setdefault(path, Source(path, flags_of(entry["command"])))
    return sorted(found.values(), key=lambda source: str(source.path))


def gcc(source: Source) -> list[str]:
    return ["gcc", *source.flags, "-fanalyzer", "-Werror", "-c", str(source.path), "-o", os.devnull]


def clang_tidy(source: Source) -> list[str]:
    # One file at a time, and as one target compiles it: clang-tidy 14 forgets of va_start from one to the next.
    config = [f"--config-file={HERE / 'machines.clang-tidy'}"] if source.of_ragel else []
    return ["clang-tidy", "--quiet", "--warnings-as-errors=*", *config, str(source.path), "--", *source.flags]


def cppcheck(source: Source) -> list[str]:
    flags = [flag for flag in source.flags if flag.startswith(("-I", "-D"))]
    return ["cppcheck", "--enable=warning,performance,portability,style", "--std=c99", "--inline-suppr", "--quiet",
            f"--suppressions-list={HERE / 'cppcheck.txt'}", "--error-exitcode=1", *flags, str(source.path)]


def failures(commands: Iterable[list[str]], env: dict[str, str] | None = None) -> int:
    """How many of the commands failed; what those said is printed."""
    def run(command: list[str]) -> bool:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900,
                              env={**os.environ, **(env or {})})
        if done.returncode != 0:
            print(done.stdout + done.stderr, flush=True)
        return done.returncode != 0

    with ThreadPoolExecutor(max_workers=2) as pool:
        return sum(pool.map(run, commands))


def check_c(command: Callable[[Source], list[str]], only: list[str]) -> int:
    chosen = [s for s in sources() if not only or any(str(s.path).endswith(name) for name in only)]
    assert chosen, "nothing to check"
    failed = failures(command(source) for source in chosen)
    print(f"{len(chosen)} sources, {failed} with findings")
    return failed


def mypy() -> int:
    failed = failures([["mypy", "gen/atspec"]])
    # Names repeat from folder to folder, which are no packages: each by itself.
    for folder in sorted({path.parent for path in (ROOT / "tests").glob("*/*.py")}):
        name = str(folder.relative_to(ROOT))
        relaxed = RELAXED if name in UNTYPED else []
        files = [str(path.relative_to(ROOT)) for path in sorted(folder.glob("*.py"))]
        failed += failures([["mypy", *relaxed, *files]], {"MYPYPATH": f"{name}:tests/embed:tests/fuzz"})
    return failed


def flake8() -> int:
    return failures([["flake8", "gen", "tests"]])


OF_C = {"gcc": gcc, "clang-tidy": clang_tidy, "cppcheck": cppcheck}
OF_PYTHON = {"mypy": mypy, "flake8": flake8}


def main() -> int:
    tool, *only = sys.argv[1:]
    if not shutil.which(tool):
        print(f"skipped: {tool} isn't installed (apt-get install {tool})")
        return SKIPPED
    return int((check_c(OF_C[tool], only) if tool in OF_C else OF_PYTHON[tool]()) > 0)


if __name__ == "__main__":
    sys.exit(main())
