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
from unittest import mock
from urllib.parse import unquote

from page import LOADS, Element, Page
from support import REPOSITORY, SHIPPED
from test_render import SECOND, Folder, atspec, contents, load

from atspec.coverage import rows
from atspec.doc import render_doc, title
from atspec.model import Form, Line, Param, Spec
from atspec.rails import NARROW, WIDE, rails
from atspec.render import render
from atspec.rich import anchor, code, joined, link, markdown_block, say, to_html, to_markdown
from atspec.sequence import Drawing, mermaid, mermaid_text, story
from atspec.words import availability

TEMPLATES = REPOSITORY / "gen" / "templates"

SMALLEST = """\
atspec: 1
module: tiny
title: Tiny
source: {document: None, version: '1', date: '2020-01-01', sections: {'1': All}}
defaults: {response_time: 300 ms}
finals:
  OK: {line: OK, outcome: ok, doc: Done}
  ERROR: {line: ERROR, outcome: error, doc: Refused}
commands:
  PLAIN: {section: '1', doc: Do it, execute: {syntax: AT+PLAIN}}
"""

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


def spec_of(text: str) -> Spec:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "spec.yaml")
        path.write_text(text, "utf-8")
        return load(path)


@cache
def spec_named(name: str) -> Spec:
    texts = {"smallest": SMALLEST, "odd": ODD_SPEC}
    return spec_of(texts[name]) if name in texts else load({"shipped": SHIPPED, "second": SECOND}[name])


@cache
def written(name: str) -> tuple[str, str]:
    files = render_doc(spec_named(name))
    module = spec_named(name).module
    return files[f"{module}.html"], files[f"{module}.md"]


@cache
def page(name: str) -> Element:
    return Page(written(name)[0]).root


ALL = ("shipped", "second", "smallest", "odd")


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
                self.says(place, title(command), command.doc, *command.notes)
                for form in command.forms:
                    self.form(spec, place.one(anchor("form", command.name, form.name)), form)

    def form(self, spec: Spec, place: Element, form: Form) -> None:
        self.says(place, form.name, form.doc, form.syntax.text, f"within {form.response_time} ms")
        self.assertIn(f"{spec.module}_{form.c_name}(struct at_client *client", place.text)
        self.assertIn(f"{spec.module} encode", place.text)
        for line, _, _ in form.response:
            self.says(place, line.variants[0].template.text)
        for completion in form.then:
            self.says(place, completion.line.variants[0].template.text)
        drawn = [t.text for s in place.all("svg")[:1] for t in s.all("text")]
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
            self.assertGreater(count, {"smallest": -1, "odd": 2}.get(name, 20))

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
                drawing = root.one(anchor("example", str(i))).all("svg")[0].text
                self.assertIn(one_line(example.title), one_line(drawing))

    def test_availability(self) -> None:
        root = page("shipped")
        self.assertIn("since V1.1, BC26NxR01A07, BC20NxR01A08", root.one("form/QICFG/echomode").text)
        self.assertIn("since V1.1", root.one("command/QIDNSCFG").all("h3")[0].text)
        self.assertIn("since V1.1", root.one("values/socket_state/4").text)
        self.assertNotIn("since", root.one("values/socket_state/3").text)
        self.assertIn("is closing the connection (since V1.1)", root.one("command/QISTATE/socket_state").words)
        form = spec_named("shipped").forms[0]
        marked = {"until": {"revision": "V1.0"}, "deprecated": {"use": "AT+OTHER", "since": {"revision": "V1.1"}}}
        with mock.patch.dict(vars(form), marked):
            self.assertEqual(availability(form), ["until V1.0", "deprecated since V1.1: AT+OTHER"])

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
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return float((high + 0.05) / (low + 0.05))


class Faithful(unittest.TestCase):
    """What is said of C is what is generated."""

    def test_c_is_that_of_the_header(self) -> None:
        for name in ALL:
            spec = spec_named(name)
            header = render(spec)[f"{spec.module}.h"]
            shown = [e.all("code")[0].text for e in page(name).all("details", "api")]
            self.assertEqual(len(shown), len(spec.forms) + sum(bool(ln.fields) and ln.kind != "test" for ln in spec.lines))
            for text in shown:
                for part in text.strip().split("\n\n"):
                    self.assertIn(part.strip(), header)
            for declaration in re.findall(r"^int \w+\(", header, re.M):
                if not declaration.endswith(("_of(", "_firmware_parse(")):    # of no form
                    self.assertTrue(any(declaration in text for text in shown), declaration)

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
        """Rows are broken; only what is optional within the optional may be wider than a phone."""
        for form in spec_named("shipped").forms:
            levels = max((f.group for f in form.syntax.fields), default=0)
            for svg, most in zip(rails(form, str), (WIDE, NARROW + 24 * levels)):
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
                for width in (680, 330):
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
        self.assertEqual(contents(self.folder), {
            "bc26.html": written("shipped")[0].encode(), "bc26.md": written("shipped")[1].encode()})
        for path in self.folder.iterdir():
            os.utime(path, (1, 1))
        atspec("doc", SHIPPED, "-o", self.folder)
        self.assertEqual({p.stat().st_mtime for p in self.folder.iterdir()}, {1})

    def test_formats(self) -> None:
        for given, name in (("html", "tide.html"), ("markdown", "tide.md")):
            self.assertEqual(atspec("doc", SECOND, "-o", self.folder / given, "--format", given).returncode, 0)
            self.assertEqual(list(contents(self.folder / given)), [name])
        self.assertEqual(atspec("doc", SECOND, "-o", self.folder, "--format", "pdf").returncode, 2)

    def test_deterministic(self) -> None:
        for seed, folder in (("0", "a"), ("4711", "b")):
            done = atspec("doc", os.path.relpath(SHIPPED, self.folder), "-o", folder, cwd=self.folder, PYTHONHASHSEED=seed,
                          TZ=f"UTC{seed[0]}", LC_ALL="C")
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(contents(self.folder / "a"), contents(self.folder / "b"))
        for text in written("shipped"):
            for foreign in (str(REPOSITORY), "/home/", "/tmp/", "object at 0x"):
                self.assertNotIn(foreign, text)
            self.assertLessEqual(set(re.findall(r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}\b", text)), {spec_named("shipped").date})

    def test_coverage(self) -> None:
        spec = spec_named("shipped")
        facts = "".join(f"{r.kind}\t{r.name}\tall\n" for r in rows(spec) if r.kind != "section" and r.name != "QIRD.set")
        (self.folder / "facts").mkdir()
        (self.folder / "facts" / "test_x").write_text(facts)
        done = atspec("doc", SHIPPED, "-o", self.folder / "out", "--tests", self.folder / "facts")
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
