"""Proofs about a spec that was built without errors."""

from __future__ import annotations

from itertools import combinations
from typing import Iterator, Optional

from .deleted import check_names
from .dialogue import Dialogue
from .diag import Report, nearest
from .model import Form, Line, Mark, Rule, Spec, Variant
from .reserved import check_reserved
from .tokens import Shape, common_text, form_shapes, line_shapes, match_line, shortest


def check(spec: Spec, report: Report) -> None:
    _finals(spec, report)
    _forms(spec, report)
    _coverage(spec, report)
    _look_alikes(spec, report)
    _inline_payloads(spec, report)
    if not spec.view:       # what a view lacks isn't gone
        check_reserved(spec, report)
        check_names(spec, report)
    _Ambiguity(spec, report).run()
    for example in spec.examples:
        Dialogue(spec, example, report).run()


def _finals(spec: Spec, report: Report) -> None:
    for outcome in ("ok", "error"):
        if spec.module and not any(f.outcome == outcome for f in spec.finals):
            report.add("E064", spec.marks["module"], f"no final has the outcome {outcome}")


def _forms(spec: Spec, report: Report) -> None:
    if spec.module and not spec.forms:
        report.add("E011", spec.marks["module"], "no command has a form, such as `set` or `read`")


def _coverage(spec: Spec, report: Report) -> None:
    """Nothing unmentioned: every section of the manual is somewhere in the spec."""
    covered = {*(c.section for c in spec.commands), *(ln.section for ln in spec.lines), *(s.section for s in spec.settings),
               *(t.section for t in spec.values), *(e.section for e in spec.examples), *spec.covered_by}
    for section, title in spec.sections.items():
        if section not in covered:
            report.add("E080", spec.marks[f"sections.{section}"], f"nothing covers section {section}, {title}")


def _look_alikes(spec: Spec, report: Report) -> None:
    texts = [(v.template.text, v.template.mark) for ln in spec.lines for v in ln.variants]
    for text, mark in texts + [(t, spec.marks[f"reboot.{t}"]) for t in spec.reboot]:
        if text.startswith((">", "AT")):
            what = "the prompt" if text.startswith(">") else "an echoed command"
            report.add("E074", mark, f"`{text}` begins like {what}")
    for text in spec.reboot:
        for line in spec.lines:
            if any(match_line(text, line, v) is not None for v in line.variants):
                report.add("E070", spec.marks[f"reboot.{text}"],
                           f"'{text}' tells of a restart, but can be {line.name} ({_place(line.mark)}) too",
                           "name a line that means nothing else")


def _inline_payloads(spec: Spec, report: Report) -> None:
    """After a length and a comma, is it a field or the payload?"""
    for line in spec.lines:
        p = line.payload
        if not p or not p.inline:
            continue
        fields = line.variants[0].template.fields
        group = next(f.group for f in fields if f.name == p.length)
        for f in fields:
            if f.group > group and not f.shown:
                report.add("E073", f.mark or line.variants[0].template.mark,
                           f"nothing tells <{f.name}> from the start of a payload")
        if line.extra_fields:
            report.add("E073", line.variants[0].template.mark, "nothing tells extra fields from the start of a payload",
                       "an inline payload and `extra_fields` exclude each other")


def _place(mark: Optional[Mark]) -> str:
    return f"{mark.file}:{mark.line}" if mark else "?"


