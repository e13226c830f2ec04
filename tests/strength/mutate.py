"""Mutation: one small change at a time to the code, and whether a test notices.

    mutate.py [--sample N] [--seed N] [--only FILE] [--list]

Operators, bounds, conditions and constants change, statements go, in every function of src/runtime and in
those of what is generated for the BC26's host; Ragel's output is left to its grammar. What compiles to the
same code is no mutant. Each of the others is linked into the unit tests, which run until one fails, then
with the sanitizers. Survivors stand in survivors.txt with the reason. In a whole run another one is a
failure, and so is one that is listed and dies, and a score below the floor; in a part of it, as samples
change with the code, so many others that the score is below the floor.

It needs what `cmake --build build` and `cmake --build build/sanitize` leave.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import Queue
from typing import Iterator, Optional

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("AT_BUILD", ROOT / "build"))
SANITIZED = BUILD / "sanitize"
LISTED = HERE / "survivors.txt"
FLOOR = 90.0        # percent of src/runtime that is killed
WORKERS = 2
PATIENCE = 20.0     # seconds, six times as many with sanitizers; what hangs is killed, and so noticed
MEMORY = 4 << 30
GENERATED = ("generated/bc26/bc26.c", "generated/bc26/bc26_calls.c")
TRANSCRIPTS = [str(p) for p in sorted((ROOT / "tests/transcripts").glob("*.txt"))]
# The quickest first, and the ones that know the file before them.
TESTS = ["edges", "roundtrip", "bc26_examples", "codec", "calls", "firmware", "second", "values", "grammar", "sockets",
         "transcripts", "client", "laws", "trace", "heads"]
FIRST = {"client": ["sockets", "client"], "stream": ["roundtrip", "bc26_examples", "transcripts"], "head": ["heads"]}
# With the sanitizers, which find what is read or written out of place: the quick ones.
SANITIZED_TESTS = ["edges", "codec", "calls", "second", "values", "roundtrip", "bc26_examples", "sockets"]
ENVIRONMENT = {"CK_FORK": "no", "CK_VERBOSITY": "silent", "AT_ROUNDS": "300"}


# What is changed ------------------------------------------------------------------

@dataclass(frozen=True)
class Mutant:
    path: Path
    function: str
    line: int           # from 0
    before: str
    after: str

    @property
    def file(self) -> str:
        return str(self.path.relative_to(ROOT if self.path.is_relative_to(ROOT / "src") else BUILD))

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.file, self.function, self.before.strip(), self.after.strip()

    def __str__(self) -> str:
        return f"{self.file} | {self.function}\n    - {self.before.strip()}\n    + {self.after.strip()}"


SWAPS = {
    r" < ": [" <= "], r" <= ": [" < "], r" > ": [" >= "], r" >= ": [" > "], r" == ": [" != "], r" != ": [" == "],
    r" && ": [" || "], r" \|\| ": [" && "], r" \+ ": [" - "], r" - ": [" + "], r" \+= ": [" -= "], r" -= ": [" += "],
    r"\+\+": ["--"], r"--": ["++"], r" << ": [" >> "], r" >> ": [" << "], r" & ": [" | "], r" \| ": [" & "],
    r" \* ": [" / "], r" / ": [" * "], r" % ": [" / "], r"!(?=[a-z(*])": [""], r"\btrue\b": ["false"], r"\bfalse\b": ["true"],
    r"\bbreak;": [";"], r"\bcontinue;": [";"],
}
NUMBER = re.compile(r"(?<![\w.\"'])(0x[0-9a-f]+|\d+)(u?)\b")
FLAG = re.compile(r"^(\s*(?:\} else )?(?:if|while) \()([^<>=&|?]+)(\) \{)$")
RETURNED = re.compile(r"^(\s*return )([^;]+)(;.*)$")
DECLARED = re.compile(r"^\s*(?:const |static |struct |enum |union |unsigned |u?int\d*(?:_t)? |size_t |bool |char |void |int )")
STATEMENT = re.compile(r"^(\s+)(?!return\b|break;|continue;|goto |case |default)([^;{}]*(?:\)|=|\+\+|--)[^;{}]*;)$")
FUNCTION = re.compile(r"^(?!typedef|struct \w+ \{|enum|static const)(?P<type>[\w ]*?[ *])(?P<name>\w+)\(")


def masked(text: str) -> str:
    """Comments and literals blanked, so that nothing in them is taken for code."""
    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", "_" if match[0][0] in "\"'" else " ", match[0])
    return re.sub(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", blank, text, flags=re.S)


def edits(line: str, plain: str, follows: str, of_bool: bool) -> Iterator[str]:
    """What the line becomes. `plain` is it masked, `follows` the line before it."""
    for pattern, others in SWAPS.items():
        for m in re.finditer(pattern, plain):
            yield from (line[:m.start()] + other + line[m.end():] for other in others)
    for m in NUMBER.finditer(plain):
        value = int(m[1], 0)
        for other in (value + 1, value - 1):
            if other >= 0:
                yield f"{line[:m.start()]}{other}{m[2]}{line[m.end():]}"
    flag = FLAG.match(plain)
    if flag and not flag[2].startswith("!"):
        yield f"{flag[1]}!({line[flag.start(2):flag.end(2)]}){flag[3]}"
    returned = RETURNED.match(plain)
    if returned and of_bool and returned[2] not in ("true", "false") and not returned[2].startswith("!"):
        yield f"{returned[1]}!({line[returned.start(2):returned.end(2)]});"
    gone = STATEMENT.match(plain)
    if gone and not DECLARED.match(plain) and follows.rstrip()[-1:] in tuple(";{}:"):
        yield f"{gone[1]};"


def mutants_of(path: Path) -> Iterator[Mutant]:
    text = path.read_text(encoding="utf-8")
    lines, plain = text.splitlines(), masked(text).splitlines()
    function, of_bool, inside = "", False, False
    for i, line in enumerate(lines):
        head = FUNCTION.match(plain[i])
        if head and not inside:
            function, of_bool = head["name"], "bool" in head["type"]
        if plain[i] == "{":
            inside = bool(function)
        elif plain[i].startswith("}"):
            inside, function = False, ""
        elif inside and not plain[i].lstrip().startswith("#"):
            follows = next((p for p in reversed(plain[:i]) if p.strip()), "")
            for after in dict.fromkeys(edits(line, plain[i], follows, of_bool)):
                if after != line:
                    yield Mutant(path, function, i, line, after)


def sources() -> list[Path]:
    return [*sorted((ROOT / "src/runtime").glob("*.c")), *(BUILD / name for name in GENERATED)]


# Whether it's noticed ---------------------------------------------------------------

# A failed assertion is the end of the program, whatever tests are left.
AT_ONCE = """#include <unistd.h>
void __wrap__ck_assert_failed(void);
void __wrap__ck_assert_failed(void) { _exit(1); }
"""


class Tests:
    """The test programs of a build, linked with another object in place of the one they have."""

    def __init__(self, build: Path, names: list[str], flags: list[str]) -> None:
        self.build, self.names, self.flags = build, names, flags
        self.patience = PATIENCE * (6 if flags else 1)
        entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
        self.compilers: dict[Path, str] = {}
        for entry in entries:       # the first: libraries come before tests of the same source
            self.compilers.setdefault(Path(entry["file"]).resolve(), entry["command"])

    def compile(self, path: Path, text: str, folder: Path) -> Optional[Path]:
        """Its object; None if it's no C."""
        # In a folder beside, so that what it includes is found as ever.
        source, out = folder / path.name, folder / f"{path.stem}.o"
        source.write_text(text, encoding="utf-8")
        words = shlex.split(self.compilers[self.counterpart(path).resolve()])
        kept = [w for i, w in enumerate(words) if w not in ("-c", "-o", "-g", "-Werror") and words[i - 1] not in ("-c", "-o")]
        done = subprocess.run([*kept, f"-I{self.counterpart(path).parent}", "-w", *self.flags, "-c", source.name, "-o", out.name],
                              cwd=folder, capture_output=True, check=False, timeout=120)
        return out if done.returncode == 0 else None

    def counterpart(self, path: Path) -> Path:
        return path if path.is_relative_to(ROOT / "src") else self.build / path.relative_to(BUILD)

    @cache
    def link_command(self, test: str) -> list[str]:
        said = subprocess.run(["ninja", "-C", str(self.build), "-t", "commands", f"bin/test_{test}"],
                              capture_output=True, text=True, check=True).stdout.splitlines()[-1]
        return shlex.split(said.split("&&")[1])

    def fails(self, test: str, obj: Path, folder: Path) -> bool:
        program = folder / f"test_{test}"
        command = self.link_command(test)
        at = next(i for i, word in enumerate(command) if word.endswith(".o"))
        command = [*command[:at], str(obj), str(folder / "at_once.o"), *command[at:], "-Wl,--wrap=_ck_assert_failed", "-fuse-ld=gold"]
        command[command.index("-o") + 1] = str(program)
        subprocess.run(command, cwd=self.build, check=True, capture_output=True, timeout=120)
        arguments = TRANSCRIPTS if test == "transcripts" else []
        try:
            done = subprocess.run([str(program), *arguments], cwd=ROOT, capture_output=True, check=False, timeout=self.patience,
                                  env={**os.environ, **ENVIRONMENT}, preexec_fn=self.limit)
        except subprocess.TimeoutExpired:
            return True
        return done.returncode != 0

    def limit(self) -> None:
        patience = int(self.patience)
        resource.setrlimit(resource.RLIMIT_CPU, (patience, patience))   # should nobody be there to wait
        if not self.flags:      # AddressSanitizer reserves more than there is
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    def notice(self, path: Path, obj: Path, folder: Path) -> Optional[str]:
        """The test that fails, if any does."""
        first: list[str] = next((tests for stem, tests in FIRST.items() if path.stem.startswith(stem)), [])
        order = sorted(self.names, key=lambda test: first.index(test) if test in first else len(first))
        return next((test for test in order if self.has(test, path) and self.fails(test, obj, folder)), None)

    def has(self, test: str, path: Path) -> bool:
        """Whether the test is linked with the library that the source is of: all are with the runtime."""
        return path.is_relative_to(ROOT / "src") or any(word.endswith("libbc26.a") for word in self.link_command(test))


