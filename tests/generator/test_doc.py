"""The reference manual: complete, whole by itself, and true to what is generated."""

from __future__ import annotations

import json
import os
import re
import tempfile
import unittest
from dataclasses import replace
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from page import LOADS, Element, Page
from support import REPOSITORY, SHIPPED, SMALLEST
from test_render import SECOND, Folder, atspec, contents, load

from atspec.build import specs_of_views
from atspec.coverage import rows
from atspec.doc import render_doc
from atspec.model import Form, Line, Param, Spec
from atspec.rails import NARROW, WIDE, rails
from atspec.render import render
from atspec.rich import anchor, code, joined, link, markdown_block, say, to_html, to_markdown
from atspec.sequence import NARROW as SLIM, WIDE as BROAD, Drawing, mermaid, mermaid_text, story

TEMPLATES = REPOSITORY / "gen" / "templates"

# All that a spec can say of availability.
AGED = """\
atspec: 1
module: aged
title: Aged
source: {document: None, version: R3, date: '2020-01-01', sections: {'1': All}}
devices: [AG1]
revisions: [R1, R2, R3]
include: [INCLUDED]
defaults: {response_time: 300 ms}
values:
  mode:
    doc: Mode
    entries:
      0: {name: 'OFF', text: still}
      1: {name: 'ON', text: moving, was: [{before: {revision: R2}, text: hopping}]}
  gear: {doc: Gear, since: commands.MOVE.forms.gear, entries: {0: {name: LOW, text: slow}, 1: {name: HIGH, text: fast}}}
parameters:
  speed:
    {type: integer, range: 1..100, default: 7, doc: Speed,
     was: [{before: {firmware: {AG1: AG1R05}}, range: 1..10, without: [default]}]}
  mode: {type: integer, values: mode, doc: Mode, deprecated: {use: AT+MOVE=<speed>, since: {revision: R2}}}
  gear: {type: integer, values: gear, doc: Gear, since: commands.MOVE.forms.gear}
commands:
  MOVE:
    section: '1'
    doc: Move
    notes: [Mind the gap]
    set: {syntax: 'AT+MOVE=<speed>[,<mode>]', response_time: 2 s, was: [{before: {revision: R3}, response_time: 9 s}]}
    forms:
      gear: {syntax: 'AT+MOVE="gear",<gear>', since: {firmware: {AG1: AG1R07}}, doc: Change the gear}
    was: [{before: {revision: R2}, notes: [Mind the step]}]
  REST:
    section: '1'
    doc: Rest
    until: {revision: R2, firmware: {AG1: AG1R09}}
    deprecated: {use: AT+MOVE=0}
    execute: {syntax: AT+REST}
reserved:
  - {path: commands.JUMP, because: It hurt}
""".replace("INCLUDED", str(REPOSITORY / "spec" / "common" / "v250.yaml"))

ODD = """ "quoted" 'single' <b>bold</b> &amp; & </script> <!-- `tick` ``two`` | pipe \\ back * star _under_ # {{ x }} [a](b) $m$ ~s~"""

# Every text that is for people, marked @, is an odd one.
ODD_SPEC = """\
atspec: 1
module: odd
title: @
source: {document: @, version: @, date: '2020-01-01', sections: {'1': @}}
defaults: {response_time: 300 ms}
finals:
  OK: {line: OK, outcome: ok, doc: @}
  ERROR: {line: ERROR, outcome: error, doc: @}
values:
  kind: {doc: @, entries: {0: {name: NONE, text: @, doc: @}, 1: {name: SOME, text: @}}}
commands:
  ODD:
    section: '1'
    doc: @
    parameters:
      kind: {type: integer, values: kind, doc: @}
      label: {type: string, max: 20, doc: @}
    lines: {ODD: {line: '+ODD: <kind>,"x|`&*"', doc: @}}
    read: {syntax: 'AT+ODD?', response: {ODD: 1}, doc: @}
    set: {syntax: 'AT+ODD=<kind>,<label>', doc: @}
    notes: [@]
examples:
  - section: '1'
    title: @
    dialogue:
      - {host: 'AT+ODD=1,"<b>&|`;#:"', is: {ODD.set: {kind: 1, label: '<b>&|`;#:'}}}
      - {module: OK}
""".replace("@", json.dumps(ODD.strip()))


FILES = {"shipped": SHIPPED, "bg95": SHIPPED.with_name("bg95-tcpip.yaml"), "second": SECOND, "dated": SECOND.with_name("dated.yaml")}


@cache
def specs_named(name: str) -> tuple[Spec, dict[str, Spec]]:
    """A spec, and what it is in each of its views."""
    if name in FILES:
        spec = load(FILES[name])
        return spec, specs_of_views(str(FILES[name]), spec.views, [])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "spec.yaml")
        path.write_text({"smallest": SMALLEST, "odd": ODD_SPEC, "aged": AGED}[name], "utf-8")
        spec = load(path)
        return spec, specs_of_views(str(path), spec.views, [])


