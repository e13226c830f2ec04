"""Every loop of the freestanding code ends: LLVM's scalar evolution knows the most times it can run, or
loops.txt says, with a reason, what it uses up.

What LLVM can't bound and loops.txt doesn't list is a failure, and so is what it lists and no loop needs.
clang compiles with -fno-finite-loops, so nothing is taken for granted, and jumps that make a loop without
being one (a Ragel machine's) are made into loops first. `loops.py --all` prints each loop and its bound.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parents[2]
LISTED = Path(__file__).resolve().parent / "loops.txt"
BUILD = Path(os.environ.get("AT_BUILD", ROOT / "build"))
SKIPPED = 77
INCLUDES = ["include", "src/runtime", "src/bc26", str(BUILD / "generated/bc26")]
GENERATED = ["runtime/scan.c", *(f"bc26/bc26{part}.c" for part in (
    "", "_calls", "_head", "_heads", "_manual", "_module", "_command"))]
# Loops as they are written: variables in registers, but nothing unrolled, moved or turned round.
SIMPLE = "function(sroa,early-cse,simplifycfg,instcombine,lowerswitch,fix-irreducible,loop-simplify)"


@dataclass(frozen=True)
class Loop:
    file: str
    function: str
    text: str       # where it begins
    bound: str      # or "" where LLVM has none

    @property
    def key(self) -> tuple[str, str, str]:
        return self.file, self.function, self.text


def sources() -> list[Path]:
    return [*sorted((ROOT / "src/runtime").glob("*.c")), ROOT / "src/bc26/sockets.c",
            *(BUILD / "generated" / name for name in GENERATED)]


def run(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]}: {done.stderr}")
    return done.stdout + done.stderr    # analyses print to the latter


def compiled(source: Path, out: Path) -> Path:
    """As LLVM's assembler, simplified."""
    plain, simple = out / "plain.ll", out / "simple.ll"
    run("clang-14", "-std=c99", "-O1", "-fno-finite-loops", "-Xclang", "-disable-llvm-passes", "-g", "-S", "-emit-llvm",
        *(f"-I{path}" for path in INCLUDES), source, "-o", plain)
    run("opt-14", "-S", f"-passes={SIMPLE}", plain, "-o", simple)
    return simple


class Places:
    """Where the loops of an assembler file begin in C."""

    def __init__(self, text: str) -> None:
        self.functions = {m[1]: m[0] for m in re.finditer(r"(?ms)^define [^@]*@([\w.]+)\(.*?^\}", text)}
        self.lines = {m[1]: int(m[2]) for m in re.finditer(r"(?m)^(!\d+) = !DILocation\(line: (\d+)", text)}
        self.loops = {m[1]: m[2] for m in re.finditer(r"(?m)^(!\d+) = distinct !\{!\d+, (!\d+)", text)}

    def line(self, function: str, block: str) -> int:
        body = self.functions[function]
        back = re.search(rf"br .*label %{block}\b.*!llvm\.loop (!\d+)", body)
        if back and self.loops.get(back[1]) in self.lines:
            return self.lines[self.loops[back[1]]]
        here = body.split(f"\n{block}:", 1)[1]
        first = re.search(r"!dbg (!\d+)", here)
        assert first, (function, block)
        return self.lines[first[1]]


HEAD = re.compile(r"Determining loop execution counts for: @([\w.]+)|Loop %([\w.]+): (?:max backedge-taken count is (\S+)"
                  r"|(Unpredictable max))")


def loops_of(source: Path, out: Path) -> Iterator[Loop]:
    simple = compiled(source, out)
    places = Places(simple.read_text(encoding="utf-8"))
    code = source.read_text(encoding="utf-8").splitlines()
    name = str(source.relative_to(ROOT if source.is_relative_to(ROOT / "src") else BUILD))
    function = ""
    for m in HEAD.finditer(run("opt-14", "-disable-output", "-passes=print<scalar-evolution>", simple)):
        if m[1]:
            function = m[1]
        elif source.name in ("scan.c", "bc26_head.c", "bc26_command.c") and m[4]:
            yield Loop(name, function, "(Ragel)", "")
        else:
            text = code[places.line(function, m[2]) - 1].strip()
            yield Loop(name, function, text, "" if m[4] else m[3])


def listed() -> dict[tuple[str, str, str], str]:
    """By file, function and text: what the loop uses up."""
    found = {}
    lines = [line for line in LISTED.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    for place, why in zip(lines[::2], lines[1::2], strict=True):
        file, function, text = (part.strip() for part in place.split(" | ", 2))
        assert why.startswith("    "), f"no reason: {place}"
        found[file, function, text] = why.strip()
    return found


def main() -> int:
    if not shutil.which("opt-14"):
        print("skipped: opt isn't installed (apt-get install llvm-14)")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        loops = [loop for source in sources() for loop in loops_of(source, Path(folder))]
    if "--all" in sys.argv:
        print("".join(f"{' | '.join(loop.key)}: {loop.bound or 'unknown'}\n" for loop in loops), end="")
    known = listed()
    unknown = {loop.key for loop in loops if not loop.bound}
    wrong = [f"not bounded and not listed: {' | '.join(key)}" for key in sorted(unknown - known.keys())]
    wrong += [f"listed without need: {' | '.join(key)}" for key in sorted(known.keys() - unknown)]
    print("\n".join([*wrong, f"{len(loops)} loops: {len(loops) - len(unknown)} bounded by analysis, {len(known)} listed"]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
