"""A spec as a reference manual: one HTML page that needs nothing else, and Markdown.

What is said of C is what `build` generates: the same views through the same macros.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Callable, Iterable, Mapping, Optional, Union

import jinja2
from markupsafe import Markup

from . import VERSION, coverage, rails, words
from .build import spec_or_report, specs_of_views
from .history import Column, History, Told
from .lower import FormView, Lowering, LowerError, lower_table
from .model import Command, Example, Feature, Field, Form, Line, Param, Setting, Spec, Step, Value, ValueTable
from .options import add_view_options, folder
from .render import TEMPLATES, context, declaration, environment, tidy, wrap, write
from .rich import (Rich, anchor, code, joined, link, markdown_block, markdown_code, one_line, say,
                   to_html, to_markdown)
from .sequence import Story, mermaid, sequence, story

KINDS = {"response": "Answer", "result": "Result", "urc": "URC", "final": "Final result code", "test": "Answer to the test"}


@dataclass
class Life:
    """Of a node: what has it, how to ask for it, and what it was before."""

    badges: list[str] = field(default_factory=list)
    notes: list[Rich] = field(default_factory=list)


@dataclass
class ParamDoc:
    id: str
    name: str
    c_name: str
    way: str                    # sent | received | both ways
    doc: str
    takes: Rich
    values: list[Rich]
    facts: list[Rich]
    life: Life


@dataclass
class LineDoc:
    id: str
    name: str
    kind: str
    doc: str
    section: str
    shapes: list[tuple[str, Rich]]      # the line, and when it looks so
    facts: list[Rich]
    api: str
    params: list[ParamDoc]
    life: Life
    c_name: str                 # an enumerator


@dataclass
class FormDoc:
    id: str
    name: str
    doc: str
    syntax: str
    wide: Markup
    narrow: Optional[Markup]
    answer: list[Rich]          # up to the final result code
    then: Rich                  # and after it,
    completions: list[Rich]     # these
    facts: list[Rich]
    examples: list[Rich]
    cli: str
    api: str
    life: Life


@dataclass
class CommandDoc:
    id: str
    name: str
    title: str                  # AT+NAME
    section: str
    doc: str
    notes: list[str]
    forms: list[FormDoc]
    params: list[ParamDoc]
    lines: list[LineDoc]
    life: Life


@dataclass
class ValueDoc:
    id: str
    wire: str
    enum: str
    text: str
    life: Life


@dataclass
class TableDoc:
    id: str
    name: str
    doc: str
    section: str
    c_names: list[str]          # the type, and functions
    open: bool
    entries: list[ValueDoc]
    users: Rich
    life: Life


@dataclass
class SettingDoc:
    id: str
    name: str
    doc: str
    section: str
    values: list[Rich]
    facts: list[Rich]
    life: Life
    c_name: str                 # an enumerator


@dataclass
class ExampleDoc:
    id: str
    section: str
    title: str
    story: Story
    wide: Markup
    narrow: Markup
    mermaid: str
    life: Life


@dataclass
class HavingDoc:
    """A row of the table of what revisions and firmware have."""

    place: Rich
    cells: list[str]
    badges: list[str]           # what the cells don't tell


@dataclass
class FeatureDoc:
    """What programs can ask for at run time."""

    id: str
    name: str
    text: str
    place: Rich
    bounds: list[str]
    names: list[str]            # in C


@dataclass
class LeftDoc:
    """What isn't there: it was deleted, or the view lacks it."""

    id: str
    path: str
    why: str


@dataclass
class SectionDoc:
    """A row of the coverage table."""

    id: str
    section: str
    title: str
    nodes: list[tuple[Rich, str]]       # where it is in the spec, and what tests cover that
    hole: bool


@dataclass
class Hit:
    """What the search can find."""

    kind: str
    title: str
    text: str
    id: str
    more: str = ""              # further words to find it by


