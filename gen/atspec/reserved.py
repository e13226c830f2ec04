"""What was deleted stays deleted: the paths under `reserved`, and what has a path."""

from __future__ import annotations

import re
from typing import Iterator, Optional

from .diag import Report, nearest
from .model import Form, Mark, Spec

ROOTS = ("commands", "finals", "settings", "urcs", "values")
# Two spellings of one place: a form of these names may stand under `forms` as well as
# by itself, and a value goes by its table without the `entries` between.
_SHORT_FORM = re.compile(r"^(commands\.[^.]+)\.forms\.(test|read|execute|set)(?=\.|$)")
_VALUE = re.compile(r"^(values\.\w+)\.(?!entries(\.|$))")


def canonical(path: str) -> str:
    return _VALUE.sub(r"\1.entries.", _SHORT_FORM.sub(r"\1.\2", path))


def form_path(form: Form) -> str:
    return canonical(form.path)


def paths(spec: Spec) -> dict[str, Optional[Mark]]:
    """Everything that has a name of its own: commands, forms, lines and their fields, values, settings."""
    return dict(_named(spec))


def _named(spec: Spec) -> Iterator[tuple[str, Optional[Mark]]]:
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
        yield from ((f"values.{table.name}.entries.{v.key}", v.mark) for v in table.entries)
    for setting in spec.settings:
        yield f"settings.{setting.name}", setting.mark


def check_reserved(spec: Spec, report: Report) -> None:
    """Nothing stands at a reserved path, and the path leads to where something was."""
    known = paths(spec)
    owners = [*known, *(r.path for r in spec.reserved)]
    for r in spec.reserved:
        assert r.mark
        root, _, rest = r.path.partition(".")
        owner, there = f"{root}.{rest.partition('.')[0]}", known.get(r.path)
        if there:
            report.add("E048", r.mark, f"`{r.path}` is reserved, but stands in {there.file}:{there.line}: {r.because}")
        elif root not in ROOTS or not rest:
            report.add("E049", r.mark, f"`{r.path}` can't be the path of anything", nearest(root, ROOTS))
        elif root in ("commands", "values") and owner not in owners:
            report.add("E049", r.mark, f"there is no `{owner}` for `{r.path}` to be in, nor is it reserved",
                       nearest(owner, owners))
