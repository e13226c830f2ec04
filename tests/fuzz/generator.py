"""The generator on damaged YAML: generator.py SECONDS [--seed N] [--count N]

Shipped specs, test specs and overlays are damaged as text (lines, scalars, bytes) or as trees (keys and
subtrees gone, doubled, swapped, renamed, of another type), then loaded whole, in a view, and with an
overlay. The answer is a spec, which then renders, or diagnostics, each with a known code and a place in a
file that was read: never a traceback, and never nothing for longer than PATIENCE. What breaks that is kept
in tests/fuzz/regressions/generator, which the tests replay.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Callable, Iterator, Optional

import yaml

ROOT = Path(__file__).resolve().parents[2]
REGRESSIONS = Path(__file__).resolve().parent / "regressions/generator"
sys.path.insert(0, str(ROOT / "gen"))
sys.dont_write_bytecode = True

from atspec.build import load_spec  # noqa: E402
from atspec.diag import CODES  # noqa: E402
from atspec.examples import render_examples  # noqa: E402
from atspec.render import render  # noqa: E402

PATIENCE = 60       # seconds
SHIPPED = ROOT / "spec/quectel/bc26-tcpip.yaml"
SPECS = [SHIPPED, ROOT / "spec/quectel/bg95-tcpip.yaml"]
SMALL = [*sorted((ROOT / "tests/generator/must_fail").glob("*.yaml")), *sorted((ROOT / "tests/generator/second").glob("*.yaml"))]
OVERLAYS = [*sorted((ROOT / "spec/quectel/overlays").glob("*.yaml")), *sorted((ROOT / "tests/cli/drift").glob("*.yaml"))]
VIEWS = ["V1.0", "V1.1", "BC26NBR01A06", "BC20NBR01A08"]
# What a scalar may become: other types, references that hold elsewhere, the traps of YAML.
WORDS = ["", "x", "'", "[", "{", "-1", "99999999999999", "1.5", "true", "null", "<connectID>", "QIRD", "0..4", "[1, 2]", "{a: b}",
         "[[]]", "60 s", "AT+QIRD", "view_mode", "*a", "&a b", "\t", "recv", "'\u00e9'", "prompt", "9..1", "0..", "(t + 1) s * t",
         "a == b", "access_mode[connectID] == 1", "commands.QIRD", "R1", "V9.9", "\ud800", "x" * 300]
VALUES: list[Any] = [None, True, -1, 2 ** 70, 1.5, "", [], {}, [[]], {"a": {"b": "c"}}, *WORDS[1:]]

Rng = random.Random


# Damage ------------------------------------------------------------------------------

def damage_line(rng: Rng, lines: list[str]) -> None:
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(6)
    if kind == 0 and len(lines) > 1:
        del lines[i]
    elif kind == 1:
        lines.insert(i, lines[i])
    elif kind == 2:
        lines[i], lines[j] = lines[j], lines[i]
    elif kind == 3:
        lines[i] = re.sub(r":.*", lambda _: ": " + rng.choice(WORDS), lines[i], count=1)
    else:   # one scalar within the line
        parts = re.split(r"(\w+)", lines[i])
        parts[rng.randrange(len(parts))] = rng.choice(WORDS) if kind == 4 else ""
        lines[i] = "".join(parts)


def by_lines(rng: Rng, content: bytes) -> bytes:
    lines = content.decode("utf-8", "replace").split("\n")
    for _ in range(rng.randint(1, 3)):
        damage_line(rng, lines)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def by_dates(rng: Rng, content: bytes) -> bytes:
    """What availability stands on is rare among the lines: it breaks more often so."""
    lines = content.decode("utf-8", "replace").split("\n")
    dated = [i for i, ln in enumerate(lines) if re.search("since:|until:|before:|was:|revision", ln)]
    for i in rng.sample(dated, min(2, len(dated))):
        one = [lines[i]]
        damage_line(rng, one)
        lines[i] = "\n".join(one)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def by_bytes(rng: Rng, content: bytes) -> bytes:
    broken = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        broken[rng.randrange(len(broken))] = rng.randrange(256)
    return bytes(broken)


def holders(tree: Any) -> Iterator[Any]:
    """Every mapping and list of a tree that holds something."""
    if isinstance(tree, (dict, list)) and tree:
        yield tree
        for inner in tree.values() if isinstance(tree, dict) else tree:
            yield from holders(inner)


def damage_tree(rng: Rng, tree: Any) -> None:
    places = list(holders(tree))
    if not places:
        return
    here, there = rng.choice(places), rng.choice(places)
    key = rng.choice(list(here) if isinstance(here, dict) else range(len(here)))
    other = rng.choice(list(there) if isinstance(there, dict) else range(len(there)))
    kind = rng.randrange(7)
    if kind == 0:
        del here[key]
    elif kind == 1:
        here[key] = rng.choice(VALUES)
    elif kind == 2:
        here[key] = copied(there[other])
    elif kind == 3:
        here[key], there[other] = copied(there[other]), copied(here[key])
    elif kind == 4:
        here[key] = [here[key]] if rng.random() < 0.5 else {"a": here[key]}
    elif isinstance(here, dict):    # another name, or one more of the same
        here[rng.choice([str(key) + "2", rng.choice(WORDS), other])] = here[key] if kind == 5 else here.pop(key)
    else:
        here.insert(key, copied(here[key]))


def copied(tree: Any) -> Any:
    """So that no tree holds itself, and the writer makes no anchors."""
    if isinstance(tree, dict):
        return {key: copied(value) for key, value in tree.items()}
    return [copied(value) for value in tree] if isinstance(tree, list) else tree


def by_tree(rng: Rng, content: bytes) -> bytes:
    try:
        tree = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, UnicodeError):
        return by_lines(rng, content)
    for _ in range(rng.randint(1, 3)):
        damage_tree(rng, tree)
    text: str = yaml.safe_dump(copied(tree), sort_keys=False, allow_unicode=True)
    return text.encode("utf-8", "surrogatepass")


DAMAGES: list[Callable[[Rng, bytes], bytes]] = [by_lines, by_lines, by_dates, by_bytes, by_tree, by_tree, by_tree]


# What is asked of the answer ------------------------------------------------------------

@dataclass(frozen=True)
class Case:
    """What is loaded. The damaged file is the spec, or an overlay of the shipped one."""

    name: str
    content: bytes
    at: Optional[str] = None
    overlay: bool = False
    fragment: bool = False


class Hang(Exception):
    """It takes longer than anyone waits."""


def on_alarm(_signal: int, _frame: Optional[FrameType]) -> None:
    raise Hang(f"no answer within {PATIENCE} s")


def answer(case: Case, folder: Path) -> str:
    """What came of it: "spec", or the codes of its errors. Raises what shouldn't be."""
    path = folder / case.name
    path.write_bytes(case.content)
    files = (str(SHIPPED), [str(path)]) if case.overlay else (str(path), [])
    spec, found = load_spec(files[0], case.fragment, case.at, files[1])
    errors = {d.code for d in found if d.severity == "error"}
    assert (spec is None) == bool(errors), f"{'no ' if spec is None else 'a '}spec, errors: {sorted(errors)}"
    for d in found:
        assert d.code in CODES and d.message and d.line >= 1 and d.column >= 1, f"{d}"
        assert Path(d.file).is_file(), f"no such file: {d}"
        str(d)
    if spec is None:
        return " ".join(sorted(errors))
    if spec.module:     # a fragment has no code of its own
        render(spec)
        render_examples(spec)
    return "spec"


