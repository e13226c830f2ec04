"""A spec as a tree of nodes with facts, each of which a rule knows how to compare.

Nothing here judges. What the C API is comes from `lower`, so that it is what is
generated; what is on the wire comes from the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Iterable, Optional, Union

from ..lower import FormView, Lowering, lower_param
from ..model import (Command, Completion, Condition, Deadline, Effect, Example, Field, Form, Line, Mark, Param,
                     Payload, Rule, Setting, Spec, Template, Value, ValueTable, Variant)
from ..reserved import canonical, form_path
from ..tokens import expansions

NONE = ""


class Name(str):
    """The name of a parameter or an enumerator, or the path of a line, which may be another on the other side."""


@dataclass
class Node:
    kind: str
    path: str
    label: str                          # for people
    mark: Optional[Mark]
    group: str                          # heading under which it is reported
    facts: dict[str, Any] = field(default_factory=dict)
    children: dict[str, "Node"] = field(default_factory=dict)   # by what they are matched
    c: str = ""                         # what it is in C
    text: str = ""                      # as the manual writes it
    alike: Any = None                   # matches children whose keys differ
    definition: str = ""                # path of what several uses share
    defined: Optional[Mark] = None
    sent: bool = False                  # of a value: by the host
    received: bool = False              # by the module
    # Of a line or a shape: each optional part there or not, and with the names of fields.
    accepts: dict[str, str] = field(default_factory=dict)

    def add(self, key: str, child: "Node") -> "Node":
        while key in self.children:     # the same twice: told apart by their order
            key += "'"
        self.children[key] = child
        return child


def described(spec: Spec) -> Node:
    """The tree of a spec."""
    return _Facts(spec if spec.module else replace(spec, module="module")).root()


def availability(since: Optional[dict[str, Any]], until: Optional[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(f"{word} {bound}" for word, said in (("since", since), ("until", until)) if said
                 for bound in (said.get("revision"), *sorted((said.get("firmware") or {}).values())) if bound)


def life(owner: Union[Command, Form, Line, Param, Setting, Value]) -> dict[str, Any]:
    gone = owner.deprecated or {}
    since = availability(gone.get("since"), None)
    return {"availability": availability(owner.since, owner.until),
            "deprecated": ", ".join([gone["use"], *since]) if gone else NONE}


def condition(c: Optional[Condition]) -> tuple[Any, ...]:
    return (c.setting.name, Name(c.key or NONE), c.value) if c else ()


def effects(owner: Iterable[Effect]) -> tuple[Any, ...]:
    return tuple(sorted((e.setting.name, Name(e.key or NONE), Name(e.field)) for e in owner))


def name_of(how: Union[Setting, str, None]) -> str:
    return how.name if isinstance(how, Setting) else how or NONE


def place(f: Field) -> str:
    """What stands at a place of a line, whatever its parameter is called."""
    return "<>" if f.param else f'"{f.literal}"' if f.quoted else f.literal


def text_of(template: Template, fields: list[Field]) -> tuple[Any, ...]:
    """A line of these fields, by their names: (head, what stands there, ...)."""
    return (template.head, *(Name(f.name) if f.param else place(f) for f in fields))


def texts(template: Template) -> frozenset[tuple[Any, ...]]:
    return frozenset(text_of(template, fields) for fields in expansions(template))


def limits(param: Param, low: int, high: int) -> tuple[int, int, bool]:
    """A range, and whether it only follows from the table of values."""
    if not param.values:
        return low, high, False
    keys = [v.key if isinstance(v.key, int) else len(v.key) for v in param.values.entries]
    return low, high, (low, high) == (min(keys) if param.kind == "integer" else 0, max(keys))


class _Facts:
    def __init__(self, spec: Spec) -> None:
        self.spec, self.low = spec, Lowering(spec)
        self.prefix, self.upper = self.low.prefix, self.low.upper
        self.paths = {ln.name: ln.path for ln in spec.lines}
        self.sent: set[str] = set()         # tables whose values are sent
        self.received: set[str] = set()

    def root(self) -> Node:
        spec = self.spec
        root = Node("spec", NONE, spec.title, spec.marks.get("module"), "The manual", {
            "module": spec.module, "title": spec.title, "source.document": spec.document,
            "source.version": spec.version, "source.date": spec.date, "devices": tuple(spec.devices),
            "revisions": tuple(spec.revisions), "session.wake": self.forms([spec.wake] if spec.wake else []),
            "session.start": self.forms(spec.start), "session.barrier": self.forms(spec.barrier),
            "session.firmware": self.forms([spec.firmware] if spec.firmware else []),
            "defaults.response_time": spec.response_time,
            "command_max": self.low.command_max() if spec.forms else 0, "window_min": self.low.window_min()},
            c=self.upper)
        for number, title in spec.sections.items():
            self.leaf(root, "section", f"source.sections.{number}", f"Section {number}", "The manual",
                      {"title": title}, spec.marks.get(f"sections.{number}"))
        for number, by in spec.covered_by.items():
            self.leaf(root, "coverage", f"coverage.{number}", f"What covers section {number}", "The manual",
                      {"by": by, "doc": spec.covered_doc.get(number, NONE)}, None)
        for f in spec.features:
            bounds = tuple(sorted(f"{'until' if b.until else 'since'} {b.firmware}" for b in f.bounds))
            node = self.leaf(root, "feature", f"features.{f.name}", f.text, "Firmware", {"bounds": bounds}, f.mark)
            node.c, node.definition = f"{self.upper}_FEATURE_{f.name}", canonical(f.path)
        for r in spec.reserved:
            self.leaf(root, "reserved", f"reserved.{r.path}", r.path, "Reserved",
                      {"because": r.because, "names": tuple(sorted(r.names))}, r.mark)
        for text in spec.reboot:
            self.leaf(root, "reboot", f"session.reboot.{text}", f"`{text}`", "Session", {}, spec.marks.get(f"reboot.{text}"))
        for rule in spec.rules + [r for c in spec.commands for r in c.rules]:
            self.rule(root, rule)
        for setting in spec.settings:
            self.setting(root, setting)
        for line in spec.finals:
            self.line(root, line, "Final result codes")
        for line in spec.urcs:
            self.line(root, line, "Unsolicited result codes")
        views = {id(v.form): v for v in self.low.forms}
        for command in spec.commands:
            self.command(root, command, views)
        for table in spec.values:       # last: by now it is known who uses them
            self.table(root, table)
        for example in spec.examples:
            self.example(root, example)
        return root

    @staticmethod
    def leaf(owner: Node, kind: str, path: str, label: str, group: str, facts: dict[str, Any],
             mark: Optional[Mark], key: str = "") -> Node:
        return owner.add(key or path, Node(kind, path, label, mark, group, facts))

    @staticmethod
    def forms(forms: list[Form]) -> tuple[str, ...]:
        return tuple(f"{f.command.name}.{f.name}" for f in forms)

    def rule(self, root: Node, rule: Rule) -> None:
        label = f"Which line a text of {rule.choose} and {rule.over} is"
        key = "rules." + " | ".join(sorted((rule.choose, rule.over)))
        self.leaf(root, "rule", key, label, "Rules", {"choose": rule.choose, "because": rule.because}, rule.mark)

    def example(self, root: Node, example: Example) -> None:
        steps = tuple((s.kind, s.text, s.payload, s.end, s.refused, s.name, tuple(sorted(s.fields.items())))
                      for s in example.steps)
        self.leaf(root, "example", f"examples.{example.title}", f"The dialogue `{example.title}`", "Examples",
                  {"dialogue": (example.section, tuple(sorted(example.settings.items())), steps)}, example.mark)

    # values and settings

    def table(self, root: Node, table: ValueTable) -> None:
        path, enum = f"values.{table.name}", f"enum {self.prefix}_{table.name}"
        node = self.leaf(root, "table", path, path, "Values", {
            "doc": table.doc, "section": table.section, "open": table.open}, table.mark)
        node.c = enum
        for value in table.entries:
            self.value(node, table, value)

    def value(self, table_node: Node, table: ValueTable, value: Value) -> None:
        """To a program it is its name, on the wire its key."""
        path, label = f"{table_node.path}.entries.{value.key}", f"{value.key} ({value.text})"
        c = f"{self.upper}_{table.name}_{value.name}".upper()
        name = self.leaf(table_node, "enumerator", path, label, "Values", {
            "c_name": c, "key": value.key, "text": value.text, "doc": value.doc, **life(value)}, value.mark, c)
        name.c, name.alike = c, value.key
        node = self.leaf(table_node, "value", path, label, "Values", {"enumerator": Name(c)}, value.mark)
        node.c, node.sent, node.received = c, table.name in self.sent, table.name in self.received

    def setting(self, root: Node, s: Setting) -> None:
        node = self.leaf(root, "setting", f"settings.{s.name}", f"settings.{s.name}", "Settings", {
            "values": s.values.name, "default": s.default, "stored": s.stored, "per": s.per.name if s.per else NONE,
            "read_by": self.forms([s.read_by] if s.read_by else []), "slots": s.slots, "doc": s.doc, "section": s.section,
            "when_refused": NONE if s.when_refused is None else str(s.when_refused), **life(s)}, s.mark)
        node.c = self.low.slot(s)

    # lines

    def line(self, owner: Node, line: Line, group: str) -> None:
        struct = f"struct {self.low.struct_name(line)}" if line.fields else self.low.line_id(line)
        accepts = {text: named for v in line.variants for text, named in self.shapes(v)}
        node = self.leaf(owner, "line", line.path, line.variants[0].template.text, group, {
            "name": line.name, "c_name": struct, "outcome": line.outcome, "accepts": frozenset(accepts), "extra_fields": line.extra_fields,
            "extra_evidence": line.extra_evidence, "extra_doc": line.extra_doc, "sets": effects(line.sets),
            "doc": NONE if line.command and line.doc == line.command.doc else line.doc, "evidence": line.evidence,
            "section": NONE if line.command and line.section == line.command.section else line.section, **life(line)},
            line.mark)
        node.c, node.alike, node.accepts = struct, struct, accepts
        for i, (f, member) in enumerate(zip((f for f in line.fields if f.param), self.low.line_members(line))):
            assert f.param
            self.param(node, "received", f, i, {"type": member.type, "optional": member.optional}, struct)
        for variant in line.variants:
            self.shape(node, line, variant)
        if line.payload:
            self.payload(node, line.payload)

    @staticmethod
    def shapes(variant: Variant) -> Iterable[tuple[str, str]]:
        """All that a line may look like, whatever its fields are called, and with their names."""
        t = variant.template
        for fields in expansions(t):
            head = t.head + (" " if fields and t.head.endswith(":") else "")
            yield head + ",".join(map(place, fields)), head + ",".join(f"<{f.name}>" if f.param else place(f) for f in fields)

    def shape(self, node: Node, line: Line, variant: Variant) -> None:
        t, main = variant.template, variant is line.variants[0]
        counted = line.payload.length if line.payload and main else None
        only = tuple((Name(f.name), *f.limits) for f in t.fields if f.limits and f.name != counted)
        child = Node("shape", f"{node.path}.line" if main else f"{node.path}.also.{t.text}", t.text, t.mark, node.group, {
            "only": only, "shown": tuple((Name(f.name), condition(f.shown)) for f in t.fields if f.shown),
            "order": text_of(t, t.fields)[1:], "payload": main if line.payload else None, "doc": variant.doc,
            "evidence": variant.evidence}, alike=(t.head, *map(place, t.fields)),
            accepts=dict(self.shapes(variant)))
        node.add(t.text, child)

    def payload(self, node: Node, p: Payload) -> None:
        self.leaf(node, "payload", f"{node.path}.payload", node.label, node.group, {
            "framing": (Name(p.length), name_of(p.format), name_of(p.inline), condition(p.when)), "range": p.limits}, p.mark,
            "payload")

    def param(self, owner: Node, kind: str, f: Field, index: int, facts: dict[str, Any], struct: str) -> None:
        p = f.param
        assert p
        sent = kind == "sent"
        view = lower_param(p, sent)
        low, high = (view.minimum, view.maximum) if sent and p.kind == "integer" else (p.minimum, p.maximum)
        if p.values:
            (self.sent if sent else self.received).add(p.values.name)
        notation = (p.kind, "quoted" if p.kind == "string" or p.quoted else "", "rest" if p.rest else "",
                    NONE if sent else p.form)
        spoken: dict[str, Any] = {"supported": p.supported, "default": p.default}
        node = Node(kind, f"{owner.path}.{p.name}", f"<{p.name}>", f.mark or owner.mark, owner.group, {
            **facts, "name": p.name, "c_name": p.c_name, "notation": notation, "range": limits(p, low, high),
            "values": p.values.name if p.values else NONE, "unit": p.unit,
            "doc": p.doc, **life(p)},
            c=f"{p.c_name} of {struct}", alike=(index, p.kind), definition=p.path, defined=p.mark)
        heard: dict[str, Any] = {"spoken": tuple(spoken.values())}
        node.facts.update({**spoken, "form": p.form} if sent else heard)
        owner.add(p.name, node)

    # commands

    def command(self, root: Node, command: Command, views: dict[int, FormView]) -> None:
        path = f"commands.{command.name}"
        text = command.text
        node = self.leaf(root, "command", path, text, text, {
            "doc": command.doc, "section": command.section, "notes": tuple(command.notes), **life(command)}, command.mark)
        for line in command.lines:
            if line.kind != "test":
                self.line(node, line, text)
        for form in command.forms:
            self.form(node, form, views[id(form)], text)
        node.c = ", ".join(f"{self.prefix}_{f.c_name}()" for f in command.forms)

    def form(self, owner: Node, form: Form, view: FormView, group: str) -> None:
        path, command = form_path(form), form.command
        call: list[Any] = ["request"] * bool(view.struct) + [
            (Name(s.line.path), "[]" if s.many else "") for s in view.sinks] + ["payload"] * view.takes_payload
        node = self.leaf(owner, "form", path, f"{command.name}.{form.name}", group, {
            "name": form.name, "c_name": f"{self.prefix}_{form.c_name}()", "call": tuple(call), "syntax": texts(form.syntax),
            "reads": Name(form.reads), "doc": NONE if form.doc == command.doc else form.doc,
            "response_time": (form.response_time, form.response_time == self.spec.response_time), "within": self.within(form.within),
            "final_optional": form.final_optional, "final_evidence": form.final_evidence, "final_doc": form.final_doc,
            "sets": effects(form.sets), "asks": form.asks, "test": tuple(sorted(form.test_lines)), **life(form)}, form.mark)
        node.c = node.alike = node.facts["c_name"]
        node.text = form.syntax.text
        struct = f"struct {view.struct}"
        fields = [f for f in self.low.form_fields(form) if f.param]
        for i, (f, member) in enumerate(zip(fields, view.members)):
            self.param(node, "sent", f, i, {"type": member.type, "optional": member.optional}, struct)
        for line, least, most in form.response:
            if line.kind != "test":
                child = self.leaf(node, "answer", f"{path}.response.{line.name}", line.variants[0].template.text, group,
                                  {"count": (least, most)}, form.mark, f"response.{line.name}")
                child.c, child.alike = node.c, self.low.struct_name(line)
        for completion in form.then:
            self.result(node, completion)
        if form.data:
            d = form.data
            self.leaf(node, "data", f"{path}.data", node.label, group, {
                "framing": (Name(d.source), Name(d.length), name_of(d.format), d.until, d.cancel),
                "text": d.max_text, "hex": d.max_hex, "echo": name_of(d.echo)}, d.mark, "data").c = node.c

    @staticmethod
    def within(d: Optional[Deadline]) -> tuple[Any, ...]:
        return (d.milliseconds, Name(d.field), d.add, Name(d.times)) if d else ()

    def result(self, node: Node, c: Completion) -> None:
        ends = tuple((Name(n), *v) for n, v in sorted(c.ends.items())) if isinstance(c.ends, dict) else c.ends
        times = (Name(self.paths.get(c.times.line, NONE)), Name(c.times.field), c.times.add) if c.times else ()
        child = self.leaf(node, "result", f"{node.path}.then.{c.line.name}", c.line.variants[0].template.text, node.group,
                          {"match": Name(c.match), "status": Name(c.status), "ends": ends, "times": times}, c.mark,
                          f"then.{c.line.name}")
        child.c, child.alike, child.definition = node.c, self.low.struct_name(c.line), c.line.path
