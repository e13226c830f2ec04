"""What was deleted, as it was called in C: the names under `reserved`. The header declares
them so that their use is an error that says why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator

from .absent import Absent, Name
from .diag import Report
from .lower import Lowering, LowerError, Member, c_string, lower_table
from .model import Spec

Identifier = tuple[str, str]     # what it is (enumerator, struct, enum, member or a function) and its name
# Functions, whatever was asked of them: all of a form's begin with a pointer.
FUNCTIONS = {"call": "int {}(const volatile void *at_gone, ...)",
             "decode": "int {}(const struct at_line *line, void *out)",
             "text": "const char *{}(int32_t value)",
             "of": "int32_t {}(struct at_str text)"}


@dataclass
class Deleted:
    enumerators: list[Name] = field(default_factory=list)
    functions: list[Name] = field(default_factory=list)     # with what they take
    structs: list[Name] = field(default_factory=list)
    enums: list[Name] = field(default_factory=list)


def identifiers(name: str, prefix: str) -> Iterator[Identifier]:
    """All that goes by one name of `reserved`: a function has twins, a struct a decoder."""
    upper = prefix.upper()
    kind, _, rest = name.rpartition(" ")
    if name.endswith("()"):
        own = f"{prefix}_{name[:-2]}"
        yield from (("call", own), ("call", own + "_start"), ("call", own + "_encode"), ("struct", own))
        yield "enumerator", f"{upper}_FORM_{name[:-2].upper()}"
    elif kind == "struct" and "." in rest:
        struct, _, member = rest.partition(".")
        yield from (("member", f"{prefix}_{struct}.{m}") for m in (f"has_{member}", member))
    elif kind == "struct":
        yield from (("struct", f"{prefix}_{rest}"), ("decode", f"{prefix}_{rest}_decode"))
        yield "enumerator", f"{upper}_LINE_{rest.upper()}"
    elif kind == "enum":
        yield from (("enum", f"{prefix}_{rest}"), ("text", f"{prefix}_{rest}_text"), ("of", f"{prefix}_{rest}_of"))
    else:
        yield "enumerator", f"{upper}_{name}"


def names(low: Lowering) -> Iterator[str]:
    """What there is in C, as `reserved` would name it."""
    prefix, upper = low.prefix + "_", low.upper + "_"
    for form in low.forms:
        yield form.ident + "()"
        yield from (f"struct {form.ident}.{m.name}" for m in form.members)
    for struct in low.structs:
        yield f"struct {struct.name.removeprefix(prefix)}"
        yield from (f"struct {struct.name.removeprefix(prefix)}.{m.name}" for m in struct.members)
    for line in low.spec.lines:
        yield low.line_id(line).removeprefix(upper)
    for table in low.spec.values:
        yield f"enum {table.name}"
        yield from (e["enum"].removeprefix(upper) for e in lower_table(table, low.prefix).entries)
    for setting in low.spec.settings:
        yield low.slot(setting).removeprefix(upper)
    yield from (f"FEATURE_{f.name}" for f in low.spec.features)


def check_names(spec: Spec, report: Report) -> None:
    """No name that is reserved is generated."""
    if not any(r.names for r in spec.reserved):
        return
    prefix = spec.module
    try:
        low = Lowering(spec)
    except LowerError:      # rendering reports it
        return
    here = {i for name in names(low) for i in identifiers(name, prefix)}
    here -= {("struct", f"{prefix}_{f.ident}") for f in low.forms if not f.struct}
    for r in spec.reserved:
        for name, mark in r.names.items():
            taken = [i for _, i in (c for c in identifiers(name, prefix) if c in here)]
            if taken:
                report.add("E048", mark, f"`{name}` is reserved, but `{taken[0].removeprefix('_')}` is generated: {r.because}")


def deleted(spec: Spec, low: Lowering, absent: Absent) -> Deleted:
    """What the header declares; members go to those that the structs of a view lack."""
    out = Deleted()
    structs = {f.struct for f in low.forms} | {s.name for s in low.structs}
    whys: dict[Identifier, str] = {}
    for r in spec.reserved:
        why = c_string(" ".join(f"{r.path} was deleted: {r.because}".split()))
        for identifier in (i for name in r.names for i in identifiers(name, spec.module)):
            whys.setdefault(identifier, why)
    for (space, name), why in whys.items():
        if space == "member":
            struct, _, member = name.partition(".")
            if struct in structs:
                absent.members.setdefault(struct, []).append(Member("", member, "", False, why))
        elif space in FUNCTIONS:
            out.functions.append(Name(FUNCTIONS[space].format(name), why))
        else:
            {"enumerator": out.enumerators, "struct": out.structs, "enum": out.enums}[space].append(Name(name, why))
    return out