def spec_named(name: str) -> Spec:
    return specs_named(name)[0]


@cache
def written(name: str) -> tuple[str, str]:
    spec, narrowed = specs_named(name)
    files = render_doc(spec, narrowed=narrowed)
    return files[f"{spec.module}.html"], files[f"{spec.module}.md"]


@cache
def page(name: str) -> Element:
    return Page(written(name)[0]).root


ALL = (*FILES, "smallest", "odd", "aged")


def time(milliseconds: int) -> str:
    """As people say it."""
    if milliseconds % 60000 == 0 and milliseconds > 60000:
        return f"{milliseconds // 60000} min"
    return f"{milliseconds} ms" if milliseconds % 1000 else f"{milliseconds // 1000} s"


def one_line(text: str) -> str:
    return " ".join(text.split())


class Complete(unittest.TestCase):
    """Nothing of the spec is missing."""

    def each(self) -> "list[tuple[str, Spec, Element]]":
        return [(name, spec_named(name), page(name)) for name in ALL]

    def says(self, element: Element, *texts: str) -> None:
        for text in texts:
            self.assertIn(one_line(text), element.words)

    def test_commands_and_forms(self) -> None:
        for _, spec, root in self.each():
            for command in spec.commands:
                place = root.one(anchor("command", command.name))
                self.says(place, command.text, command.doc, *command.notes)
                for form in command.forms:
                    self.form(spec, place.one(anchor("form", command.name, form.name)), form)

    def form(self, spec: Spec, place: Element, form: Form) -> None:
        self.says(place, form.name, form.doc, form.syntax.text)
        self.assertIn(time(form.response_time), place.words)
        for end in ("(struct at_client *client", "_start(struct at_client *client, struct at_call *call", "_encode(const uint8_t"):
            self.assertIn(f"int {spec.module}_{form.c_name}{end}", place.text)
        refused = place.all("ol", "answer")[0]
        self.says(refused, *(ln.variants[0].template.text for ln in spec.finals if ln.outcome in ("ok", "error")))
        if form.within:
            for number in (time(form.within.milliseconds) if not form.within.field else "", form.within.field, form.within.times):
                self.assertIn(number, refused.words)
        self.assertIn(f"{spec.module} encode", place.text)
        for line, _, _ in form.response:
            self.says(place, line.variants[0].template.text)
        for completion in form.then:
            self.says(place, completion.line.variants[0].template.text)
        drawn = [t.text for t in place.all("svg")[0].all("text")]
        for f in form.syntax.fields:
            if f.param:
                self.assertIn(f.param.name, drawn)

    def test_parameters(self) -> None:
        for name, spec, root in self.each():
            count = 0
            for owner, fields in [(("command", c.name), [f for form in c.forms for f in form.syntax.fields]
                                   + [f for ln in c.lines for f in ln.fields]) for c in spec.commands] + [
                                  (("line", ln.name), ln.fields) for ln in spec.urcs + spec.finals]:
                for f in fields:
                    if f.param:
                        self.parameter(root.one(anchor(*owner, f.param.name)), f.param)
                        count += 1
            self.assertGreater(count, 20 if name in ("shipped", "bg95", "second") else -1)

    def parameter(self, row: Element, param: Param) -> None:
        self.assertEqual(row.tag, "tr")
        self.says(row, param.name, param.doc)
        if param.values and len(param.values.entries) <= 6:
            self.says(row, *(f"{v.key}" for v in param.values.entries), *(v.text for v in param.values.entries))
        elif param.values:
            self.says(row, param.values.name)
        elif param.kind == "integer":
            self.says(row, f"{param.minimum} to {param.maximum}")
            self.assertIn(param.unit, row.text)
        elif param.kind in ("string", "text"):
            self.says(row, f"{param.maximum} characters")
        if param.default is not None:
            self.says(row, f"When left out: {param.default}")
        if param.supported is not None:
            self.says(row, f"Only {param.supported} is supported")

    def test_lines(self) -> None:
        for _, spec, root in self.each():
            for line in spec.lines:
                place = root.one(anchor("line", line.name))
                self.line(spec, place, line)

    def line(self, spec: Spec, place: Element, line: Line) -> None:
        self.says(place, line.doc, *(v.doc for v in line.variants if v.doc))
        if line.kind != "final" or line.fields:
            self.says(place, *(v.template.text for v in line.variants))
        if line.kind != "test" and line.fields:
            self.assertIn(f"struct {spec.module}_{line.c_name}_{line.kind} {{", place.text)
        if line.payload:
            self.assertIn("a payload follows", place.text)
            self.says(place, line.payload.length)
        for f in line.variants[0].template.fields:
            if f.shown:
                self.says(place, f"{f.name} stands there exactly when {f.shown.setting.name} is {f.shown.value}")
        for effect in line.sets:
            self.says(place, f"Tells {effect.setting.name}")

    def test_values_settings_sections_examples(self) -> None:
        for _, spec, root in self.each():
            for table in spec.values:
                for v in table.entries:
                    self.says(root.one(anchor("values", table.name, str(v.key))), str(v.key), v.text, v.doc,
                              f"{spec.module}_{table.name}_{v.name}".upper())
            for s in spec.settings:
                self.says(root.one(anchor("setting", s.name)), s.name, s.doc, *(v.text for v in s.values.entries),
                          "not stored" if s.stored == "ram" else "stored, so it survives")
            for section, name in spec.sections.items():
                self.says(root.one(anchor("section", section)), section, name)
            for i, example in enumerate(spec.examples, 1):
                for drawing in root.one(anchor("example", str(i))).all("svg"):
                    self.assertIn(one_line(example.title), one_line(drawing.text))
                    drawn = "".join(t.text for t in drawing.all("text") if not t.attributes.get("class"))
                    for step in example.steps:
                        for text in (step.text if step.kind != "prompt" else "", step.payload or ""):
                            self.assertIn(text, drawn)

    def test_coverage_table(self) -> None:
        for _, spec, root in self.each():
            nodes = [(f.command.section, f.path) for f in spec.forms] + [(ln.section, ln.path) for ln in spec.lines]
            nodes += [(s.section, f"settings.{s.name}") for s in spec.settings]
            for section, path in nodes:
                if section in spec.sections:
                    self.says(root.one(anchor("section", section)), path)

    def test_search_has_everything(self) -> None:
        for _, spec, root in self.each():
            hits = json.loads(root.one("index").text)
            found = {(to, word) for _, said, _, to, more in hits for word in (said, *more.split())}
            wanted = {(anchor("command", c.name), c.text) for c in spec.commands}
            wanted |= {(anchor("form", f.command.name, f.name), word) for f in spec.forms
                       for word in (f.syntax.text, f"{spec.module}_{f.c_name}", f"{spec.module}_{f.c_name}_start")}
            wanted |= {(anchor("command", f.command.name, p.name), p.name) for f in spec.forms for p in f.syntax.fields if p.param}
            wanted |= {(anchor("line", ln.name), ln.variants[0].template.text) for ln in spec.lines}
            wanted |= {(anchor("values", t.name, str(v.key)), word) for t in spec.values for v in t.entries
                       for word in (str(v.key), f"{spec.module}_{t.name}_{v.name}".upper())}
            wanted |= {(anchor("setting", s.name), s.name) for s in spec.settings}
            wanted |= {(anchor("feature", f.name), f"{spec.module}_FEATURE_{f.name}".upper()) for f in spec.features}
            wanted |= {(anchor("reserved", r.path), r.path) for r in spec.reserved}
            self.assertEqual(wanted - found, set())

    # availability

    def table(self, root: Element) -> dict[str, dict[str, str]]:
        """By the place that a row leads to: what stands below each view."""
        matrix = root.one("availability") and root.all("div", "matrix")[0]
        names = [th.words for th in matrix.all("thead")[0].all("th")[1:]]
        return {row.all("a")[0].attributes["href"][1:]: dict(zip(names, (td.words for td in row.all("td"))))
                for row in matrix.all("tbody")[0].all("tr")}

    def test_what_views_have(self) -> None:
        seen = 0
        for name in ("shipped", "bg95", "dated", "aged"):
            spec, narrowed = specs_named(name)
            table = self.table(page(name))
            places = {f.path: anchor("form", f.command.name, f.name) for f in spec.forms}
            places |= {f"commands.{c.name}": anchor("command", c.name) for c in spec.commands}
            places |= {ln.path: anchor("line", ln.name) for ln in spec.lines if ln.kind != "test"}
            places |= {f"settings.{s.name}": anchor("setting", s.name) for s in spec.settings}
            places |= {f"values.{t.name}": anchor("values", t.name) for t in spec.values}
            places |= {f"values.{t.name}.entries.{v.key}": anchor("values", t.name, str(v.key))
                       for t in spec.values for v in t.entries}
            for view, of in narrowed.items():
                assert of.view
                for path, place in places.items():
                    cell = next((c for label, c in table.get(place, {}).items() if view in label.split()), "")
                    self.assertEqual(cell == "no", path in of.view.gone and any(view in label.split() for label in table[place]),
                                     f"{name} {view} {path}")
                    seen += cell == "no"
        self.assertGreater(seen, 25)
        self.assertEqual(self.table(page("aged"))["command/REST"], {
            "R1": "yes", "R2": "yes", "R3": "no", "up to AG1R06": "yes", "AG1R07 to AG1R09": "yes", "from AG1R10": "no"})
        self.assertEqual(self.table(page("dated"))["command/HALT"]["R1"], "", "revisions say nothing of it")
        self.assertEqual(page("second").by_id.get("availability"), None)

    def test_since_until_deprecated(self) -> None:
        root = page("shipped")
        for place in ("form/QICFG/echomode", "command/QICFG/echo_mode", "values/echo_mode", "setting/echo_mode", "line/QICFG.echomode"):
            self.assertIn("since V1.1, BC26NxR01A07, BC20NxR01A08", root.one(place).text)
        self.assertIn("since V1.1", root.one("command/QIDNSCFG").all("h3")[0].text)
        self.assertIn("since V1.1", root.one("example/11").all("h3")[0].text)
        self.assertIn("since V1.1", root.one("values/socket_state/4").text)
        self.assertNotIn("since", root.one("values/socket_state/3").text)
        self.assertIn("is closing the connection (since V1.1)", root.one("command/QISTATE/socket_state").words)
        root = page("aged")
        self.assertIn("until R2, AG1R09", root.one("command/REST").all("h3")[0].words)
        self.assertIn("deprecated: AT+MOVE=0", root.one("command/REST").all("h3")[0].words)
        self.assertIn("deprecated since R2: AT+MOVE=<speed>", root.one("command/MOVE/mode").words)
        self.assertEqual(root.one(anchor("reserved", "commands.JUMP")).words, "commands.JUMP: It hurt")

    def test_what_was_otherwise(self) -> None:
        for place, words in {"command/GO/speed": ("R1: integer, 1 to 10.", "R2: integer, 1 to 500."),
                             "form/GO/test": ("R1: +GO: (1-10).",), "form/PAINT/set": ("Up to R2: AT+PAINT=<colour>.",)}.items():
            self.says(page("dated").one(place), *words)
        for place, words in {"command/MOVE": ("R1: Mind the step.",), "values/mode/1": ("R1: hopping.",),
                             "command/MOVE/speed": ("Up to AG1R04: integer, 1 to 10.", "Up to AG1R04: without “When left out: 7.”."),
                             "form/MOVE/set": ("Up to R2: OK within 9 s",)}.items():
            self.says(page("aged").one(place), *words)
        for name in ("shipped", "bg95", "dated", "aged"):
            root, (spec, narrowed) = page(name), specs_named(name)
            now = {f.path: f for f in spec.forms}
            for form in [f for of in narrowed.values() for f in of.forms]:
                shown = root.one(anchor("form", form.command.name, form.name))
                self.says(shown, form.syntax.text)
                self.assertIn(time(form.response_time), shown.words)
                for f, same in zip(form.syntax.fields, now[form.path].syntax.fields):
                    if f.param and same.param and f.param.kind == "integer" and not f.param.values:
                        self.says(root.one(anchor("command", form.command.name, f.name)), f"{f.param.minimum} to {f.param.maximum}")
        said = Element("", {}, [e for e in page("aged").one("top").children])
        self.says(said, "What was otherwise")

    def test_the_feature_to_ask_for(self) -> None:
        asks = "bc26_supports(&firmware, BC26_FEATURE_QICFG_ECHOMODE)"
        for place in ("form/QICFG/echomode", "command/QICFG/echo_mode", "values/echo_mode", "setting/echo_mode", "line/QICFG.echomode"):
            self.says(page("shipped").one(place), asks)
            self.assertIn("feature/QICFG_ECHOMODE", written("shipped")[1])
        self.says(page("dated").one("values/motion/2"), "dated_supports(&firmware, DATED_FEATURE_MOTION_FAST)")
        self.says(page("dated").one("command/HALT").all("ul", "past")[0], "dated_supports(&firmware, DATED_FEATURE_HALT)")
        self.says(page("aged").one("values/gear"), "AGED_FEATURE_MOVE_GEAR")
        self.assertEqual(page("shipped").text.count(asks), 6, "and nowhere else but in the example")
        for name in ALL:
            spec, root = spec_named(name), page(name)
            for f in spec.features:
                row = root.one(anchor("feature", f.name))
                self.says(row, *(b.firmware for b in f.bounds), f"{spec.module.upper()}_HAS_{f.name}")

    def test_a_view_tells_what_it_lacks(self) -> None:
        spec = specs_of_views(str(SHIPPED), ["BC26NBR01A06"], [])["BC26NBR01A06"]
        root = Page(render_doc(spec)["bc26.html"]).root
        self.assertEqual(root.one(anchor("lacking", "commands.QICFG.forms.echomode")).words,
                         "commands.QICFG.forms.echomode: came with BC26NxR01A07")
        self.assertIn("As BC26NBR01A06 has it.", root.words)
        self.assertIn("#define BC26_HAS_QICFG_ECHOMODE 0", root.text)
        self.assertEqual(root.all("div", "matrix"), [])

    def test_words(self) -> None:
        """What takes several facts to say."""
        root = page("shipped")
        for place, words in {
                "form/QPING/set": "then, within (time_out + 1) s × ping_num (20 s where these are left out):",
                "form/QIOPEN/set": "+QIOPEN: <connectID>,<err>: with the same connectID; success when err is 0, "
                                   "otherwise failure; ends the command",
                "form/QISEND/stream": "1 to 1460 bytes, or 1 to 730 bytes as hexadecimal digits, in the format that "
                                      "send_data_format says; ended by Ctrl-Z; Esc gives up; echoed while echo_mode is 1",
                "form/QISTATE/read": "up to 5 lines",
                "form/QIDNSGIP/set": "as many times as IP_count of dnsgip says",
                "line/QIRD": "After a line break, or a comma while view_mode is 1, a payload follows: actual_read_length "
                             "bytes (1 to 512), in the format that recv_data_format says.",
                "line/recv": "only when access_mode[connectID] is 1",
                "setting/echo_mode": "where that is refused it is 0",
                "setting/access_mode": "One value for each connectID, 0 to 4.",
                "command/QPING/host": "IP address or domain name in quotes, at most 150 characters",
                "line/buffer_full": "seen on real modules",
                "session": "A line that tells that the module has started anew: F1: 0000 0000, Leaving the BROM or RDY."}.items():
            element = root.one(place)
            if element.tag == "h2":
                main = root.one("top").children
                element = Element("", {}, main[main.index(element):main.index(element) + 6])
            self.says(element, words)


