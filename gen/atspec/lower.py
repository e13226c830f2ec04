"""Model to C: decides every name, type, index and comment, so that templates
hold layout only."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, count
from typing import Any, Iterable, Optional, Union

from .model import (Command, Completion, Count, Effect, Field, Form, Line,
                    Mark, Param, Setting, Spec, Template, ValueTable, Variant)

RUNTIME_VERSION = 1
INT32_MIN, INT32_MAX = -(2 ** 31), 2 ** 31 - 1
NONE, UNKNOWN = "AT_NONE", "AT_UNKNOWN"
PARAMS_MAX, GROUPS_MAX, SHOWN_MAX = 1024, 7, 7      # what the bits of an at_field hold
FORMS_MAX, LINES_MAX = 1024, 1024                   # and those of an at_form and an at_record


class LowerError(Exception):
    """A spec that is sound but that the C tables can't hold."""

    def __init__(self, mark: Optional[Mark], message: str) -> None:
        super().__init__(message)
        self.mark = mark

    def placed(self, path: str) -> str:
        """The message with its place, or else with the spec's path."""
        place = f"{self.mark.file}:{self.mark.line}:{self.mark.column}" if self.mark else path
        return f"{place}: error: {self}"


def c_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def harmless(text: str) -> str:
    """A text that can't end the comment it stands in."""
    return text.replace("*/", "* /")


@lru_cache(4096)
def comment(text: str, indent: int = 0) -> str:
    """A documentation comment, wrapped; the first line is not indented."""
    pad = " " * indent
    body = harmless(" ".join(text.split()))
    if len(body) + indent + 7 <= 96:
        return f"/** {body} */"
    lines = textwrap.wrap(body, 92 - indent, break_long_words=False)
    return "/**\n" + "".join(f"{pad} * {ln}\n" for ln in lines) + f"{pad} */"


def block(lines: Iterable[str]) -> str:
    """A documentation comment of several paragraphs or list items."""
    return "/**\n" + "".join(map(wrapped, lines)) + " */"


@lru_cache(4096)
def wrapped(paragraph: str) -> str:
    text = harmless(paragraph)
    lines = textwrap.wrap(text, 92, subsequent_indent="  " if text.startswith("-") else "",
                          break_long_words=False, break_on_hyphens=False) or [""]
    return "".join(f" * {ln}".rstrip() + "\n" for ln in lines)


def number(value: int) -> str:
    return "INT32_MIN" if value == INT32_MIN else str(value)


def section_of(section: str) -> str:
    return f" ({section})" if section else ""


# Parameters -------------------------------------------------------------------

@dataclass(frozen=True)
class Kind:
    """What a parameter may hold."""

    values: str             # name of the table of strings
    minimum: int
    maximum: int
    supported: int
    type: str
    flags: str
    nvalues: int


@dataclass
class ParamView:
    enum: str
    name: str
    type: str
    literal: bool = False
    flags: str = "0"
    minimum: int = 0
    maximum: int = 0
    supported: int = INT32_MIN
    values: str = ""        # name of the table of strings
    nvalues: int = 0
    sent: bool = False      # in a command

    @property
    def kind(self) -> Kind:
        return Kind(self.values, self.minimum, self.maximum, self.supported, self.type, self.flags, self.nvalues)

    @property
    def received(self) -> Kind:
        """What the host knows of it: ranges hold for what it sends."""
        known = self.sent or self.literal or "AT_STRICT" in self.flags
        return self.kind if known else Kind("", 0, 0, INT32_MIN, self.type, "0", 0)