class _Ambiguity:
    """Law 7: no two lines that can be live at once share a text, nor two forms."""

    def __init__(self, spec: Spec, report: Report) -> None:
        self.spec, self.report = spec, report
        self.rules = [r for c in spec.commands for r in c.rules] + spec.rules
        self.deciding: set[int] = set()     # rules that did, by id

    def run(self) -> None:
        for a, b in self.line_pairs():
            self.compare_lines(a, b)
        for f, g in self.form_pairs():
            self.compare_forms(f, g)
        known = {n for ln in self.spec.lines for v in ln.variants for n in (ln.name, v.template.text)}
        known |= {self.form_name(f) for f in self.spec.forms}
        for rule in self.rules:
            if id(rule) not in self.deciding and rule.mark:
                hints = [nearest(n, known) for n in (rule.choose, rule.over) if n not in known]
                self.report.add("E072", rule.mark, f"no text left to decide between `{rule.choose}` and `{rule.over}`",
                                hints[0] if hints else "")

    def line_pairs(self) -> Iterator[tuple[Line, Line]]:
        """Lines that have a head in common, each with itself too, for its variants.

        All can be live at once: the stream tells lines apart by themselves, and
        doesn't know which command is pending.
        """
        by_head: dict[str, list[Line]] = {}
        seen: set[tuple[int, int]] = set()
        for line in self.spec.lines:
            for head in sorted(_heads(line)):
                for other in by_head.setdefault(head, []) + [line]:
                    if (id(other), id(line)) not in seen:
                        seen.add((id(other), id(line)))
                        yield other, line
                by_head[head].append(line)

    def form_pairs(self) -> Iterator[tuple[Form, Form]]:
        by_head: dict[str, list[Form]] = {}
        for form in self.spec.forms:
            for other in by_head.setdefault(form.syntax.head, []):
                yield other, form
            by_head[form.syntax.head].append(form)

    def compare_lines(self, a: Line, b: Line) -> None:
        if a is b:
            pairs = [(v, w) for v, w in combinations(a.variants, 2)] if a.kind != "test" else []
        else:
            pairs = [(v, w) for v in a.variants for w in b.variants]
        found = []
        for v, w in pairs:
            text = _shared(line_shapes(a, v), line_shapes(b, w))
            if text is None or self.decided({a.name, v.template.text}, {b.name, w.template.text}):
                continue
            found.append((len(text), text, v, w))
        if found:       # one finding for two lines, with the shortest witness
            _, text, v, w = min(found, key=lambda f: f[:2])
            self.ambiguous("E070", text, self.line_name(a, b, v), v.template.mark,
                           self.line_name(b, a, w), w.template.mark)

    @staticmethod
    def line_name(line: Line, other: Line, variant: Variant) -> str:
        return f"'{variant.template.text}'" if line is other else line.name

    @staticmethod
    def form_name(form: Form) -> str:
        return f"{form.command.name}.{form.name}"

    def compare_forms(self, f: Form, g: Form) -> None:
        text = _shared(form_shapes(f), form_shapes(g))
        if text is not None and not self.decided({self.form_name(f)}, {self.form_name(g)}):
            self.ambiguous("E071", text, self.form_name(f), f.syntax.mark, self.form_name(g), g.syntax.mark)

    def ambiguous(self, code: str, text: str, a: str, a_mark: Mark, b: str, b_mark: Mark) -> None:
        if a_mark.file == b_mark.file and a_mark.line > b_mark.line:
            a, a_mark, b, b_mark = b, b_mark, a, a_mark     # point to the later one
        self.report.add(code, b_mark, f"'{text}' can be both {a} ({_place(a_mark)}) and {b} ({_place(b_mark)})",
                        "decide under `rules:` of the command, or of the spec where it's about two commands or URCs: "
                        f"- {{choose: {a}, over: {b}, because: ...}}")

    def decided(self, a: set[str], b: set[str]) -> bool:
        for rule in self.rules:
            if _decides(rule, a, b) or _decides(rule, b, a):
                self.deciding.add(id(rule))
                return True
        return False


def _heads(line: Line) -> set[str]:
    return {v.template.head for v in line.variants}


def _decides(rule: Rule, chosen: set[str], other: set[str]) -> bool:
    return rule.choose != rule.over and rule.choose in chosen and rule.over in other


def _shared(these: list[Shape], those: list[Shape]) -> Optional[str]:
    """The shortest text that both have, or None."""
    return shortest(t for a in these for b in those if (t := common_text(a, b)) is not None)