class Whole(unittest.TestCase):
    """One page, that needs nothing else and leads nowhere else."""

    def test_ids_are_unique_and_links_resolve(self) -> None:
        for name in ALL:
            elements = list(page(name).walk())
            ids = [e.attributes["id"] for e in elements if "id" in e.attributes]
            self.assertEqual(sorted(ids), sorted(set(ids)))
            links = [e.attributes["href"] for e in elements if "href" in e.attributes]
            self.assertGreater(len(links), 10)
            for href in links:
                self.assertTrue(href.startswith("#"), href)
                self.assertIn(unquote(href[1:]), ids)
            hits = json.loads(next(e.text for e in elements if e.attributes.get("id") == "index"))
            self.assertLessEqual({h[3] for h in hits}, set(ids))

    def test_nothing_is_loaded(self) -> None:
        for name in ALL:
            for e in page(name).walk():
                for key in LOADS - {"href"}:
                    self.assertNotIn(key, e.attributes, e.tag)
                self.assertNotIn(e.tag, ("link", "img", "iframe", "object", "embed", "base"))
        for part in ("doc.css", "doc.js"):
            text = (TEMPLATES / part).read_text("utf-8")
            self.assertNotRegex(text, r"@import|url\(|https?:|fetch\(|XMLHttpRequest|import\(|innerHTML")

    def test_headings_and_labels(self) -> None:
        for name in ALL:
            levels = [int(e.tag[1]) for e in page(name).walk() if re.fullmatch("h[1-6]", e.tag)]
            self.assertEqual(levels.count(1), 1)
            for before, after in zip(levels, levels[1:]):
                self.assertLessEqual(after, before + 1)
            for drawing in page(name).all("svg"):
                self.assertEqual([c.tag for c in drawing.children if isinstance(c, Element)][0], "title")
            for e in page(name).all("table") + page(name).all("input") + page(name).all("nav"):
                self.assertTrue(e.attributes.get("aria-label"), e.tag)

    def test_colours_contrast(self) -> None:
        css = (TEMPLATES / "doc.css").read_text("utf-8")
        themes = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r"\{([^{}]*--page[^{}]*)\}", css)]
        light, dark, preferred = themes[:3]
        self.assertEqual(dark, preferred, "chosen or preferred, dark is the same")
        self.assertEqual(set(light), set(dark))
        pairs = [("text", "page"), ("text", "panel"), ("soft", "page"), ("soft", "panel"), ("link", "page"), ("link", "param"),
                 ("text", "word"), ("text", "param"), ("badge-text", "badge"), ("old-text", "old"), ("accent", "page"),
                 ("soft", "param"), ("text", "mark"), ("soft", "mark"), ("link", "mark")]
        for theme in (light, dark):
            for text, ground in pairs:
                self.assertGreaterEqual(contrast(theme[text], theme[ground]), 4.5, (text, ground))


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return float(0.2126 * r + 0.7152 * g + 0.0722 * b)
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return float((high + 0.05) / (low + 0.05))


