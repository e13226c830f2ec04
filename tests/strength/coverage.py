"""How much of the runtime and of the BC26's generated code the tests run: gcc's preset `coverage`, what
needs no tool and no machine but this one, gcovr. Fails below the floors. Ragel's output is counted like all
else, and nothing is left out; what no test can reach there are the copies of each state's number that its
`goto` style keeps for jumps the machine doesn't make.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path("build/strength")      # as in CMakePresets.json
LINES, BRANCHES = 98, 92
SKIPPED = 77
# Tests of other things: programs, the generator, the network, this.
OTHERS = r"^(cli\.|generator\.|docs|net|posix|sockets_virtual|freestanding)"


def run(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def report(*options: str) -> int:
    return subprocess.run(["gcovr", "--root", ".", "--filter", "src/runtime/",
                           "--filter", f"{BUILD}/generated/(bc26|runtime)/", "--exclude", ".*_examples.c",
                           str(BUILD), *options], cwd=ROOT, check=False).returncode


def main() -> int:
    if not shutil.which("gcovr"):
        print("skipped: gcovr isn't installed (apt-get install gcovr)")
        return SKIPPED
    run("cmake", "--preset", "coverage")
    run("cmake", "--build", "--preset", "coverage")
    for old in (ROOT / BUILD).rglob("*.gcda"):
        old.unlink()
    run("ctest", "--preset", "coverage", "-j", "2", "-LE", "all", "-E", OTHERS)
    sys.stdout.flush()
    failed = report("--branches", "--fail-under-branch", str(BRANCHES))
    failed |= report("--fail-under-line", str(LINES))
    return int(failed != 0)


if __name__ == "__main__":
    os.environ.pop("AT_COVERAGE_DIR", None)     # that is of sections of the manual
    sys.exit(main())