class Params:
    """The table of parameters, each kind of use once; and their kinds."""

    def __init__(self) -> None:
        self.views: list[ParamView] = []
        self.by_key: dict[tuple[Any, ...], ParamView] = {}
        self.enums: set[str] = set()

    @property
    def kinds(self) -> tuple[list[Kind], list[Kind]]:
        """Each once, as both sides know it and as the host does; first what they know alike."""
        both = [list(dict.fromkeys(side)) for side in ((v.kind for v in self.views), (v.received for v in self.views))]
        named, bare = (sorted(side, key=lambda k: not all(k in other for other in both)) for side in both)
        return named, bare

    @property
    def literals(self) -> list[ParamView]:
        """Each text once."""
        return list({v.values: v for v in self.views if v.literal}.values())

    def literal(self, text: str, quoted: bool) -> str:
        words = "".join(c if c.isalnum() else "_" for c in text).upper()
        return self.add(("literal", text, quoted), f"P_LITERAL_{words}", ParamView(
            "", text, "AT_LITERAL", literal=True, flags="AT_QUOTED" if quoted else "0",
            values=f"literal_{len(self.enums)}", nvalues=1))

    def use(self, param: Param, command: Optional[Command], sent: bool,
            limits: Optional[tuple[int, int]]) -> str:
        """`sent`: in a command, where choices are enumerators rather than text."""
        view = lower_param(param, sent)
        if limits:
            view.minimum, view.maximum = limits
            view.flags = "AT_STRICT" if view.flags == "0" else view.flags + " | AT_STRICT"
        key = (view.name, view.type, view.flags, view.minimum, view.maximum, view.supported,
               view.values)
        hints = ["", f"_{command.name}" if command else "", f"_{view.type}"]
        enum = self.add(key, f"P_{param.c_name.upper()}", view, hints)
        self.by_key[key].sent |= sent
        return enum

    def add(self, key: tuple[Any, ...], enum: str, view: ParamView, hints: Iterable[str] = ("",)) -> str:
        if key in self.by_key:
            return self.by_key[key].enum
        names = [clean_enum(enum + hint) for hint in hints]
        view.enum = next(n for n in chain(names, (f"{names[-1]}_{i}" for i in count(2))) if n not in self.enums)
        self.enums.add(view.enum)
        self.by_key[key] = view
        self.views.append(view)
        if len(self.views) > PARAMS_MAX:
            raise LowerError(None, f"more than {PARAMS_MAX} parameters")
        if view.literal:    # of the same text, whether quoted or not
            view.values = next((v.values for v in self.views if v.literal and v.name == view.name), view.values)
        return view.enum


def clean_enum(text: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in text).upper()


def lower_param(param: Param, sent: bool) -> ParamView:
    view = ParamView("", param.name, "", minimum=param.minimum, maximum=param.maximum)
    if param.kind == "integer":
        view.type = "AT_UINT" if param.maximum > INT32_MAX else "AT_INT"
        if param.values and param.values.open:
            view.minimum, view.maximum = INT32_MIN, INT32_MAX
        elif param.values and sent and len(param.values.entries) != view.maximum - view.minimum + 1:
            raise LowerError(param.mark, f"the values of <{param.name}> in a command must follow "
                                         "each other without a gap")
        if param.supported is not None:
            view.supported = param.supported
    elif param.kind == "string":
        choice = param.values is not None and sent
        view.type = "AT_CHOICE" if choice else {"host": "AT_HOST", "ip": "AT_IP"}.get(
            param.form, "AT_STRING")
        view.flags = "AT_QUOTED"
        view.minimum = max(1, param.minimum)
        if param.values:
            view.maximum = max(len(str(v.key)) for v in param.values.entries)
        if choice and param.values:
            view.values = f"{param.values.name}_strings"
            view.nvalues = len(param.values.entries)
    elif param.kind == "text":
        view.type = "AT_TEXT"
        view.flags = "AT_QUOTED" if param.quoted else "0"
    else:
        view.type = {"data": "AT_DATA", "hex": "AT_HEX"}[param.kind]
    return view


C_TYPES = {"AT_INT": "int32_t", "AT_UINT": "uint32_t", "AT_CHOICE": "int32_t",
           "AT_DATA": "struct at_bytes", "AT_HEX": "struct at_bytes"}


def plural(unit: str) -> str:
    """Words take an s, symbols of units don't."""
    return unit + "s" if len(unit) > 2 else unit


def param_doc(param: Param, prefix: str, sent: bool) -> str:
    text = param.doc
    facts = []
    if param.values is not None:
        facts.append(f"enum {prefix}_{param.values.name}"
                     if param.kind == "integer" or sent else
                     "one of " + ", ".join(str(v.key) for v in param.values.entries)
                     + ", or another text")
        if param.values.open:
            facts.append("or another number")
    elif param.kind == "integer":
        facts.append(f"{param.minimum} to {param.maximum}" + (f" {plural(param.unit)}" if param.unit else ""))
    elif param.kind in ("string", "text"):
        facts.append(f"at most {param.maximum} characters")
    if param.supported is not None:
        facts.append(f"only {param.supported} is supported at present")
    if param.default is not None:
        facts.append(f"{param.default} when left out")
    return text + (f" ({'; '.join(facts)})" if facts else "") + "."