class Faithful(unittest.TestCase):
    """What is said of C is what is generated."""

    def test_c_is_that_of_the_header(self) -> None:
        for name in ALL:
            spec = spec_named(name)
            header, text = render(spec)[f"{spec.module}.h"], page(name).text
            shown = [e.all("code")[0].text for e in page(name).all("details", "api")]
            self.assertEqual(len(shown), len(spec.forms) + sum(bool(ln.fields) and ln.kind != "test" for ln in spec.lines)
                             + bool(spec.features))
            for part in "\n\n".join(shown).strip().split("\n\n"):
                self.assertIn(part.strip(), header)
            for what, declared in re.findall(r"^(\w+ \*?)((?:const char \*)?\w+)\(", header.replace("const char *", "text "), re.M):
                self.assertTrue(f"{declared}()" in text or any(f"{what}{declared}(" in part for part in shown), declared)
            for name_of_one in re.findall(r"^(?:    |#define )(\w+)(?:,| =|$| AT_DEPRECATED| [01]$)", header, re.M):
                if not re.match(r"[A-Z0-9]+_(FORM_|SETTINGS$|H$|CALLS$)", name_of_one):     # not for one to write
                    self.assertIn(name_of_one, text)

    def test_arguments_are_the_manuals(self) -> None:
        for place, call in {
                "form/QIOPEN/set": "bc26 encode QIOPEN contextID=1 connectID=0 service_type=TCP host=220.180.239.212 "
                                   "remote_port=8062 local_port=1234 access_mode=0",
                "form/QISTATE/read": "bc26 encode QISTATE.read", "form/QIOPEN/test": "bc26 encode QIOPEN.test",
                "form/QISEND/inline": "bc26 encode QISEND.inline connectID=0 send_length=10 data=1234567890"}.items():
            self.assertEqual(page("shipped").one(place).all("pre", "cli")[0].text.strip(), call)
        self.assertIn("'AT^READ' channel=2", page("second").one(anchor("form", "AT^READ", "set")).text)


