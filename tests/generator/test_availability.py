"""Views of a spec: what a revision of the manual or a firmware has."""

from __future__ import annotations

import re
import unittest
from typing import Optional

from support import HEADER, REPOSITORY, SHIPPED, load_spec, spec_file
from test_render import COMPILERS, WARNINGS, Folder, atspec, run
from atspec.availability import neighbour, numbers_of, series_of
from atspec.model import Param, Spec

A07 = {"revision": "V1.1", "firmware": {"BC26": "BC26NxR01A07", "BC20": "BC20NxR01A08"}}


def shipped(at: Optional[str] = None) -> Spec:
    spec, diagnostics = load_spec(str(SHIPPED), at=at)
    assert spec, "\n".join(map(str, diagnostics))
    return spec


def load_text(text: str, at: Optional[str] = None) -> Spec:
    with spec_file(HEADER + text) as path:
        spec, diagnostics = load_spec(path, True, at)
    assert spec and not diagnostics, "\n".join(map(str, diagnostics))
    return spec


def syntaxes(spec: Spec) -> dict[str, str]:
    return {f.c_name: f.syntax.text for f in spec.forms}


class Names(unittest.TestCase):
    def test_series(self) -> None:
        self.assertEqual(series_of("BC26", "BC26NxR01A07"), "BC26N?R#A#")
        self.assertEqual(series_of("BG95-M3", "BG95M3LAR02A04"), "BG95M3LAR#A#", "the device's digits are its own")
        self.assertEqual(series_of("Other", "R01A07"), "R#A#")

    def test_numbers(self) -> None:
        for name, numbers in {"BC26NBR01A06": (1, 6), "BC26NAR01A10": (1, 10), "BC26NxR02A01_01.002": (2, 1),
                              "BC26NBR01A07BETA": (1, 7), "BC20NBR01A07": None, "BC26N1R01A07": None,
                              "BC26NBR01": None}.items():
            self.assertEqual(numbers_of("BC26N?R#A#", name), numbers, name)

    def test_neighbours(self) -> None:
        self.assertEqual([neighbour("BC26", "BC26NxR01A10", n) for n in (-1, 1)], ["BC26NxR01A09", "BC26NxR01A11"])
        self.assertEqual([neighbour("BC26", f"BC26NxR{n}", -1) for n in ("01A00", "10A00", "00A00")],
                         ["BC26NxR00A99", "BC26NxR09A99", ""])
        self.assertEqual(neighbour("BC26", "BC26", -1), "", "there is no device before a device")


