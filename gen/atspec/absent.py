"""What a view's header says of the things that the view doesn't have: their use
is an error that names the change."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Iterable, Optional

from .lower import FormView, Lowering, Member, StructView, c_string, lower_table
from .model import Command, Field, Line, Spec, View


@dataclass
class Name:
    """An enumerator or a function, and why it isn't there."""

    text: str
    why: str


@dataclass
class Absent:
    name: str = ""                                          # of the view
    enumerators: list[Name] = field(default_factory=list)
    structs: list[tuple[StructView, str]] = field(default_factory=list)
    forms: list[tuple[FormView, str]] = field(default_factory=list)
    functions: list[Name] = field(default_factory=list)     # other than the forms'
    members: dict[str, list[Member]] = field(default_factory=dict)      # of structs that are there

    def loose(self, signature: str) -> str:
        """With pointers to anything in place of pointers to structs that aren't there."""
        gone = {s.name for s, _ in self.structs}
        return re.sub(r"struct (\w+) \*", lambda m: "void *" if m.group(1) in gone else m.group(), signature)


def absent(spec: Spec, low: Lowering) -> Absent:
    view = spec.view
    return _Absent(view, spec, low).collect() if view and view.gone else Absent()


class _Absent:
    def __init__(self, view: View, spec: Spec, low: Lowering) -> None:
        self.view, self.spec, self.low = view, spec, low
        self.full = Lowering(view.everything)
        self.out = Absent(view.name)

    def why(self, path: str, what: str) -> str:
        """The text of the error, as a C string; '' if the view has it."""
        gone = self.view.why_gone(path)
        text = f"{what} {gone}; this was generated for {self.view.name}"
        return c_string(" ".join(text.split())) if gone else ""

    def collect(self) -> Absent:
        self.tables()
        self.settings()
        for line in self.full.spec.lines:
            if self.wanted(line.command):
                self.line(line)
        for form in filter(lambda f: self.wanted(f.command), self.full.forms):
            why = self.why(form.form.path, form.form.syntax.text)
            if why:
                self.out.forms.append((form, why))
                self.out.enumerators.append(Name(form.id, why))
                if form.struct:
                    doc = f"/** {form.form.syntax.text} */"
                    self.out.structs.append((StructView(form.struct, doc, form.members), why))
            elif form.struct:
                self.member(form.struct, self.full.form_fields(form.form), form.members, form.form.path)
        return self.out

    def wanted(self, command: Optional[Command]) -> bool:
        """Whether the program is to have the command, where it has only some."""
        return command is None or self.spec.only is None or command.name in self.spec.only

    def tables(self) -> None:
        for table in self.full.spec.values:
            lowered = lower_table(table, self.full.prefix)
            for value, entry in zip(table.entries, lowered.entries):
                why = self.why(f"values.{table.name}.entries.{value.key}", f"{table.name} {value.key}, {value.text},")
                if why:
                    self.out.enumerators.append(Name(entry["enum"], why))
            why = self.why(f"values.{table.name}", table.name)
            if why:
                self.out.functions.append(Name(f"const char *{lowered.name}_text(int32_t value)", why))
                if lowered.strings:
                    self.out.functions.append(Name(f"int32_t {lowered.name}_of(struct at_str text)", why))

    def settings(self) -> None:
        for setting in self.full.spec.settings:
            why = self.why(f"settings.{setting.name}", setting.name)
            if why:
                self.out.enumerators.append(Name(self.full.slot(setting), why))

    def line(self, line: Line) -> None:
        why = self.why(line.path, line.variants[0].template.text)
        struct = next((s for s in self.full.structs if s.name == self.full.struct_name(line)), None)
        if why:
            self.out.enumerators.append(Name(self.full.line_id(line), why))
        if why and struct:
            self.out.structs.append((struct, why))
            self.out.functions.append(Name(
                f"int {struct.name}_decode(const struct at_line *line, struct {struct.name} *out)", why))
        elif struct:
            self.member(struct.name, line.fields, struct.members, line.path)

    def member(self, struct: str, fields: Iterable[Field], members: list[Member], path: str) -> None:
        """Members whose parameter the view doesn't have, of a struct that it has."""
        for f in fields:
            why = self.why(f.param.path, f"<{f.name}>") if f.param and f.param.path else ""
            if why and f.param:
                found = next(m for m in members if m.name == f.param.c_name)
                self.out.members.setdefault(struct, []).append(
                    Member(found.type, found.name, found.doc, found.optional, why))
