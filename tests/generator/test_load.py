"""Reading files, the command line, and input that is broken at random."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock as mock
from pathlib import Path
from typing import Any

from support import FRAGMENT, MUST_FAIL, REPOSITORY, SHIPPED, check_text, load_spec, spec_file
from atspec import VERSION
from atspec.diag import Diagnostic, Report
from atspec.load import compose

sys.path.insert(0, str(REPOSITORY / "tests/fuzz"))

import generator  # noqa: E402


class Compose(unittest.TestCase):
    def compose(self, text: str) -> tuple[Any, list[Diagnostic]]:
        report = Report()
        return compose("spec.yaml", text.encode(), report), report.diagnostics()

    def test_marks_of_keys_and_values(self) -> None:
        root, found = self.compose("a: 1\nb:\n  - x\n  - {c: 'y'}\n")
        self.assertEqual(found, [])
        item = root.entries["b"].items[1]
        self.assertEqual((root.keys["b"].mark.line, root.keys["b"].mark.column), (2, 1))
        self.assertEqual((item.entries["c"].mark.line, item.entries["c"].mark.column), (4, 9))
        self.assertEqual(item.entries["c"].at(0).column, 10)

    def test_scalars(self) -> None:
        root, found = self.compose("a: [5, -5, 0, true, false, '5', 'yes', 1.2.3, V1.1, 0..4, 60 s, \"x\", ~]")
        self.assertEqual(found, [])
        self.assertEqual(root.plain(), {"a": [5, -5, 0, True, False, "5", "yes", "1.2.3", "V1.1", "0..4", "60 s", "x", None]})

    def test_number_like_words(self) -> None:
        for word in ("1.10", "1.", ".5", "1e3", "1_000", "+5", "010", "0x1F", "0o17", "0b1", ".inf", ".NaN", "12:30",
                     "12:30:45", "2024-01-01", "2024-01-01 12:00", "-1.5", "99999999999999999999"):
            self.assertEqual([d.code for d in self.compose(f"a: {word}")[1]], ["E007"], word)

    def test_boolean_like_words(self) -> None:
        for word in ("yes", "No", "ON", "off", "y", "N", "True", "FALSE"):
            self.assertEqual([d.code for d in self.compose(f"a: {word}")[1]], ["E006"], word)
            self.assertEqual([d.code for d in self.compose(f"{word}: a")[1]], ["E006"], word)

    def test_byte_order_mark(self) -> None:
        root, found = self.compose("\ufeffa: 1\n")
        self.assertEqual((root.plain(), found), ({"a": 1}, []))

    def test_odd_keys(self) -> None:
        for text in ("? [a]\n: b\n", "? {a: b}\n: c\n", "true: 1\n", "~: 1\n"):
            self.assertEqual([d.code for d in self.compose(text)[1]], ["E012"], text)


class Findings(unittest.TestCase):
    def test_format_and_order(self) -> None:
        with spec_file("atspec: 1\ntitle: T\nurcs:\n  b: {line: '<x>', doc: d}\n  a: {lien: A, doc: d}\n") as path:
            diagnostics = load_spec(path, fragment=True)[1]
        self.assertEqual(str(diagnostics[-1]).splitlines(), [
            f"{path}:5:7: error[E010]: unknown key `lien` in `a`", "hint: did you mean `line`?"])
        self.assertEqual(diagnostics, sorted(set(diagnostics)))

    def test_no_text_moves_the_terminal(self) -> None:
        with spec_file('atspec: 1\ntitle: T\nurcs:\n  a: {line: "A\\e[31m\\n", "\\x9b\\u202e": b, doc: d}\n') as path:
            found = [str(d) for d in load_spec(path, fragment=True)[1]]
            folder = os.path.join(os.path.dirname(path), "\x1b[31m")
            os.mkdir(folder)
            shutil.copy(path, folder)
            inner = load_spec(os.path.join(folder, os.path.basename(path)), fragment=True)[1]
        self.assertIn(r"unknown key `\x9b\u202e` in `a`", found[-1])
        self.assertIn(r"/\x1b[31m/tiny.yaml:4:", str(inner[-1]))
        for d in (*found, *map(str, inner)):
            self.assertEqual([line for line in d.splitlines() if not line.isprintable()], [])
            self.assertEqual(d.count("\n"), 1)

    def test_the_witness_names_both_places(self) -> None:
        found = check_text("parameters:\n  a: {type: integer, range: 0..9, doc: A number}\n"
                           "urcs:\n  one: {line: '+X: <a>', doc: A URC}\n  two: {line: '+X: 569', doc: Another}\n")
        self.assertEqual([d.code for d in found], ["E070"])
        self.assertRegex(found[0].message, r"^'\+X: 569' can be both one \(.*tiny\.yaml:6\) and two \(.*tiny\.yaml:7\)$")

    def test_the_ping_is_ambiguous_without_its_rule(self) -> None:
        text = SHIPPED.read_text("utf-8")
        rule = re.search(r"    rules:\n      - choose: QPING\n(      .*\n)+", text)
        assert rule
        found = self.check_shipped(text.replace(rule.group(), ""))
        self.assertEqual([d.code for d in found], ["E070"])
        self.assertIn("'+QPING: 0' can be both QPING (", found[0].message)
        self.assertIn("and QPING.summary (", found[0].message)

    def test_every_section_matters(self) -> None:
        text = SHIPPED.read_text("utf-8")
        found = self.check_shipped(text.replace("  '1.1': {by: session, doc: the order of commands; the demo holds it}\n", ""))
        self.assertEqual([d.code for d in found], ["E080"])

    def check_shipped(self, text: str) -> list[Diagnostic]:
        with spec_file(text.replace("../common/v250.yaml", str(FRAGMENT))) as path:
            return load_spec(path)[1]

    def test_includes_form_a_diamond(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {"a": "include: [b.yaml, c.yaml]\n", "b": "include: [d.yaml]\n", "c": "include: [d.yaml]\n",
                               "d": "finals:\n  OK: {line: OK, outcome: ok, doc: Done}\n"}.items():
                Path(folder, f"{name}.yaml").write_text(f"atspec: 1\ntitle: {name}\n{text}")
            spec, found = load_spec(os.path.join(folder, "a.yaml"), fragment=True)
        self.assertEqual(found, [])
        assert spec
        self.assertEqual([os.path.basename(f) for f in spec.files], ["a.yaml", "d.yaml", "b.yaml", "c.yaml"])

    def test_an_unreadable_file_is_the_callers_business(self) -> None:
        for path in ("nowhere.yaml", str(MUST_FAIL)):
            with self.assertRaises(OSError):
                load_spec(path)


class CommandLine(unittest.TestCase):
    def run_check(self, *args: str) -> tuple[int, str, str]:
        done = subprocess.run([sys.executable, "-B", "gen/atspec", *args], cwd=REPOSITORY, text=True, capture_output=True)
        self.assertNotIn("Traceback", done.stderr)
        return done.returncode, done.stdout, done.stderr

    def test_no_findings(self) -> None:
        status, out, err = self.run_check("check", str(SHIPPED.relative_to(REPOSITORY)))
        self.assertEqual((status, out, err), (0, "", "1 spec: 0 errors, 0 warnings\n"))

    def test_findings(self) -> None:
        path = "tests/generator/must_fail/reversed_range.yaml"
        status, out, err = self.run_check("check", path, path)
        self.assertEqual((status, len(out.splitlines())), (1, 2))
        self.assertTrue(out.startswith(f"{path}:5:29: error[E050]: "), out)
        self.assertEqual(err, "2 specs: 1 error, 0 warnings\n")

    def test_warnings_are_no_failure(self) -> None:
        status, out, _ = self.run_check("check", "tests/generator/must_fail/unused_parameter.yaml")
        self.assertEqual((status, out.count("warning[W001]")), (0, 1))

    def test_usage(self) -> None:
        for args in ((), ("check",), ("check", "nowhere.yaml"), ("chek",), ("check", "--no", "x"), ("check", "spec")):
            status, out, err = self.run_check(*args)
            self.assertEqual((status, out), (2, ""), args)
            self.assertTrue(err)

    def test_help(self) -> None:
        for args in (("--help",), ("check", "--help"), ("build", "--help")):
            self.assertEqual(self.run_check(*args)[0], 0)
        self.assertEqual(self.run_check("--version")[:2], (0, f"atspec {VERSION}\n"))


class Damaged(unittest.TestCase):
    """No input, however broken, gives a traceback; tests/fuzz/generator.py does more of it."""

    def test_damaged_specs_and_overlays(self) -> None:
        tally = generator.fuzz(seed=26, count=250)
        for case, wrong in tally.wrong:
            with self.subTest(case.name):
                self.fail(wrong)
        self.assertGreater(tally.answers["spec"], 10)
        self.assertGreater(len(tally.answers), 30)

    def test_what_was_found_once(self) -> None:
        for case in generator.regressions():
            with self.subTest(case.name):
                self.assertEqual(generator.try_case(case)[1], "")

    def test_a_traceback_and_a_hang_are_found(self) -> None:
        case = generator.Case("spec.yaml", SHIPPED.read_bytes())
        for broken, wrong in ((ZeroDivisionError(), "ZeroDivisionError"), (generator.Hang("too long"), "too long"),
                              (None, "cannot unpack")):
            with mock.patch.object(generator, "load_spec", side_effect=broken, return_value=None):
                self.assertIn(wrong, generator.try_case(case)[1])


if __name__ == "__main__":
    unittest.main()
