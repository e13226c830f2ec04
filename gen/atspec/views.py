"""What revisions and firmware have otherwise, for the module's side: each a grammar
over the forms of the whole spec, so that one program can be any of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional

from .availability import NUMBERS, numbers_of
from .lower import CommandHead, FormView, Lowering, ParamView, c_string, command_heads, lower_param, number
from .model import Field, Form, Spec


@dataclass
class Limit:
    """A form that takes less, or other values, than in the whole spec."""

    form: FormView
    nfields: int
    params: list[Optional[dict[str, Any]]]      # by field; None: as in the whole spec

    @property
    def own(self) -> bool:
        return any(self.params)


@dataclass
class GrammarView:
    ident: str
    heads: list[CommandHead]
    lines: dict[str, list[str]]                 # test answers that differ, by the form's ident
    test_lines: dict[str, str]                  # C name of the test answer, by the form's id
    limits: list[Limit] = field(default_factory=list)


@dataclass
class ViewOf:
    name: str
    series: int
    numbers: list[int]
    grammar: str                # "": that of the whole spec


@dataclass
class Views:
    views: list[ViewOf] = field(default_factory=list)
    grammars: list[GrammarView] = field(default_factory=list)


def views(low: Lowering, specs: Mapping[str, Spec]) -> Views:
    """`specs`: the spec of `low` narrowed to each view of it."""
    out = Views()
    known: dict[str, str] = {repr(content(low, low.spec)): ""}
    for name, spec in specs.items():
        ident = known.setdefault(repr(content(low, spec)), f"view_{len(known)}")
        if ident and all(g.ident != ident for g in out.grammars):
            out.grammars.append(grammar(ident, low, spec))
        out.views.append(ViewOf(name, *order(low.spec, name), ident))
    rank = {id(v): (v.series, v.numbers if v.series else []) for v in out.views}
    out.views.sort(key=lambda v: rank[id(v)])
    return out


def order(spec: Spec, name: str) -> tuple[int, list[int]]:
    """The series of a firmware and its numbers; a revision has neither."""
    if name in spec.revisions:
        return 0, [0]
    series, found = next((i, n) for i, s in enumerate(spec.series, 1) for n in [numbers_of(s.pattern, name)] if n)
    return series, [min(n, 0xFFFF) for n in found] + [0] * (NUMBERS - len(found))


def content(low: Lowering, spec: Spec) -> list[Any]:
    """All that a module's side can show of a view."""
    paths = {v.form.path for v in low.forms}
    return [(f.path, f.test_lines, [shape(field) for field in f.syntax.fields]) for f in spec.forms if f.path in paths]


def shape(f: Field) -> Any:
    return (f.literal, f.quoted, f.group, table_of(lower_param(f.param, True), f) if f.param else None)


def table_of(view: ParamView, f: Field) -> dict[str, Any]:
    """A parameter as C has it, with the strings that it may be."""
    strings = [str(v.key) for v in f.param.values.entries] if view.values and f.param and f.param.values else []
    limits = f.limits or (view.minimum, view.maximum)
    return {"name": c_string(view.name), "type": view.type, "flags": view.flags + (" | AT_STRICT" if f.limits else ""),
            "min": limits[0], "max": limits[1], "supported": number(view.supported),
            "strings": [c_string(s) for s in strings]}


def grammar(ident: str, low: Lowering, spec: Spec) -> GrammarView:
    forms = {f.path: f for f in spec.forms}
    heads = command_heads(low.forms)
    out = GrammarView(ident, heads, {}, {})
    first = 0
    for head in heads:
        head.forms = [v for v in head.forms if v.form.path in forms]
        head.first, first = first, first + len(head.forms)
    for v in low.forms:
        form = forms.get(v.form.path)
        if form is None or not form.test_lines:
            continue
        out.test_lines[v.id] = f"form_{v.ident}_lines"
        if form.test_lines != v.form.test_lines:
            out.lines[v.ident] = form.test_lines
            out.test_lines[v.id] = f"{ident}_{v.ident}_lines"
    out.limits = [made for v in low.forms if v.form.path in forms for made in [limit(v, forms[v.form.path])] if made]
    return out


def limit(whole: FormView, form: Form) -> Optional[Limit]:
    params: list[Optional[dict[str, Any]]] = []
    for mine, own in zip(whole.form.syntax.fields, form.syntax.fields):
        has = [table_of(lower_param(f.param, True), f) if f.param else None for f in (mine, own)]
        params.append(has[1] if has[0] != has[1] else None)
    fewer = len(form.syntax.fields) < len(whole.form.syntax.fields)
    return Limit(whole, len(form.syntax.fields), params) if fewer or any(params) else None
