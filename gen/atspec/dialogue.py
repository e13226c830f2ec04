"""Plays the examples of a spec and reports where they break its rules."""

from __future__ import annotations

from typing import Optional, Union

from .diag import Report
from .model import Condition, Data, Effect, Example, Form, Line, Mark, Setting, Spec, Step, Variant
from .tokens import Match, match_form, match_line

BY_BYTE = {26: "ctrl-z", 27: "esc"}


class Dialogue:
    def __init__(self, spec: Spec, example: Example, report: Report) -> None:
        self.spec, self.example, self.report = spec, example, report
        self.lines = {ln.name: ln for ln in spec.lines}
        self.forms = {f"{f.command.name}.{f.name}": f for f in spec.forms}
        self.state: dict[str, int] = dict(example.settings)
        self.form: Optional[Form] = None        # the pending one
        self.request: Match = {}
        self.counts: dict[str, int] = {}
        self.prompted = False

    def run(self) -> None:
        for step in self.example.steps:
            self.step(step)

    def step(self, step: Step) -> None:
        assert step.mark
        {"host": self.host, "module": self.module, "prompt": self.prompt,
         "data": self.data}[step.kind](step, step.mark)

    def error(self, code: str, mark: Mark, message: str) -> None:
        self.report.add(code, mark, message)

    # --- settings ---

    def setting(self, setting: Setting, key: Optional[str], fields: Match) -> int:
        name = f"{setting.name}[{fields.get(key)}]" if key else setting.name
        return self.state.get(name, setting.default)

    def holds(self, condition: Condition, fields: Match) -> bool:
        return self.setting(condition.setting, condition.key, fields) == condition.value

    def apply(self, effects: list[Effect], fields: Match) -> None:
        for e in effects:
            value = fields.get(e.field)
            if isinstance(value, int):
                self.state[f"{e.setting.name}[{fields.get(e.key)}]" if e.key else e.setting.name] = value

    def wire_length(self, length: int, format: Union[Setting, str]) -> int:
        """How many characters stand for so many bytes."""
        is_hex = self.setting(format, None, {}) == 1 if isinstance(format, Setting) else format == "hex"
        return 2 * length if is_hex else length

    # --- steps ---

    def compare(self, step: Step, fields: Match) -> None:
        place = step.marks.get("", step.mark)
        assert place
        for name, value in step.fields.items():
            mark = step.marks.get(name, place)
            if name not in fields:
                self.error("E084", mark, f"`{step.text}` has no <{name}>")
            elif fields[name] != value or type(fields[name]) is not type(value):
                self.error("E084", mark, f"<{name}> is {fields[name]!r} in `{step.text}`, not {value!r}")
        for name in fields:
            if name not in step.fields:
                self.error("E084", place, f"the value of <{name}> isn't given")

    def host(self, step: Step, mark: Mark) -> None:
        self.form, self.counts, self.prompted = None, {}, False
        fitting = {name: m for name, f in self.forms.items() if (m := match_form(step.text, f)) is not None}
        if step.refused:
            for name in fitting:
                self.error("E082", mark, f"`{step.text}` is a {name}, so it isn't refused")
            return
        name = step.name or next(iter(fitting), "")
        if name not in fitting:
            what = f"isn't a {name}" if name else "fits no form"
            also = f"; it is a {next(iter(fitting))}" if fitting else ""
            self.error("E082", mark, f"`{step.text}` {what}{also}")
            return
        self.form, self.request = self.forms[name], fitting[name]
        if step.name:
            self.compare(step, self.request)
        data = self.form.data
        if data and data.source != "prompt":
            self.data_length(data, str(self.request.get(data.source, "")), mark)

    def data_length(self, data: Data, text: str, mark: Mark) -> None:
        length = self.request.get(data.length)
        if isinstance(length, int) and len(text) != self.wire_length(length, data.format):
            self.error("E085", mark, f"{len(text)} characters of data, but <{data.length}> is {length}")

    def module(self, step: Step, mark: Mark) -> None:
        found = self.meaning(step)
        if not found:
            what = f"isn't a line `{step.name}`" if step.name else "fits no line of the spec"
            self.error("E083", mark, f"`{step.text}` {what}")
            return
        line, variant, fields = found
        if step.name:
            self.compare(step, fields)
        if line.kind in ("response", "test"):
            self.count(line, mark)
        self.framing(step, line, variant, fields, mark)
        self.apply(line.sets, fields)
        if line.outcome == "ok":
            self.acknowledged(mark)

    def meaning(self, step: Step) -> Optional[tuple[Line, Variant, Match]]:
        lines = [self.lines[step.name]] if step.name else self.spec.lines
        for line in lines:
            for variant in line.variants:
                fields = match_line(step.text, line, variant)
                if fields is not None:
                    return line, variant, fields
        return None

    def count(self, line: Line, mark: Mark) -> None:
        most = next((m for ln, _, m in self.form.response if ln is line), 0) if self.form else 0
        self.counts[line.name] = self.counts.get(line.name, 0) + 1
        if self.counts[line.name] > most:
            self.error("E085", mark, f"{most or 'no'} `{line.name}` can come here")

    def acknowledged(self, mark: Mark) -> None:
        if not self.form:
            return
        for line, least, _ in self.form.response:
            if self.counts.get(line.name, 0) < least:
                self.error("E085", mark, f"OK without a `{line.name}`")
        self.apply(self.form.sets, self.request)

    def framing(self, step: Step, line: Line, variant: Variant, fields: Match, mark: Mark) -> None:
        for f in variant.template.fields:
            if f.shown and self.holds(f.shown, fields) != (f.name in fields):
                self.error("E085", mark, f"<{f.name}> is there exactly when {f.shown.setting.name} is {f.shown.value}")
        p = line.payload
        length = fields.get(p.length) if p and variant is line.variants[0] else None
        expected = p and isinstance(length, int) and (not p.when or self.holds(p.when, fields))
        if not expected:
            if step.payload is not None:
                self.error("E085", mark, "no payload can come here")
            return
        assert p and isinstance(length, int)
        wanted = self.wire_length(length, p.format)
        if step.payload is None or len(step.payload.encode()) != wanted:
            self.error("E085", mark, f"a payload of {wanted} characters must follow")

    def prompt(self, step: Step, mark: Mark) -> None:
        if not self.form or not self.form.data or self.form.data.source != "prompt":
            self.error("E085", mark, "no form that prompts is pending")
            return
        self.prompted = True

    def data(self, step: Step, mark: Mark) -> None:
        data = self.form.data if self.form and self.prompted else None
        if not data:
            self.error("E085", mark, "data without a prompt")
            return
        if data.length and step.end is None:
            self.data_length(data, step.text, mark)
        elif step.end is None or step.end not in (data.until, data.cancel):
            ends = [BY_BYTE[b] for b in (data.until, data.cancel) if b is not None]
            self.error("E085", mark, f"these data end by {' or '.join(ends) or 'their length'}")
