"""What changed between two trees of facts, as findings.

A table says for every fact of every kind of node how it is judged. A fact without
a judge is an error here, not a change that goes unseen.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Optional

from ..model import Mark
from .facts import NONE, Name, Node
from .rules import CATEGORIES, RULES, SEVERITIES, Rule

Renames = dict[str, str]    # names of fields or enumerators: in the old spec -> in the new


@dataclass
class Finding:
    rule: Rule
    path: str
    group: str
    label: str
    before: str = ""
    after: str = ""
    old: Optional[Mark] = None
    new: Optional[Mark] = None
    c: list[str] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)   # paths of what shares the definition that changed
    because: str = ""           # of a deletion: why, with brackets
    names: list[str] = field(default_factory=list)  # of a deletion: for `reserved`
    views: list[str] = field(default_factory=list)  # that it is seen in, where it isn't in the whole spec
    shared: bool = False        # stands in a definition that others may use too

    @property
    def message(self) -> str:
        words = self.filled(self.rule.says)
        return f"In {', '.join(self.views)}: {words}" if self.views else words

    @property
    def action(self) -> str:
        return self.filled(self.rule.do)

    def filled(self, template: str) -> str:
        return template.format(label=self.label, c=", ".join(self.c), old=self.before, new=self.after,
                               because=self.because, names=f" names: [{', '.join(self.names)}]," if self.names else "")

    @property
    def order(self) -> tuple[Any, ...]:
        severity, category = list(SEVERITIES).index(self.rule.severity), list(CATEGORIES).index(self.rule.id[0])
        return severity, category, self.path, self.rule.id


# Values in words --------------------------------------------------------------------

def shown(value: Any) -> str:
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(shown(v) for v in value)
    return str(value)


def span(limits: tuple[int, ...]) -> str:
    return str(limits[0]) if limits[0] == limits[1] else f"{limits[0]}..{limits[1]}"


def extent(node: Node, limits: tuple[int, ...]) -> str:
    """A range of numbers, or how long a text may be."""
    if node.facts.get("notation", ("integer",))[0] == "integer":
        return span(limits)
    return f"up to {limits[1]} characters" if limits[0] == 0 else f"{span(limits)} characters"


def setting(name: str, key: str) -> str:
    return f"{name}[{key}]" if key else name


def condition(c: tuple[Any, ...]) -> str:
    return f"{setting(c[0], c[1])} == {c[2]}" if c else "always"


def shown_when(of: tuple[Any, ...]) -> str:
    return ", ".join(f"<{name}> when {condition(c)}" for name, c in of) or "always"


def effects(of: tuple[Any, ...]) -> str:
    return ", ".join(f"{setting(name, key)} to <{field}>" for name, key, field in of) or "nothing"


def onlys(of: tuple[Any, ...]) -> str:
    return ", ".join(f"<{name}> {span(limits)}" for name, *limits in of) or "any values"


def payload(framing: tuple[Any, ...]) -> str:
    length, fmt, inline, when = framing
    return f"counted by <{length}>, in format {fmt}" + (f", inline as {inline} says" if inline else "") + (
        f", when {condition(when)}" if when else "")


def data(framing: tuple[Any, ...]) -> str:
    source, length, fmt, until, cancel = framing
    where = "after the prompt" if source == "prompt" else f"as <{source}>"
    return f"{where} in format {fmt}" + (f", counted by <{length}>" if length else "") + (
        f", ended by byte {until}" if until is not None else "") + (
        f", cancelled by byte {cancel}" if cancel is not None else "")


def deadline(within: tuple[Any, ...]) -> str:
    if not within:
        return "completes within the time of an answer"
    ms, name, add, times = within
    per = f" * (<{name}> + {add})" if add else f" * <{name}>" if name else ""
    return f"completes within {ms} ms{per}" + (f" * <{times}>" if times else "")


# Judges: rules with the fact before and after, in words ---------------------------------

@dataclass
class Pair:
    """A node on both sides, and one of its facts that differs."""

    old: Node
    new: Node
    a: Any
    b: Any


Verdict = tuple[str, str, str]      # rule, before, after
Judge = Callable[[Pair], Iterator[Verdict]]


def changed(rule: str, words: Callable[[Any], str] = shown) -> Judge:
    def judge(pair: Pair) -> Iterator[Verdict]:
        yield rule, words(pair.a), words(pair.b)
    return judge


def fact(rule: str, words: str) -> Judge:
    """As `changed`, with what the fact is before what it was and is."""
    return changed(rule, lambda value: f"{words} {shown(value)}")


def switched(on: str, off: str) -> Judge:
    def judge(pair: Pair) -> Iterator[Verdict]:
        yield on if pair.b else off, shown(pair.a), shown(pair.b)
    return judge


def outgrown(wider: str, narrower: str) -> Judge:
    """Two ranges; one that was moved is both wider and narrower."""
    def judge(pair: Pair) -> Iterator[Verdict]:
        (low, high, *implied), (new_low, new_high, *new_implied) = pair.a, pair.b
        if any(implied) and any(new_implied):
            return      # the table of values says it
        if new_low < low or new_high > high:
            yield wider, extent(pair.old, pair.a), extent(pair.new, pair.b)
        if new_low > low or new_high < high:
            yield narrower, extent(pair.old, pair.a), extent(pair.new, pair.b)
    return judge


def most(wider: str, narrower: str, words: str) -> Judge:
    """A limit; 0 is none at all."""
    def judge(pair: Pair) -> Iterator[Verdict]:
        yield wider if pair.b > pair.a else narrower, f"{pair.a} {words}", f"{pair.b} {words}"
    return judge


def syntax(pair: Pair) -> Iterator[Verdict]:
    """All that a form can send, each optional part there or not."""
    if pair.a - pair.b:
        yield "T200", pair.old.text, pair.new.text
    if pair.b - pair.a:
        yield "T201", pair.old.text, pair.new.text


def accepts(pair: Pair) -> Iterator[Verdict]:
    """All shapes in which a line is understood."""
    lost = [pair.old.accepts[text] for text in sorted(pair.a - pair.b)]
    gained = [pair.new.accepts[text] for text in sorted(pair.b - pair.a)]
    if lost:
        yield "R303", " or ".join(lost), " or ".join(gained) or "none"
    if gained:
        yield "R302", " or ".join(lost) or "none", " or ".join(gained)


def supported(pair: Pair) -> Iterator[Verdict]:
    before, after = ("any value" if v is None else f"only {v}" for v in (pair.a, pair.b))
    yield "T208" if pair.b is None else "T207", before, after


def host_form(pair: Pair) -> Iterator[Verdict]:
    """Every address may be a host, and every host is a text."""
    strict = ["", "host", "ip"]
    words = {"": "any text", "host": "a host name or an address", "ip": "an address"}
    rule = "T204" if strict.index(pair.b) > strict.index(pair.a) else "T203"
    yield rule, words[pair.a], words[pair.b]


def only(pair: Pair) -> Iterator[Verdict]:
    """Limits of some fields; a field without has none."""
    old, new = ({name: limits for name, *limits in side} for side in (pair.a, pair.b))
    everything = [float("-inf"), float("inf")]
    changes = [(old.get(n, everything), new.get(n, everything)) for n in sorted({*old, *new})]
    if any(b[0] < a[0] or b[1] > a[1] for a, b in changes):
        yield "R306", onlys(pair.a), onlys(pair.b)
    if any(b[0] > a[0] or b[1] < a[1] for a, b in changes):
        yield "R307", onlys(pair.a), onlys(pair.b)


def count(pair: Pair) -> Iterator[Verdict]:
    (least, most_), (new_least, new_most) = pair.a, pair.b
    if new_least < least or new_most > most_:
        yield "R362", span(pair.a), span(pair.b)
    if new_least > least:
        yield "R363", span(pair.a), span(pair.b)
    if new_most < most_:
        yield "R364", span(pair.a), span(pair.b)


def within(pair: Pair) -> Iterator[Verdict]:
    """Comparable as long as the same parameters count."""
    a, b = pair.a, pair.b
    rule = "R352"
    if a and b and (a[1], a[3]) == (b[1], b[3]):
        longer, shorter = b[0] > a[0] or b[2] > a[2], b[0] < a[0] or b[2] < a[2]
        rule = "R352" if longer and shorter else "R350" if longer else "R351"
    yield rule, deadline(a), deadline(b)


def response_time(pair: Pair) -> Iterator[Verdict]:
    """Of a form; if both are the default, that says it."""
    (a, implied), (b, new_implied) = pair.a, pair.b
    if a != b and not (implied and new_implied):
        yield "R350" if b > a else "R351", f"answers within {a} ms", f"answers within {b} ms"


def default_time(pair: Pair) -> Iterator[Verdict]:
    yield "R350" if pair.b > pair.a else "R351", f"lasts {pair.a} ms", f"lasts {pair.b} ms"


def renamed(pair: Pair) -> Iterator[Verdict]:
    if pair.old.facts["c_name"] == pair.new.facts["c_name"]:
        yield "D408", pair.a, pair.b


def other_table(pair: Pair) -> Iterator[Verdict]:
    """Another table, or none."""
    yield "S127", f"the table {pair.a}" if pair.a else "a range", f"the table {pair.b}" if pair.b else "a range"


def reassigned(pair: Pair) -> Iterator[Verdict]:
    """In each direction in which the value goes."""
    if pair.old.sent and pair.new.sent:
        yield "T211", pair.a, pair.b
    if pair.old.received and pair.new.received:
        yield "R317", pair.a, pair.b


def main_payload(pair: Pair) -> Iterator[Verdict]:
    """Which shape of a line it follows; a line that had none, or has none now, tells so by itself."""
    if None not in (pair.a, pair.b):
        before, after = ("behind this shape" if main else "behind another shape" for main in (pair.a, pair.b))
        yield "R320", before, after


def notation(of: tuple[Any, ...]) -> str:
    return " ".join(t for t in (of[1], of[3], of[0], of[2] and "to the end of the line") if t)


def dialogue(of: tuple[Any, ...]) -> str:
    """A dialogue is long: where it stands, and how many steps it has."""
    section, _, steps = of
    return f"of section {section}, in {len(steps)} steps"


def evidence(of: str) -> str:
    return {"": "from the manual", "seen": "from a log", "driver": "from a driver", "guess": "as a guess"}[of]


def extra(judge: Judge) -> Judge:
    """Of further fields, as long as they are ignored: else that says it all."""
    def judged(pair: Pair) -> Iterator[Verdict]:
        if pair.old.facts["extra_fields"] == pair.new.facts["extra_fields"]:
            yield from judge(pair)
    return judged


def deprecation(of: str) -> str:
    return f"deprecated: {of}" if of else "not deprecated"


def arguments(of: tuple[Any, ...]) -> str:
    return ", ".join(a if isinstance(a, str) else "".join(a) for a in of) or "nothing"


def availability(said: tuple[str, ...]) -> str:
    return ", ".join(said) or "always"


def reserved_names(pair: Pair) -> Iterator[Verdict]:
    lost, gained = (", ".join(sorted(set(a) - set(b))) for a, b in ((pair.a, pair.b), (pair.b, pair.a)))
    if lost:
        yield "S182", lost, "none"
    if gained:
        yield "D411", "none", gained


LIFE = {"availability": changed("S170", availability), "deprecated": changed("S171", deprecation)}
DOC, EVIDENCE = changed("D400"), changed("D406", evidence)
PARAM = {"name": renamed, "c_name": changed("S123"), "type": changed("S126"), "values": other_table, "doc": DOC, **LIFE}

JUDGES: dict[str, dict[str, Judge]] = {
    "spec": {
        "module": changed("S100"), "title": changed("D403"), "source.document": changed("D403"),
        "source.version": changed("D403"), "source.date": changed("D403"), "devices": changed("D403"),
        "revisions": changed("D403"), "session.wake": changed("T230"), "session.start": changed("T230"),
        "session.barrier": changed("T230"), "session.firmware": changed("T233"), "defaults.response_time": default_time,
        "command_max": changed("S160"), "window_min": changed("S160")},
    "section": {"title": changed("D404")},
    "coverage": {"by": changed("D410"), "doc": changed("D410")},
    "feature": {"bounds": changed("S170", availability)},
    "reserved": {"because": changed("D409"), "names": reserved_names},
    "reboot": {},
    "rule": {"choose": fact("R370", "it is"), "because": changed("D409")},
    "example": {"dialogue": changed("D405", dialogue)},
    "table": {"doc": DOC, "section": changed("D402"), "open": switched("R314", "R315")},
    "enumerator": {"c_name": changed("S144"), "key": changed("S145"), "text": changed("D407"), "doc": DOC, **LIFE},
    "value": {"enumerator": reassigned},
    "setting": {
        "values": fact("R331", "values of the table"), "default": fact("R331", "at first"),
        "stored": fact("R331", "kept in"), "per": fact("R331", "one for each"),
        "when_refused": fact("R331", "when the query is refused,"), "read_by": fact("T230", "asked for with"),
        "slots": changed("S152"), "doc": DOC, "section": changed("D402"), **LIFE},
    "line": {
        "name": renamed, "c_name": changed("S132"), "outcome": changed("R343"), "accepts": accepts,
        "extra_fields": switched("R308", "R309"), "extra_evidence": extra(EVIDENCE), "extra_doc": extra(DOC),
        "sets": changed("R330", effects), "doc": DOC, "evidence": EVIDENCE,
        "section": changed("D402"), **LIFE},
    "shape": {
        "only": only, "shown": changed("R323", shown_when),
        "order": changed("R304"), "payload": main_payload, "doc": DOC, "evidence": EVIDENCE},
    "payload": {"framing": changed("R320", payload), "range": outgrown("R321", "R322")},
    "received": {
        **PARAM, "optional": switched("S135", "S136"), "notation": changed("R305", notation),
        "range": outgrown("R310", "R311"), "unit": changed("R316"), "spoken": DOC},
    "sent": {
        **PARAM, "optional": switched("S124", "S125"), "notation": changed("T202", notation),
        "range": outgrown("T203", "T204"), "unit": changed("T210"), "supported": supported,
        "default": changed("T209"), "form": host_form},
    "command": {"doc": DOC, "section": changed("D402"), "notes": changed("D401"), **LIFE},
    "form": {
        "name": renamed, "c_name": changed("S114"), "call": changed("S115", arguments),
        "syntax": syntax, "reads": changed("S116"),
        "doc": DOC, "response_time": response_time, "within": within, "final_optional": switched("R344", "R345"),
        "final_evidence": EVIDENCE, "final_doc": DOC, "sets": changed("R330", effects),
        "asks": switched("T231", "T232"), "test": changed("R373"), **LIFE},
    "answer": {"count": count},
    "data": {"framing": changed("T222", data), "text": most("T220", "T221", "bytes as text"),
             "hex": most("T220", "T221", "bytes in hexadecimal digits"), "echo": changed("R324", lambda name: f"as {name} says" if name else "never")},
    "result": {"match": changed("R342", lambda name: f"only with the same <{name}>" if name else "whichever comes"), "status": fact("R342", "success is told by"),
               "ends": fact("R342", "ends the command:"), "times": fact("R342", "counted by")},
}


@dataclass(frozen=True)
class Presence:
    """The rules for a node that is new and for one that is gone, and what such a node is in
    words, where a rule has that before and after."""

    new: str
    gone: str
    words: Callable[[Node], str] = lambda node: NONE


PRESENCE: dict[str, Presence] = {
    "section": Presence("D404", "D404", lambda n: shown(n.facts["title"])),
    "coverage": Presence("D410", "D410", lambda n: shown(n.facts["by"])),
    "feature": Presence("S172", "S173", lambda n: availability(n.facts["bounds"])),
    "reserved": Presence("D411", "S181", lambda n: shown(n.facts["because"])),
    "reboot": Presence("R371", "R372"),
    "rule": Presence("R370", "R370", lambda n: f"it is {n.facts['choose']}"),
    "example": Presence("D405", "D405", lambda n: dialogue(n.facts["dialogue"])),
    "table": Presence("S140", "S141"),
    "enumerator": Presence("S142", "S143"),
    "value": Presence("T205 R312", "T206 R313"),
    "setting": Presence("S150", "S151"),
    "line": Presence("S130 R300", "S131 R301"),
    "shape": Presence("R302", "R303", lambda n: f"{n.label} with {onlys(n.facts['only'])}"),
    "payload": Presence("R320", "R320", lambda n: payload(n.facts["framing"])),
    "received": Presence("S133", "S134"),
    "sent": Presence("S120", "S122"),
    "command": Presence("S110", "S111"),
    "form": Presence("S112", "S113", lambda n: n.text),
    "answer": Presence("R360", "R361", lambda n: f"{span(n.facts['count'])} times"),
    "data": Presence("T222", "T222", lambda n: data(n.facts["framing"])),
    "result": Presence("R340", "R341"),
}
# Kinds that have a name of their own, which may not come to mean something else.
NAMED = {"command", "form", "line", "sent", "received", "table", "value", "setting"}


def translated(value: Any, renames: Renames) -> Any:
    """A fact of the old spec, with the names that fields have in the new one."""
    if isinstance(value, Name):
        return Name(renames.get(value, value))
    if isinstance(value, tuple):
        return tuple(translated(v, renames) for v in value)
    if isinstance(value, frozenset):
        return frozenset(translated(v, renames) for v in value)
    return value


def matched(old: Node, new: Node) -> tuple[list[tuple[Node, Node]], list[Node], list[Node]]:
    """Children on both sides, those that are gone, and those that are new.

    By key; what is left over, by what it is alike if nothing else of its kind is.
    """
    pairs = [(node, new.children[key]) for key, node in old.children.items() if key in new.children]
    gone = [node for key, node in old.children.items() if key not in new.children]
    added = [node for key, node in new.children.items() if key not in old.children]
    for node in list(gone):
        twins = [n for n in added if n.kind == node.kind and n.alike == node.alike] if node.alike is not None else []
        if len(twins) == 1 and sum(g.alike == node.alike and g.kind == node.kind for g in gone) == 1:
            pairs.append((node, twins[0]))
            gone.remove(node)
            added.remove(twins[0])
    return pairs, gone, added


class Comparison:
    """Findings between two trees. `known` are the paths that the new spec defines in any view;
    `why_gone` says of others why they are gone, in brackets, or nothing."""

    def __init__(self, old: Node, new: Node, known: set[str], why_gone: Callable[[str], str]) -> None:
        self.old, self.new, self.known, self.why_gone = old, new, known, why_gone
        self.there = {n.c for n in below(new)}
        self.reserved = {n for r in new.children.values() if r.kind == "reserved" for n in r.facts["names"]}
        self.found: list[Finding] = []
        self.renames: dict[str, Renames] = {}       # of a line's fields, by its path
        self.lines: Renames = {}                    # paths of the lines themselves
        for a, b in _line_pairs(old, new):
            self.renames[b.path] = _renamed(a, b)
            self.lines[a.path] = b.path

    def run(self) -> list[Finding]:
        self.compare(self.old, self.new, {})
        return sorted(unique(merged(self.found)), key=lambda f: f.order)

    def compare(self, old: Node, new: Node, renames: Renames) -> None:
        if old.kind in ("form", "line"):
            renames = {**self.lines, **_renamed(old, new)}
        elif old.kind == "table":
            renames = {a.c: b.c for a, b in matched(old, new)[0] if a.kind == "enumerator"}
        elif old.kind == "result":
            renames = {**renames, **self.renames.get(new.definition, {})}
        judges = JUDGES[old.kind]
        for key in {**old.facts, **new.facts}:
            a, b = translated(old.facts[key], renames), new.facts[key]
            if a != b:
                for rule, before, after in judges[key](Pair(old, new, a, b)):
                    self.changed(rule, old, new, key, before, after)
        pairs, gone, added = matched(old, new)
        for a, b in pairs:
            self.compare(a, b, renames)
        for node in gone:
            self.removed(node, new)
        for node in added:
            self.added(node, old)

    def changed(self, rule: str, old: Node, new: Node, key: str, before: str, after: str) -> None:
        shared = bool(old.definition and old.definition == new.definition and old.defined and new.defined
                      and key != "optional")
        finding = Finding(RULES[rule], new.path, new.group, new.label, before, after, old.mark, new.mark, [new.c],
                          shared=shared)
        if new.kind == "spec":      # its facts are nodes of their own
            finding.path, finding.label = key, key
            finding.c = [f"{new.c}_{key.upper()}"] if "." not in key else []
        if shared:
            finding.old, finding.new, finding.uses = old.defined, new.defined, [new.path]
            finding.path = new.definition
        self.found.append(finding)

    def added(self, node: Node, owner: Node) -> None:
        presence = PRESENCE[node.kind]
        words = presence.words(node)
        for rule in self.applying(presence.new, node, owner):
            if rule == "S120" and not node.facts["optional"]:
                rule = "S121"
            self.found.append(Finding(RULES[rule], node.path, node.group, self.label(node, owner), "none", words,
                                      None, node.mark, [node.c]))

    def removed(self, node: Node, owner: Node) -> None:
        """`owner` is where it was, in the new spec."""
        presence, because = PRESENCE[node.kind], self.why_gone(node.path)
        words = presence.words(node)
        for rule in self.applying(presence.gone, node, owner):
            self.found.append(Finding(RULES[rule], node.path, node.group, self.label(node, owner), words, "none",
                                      node.mark, None, [node.c], because=because))
        named = node.kind in NAMED and (node.kind != "sent" or node.definition)     # data at the prompt aren't
        if not named or node.path in self.known:
            return
        names = self.names(node, owner)
        lacking = [n for n in names if n not in self.reserved]
        rule, before = ("S182", ", ".join(lacking)) if because else ("S180", node.path)
        if lacking or not because:
            self.found.append(Finding(RULES[rule], node.path, node.group, self.label(node, owner), before, "none",
                                      node.mark, None, [node.c], names=names))

    def names(self, node: Node, owner: Node) -> list[str]:
        """All that a node was in C and nothing else is now, as `reserved` has it."""
        module = re.escape(str(self.old.facts["module"] or "module"))
        if node.kind in ("sent", "received"):
            member, _, struct = node.c.partition(" of ")
            rest = any(n.kind == node.kind for n in owner.children.values())    # or else the struct is gone, too
            found = [f"{struct}.{member}" if rest else struct]
        else:
            inner = [n for n in node.children.values() if node.kind in ("command", "table") and n.kind in NAMED]
            found = [n.c for n in ([] if node.kind == "command" else [node]) + inner]
        found += [f.c for f in self.old.children.values()
                  if f.kind == "feature" and f"{f.definition}.".startswith(f"{node.path}.")]
        return [re.sub(rf"\b{module}_", "", c, count=1, flags=re.I) for c in found if c not in self.there]

    @staticmethod
    def label(node: Node, owner: Node) -> str:
        inner = node.kind in ("sent", "received", "enumerator", "value")
        return f"{node.label} of {owner.label}" if inner else node.label

    def applying(self, rules: str, node: Node, owner: Node) -> list[str]:
        """Of a value, only what concerns the direction in which it goes; of a shape, what the
        other shapes of its line don't say."""
        if node.kind == "shape":
            return rules.split() if node.facts["only"] and node.accepts.keys() <= owner.facts["accepts"] else []
        heard = {"T": node.sent, "R": node.received}
        return [r for r in rules.split() if node.kind != "value" or heard[r[0]]]