class Runner:
    def __init__(self, folder: Path) -> None:
        self.plain = Tests(BUILD, TESTS, [])
        self.sanitized = Tests(SANITIZED, SANITIZED_TESTS, ["-O1"])
        self.folders: Queue[Path] = Queue()
        for i in range(WORKERS):
            place = folder / str(i)
            place.mkdir()
            (place / "at_once.c").write_text(AT_ONCE, encoding="utf-8")
            subprocess.run(["gcc", "-c", "at_once.c"], cwd=place, check=True)
            self.folders.put(place)
        self.originals: dict[Path, bytes] = {}
        self.check()

    def check(self) -> None:
        """What isn't changed passes: or every mutant would seem to be noticed."""
        folder = self.folders.get()
        path = ROOT / "src/runtime/text.c"
        for tests in (self.plain, self.sanitized):
            obj = tests.compile(path, path.read_text(encoding="utf-8"), folder)
            assert obj
            failed = tests.notice(path, obj, folder)
            if failed:
                raise SystemExit(f"{failed} fails, whatever is changed")
        self.folders.put(folder)

    def original(self, path: Path, folder: Path) -> bytes:
        if path not in self.originals:
            obj = self.plain.compile(path, path.read_text(encoding="utf-8"), folder)
            assert obj, path
            self.originals[path] = obj.read_bytes()
        return self.originals[path]

    def run(self, mutant: Mutant) -> str:
        """"same", "killed" or "survived"."""
        folder = self.folders.get()
        try:
            lines = mutant.path.read_text(encoding="utf-8").splitlines(keepends=True)
            lines[mutant.line] = mutant.after + "\n"
            original = self.original(mutant.path, folder)
            obj = self.plain.compile(mutant.path, "".join(lines), folder)
            if obj is None or obj.read_bytes() == original:
                return "same"
            if self.plain.notice(mutant.path, obj, folder):
                return "killed"
            obj = self.sanitized.compile(mutant.path, "".join(lines), folder)
            assert obj, mutant
            return "killed" if self.sanitized.notice(mutant.path, obj, folder) else "survived"
        finally:
            self.folders.put(folder)


