"""Which section of the manual is where in the spec, and which tests cover it.

From facts: tests that run with AT_COVERAGE_DIR set say themselves what they
covered (tests/covers.h), a line each: kind, name, test. Here they are held
against the spec; what no test covered is a hole.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from .build import spec_or_report
from .model import Spec, ValueTable
from .options import add_view_options

HOLE = "HOLE"
Facts = dict[tuple[str, str], list[str]]     # (kind, name) -> tests


@dataclass
class Row:
    section: str
    path: str                   # in the spec; of a section, its title
    kind: str                   # section | form | line | values | setting | example | session
    name: str
    tests: list[str] = field(default_factory=list)


def read_facts(folder: Path) -> Facts:
    facts: Facts = {}
    for path in sorted(folder.iterdir()):
        for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
            kind, name, test = (line.split("\t") + ["", ""])[:3]
            tests = facts.setdefault((kind, name), [])
            if f"{path.name}: {test}" not in tests:
                tests.append(f"{path.name}: {test}")
    return facts


def in_order(section: str) -> tuple[Any, ...]:
    """2.1.10 after 2.1.9, and this manual before the documents it refers to."""
    own = re.fullmatch(r"[0-9]+(\.[0-9]+)*", section)
    parts = [(int(n), "") if n else (0, text) for n, text in re.findall(r"([0-9]+)|([^0-9]+)", section)]
    return (0 if own else 1, [p for p in parts if p != (0, ".")])


def rows(spec: Spec) -> list[Row]:
    """One for every section, form, line, table of values, setting and example."""
    out = [Row(f.command.section, f.path, "form", f"{f.command.name}.{f.name}") for f in spec.forms]
    out += [Row(ln.section, ln.path, "line", ln.name) for ln in spec.lines]
    out += [Row(s.section, f"settings.{s.name}", "setting", s.name) for s in spec.settings]
    out += [Row(section_of(spec, t), f"values.{t.name}", "values", t.name) for t in spec.values]
    out += [Row(e.section, f"examples: {e.title}", "example", f"{e.section} {e.title}") for e in spec.examples]
    out += [Row(s, f"{by}", "session", by) for s, by in spec.covered_by.items() if by == "session"]
    out += [Row(section, title, "section", section) for section, title in spec.sections.items()]
    return sorted(out, key=lambda r: (in_order(r.section), r.kind != "section", r.path))


def section_of(spec: Spec, table: ValueTable) -> str:
    """Its own, or that of the first setting, form or line that takes values from it."""
    users: list[tuple[str, Optional[ValueTable]]] = [(s.section, s.values) for s in spec.settings]
    users += [(f.command.section, x.param.values) for f in spec.forms for x in f.syntax.fields if x.param]
    users += [(ln.section, x.param.values) for ln in spec.lines for x in ln.fields if x.param]
    return table.section or next((s for s, values in users if values is table and s), "")


def parts(spec: Spec, section: str, found: list[Row]) -> list[Row]:
    """What stands for a section: the rows that name it, or those of the path that covers it."""
    path = spec.covered_by.get(section, "")
    return [r for r in found if r.kind != "section" and (
        r.section == section or path and (r.path + ".").startswith(path + "."))]


def fill(spec: Spec, facts: Optional[Facts]) -> list[Row]:
    """The rows with their tests; without facts, a section is held against the spec alone."""
    found = rows(spec)
    for row in found:
        if facts is not None:
            row.tests = list(facts.get((row.kind, row.name), []))
    for row in found:
        if row.kind != "section":
            continue
        nodes = parts(spec, row.name, found)
        if facts is None:
            row.tests = [r.path for r in nodes]
        elif nodes:     # a test that names the section can't stand in for the spec
            row.tests += sorted({t for r in nodes for t in r.tests} - set(row.tests))
        else:
            row.tests = []
    return found


def strangers(spec: Spec, facts: Facts) -> list[str]:
    """What tests claim to cover and the spec doesn't have."""
    known = {(r.kind, r.name) for r in rows(spec)} | {("session", "session")}
    return [f"{kind} `{name}`" for kind, name in facts if (kind, name) not in known]


# Printing -----------------------------------------------------------------------

def shown(tests: list[str]) -> str:
    """One of each program's; how many more it has."""
    programs: dict[str, list[str]] = {}
    for test in tests:
        programs.setdefault(test.partition(":")[0], []).append(test)
    return ", ".join(t[0] + (f" +{len(t) - 1}" if len(t) > 1 else "") for t in programs.values()) or HOLE


def lines(table: list[list[str]], markdown: bool) -> list[str]:
    if markdown:
        cells = [[c.replace("|", "\\|") for c in row] for row in table]
        return ["| " + " | ".join(row) + " |" for row in [cells[0], ["---"] * len(cells[0])] + cells[1:]]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return ["  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in table]


def report(spec: Spec, facts: Optional[Facts], markdown: bool) -> tuple[list[str], int]:
    """The table, and how many holes are in it."""
    found = fill(spec, facts)
    if facts is None:
        held = [r for r in found if r.kind == "section"]
        table = [["Section", "Title", "Spec"]] + [[r.section, r.path, ", ".join(r.tests) or HOLE] for r in held]
    else:
        held = found
        table = [["Section", "Kind", "Spec", "Tests"]] + [[r.section, r.kind, r.path, shown(r.tests)] for r in held]
    holes = sum(not r.tests for r in held)
    return lines(table, markdown) + [""] * markdown + [f"{len(held) - holes} of {len(held)} covered"], holes


# The `coverage` command ---------------------------------------------------------

def add_coverage(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "coverage", help="show which tests cover which part of the manual",
        description="Shows for each section of the manual where it is in the spec, and with --tests "
                    "which tests cover it. A row that none covers is a HOLE, and the exit status 1.")
    parser.add_argument("spec", metavar="SPEC", help="the spec of a module")
    add_view_options(parser)
    parser.add_argument("--tests", metavar="DIR", help="what tests recorded that ran with "
                        "AT_COVERAGE_DIR=DIR")
    parser.add_argument("--format", choices=("text", "markdown"), default="text")
    parser.set_defaults(run=coverage)


def coverage(args: argparse.Namespace) -> int:
    spec = spec_or_report(args.spec, args.at, args.overlays)
    if spec is None:
        return 1
    facts = read_facts(Path(args.tests)) if args.tests else None
    for what in strangers(spec, facts or {}):
        print(f"atspec: tests cover the {what}, which {spec.name} doesn't have", file=sys.stderr)
    table, holes = report(spec, facts, args.format == "markdown")
    print("\n".join(table))
    return 1 if holes else 0