class Drawings(unittest.TestCase):
    def test_rails_follow_the_syntax(self) -> None:
        for name in ALL:
            for form in spec_named(name).forms:
                for svg in filter(None, rails(form, lambda n: anchor("x", n))):
                    root = Page(str(svg)).root
                    texts = [t.text for t in root.all("text")]
                    told = "".join(texts).removesuffix("Ctrl-Z").removesuffix("data") if form.data and form.data.source == "prompt" \
                        else "".join(texts)
                    bare = re.sub(r"[<>\[\]]", "", form.syntax.text)
                    self.assertEqual(told.removesuffix("after the prompt"), bare)
                    links = [e for e in root.all("a", "non-terminal")]
                    self.assertEqual([e.text for e in links], [f.param.name for f in form.syntax.fields if f.param])
                    self.assertEqual([e.attributes["href"] for e in links], ["#" + anchor("x", e.text) for e in links])

    def test_rails_fit(self) -> None:
        """Rows are broken; on a phone what is still wider is shrunk, though not until it can't be read."""
        for form in spec_named("shipped").forms + spec_named("bg95").forms:
            for svg, most in zip(rails(form, str), (WIDE, 1.25 * NARROW)):
                if svg:
                    self.assertLessEqual(float(Page(str(svg)).root.all("svg")[0].attributes["width"]), most, form.syntax.text)

    def test_a_track_leads_past_each_optional_part(self) -> None:
        for form in spec_named("shipped").forms:
            groups = {f.group for f in form.syntax.fields} - {0}
            drawn = str(rails(form, str)[0])
            plain = str(rails_without_groups(form))
            self.assertEqual(drawn == plain, not groups)

    def test_dialogues(self) -> None:
        for name in ALL:
            for example in spec_named(name).examples:
                told = story(example, lambda step: "")
                expected = len(example.steps) + sum(s.payload is not None for s in example.steps)
                self.assertEqual(len(told.events), expected)
                for width in (BROAD, SLIM):
                    drawing = Drawing(told, width)
                    root = Page(drawing.draw()).root
                    heads = [float(h.attributes["d"][1:].split()[0]) for h in root.all("path", "head")]
                    self.assertEqual(heads, [drawing.right if e.sent else drawing.left for e in told.events])
                    ways = [e.attributes["class"] for e in root.all("path") if e.attributes["class"] in ("sent", "received")]
                    self.assertEqual(ways, ["sent" if e.sent else "received" for e in told.events])
                    self.assertEqual(len(root.all("rect", "bytes")), sum(e.kind == "bytes" for e in told.events))
                    lines = [t.text for t in root.all("text") if not t.attributes.get("class")]
                    for event in told.events:
                        if event.kind != "prompt":
                            self.assertIn(event.text, "".join(lines))
                    for line in lines:
                        self.assertLessEqual(len(line) * 7.9, drawing.right - drawing.left)
                    ys = [float(t.attributes["y"]) for t in root.all("text") if t.attributes.get("class") != "name"]
                    self.assertEqual(ys, sorted(ys))

    def test_directions_and_marks(self) -> None:
        example = next(e for e in spec_named("shipped").examples if e.section == "4.2.3")
        told = story(example, lambda step: "")
        self.assertEqual(told.given, ["access_mode[0] = 1"])
        self.assertEqual([(e.sent, e.kind, e.text) for e in told.events[:3]], [
            (False, "line", '+QIURC: "recv",0,5'), (False, "bytes", "12345"), (True, "line", 'AT+QICFG="viewmode",1')])
        self.assertEqual(mermaid(told).splitlines()[:6], [
            "sequenceDiagram", "    participant H as Host", "    participant M as Module",
            "    Note over H,M: access_mode#91;0#93; = 1",
            "    M-->>H: +QIURC#58; #34;recv#34;,0,5", "    M-->>H: payload, 5 bytes#58; 12345"])

    def test_mermaid_text(self) -> None:
        self.assertEqual(mermaid_text("a;b#c:<d>\n%"), "a#59;b#35;c#58;#60;d#62;#10;#37;")


