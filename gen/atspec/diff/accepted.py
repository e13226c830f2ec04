"""Changes that people have accepted: a file that doubles as a log.

    accepted:
      - {rule: S113, path: commands.QISWTMD.read, because: nobody called it, date: '2024-05-06'}
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable, Optional

import jsonschema

from ..diag import Diagnostic, Report
from ..load import compose, validate
from ..model import Mark
from .compare import Finding
from .rules import RULES

_TEXT = {"type": "string", "pattern": r"\S"}
SCHEMA: dict[str, Any] = {
    "type": "object", "required": ["accepted"], "additionalProperties": False,
    "properties": {"accepted": {"type": "array", "items": {
        "type": "object", "required": ["rule", "path", "because"], "additionalProperties": False,
        "properties": {
            "rule": {"enum": list(RULES), "description": "Id of the rule."},
            "path": {**_TEXT, "description": "Path of the finding."},
            "because": {**_TEXT, "description": "Why the change is all right; it may not be empty."},
            "to": {**_TEXT, "description": "What it was accepted to become; anything else isn't accepted."},
            "date": {**_TEXT, "description": "When, as a text in quotes."},
            "by": {**_TEXT, "description": "Who accepted it."}}}}}}
_VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


@dataclass
class Entry:
    rule: str
    path: str
    because: str
    to: str
    date: str
    by: str
    mark: Mark

    def covers(self, finding: Finding) -> bool:
        return (self.rule, self.path) == (finding.rule.id, finding.path) and self.to in ("", finding.after)


def read_accepted(path: str) -> tuple[Optional[list[Entry]], list[Diagnostic]]:
    """The entries, or None with what is wrong. Raises OSError if the file can't be read."""
    report = Report()
    root = compose(path, Path(path).read_bytes(), report)
    if root:
        validate(root, _VALIDATOR, report)
    if report.failed or root is None:
        return None, report.diagnostics()
    return [Entry(n.text("rule"), n.text("path"), n.text("because"), n.text("to"), n.text("date"), n.text("by"), n.mark)
            for n in root.list("accepted")], []


def accept(findings: Iterable[Finding], entries: list[Entry]) -> tuple[dict[int, Entry], list[Entry]]:
    """Which findings are accepted, by id; and the entries that match none."""
    by_finding = {id(f): e for f in findings for e in entries if e.covers(f)}
    used = {id(e) for e in by_finding.values()}
    return by_finding, [e for e in entries if id(e) not in used]
