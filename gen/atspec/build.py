"""From spec files to the model: every name resolved, every expression parsed."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from typing import Callable, Iterable, Optional, TypeVar, Union

from . import check
from .availability import Availability, Gone, Narrowed
from .diag import Diagnostic, Report, nearest
from .load import Node, Source, load
from .model import (Command, Completion, Condition, Count, Data, Deadline, Effect, Example, Field,
                    Form, Line, Mark, Param, Payload, Reserved, Rule, Setting, Spec, Step, Template,
                    Value, ValueTable, Variant)
from .model import View as NarrowedTo
from .names import RESERVED, command_text, flat_case, is_c_name, snake_case
from .notation import Scope, parse_command, parse_line
from .overlay import Overlay, Removal, amend
from .reserved import canonical
from .tokens import test_tokens

BYTES = {"ctrl-z": 26, "esc": 27}
LEAST, GREATEST = -2147483648, 4294967295
LONGEST_MS = 2**31 - 1
REMOVED = "remove what names it too, or all of that with `remove: cascade`"
SHORTHANDS = ("read", "execute", "set")
# Keys that only some types of parameter have.
PARAM_KEYS: dict[str, set[str]] = {
    "integer": {"range", "values", "supported", "default", "unit"}, "string": {"values", "form", "max", "min"},
    "text": {"max", "min", "rest", "quoted"}, "data": set(), "hex": set()}
_SECONDS = {"s": 1000, "ms": 1}
_DEADLINE = re.compile(r"(?:(?P<n>[0-9]{1,9})|(?P<field>\w+)|\((?P<sum>\w+) \+ (?P<add>[0-9]{1,9})\))"
                       r" (?P<unit>ms|s)(?: \* (?P<times>[A-Za-z]\w*))?")
_COUNT = re.compile(r"(?:(?P<line>\w[\w. ]*)\.)?(?P<field>[A-Za-z]\w*)(?: \+ (?P<add>[0-9]{1,9}))?")
_SETTING = re.compile(r"(?P<name>\w+)(?:\[(?P<key>\w+)\])?")
_CONDITION = re.compile(_SETTING.pattern + r" == (?P<value>-?[0-9]{1,9})")

T = TypeVar("T")
Available = TypeVar("Available", Command, Form, Line, Param, Setting, Value)


def load_spec(path: str, fragment: bool = False, at: Optional[str] = None,
              overlays: Iterable[str] = ()) -> tuple[Optional[Spec], list[Diagnostic]]:
    """The spec at a path with all findings; None if one of them is an error.

    A `fragment` (a file without `module`, made to be included) is let through
    on demand. `overlays` are files that amend it; `at` is the firmware or the
    revision of the manual to narrow it to, None: everything. Raises OSError if
    the file itself, or an overlay, can't be read.
    """
    report = Report()
    sources = load(path, report)
    applied: list[Overlay] = []
    removals: list[Removal] = []
    if not report.failed:
        applied, removals = amend(sources, overlays, report)
    spec = None
    if not report.failed:
        spec = _build(sources, applied, removals, fragment, at, report)
    if spec and not report.failed:     # the proofs need a spec without holes
        check.check(spec, report)
    return (None if report.failed else spec), report.diagnostics()


def _build(sources: list[Source], overlays: list[Overlay], removals: list[Removal], fragment: bool,
           at: Optional[str], report: Report) -> Optional[Spec]:
    available = Availability(sources, report)
    if overlays:    # what the spec said of firmware before something was taken out
        available.learn(Availability(load(sources[-1].path, Report()), Report()))
    removed = {name: Gone(r.path, "was removed", r.mark, REMOVED) for r in removals for name in r.names}
    builder = Builder(sources, report, Narrowed(names=removed))
    if not fragment and not builder.root.get("module"):
        report.add("E015", builder.root.mark, "the spec has no `module`")
    spec = builder.build()
    view = available.view(at) if at is not None else None
    if view and not report.failed:
        report.context = f"in {view.name}: "
        narrowed = available.narrow(view)
        narrowed.names = removed | narrowed.names
        if report.failed:       # what is left may have lost what the language demands
            return None
        everything, spec = spec, Builder(sources, report, narrowed).build()
        spec.view = NarrowedTo(view.name, {g.path: g.why for g in narrowed.gone.values()}, everything)
    files = [s.content for s in [sources[-1], *sources[:-1]]] + [o.content for o in overlays]
    spec.sha256 = hashlib.sha256(b"".join(files) + (f"\0{at}".encode() if at is not None else b"")).hexdigest()
    spec.overlays = [os.path.basename(o.path) for o in overlays]
    spec.series, spec.features, spec.views = available.series(), available.features, available.views()
    return spec


def spec_or_report(path: str, at: Optional[str] = None, overlays: Iterable[str] = ()) -> Optional[Spec]:
    """The spec, or None; what is wrong with it goes to stderr."""
    spec, diagnostics = load_spec(path, at=at, overlays=overlays)
    for diagnostic in sorted(diagnostics):
        print(diagnostic, file=sys.stderr)
    return spec


def specs_of_views(path: str, views: Iterable[str], overlays: Iterable[str]) -> dict[str, Spec]:
    """A sound spec narrowed to each view. One that is broken in a view is left out: `check` says why."""
    found = {view: load_spec(path, at=view, overlays=overlays)[0] for view in views}
    return {view: spec for view, spec in found.items() if spec}


class Builder:
    def __init__(self, sources: list[Source], report: Report, narrowed: Optional[Narrowed] = None) -> None:
        self.sources, self.report = sources, report     # included files first
        self.narrowed = narrowed or Narrowed()
        self.root = sources[-1].root
        self.tables: dict[str, ValueTable] = {}
        self.settings: dict[str, Setting] = {}
        self.file_params: dict[str, dict[str, Param]] = {}
        self.lines: dict[str, Line] = {}
        self.kinds: dict[str, str] = {}                 # role of a command's line
        self.forms: dict[str, Form] = {}
        self.commands: list[Command] = []
        self.rules: list[Rule] = []
        self.used: set[int] = set()                     # parameters and tables, by id
        self.all_params: list[Param] = []
        self.asks: dict[int, Node] = {}                 # what forms say of it, by id

    # --- helpers ---

    def error(self, code: str, mark: Mark, message: str, hint: str = "") -> None:
        self.report.add(code, mark, message, hint)

    def find(self, known: dict[str, T], node: Node, code: str, what: str,
             mark: Optional[Mark] = None, name: Optional[str] = None) -> Optional[T]:
        """What a scalar names, or None with a diagnostic."""
        name = str(node.value) if name is None else name
        gone = self.narrowed.names.get((what, name))
        if name not in known and gone:
            self.gone(gone, mark or node.mark, f"the {what} `{name}`")
        elif name not in known:
            self.error(code, mark or node.mark, f"unknown {what} `{name}`", nearest(name, known))
        return known.get(name)

    def gone(self, gone: Gone, mark: Mark, what: str) -> None:
        self.error("E101", mark, f"{what} {gone.why} ({gone.mark.file}:{gone.mark.line})", gone.hint)

    def all(self, key: str) -> Iterable[tuple[Source, str, Node, Mark]]:
        """The entries of a top-level mapping of every file; a name once only."""
        first: dict[str, Mark] = {}
        for source in self.sources:
            for name, node in source.root.pairs(key):
                mark = source.root.entries[key].keys[name].mark
                if name in first:
                    self.error("E036", mark, f"`{name}` is defined in {first[name].file}:{first[name].line} already")
                    continue
                first[name] = mark
                yield source, name, node, mark

    def duration(self, node: Optional[Node]) -> int:
        if not node:
            return 0
        number, unit = str(node.value).split()
        milliseconds = int(number) * _SECONDS[unit]
        if milliseconds > LONGEST_MS:
            self.error("E050", node.mark, f"`{node.value}` is {milliseconds} ms, which is more than 32 bits hold")
        return milliseconds

    def range(self, node: Node) -> tuple[int, int]:
        """A range or a single number; the schema has checked its form."""
        low, _, high = str(node.value).partition("..")
        low_n, high_n = int(low), int(high or low)
        if low_n > high_n or low_n < LEAST or high_n > GREATEST:
            self.error("E050", node.mark, f"`{node.value}` isn't a range of numbers that fit")
        return low_n, high_n

    @staticmethod
    def available(made: Available, node: Node) -> Available:
        """What a node says of its availability."""
        for key in ("since", "until", "deprecated"):
            given = node.get(key)
            setattr(made, key, given.plain() if given else None)
        return made

    def section(self, owner: Node, own: bool = False) -> str:
        """The section of a node. Only numbers of this manual are checked: what
        an included file says, and `V.250 5.2`, refer to other documents."""
        node, source = owner.get("section"), self.root.get("source")
        own = own or bool(node and re.fullmatch(r"[0-9]\S*", str(node.value)))
        if node and source and own and node.mark.file == self.root.mark.file:
            known = source.entries["sections"].entries
            if node.value not in known:
                self.error("E081", node.mark, f"section {node.value} isn't listed")
        return owner.text("section")

    def c_name(self, node: Node, derived: str, mark: Mark, member: bool) -> str:
        given = node.get("c_name")
        name, mark = (str(given.value), given.mark) if given else (derived, mark)
        if not is_c_name(name):
            self.error("E042", mark, f"`{name}` can't be a name in C")
        elif member and name in RESERVED:
            self.error("E041", mark, f"`{name}` is a reserved word in C or C++")
        return name

    # --- the whole ---

    def build(self) -> Spec:
        for source, name, node, mark in self.all("values"):
            self.tables[name] = self.table(name, node, mark)
        self.name_clashes((f"{t.name}_{v.name}".upper(), v.mark) for t in self.tables.values() for v in t.entries)
        for source in self.sources:
            self.file_params[source.path] = self.params(source.root, "parameters")
        for source, name, node, mark in self.all("settings"):
            self.setting(name, node, mark, self.scope(source))
        finals = [self.final(name, node, mark, source) for source, name, node, mark in self.all("finals")]
        urcs = [self.line(name, node, mark, self.scope(source), "urc", f"urcs.{name}")
                for source, name, node, mark in self.all("urcs")]
        # Forms may name lines of commands further down, so lines come first.
        commands = list(self.all("commands"))
        scopes = [self.command_lines(name, node, mark, source) for source, name, node, mark in commands]
        for (_, _, node, _), command, scope in zip(commands, self.commands, scopes):
            self.command_forms(command, node, scope)
        self.roles()
        self.read_by()
        for source in self.sources:
            self.rules += self.rule_list(source.root)
        self.check_names()
        self.unused()
        return self.spec(finals, urcs)

    def spec(self, finals: list[Line], urcs: list[Line]) -> Spec:
        root, info = self.root, self.root.get("source") or Node("map", self.root.mark)
        sections = info.get("sections") or Node("map", self.root.mark)
        wake, start, barrier, reboot = self.session()
        firmware = self.firmware()
        self.asking([wake, firmware, *barrier])
        marks = {f"sections.{n}": k.mark for n, k in sections.keys.items()}
        if root.get("module"):
            marks["module"] = root.entries["module"].mark
        marks.update({f"reboot.{n.value}": n.mark for n in reboot})
        files = [self.sources[-1]] + self.sources[:-1]
        return Spec(
            module=root.text("module"), title=root.text("title"), document=info.text("document"),
            version=info.text("version"), date=info.text("date"),
            sections={n: str(v.value) for n, v in sections.entries.items()},
            devices=[str(n.value) for n in root.list("devices")],
            revisions=[str(n.value) for n in root.list("revisions")],
            settings=list(self.settings.values()), values=list(self.tables.values()),
            commands=self.commands, finals=finals, urcs=urcs, rules=self.rules,
            wake=wake, start=start, barrier=barrier, reboot=[str(n.value) for n in reboot], firmware=firmware,
            examples=[self.example(n) for n in root.list("examples")], covered_by=self.coverage(sections),
            files=[s.path for s in files], sha256="",
            name=os.path.basename(files[0].path), marks=marks, reserved=self.reserved(),
            response_time=self.default_time(),
            covered_doc={n: node.text("doc") for n, node in root.pairs("coverage")})

    # --- values, parameters, settings ---

    def table(self, name: str, node: Node, mark: Mark) -> ValueTable:
        entries = []
        keys = node.entries["entries"].keys
        for key, entry in node.pairs("entries"):
            wire = keys[key].value
            assert isinstance(wire, (int, str))
            entries.append(self.available(Value(wire, entry.text("name"), entry.text("text"), entry.text("doc"),
                                                mark=keys[key].mark), entry))
            if type(wire) is not type(entries[0].key):    # noqa: E721, as a bool is an int
                self.error("E057", keys[key].mark, f"`{key}` among keys of another type")
            elif isinstance(wire, int) and not LEAST <= wire <= GREATEST:
                self.error("E050", keys[key].mark, f"{key} is too large a number")
            elif isinstance(wire, str) and not re.fullmatch(r"[ !#-~]+", wire):
                self.error("E025", keys[key].mark, f"`{key}` can't stand in a quoted string")
        opened = node.get("open")
        return ValueTable(name, node.text("doc"), entries, bool(opened and opened.value),
                          self.section(node), mark)

    def params(self, owner: Node, path: str) -> dict[str, Param]:
        found = {}
        for name, node in owner.pairs("parameters"):
            mark = owner.entries["parameters"].keys[name].mark
            found[name] = self.available(self.param(name, node, mark), node)
            found[name].path = f"{path}.{name}"
        self.all_params += found.values()
        return found

    def param(self, name: str, node: Node, mark: Mark) -> Param:
        kind = node.text("type")
        for key in node.entries:
            if key not in PARAM_KEYS[kind] | {"type", "doc", "c_name", "since", "until", "deprecated"}:
                self.error("E053", node.keys[key].mark, f"`{key}` makes no sense for type {kind}")
        p = Param(name, self.c_name(node, snake_case(name), mark, True), kind, node.text("doc"),
                  form=node.text("form"), unit=node.text("unit"), mark=mark)
        p.rest = bool(node.get("rest") and node.entries["rest"].value)
        p.quoted = bool(node.get("quoted") and node.entries["quoted"].value)
        values = node.get("values")
        if values and "values" in PARAM_KEYS[kind]:
            p.values = self.find(self.tables, values, "E030", "table of values")
            if p.values:
                self.used.add(id(p.values))
                self.values_fit(p, values)
        if kind == "integer":
            self.integer(p, node, mark)
        elif kind in ("string", "text"):
            self.string(p, node, mark)
        return p

    def values_fit(self, p: Param, node: Node) -> None:
        assert p.values
        wanted = int if p.kind == "integer" else str
        if any(type(v.key) is not wanted for v in p.values.entries):
            self.error("E057", node.mark, f"the keys of `{p.values.name}` aren't all of type {p.kind}")
            p.values = None

    def integer(self, p: Param, node: Node, mark: Mark) -> None:
        limits = node.get("range")
        if limits:
            p.minimum, p.maximum = self.range(limits)
        elif p.values:
            keys = [v.key for v in p.values.entries if isinstance(v.key, int)]
            p.minimum, p.maximum = min(keys), max(keys)
        elif not node.get("values"):
            self.error("E054", mark, f"<{p.name}> has neither `range` nor `values`")
            return
        else:
            return      # its table was reported
        for key in ("supported", "default"):
            given = node.get(key)
            if given:
                assert isinstance(given.value, int)
                setattr(p, key, given.value)
                if not p.minimum <= given.value <= p.maximum:
                    self.error("E051", given.mark, f"{key} {given.value} is outside {p.minimum}..{p.maximum}")

    def string(self, p: Param, node: Node, mark: Mark) -> None:
        longest, shortest = node.get("max"), node.get("min")
        p.minimum = int(str(shortest.value)) if shortest else 0
        if longest:
            p.maximum = int(str(longest.value))
        elif p.values:
            p.maximum = max(len(str(v.key)) for v in p.values.entries)
        elif not node.get("values"):
            self.error("E052", mark, f"<{p.name}> has no `max`")
            return
        if shortest and p.minimum > p.maximum:
            self.error("E050", shortest.mark, f"min {p.minimum} is above max {p.maximum}")

    def scope(self, source: Source, local: Optional[dict[str, Param]] = None) -> Scope:
        """Parameters by precedence: the command's, the file's, the included."""
        tables = [local] if local else []
        todo = [source]
        for s in todo:
            tables.append(self.file_params[s.path])
            todo += [i for i in s.includes if i not in todo]
        return Scope(*tables)

    def setting(self, name: str, node: Node, mark: Mark, scope: Scope) -> None:
        table = self.find(self.tables, node.entries["values"], "E030", "table of values")
        if not table:
            return
        self.used.add(id(table))
        s = Setting(name, table, self.in_table(node.entries["default"], table), node.text("stored"),
                    node.text("doc"), self.section(node), mark=mark)
        per, refused = node.get("per"), node.get("when_refused")
        if refused:
            s.when_refused = self.in_table(refused, table)
        if per:
            s.per = self.find({n: scope.find(n) for n in scope.names()}, per, "E023", "parameter")
            if s.per and (s.per.kind != "integer" or s.per.minimum < 0 or s.per.maximum > 255):
                self.error("E056", per.mark, f"<{s.per.name}> isn't an integer within 0..255")
        self.settings[name] = self.available(s, node)

    def in_table(self, node: Node, table: ValueTable) -> int:
        value = int(str(node.value))
        if all(v.key != value for v in table.entries):
            self.error("E055", node.mark, f"{value} isn't in the table `{table.name}`")
        return value

    # --- lines ---

    def final(self, name: str, node: Node, mark: Mark, source: Source) -> Line:
        line = self.line(name, node, mark, self.scope(source), "final", f"finals.{name}")
        line.outcome = node.text("outcome")
        return line

    def line(self, name: str, node: Node, mark: Mark, scope: Scope, kind: str, path: str,
             command: Optional[Command] = None) -> Line:
        line = Line(name, self.c_name(node, flat_case(name), mark, False), kind, [],
                    node.text("doc") or (command.doc if command else ""), self.section(node) or (command.section if command else ""),
                    evidence=node.text("evidence"), command=command, mark=mark, path=path)
        self.available(line, node)
        for n in [node] + node.list("also"):
            template = self.template(n.entries["line"], lambda text, at: parse_line(text, at, scope, self.report))
            if template:
                self.limits(n.get("only"), template)
                first = n is node
                line.variants.append(Variant(template, "" if first else n.text("doc"),
                                             "" if first else n.text("evidence")))
        (command.rules if command else self.rules).extend(self.rule_list(node))
        extra = node.get("extra_fields")
        if extra:
            line.extra_fields = extra.kind == "map" or bool(extra.value)
            line.extra_evidence, line.extra_doc = extra.text("evidence"), extra.text("doc")
        if len(line.variants) == 1 + len(node.list("also")):    # else fields are missing
            fields = line.variants[0].template.fields
            self.shown(node, fields)
            line.payload = self.payload(node.get("payload"), fields)
            line.sets = self.effects(node, line.fields)
        self.add_line(line)
        return line

    def add_line(self, line: Line) -> None:
        assert line.mark
        if line.name in self.lines:
            first = self.lines[line.name].mark
            assert first
            self.error("E036", line.mark, f"the line `{line.name}` is defined in {first.file}:{first.line} already")
        self.lines[line.name] = line

    def template(self, node: Node, parse: Callable[..., Optional[Template]]) -> Optional[Template]:
        template = parse(str(node.value), node.at)
        if template:
            self.used.update(id(f.param) for f in template.fields if f.param)
        return template

    def field(self, fields: list[Field], name: str, mark: Mark) -> Optional[Field]:
        known = {f.name: f for f in fields if f.param}
        gone = self.narrowed.names.get(("parameter", name))
        if name not in known and gone:
            self.gone(gone, mark, f"<{name}>")
        elif name not in known:
            self.error("E034", mark, f"no field <{name}> in the line", nearest(name, known))
        return known.get(name)

    def limits(self, only: Optional[Node], template: Template) -> None:
        for name, node in (only.entries.items() if only else ()):
            assert only
            field = self.integer_field(template.fields, name, only.keys[name].mark, "E034")
            if field:
                field.limits = self.range(node)

    def integer_field(self, fields: list[Field], name: str, mark: Mark, code: str) -> Optional[Field]:
        field = self.field(fields, name, mark)
        if field and field.param and field.param.kind != "integer":
            self.error(code, mark, f"<{name}> isn't an integer")
            return None
        return field

    def shown(self, node: Node, fields: list[Field]) -> None:
        shown = node.get("shown")
        for name, text in node.pairs("shown"):
            assert shown
            field = self.field(fields, name, shown.keys[name].mark)
            condition = self.condition(text, fields)
            if field and not field.group:
                self.error("E068", shown.keys[name].mark, f"<{name}> is always in the line")
            if field:
                field.shown = condition

    def payload(self, node: Optional[Node], fields: list[Field]) -> Optional[Payload]:
        if not node:
            return None
        length = node.entries["length"]
        field = self.integer_field(fields, str(length.value), length.mark, "E062")
        limits = self.range(node.entries["range"])
        if limits[0] < 1:
            self.error("E062", node.entries["range"].mark, "a payload has at least one byte",
                       "let a further shape with `only: {length: 0}` stand for an empty one")
        if field:
            field.limits = limits
        inline, when = node.get("inline"), node.get("when")
        return Payload(str(length.value), limits, self.format(node.entries["format"]),
                       self.switch(inline) if inline else None,
                       self.condition(when, fields) if when else None, node.mark)

    def format(self, node: Node) -> Union[Setting, str]:
        if node.value in ("text", "hex"):
            return str(node.value)
        return self.switch(node) or "text"

    def switch(self, node: Node) -> Optional[Setting]:
        """A setting of values 0 and 1 that isn't kept per anything."""
        setting = self.find(self.settings, node, "E031", "setting")
        if setting and setting.per:
            self.error("E056", node.mark, f"`{setting.name}` has a value for each <{setting.per.name}>")
        if setting and {v.key for v in setting.values.entries} != {0, 1}:
            self.error("E055", node.mark, f"`{setting.name}` can't serve here: its values aren't 0 and 1")
        return setting

    def indexed(self, name: str, key: Optional[str], fields: list[Field], node: Node, mark: Mark) -> Optional[Setting]:
        """A setting with the field that indexes it."""
        setting = self.find(self.settings, node, "E031", "setting", mark, name)
        if not setting:
            return None
        if setting.per is None and key:
            self.error("E056", mark, f"`{name}` has one value and no index")
        elif setting.per and key != setting.per.name:
            self.error("E056", mark, f"`{name}` is indexed with <{setting.per.name}>: {name}[{setting.per.name}]")
        elif key:
            self.field(fields, key, mark)
        return setting

    def condition(self, node: Node, fields: list[Field]) -> Optional[Condition]:
        m = _CONDITION.fullmatch(str(node.value))
        if not m:
            self.error("E035", node.mark, f"`{node.value}` isn't a condition", "write `setting == 1` or `setting[field] == 1`")
            return None
        setting = self.indexed(m["name"], m["key"], fields, node, node.mark)
        value = int(m["value"])
        if setting and all(v.key != value for v in setting.values.entries):
            self.error("E055", node.mark, f"{value} isn't in the table `{setting.values.name}`")
        return Condition(setting, m["key"], value, node.mark) if setting else None

    def effects(self, owner: Node, fields: list[Field]) -> list[Effect]:
        found = []
        for text, node in owner.pairs("sets"):
            mark = owner.entries["sets"].keys[text].mark
            m = _SETTING.fullmatch(text)
            if not m:
                self.error("E035", mark, f"`{text}` isn't a setting", "write `setting` or `setting[field]`")
                continue
            setting = self.indexed(m["name"], m["key"], fields, node, mark)
            field = self.field(fields, str(node.value), node.mark)
            if setting and field and field.param:
                if field.param.values is not setting.values:
                    self.error("E066", node.mark, f"<{field.name}> doesn't take its values from `{setting.values.name}`")
                found.append(Effect(setting, m["key"], field.name, mark))
        return found

    def rule_list(self, owner: Node) -> list[Rule]:
        return [Rule(n.text("choose"), n.text("over"), n.text("because"), n.mark) for n in owner.list("rules")]

    # --- commands ---

    def command_lines(self, name: str, node: Node, mark: Mark, source: Source) -> Scope:
        command = self.available(Command(name, self.section(node), node.text("doc"), mark=mark,
                                         notes=[str(n.value) for n in node.list("notes")]), node)
        self.commands.append(command)
        scope = self.scope(source, self.params(node, f"commands.{name}.parameters"))
        command.rules += self.rule_list(node)
        for line_name, n in node.pairs("lines"):
            line_mark = node.entries["lines"].keys[line_name].mark
            path = f"commands.{name}.lines.{line_name}"
            command.lines.append(self.line(line_name, n, line_mark, scope, "", path, command))
        if node.list("test"):
            command.lines.append(self.test_line(command, node))
        return scope

    def test_line(self, command: Command, node: Node) -> Line:
        name = f"{command.name}.test"
        line = Line(name, flat_case(name), "test", [], f"What {command_text(command.name)} takes", command.section,
                    command=command, mark=node.keys["test"].mark, path=f"commands.{command.name}.test")
        head = command_text(command.name).removeprefix("AT") + ":"
        for n in node.list("test"):
            text = str(n.value)
            if not re.fullmatch(r"[ -~]*", text):
                self.error("E025", n.mark, "a test answer holds a character that isn't printable ASCII")
            elif not text.startswith(head) or not test_tokens(text[len(head):]):
                self.error("E067", n.mark, f"`{text}` isn't an answer to {command_text(command.name)}=?")
            line.variants.append(Variant(Template(text, head, [], n.mark)))
        self.add_line(line)
        return line

    def command_forms(self, command: Command, node: Node, scope: Scope) -> None:
        nodes: list[tuple[str, Node, Mark]] = []
        if node.get("test"):
            self.test_form(command, node)
        nodes += [(k, node.entries[k], node.keys[k].mark) for k in SHORTHANDS if k in node.entries]
        nodes += [(k, n, node.entries["forms"].keys[k].mark) for k, n in node.pairs("forms")]
        for name, n, mark in nodes:
            path = f"commands.{command.name}." + (name if n is node.get(name) else f"forms.{name}")
            template = self.template(n.entries["syntax"], lambda text, at: parse_command(
                text, at, scope, self.report, command.name))
            if template:
                self.form(Form(name, "", command, template, n.text("doc") or command.doc, mark=mark, path=path), n)

    def test_form(self, command: Command, node: Node) -> None:
        mark = node.keys["test"].mark
        syntax = command_text(command.name) + "=?"
        form = Form("test", flat_case(command.name) + "_test", command, Template(syntax, syntax, [], mark),
                    f"Ask what {command_text(command.name)} takes", mark=mark, path=f"commands.{command.name}.test",
                    response_time=self.response_time(node))
        if node.list("test"):
            line = self.lines[f"{command.name}.test"]
            form.test_lines = [v.template.text for v in line.variants]
            form.response = [(line, 1, len(line.variants))]
        self.add_form(form)

    def response_time(self, node: Node) -> int:
        given = node.get("response_time")
        return self.duration(given) if given else self.default_time()

    def default_time(self) -> int:
        defaults = self.root.get("defaults")
        return self.duration(defaults.get("response_time") if defaults else None)

    def add_form(self, form: Form) -> None:
        name = f"{form.command.name}.{form.name}"
        assert form.mark
        if name in self.forms:
            self.error("E036", form.mark, f"the form {name} is defined already")
        self.forms[name] = form
        form.command.forms.append(form)

    def form(self, form: Form, node: Node) -> None:
        assert form.mark
        derived = flat_case(form.command.name) + ("" if form.name == "set" else "_" + form.name)
        form.c_name = self.c_name(node, derived, form.mark, bool(form.syntax.fields))   # a member of the module's union
        self.available(form, node)
        form.response_time = self.response_time(node)
        final = node.get("final")
        if final:
            form.final_optional = bool(final.entries["optional"].value)
            form.final_evidence, form.final_doc = final.text("evidence"), final.text("doc")
        fields = form.syntax.fields
        form.sets = self.effects(node, fields)
        asks = node.get("asks")
        if asks:
            self.asks[id(form)] = asks
        form.data = self.data(node.get("data"), form)
        for name, count in node.pairs("response"):
            mark = node.entries["response"].keys[name].mark
            line = self.find(self.lines, count, "E032", "line", mark, name)
            least, most = self.range(count)
            if least < 0 or most < 1:
                self.error("E050", count.mark, f"a form can't answer with {count.value} lines")
            if line:
                form.response.append((line, least, most))
                self.role(line, "response", mark)
        reads = node.get("reads")
        if reads:
            form.reads = str(reads.value)
            self.field(fields, form.reads, reads.mark)
        for n in node.list("then"):
            self.completion(form, n)
        within = node.get("within")
        if within:
            form.within = self.deadline(within, fields)
        if form.then and all(c.ends == "never" for c in form.then) and not any(
                n.get("times") for n in node.list("then")):
            self.error("E064", node.entries["then"].mark, f"nothing in `then` ends {form.command.name}.{form.name}")
        self.add_form(form)

    def data(self, node: Optional[Node], form: Form) -> Optional[Data]:
        fields = form.syntax.fields
        bulk = [f for f in fields if f.param and f.param.kind in ("data", "hex")]
        if not node:
            for f in bulk:
                self.error("E063", f.mark or form.syntax.mark, f"<{f.name}> holds data, but the form has no `data`")
            return None
        source, length, until = (node.text(k) for k in ("in", "length", "until"))
        if source != "prompt" and source not in [f.name for f in bulk]:
            self.error("E063", node.entries["in"].mark, f"`{source}` is neither `prompt` nor data in the syntax")
        elif (source == "prompt") == bool(bulk):
            self.error("E063", node.entries["in"].mark, "data both in the command and after a prompt")
        if length:
            self.integer_field(fields, length, node.entries["length"].mark, "E063")
        if source == "prompt" and bool(length) == bool(until):
            self.error("E063", node.mark, "data after a prompt end by `length` or by `until`: give one of them")
        for key in ("until", "cancel", "echo"):
            if source != "prompt" and node.get(key):
                self.error("E063", node.keys[key].mark, f"`{key}` makes sense after a prompt only")
        fmt = self.format(node.entries["format"])
        limits = node.entries["max"]
        for key in (["text", "hex"] if isinstance(fmt, Setting) else [fmt]):
            if not limits.get(key):
                self.error("E063", limits.mark, f"no `max` for data in format {key}")
        echo = node.get("echo")
        return Data(source, length, fmt, int(limits.text("text", "0")), int(limits.text("hex", "0")),
                    BYTES.get(until), BYTES.get(node.text("cancel")), self.switch(echo) if echo else None, node.mark)

    def role(self, line: Line, kind: str, mark: Mark) -> None:
        """Note what a form takes a line for."""
        had = self.kinds.setdefault(line.name, line.kind or kind)
        if had == kind or (kind == "result" and had in ("urc", "final")):
            return
        self.error("E061", mark, f"`{line.name}` is a {had} line, so it can't be a {kind} line too")

    def completion(self, form: Form, node: Node) -> None:
        key = "final" if node.get("final") else "line"
        target = node.entries[key]
        line = self.find(self.lines, target, "E039" if key == "final" else "E032", key)
        if not line:
            return
        if (key == "final") != (line.kind == "final") or line.outcome in ("ok", "error"):
            self.error("E039", target.mark, f"`{line.name}` can't follow a final result code as a {key}")
            return
        self.role(line, "result", target.mark)
        done = Completion(line, node.text("match"), node.text("status"), mark=node.mark,
                          ends="always" if key == "final" else "never")
        if done.match:
            self.field(line.fields, done.match, node.entries["match"].mark)
            self.field(form.syntax.fields, done.match, node.entries["match"].mark)
        if done.status:
            self.integer_field(line.fields, done.status, node.entries["status"].mark, "E065")
        ends, times = node.get("ends"), node.get("times")
        if ends and ends.kind == "map":
            done.ends = {}
            for name, values in ends.entries.items():
                self.integer_field(line.fields, name, ends.keys[name].mark, "E065")
                done.ends[name] = [int(str(v.value)) for v in values.items]
        elif ends:
            done.ends = "always" if ends.value == "always" else "never"
        if times:
            done.times = self.count(times, form)
        form.then.append(done)

    def countable(self, fields: list[Field], name: str, mark: Mark) -> None:
        field = self.integer_field(fields, name, mark, "E065")
        if field and field.param and field.group and field.param.default is None:
            self.error("E065", mark, f"<{name}> may be absent and has no default")

    def count(self, node: Node, form: Form) -> Optional[Count]:
        """`4`, `ping_num + 1`, `dnsgip.IP_count`."""
        if node.kind == "int":
            if int(str(node.value)) < 1:
                self.error("E035", node.mark, "a count is at least 1")
            return Count("", "", int(str(node.value)), node.mark)
        m = _COUNT.fullmatch(str(node.value))
        if not m:
            self.error("E035", node.mark, f"`{node.value}` isn't a count", "write `4`, `field`, `field + 1` or `line.field`")
            return None
        count = Count(m["line"] or "", m["field"], int(m["add"] or 0), node.mark)
        if not count.line:
            self.countable(form.syntax.fields, count.field, node.mark)
            return count
        earlier = {c.line.name: c.line for c in form.then}
        line = self.find(earlier, node, "E032", "earlier line", node.mark, count.line)
        if line:    # the field may be absent: then the count stays open
            self.integer_field(line.fields, count.field, node.mark, "E065")
        return count

    def deadline(self, node: Node, fields: list[Field]) -> Optional[Deadline]:
        """`60 s`, `time_out s`, `(time_out + 1) s * ping_num`."""
        m = _DEADLINE.fullmatch(str(node.value))
        if not m:
            self.error("E035", node.mark, f"`{node.value}` isn't a time", "write `60 s`, `field s` or `(field + 1) s * field`")
            return None
        name, times = m["field"] or m["sum"] or "", m["times"] or ""
        done = Deadline(int(m["n"] or 1) * _SECONDS[m["unit"]], name, int(m["add"] or 0), times, node.mark)
        longest = done.milliseconds
        for field in filter(None, (name, times)):
            self.countable(fields, field, node.mark)
            most = next((f.param.maximum for f in fields if f.param and f.name == field), 1)
            longest *= most + (done.add if field == name else 0)
        if longest > LONGEST_MS:
            self.error("E050", node.mark, f"`{node.value}` can be {longest} ms, which is more than 32 bits hold")
        return done

    def roles(self) -> None:
        """Give every command's line its kind; a line without one is idle."""
        for command in self.commands:
            for line in command.lines:
                line.kind = line.kind or self.kinds.get(line.name, "")
                assert line.mark
                if not line.kind and not self.report.failed:
                    self.error("E060", line.mark, f"no form of {command.name} names the line `{line.name}`")

    # --- references between the parts ---

    def form_named(self, node: Node) -> Optional[Form]:
        return self.find(self.forms, node, "E033", "form")

    def no_arguments(self, form: Form, node: Node) -> None:
        if form.data or any(f.param and not f.group for f in form.syntax.fields):
            self.error("E069", node.mark, f"{node.value} needs arguments")

    def read_by(self) -> None:
        for _, name, node, _ in [e for s in self.sources for e in self.entries_of(s, "settings")]:
            given, setting = node.get("read_by"), self.settings.get(name)
            form = self.form_named(given) if given else None
            if not given or not form or not setting:
                continue
            self.no_arguments(form, given)
            setting.read_by = form
            if not any(e.setting is setting for ln, _, _ in form.response for e in ln.sets):
                self.error("E069", given.mark, f"no answer to {given.value} sets `{name}`",
                           "say with `sets` in the line which field holds it")

    @staticmethod
    def entries_of(source: Source, key: str) -> list[tuple[Source, str, Node, Mark]]:
        return [(source, name, node, node.mark) for name, node in source.root.pairs(key)]

    def session(self) -> tuple[Optional[Form], list[Form], list[Form], list[Node]]:
        wake: Optional[Form] = None
        lists: dict[str, list[Form]] = {"start": [], "barrier": []}
        reboot: list[Node] = []
        for session in filter(None, (s.root.get("session") for s in self.sources)):
            reboot += session.list("reboot")
            first = session.get("wake")
            nodes = [("wake", first)] if first else []
            nodes += [(k, n) for k in lists for n in session.list(k)]
            for key, node in nodes:
                form = self.form_named(node)
                if not form:
                    continue
                self.no_arguments(form, node)
                if key == "wake":
                    wake = form
                elif all(f is not form for f in lists[key]):
                    lists[key].append(form)
                if key == "barrier":
                    self.barrier(form, node)
        return wake, lists["start"], lists["barrier"], reboot

    def firmware(self) -> Optional[Form]:
        """The form that asks for the firmware's name: a text of its first line."""
        found: Optional[Form] = None
        for session in filter(None, (s.root.get("session") for s in self.sources)):
            node = session.get("firmware")
            form = self.form_named(node) if node else None
            if not node or not form:
                continue
            found = form
            self.no_arguments(form, node)
            fields = form.response[0][0].fields if form.response else []
            if not any(f.param and f.param.kind in ("string", "text") for f in fields):
                self.error("E069", node.mark, f"the first line of {node.value}'s answer has no text that could be a name")
        return found

    def asking(self, queries: Iterable[Optional[Form]]) -> None:
        """Which forms only ask, if they are sent without arguments."""
        known = [f for f in queries if f] + [s.read_by for s in self.settings.values() if s.read_by]
        for form in self.forms.values():
            bare = not form.data and not form.then and all(f.group or not f.param for f in form.syntax.fields)
            said = self.asks.get(id(form))
            if said and said.value and not bare:
                self.error("E069", said.mark, f"{form.command.name}.{form.name} can't be sent without arguments and results")
            by_nature = form.name in ("test", "read") or any(f is form for f in known)
            form.asks = bare and (bool(said.value) if said else by_nature)
            if said and not said.value and any(f is form for f in known):
                self.error("E069", said.mark, f"{form.command.name}.{form.name} is asked by the session or for a setting")

    def barrier(self, form: Form, node: Node) -> None:
        """Its answer must be one that no other command can give."""
        if not form.response:
            self.error("E069", node.mark, f"{node.value} answers nothing but OK, as others do")
        answers = {id(line) for line, _, _ in form.response}
        for other in self.forms.values():
            if other.command is not form.command and any(id(line) in answers for line, _, _ in other.response):
                self.error("E069", node.mark, f"{other.command.name}.{other.name} gives the same answer")

    def coverage(self, sections: Node) -> dict[str, str]:
        found = {}
        for section, node in self.root.pairs("coverage"):
            mark = self.root.entries["coverage"].keys[section].mark
            if section not in sections.entries:
                self.error("E081", mark, f"section {section} isn't listed")
            by = node.entries["by"]
            gone = self.narrowed.gone.get(str(by.value))
            if gone:
                self.gone(gone, by.mark, f"`{by.value}`")
            elif not any(self.path_exists(s.root, str(by.value).split(".")) for s in self.sources):
                self.error("E038", by.mark, f"there is no `{by.value}`")
            found[section] = str(by.value)
        return found

    def reserved(self) -> list[Reserved]:
        found: dict[str, Reserved] = {}
        for node in (n for s in self.sources for n in s.root.list("reserved")):
            given = node.entries["path"]
            path = canonical(str(given.value))
            if path in found:
                self.error("E036", given.mark, f"`{given.value}` is reserved already")
            names = {str(n.value): n.mark for n in node.list("names")}
            found.setdefault(path, Reserved(path, node.text("because"), names, given.mark))
        return list(found.values())

    def path_exists(self, node: Node, steps: list[str]) -> bool:
        """Whether a dotted path leads anywhere; names may hold dots."""
        if not steps:
            return True
        return any(".".join(steps[:n]) in node.entries
                   and self.path_exists(node.entries[".".join(steps[:n])], steps[n:])
                   for n in range(1, len(steps) + 1))

    def example(self, node: Node) -> Example:
        settings = node.get("settings")
        values: dict[str, int] = {}
        for text, value in node.pairs("settings"):
            assert settings
            mark = settings.keys[text].mark
            m = re.fullmatch(r"(?P<name>\w+)(?:\[(?P<key>[0-9]{1,3})\])?", text)
            setting = self.find(self.settings, value, "E031", "setting", mark, m["name"]) if m else None
            if not m:
                self.error("E035", mark, f"`{text}` isn't a setting", "write `setting` or `setting[0]`")
            elif setting:
                self.in_table(value, setting.values)
                if bool(setting.per) != bool(m["key"]) or setting.per and int(m["key"]) >= setting.slots:
                    self.error("E056", mark, f"the index of `{text}` doesn't fit the setting")
            values[text] = int(str(value.value))
        section = node.entries["section"]
        return Example(self.section(node, True), node.text("title"), values,
                       [self.step(n) for n in node.list("dialogue")], section.mark)

    def step(self, node: Node) -> Step:
        kind = next(k for k in ("host", "module", "prompt", "data") if node.get(k))
        text = node.entries[kind]
        step = Step(kind, str(text.value), mark=text.mark, end=BYTES.get(node.text("end")))
        payload, meaning = node.get("payload"), node.get("is")
        step.payload = str(payload.value) if payload else None
        for key, owner in (("payload", "module"), ("end", "data")):
            if node.get(key) and kind != owner:
                self.error("E085", node.keys[key].mark, f"`{key}` belongs to a step of kind `{owner}`")
        if meaning and kind not in ("host", "module"):
            self.error("E085", meaning.mark, f"a step of kind `{kind}` has no meaning")
        elif meaning and meaning.kind == "str":
            step.refused = True
            if kind == "module":
                self.error("E085", meaning.mark, "only a command can be refused")
        elif meaning:
            name, fields = next(iter(meaning.entries.items()))
            step.name = name
            step.marks = {"": meaning.keys[name].mark, **{k: v.mark for k, v in fields.entries.items()}}
            step.fields = {k: v.value for k, v in fields.entries.items() if isinstance(v.value, (int, str))}
            if kind == "host":
                self.find(self.forms, meaning, "E033", "form", meaning.keys[name].mark, name)
            else:
                self.find(self.lines, meaning, "E032", "line", meaning.keys[name].mark, name)
        return step

    # --- names and use ---

    def name_clashes(self, names: Iterable[tuple[str, Optional[Mark]]]) -> None:
        first: dict[str, Mark] = {}
        for name, mark in names:
            assert mark
            if name in first:
                at = first[name]
                self.error("E040", mark, f"the C name `{name}` is taken by {at.file}:{at.line}")
            first.setdefault(name, mark)

    def check_names(self) -> None:
        lines = list(self.lines.values())
        self.name_clashes([(f.c_name, f.mark) for f in self.forms.values()]
                          + [(f"{ln.c_name}_{ln.kind}", ln.mark) for ln in lines])
        tags = [(f.c_name, f.mark) for f in self.forms.values() if f.data or any(g.param for g in f.syntax.fields)]
        tags += [(f"{ln.c_name}_{ln.kind}", ln.mark) for ln in lines if ln.fields]
        self.name_clashes([(t.name, t.mark) for t in self.tables.values()] + tags)      # enum and struct
        for fields in [ln.fields for ln in lines] + [f.syntax.fields for f in self.forms.values()]:
            self.name_clashes((f.param.c_name, f.mark) for f in fields if f.param)

    def unused(self) -> None:
        pers = {id(s.per) for s in self.settings.values()}
        if self.report.failed or self.narrowed.gone:    # what failed or is gone may have used them
            return
        for p in self.all_params:
            if id(p) not in self.used | pers and p.mark:
                self.report.add("W001", p.mark, f"no line or syntax has <{p.name}>")
        for t in self.tables.values():
            if id(t) not in self.used and t.mark and not t.section:
                self.report.add("W002", t.mark, f"nothing takes its values from `{t.name}`")
