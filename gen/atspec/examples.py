"""Every example dialogue of a spec as a Check test case in C.

The tests stand on tests/unit/dialogue.h. What they expect is worked out here
from the spec and never from the tables that the runtime walks: the framing of
a payload, how an encoder spells a line, what the settings are in the end.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional, Union

from . import VERSION
from .build import spec_or_report
from .dialogue import Dialogue
from .diag import Report
from .lower import FormView, Lowering, LowerError, Member, c_string, lower_table, number
from .model import Example, Field, Line, Param, Setting, Spec, Step, ValueTable
from .names import flat_case
from .options import add_view_options
from .render import deprecations, environment, narrowed, options, tidy, write
from .tokens import Match

ENDS = {None: "NO_END", 26: "CTRL_Z", 27: "ESC"}


@dataclass
class Speaker:
    """The C function that says a command, or hears a line, and checks it."""

    name: str               # say_qird, hear_qird_response
    id: str                 # the enumerator: X_FORM_QIRD, X_LINE_QIRD_RESPONSE
    text: str               # the syntax, for the comment
    struct: str             # "" when it has no parameters
    codec: str              # x_qird, x_qird_response: _encode and _decode follow
    members: list[Member]   # those that stand in the line
    payload: bool = False


@dataclass
class Call:
    """One statement of a test: function(d, arguments..., {values...})."""

    function: str
    arguments: list[str]
    struct: str = ""
    values: list[str] = field(default_factory=list)


@dataclass
class Test:
    name: str
    example: Example
    calls: list[Call]


def bytes_literal(data: bytes) -> str:
    """A C string; octal escapes, for they end after three digits."""
    text = "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in data)
    return f'"{text}"'


class Examples:
    def __init__(self, spec: Spec) -> None:
        self.spec, self.low = spec, Lowering(spec)
        self.forms = {f"{f.form.command.name}.{f.form.name}": f for f in self.low.forms}
        self.enums = {t.name: {e["number"] if isinstance(v.key, int) else str(v.key): e["enum"]
                               for v, e in zip(t.entries, lower_table(t, self.low.prefix).entries)}
                      for t in spec.values}
        self.speakers: dict[str, Speaker] = {}
        self.tests: list[Test] = []
        for example in spec.examples:
            self.tests.append(self.test(example))

    # speakers

    def say(self, view: FormView) -> Speaker:
        data = view.form.data
        prompted = "data" if data and data.source == "prompt" else ""
        speaker = Speaker(f"say_{view.ident}", view.id, view.form.syntax.text, view.struct,
                          f"{self.low.prefix}_{view.ident}", [m for m in view.members if m.name != prompted])
        return self.speakers.setdefault(speaker.name, speaker)

    def hear(self, line: Line) -> Optional[Speaker]:
        if line.kind == "test" or not line.fields:
            return None
        struct = self.low.struct_name(line)
        speaker = Speaker(f"hear_{line.c_name}_{line.kind}", self.low.line_id(line), line.variants[0].template.text,
                          struct, struct, self.low.line_members(line), line.payload is not None)
        return self.speakers.setdefault(speaker.name, speaker)

    # tests

    def test(self, example: Example) -> Test:
        name = f"example_{flat_case(example.section)}_{flat_case(example.title)}"
        known = [t.name for t in self.tests]
        dialogue = Dialogue(self.spec, example, Report())
        calls = [self.set(*self.slot(text), value) for text, value in example.settings.items()]
        says: dict[str, Callable[[Step, Dialogue, dict[str, int], list[Step]], list[Call]]] = {
            "host": self.host, "module": self.module, "prompt": self.prompt, "data": self.data}
        for i, step in enumerate(example.steps):
            before = dict(dialogue.state)
            dialogue.step(step)
            calls += says[step.kind](step, dialogue, before, example.steps[i + 1:])
        for text, value in dialogue.state.items():
            setting, key = self.slot(text)
            calls.append(Call("dialogue_left", [c_string(setting.name), self.place(setting, key),
                                                self.enum(setting.values, value)]))
        return Test(name if name not in known else f"{name}_{len(known)}", example, calls)

    def slot(self, text: str) -> tuple[Setting, int]:
        """access_mode[0] -> the setting and 0"""
        name, _, key = text.rstrip("]").partition("[")
        return next(s for s in self.spec.settings if s.name == name), int(key or 0)

    def place(self, setting: Setting, key: int) -> str:
        return self.low.slot(setting) + (f" + {key}" if key else "")

    def set(self, setting: Setting, key: int, value: int) -> Call:
        return Call("dialogue_set", [self.place(setting, key), self.enum(setting.values, value)])

    def enum(self, table: Optional[ValueTable], value: Union[int, str]) -> str:
        names = self.enums[table.name] if table else {}
        return names.get(value) or number(int(value))

    # steps

    def host(self, step: Step, dialogue: Dialogue, before: dict[str, int], later: list[Step]) -> list[Call]:
        if step.refused:
            return [Call("dialogue_refused", [c_string(step.text)])]
        form = dialogue.form
        assert form
        view = self.forms[f"{form.command.name}.{form.name}"]
        speaker = self.say(view)
        is_hex = form.data is not None and dialogue.wire_length(1, form.data.format) == 2
        values = self.values(form.syntax.fields, dialogue.request, True, is_hex)
        if form.data and form.data.source == "prompt":
            sent = next((s for s in later if s.kind in ("host", "data")), None)
            if sent and sent.kind == "data":
                values.append(f".data = BYTES({self.data_bytes(sent.text, is_hex)})")
        spelled = form.syntax.head + self.spelled(form.syntax.fields, dialogue.request, is_hex)
        return self.spelling(step.text, spelled) + [Call(speaker.name, [c_string(step.text)], speaker.struct, values)]

    def module(self, step: Step, dialogue: Dialogue, before: dict[str, int], _: list[Step]) -> list[Call]:
        found = dialogue.meaning(step)
        assert found
        line, variant, fields = found
        after = self.after(step, line, before)
        speaker = self.hear(line)
        if not speaker:
            return [Call("dialogue_plain", [self.low.line_id(line), c_string(step.text)])]
        head = variant.template.head + (" " if variant.template.head.endswith(":") else "")
        spelled = head + self.spelled(variant.template.fields, fields, False)
        if variant is not line.variants[0] and variant.evidence:
            spelled = ""            # a quirk, and no encoder's way to say it
        arguments = [c_string(step.text)] + ([after] if speaker.payload else [])
        values = self.values(variant.template.fields, fields, False, False, line)
        return self.spelling(step.text, spelled) + [Call(speaker.name, arguments, speaker.struct, values)]

    def prompt(self, step: Step, *_: object) -> list[Call]:
        return [Call("dialogue_prompt", [c_string(step.text)])]

    def data(self, step: Step, *_: object) -> list[Call]:
        return [Call("dialogue_send", [c_string(step.text), ENDS[step.end]])]

    def spelling(self, text: str, spelled: str) -> list[Call]:
        return [Call("dialogue_spell", [c_string(spelled)])] if spelled != text else []

    def after(self, step: Step, line: Line, state: dict[str, int]) -> str:
        """What follows a line up to its CRLF, under the settings before it."""
        if step.payload is None or line.payload is None:
            return '""'
        inline = line.payload.inline
        comma = inline is not None and state.get(inline.name, inline.default) == 1
        return bytes_literal((("," if comma else "\r\n") + step.payload).encode()).replace("\\015\\012", "\\r\\n")

    # values

    def values(self, fields: list[Field], given: Match, sent: bool, is_hex: bool,
               line: Optional[Line] = None) -> list[str]:
        out = []
        for f in fields:
            if not f.param or f.name not in given:
                continue
            optional = line.optional(f.name) if line else f.group
            has = f".has_{f.param.c_name} = true, " if optional else ""
            out.append(f"{has}.{f.param.c_name} = {self.value(f.param, given[f.name], sent, is_hex)}")
        return out

    def value(self, param: Param, value: Union[int, str], sent: bool, is_hex: bool) -> str:
        if param.kind in ("data", "hex"):
            return f"BYTES({self.data_bytes(str(value), is_hex)})"
        if param.kind == "integer" or param.values and sent:
            return self.enum(param.values, value)
        return f"STR({bytes_literal(str(value).encode())})"

    def data_bytes(self, text: str, is_hex: bool) -> str:
        return bytes_literal(bytes.fromhex(text) if is_hex else text.encode())

    def spelled(self, fields: list[Field], given: Match, is_hex: bool) -> str:
        return ",".join(self.spell(f, given, is_hex) for f in fields if not f.param or f.name in given)

    def spell(self, f: Field, given: Match, is_hex: bool) -> str:
        if not f.param:
            return f'"{f.literal}"' if f.quoted else f.literal
        value, kind = str(given[f.name]), f.param.kind
        if kind == "hex" or kind == "data" and is_hex:
            return value.upper()
        if kind == "string" or kind == "text" and f.param.quoted:
            return f'"{value}"'
        return f'"{value}"' if kind == "data" and not re.fullmatch("[0-9A-Za-z]*", value) else value


def packed(items: list[str], width: int) -> list[str]:
    """The items with commas between them, on as few lines as they need."""
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) + 2 > width:
            lines.append("")
        lines[-1] += (", " if lines[-1] else "") + item
    return lines


def statement(call: Call) -> str:
    """The call on one line, or wrapped as a person would."""
    literal = [f"(struct {call.struct}){{{', '.join(call.values) or '0'}}}"] if call.struct else []
    one = f"    {call.function}({', '.join(['d'] + call.arguments + literal)});"
    if len(one) <= 100:
        return one
    if not call.struct:
        return f"    {call.function}(d, " + ",\n        ".join(call.arguments) + ");"
    head = f"    {call.function}({', '.join(['d'] + call.arguments)},\n"
    if len(literal[0]) <= 90:
        return f"{head}        {literal[0]});"
    lines = ",\n".join(" " * 12 + line for line in packed(call.values, 86))
    return f"{head}        (struct {call.struct}){{\n{lines}}});"


def render_examples(spec: Spec) -> str:
    made = Examples(spec)
    env = environment()
    env.filters["statement"] = statement
    banner = (f"/* Generated by atspec {VERSION} from {spec.name}; don't edit.\n"
              + narrowed(spec) +
              f" * Spec SHA-256: {spec.sha256}\n"
              f" * Regenerate:   python3 gen/atspec examples {spec.name} -o FILE.c{options(spec)} */")
    return tidy(env.get_template("examples.c.j2").render(
        spec=spec, prefix=made.low.prefix, banner=banner, tests=made.tests, speakers=made.speakers.values(),
        deprecates=any(deprecations(spec))))


# The `examples` command ---------------------------------------------------------

def add_examples(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "examples", help="write a spec's examples as tests in C",
        description="Writes every example dialogue of a spec as a test case for Check. The tests "
                    "stand on tests/unit/dialogue.h.")
    parser.add_argument("spec", metavar="SPEC", help="the spec of a module")
    add_view_options(parser)
    parser.add_argument("-o", dest="output", metavar="FILE", required=True, help="the C file")
    parser.set_defaults(run=examples)


def examples(args: argparse.Namespace) -> int:
    spec = spec_or_report(args.spec, args.at, args.overlays)
    if spec is None:
        return 1
    try:
        text = render_examples(spec)
    except LowerError as e:
        print(e.placed(args.spec), file=sys.stderr)
        return 1
    output = Path(args.output)
    return write({output.name: text}, output.parent)