@dataclass
class Manual:
    spec: Spec
    commands: list[CommandDoc] = field(default_factory=list)
    urcs: list[LineDoc] = field(default_factory=list)
    finals: list[LineDoc] = field(default_factory=list)
    tables: list[TableDoc] = field(default_factory=list)
    settings: list[SettingDoc] = field(default_factory=list)
    session: list[Rich] = field(default_factory=list)
    examples: list[ExampleDoc] = field(default_factory=list)
    sections: list[SectionDoc] = field(default_factory=list)
    tested: bool = False        # coverage data were given
    columns: list[Column] = field(default_factory=list)         # revisions and firmware,
    having: list[HavingDoc] = field(default_factory=list)       # what some of them lack,
    former: list[tuple[Rich, list[Rich]]] = field(default_factory=list)     # and what was otherwise in some
    features: list[FeatureDoc] = field(default_factory=list)
    asking: str = ""            # the C that asks for one,
    run_time: str = ""          # and what is declared for it
    lacking: list[LeftDoc] = field(default_factory=list)        # in this view
    reserved: list[LeftDoc] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)

    @property
    def view(self) -> str:
        """The firmware or revision that the spec was narrowed to."""
        return self.spec.view.name if self.spec.view else ""

    @property
    def dated(self) -> bool:
        """Whether there's anything to say of availability."""
        return bool(self.having or self.former or self.features or self.lacking or self.reserved)


class Owner:
    """What has a table of parameters: a command, or a line that belongs to none."""

    def __init__(self, *path: str) -> None:
        self.path = path
        self.params: dict[str, Param] = {}
        self.ways: dict[str, set[str]] = {}

    def add(self, fields: Iterable[Field], way: str) -> None:
        for f in fields:
            if f.param:
                self.params.setdefault(f.name, f.param)
                self.ways.setdefault(f.name, set()).add(way)

    def to(self, name: str) -> str:
        return anchor(*self.path, name)

    def way(self, name: str) -> str:
        return "both ways" if len(self.ways[name]) > 1 else next(iter(self.ways[name]))