def data_doc(param: Param, form: Optional[Form]) -> str:
    """The limits of data are the form's, and depend on their format."""
    data = form.data if form else None
    if data is None or param.name not in (data.length, data.source if data.source != "prompt" else "data"):
        return ""
    limits = f"1 to {data.max_text} bytes" if data.max_text else ""
    if data.max_hex:
        limits += f"; 1 to {data.max_hex} in hexadecimal format" if limits else f"1 to {data.max_hex} bytes"
    return f"{param.doc} ({limits})."


# Views for the templates --------------------------------------------------------

@dataclass
class Member:
    type: str
    name: str
    doc: str
    optional: bool
    why: str = ""           # what an attribute says of it


@dataclass
class FieldView:
    param: str
    group: int = 0
    shown: int = 0          # 1 + index into Lowering.shown; 0 always
    member: str = ""        # struct and member, or "" for a literal
    optional: bool = False


@dataclass
class StructView:
    name: str
    doc: str
    members: list[Member]


@dataclass
class EffectView:
    slot: str
    slots: int
    maximum: int
    key: str
    value: str


@dataclass
class RecordView:
    enum: str               # first shape of a line, or ""
    line: Line
    head: str
    fields: list[FieldView]
    effects: list[EffectView]
    payload: dict[str, Any]
    struct: str
    id: str
    outcome: str
    ident: str
    scanned: str            # head for the head machine
    places: list[Field]     # what `fields` are of

    @property
    def kind(self) -> str:
        return self.line.kind.upper()


@dataclass
class HeadView:
    text: str               # as printed; a space may follow the first colon
    records: list[RecordView]
    whole: bool
    first: int = 0
    rest: str = UNKNOWN
    ragel: str = ""


@dataclass
class SinkView:
    line: Line
    id: str
    type: str
    name: str
    many: bool
    slot: int = 0


@dataclass
class FormView:
    form: Form
    id: str
    ident: str              # qisend_fixed
    struct: str             # "" when it has no parameters
    members: list[Member]
    fields: list[FieldView]
    effects: list[EffectView]
    data: dict[str, Any]
    responses: list[dict[str, Any]]
    then: list[dict[str, Any]]
    within: dict[str, Any]
    flags: str
    sinks: list[SinkView]
    takes_payload: bool
    reads: str
    doc: str
    deprecated: str         # what the compiler says of its use, as a C string, or ""
    rare: str = ""          # the first form that has the same of what forms share
    spelled: str = ""       # the first form whose command line begins so

    @property
    def plain(self) -> bool:
        """Whether its answer is one line at most, and nothing else, and it sends no data."""
        return (len(self.sinks) <= 1 and not any(s.many for s in self.sinks) and not self.takes_payload
                and not self.prompts)

    @property
    def prompts(self) -> bool:
        """Whether data follow its command line."""
        return bool(self.data and self.data["prompt"])

    @property
    def head(self) -> str:
        """What its command line begins with."""
        syntax = self.form.syntax
        return syntax.head if self.fields and syntax.fields else syntax.text

    @property
    def command(self) -> Command:
        return self.form.command


@dataclass
class TableView:
    table: ValueTable
    name: str
    doc: str
    strings: bool
    entries: list[dict[str, Any]]