# The report ---------------------------------------------------------------------------

def listed() -> dict[tuple[str, str, str, str], str]:
    """By file, function, line before and after: why no test notices."""
    found = {}
    text = re.sub(r"(?m)^#.*\n", "", LISTED.read_text(encoding="utf-8"))
    for block in filter(None, (part.strip() for part in text.split("\n\n"))):
        place, before, after, *why = block.splitlines()
        file, function = place.split(" | ")
        assert before.startswith("    - ") and after.startswith("    + ") and why, f"not as it should be: {block}"
        found[file, function, before[6:], after[6:]] = " ".join(line.strip() for line in why)
    return found


def score(outcomes: dict[Mutant, str], prefix: str) -> float:
    counted = [o for m, o in outcomes.items() if o != "same" and m.file.startswith(prefix)]
    return 100.0 * counted.count("killed") / len(counted) if counted else 100.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutation of the runtime and the generated code.")
    parser.add_argument("--sample", type=int, metavar="N", help="so many mutants, at random")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--only", metavar="FILE", help="mutants of files whose name ends so")
    parser.add_argument("--list", action="store_true", help="print the mutants, and no more")
    args = parser.parse_args()
    mutants = [m for path in sources() if not args.only or str(path).endswith(args.only) for m in mutants_of(path)]
    if args.sample:
        mutants = random.Random(args.seed).sample(mutants, min(args.sample, len(mutants)))
    if args.list:
        print("\n".join(map(str, mutants)))
        return 0
    if not (SANITIZED / "compile_commands.json").exists():
        print("skipped: mutants need the sanitizers' build too (cmake --preset sanitize, then build it)")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(Path(folder))
        outcomes: dict[Mutant, str] = {}
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            for mutant, outcome in zip(mutants, pool.map(runner.run, mutants)):
                outcomes[mutant] = outcome
                if outcome == "survived":
                    print(f"{mutant}\n", flush=True)
    known = listed()
    survivors = {m.key for m, o in outcomes.items() if o == "survived"}
    unlisted = survivors - known.keys()
    whole = not args.sample and not args.only
    dead = known.keys() - survivors if whole else set()
    for key in sorted(dead):
        print(f"listed, but there is no such survivor: {key}")
    runtime, all_ = score(outcomes, "src/"), score(outcomes, "")
    print(f"{len(mutants)} changes, {sum(o == 'same' for o in outcomes.values())} of no effect on the code; "
          f"killed: {runtime:.1f} % of src/runtime, {all_:.1f} % of all; {len(unlisted)} survivors not listed")
    if whole:
        return int(bool(unlisted or dead) or runtime < FLOOR)
    known_to_live = sum(o == "survived" and m.key in known for m, o in outcomes.items())
    counted = sum(o != "same" for o in outcomes.values()) - known_to_live
    return int(counted > 0 and 100.0 * len(unlisted) / counted > 100.0 - FLOOR)


if __name__ == "__main__":
    sys.exit(main())