class Author:
    """Writes the manual of a spec."""

    def __init__(self, spec: Spec, facts: Optional[coverage.Facts] = None, narrowed: Optional[Mapping[str, Spec]] = None) -> None:
        self.spec, self.facts, self.low = spec, facts, Lowering(spec)
        self.history = History(spec, narrowed or {})
        self.features = {path: f for f in spec.features for path in (f.path, *f.companions)}
        self.places: dict[str, tuple[Rich, Life]] = {}          # every node, by its path
        self.former: dict[str, tuple[Rich, list[Rich]]] = {}
        self.views = {f"{v.command.name}.{v.form.name}": v for v in self.low.forms}
        macros: Any = environment().get_template("macros.j2").make_module(context(spec))
        self.struct: Callable[..., str] = macros.struct
        self.signature: Callable[..., str] = macros.signature
        self.run_time: Callable[[], str] = macros.run_time
        self.ok = [ln for ln in spec.finals if ln.outcome == "ok"]
        self.errors = [ln for ln in spec.finals if ln.outcome == "error"]
        self.shown: dict[str, list[Rich]] = {}  # examples by form

    def write(self) -> Manual:
        out = Manual(self.spec, tested=self.facts is not None)
        out.examples = [self.example(e, i) for i, e in enumerate(self.spec.examples, 1)]
        commands = sorted(self.spec.commands, key=lambda c: coverage.in_order(c.section))
        out.commands = [self.command(c) for c in commands]
        out.urcs = [self.lone_line(ln) for ln in self.spec.urcs]
        out.finals = [self.lone_line(ln) for ln in self.spec.finals]
        out.tables = [self.table(t) for t in self.spec.values]
        out.settings = [self.setting(s) for s in self.spec.settings]
        out.session = self.session()
        self.availability(out)
        out.sections = self.sections()
        out.hits = list(hits(out))
        return out

    # commands

    def command(self, command: Command) -> CommandDoc:
        owner = Owner("command", command.name)
        for form in command.forms:
            owner.add(form.syntax.fields, "sent")
        for line in command.lines:
            owner.add(line.fields, "received")
        name = command.name
        forms = sorted(command.forms, key=lambda f: f.name == "test")   # it comes last
        life = self.life(command, f"commands.{name}", say(code(command.text, anchor("command", name))),
                         lambda c: [say(one_line(text)) for text in (c.doc, *c.notes)])
        return CommandDoc(
            anchor("command", name), name, command.text, command.section, one_line(command.doc),
            [one_line(n) for n in command.notes], [self.form(f, owner) for f in forms], self.rows(owner),
            [self.line(ln, owner, []) for ln in command.lines], life)

    def form(self, form: Form, owner: Owner) -> FormDoc:
        wide, narrow = rails.rails(form, owner.to)
        name = f"{form.command.name}.{form.name}"
        at = anchor("form", form.command.name, form.name)
        return FormDoc(
            at, form.name, one_line(form.doc), form.syntax.text, wide, narrow, self.answer(form, owner),
            words.then(form, owner.to), [words.completion(c, owner.to) for c in form.then],
            words.form_facts(form, owner.to), self.shown.get(name, []), self.cli(form), self.form_api(self.views[name]),
            self.life(form, form.path, say(words.form_link(form)), lambda f: self.told_of_form(f, owner)))

    def answer(self, form: Form, owner: Owner) -> list[Rich]:
        return words.answer(form, self.errors, self.ok, owner.to)

    def told_of_form(self, form: Form, owner: Owner) -> list[Rich]:
        answer = self.answer(form, owner)
        if form.test_lines:     # its first sentence names but the first of them
            answer[:1] = [say(code(text)) for text in form.test_lines]
        then = [words.completion(c, owner.to) for c in form.then]
        return [say(one_line(form.doc)), say(code(form.syntax.text)), *answer, words.then(form, owner.to), *then,
                *words.form_facts(form, owner.to)]

    def form_api(self, view: FormView) -> str:
        parts = []
        if view.struct:
            parts.append(self.struct(view.struct, "/** " + view.form.syntax.text + " */", view.members))
        encode, call, start = (declaration(self.signature(view, kind), "AT_DEPRECATED", view.deprecated)
                               for kind in ("encode", "call", "start"))
        parts += [encode, view.doc + "\n" + call, start]
        return tidy("\n\n".join(parts))

    def cli(self, form: Form) -> str:
        """How the tool is told to encode it; the arguments are the manual's where it has an example."""
        sets = [f for f in form.command.forms if f.name not in ("test", "read", "execute")]
        name = form.command.name + ("" if sets == [form] else f".{form.name}")
        given = next((s.fields for e in self.spec.examples for s in e.steps
                      if s.kind == "host" and s.name == f"{form.command.name}.{form.name}"), None)
        if given is None:
            given = {f.name: sample(f.param, form) for f in form.syntax.fields if f.param and not f.group}
        arguments = [f"{key}={value}" for key, value in given.items()]
        return shlex.join([self.spec.module, "encode", name, *arguments])

    # parameters

    def rows(self, owner: Owner) -> list[ParamDoc]:
        return [self.row(p, owner) for p in owner.params.values()]

    def row(self, p: Param, owner: Owner) -> ParamDoc:
        facts, at = words.param_facts(p), owner.to(p.name)
        life = self.life(p, p.path, say(code(f"<{p.name}>", at)), words.told_of_param)
        return ParamDoc(at, p.name, p.c_name, owner.way(p.name), one_line(p.doc) + "." * bool(facts or life.notes),
                        words.param_takes(p), words.values_of(p), facts, life)

    # lines

    def lone_line(self, line: Line) -> LineDoc:
        owner = Owner("line", line.name)
        owner.add(line.fields, "received")
        return self.line(line, owner, self.rows(owner))

    def line(self, line: Line, owner: Owner, params: list[ParamDoc]) -> LineDoc:
        at, shapes = anchor("line", line.name), self.shapes(line, owner)
        # a test's answer is told with its form
        life = Life() if line.kind == "test" else self.life(
            line, line.path, say(words.line_link(line)), lambda ln: self.told_of_line(ln, owner))
        return LineDoc(at, line.name, KINDS[line.kind], one_line(line.doc), line.section, shapes,
                       words.line_facts(line, owner.to), self.line_api(line), params, life, self.low.line_id(line))

    def shapes(self, line: Line, owner: Owner) -> list[tuple[str, Rich]]:
        return [(v.template.text, words.variant_note(v, owner.to) if i else say()) for i, v in enumerate(line.variants)]

    def told_of_line(self, line: Line, owner: Owner) -> list[Rich]:
        shapes = [say(code(text), ": " if note else "", note) for text, note in self.shapes(line, owner)]
        return [say(one_line(line.doc)), *shapes, *words.line_facts(line, owner.to)]

    def line_api(self, line: Line) -> str:
        if line.kind == "test" or not line.fields:
            return ""
        view = next(s for s in self.low.structs if s.name == self.low.struct_name(line))
        decoder = f"int {view.name}_decode(const struct at_line *line, struct {view.name} *out);"
        return tidy(self.struct(view.name, view.doc, view.members) + "\n" + wrap(decoder))

    # values and settings

    def table(self, table: ValueTable) -> TableDoc:
        view = lower_table(table, self.low.prefix)
        at = anchor("values", table.name)
        life = self.life(table, f"values.{table.name}", say("values of ", code(table.name, at)), words.told_of_table)
        entries = [self.value(table, v, e["enum"]) for v, e in zip(table.entries, view.entries)]
        names = [f"enum {view.name}", f"{view.name}_text()"] + [f"{view.name}_of()"] * bool(view.strings)
        return TableDoc(at, table.name, one_line(table.doc), table.section, names, table.open, entries,
                        self.users(table), life)

    def value(self, table: ValueTable, value: Value, enum: str) -> ValueDoc:
        at = anchor("values", table.name, str(value.key))
        life = self.life(value, f"values.{table.name}.entries.{value.key}", say(code(table.name), " ", code(words.wire(value), at)),
                         lambda v: [say(words.value_text(v))])
        return ValueDoc(at, words.wire(value), enum, words.value_text(value), life)

    def users(self, table: ValueTable) -> Rich:
        """What takes its values from a table."""
        found: dict[str, Rich] = {}
        for command in self.spec.commands:
            fields = [f for form in command.forms for f in form.syntax.fields]
            fields += [f for line in command.lines for f in line.fields]
            if any(f.param and f.param.values is table for f in fields):
                found[command.name] = say(link(command.text, anchor("command", command.name)))
        for line in self.spec.urcs + self.spec.finals:
            if any(f.param and f.param.values is table for f in line.fields):
                found[line.name] = say(link(line.name, anchor("line", line.name)))
        return joined(found.values())

    def setting(self, s: Setting) -> SettingDoc:
        at = anchor("setting", s.name)
        life = self.life(s, f"settings.{s.name}", say("setting ", code(s.name, at)),
                         lambda s: [say(one_line(s.doc)), *self.setting_facts(s)])
        return SettingDoc(at, s.name, one_line(s.doc), s.section, words.listed(s.values), self.setting_facts(s), life,
                          self.low.slot(s))

    def setting_facts(self, s: Setting) -> list[Rich]:
        out = [say("At first ", code(str(s.default)), "; ",
                   "stored, so it survives a restart" if s.stored == "nvram" else "not stored, so a restart forgets it", ".")]
        if s.per:
            out.append(say("One value for each ", code(s.per.name), f", {s.per.minimum} to {s.per.maximum}."))
        if s.read_by:
            refused = say("; where that is refused it is ", code(str(s.when_refused))) if s.when_refused is not None else say()
            out.append(say("Read by ", words.form_link(s.read_by), refused, "."))
        return out

    def session(self) -> list[Rich]:
        spec, out = self.spec, []
        for forms, what in (([spec.wake] if spec.wake else [], "Sent until it is answered, to wake the module: "),
                            (spec.start, "Sent once the module listens: "),
                            (spec.barrier, "After a timeout one of these must be answered before anything else is sent: ")):
            if forms:
                out.append(say(what, joined([words.form_link(f) for f in forms]), "."))
        if spec.firmware:
            out.append(say("Its answer names the firmware: ", words.form_link(spec.firmware), "."))
        if spec.reboot:
            out.append(say("A line that tells that the module has started anew: ",
                           joined([code(text) for text in spec.reboot], ", ", " or "), "."))
        return out

    # examples

    def example(self, example: Example, index: int) -> ExampleDoc:
        at = anchor("example", str(index))
        for step in example.steps:
            if step.kind == "host" and step.name:
                shown = self.shown.setdefault(step.name, [])
                place = say(link(f"{example.section} {example.title}", at))
                if place not in shown:
                    shown.append(place)
        told = story(example, self.step_to)
        wide, narrow = sequence(told)
        return ExampleDoc(at, example.section, example.title, told, wide, narrow, mermaid(told),
                          self.life(example, f"examples.{example.title}", say("dialogue ", link(f"{example.section} {example.title}", at)),
                                    lambda e: [say(code(s.text)) for s in e.steps if s.kind == "host"]))

    def step_to(self, step: Step) -> str:
        if step.kind == "host" and step.name:
            return anchor("form", *step.name.rsplit(".", 1))
        if step.kind == "module":
            plain_lines = [ln.name for ln in self.spec.finals if ln.variants[0].template.text == step.text]
            name = step.name or next(iter(plain_lines), "")
            return anchor("line", name) if name else ""
        return ""

    # availability

    def life(self, node: Any, path: str, place: Rich, told: Told) -> Life:
        """Of the node at a path, to which `place` leads."""
        feature = self.features.get(path)
        notes = [self.ask(feature)] if feature else []
        former = self.history.former(path, node, told)
        if former:
            self.former.setdefault(path, (place, former))
        life = Life(words.availability(node) or words.whys(self.history.whys(path)), notes + former)
        self.places.setdefault(path, (place, life))
        return life

    def ask(self, feature: Feature) -> Rich:
        return say("Only some firmware has it: ask ", code(f"{self.low.prefix}_supports(&firmware, {self.name(feature)})",
                                                           anchor("feature", feature.name)), ".")

    def name(self, feature: Feature, word: str = "FEATURE") -> str:
        return f"{self.low.upper}_{word}_{feature.name}"

    def feature(self, f: Feature) -> FeatureDoc:
        place = self.places[f.path][0] if f.path in self.places else say(code(f.text))
        return FeatureDoc(anchor("feature", f.name), f.name, f.text, place,
                          [f"{'until' if b.until else 'since'} {b.firmware}" for b in f.bounds],
                          [self.name(f), self.name(f, "HAS")])

    def asking(self, f: Feature) -> str:
        told = f"what {self.spec.firmware.syntax.text} answers" if self.spec.firmware else "what the module says of itself"
        prefix = self.low.prefix
        return (f"struct at_firmware firmware;\n{prefix}_firmware_parse(revision, &firmware); /* {told} */\n"
                f"if ({prefix}_supports(&firmware, {self.name(f)}))\n    ...")

    def availability(self, out: Manual) -> None:
        """What there is to say of all nodes together; those within what a view lacks aren't named."""
        out.columns = self.history.columns()
        gone = {path for column in out.columns for path in column.gone}
        known = sorted(self.places, key=lambda path: path.startswith("examples."))
        for path in [p for p in known if p in gone or self.places[p][1].badges] if out.columns else []:
            place, life = self.places[path]
            cells = self.history.cells(path, out.columns)
            untold = [b for b in life.badges if "no" not in cells or b.startswith("deprecated")]
            out.having.append(HavingDoc(place, cells, untold))
        out.former = list(self.former.values())
        out.features = [self.feature(f) for f in self.spec.features]
        if out.features:
            out.asking, out.run_time = self.asking(self.spec.features[0]), tidy(self.run_time())
        view = self.spec.view
        out.lacking = [LeftDoc(anchor("lacking", path), path, why) for path, why in (view.gone if view else {}).items()]
        out.reserved = [LeftDoc(anchor("reserved", r.path), r.path, one_line(r.because)) for r in self.spec.reserved]

    # coverage

    def sections(self) -> list[SectionDoc]:
        found = coverage.fill(self.spec, self.facts)
        out = []
        for row in found:
            if row.kind != "section":
                continue
            nodes: dict[Rich, list[str]] = {}       # a test and its answer are one node, and one place
            for node in coverage.parts(self.spec, row.name, found):
                tests = coverage.shown(node.tests) if self.facts is not None else ""
                nodes.setdefault(self.place(node), []).append(tests)
            held = [(place, ", ".join(dict.fromkeys(tests))) for place, tests in nodes.items()]
            hole = not row.tests or any(coverage.HOLE in tests for tests in nodes.values())
            out.append(SectionDoc(anchor("section", row.name), row.name, row.path, held, hole))
        return out

    def place(self, row: coverage.Row) -> Rich:
        """A node of the spec, leading to where it is described."""
        if row.kind == "line" and row.path.endswith(".test"):
            return say(code(row.path, anchor("form", *row.name.rsplit(".", 1))))
        if row.kind == "example":
            titles = [f"{e.section} {e.title}" for e in self.spec.examples]
            to = anchor("example", str(titles.index(row.name) + 1))
        elif row.kind == "form":
            to = anchor("form", *row.name.rsplit(".", 1))
        else:
            to = anchor(row.kind, *([] if row.kind == "session" else [row.name]))
        return say(code(row.path, to))