def rails_without_groups(form: Form) -> object:
    fields = [replace(f, group=0) for f in form.syntax.fields]
    return rails(replace(form, syntax=replace(form.syntax, fields=fields)), str)[0]


class Odd(unittest.TestCase):
    """Texts for people may hold anything."""

    def test_the_spec_is_odd(self) -> None:
        spec = spec_named("odd")
        odd = ODD.strip()
        self.assertEqual(spec.commands[0].notes, [odd])
        self.assertEqual((spec.title, spec.document, spec.commands[0].doc, spec.values[0].entries[0].text), (odd,) * 4)

    def test_html(self) -> None:
        root = page("odd")
        self.assertEqual(root.all("b"), [])
        self.assertEqual(len(root.all("script")), 2)
        self.assertEqual(root.all("title")[0].text, ODD.strip())
        self.assertEqual(one_line(root.all("ul", "notes")[0].text), ODD.strip())
        hits = json.loads(root.one("index").text)
        self.assertIn(ODD.strip(), [h[2] for h in hits])
        self.assertNotIn("<", root.one("index").text)

    def test_markdown(self) -> None:
        text = written("odd")[1]
        self.assertNotIn("<b>", re.sub(r"```.*?```", "", text, flags=re.S))
        for line in re.sub(r"```.*?```", "", text, flags=re.S).splitlines():
            if line.startswith("|"):
                cells = re.split(r"(?<!\\)\|", line.replace("\\\\", ""))
                self.assertIn(len(cells), (4, 5), line)

    def test_rich(self) -> None:
        rich = say("a_b <x> *y* ", code("c|`d`"), " ", link("e]", "f"))
        self.assertEqual(str(to_html(rich)), 'a_b &lt;x&gt; *y* <code>c|`d`</code> <a href="#f">e]</a>')
        self.assertEqual(to_markdown(rich), r"a_b \<x\> \*y\* `` c|`d` `` [e\]](#f)")
        self.assertEqual(to_markdown(rich, cell=True), r"a_b \<x\> \*y\* `` c\|`d` `` [e\]](#f)")
        self.assertEqual(to_markdown(code(r"\|<"), cell=True), r"<code>\\\|\<</code>")
        self.assertEqual(to_markdown("- no item"), r"\- no item")
        self.assertEqual(to_markdown("1. no item"), r"1\. no item")
        self.assertEqual(to_markdown("2.1.5 and +IP"), "2.1.5 and +IP")
        self.assertEqual(to_markdown("_x_ &lt;"), r"\_x\_ &amp;lt;")
        self.assertEqual(markdown_block("a ``` b"), "````\na ``` b\n````")
        self.assertEqual(str(to_html(joined(["a", "b", "c"], ", ", " or "))), "a, b or c")

    def test_anchors_never_meet(self) -> None:
        names = ["AT^X", "AT+X", "AT:5e:X", "AT X", "AT/X", "AT_X", "AT.X", "ATX"]
        self.assertEqual(len({anchor("a", n) for n in names}), len(names))
        for n in names:
            self.assertRegex(anchor(n), r"^[A-Za-z0-9._:-]+$")


