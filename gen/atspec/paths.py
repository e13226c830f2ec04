"""Stable paths: what a node is called in findings, wherever it stands in a file."""

from __future__ import annotations

import re
from typing import Iterator, Optional

from .model import Form, Mark, Spec

ROOTS = ("commands", "finals", "settings", "urcs", "values")
# A form of these names may stand under `forms` as well as by itself.
_SHORT = re.compile(r"^(commands\.[^.]+)\.forms\.(test|read|execute|set)(?=\.|$)")


def canonical(path: str) -> str:
    return _SHORT.sub(r"\1.\2", path)


def form_path(form: Form) -> str:
    return canonical(form.path)


def paths(spec: Spec) -> dict[str, Optional[Mark]]:
    """Everything that has a name of its own: commands, forms, lines and their fields, values, settings."""
    return dict(_nodes(spec))


def _nodes(spec: Spec) -> Iterator[tuple[str, Optional[Mark]]]:
    for command in spec.commands:
        yield f"commands.{command.name}", command.mark
    for form in spec.forms:
        yield form_path(form), form.mark
        yield from ((f"{form_path(form)}.{f.name}", f.mark) for f in form.syntax.fields if f.param)
    for line in (ln for ln in spec.lines if ln.kind != "test"):
        yield line.path, line.mark
        yield from ((f"{line.path}.{f.name}", f.mark) for f in line.fields)
    for table in spec.values:
        yield f"values.{table.name}", table.mark
        yield from ((f"values.{table.name}.{v.key}", v.mark) for v in table.entries)
    for setting in spec.settings:
        yield f"settings.{setting.name}", setting.mark