class Lowering:
    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.prefix = spec.module
        self.upper = spec.module.upper()
        self.params = Params()
        self.shown: list[tuple[int, int]] = []      # slot and value
        self.slots = {s.name: i for s, i in zip(spec.settings, slot_starts(spec.settings))}
        self.forms = [self.form(f) for f in spec.forms]
        if len(self.forms) > FORMS_MAX:
            raise LowerError(None, f"more than {FORMS_MAX} forms")
        if len(spec.lines) > LINES_MAX:
            raise LowerError(None, f"more than {LINES_MAX} lines")
        share(self.forms)
        self.heads = self.make_heads()
        self.records = [r for h in self.heads for r in h.records]
        self.structs = self.line_structs()

    # names

    def struct_name(self, line: Line) -> str:
        return "at_str" if line.kind == "test" else f"{self.prefix}_{line.c_name}_{line.kind}"

    def line_id(self, line: Line) -> str:
        kind = "" if line.kind == "test" else f"_{line.kind}"    # its name says so already
        return f"{self.upper}_LINE_{line.c_name}{kind}".upper()

    def form_id(self, form: Form) -> str:
        return f"{self.upper}_FORM_{form.c_name.upper()}"

    def slot(self, setting: Setting) -> str:
        return f"{self.upper}_SETTING_{setting.name.upper()}"

    # structs

    def member(self, param: Param, optional: bool, sent: bool, form: Optional[Form] = None) -> Member:
        kind = lower_param(param, sent).type
        doc = data_doc(param, form) or param_doc(param, self.prefix, sent)
        return Member(C_TYPES.get(kind, "struct at_str"), param.c_name, comment(doc, 4), optional,
                      deprecated_text(param.deprecated))

    def line_members(self, line: Line) -> list[Member]:
        return [self.member(f.param, line.optional(f.name), False) for f in line.fields if f.param]

    def line_structs(self) -> list[StructView]:
        out = []
        for line in self.spec.lines:
            if line.kind == "test" or not line.fields:
                continue
            doc = [f"{line.doc or line.name}.", "", line.variants[0].template.text
                   + section_of(line.section)]
            for v in line.variants[1:]:
                doc.append(f"{v.template.text} {section_of(v.doc).strip()}"
                           + (f" [{v.evidence}]" if v.evidence else ""))
            out.append(StructView(self.struct_name(line), block(doc), self.line_members(line)))
        return out

    # fields

    def field_view(self, f: Field, struct: str, command: Optional[Command], sent: bool,
                   optional: bool, limits: Optional[tuple[int, int]]) -> FieldView:
        if f.group > GROUPS_MAX:
            raise LowerError(None, f"more than {GROUPS_MAX} groups of optional fields in a line")
        if f.param is None:
            return FieldView(self.params.literal(f.literal, f.quoted), f.group)
        view = FieldView(self.params.use(f.param, command, sent, limits), f.group,
                         member=f"struct {struct}, {f.param.c_name}", optional=optional)
        if f.shown:
            view.shown = 1 + self.shown_index((self.slots[f.shown.setting.name], f.shown.value))
        return view

    def shown_index(self, condition: tuple[int, int]) -> int:
        if condition not in self.shown:
            self.shown.append(condition)
        if len(self.shown) > SHOWN_MAX:
            raise LowerError(None, f"settings decide in more than {SHOWN_MAX} ways whether a field is shown")
        return self.shown.index(condition)

    def param_in(self, fields: list[Field], name: str, command: Optional[Command], sent: bool,
                 payload: str = "") -> str:
        """The table index of a named field, in the use that it has there."""
        for f in fields:
            if f.param and f.param.name == name:
                limits = None if name == payload else f.limits
                return self.params.use(f.param, command, sent, limits)
        return NONE

    # settings

    def effects(self, effects: list[Effect], fields: list[Field], command: Optional[Command],
                sent: bool) -> list[EffectView]:
        out = []
        for e in effects:
            value = self.param_in(fields, e.field, command, sent)
            key = self.param_in(fields, e.key, command, sent) if e.key else NONE
            if value == NONE or (e.key and key == NONE):
                continue    # a shorter shape of the line
            top = max(int(v.key) for v in e.setting.values.entries)
            out.append(EffectView(self.slot(e.setting), e.setting.slots, top, key, value))
        return out

    def format(self, how: Union[Setting, str]) -> tuple[str, int]:
        if isinstance(how, Setting):
            return self.slot(how), 0
        return UNKNOWN, int(how == "hex")

    # records and heads

    def payload(self, line: Line, variant: Variant) -> dict[str, Any]:
        p = line.payload
        if p is None or all(f.name != p.length for f in variant.template.fields):
            return {}
        if variant is not line.variants[0]:
            return {}
        slot, hex_ = self.format(p.format)
        fields = variant.template.fields
        when = p.when
        return {
            "length": self.param_in(fields, p.length, line.command, False, p.length),
            "format": slot, "hex": hex_,
            "inline": self.slot(p.inline) if p.inline else UNKNOWN,
            "when": self.slot(when.setting) if when else UNKNOWN,
            "when_slots": when.setting.slots if when else 0,
            "when_value": when.value if when else 0,
            "when_key": self.param_in(fields, when.key, line.command, False)
            if when and when.key else NONE,
            "min": p.limits[0], "max": p.limits[1],
        }

    def record(self, line: Line, index: int, variant: Variant, folded: bool) -> RecordView:
        template, payload = variant.template, self.payload(line, variant)
        struct = self.struct_name(line) if line.fields or line.kind == "test" else ""
        fields = template.fields if line.kind != "test" else []
        head = scanned = template.head
        if line.kind == "test" or fields:
            head = template.head + (" " if template.head.endswith(":") else "")
        if folded and template.fields:
            lead = f'"{template.fields[0].literal}",'
            scanned += lead
            if line.kind != "test":
                head, fields = head + lead, fields[1:]
        length = line.payload.length if payload and line.payload else ""
        views = [self.field_view(f, struct, line.command, False, line.optional(f.name),
                                 None if f.name == length else f.limits) for f in fields]
        return RecordView(
            enum=f"R_{line.c_name.upper()}_{line.kind.upper()}" if index == 0 else "",
            line=line, head=head, fields=views,
            effects=self.effects(line.sets, template.fields, line.command, False),
            payload=payload, struct=struct, id=self.line_id(line),
            outcome=f"AT_OUTCOME_{(line.outcome or 'none').upper()}",
            ident=f"{line.c_name}_{line.kind}" + (f"_{index + 1}" if index else ""),
            scanned=scanned, places=fields)

    def make_heads(self) -> list[HeadView]:
        shapes = [(line, i, v) for line in self.spec.lines for i, v in enumerate(line.variants)]
        by_name: dict[str, list[tuple[Line, int, Variant]]] = {}
        for shape in shapes:
            by_name.setdefault(shape[2].template.head, []).append(shape)
        heads: dict[tuple[str, bool], HeadView] = {}
        for group in by_name.values():
            folded = all(begins_with_literal(v.template) for _, _, v in group)
            for line, i, v in group:
                record = self.record(line, i, v, folded)
                whole = not v.template.fields and line.kind != "test"
                head = heads.setdefault((record.scanned, whole),
                                        HeadView(record.scanned, [], whole))
                head.records.append(record)
        return self.finish_heads(list(heads.values()))

    def finish_heads(self, heads: list[HeadView]) -> list[HeadView]:
        first = 0
        for head in heads:
            head.records = without_repeats(self.ordered(head.records))
            head.first = first
            first += len(head.records)
            rests = [i for r in head.records for i, f in enumerate(r.fields)
                     if self.is_rest(f.param)]
            head.rest = str(min(rests)) if rests else UNKNOWN
            head.ragel = ragel_literal(head.text)
        return heads

    def is_rest(self, enum: str) -> bool:
        return any(v.enum == enum and v.type == "AT_TEXT" for v in self.params.views)

    def ordered(self, records: list[RecordView]) -> list[RecordView]:
        """Candidates in the order in which they are tried: as the rules choose."""
        rules = self.spec.rules + [r for c in self.spec.commands for r in c.rules]
        out = sorted(records, key=lambda r: r.line.kind == "test")
        for _ in out:
            for rule in rules:
                chosen = [r for r in out if self.names(r, rule.choose)]
                over = [i for i, r in enumerate(out) if self.names(r, rule.over)]
                for r in chosen:
                    if over and out.index(r) > over[0]:
                        out.remove(r)
                        out.insert(over[0], r)
        return out

    def names(self, record: RecordView, name: str) -> bool:
        texts = [v.template.text for v in record.line.variants]
        shape = int(record.ident.rsplit("_", 1)[-1]) - 1 if not record.enum else 0
        return record.line.name == name or texts[shape] == name

    # forms

    def form_fields(self, form: Form) -> list[Field]:
        fields = list(form.syntax.fields)
        if form.data and form.data.source == "prompt":
            param = Param(name="data", c_name="data", kind="data", doc="Data to send")
            fields.append(Field(param=param))
        return fields

    def form(self, form: Form) -> FormView:
        fields = self.form_fields(form)
        struct = f"{self.prefix}_{form.c_name}" if any(f.param for f in fields) else ""
        members = [self.member(f.param, bool(f.group), True, form) for f in fields if f.param]
        views = [self.field_view(f, struct, form.command, True, bool(f.group), f.limits)
                 for f in fields]
        responses = [{"id": self.line_id(ln), "min": lo, "max": hi} for ln, lo, hi in form.response]
        flags = []
        if form.final_optional:
            flags.append("AT_FINAL_OPTIONAL")
        if self.needs_no_settings(form):
            flags.append("AT_ANY_TIME")
        if form.asks:
            flags.append("AT_ASKS")
        sinks = self.sinks(form)
        then = [self.completion(c, form, fields) for c in form.then]
        for view in then:
            view["sink"] = next((1 + s.slot for s in sinks if s.line is view["line"]), 0)
        return FormView(
            form=form, id=self.form_id(form), ident=form.c_name, struct=struct, members=members,
            fields=views, effects=self.effects(form.sets, fields, form.command, True),
            data=self.data(form, fields), responses=responses,
            then=then,
            within=self.deadline(form, fields), flags=" | ".join(flags) or "0", sinks=sinks,
            takes_payload=any(ln.payload for ln, _, _ in form.response),
            reads=self.param_in(fields, form.reads, form.command, True) if form.reads else NONE,
            doc=self.form_doc(form, sinks),
            deprecated=deprecated_text(form.deprecated or form.command.deprecated))

    def needs_no_settings(self, form: Form) -> bool:
        """Forms of start-up, which run before any setting is known."""
        early = [self.spec.wake] + self.spec.start + [s.read_by for s in self.spec.settings]
        return any(f is form for f in early + list(self.spec.barrier))

    def sinks(self, form: Form) -> list[SinkView]:
        found: dict[str, SinkView] = {}
        for line, _, most in form.response:
            found[line.name] = self.sink(line, most > 1)
        for c in form.then:
            if c.line.kind != "final":
                found[c.line.name] = self.sink(c.line, c.times is not None)
        sinks = list(found.values())
        if len(sinks) > 2:
            raise LowerError(form.mark, f"{form.path}: more than two kinds of lines in an answer")
        for i, sink in enumerate(sinks):
            sink.slot = i
            sink.name = "answer" if len(sinks) == 1 else sink.name
            if sink.many:
                sink.name += "es" if sink.name.endswith("s") else "s"
        return sinks

    def sink(self, line: Line, many: bool) -> SinkView:
        name = line.c_name
        if line.command:    # what is left of QPING.summary, and of QPING itself
            own = line.command.name.lower()
            name = name.removeprefix(own).strip("_") or line.kind
        return SinkView(line, self.line_id(line), self.struct_name(line), name, many)

    def data(self, form: Form, fields: list[Field]) -> dict[str, Any]:
        d = form.data
        if d is None:
            return {}
        slot, hex_ = self.format(d.format)
        name = "data" if d.source == "prompt" else d.source
        return {
            "field": self.param_in(fields, name, form.command, True),
            "length": self.param_in(fields, d.length, form.command, True) if d.length else NONE,
            "max_text": d.max_text, "max_hex": d.max_hex, "format": slot, "hex": hex_,
            "echo": self.slot(d.echo) if d.echo else UNKNOWN,
            "prompt": int(d.source == "prompt"),
            "until": -1 if d.until is None else d.until,
            "cancel": -1 if d.cancel is None else d.cancel,
        }

    def line_param(self, line: Line, name: str) -> str:
        return self.param_in(line.variants[0].template.fields, name, line.command, False,
                             line.payload.length if line.payload else "")

    def completion(self, c: Completion, form: Form, fields: list[Field]) -> dict[str, Any]:
        view = {
            "line": c.line, "sink": 0,
            "record": self.line_id(c.line), "match_form": NONE, "match_line": NONE,
            "status": self.line_param(c.line, c.status) if c.status else NONE,
            "ends": "AT_ENDS_NEVER", "ends_param": NONE, "values": [],
            "count_record": NONE, "count_param": NONE, "count_default": 0, "count_add": 0,
        }
        if c.match:
            view["match_form"] = self.param_in(fields, c.match, form.command, True)
            view["match_line"] = self.line_param(c.line, c.match)
        if isinstance(c.ends, dict):
            name, values = next(iter(c.ends.items()))
            view.update(ends="AT_ENDS_VALUES", values=values,
                        ends_param=self.line_param(c.line, name))
        elif c.ends == "always" or c.line.kind == "final":
            view["ends"] = "AT_ENDS_ALWAYS"
        if c.times:
            view.update(self.count(c.times, form, fields))
        return view

    def count(self, count: Count, form: Form, fields: list[Field]) -> dict[str, Any]:
        if count.line:
            line = next(c.line for c in form.then if c.line.name == count.line)
            return {"count_record": self.line_id(line), "count_add": count.add,
                    "count_param": self.line_param(line, count.field)}
        return {"count_param": self.param_in(fields, count.field, form.command, True),
                "count_default": default_of(fields, count.field), "count_add": count.add}

    def deadline(self, form: Form, fields: list[Field]) -> dict[str, Any]:
        d = form.within
        if d is None:
            return {"ms": form.response_time if form.then else 0, "a": NONE, "a_default": 0,
                    "b": NONE, "b_default": 0, "add": 0}
        return {"ms": d.milliseconds,
                "a": self.param_in(fields, d.field, form.command, True) if d.field else NONE,
                "a_default": default_of(fields, d.field), "add": d.add,
                "b": self.param_in(fields, d.times, form.command, True) if d.times else NONE,
                "b_default": default_of(fields, d.times)}

    # sizes

    def command_max(self) -> int:
        """The longest command line, its CR included."""
        return max(len(v.form.syntax.head) + 1 + sum(field_max(f, v.form) + 1 for f in v.form.syntax.fields)
                   for v in self.forms)

    def window_min(self) -> int:
        """The longest line, and its line end."""
        longest = 0
        for line in self.spec.lines:
            for v in line.variants:
                length = len(v.template.head) + 1 + sum(field_max(f, None) + 1 for f in v.template.fields)
                longest = max(longest, len(v.template.text), length)
        return max(64, longest + 2)

    # documentation

    def form_doc(self, form: Form, sinks: list[SinkView]) -> str:
        command = form.command
        doc = [f"{form.doc or command.doc}{section_of(command.section)}: {form.syntax.text}", ""]
        doc.append(f"Answers within {form.response_time} ms" + self.deadline_doc(form) + ".")
        for word, dates in (("Since", form.since or command.since), ("Until", form.until or command.until)):
            if dates:
                doc.append(f"{word} {since_doc(dates)}.")
        if form.name != "test":
            doc += [f"- {note}" for note in command.notes]
        texts = any(f.param and f.param.kind in ("string", "text") for s in sinks for f in s.line.fields)
        if texts or form.name == "test":
            doc += ["", "Texts in the answer stand in the client's text buffer until the next command."]
        return block(doc + [""] + self.sink_docs(form, sinks) + [
            "@return lines stored, or a negative at_status"])

    def sink_docs(self, form: Form, sinks: list[SinkView]) -> list[str]:
        out = []
        for s in sinks:
            text = s.line.doc or ("the ranges it takes" if s.line.kind == "test" else s.line.name)
            out.append(f"@param {s.name}  {text[:1].lower() + text[1:]}; may be NULL"
                       + (f"; room for {s.name}_max" if s.many else ""))
        if any(ln.payload for ln, _, _ in form.response):
            out.append("@param data  takes the payload, decoded; size bytes"
                       + (f", {form.reads} at least" if form.reads else ""))
        return out

    def deadline_doc(self, form: Form) -> str:
        if not form.then:
            return ""
        d = form.within
        if d is None:
            return f", completes within {form.response_time} ms more"
        text = f"{d.milliseconds} ms"
        if d.field:
            text += f" * ({d.field} + {d.add})" if d.add else f" * {d.field}"
        if d.times:
            text += f" * {d.times}"
        return f", completes within {text} more"


