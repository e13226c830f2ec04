"""Diagnostics: what is wrong with a spec, where, and what to do about it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Iterable, Optional

from .model import Mark

# code -> (title, hint). Codes are stable: never reuse or renumber one.
CODES: dict[str, tuple[str, str]] = {
    # the file
    "E001": ("included file can't be read", "the path is relative to the file that includes it"),
    "E002": ("not UTF-8", "save the file as UTF-8"),
    "E003": ("not YAML", "indent with spaces, close quotes and brackets, and quote texts that hold ': ' or ' #'"),
    "E004": ("not a spec", "a spec is one YAML mapping that begins with `atspec: 1`"),
    "E005": ("key given twice", "keep one of them"),
    "E006": ("word that YAML may take for a boolean", "write true or false, or quote it if it is a text"),
    "E007": ("number that YAML may misread", "quote it if it is a text; integers are plain decimal digits"),
    "E008": ("anchor, alias, tag or merge key", "write the text out; the language has none of these"),
    "E009": ("include loop", "remove one of the includes"),
    # the schema
    "E010": ("unknown key", "spec/atspec.schema.json describes every key"),
    "E011": ("key missing", "spec/atspec.schema.json describes every key"),
    "E012": ("wrong type", "spec/atspec.schema.json describes every key"),
    "E013": ("value not allowed", "spec/atspec.schema.json describes every key"),
    "E014": ("key not allowed in an included file", "only the spec that includes it says this"),
    "E015": ("fragment", "name the spec that includes it, or add `module`, `source` and `defaults`"),
    # the notation
    "E020": ("unbalanced bracket", "each [ needs a ] and each < needs a >"),
    "E021": ("optional part not at the end", "optional parts nest at the end of the line: <a>[,<b>[,<c>]]"),
    "E022": ("malformed field", "a field is <name>, a literal or a \"literal\"; commas separate fields"),
    "E023": ("unknown parameter", "describe it under `parameters`"),
    "E024": ("parameter twice in a line", "give one of them another name"),
    "E025": ("character not allowed", "a line holds printable ASCII characters only"),
    "E026": ("syntax isn't the command's", "it begins with AT+ and the command's name, as AT+NAME, AT+NAME? or AT+NAME=..."),
    "E027": ("malformed line", "a line is a literal such as OK, or a head such as +NAME: and fields"),
    "E028": ("field of this type can't stand here", "data, hex and `rest` run to the end; data and hex are for commands only"),
    # references and expressions
    "E030": ("unknown table of values", "define it under `values`"),
    "E031": ("unknown setting", "define it under `settings`"),
    "E032": ("unknown line", "define it under the command's `lines` or under `urcs`"),
    "E033": ("unknown form", "a form is named COMMAND.form; read, execute, set and test are forms too"),
    "E034": ("unknown field", "name a parameter that the line has"),
    "E035": ("malformed expression", "see spec/atspec.schema.json for the form it takes"),
    "E036": ("defined twice", "rename or remove one of them"),
    "E037": ("unknown revision or device", "list it under `revisions` or `devices`"),
    "E038": ("path matches nothing", "name a node of this spec, such as settings.view_mode"),
    "E039": ("final can't stand here", "`then` takes finals of outcome done or fail; `finals` defines them"),
    # C names
    "E040": ("clash of C names", "give one of them a `c_name`"),
    "E041": ("reserved word in C or C++", "give it a `c_name`"),
    "E042": ("not a C name", "use lower-case letters, digits and underscores, a letter first"),
    # what was deleted
    "E048": ("reserved path or name in use", "give the new thing another name; what one once meant, it may not mean anew"),
    "E049": ("not a path that can be reserved", "write it as in commands.QIRD.set, values.error.566 or urcs.recv"),
    # parameters and settings
    "E050": ("bad range", "write least..greatest, within -2147483648..4294967295"),
    "E051": ("value outside the range", "`supported` and `default` lie within the range"),
    "E052": ("no bound", "give `max`, or a table of values"),
    "E053": ("key doesn't fit the type", "remove it, or change the type"),
    "E054": ("integer without a range", "give `range`, or a table of values"),
    "E055": ("value not in the table", "use a value that the setting's table lists"),
    "E056": ("index doesn't fit the setting", "index a setting with the parameter it is kept `per`, and only such a setting"),
    "E057": ("keys don't fit", "a table's keys are all numbers or all strings, as the parameter's type is"),
    # lines and forms
    "E060": ("line never sent", "name it in a form's `response` or `then`, or remove it"),
    "E061": ("line in two roles", "a line is a response, a result, a URC or a final; define two lines"),
    "E062": ("payload doesn't fit the line", "its length is an integer field of the line's first shape"),
    "E063": ("data don't fit the form", "give `in`, its `max` for each format, and `length` or `until`"),
    "E064": ("nothing ends the command", "give a completion `ends` or `times`, and the spec finals of outcome ok and error"),
    "E065": ("field can't be counted with", "use an integer field that is always there or has a default"),
    "E066": ("tables differ", "a field that sets a setting has the setting's table"),
    "E067": ("not a test answer", "a test answer begins with the command's head and has a field in parentheses"),
    "E068": ("condition on a field that isn't optional", "put the field in brackets"),
    "E069": ("form can't serve here", "a form used by the session or to read a setting takes no arguments and answers"),
    # ambiguity
    "E070": ("ambiguous lines", "add a rule: {choose: ..., over: ..., because: ...}"),
    "E071": ("ambiguous command forms", "add a rule: {choose: ..., over: ..., because: ...}"),
    "E072": ("rule decides nothing", "remove it, or name two lines, variants or forms that share a text"),
    "E073": ("optional field before an inline payload", "say with `shown` when it is there"),
    "E074": ("line looks like something else", "no line may begin like the prompt or like an echoed command"),
    # coverage and examples
    "E080": ("section not covered", "give a node this `section`, or say under `coverage` what covers it"),
    "E081": ("unknown section", "list it under source.sections"),
    "E082": ("example: command doesn't fit", "compare it with the form's syntax and parameters"),
    "E083": ("example: line doesn't fit", "compare it with the line's shapes"),
    "E084": ("example: wrong value", "the value must be what the line says"),
    "E085": ("example: dialogue breaks the rules", "compare it with the form and the settings at that point"),
    # availability and overlays
    "E100": ("no such view", "name a revision under `revisions`, or a firmware of a series that the spec mentions"),
    "E101": ("not available", "say `since` or `until` here too, or with `was` what it was then"),
    "E102": ("firmware names that can't be compared", "a device's firmware names differ in their digits only; an x stands for any letter"),
    "E103": ("available never", "`since` comes before `until`"),
    "E104": ("no availability to share", "name a node that says itself since when it exists"),
    "E110": ("not an overlay of this spec", "an overlay begins with `atspec: 1` and names its `module`"),
    "E111": ("added twice", "use `change` for what is there"),
    "E112": ("can't be changed so", "add to mappings and lists, change what is there"),
    # warnings
    "W001": ("parameter never used", "remove it, or use it"),
    "W002": ("table of values never used", "remove it, or use it"),
}


@dataclass(frozen=True, order=True)
class Diagnostic:
    file: str
    line: int
    column: int
    code: str
    message: str
    hint: str

    @property
    def severity(self) -> str:
        return "error" if self.code.startswith("E") else "warning"

    def __str__(self) -> str:
        place = f"{visible(self.file)}:{self.line}:{self.column}"
        return f"{place}: {self.severity}[{self.code}]: {self.message}\nhint: {self.hint}"


class Report:
    """Collects diagnostics, so that one run reports all it can."""

    def __init__(self) -> None:
        self.found: set[Diagnostic] = set()
        self.context = ""       # begins every message: "in V1.0: "

    def add(self, code: str, mark: Mark, message: str, hint: str = "") -> None:
        self.found.add(Diagnostic(mark.file, mark.line, mark.column, code,
                                  visible(self.context + message), visible(hint or CODES[code][1])))

    @property
    def failed(self) -> bool:
        return any(d.severity == "error" for d in self.found)

    def diagnostics(self) -> list[Diagnostic]:
        return sorted(self.found)


def visible(text: str) -> str:
    """On one line, and nothing that a terminal obeys."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the known name most like this one, or ''."""
    known = list(known)
    found: Optional[list[str]] = difflib.get_close_matches(name, known, 1)
    if not found:   # get_close_matches minds capitals, people don't
        folded = {k.lower(): k for k in known}
        found = [folded[m] for m in difflib.get_close_matches(name.lower(), folded, 1)]
    return f"did you mean `{found[0]}`?" if found else ""
