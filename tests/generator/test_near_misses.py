"""What looks like a mistake and isn't: these fragments have no findings."""

import unittest

from support import check_text

PARAMETERS = """
parameters:
  a: {type: integer, range: 0..9, doc: A number}
  b: {type: integer, range: 0..9, doc: A number}
  s: {type: string, max: 9, doc: A string}
  ip: {type: string, form: ip, max: 39, doc: An address}
  host: {type: string, form: host, max: 99, doc: A host}
  rest: {type: text, rest: true, max: 99, doc: A text}
"""
VIEW = """
values:
  view:
    doc: Where the payload stands
    entries: {0: {name: LINE, text: in a line of its own}, 1: {name: COMMA, text: after a comma}}
settings:
  view: {values: view, default: 0, stored: ram, doc: Where the payload stands}
"""


class NearMisses(unittest.TestCase):
    def clean(self, text: str, parameters: str = PARAMETERS) -> None:
        # A fragment that leaves a parameter unused is warned about; not here.
        found = [d for d in check_text(parameters + text) if d.code != "W001"]
        self.assertEqual([str(d) for d in found], [])

    def urcs(self, *lines: str, tail: str = "") -> None:
        self.clean("urcs:\n" + "".join(f"  u{i}: {{line: '{ln}', doc: A URC}}\n" for i, ln in enumerate(lines)) + tail)

    def test_minimal_spec(self) -> None:
        self.clean("commands:\n  MINI:\n    section: '1'\n    doc: A command\n    execute: {syntax: AT+MINI}\n")

    def test_other_heads(self) -> None:
        self.urcs("+X: <a>", "+Y: <a>", "+XX: <a>", "X: <a>", "X")

    def test_other_numbers_of_fields(self) -> None:
        self.urcs("+X: <a>", "+X: <a>,<b>", "+X: <a>,<b>,<s>[,<ip>]")

    def test_other_literals(self) -> None:
        self.urcs('+X: "a",<a>', '+X: "b",<a>', "+X: a,<a>")

    def test_a_quoted_literal_is_no_number(self) -> None:
        self.urcs('+X: "5"', "+X: <a>")

    def test_a_number_is_no_address(self) -> None:
        self.urcs("+X: <a>", "+X: <ip>")

    def test_a_text_with_a_space_is_no_host(self) -> None:
        self.urcs("+X: buff full", "+X: <host>")

    def test_a_rest_has_at_least_its_fields(self) -> None:
        self.urcs("+X: <a>", "+X: <a>,<rest>")

    def test_limits_apart(self) -> None:
        self.clean("urcs:\n"
                   "  one: {line: '+X: <a>', only: {a: 0..4}, doc: A URC}\n"
                   "  two: {line: '+X: <b>', only: {b: 5..9}, doc: Another}\n")

    def test_rule(self) -> None:
        self.urcs("+X: <a>", "+X: <b>", tail="rules: [{choose: u0, over: u1, because: it comes first}]\n")

    def test_rule_between_variants(self) -> None:
        self.clean("urcs:\n  one:\n    line: '+X: <a>'\n    also: [{line: '+X: <s>'}]\n    doc: A URC\n"
                   "    rules: [{choose: '+X: <a>', over: '+X: <s>', because: digits are a number}]\n")

    def test_rule_between_forms(self) -> None:
        self.clean("commands:\n  MINI:\n    section: '1'\n    doc: A command\n    forms:\n"
                   "      one: {syntax: AT+MINI=<a>}\n      five: {syntax: AT+MINI=5}\n"
                   "    rules: [{choose: MINI.five, over: MINI.one, because: it is the special case}]\n")

    def test_forms_with_ranges_apart(self) -> None:
        self.clean("commands:\n  MINI:\n    section: '1'\n    doc: A command\n    forms:\n"
                   "      one: {syntax: 'AT+MINI=<a>'}\n      two: {syntax: 'AT+MINI=10'}\n"
                   "      three: {syntax: 'AT+MINI=<a>,<b>'}\n      four: {syntax: 'AT+MINI=<a>,10'}\n"
                   "      five: {syntax: 'AT+MINI=\"name\"[,<b>]'}\n    read: {syntax: 'AT+MINI?'}\n    test: []\n")

    def test_test_answer_beside_an_answer(self) -> None:
        self.clean("""
commands:
  ONE:
    section: '1'
    doc: A command
    test: ['+ONE: (0-9)[,<rest>]']
    lines:
      ONE: {line: '+ONE: <s>', doc: The answer}
      ONE.more: {line: '+ONE: <a>,<rest>', doc: Another answer}
    read: {syntax: 'AT+ONE?', response: {ONE: 1}}
    set: {syntax: 'AT+ONE=<a>', response: {ONE.more: 1}}
""")

    def test_inline_payload_and_a_literal(self) -> None:
        self.clean(VIEW + "urcs:\n"
                   "  data: {line: '+X: \"recv\",<a>', doc: Data,"
                   " payload: {length: a, range: 1..9, format: text, inline: view}}\n"
                   "  full: {line: '+X: \"recv\",\"full\"', doc: Full}\n"
                   "  none: {line: '+X: \"recv\",0', doc: No data}\n")

    def test_inline_payload_and_a_shown_field(self) -> None:
        self.clean(VIEW + "urcs:\n"
                   "  data: {line: '+X: <a>[,<b>]', doc: Data, shown: {b: view == 1},"
                   " payload: {length: a, range: 1..9, format: text, inline: view}}\n")

    def test_urc_after_the_final(self) -> None:
        self.clean("urcs:\n  result: {line: '+X: <a>', doc: A result}\n"
                   "commands:\n  MINI:\n    section: '1'\n    doc: A command\n"
                   "    set: {syntax: AT+MINI, then: [{line: result, ends: always}], within: 2147483 s}\n")

    def test_deadline_from_a_default(self) -> None:
        self.clean("urcs:\n  result: {line: '+X: <t>', doc: A result}\n"
                   "commands:\n  MINI:\n    section: '1'\n    doc: A command\n    set:\n"
                   "      syntax: AT+MINI=<x>[,<t>]\n      then: [{line: result, times: t}]\n"
                   "      within: (t + 1) s * t\n",
                   "parameters:\n  x: {type: integer, range: 0..1, doc: A number}\n"
                   "  t: {type: integer, range: 1..9, default: 4, doc: A time}\n")

    def test_yaml_that_is_plain(self) -> None:
        self.clean("urcs:\n  'on': {line: 'YES', doc: 220.180.239.212 is no number}\n"
                   "  two: {line: \"NO\", doc: 'yes'}\n  three: {line: a-b, doc: '1.10'}\n")

    def test_c_name_resolves_a_clash(self) -> None:
        self.clean("urcs:\n  one: {line: '+X: <maxLen>,<max_len>,<default>', doc: A URC}\n",
                   "parameters:\n  maxLen: {type: integer, range: 0..9, doc: A length}\n"
                   "  max_len: {type: integer, range: 0..9, c_name: max_len_2, doc: A length}\n"
                   "  default: {type: integer, range: 0..9, c_name: default_value, doc: A number}\n")


if __name__ == "__main__":
    unittest.main()