class Shipped(unittest.TestCase):
    def test_views(self) -> None:
        self.assertEqual(shipped().views, ["V1.0", "V1.1", "BC26NxR01A06", "BC26NxR01A07", "BC20NxR01A07", "BC20NxR01A08"])

    def test_what_each_has(self) -> None:
        everything = shipped()
        old_forms = {"qisend_stream", "qisend_fixed", "qisend_progress", "qicfg_echomode",
                     "qidnscfg", "qidnscfg_query", "qidnscfg_test"}
        lacking: dict[str, set[str]] = {
            "V1.0": old_forms, "V1.1": set(), "BC26NBR01A06": {"qicfg_echomode"}, "BC26NBR01A07": set(),
            "BC26NAR02A01": set(), "BC20NBR01A07": {"qicfg_echomode"}, "BC20NBR01A08_01.003": set()}
        for at, lacks in lacking.items():
            with self.subTest(at):
                spec = shipped(at)
                self.assertEqual(set(syntaxes(everything)) - set(syntaxes(spec)), lacks)
                echo = "qicfg_echomode" not in lacks
                self.assertEqual("echo_mode" in {s.name for s in spec.settings}, echo)
                self.assertEqual("echo_mode" in {t.name for t in spec.values}, echo)
                test = next(f for f in spec.forms if f.c_name == "qicfg_test")
                self.assertEqual(len(test.test_lines), 4 if echo else 3)

    def test_a_name_beside_one_with_any_letter(self) -> None:
        spec = "devices: [BOX]\nurcs:\n" + "".join(
            f"  {n}: {{line: {n.upper()}, since: {{firmware: {{BOX: {f}}}}}, doc: A URC}}\n" for n, f in
            (("one", "BOXBR01A03"), ("two", "BOXxR01A05"), ("three", "BOXCR01A07")))
        for at, has in {"BOXAR01A02": set(), "BOXAR01A04": {"one"}, "BOXBR01A07": {"one", "two", "three"}}.items():
            self.assertEqual({ln.name for ln in load_text(spec, at).lines if ln.kind == "urc"}, has, at)

    def test_revision_1_0(self) -> None:
        spec = shipped("V1.0")
        self.assertEqual((spec.version, spec.date), ("V1.0", "2018-07-27"))
        self.assertNotIn("2.1.11", spec.sections, "nothing of it was there")
        states = next(t for t in spec.values if t.name == "socket_state")
        self.assertEqual([v.key for v in states.entries], [0, 1, 2, 3])
        titles = [e.title for e in spec.examples]
        self.assertNotIn("Configure the DNS servers", titles)
        sends = next(e for e in spec.examples if e.title == "Send in buffer mode")
        self.assertEqual([s.name for s in sends.steps if s.name], ["QISEND.inline", "QISENDEX.set"])

    def test_everything_has_what_is_new(self) -> None:
        spec = shipped()
        form = next(f for f in spec.forms if f.c_name == "qicfg_echomode")
        self.assertEqual(form.since, A07)
        self.assertEqual(next(s for s in spec.settings if s.name == "echo_mode").since, A07, "by the form's path")
        data = next(f for f in spec.forms if f.c_name == "qisend_fixed").data
        assert data and data.echo
        self.assertEqual(spec.version, "V1.1")
        self.assertIsNone(spec.view)

    def test_features(self) -> None:
        for at in (None, "V1.0", "BC26NBR01A06"):
            features = shipped(at).features
            self.assertEqual([f.name for f in features], ["QICFG_ECHOMODE"])
            self.assertEqual([(b.device, b.numbers, b.until) for b in features[0].bounds],
                             [("BC26", (1, 7), False), ("BC20", (1, 8), False)])

    def test_the_sum_tells_views_apart(self) -> None:
        sums = [shipped(at).sha256 for at in (None, "V1.0", "V1.1", "BC26NBR01A07")]
        self.assertEqual(len(set(sums)), 4)


LIMITS = """\
revisions: [V1, V2, V3, V4]
parameters:
  num:
    type: integer
    range: 1..1500
    default: 1
    doc: A number
    was:
      - {before: {revision: V3}, range: 1..255, doc: A smaller number}
      - {before: {revision: V2}, range: 1..9, without: [default]}
urcs:
  one: {line: '+ONE: <num>', doc: A URC}
"""


class Changes(unittest.TestCase):
    def param(self, text: str, at: Optional[str] = None) -> Param:
        param = load_text(text, at).urcs[0].fields[0].param
        assert param
        return param

    def test_a_limit_that_changed(self) -> None:
        limits = {at: (p.maximum, p.default, p.doc) for at in (None, "V4", "V3", "V2", "V1") for p in [self.param(LIMITS, at)]}
        new, middle, old = (1500, 1, "A number"), (255, 1, "A smaller number"), (9, None, "A smaller number")
        self.assertEqual(limits, {None: new, "V4": new, "V3": new, "V2": middle, "V1": old})

    def test_in_any_order(self) -> None:
        lines = LIMITS.splitlines(True)
        i = next(i for i, ln in enumerate(lines) if "V3}" in ln)
        lines[i], lines[i + 1] = lines[i + 1], lines[i]
        self.assertEqual((self.param("".join(lines), "V1").maximum, self.param("".join(lines), "V2").maximum), (9, 255))

    def test_what_was_may_change_too(self) -> None:
        text = """\
revisions: [V1, V2, V3]
urcs:
  one:
    line: ONE
    doc: A URC
    was: [{before: {revision: V3}, doc: Older, was: [{before: {revision: V2}, doc: Oldest}]}]
"""
        self.assertEqual([load_text(text, at).urcs[0].doc for at in (None, "V2", "V1")], ["A URC", "Older", "Oldest"])

    def test_a_revision_says_nothing_of_firmware(self) -> None:
        text = """\
devices: [BOX, BAG]
revisions: [V1, V2]
urcs:
  r: {line: R, since: {revision: V2}, doc: A URC}
  f: {line: F, since: {firmware: {BOX: BOX2}}, doc: A URC}
  u: {line: U, until: {firmware: {BOX: BOX2, BAG: BAG5}}, doc: A URC}
"""
        for at, names in {None: "rfu", "V1": "fu", "V2": "rfu", "BOX1": "ru", "BOX2": "rfu", "BOX3": "rf",
                          "BAG5": "rfu", "BAG6": "rf"}.items():
            self.assertEqual("".join(u.name for u in load_text(text, at).urcs), names, at)
        self.assertEqual(load_text(text).views, ["V1", "V2", "BOX1", "BOX2", "BOX3", "BAG5", "BAG6"])


