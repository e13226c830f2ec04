"""The manual's notation, C names, and the texts that lines have in common."""

import random
import unittest
from typing import Any, Optional

from support import load_text
from atspec.diag import Report
from atspec.model import Mark, Param, Template
from atspec.names import flat_case, snake_case
from atspec.notation import Scope, parse_command, parse_line
from atspec.tokens import common_text, line_shapes, match_form, match_line, split

SCOPE = Scope({n: Param(n, n, "integer", n, 0, 9) for n in "abcd"},
              {"d": Param("d", "d", "string", "d", 0, 9)})


def at(offset: int) -> Mark:
    return Mark("spec.yaml", 1, 1 + offset)


class Notation(unittest.TestCase):
    def parse(self, text: str, command: str = "") -> tuple[Optional[Template], list[tuple[str, int]]]:
        report = Report()
        template = (parse_command(text, at, SCOPE, report, command) if command
                    else parse_line(text, at, SCOPE, report))
        return template, [(d.code, d.column) for d in report.diagnostics()]

    def test_line(self) -> None:
        template, found = self.parse('+X: "recv",<a>,buff full[,<b>,<c>[,<d>]]')
        assert template and not found
        self.assertEqual(template.head, "+X:")
        self.assertEqual([(f.name, f.literal, f.quoted, f.group) for f in template.fields], [
            ("", "recv", True, 0), ("a", "", False, 0), ("", "buff full", False, 0),
            ("b", "", False, 1), ("c", "", False, 1), ("d", "", False, 2)])
        self.assertEqual(template.fields[1].mark, at(11))

    def test_heads(self) -> None:
        for text, head, fields in [("OK", "OK", 0), ("SEND OK", "SEND OK", 0), ("+QIRD: 0", "+QIRD:", 1),
                                   ("+CME ERROR: <a>", "+CME ERROR:", 1), ("+X:<a>", "+X:", 1)]:
            template, found = self.parse(text)
            assert template and not found
            self.assertEqual((template.head, len(template.fields)), (head, fields))

    def test_commands(self) -> None:
        for text, name, head, fields in [
                ("AT+X=<a>[,<b>]", "X", "AT+X=", 2), ("AT+X", "X", "AT+X", 0), ("AT+X?", "X", "AT+X?", 0),
                ("AT+X=?", "X", "AT+X=?", 0), ("ATE0", "ATE0", "ATE0", 0), ("AT", "AT", "AT", 0),
                ("ATS3=<a>", "ATS3", "ATS3=", 1), ("AT&W", "AT&W", "AT&W", 0)]:
            template, found = self.parse(text, name)
            assert template and not found, text
            self.assertEqual((template.head, len(template.fields)), (head, fields))

    def test_nearer_parameters_go_first(self) -> None:
        template, _ = self.parse("+X: <d>")
        assert template and template.fields[0].param
        self.assertEqual(template.fields[0].param.kind, "integer")

    def test_errors_point_to_the_place(self) -> None:
        for text, code, column in [
                ("+X: <a>[,<b>", "E020", 13), ("+X: <a>]", "E020", 8), ("+X: <a", "E020", 5),
                ("+X: <a>[,<b>][,<c>]", "E021", 14), ("+X: <a>[<b>]", "E021", 9), ("+X: [<a>]", "E021", 5),
                ("+X: <>", "E022", 5), ("+X: <a>,,<b>", "E022", 9), ("+X: ", "E022", 5), ("+X: <a><b>", "E022", 8),
                ('+X: "<a>"', "E022", 5), ("+X: 1, 2", "E022", 7), ("+X: <e>", "E023", 5), ("+X: <a>,<a>", "E024", 9),
                ("+X: \x1b", "E025", 5), ("<a>", "E027", 1), ("[OK]", "E027", 1), (" OK", "E027", 1)]:
            template, found = self.parse(text)
            self.assertIsNone(template)
            self.assertEqual(found, [(code, column)], text)

    def test_errors_of_commands(self) -> None:
        for text in ("AT+Y", "X", "AT+X1", "at+x", "AT+X=?1", "AT+X?1", "AT X"):
            self.assertEqual(self.parse(text, "X")[1], [("E026", 1)], text)

    def test_never_raises(self) -> None:
        rng = random.Random(1)
        for _ in range(5000):
            text = "".join(rng.choices(["<", ">", "[", "]", ",", '"', "a", "b", " ", ":", "+X: ", "AT+X="], k=8))
            self.parse(text)
            self.parse(text, "X")


class Names(unittest.TestCase):
    def test_snake_case(self) -> None:
        for name, c_name in {
                "connectID": "connect_id", "nAcked": "n_acked", "hostIPAddr": "host_ip_addr", "IP_count": "ip_count",
                "DNS_ttl": "dns_ttl", "send_length": "send_length", "IP_address": "ip_address", "ttl": "ttl",
                "contextID": "context_id", "PDPType2": "pdp_type2", "APN": "apn", "aB": "a_b"}.items():
            self.assertEqual(snake_case(name), c_name)

    def test_flat_case(self) -> None:
        for name, c_name in {"QPING.summary": "qping_summary", "SEND OK": "send_ok", "+CME ERROR": "cme_error",
                             "QIOPEN": "qiopen", "A&W": "a_w"}.items():
            self.assertEqual(flat_case(name), c_name)