def field_max(f: Field, form: Optional[Form]) -> int:
    """The longest text of a field."""
    if f.param is None:
        return len(f.literal) + 2
    if f.param.kind == "integer":
        open_ended = f.param.values is not None and f.param.values.open
        return 11 if open_ended else max(len(str(f.param.minimum)), len(str(f.param.maximum)))
    if f.param.kind in ("data", "hex"):
        assert form and form.data
        return max(form.data.max_text + 2, 2 * form.data.max_hex)
    texts = [len(str(v.key)) for v in f.param.values.entries] if f.param.values else []
    return max([f.param.maximum, *texts]) + 2


def begins_with_literal(template: Template) -> bool:
    return len(template.fields) > 1 and template.fields[0].param is None \
        and template.fields[0].quoted


def without_repeats(records: list[RecordView]) -> list[RecordView]:
    """Texts of one test answer are one record: it is recognised by its ranges."""
    seen: set[str] = set()
    out = []
    for r in records:
        if r.line.kind == "test":
            if r.id in seen:
                continue
            seen.add(r.id)
        out.append(r)
    return out


def slot_starts(settings: list[Setting]) -> list[int]:
    starts, at = [], 0
    for s in settings:
        starts.append(at)
        at += s.slots
    return starts


def default_of(fields: list[Field], name: str) -> int:
    for f in fields:
        if f.param and f.param.name == name and f.param.default is not None:
            return f.param.default
    return 1