PARAMETERS = """\
revisions: [V1, V2, V3]
parameters:
  a: {type: integer, range: 0..9, doc: A number}
  b: {type: integer, range: 0..9, since: {revision: V2}, doc: A number}
  c: {type: integer, range: 0..9, since: {revision: V3}, doc: A number}
commands:
  OWN:
    section: '1'
    doc: A command with a parameter of that name itself
    parameters: {b: {type: integer, range: 0..9, doc: A number}}
    set: {syntax: 'AT+OWN=<a>,<b>'}
  PUT:
    section: '1'
    doc: A command
    set: {syntax: 'AT+PUT=<a>[,<b>[,<c>]]'}
    forms:
      both: {syntax: 'AT+PUT="x",<a>[,<c>]'}
urcs:
  one: {line: '+ONE: <a>[,<b>]', also: [{line: '+ONE: "y",<a>[,<c>]'}], doc: A URC}
"""


class Parameters(unittest.TestCase):
    def test_optional_ones_leave_the_syntax(self) -> None:
        for at, put, both, one in ((None, "<a>[,<b>[,<c>]]", "<a>[,<c>]", "<a>[,<b>]"), ("V2", "<a>[,<b>]", "<a>", "<a>[,<b>]"),
                                   ("V1", "<a>", "<a>", "<a>")):
            spec = load_text(PARAMETERS, at)
            self.assertEqual(syntaxes(spec), {"own": "AT+OWN=<a>,<b>", "put": f"AT+PUT={put}", "put_both": f'AT+PUT="x",{both}'})
            self.assertEqual(spec.urcs[0].variants[0].template.text, f"+ONE: {one}")

    def test_findings_name_the_view_and_both_places(self) -> None:
        with spec_file(HEADER + PARAMETERS.replace("[,<b>]', also", ",<b>', also")) as path:
            found = load_spec(path, True, "V1")[1]
        self.assertEqual([d.code for d in found], ["E101"])
        self.assertRegex(found[0].message, r"^in V1: <b> came with V2 \(.*tiny\.yaml:6\), and it isn't optional here$")
        self.assertEqual((found[0].line, found[0].column), (21, 26))


