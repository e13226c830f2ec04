"""The reference manual in a browser: no fault, a search that finds, readable on every screen.

AT_SCREENSHOTS=DIR keeps the pictures.
"""

from __future__ import annotations

import json
import os
import re
import struct
import tempfile
import unittest
import zlib
from pathlib import Path

from browser import CHROMIUM, Browser
from support import SHIPPED
from test_render import SECOND, load

from atspec.build import specs_of_views
from atspec.doc import render_doc

BG95 = SHIPPED.with_name("bg95-tcpip.yaml")
REASON = "no Chromium. On Debian: apt-get install chromium"
CHOSEN = "document.querySelector('#results [aria-selected=true]')"
if not CHROMIUM:
    print(f"skipped: test_doc_browser, for there is {REASON}")


def shades(png: bytes) -> int:
    """How many different bytes the picture's rows are made of; one of a single colour has few."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    data, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        data += png[at + 8:at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    return len(set(zlib.decompress(data)))


@unittest.skipUnless(CHROMIUM, REASON)
class Reader(unittest.TestCase):
    folder: "tempfile.TemporaryDirectory[str]"
    browser: Browser

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        for spec in (SHIPPED, SECOND, BG95):
            views = specs_of_views(str(spec), load(spec).views, [])
            for name, text in render_doc(load(spec), formats=["html"], narrowed=views).items():
                Path(cls.folder.name, name).write_text(text, "utf-8")
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.browser.close()
        cls.folder.cleanup()

    def setUp(self) -> None:
        self.browser.faults.clear()
        self.browser.requests.clear()
        self.browser.size(1280, 900)
        self.browser.media()

    def tearDown(self) -> None:
        self.assertEqual(self.browser.faults, [])
        self.assertLessEqual({r.partition("#")[0] for r in self.browser.requests}, {*map(self.address, ("bc26", "bg95", "tide")), "about:blank"})

    def address(self, name: str = "bc26") -> str:
        return Path(self.folder.name, f"{name}.html").as_uri()

    def open(self, fragment: str = "", name: str = "bc26") -> None:
        self.browser.open(self.address(name) + fragment)

    def found(self) -> list[str]:
        titles = self.browser.run("Array.from(document.querySelectorAll('#results [role=option] code'), e => e.textContent)")
        assert isinstance(titles, list)
        return titles

    def at(self, place: str) -> None:
        """The reader has arrived at a place of the page."""
        self.browser.until(f"decodeURIComponent(location.hash) == {json.dumps('#' + place)}")
        self.browser.until(f"(r => r.top >= 0 && r.top < innerHeight)(document.getElementById({json.dumps(place)}).getBoundingClientRect())")

    def picture(self, name: str) -> None:
        path = Path(os.environ.get("AT_SCREENSHOTS") or self.folder.name, f"{name}.png")
        self.browser.screenshot(path)
        self.assertGreater(shades(path.read_bytes()), 100, f"{name} shows nothing")

    # search

    def test_search_in_the_address(self) -> None:
        self.open("#q=QIRD")
        self.assertEqual(self.found()[0], "AT+QIRD")
        self.assertFalse(self.browser.run("document.getElementById('results').hidden"))
        self.picture("search")

    def test_search_by_hand(self) -> None:
        self.open()
        for typed, first, place in (("qiopen", "AT+QIOPEN", "command/QIOPEN"), ("552", "552", "values/error/552"),
                                    ("at+qping", "AT+QPING", "command/QPING"), ("read_length", "read_length", "command/QIRD/read_length"),
                                    ("buff full", '+QIURC: "recv",<connectID>,"buff full"', "line/buffer_full"),
                                    ("BC26_ERROR_BIND", "556", "values/error/556"),
                                    ("bc26_qiswtmd_start", "AT+QISWTMD=<connectID>,<access_mode>", "form/QISWTMD/set"),
                                    ("BC26_FEATURE_QICFG_ECHOMODE", "QICFG_ECHOMODE", "feature/QICFG_ECHOMODE"), ("view_mode", "view_mode", "setting/view_mode")):
            self.browser.write("/")     # from wherever the reader is
            self.browser.until("document.activeElement.id == 'search'")
            self.browser.write(typed)
            self.assertEqual(self.found()[0], first)
            self.browser.press("Enter")
            self.at(place)
            self.assertTrue(self.browser.run("document.getElementById('results').hidden"))

    def test_every_command_parameter_and_value_is_found(self) -> None:
        self.open()
        spec = load(SHIPPED)
        wanted = [c.name for c in spec.commands] + [str(v.key) for t in spec.values for v in t.entries if t.name == "error"]
        wanted += [f.name for c in spec.commands for form in c.forms for f in form.syntax.fields if f.param]
        wanted += [s.name for s in spec.settings] + [ln.name for ln in spec.urcs]
        for name in sorted(set(wanted)):
            self.browser.run(f"document.getElementById('search').value = {json.dumps(name)};"
                             "document.getElementById('search').dispatchEvent(new Event('input'))")
            first = " ".join(self.found()[:3])
            self.assertTrue(name in first or name in ("recv", "buffer_full", "dnsgip_address"), f"{name}: {first}")
            self.assertTrue(first)

    def test_arrows_and_escape(self) -> None:
        self.open()
        self.browser.write("/")
        self.browser.write("qisend")
        all_of_it = self.found()
        self.assertGreater(len(all_of_it), 5)
        chosen = f"Array.from(document.querySelectorAll('#results [role=option]')).indexOf({CHOSEN})"
        self.assertEqual(self.browser.run(chosen), 0)
        for key, place in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("ArrowUp", 0), ("ArrowUp", len(all_of_it) - 1),
                           ("ArrowDown", 0)):
            self.browser.press(key)
            self.assertEqual(self.browser.run(chosen), place)
            self.assertEqual(self.browser.run("document.getElementById('search').getAttribute('aria-activedescendant')"),
                             f"result{place}")
        self.assertEqual(self.browser.run("location.hash"), "#q=qisend", "to be sent to somebody")
        self.browser.press("Escape")
        self.assertTrue(self.browser.run("document.getElementById('results').hidden"))
        self.assertEqual(self.browser.run("document.getElementById('search').getAttribute('aria-expanded')"), "false")

    def test_nothing_found(self) -> None:
        self.open("#q=no%20such%20thing%3Cb%3E")
        self.assertEqual(self.found(), [])
        self.assertEqual(self.browser.run("document.getElementById('search').value"), "no such thing<b>")
        self.assertIn("Nothing", str(self.browser.run("document.getElementById('results').textContent")))
        self.browser.press("Enter")
        self.open("#q=%E0%A4%A")    # not UTF-8: nobody's search

    # places

    def test_every_link_leads_somewhere(self) -> None:
        for name in ("bc26", "bg95", "tide"):
            self.open(name=name)
            lost = self.browser.run("Array.from(document.querySelectorAll('a'), a => decodeURIComponent((a.getAttribute('href') || '')"
                                    ".slice(1))).filter(id => !document.getElementById(id))")
            self.assertEqual(lost, [])
        self.open("#line/:2b:CME:20:ERROR", "tide")
        self.at("line/:2b:CME:20:ERROR")

    def test_a_diagram_leads_to_the_parameter(self) -> None:
        self.open("#form/QIOPEN/set")
        self.browser.run("document.querySelector('[id=\"form/QIOPEN/set\"] svg a').dispatchEvent("
                         "new MouseEvent('click', {bubbles: true, cancelable: true, view: window}))")
        self.at("command/QIOPEN/contextID")

    # looks

    def test_screens(self) -> None:
        """Nothing sticks out; what is wide scrolls in its own box, and drawings fit theirs. Of two drawings one is shown."""
        wider = "Array.from(document.querySelectorAll('.drawing')).filter(d => d.scrollWidth > d.clientWidth).map(d => d.textContent)"
        hidden = "Array.from(document.querySelectorAll('.drawing')).filter(d => !d.offsetParent).length"
        small = "Math.min(...Array.from(document.querySelectorAll('.drawing svg')).map(s => s.getBoundingClientRect().width" \
                " / s.viewBox.baseVal.width).filter(Boolean))"
        for name in ("bc26", "bg95", "tide"):
            self.open(name=name)
            for dark, (width, height, phone) in enumerate(((1280, 900, False), (820, 1100, True), (360, 800, True), (320, 640, True))):
                self.browser.size(width, height, phone)
                self.browser.media(dark=dark % 2 == 1)
                self.assertLessEqual(self.browser.run("document.documentElement.scrollWidth"), width, "nothing sticks out")
                self.assertEqual(self.browser.run(wider), [])
                self.assertGreater(self.browser.run(hidden), {"tide": 2}.get(name, 20))
                self.assertGreater(self.browser.run(small), 0.7, "readable even so")
                ground = self.browser.run("getComputedStyle(document.body).backgroundColor")
                self.assertEqual(ground, "rgb(20, 24, 29)" if dark % 2 else "rgb(255, 255, 255)")
                self.picture(f"{name}-{width}")

    def test_places_have_their_looks(self) -> None:
        """What only eyes can judge: pictures of every kind of place."""
        for width, phone, dark in ((1280, False, True), (360, True, False)):
            self.browser.size(width, 1000, phone)
            self.browser.media(dark=dark)
            self.open()
            for place in ("form/QIOPEN/set", "availability", "example/6", "settings"):
                self.browser.run(f"location.hash = '{place}'")
                self.at(place)
                self.picture(f"{place.replace('/', '-')}-{width}")

    def test_availability_on_a_phone(self) -> None:
        self.browser.size(360, 800, True)
        self.open("#availability")
        matrix = "document.querySelector('.matrix')"
        self.assertTrue(self.browser.run(f"{matrix}.scrollWidth > {matrix}.clientWidth"))
        first = f"{matrix}.querySelector('tbody th').getBoundingClientRect().left"
        before = self.browser.run(first)
        self.browser.run(f"{matrix}.scrollLeft = 200")
        self.assertEqual(self.browser.run(f"{matrix}.scrollLeft"), 200)
        self.assertEqual(self.browser.run(first), before, "what a row is of stays in sight")

    def test_keyboard_shows_where_it_is(self) -> None:
        self.open()
        seen = set()
        for _ in range(6):
            self.browser.press("Tab")
            self.assertEqual(self.browser.run("getComputedStyle(document.activeElement).outlineStyle"), "solid")
            seen.add(self.browser.run("document.activeElement.outerHTML"))
        self.assertEqual(len(seen), 6)

    def test_without_scripts(self) -> None:
        self.browser.send("Emulation.setScriptExecutionDisabled", value=True)
        try:
            self.open("#availability")
            for unseen in (".search", "#theme"):
                self.assertEqual(self.browser.run(f"getComputedStyle(document.querySelector('{unseen}')).display"), "none")
            self.assertTrue(self.browser.run("document.querySelector('.toc details').open"))
            self.assertEqual(self.browser.run("Array.from(document.querySelectorAll('.drawing')).every(d => d.querySelector('svg'))"), True)
        finally:
            self.browser.send("Emulation.setScriptExecutionDisabled", value=False)

    def test_texts_fit_their_boxes(self) -> None:
        self.open()
        wide = self.browser.run("""Array.from(document.querySelectorAll('.railroad-diagram')).flatMap(svg =>
            Array.from(svg.querySelectorAll('g, a')).filter(g => g.querySelector(':scope > rect') && g.querySelector(':scope > text'))
                .filter(g => g.querySelector('rect').getBBox().width < g.querySelector('text').getBBox().width)
                .map(g => g.textContent))""")
        self.assertEqual(wide, [])
        wide = self.browser.run("""Array.from(document.querySelectorAll('.sequence.drawing, .drawing .sequence')).flatMap(svg =>
            Array.from(svg.querySelectorAll('text')).filter(t => svg.getBoundingClientRect().width
                && t.getBBox().width > svg.viewBox.baseVal.width - 76).map(t => t.textContent))""")
        self.assertEqual(wide, [])

    def test_theme(self) -> None:
        self.open("#theme=dark")
        ground = "getComputedStyle(document.body).backgroundColor"
        self.assertEqual(self.browser.run(ground), "rgb(20, 24, 29)")
        self.open()
        self.assertEqual(self.browser.run(ground), "rgb(255, 255, 255)", "the address chooses for this once")
        for name, colour in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 29)")):
            self.browser.run("document.getElementById('theme').click()")
            self.assertEqual(self.browser.run("document.getElementById('theme').getAttribute('aria-label')"), f"Theme: {name}")
            self.assertEqual(self.browser.run(ground), colour)
        self.open()
        self.assertEqual(self.browser.run(ground), "rgb(20, 24, 29)", "the button's choice is kept")
        self.browser.run("document.getElementById('theme').click()")
        self.assertEqual(self.browser.run(ground), "rgb(255, 255, 255)", "and given up again")

    def test_paper(self) -> None:
        self.browser.size(1280, 900)
        self.open("#theme=dark")
        self.browser.media("print")
        self.assertEqual(self.browser.run("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)")
        self.assertEqual(self.browser.run("getComputedStyle(document.querySelector('.bar')).display"), "none")
        self.browser.size(688, 900)     # of A4 without its margins
        self.assertEqual(self.browser.run("getComputedStyle(document.querySelector('.parameters td')).display"), "table-cell")
        self.assertLessEqual(self.browser.run("document.documentElement.scrollWidth"), 688)
        self.browser.run("window.dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(self.browser.run("document.querySelectorAll('details:not([open])').length"), 0)
        self.browser.run("window.dispatchEvent(new Event('afterprint'))")
        self.assertGreater(self.browser.run("document.querySelectorAll('details:not([open])').length"), 10)
        path = Path(os.environ.get("AT_SCREENSHOTS") or self.folder.name, "paper.pdf")
        self.browser.paper(path)
        pages = [int(n) for n in re.findall(rb"/Count (\d+)", path.read_bytes())]
        self.assertGreater(max(pages), 20, "everything is on paper")


if __name__ == "__main__":
    unittest.main()