class Markdown(unittest.TestCase):
    def test_links_resolve(self) -> None:
        for name in ALL:
            text = written(name)[1]
            ids = re.findall(r'<a id="([^"]*)"></a>', text)
            self.assertEqual(len(ids), len(set(ids)))
            bare = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
            links = re.findall(r"(?<!\\)\]\(#([^)]*)\)", bare)
            self.assertGreater(len(links), 5)
            self.assertLessEqual(set(links), set(ids))

    def test_same_places_as_the_page(self) -> None:
        for name in ALL:
            places = {e.attributes["id"] for e in page(name).walk() if "/" in e.attributes.get("id", "")}
            self.assertEqual(places, {i for i in re.findall(r'<a id="([^"]*)"></a>', written(name)[1]) if "/" in i})

    def test_says_what_the_page_says(self) -> None:
        text = written("shipped")[1]
        spec = spec_named("shipped")
        for form in spec.forms:
            self.assertIn(f"```\n{form.syntax.text}\n```", text)
        for example in spec.examples:
            self.assertIn(mermaid(story(example, lambda step: "")), text)
        self.assertEqual(text.count("```mermaid"), len(spec.examples))
        self.assertEqual(len(re.findall(r"^(```|````)", text, re.M)) % 2, 0)

    def test_blocks_stand_apart(self) -> None:
        """Headings, tables and fences have blank lines around them; or some readers take them for text."""
        for name in ALL:
            before, fenced = "", False
            for line in written(name)[1].splitlines():
                if line.startswith("```"):
                    fenced = not fenced
                    self.assertFalse(fenced and before, line)
                elif not fenced:
                    begins = line.startswith("#") or line.startswith("|") and not before.startswith("|")
                    ended = before.startswith(("#", "```")) or before.startswith("|") and not line.startswith("|")
                    self.assertFalse(begins and before or ended and line, f"{name}: {before!r} {line!r}")
                before = line

    def test_tables_are_whole(self) -> None:
        for name in ALL:
            width = 0
            for line in written(name)[1].splitlines():
                cells = len(re.findall(r"(?<!\\)\|", line.replace("\\\\", ""))) if line.startswith("|") else 0
                if cells and width:
                    self.assertEqual(cells, width, line)
                width = cells