DEPRECATED = """\
atspec: 1
module: tiny
title: Tiny
source: {document: Manual, version: V3, date: '2024-01-01', sections: {'1': All}}
defaults: {response_time: 300 ms}
devices: [TG1]
revisions: [V1, V2, V3]
finals:
  OK: {line: OK, outcome: ok, doc: Done}
  ERROR: {line: ERROR, outcome: error, doc: Refused}
  WAIT: {line: WAIT, outcome: fail, deprecated: {use: nothing sends WAIT}, doc: Not yet}
settings:
  mode: {values: mode, default: 0, stored: ram, deprecated: {use: mode is always 0}, doc: A mode}
urcs:
  news: {line: '+NEWS: <mode>', deprecated: {use: read with AT+PUT}, doc: Something came}
values:
  mode:
    doc: A mode
    entries:
      0: {name: SLOW, text: slow}
      1: {name: FAST, text: fast, deprecated: {use: 'use SLOW, "always"'}}
      2: {name: QUICK, text: quick, since: {firmware: {TG1: TG1R1A2}}}
parameters:
  mode: {type: integer, values: mode, doc: A mode}
  size: {type: integer, range: 0..9, since: {revision: V2}, doc: A size}
  hint: {type: integer, range: 0..9, deprecated: {use: leave it out}, doc: A hint}
commands:
  OLD:
    section: '1'
    doc: An old command
    until: {revision: V2}
    deprecated: {since: {revision: V2}, use: use AT+PUT}
    lines: {OLD: {line: '+OLD: <mode>'}}
    set: {syntax: 'AT+OLD=<mode>', response: {OLD: 1}}
  PUT:
    section: '1'
    doc: A command
    set: {syntax: 'AT+PUT=<mode>[,<hint>[,<size>]]', then: [{final: WAIT}]}
reserved:
  - {path: commands.DEL, names: [del(), FEATURE_DEL], because: use AT+PUT}
  - {path: commands.PUT.set.speed, names: [struct put.speed], because: it had no effect}
  - {path: values.mode.9, names: [MODE_NONE], because: 'use SLOW, "always"'}
  - {path: values.colour, names: [enum colour, COLOUR_RED], because: all are grey}
  - {path: urcs.lost, names: [struct lost_urc], because: nothing is lost}
  - {path: settings.echo, names: [SETTING_ECHO], because: it is always off}
  - {path: finals.BUSY, names: [LINE_BUSY_FINAL], because: it waits}
"""
USES = """\
#include "tiny.h"
int use(struct at_client *client);
int use(struct at_client *client)
{
    struct tiny_put request = { .mode = TINY_MODE_SLOW };
    %s
    return tiny_put(client, &request);
}
"""