def sample(param: Param, form: Form) -> Union[int, str]:
    """A value that a parameter takes."""
    if param.kind == "integer":
        if form.data and form.data.length == param.name:
            return 4
        known = [param.supported, param.default, *(v.key for v in (param.values.entries if param.values else []))]
        return next((v for v in known if v is not None), max(param.minimum, min(1, param.maximum)))
    if param.values:
        return param.values.entries[0].key
    return {"host": "example.com", "ip": "192.0.2.1"}.get(param.form) or {
        "data": "data", "hex": "64617461"}.get(param.kind) or ("text" + param.minimum * "s")[:max(param.minimum, min(4, param.maximum))]


# Search -------------------------------------------------------------------------

def hits(manual: Manual) -> Iterable[Hit]:
    for c in manual.commands:
        yield Hit("command", c.title, c.doc, c.id, " ".join([c.name, c.section, *c.notes]))
        for f in c.forms:
            yield Hit("form", f.syntax, f.doc, f.id, f"{c.name}.{f.name} {declared(f.api)}")
    for urc in manual.urcs:
        yield Hit("URC", urc.shapes[0][0], urc.doc, urc.id, f"{urc.name} {urc.section} {urc.c_name} {declared(urc.api)}")
    for line in manual.finals:
        yield Hit("final", line.shapes[0][0], line.doc, line.id, f"{line.name} {line.c_name} {declared(line.api)}")
    for s in manual.settings:
        yield Hit("setting", s.name, s.doc, s.id, s.c_name)
    for t in manual.tables:
        yield Hit("values", t.name, t.doc, t.id, " ".join(t.c_names))
        for v in t.entries:
            yield Hit("value", v.wire.strip('"'), f"{v.text} ({t.name})", v.id, v.enum)
    for c in manual.commands:
        for p in c.params:
            yield Hit("parameter", p.name, f"{p.doc} ({c.title})", p.id, p.c_name)
        for line in c.lines:
            yield Hit("line", line.shapes[0][0], line.doc, line.id, f"{line.name} {line.c_name} {declared(line.api)}")
    for line in manual.urcs + manual.finals:
        for p in line.params:
            yield Hit("parameter", p.name, f"{p.doc} ({line.shapes[0][0]})", p.id, p.c_name)
    for e in manual.examples:
        yield Hit("dialogue", f"{e.section} {e.title}", "", e.id)
    for feature in manual.features:
        yield Hit("feature", feature.name, f"{feature.text}: asked for at run time", feature.id,
                  " ".join([*feature.names, declared(manual.run_time)]))
    for left in manual.lacking + manual.reserved:
        yield Hit("gone", left.path, left.why, left.id)
    for section in manual.sections:
        yield Hit("section", section.section, section.title, section.id)