FIELDS = ["<a>", "<b>", "<s>", "<ip>", "<host>", "<rest>", '"w"', "w", "0", "10"]
TEXTS = ["0", "10", "-1", "w", '"w"', '"a,b"', "1.2", '"1.2"', "::", "a b", "(", "(1-2)", "", '"']
PARAMETERS = """
parameters:
  a: {type: integer, range: 0..9, doc: A number}
  b: {type: integer, range: 5..12, doc: A number}
  s: {type: string, max: 9, doc: A string}
  ip: {type: string, form: ip, max: 39, doc: An address}
  host: {type: string, form: host, max: 99, doc: A host}
  rest: {type: text, rest: true, max: 99, doc: A text}
"""


class Texts(unittest.TestCase):
    def test_split(self) -> None:
        for text, pieces in {"": [""], ",": ["", ""], "a,b": ["a", "b"], '"a,b",c': ['"a,b"', "c"],
                             '"a': ['"a'], '"a,b': ['"a', "b"], '"a"b,c': ['"a"b', "c"], 'a"b,c"': ['a"b', 'c"']}.items():
            self.assertEqual(split(text), pieces)

    def test_match(self) -> None:
        spec = load_text(PARAMETERS + """
urcs:
  one: {line: '+X: <a>,<s>[,<rest>]', doc: A URC}
commands:
  MINI:
    section: '1'
    doc: A command
    set: {syntax: 'AT+MINI=<b>,<s>[,<host>[,<ip>]]'}
""")
        line, form = spec.urcs[0], spec.forms[0]
        for text, fields in {
                '+X: 5,"x"': {"a": 5, "s": "x"}, "+X:99,x": {"a": 99, "s": "x"}, '+X: -5,"x,y"': {"a": -5, "s": "x,y"},
                '+X: 5,"x",y,"z": (': {"a": 5, "s": "x", "rest": 'y,"z": ('}, "+X: 5,(x": None, "+X: 5": None,
                '+X: 5,"x': None, "+X:  5,x": None, "+Y: 5,x": None,
                '+X: 5,x,': {"a": 5, "s": "x", "rest": ""}}.items():
            self.assertEqual(match_line(text, line, line.variants[0]), fields, text)
        for text, wanted in {"AT+MINI=5,x": True, "AT+MINI=4,x": False, "AT+MINI=5": False, "AT+MINI=5,x,a.b,::1": True,
                             "AT+MINI=5,x,a b": False, "AT+MINI=5,x,a.b,7": False, 'AT+MINI=5,"0123456789"': False,
                             "AT+MINI": False}.items():
            self.assertEqual(match_form(text, form) is not None, wanted, text)

    def test_common_texts_against_matching(self) -> None:
        """What `common_text` finds fits both lines; what fits both it finds."""
        rng = random.Random(7)
        for _ in range(150):
            lines = [self.random_line(rng) for _ in range(2)]
            text = PARAMETERS + "urcs:\n" + "".join(
                f"  u{i}: {{line: '{ln}', doc: A URC{extra}}}\n" for i, (ln, extra) in enumerate(lines))
            text += "rules: [{choose: u0, over: u1, because: of the test}]\n"
            spec = self.load_anyhow(text)
            a, b = spec.urcs
            found = [t for p in line_shapes(a, a.variants[0]) for q in line_shapes(b, b.variants[0])
                     if (t := common_text(p, q)) is not None]
            for t in found:
                for line in (a, b):
                    self.assertIsNotNone(match_line(t, line, line.variants[0]), (t, lines))
            for _ in range(300):
                t = "+X: " + ",".join(rng.choices(TEXTS, k=rng.randint(1, 3)))
                if all(match_line(t, line, line.variants[0]) is not None for line in (a, b)):
                    self.assertTrue(found, (t, lines))

    @staticmethod
    def random_line(rng: random.Random) -> tuple[str, str]:
        fields = rng.sample(FIELDS[:5] + FIELDS[6:], rng.randint(1, 3))
        if rng.random() < 0.3:
            fields.append("<rest>")
        cut = rng.randint(1, len(fields))
        line = "+X: " + ",".join(fields[:cut])
        if cut < len(fields):
            line += "[," + ",".join(fields[cut:]) + "]"
        return line, rng.choice(["", "", ", extra_fields: true"])

    @staticmethod
    def load_anyhow(text: str) -> Any:
        """Load; a rule without need is the one error that may be."""
        try:
            return load_text(text)
        except AssertionError:
            return load_text(text.partition("rules:")[0])


if __name__ == "__main__":
    unittest.main()