def try_case(case: Case) -> tuple[str, str]:
    """The answer and "", or "" and what is wrong."""
    signal.alarm(PATIENCE)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return answer(case, Path(folder)), ""
    except Exception:       # whatever it is: that it may be anything is the point
        return "", traceback.format_exc()
    finally:
        signal.alarm(0)


# Rounds -----------------------------------------------------------------------------------

def read(path: Path) -> bytes:
    """A file that finds what it includes from wherever it is put."""
    content = path.read_bytes()
    for folder in (b"../common/", b"common/", b"parts/"):
        content = re.sub(rb"(?<![\w/.])" + re.escape(folder), str(within(path, folder.decode())).encode() + b"/", content)
    return content


def within(path: Path, folder: str) -> Path:
    here = (path.parent / folder).resolve()
    return here if here.is_dir() else (ROOT / "spec" / folder.replace("../", "")).resolve()


def said(path: Path, what: str) -> Optional[str]:
    """Of the first lines of a test's spec: its view."""
    found = re.search(rf"^# {what}: (.*)$", path.read_bytes().decode("utf-8", "replace"), re.M)
    return found[1] if found else None


def pick_case(rng: Rng) -> Case:
    damage = rng.choice(DAMAGES)
    kind = rng.random()
    if kind < 0.6:      # small specs break in their references and proofs, not in their schema
        path = rng.choice(SMALL)
        return Case(path.name, damage(rng, read(path)), said(path, "at"), fragment=rng.random() < 0.8)
    if kind < 0.75:
        return Case("overlay.yaml", damage(rng, read(rng.choice(OVERLAYS))), rng.choice([None, *VIEWS]), overlay=True)
    path = rng.choice(SPECS)
    return Case(path.name, damage(rng, read(path)), rng.choice([None, *VIEWS]) if path == SHIPPED else None)


