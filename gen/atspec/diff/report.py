"""A comparison for people (text), for a changelog (Markdown) and for programs (JSON)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from ..diag import visible
from ..rich import markdown_code, markdown_text, one_line
from .accepted import Entry
from .compare import Finding
from .rules import RULES, SEVERITIES
from .sides import Side

_COLOURS = {"breaking": "1;31", "risky": "1;33", "safe": "32", "doc": "2"}


@dataclass
class Result:
    old: Side
    new: Side
    findings: list[Finding]
    accepted: dict[int, Entry] = field(default_factory=dict)    # by id of the finding
    stale: list[Entry] = field(default_factory=list)

    @property
    def open(self) -> list[Finding]:
        return [f for f in self.findings if id(f) not in self.accepted]

    def counts(self) -> dict[str, int]:
        return {s: sum(f.rule.severity == s for f in self.open) for s in SEVERITIES}


def rules(as_markdown: bool) -> list[str]:
    """The list of the rules."""
    if as_markdown:
        return ["| Rule | Name | Category | Severity | Reported when |", "|---|---|---|---|---|"] + [
            f"| {r.id} | {r.name} | {r.category} | {r.severity} | {r.meaning} |" for r in RULES.values()]
    return [f"{r.id}  {r.category:7}  {r.severity:8}  {r.name}: {r.meaning}" for r in RULES.values()]


# Text -------------------------------------------------------------------------------

def text(result: Result, colour: bool) -> str:
    def painted(words: str, how: str) -> str:
        return f"\033[{how}m{words}\033[0m" if colour else words

    out = [visible(f"{result.old.given} -> {result.new.given}")]
    for severity in SEVERITIES:
        found = [f for f in result.open if f.rule.severity == severity]
        if found:
            out += ["", painted(f"{severity} ({len(found)})", _COLOURS[severity])]
        for f in found:
            out.append(f"  {painted(f.rule.id, _COLOURS[severity])} {f.rule.name}  {visible(f.path)}  {f.rule.category}")
            below = [f.message, f"-> {f.action}" if f.action else "", places(result, f),
                     f"in {', '.join(f.uses)}" if len(f.uses) > 1 else ""]
            out += [f"    {visible(words)}" for words in below if words]
    accepted = [f for f in result.findings if id(f) in result.accepted]
    if accepted:
        out += ["", f"accepted ({len(accepted)})"]
        out += [visible(f"  {f.rule.id} {f.rule.name}  {f.path}: {said(result.accepted[id(f)])}") for f in accepted]
    return "\n".join(out + ["", summary(result)])


def places(result: Result, f: Finding) -> str:
    old, new = result.old.place(f.old), result.new.place(f.new)
    return " -> ".join(filter(None, (old, new)))


def said(entry: Entry) -> str:
    return entry.because + "".join(f", {t}" for t in (entry.by, entry.date) if t)


def summary(result: Result) -> str:
    if not result.findings:
        return "no changes"
    counts = ", ".join(f"{n} {severity}" for severity, n in result.counts().items() if n)
    accepted = len(result.findings) - len(result.open)
    return (counts or "nothing new") + (f"; {accepted} accepted" if accepted else "")


# Markdown ---------------------------------------------------------------------------

def markdown(result: Result) -> str:
    out = [f"## {escaped(result.new.given)}", "", f"Changes since {escaped(result.old.given)}: {summary(result)}."]
    groups: dict[str, list[Finding]] = {}
    for f in result.findings:
        groups.setdefault(f.group, []).append(f)
    for group in sorted(groups, key=lambda g: (not g.startswith("AT"), g)):
        out += ["", f"### {escaped(group)}", "", "| Change | What to do | Severity | Rule |", "|---|---|---|---|"]
        for f in groups[group]:
            entry = result.accepted.get(id(f))
            severity = f"{f.rule.severity}, accepted: {said(entry)}" if entry else f.rule.severity
            path = markdown_code(visible(one_line(f.path)), cell=True)
            out.append(f"| {escaped(f.message)} | {escaped(f.action)} | {escaped(severity)} | {f.rule.id} {path} |")
    return "\n".join(out)


def escaped(text: str) -> str:
    """Neither markup nor the end of a cell or a line."""
    return markdown_text(visible(one_line(text)))


# JSON -------------------------------------------------------------------------------

def as_json(result: Result) -> str:
    return json.dumps({
        "old": result.old.given, "new": result.new.given, "counts": result.counts(),
        "changes": [change(result, f) for f in result.findings],
        "stale": [{"rule": e.rule, "path": e.path, "place": f"{e.mark.file}:{e.mark.line}"} for e in result.stale],
    }, indent=2, ensure_ascii=False)


def change(result: Result, f: Finding) -> dict[str, Any]:
    entry = result.accepted.get(id(f))
    return {
        "rule": f.rule.id, "name": f.rule.name, "category": f.rule.category, "severity": f.rule.severity,
        "path": f.path, "group": f.group, "old": result.old.place(f.old) or None, "new": result.new.place(f.new) or None,
        "before": f.before, "after": f.after, "message": f.message, "action": f.action, "c": f.c, "uses": f.uses,
        "views": f.views,
        "accepted": {"because": entry.because, "date": entry.date, "by": entry.by} if entry else None}
