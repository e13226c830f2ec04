"""A part of a spec: some commands, and what the client needs to start up."""

from __future__ import annotations

from dataclasses import replace

from .lower import LowerError
from .model import Command, Form, Spec


def needed_forms(spec: Spec) -> list[Form]:
    """Start-up, settings and barriers: the client sends them by itself."""
    forms = spec.start + spec.barrier + [s.read_by for s in spec.settings if s.read_by]
    return forms + ([spec.wake] if spec.wake else [])


def select_commands(spec: Spec, names: list[str]) -> Spec:
    known = {c.name for c in spec.commands}
    for name in names:
        gone = spec.view.why_gone(f"commands.{name}") if spec.view else ""
        if gone and spec.view:
            raise LowerError(None, f"{name} {gone}, and isn't in {spec.view.name}")
        if name not in known:
            raise LowerError(None, f"no command `{name}`; there are {', '.join(sorted(known))}")
    needed = needed_forms(spec)
    kept = []
    for command in spec.commands:
        if command.name in names:
            kept.append(command)
        else:
            forms = [f for f in command.forms if any(f is n for n in needed)]
            if forms:
                kept.append(part_of(command, forms))
    return replace(spec, commands=kept, only=names)


def part_of(command: Command, forms: list[Form]) -> Command:
    """The command with these forms alone. They still belong to the original."""
    used = {id(line) for f in forms for line, _, _ in f.response}
    used |= {id(c.line) for f in forms for c in f.then}
    return replace(command, forms=forms, lines=[ln for ln in command.lines if id(ln) in used])