def since_doc(since: dict[str, Any]) -> str:
    out = [str(since["revision"])] if "revision" in since else []
    out += [str(v) for v in (since.get("firmware") or {}).values()]
    return ", ".join(out)


def deprecated_text(deprecated: Optional[dict[str, Any]]) -> str:
    if not deprecated:
        return ""
    since = f"since {since_doc(deprecated['since'])}: " if "since" in deprecated else ""
    return c_string(" ".join((since + deprecated["use"]).split()))


def ragel_string(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def ragel_literal(text: str) -> str:
    """A head for the machine; the space after the colon may be missing."""
    if ":" in text and not text.endswith(":"):
        name, rest = text.split(":", 1)
        if rest.startswith('"'):
            return f"{ragel_string(name + ':')} ' '? {ragel_string(rest)}"
    return ragel_string(text)


def share(forms: list[FormView]) -> None:
    """Texts, deadlines, and what stands apart from an at_form, of which each is written once."""
    heads: dict[str, str] = {}
    deadlines: dict[str, str] = {}
    others: dict[str, str] = {}
    for f in forms:
        f.spelled = heads.setdefault(f.head, f.ident)
        f.within["first"] = deadlines.setdefault(repr(f.within), f.ident) if f.then else ""
        content = (f.effects, f.data, f.then and f.ident, f.form.response_time, f.reads)
        f.rare = others.setdefault(repr(content), f.ident)


def head_table(heads: list[HeadView]) -> list[str]:
    """The rows of heads.c.j2; none when they don't fit the state that the search keeps."""
    texts = sorted((head_pattern(h), i, h.text) for i, h in enumerate(heads))
    rows, size, before = [], 0, ""
    for pattern, index, text in texts:
        shared = next((i for i, (a, b) in enumerate(zip(pattern, before)) if a != b), min(len(pattern), len(before)))
        rest = [str(ord(c)) if c in "\1\n'\\" else f"'{c}'" for c in pattern[shared:]]
        rows.append(f"{', '.join([str(shared), *rest, '0', str(index)])}, /* {harmless(text)} */")
        size += 3 + len(rest)
        before = pattern
    return rows if size < 1024 and len(rows) < 255 and all(len(p) < 64 for p, _, _ in texts) else []


def head_pattern(head: HeadView) -> str:
    """As ragel_literal, for the table: 1 is a space that may be missing, and LF a line end."""
    name, colon, rest = head.text.partition(":")
    text = f"{name}:\1{rest}" if colon and rest.startswith('"') else head.text
    return text + ("\n" if head.whole else "")


# Tables -----------------------------------------------------------------------

def lower_table(table: ValueTable, prefix: str) -> TableView:
    strings = any(isinstance(v.key, str) for v in table.entries)
    base = f"{prefix}_{table.name}".upper()
    entries = []
    for i, v in enumerate(table.entries):
        dates = [f"{word} {since_doc(d)}" for word, d in (("since", v.since), ("until", v.until)) if d]
        text = v.text + (f" ({', '.join(dates)})" if dates else "")
        entries.append({"enum": f"{base}_{v.name}", "number": i if strings else v.key,
                        "string": c_string(str(v.key)), "text": c_string(v.text),
                        "doc": comment(text, 4), "deprecated": deprecated_text(v.deprecated)})
    return TableView(table, f"{prefix}_{table.name}",
                     comment(f"{table.doc}{section_of(table.section)}"
                             + ("; other values are possible." if table.open else ".")),
                     strings, entries)


# The module's side --------------------------------------------------------------

@dataclass
class CommandHead:
    text: str
    ragel: str
    whole: bool
    forms: list[FormView]
    first: int = 0
    rest: str = UNKNOWN


def command_heads(forms: list[FormView]) -> list[CommandHead]:
    heads: dict[str, CommandHead] = {}
    for view in forms:
        syntax = view.form.syntax
        text = syntax.head if syntax.fields else syntax.text
        head = heads.setdefault(text, CommandHead(text, f"{ragel_string(text)}i",
                                                  not syntax.fields, []))
        head.forms.append(view)
    first = 0
    for head in heads.values():
        head.first = first
        first += len(head.forms)
        rests = [i for v in head.forms for i, f in enumerate(v.form.syntax.fields)
                 if f.param and f.param.kind == "data"]
        head.rest = str(min(rests)) if rests else UNKNOWN
    return list(heads.values())