def below(node: Node) -> Iterator[Node]:
    for child in node.children.values():
        yield child
        yield from below(child)


def _renamed(old: Node, new: Node) -> Renames:
    pairs, _, _ = matched(old, new)
    return {a.facts["name"]: b.facts["name"] for a, b in pairs if a.kind in ("sent", "received")}


def _line_pairs(old: Node, new: Node) -> Iterator[tuple[Node, Node]]:
    for a, b in matched(old, new)[0]:
        if a.kind == "line":
            yield a, b
        elif a.kind == "command":
            yield from _line_pairs(a, b)


def merged(found: list[Finding]) -> list[Finding]:
    """What changed in a definition is one finding, whoever uses it."""
    first: dict[tuple[Any, ...], Finding] = {}
    out = []
    for f in found:
        key = (f.rule.id, f.path, f.old, f.new, f.before, f.after)
        if f.shared and key in first:
            one = first[key]
            one.uses += [u for u in f.uses if u not in one.uses]
            one.c += [c for c in f.c if c not in one.c]
            one.group = one.group if one.group == f.group else "Parameters"
            continue
        first.setdefault(key, f)
        out.append(f)
    return out


def unique(found: list[Finding]) -> list[Finding]:
    """One finding for a rule and a path: it is by these that a change is accepted."""
    times = Counter((f.rule.id, f.path) for f in found)
    out: dict[tuple[str, str], Finding] = {}
    for f in found:
        if times[f.rule.id, f.path] > 1 and f.shared:
            f.path = f.uses[0]
        have = out.get((f.rule.id, f.path))
        if have:
            have.before, have.after = (f"{a}; {b}" for a, b in ((have.before, f.before), (have.after, f.after)))
        else:
            out[f.rule.id, f.path] = f
    return list(out.values())