class Command(Folder):
    def test_writes_both(self) -> None:
        done = atspec("doc", SHIPPED, "-o", self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        expected = {"bc26.html": written("shipped")[0].encode(), "bc26.md": written("shipped")[1].encode()}
        self.assertTrue(contents(self.folder) == expected, "what render_doc makes")     # a diff of it takes minutes
        for path in self.folder.iterdir():
            os.utime(path, (1, 1))
        done = atspec("doc", os.path.relpath(SHIPPED, self.folder), "-o", ".", cwd=self.folder, PYTHONHASHSEED="4711", TZ="UTC4",
                      LC_ALL="C")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual({p.stat().st_mtime for p in self.folder.iterdir()}, {1}, "the same from anywhere, and left alone")

    def test_formats(self) -> None:
        for given, name in (("html", "tide.html"), ("markdown", "tide.md")):
            self.assertEqual(atspec("doc", SECOND, "-o", self.folder / given, "--format", given).returncode, 0)
            self.assertEqual(list(contents(self.folder / given)), [name])
        self.assertEqual(atspec("doc", SECOND, "-o", self.folder, "--format", "pdf").returncode, 2)

    def test_names_nothing_of_where_it_was_made(self) -> None:
        for text in written("shipped"):
            for foreign in (str(REPOSITORY), "/home/", "/tmp/", "object at 0x"):
                self.assertNotIn(foreign, text)
            self.assertLessEqual(set(re.findall(r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}\b", text)), {spec_named("shipped").date})

    def test_coverage(self) -> None:
        spec = spec_named("shipped")
        facts = "".join(f"{r.kind}\t{r.name}\tall\n" for r in rows(spec) if r.kind != "section" and r.name != "QIRD.set")
        (self.folder / "facts").mkdir()
        (self.folder / "facts" / "test_x").write_text(facts)
        done = atspec("doc", SHIPPED, "-o", self.folder / "out", "--tests", self.folder / "facts", "--format", "html")
        self.assertEqual(done.returncode, 0, done.stderr)
        root = Page((self.folder / "out" / "bc26.html").read_text("utf-8")).root
        self.assertIn("commands.QIOPEN.set test_x: all", root.one("section/2.1.1").words)
        self.assertNotIn("HOLE", root.one("section/2.1.1").text)
        self.assertIn("commands.QIRD.set HOLE", root.one("section/2.1.5").words)
        self.assertIn("AT+QIRD HOLE", root.one("section/2.1.5").all("th")[0].words, "though other tests cover the section")
        self.assertNotIn("test_x", written("shipped")[0])

    def test_errors(self) -> None:
        broken = self.folder / "broken.yaml"
        broken.write_text("atspec: 1\nmodule: x\n")
        done = atspec("doc", broken, "-o", self.folder / "out")
        self.assertEqual(done.returncode, 1)
        self.assertIn("error[", done.stderr)
        self.assertFalse((self.folder / "out").exists())
        self.assertIn("--format", atspec("doc", "--help").stdout)

    def test_without_the_library(self) -> None:
        (self.folder / "railroad.py").write_text("raise ImportError\n")
        done = atspec("doc", SHIPPED, "-o", self.folder / "out", PYTHONPATH=str(self.folder))
        self.assertEqual(done.returncode, 2)
        self.assertIn("python3-railroad-diagrams", done.stderr)
        self.assertEqual(atspec("check", SHIPPED, PYTHONPATH=str(self.folder)).returncode, 0)


if __name__ == "__main__":
    unittest.main()