class Programs(Folder):
    """What becomes of a program when the firmware changes."""

    def setUp(self) -> None:
        super().setUp()
        self.spec = self.folder / "tiny.yaml"
        self.spec.write_text(DEPRECATED)

    def refused(self, statement: str, text: str, compiler: str, *options: str) -> None:
        """What the compiler says first is why; whatever it says is about this statement."""
        status, errors = self.compile(statement, compiler, *options)
        self.assertNotEqual(status, 0)
        found = re.findall(r"([^/\n]*): (?:fatal )?error: (.*)", errors)
        self.assertEqual({place.rpartition(":")[0] for place, _ in found}, {"use.c:6"}, errors)
        first = 2 if "{ ." in statement else 1      # clang may dislike an initializer before it sees of what
        self.assertIn(text, " ".join(said for _, said in found[:first]))

    def compile(self, statement: str, compiler: str, *options: str) -> tuple[int, str]:
        out = self.folder / "-".join(("out", *options))
        if not out.exists():
            self.build(self.spec, out.name, *options)
        program = self.folder / "use.c"
        program.write_text(USES % statement)
        done = run(compiler, *WARNINGS[:-1], f"-I{REPOSITORY / 'include'}", f"-I{out}", "-fsyntax-only", program)
        return done.returncode, done.stderr

    def test_what_is_gone_does_not_compile_and_says_why(self) -> None:
        old = "AT+OLD=<mode> was last in V2; use AT+PUT; this was generated for V3"
        for statement, at, text in (
                ("tiny_old(client, 0, 0);", "V3", old),
                ("tiny_old_encode(0, 0, 0, 0, 0);", "V3", old),
                ("struct tiny_old old = { .mode = 1 }; (void)old;", "V3", old),
                ("(void)TINY_FORM_OLD;", "V3", old),
                ("request.size = 1;", "V1", "<size> came with V2; this was generated for V1"),
                ("request.has_size = true;", "V1", "<size> came with V2; this was generated for V1"),
                ("request.mode = TINY_MODE_QUICK;", "TG1R1A1",
                 "mode 2, quick, came with TG1R1A2; this was generated for TG1R1A1")):
            for compiler in COMPILERS:
                with self.subTest(f"{statement} {compiler}"):
                    self.refused(statement, text, compiler, "--firmware", at)
                    status, errors = self.compile(statement, compiler)
                    self.assertEqual((status, re.findall("error:|unavailable", errors)), (0, []), "there is everything")

    def test_what_was_deleted_does_not_compile_and_says_why(self) -> None:
        put = "commands.DEL was deleted: use AT+PUT"
        for statement, text in (
                ("tiny_del(client, &request, 3);", put),
                ("tiny_del(client);", put),
                ("tiny_del_start(client, 0, &request, (struct at_str){0, 1});", put),
                ("char line[9]; tiny_del_encode(0, &request, line, 9, 0);", put),
                ("(void)tiny_del;", put),
                ("struct tiny_del del; (void)del;", put),
                ("(void)sizeof(struct tiny_del *);", put),
                ("(void)TINY_FORM_DEL;", put),
                ("(void)TINY_FEATURE_DEL;", put),
                ("request.speed = 1;", "commands.PUT.set.speed was deleted: it had no effect"),
                ("request.has_speed = true;", "commands.PUT.set.speed was deleted: it had no effect"),
                ("request.mode = TINY_MODE_NONE;", 'values.mode.entries.9 was deleted: use SLOW, "always"'),
                ("enum tiny_colour colour; (void)colour;", "values.colour was deleted: all are grey"),
                ("(void)tiny_colour_text(1);", "values.colour was deleted: all are grey"),
                ("request.mode = tiny_colour_of((struct at_str){0, 1});", "values.colour was deleted: all are grey"),
                ("request.mode = TINY_COLOUR_RED;", "values.colour was deleted: all are grey"),
                ("struct tiny_lost_urc lost; (void)lost;", "urcs.lost was deleted: nothing is lost"),
                ("tiny_lost_urc_decode(0, 0);", "urcs.lost was deleted: nothing is lost"),
                ("(void)TINY_LINE_LOST_URC;", "urcs.lost was deleted: nothing is lost"),
                ("(void)TINY_SETTING_ECHO;", "settings.echo was deleted: it is always off"),
                ("(void)TINY_LINE_BUSY_FINAL;", "finals.BUSY was deleted: it waits")):
            for compiler in COMPILERS:
                with self.subTest(f"{statement} {compiler}"):
                    self.refused(statement, text, compiler)
                    self.assertNotIn("warning", self.compile(statement, compiler)[1], "nothing goes unused")
        self.assertEqual(self.compile("", "gcc"), (0, ""), "and nobody else hears of it")

    def test_initializers_of_members_that_are_gone(self) -> None:
        """gcc refuses them without saying why."""
        for member, text in (("speed", "it had no effect"), ("size", "<size> came with V2; this was generated for V1")):
            for initializer in (f".{member} = 0", f".has_{member} = true", f".{member} = 1 + 1"):
                for compiler in COMPILERS:
                    for storage in ("", "static "):
                        statement = f"{storage}struct tiny_put two = {{ .mode = 1, {initializer} }}; (void)two;"
                        with self.subTest(f"{compiler}: {statement}"):
                            self.refused(statement, "flexible array" if compiler == "gcc" else text, compiler, "--firmware", "V1")

    def test_what_is_gone_takes_no_room(self) -> None:
        same = "(void)sizeof(char[sizeof request == %s ? 1 : -1]);"
        for at, room in (("V1", "3 * sizeof(int32_t)"), ("V2", "5 * sizeof(int32_t)")):
            for compiler in COMPILERS:
                with self.subTest(f"{at} {compiler}"):
                    self.assertEqual(self.compile(same % room, compiler, "--firmware", at), (0, ""))

    def test_what_goes_compiles_and_warns(self) -> None:
        for statement, at, text in (
                ("struct tiny_old old = { .mode = 1 }; tiny_old(client, &old, 0);", "V2", "since V2: use AT+PUT"),
                ("struct tiny_old old = { .mode = 1 }; tiny_old(client, &old, 0);", "V1", ""),
                ("(void)TINY_FORM_OLD;", "V2", "since V2: use AT+PUT"),
                ("tiny_old_response_decode(0, 0);", "V2", "since V2: use AT+PUT"),
                ("(void)TINY_LINE_OLD_RESPONSE;", "V1", ""),
                ("tiny_news_urc_decode(0, 0);", "V2", "read with AT+PUT"),
                ("(void)TINY_LINE_NEWS_URC;", "V2", "read with AT+PUT"),
                ("(void)TINY_LINE_WAIT_FINAL;", "V2", "nothing sends WAIT"),
                ("(void)TINY_SETTING_MODE;", "V2", "mode is always 0"),
                ("request.mode = TINY_MODE_FAST;", "V1", 'use SLOW, "always"'),
                ("request.hint = 1;", "V3", "leave it out")):
            for compiler in COMPILERS:
                with self.subTest(f"{statement} {compiler}"):
                    status, warnings = self.compile(statement, compiler, "--firmware", at)
                    self.assertEqual(status, 0, warnings)
                    self.assertIn(text, warnings.replace("\\", ""))
                    self.assertEqual("deprecated" in warnings, bool(text))

    def test_generated_sources_warn_of_nothing(self) -> None:
        for at in ("V1", "V2", "V3", "TG1R1A1", "TG1R1A2", ""):
            out = self.build(self.spec, "out", *(["--firmware", at] if at else []))
            for source in sorted(out.glob("*.c")):
                for compiler in COMPILERS:
                    self.succeeds(compiler, *WARNINGS, f"-I{REPOSITORY / 'include'}", f"-I{out}", "-fsyntax-only", source)
            both = self.folder / "both.cc"
            both.write_text('#include "tiny_module.h"\nint main() { return TINY_HAS_MODE_QUICK; }\n')
            for compiler in COMPILERS:
                self.succeeds(compiler, "-x", "c++", "-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                              f"-I{REPOSITORY / 'include'}", f"-I{out}", "-fsyntax-only", both)

    def test_known_when_compiling(self) -> None:
        for at, has in (("TG1R1A1", 0), ("TG1R1A2", 1), ("", 1)):
            out = self.build(self.spec, "out", *(["--firmware", at] if at else []))
            self.assertIn(f"#define TINY_HAS_MODE_QUICK {has}\n", (out / "tiny.h").read_text())

    def test_banner(self) -> None:
        text = (self.build(self.spec, "out", "--firmware", "TG1R1A1") / "tiny.h").read_text()
        self.assertIn(" * Firmware:     TG1R1A1\n", text)
        self.assertIn("build SPEC -o DIR --firmware TG1R1A1,", text)

    def test_some_commands(self) -> None:
        out = self.build(self.spec, "out", "--firmware", "V3", "--only", "PUT")
        self.assertNotIn("tiny_old", (out / "tiny.h").read_text())
        done = atspec("build", self.spec, "-o", out, "--firmware", "V3", "--only", "OLD")
        self.assertEqual(done.returncode, 1)
        self.assertIn("OLD was last in V2; use AT+PUT, and isn't in V3", done.stderr)

    def test_no_such_firmware(self) -> None:
        done = atspec("build", self.spec, "-o", self.folder / "out", "--firmware", "TG2R1A1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("error[E100]", done.stderr)
        self.assertIn("TG1R1A2", done.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_check_sees_every_view(self) -> None:
        self.spec.write_text(DEPRECATED.replace("[,<size>]", ",<size>"))
        done = atspec("check", self.spec)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.count("error["), 1, done.stdout)
        self.assertIn("error[E101]: in V1: <size> came with V2", done.stdout)
        self.assertEqual(atspec("check", self.spec, "--at", "V2").returncode, 0)


if __name__ == "__main__":
    unittest.main()