@dataclass
class Tally:
    rounds: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[Case, str]] = field(default_factory=list)


def fuzz(seed: int, count: Optional[int] = None, until: Optional[float] = None) -> Tally:
    """Rounds until there were so many or it's so late. The same seed gives the same rounds."""
    signal.signal(signal.SIGALRM, on_alarm)
    tally = Tally()
    while (count is None or tally.rounds < count) and (until is None or time.monotonic() < until):
        case = pick_case(Rng(f"{seed} {tally.rounds}"))
        got, wrong = try_case(case)
        tally.rounds += 1
        tally.answers[got] += 1
        if wrong:
            tally.wrong.append((case, wrong))
    return tally


def keep(case: Case) -> Path:
    """As a regression: how it is loaded stands in its first line, but for the damage at hand."""
    REGRESSIONS.mkdir(parents=True, exist_ok=True)
    how = f"{'overlay' if case.overlay else 'fragment' if case.fragment else 'spec'}_{case.at or 'whole'}"
    path = REGRESSIONS / f"{how}_{hashlib.sha256(case.content).hexdigest()[:8]}.yaml"
    path.write_bytes(case.content.replace(str(ROOT).encode(), b"@ROOT@"))
    return path


def regressions() -> list[Case]:
    return [regression(path) for path in sorted(REGRESSIONS.glob("*.yaml"))]


def regression(path: Path) -> Case:
    how, at, _ = path.stem.split("_")
    content = path.read_bytes().replace(b"@ROOT@", str(ROOT).encode())
    return Case(path.name, content, None if at == "whole" else at, how == "overlay", how == "fragment")


def main() -> int:
    parser = argparse.ArgumentParser(description="The generator on damaged YAML.")
    parser.add_argument("seconds", type=float, help="how long")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="other damage; the time of day if left out")
    parser.add_argument("--count", type=int, help="so many rounds at most")
    args = parser.parse_args()
    begun = time.monotonic()
    tally = fuzz(args.seed, args.count, begun + args.seconds)
    for case, wrong in tally.wrong:
        print(f"{keep(case).relative_to(ROOT)}\n{wrong}")
    codes = {code for got in tally.answers for code in got.split() if code != "spec"}
    rate = tally.rounds / max(time.monotonic() - begun, 0.001)
    print(f"generator: seed {args.seed}, {tally.rounds} rounds ({rate:.0f} a second), {tally.answers['spec']} specs rendered, "
          f"{len(codes)} of {len(CODES)} diagnostics seen, {len(tally.wrong)} findings")
    return int(bool(tally.wrong))


if __name__ == "__main__":
    sys.exit(main())