def declared(api: str) -> str:
    """The names that C declares."""
    return " ".join(dict.fromkeys(re.findall(r"^(?:struct|enum|int|bool|#define) (\w+)", api, re.M)))


def index(manual: Manual) -> Markup:
    """The search's data, such that nothing in them can end the script they stand in."""
    data = json.dumps([[h.kind, h.title, h.text, h.id, h.more] for h in manual.hits],
                      ensure_ascii=False, separators=(",", ":"))
    return Markup(data.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
                  .replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


# Rendering ----------------------------------------------------------------------

@cache
def templates(html: bool) -> jinja2.Environment:
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=html, trim_blocks=True,
                             lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    env.filters.update(rich=to_html, md=to_markdown, cell=lambda r: to_markdown(r, True), code=markdown_code,
                       codecell=lambda t: markdown_code(t, True), block=markdown_block)
    return env


def render_html(manual: Manual) -> str:
    text = templates(True).get_template("doc.html.j2").render(
        manual=manual, spec=manual.spec, version=VERSION, index=index(manual), anchor=anchor,
        style=Markup((TEMPLATES / "doc.css").read_text("utf-8")),
        script=Markup((TEMPLATES / "doc.js").read_text("utf-8")))
    return re.sub(r"[ \t]+$", "", text, flags=re.M).strip() + "\n"


def render_markdown(manual: Manual) -> str:
    text = templates(False).get_template("doc.md.j2").render(manual=manual, spec=manual.spec, version=VERSION, anchor=anchor)
    return tidy(text)


FORMATS: dict[str, tuple[str, Callable[[Manual], str]]] = {
    "html": (".html", render_html), "markdown": (".md", render_markdown)}


def render_doc(spec: Spec, facts: Optional[coverage.Facts] = None, formats: Iterable[str] = FORMATS,
               narrowed: Optional[Mapping[str, Spec]] = None) -> dict[str, str]:
    """File name to content. `narrowed`: the spec in each of its views, to tell what they have."""
    manual = Author(spec, facts, narrowed).write()
    return {spec.module + suffix: made(manual) for name, (suffix, made) in FORMATS.items() if name in formats}


# The `doc` command --------------------------------------------------------------

def add_doc(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "doc", help="write the reference manual",
        description="Writes the reference manual of a spec: NAME.html, one page that needs no network and nothing "
                    "beside it, and NAME.md. Files that would not change are left alone.")
    parser.add_argument("spec", metavar="SPEC", help="the spec of a module")
    parser.add_argument("-o", dest="output", metavar="DIR", required=True, type=folder, help="where they go")
    parser.add_argument("--format", choices=(*FORMATS, "both"), default="both")
    parser.add_argument("--tests", metavar="DIR", help="what tests recorded that ran with AT_COVERAGE_DIR=DIR: "
                        "the coverage table then names them")
    add_view_options(parser)
    parser.set_defaults(run=doc)


def doc(args: argparse.Namespace) -> int:
    if not rails.AVAILABLE:
        print(f"atspec: {rails.MISSING}", file=sys.stderr)
        return 2
    spec = spec_or_report(args.spec, args.at, args.overlays)
    if spec is None:
        return 1
    facts = coverage.read_facts(Path(args.tests)) if args.tests else None
    narrowed = {} if args.at else specs_of_views(args.spec, spec.views, args.overlays)
    try:
        files = render_doc(spec, facts, FORMATS if args.format == "both" else [args.format], narrowed)
    except LowerError as e:
        print(e.placed(args.spec), file=sys.stderr)
        return 1
    return write(files, args.output)
