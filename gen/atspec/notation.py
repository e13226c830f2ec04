"""The manual's notation: <name> is a parameter, [...] optional, the rest literal."""

from __future__ import annotations

import re
from typing import Callable, Optional

from .diag import Report, nearest
from .model import Field, Mark, Param, Template

_HEAD = re.compile(r'([^<\[\]",:]+:) ?')
_FIELD = re.compile(r'<(?P<name>[^<>\[\],"]*)>|"(?P<quoted>[^"<>]*)"|(?P<bare>[^<>\[\],"]+)')


class Scope:
    """The parameters a line may name: its command's, its file's, the included."""

    def __init__(self, *tables: dict[str, Param]) -> None:
        self.tables = tables

    def find(self, name: str) -> Optional[Param]:
        return next((t[name] for t in self.tables if name in t), None)

    def names(self) -> list[str]:
        return [name for t in self.tables for name in t]


class _Error(Exception):
    def __init__(self, code: str, offset: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.offset, self.hint = code, offset, hint


def parse_line(text: str, at: Callable[[int], Mark], scope: Scope, report: Report) -> Optional[Template]:
    """A line that the module sends."""
    return _guard(_line, text, at, scope, report, "")


def parse_command(text: str, at: Callable[[int], Mark], scope: Scope, report: Report,
                  command: str) -> Optional[Template]:
    """The syntax of a form of a command."""
    return _guard(_command, text, at, scope, report, command)


def _guard(parse: Callable[..., Template], text: str, at: Callable[[int], Mark], scope: Scope,
           report: Report, command: str) -> Optional[Template]:
    try:
        for i, c in enumerate(text):
            if not " " <= c <= "~":
                raise _Error("E025", i, f"character U+{ord(c):04X} in a line")
        return parse(text, at, scope, command)
    except _Error as e:
        report.add(e.code, at(e.offset), str(e), e.hint)
        return None


def _line(text: str, at: Callable[[int], Mark], scope: Scope, _: str) -> Template:
    head = _HEAD.match(text)
    if not head:
        if re.search(r"[<\[\]]", text) or text != text.strip():
            raise _Error("E027", 0, f"`{text}` has no head before its fields")
        return Template(text, text, [], at(0))
    fields = _Fields(text, head.end(), at, scope).parse()
    for f in fields:
        if f.param and f.param.kind in ("data", "hex"):
            raise _Error("E028", 0, f"<{f.name}> is of type {f.param.kind}, which a module's line can't hold",
                         "use `payload` for bytes that the module sends")
    return Template(text, head.group(1), fields, at(0))


def _command(text: str, at: Callable[[int], Mark], scope: Scope, command: str) -> Template:
    names = ["AT+" + command] + ([command] if command.startswith("AT") else [])
    m = re.match(rf"({'|'.join(map(re.escape, names))})(=\?$|\?$|=(?!\?)|$)", text)
    if not m:
        raise _Error("E026", 0, f"`{text}` isn't a syntax of {names[-1]}")
    if m.group(2) != "=":
        return Template(text, text, [], at(0))
    return Template(text, m.group(), _Fields(text, m.end(), at, scope).parse(), at(0))


class _Fields:
    """field {, field} [ '[' , field {, field} ... ']' ], nested at the end."""

    def __init__(self, text: str, start: int, at: Callable[[int], Mark], scope: Scope) -> None:
        self.text, self.pos, self.at, self.scope = text, start, at, scope
        self.depth = 0
        self.fields: list[Field] = []

    def parse(self) -> list[Field]:
        while True:
            self.field()
            c = self.text[self.pos:self.pos + 1]
            if c == "[":
                self.depth += 1
                self.pos += 1
                if self.text[self.pos:self.pos + 1] != ",":
                    raise _Error("E021", self.pos, "an optional part must begin with a comma")
            elif c != ",":
                self.end()
                self.check_last()
                return self.fields
            self.pos += 1

    def end(self) -> None:
        while self.text.startswith("]", self.pos):
            self.depth -= 1
            if self.depth < 0:
                raise _Error("E020", self.pos, "a `]` without its `[`")
            self.pos += 1
        if self.pos < len(self.text):
            if self.text[self.pos] in "[,":
                raise _Error("E021", self.pos, "text after an optional part")
            raise _Error("E022", self.pos, f"`{self.text[self.pos:]}` after a field")
        if self.depth:
            raise _Error("E020", self.pos, "a `[` without its `]`")

    def field(self) -> None:
        m = _FIELD.match(self.text, self.pos)
        if not m:
            self.no_field()
        assert m
        start, self.pos = self.pos, m.end()
        mark, name, bare = self.at(start), m.group("name"), m.group("bare")
        if name is not None:
            self.fields.append(Field(self.param(name, start), group=self.depth, mark=mark))
        else:
            literal = bare if bare is not None else m.group("quoted")
            if not literal or literal != literal.strip():
                raise _Error("E022", start, "a literal that is empty or has a space at its end")
            self.fields.append(Field(literal=literal, quoted=bare is None, group=self.depth, mark=mark))
        if self.text[self.pos:self.pos + 1] not in ("", ",", "[", "]"):
            raise _Error("E022", self.pos, f"`{self.text[self.pos:]}` after a field")

    def no_field(self) -> None:
        rest = self.text[self.pos:]
        if rest.startswith("["):
            raise _Error("E021", self.pos, "an optional part must follow a field and begin with a comma")
        if rest.startswith("<"):
            raise _Error("E020", self.pos, "a `<` without its `>`")
        if rest.startswith('"<'):
            raise _Error("E022", self.pos, "a parameter in quotes", "write <name>; its type says that it is quoted")
        raise _Error("E022", self.pos, "a field is missing" if not rest or rest[0] in ",]" else f"`{rest}` isn't a field")

    def param(self, name: str, start: int) -> Param:
        if not name:
            raise _Error("E022", start, "a parameter without a name")
        if any(f.name == name for f in self.fields):
            raise _Error("E024", start, f"<{name}> stands in the line already")
        param = self.scope.find(name)
        if not param:
            raise _Error("E023", start, f"unknown parameter <{name}>", nearest(name, self.scope.names()))
        return param

    def check_last(self) -> None:
        for f in self.fields[:-1]:
            if f.param and (f.param.rest or f.param.kind in ("data", "hex")):
                raise _Error("E028", 0, f"<{f.name}> runs to the end of the line but isn't its last field")
