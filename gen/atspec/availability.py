"""Since when, until when: what a revision of the manual or a firmware has.

Works on the nodes of the YAML, before the model is built: what a view doesn't
have is taken out, what it had otherwise is put back, and every later stage sees
one plain spec. A *view* is a revision or a firmware; a *bound* is what `since`,
`until` and `before` hold: {revision: ..., firmware: {device: name}}.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Iterator, Optional, Union

from . import paths
from .diag import Report, nearest
from .load import SCHEMA, Node, Source, validate, validator
from .model import Bound, Feature, Mark, Series
from .names import command_text, flat_case
from .paths import Place, Steps, dotted

KEYS = ("since", "until", "deprecated", "was")
NUMBERS = 6         # that the runtime compares: AT_FIRMWARE_NUMBERS
SHORTHANDS = ("test", "read", "execute", "set")
STRUCTURE = {"commands", "forms", "values", "entries", "parameters", "urcs", "lines", "settings", "finals"}
FIELD = re.compile(r"<([^<>]*)>")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")      # of firmware, with what follows its last number


# Names of firmware ----------------------------------------------------------------

def series_of(device: str, name: str) -> str:
    """TG26NxR01A07 -> TG26N?R#A#: a letter where the x is, a number where the digits are."""
    lead = re.sub(r"[^A-Za-z0-9]", "", device)
    lead = lead if name.startswith(lead) else ""
    return lead + re.sub(r"[0-9]+", "#", name[len(lead):]).replace("x", "?")


def series_regex(pattern: str) -> str:
    return "".join({"#": "([0-9]+)", "?": "[A-Za-z]"}.get(c, re.escape(c)) for c in pattern)


def numbers_of(pattern: str, name: str) -> Optional[tuple[int, ...]]:
    """The numbers of a name of this series; what follows the last is left aside."""
    m = re.match(series_regex(pattern), name)
    return tuple(int(n) for n in m.groups()) if m else None


def more_general(pattern: str, other: str) -> bool:
    """Whether it has `?` where the other has letters, and is the same besides."""
    return pattern != other and len(pattern) == len(other) and all(
        a == b or (a == "?" and b.isalpha()) for a, b in zip(pattern, other))


def neighbour(device: str, name: str, step: int) -> str:
    """The name with its last number one higher or lower, or ''. Below R02A00 is R01A99."""
    lead = len(re.sub(r"[^A-Za-z0-9]", "", device))
    parts = re.split(r"([0-9]+)", name[lead:])
    for i in range(len(parts) - 2, 0, -2):
        number = int(parts[i]) + step
        if number >= 0:
            parts[i] = str(number).zfill(len(parts[i]))
            return name[:lead] + "".join(parts)
        parts[i] = "9" * len(parts[i])
    return ""


# What a spec says of availability ---------------------------------------------------

@dataclass
class _Level:
    """What the schema says of a place in a spec, and of those below it."""

    schemas: list[dict[str, Any]]           # all that apply
    named: frozenset[str]                   # properties that they name
    keys: frozenset[str]                    # of those, what says something of availability
    below: dict[str, "_Level"] = field(default_factory=dict)    # as far as they were asked for


class _Schema:
    """Which mappings of a spec may say `since`: those whose schema has it."""

    def __init__(self) -> None:
        self.schema: dict[str, Any] = json.loads(SCHEMA.read_text("utf-8"))
        self.root = self.level([self.schema])

    def level(self, schemas: list[Any]) -> _Level:
        found = [s for schema in schemas for s in self.expand(schema)]
        named = frozenset(k for s in found for k in s.get("properties", ()))
        keys = {k for s in found for k in KEYS if s.get("properties", {}).get(k) == {"$ref": f"#/definitions/{k}"}}
        return _Level(found, named, frozenset(keys))

    def expand(self, schema: Any) -> list[dict[str, Any]]:
        if not isinstance(schema, dict):
            return []
        found = [schema]
        if "$ref" in schema:
            found += self.expand(self.schema["definitions"][schema["$ref"].rpartition("/")[2]])
        for key in ("allOf", "anyOf"):
            for part in schema.get(key, ()):
                found += self.expand(part)
        return found

    def below(self, level: _Level, key: Union[str, int]) -> _Level:
        """Of what a mapping holds under a key, or of a list's items."""
        name = "[]" if isinstance(key, int) else key if key in level.named else "*"
        if name not in level.below:
            level.below[name] = self.level([
                s.get("items") if name == "[]" else s.get("properties", {}).get(name, s.get("additionalProperties"))
                for s in level.schemas])
        return level.below[name]

    def nodes(self, root: Node) -> Iterator["Dated"]:
        """The mappings that may say something of availability, outer ones first."""
        todo = [(Place((), None, "", root), self.root)]
        while todo:
            place, level = todo.pop()
            if place.node.kind == "map" and level.keys:
                yield Dated(place.steps, place.owner, place.key, place.node, level.keys)
            todo += [(c, self.below(level, c.key)) for c in paths.children(place)[::-1] if c.node.kind in ("map", "list")]


@lru_cache(None)
def _schema() -> _Schema:
    return _Schema()


@dataclass
class Dated(Place):
    """A node that may say something of its availability, and by which keys."""

    keys: frozenset[str]    # others of the same name mean something else there

    def get(self, key: str) -> Optional[Node]:
        return self.node.get(key) if key in self.keys else None

    def holders(self) -> list[tuple[Node, str]]:
        """The mappings that hold a bound, and under which key."""
        found = [(self.node, k) for k in ("since", "until") if self.get(k)]
        found += [(n, "since") for n in (self.get("deprecated"),) if n and n.get("since")]
        return found + [(n, "before") for w in (self.get("was"),) if w for n in w.items]


@dataclass
class Gone:
    """A node that a view doesn't have."""

    path: str
    why: str                # came with TG26NxR01A07
    mark: Mark
    hint: str = ""          # in place of what the code says


@dataclass
class Narrowed:
    """What was taken out of a spec for a view."""

    gone: dict[str, Gone] = field(default_factory=dict)                 # by path
    names: dict[tuple[str, str], Gone] = field(default_factory=dict)    # ("form", "QICFG.echomode")
    params: dict[tuple[int, str], Gone] = field(default_factory=dict)   # by the id of the owner and the name


class Availability:
    """Reads and checks all that a spec says of it, and narrows the spec to a view.

    From then on the spec has no `was` and no `since` that refers to another node.
    """

    def __init__(self, sources: list[Source], report: Report) -> None:
        self.sources, self.report = sources, report
        root = sources[-1].root
        self.revisions = [str(n.value) for n in root.list("revisions")]
        self.devices = [str(n.value) for n in root.list("devices")]
        self.patterns: dict[str, tuple[str, Node]] = {}     # device -> its series, and who says so
        self.firmware: dict[str, list[tuple[str, str]]] = {d: [] for d in self.devices}   # (key, name) as given
        self.changes: list[tuple[Node, list[Node]]] = []
        self.features: list[Feature] = []
        self.read()

    def error(self, code: str, mark: Mark, message: str, hint: str = "") -> None:
        self.report.add(code, mark, message, hint)

    def learn(self, other: "Availability") -> None:
        """How firmware is called, where another edition of the spec says more of it."""
        self.patterns = other.patterns | self.patterns

    def places(self) -> list[Dated]:
        return [p for root in paths.roots(self.sources) for p in _schema().nodes(root)]

    # reading

    def read(self) -> None:
        places = self.places()
        shared = {id(p.node): str(n.value) for p in places for n in (p.get("since"),) if n and n.kind == "str"}
        for node, key in [(n, k) for p in places for n, k in p.holders()]:
            bound = node.entries[key]
            if bound.kind == "map":
                self.bound(key, bound)
        for node, key in [(n, k) for p in places for n, k in p.holders()]:
            if node.entries[key].kind == "str":
                self.share(node, key)
        for place in places:
            self.in_order(place)
            if id(place.node) not in shared:
                self.feature(place)
        self.clashes()
        self.companions(places, shared)
        self.changes = self.take_changes()

    def bound(self, key: str, bound: Node) -> None:
        revision, firmware = bound.get("revision"), bound.get("firmware")
        if revision and revision.value not in self.revisions:
            self.error("E037", revision.mark, f"`{revision.value}` isn't listed under `revisions`",
                       nearest(str(revision.value), self.revisions))
        for device, name in (firmware.entries.items() if firmware else ()):
            assert firmware
            if device not in self.devices:
                self.error("E037", firmware.keys[device].mark, f"`{device}` isn't listed under `devices`",
                           nearest(device, self.devices))
                continue
            pattern = series_of(device, str(name.value))
            known, first = self.patterns.setdefault(device, (pattern, name))
            if more_general(pattern, known):
                self.patterns[device] = known, first = pattern, name
            self.firmware[device].append((key, str(name.value)))
            if not 1 <= pattern.count("#") <= NUMBERS:
                self.error("E102", name.mark, f"`{name.value}` has no number to compare, or more than {NUMBERS}")
            elif pattern != known and not more_general(known, pattern):
                self.error("E102", name.mark, f"`{name.value}` can't be compared with `{first.value}` "
                                              f"({first.mark.file}:{first.mark.line})")

    def share(self, node: Node, key: str) -> None:
        """`since: PATH` is what the node at PATH says."""
        named = node.entries[key]
        place = paths.find(self.sources, str(named.value))
        bound = place.node.get("since") if place else None
        if place is None:
            self.error("E038", named.mark, f"there is no `{named.value}`", paths.hint(self.sources, str(named.value)))
        elif bound is None or (bound.kind != "map" and bound is not named):
            self.error("E104", named.mark, f"`{named.value}` doesn't say itself since when it exists")
        elif bound.kind != "map":
            self.error("E104", named.mark, f"`{named.value}` refers to itself")
        else:
            node.entries[key] = bound
        if node.entries[key].kind == "str":     # reported: go on without
            del node.entries[key], node.keys[key]

    def rank(self, bound: Node, device: str) -> Optional[tuple[int, ...]]:
        """Where a bound stands among the device's firmware, or (device '') the revisions."""
        if not device:
            revision = bound.text("revision")
            return (self.revisions.index(revision),) if revision in self.revisions else None
        firmware = bound.get("firmware")
        name = firmware.get(device) if firmware else None
        return numbers_of(self.patterns[device][0], str(name.value)) if name and device in self.patterns else None

    def in_order(self, place: Dated) -> None:
        since, until = place.get("since"), place.get("until")
        for axis in ["", *self.devices] if since and until else []:
            assert since and until
            first, last = self.rank(since, axis), self.rank(until, axis)
            if first is not None and last is not None and last < first:
                self.error("E103", until.mark, f"until {said(until, axis)}, but since {said(since, axis)}")

    # what can be asked for at run time

    def feature(self, place: Dated) -> None:
        """A node that firmware decides on, if programs can ask for one of its kind."""
        bounds = []
        for key in ("since", "until"):
            bound = place.get(key)
            firmware = bound.get("firmware") if bound else None
            for device, node in (firmware.entries.items() if firmware else ()):
                rank = self.rank(bound, device) if bound else None
                if rank is not None:
                    bounds.append(Bound(device, rank, key == "until", str(node.value)))
        name = feature_name(place)
        if bounds and name:
            self.features.append(Feature(name, dotted(place.steps), described(place), bounds, place.node.mark))

    def clashes(self) -> None:
        first: dict[str, Feature] = {}
        for f in self.features:
            if first.setdefault(f.name, f) is not f and f.mark:
                self.error("E040", f.mark, f"{f.path} and {first[f.name].path} are both the feature {f.name}")

    def companions(self, places: list[Dated], shared: dict[int, str]) -> None:
        """What came with each feature: `since` holds its path."""
        features = {f.path: f for f in self.features}
        for place in [p for p in places if id(p.node) in shared]:
            named = paths.find(self.sources, shared[id(place.node)])
            if named and dotted(named.steps) in features:
                features[dotted(named.steps)].companions.append(dotted(place.steps))

    def series(self) -> list[Series]:
        return [Series(d, self.patterns[d][0]) for d in self.devices if d in self.patterns]

    # views

    def views(self) -> list[str]:
        """The revisions, and of each device a firmware on either side of every change."""
        found = list(self.revisions)
        for device, named in self.firmware.items():
            steps = [(n, neighbour(device, n, 1 if key == "until" else -1)) for key, n in named]
            names = {n for pair in steps for n in pair if n}
            found += sorted(names, key=lambda n: numbers_of(self.patterns[device][0], n) or ())
        return found

    def view(self, name: str) -> Optional["View"]:
        """The view of this name, or None with a diagnostic."""
        if name in self.revisions:
            return View(self, name, "", (self.revisions.index(name),))
        for device, (pattern, _) in self.patterns.items():
            numbers = numbers_of(pattern, name)
            if numbers is not None and _NAME.fullmatch(name):
                return View(self, name, device, numbers)
        root = self.sources[-1].root
        known = self.revisions + [n for named in self.firmware.values() for n in dict.fromkeys(n for _, n in named)]
        self.error("E100", root.mark, f"`{name}` is neither a revision nor a firmware of a series that the spec knows",
                   "known: " + ", ".join(known) if known else "")
        return None

    def take_changes(self) -> list[tuple[Node, list[Node]]]:
        """Every `was`, taken out of the spec."""
        found = []
        for place in self.places():
            was = place.get("was")
            if was:
                found.append((place.node, was.items))
                del place.node.entries["was"], place.node.keys["was"]
        return found

    def narrow(self, view: "View") -> Narrowed:
        """Leave in the spec what the view has."""
        changes = self.changes
        while changes:      # what something was may hold what something else was
            for node, entries in changes:
                restore(node, entries, view)
            changes = self.take_changes()
        out = Narrowed()
        for root in paths.roots(self.sources):
            before = sections(root)
            self.prune(root, view, out)
            uncovered(root, before)
        for source in self.sources:
            _Syntaxes(self, source, view, out).cut()
            validate(source.root, validator(), self.report)
        return out

    def prune(self, root: Node, view: "View", out: Narrowed) -> None:
        removed: set[Steps] = set()
        for place in list(_schema().nodes(root)):
            if any(place.steps[:n] in removed for n in range(1, len(place.steps))):
                continue
            deprecated = place.get("deprecated")
            bound = deprecated.get("since") if deprecated else None
            if bound and (view.compare(bound) or 0) < 0:
                del place.node.entries["deprecated"], place.node.keys["deprecated"]
            why = view.lacks(place)
            if not why or place.owner is None:
                continue
            if isinstance(place.key, int):      # those before it may have gone
                place.key = next(i for i, n in enumerate(place.owner.items) if n is place.node)
            mark = place.node.mark if isinstance(place.key, int) else place.owner.keys[place.key].mark
            place.remove()
            removed.add(place.steps)
            note(place, Gone(dotted(place.steps), why, mark), root, out)


@dataclass
class View:
    """A revision (`device` is '') or a firmware."""

    known: Availability
    name: str
    device: str
    rank: tuple[int, ...]

    def compare(self, bound: Node) -> Optional[int]:
        """-1: the view is older than the bound, 1: newer; None: it says nothing of the view."""
        rank = self.known.rank(bound, self.device)
        return None if rank is None else (self.rank > rank) - (self.rank < rank)

    def lacks(self, place: Dated) -> str:
        """Why the view doesn't have a node, or ''."""
        since, until, deprecated = (place.get(k) for k in ("since", "until", "deprecated"))
        if since and (self.compare(since) or 0) < 0:
            return f"came with {said(since, self.device)}"
        if until and (self.compare(until) or 0) > 0:
            use = deprecated.text("use") if deprecated else ""
            return f"was last in {said(until, self.device)}" + (f"; {use}" if use else "")
        return ""


def said(bound: Node, device: str) -> str:
    """What a bound calls the first or last that has a node."""
    return bound.entries["firmware"].text(device) if device else bound.text("revision")


def restore(node: Node, entries: list[Node], view: View) -> None:
    """Give a node what it was: of the entries that hold for the view, the oldest says."""
    held = [(rank, e) for e in entries for rank in [view.known.rank(e.entries["before"], view.device)]
            if rank is not None and view.rank < rank]
    for _, entry in sorted(held, key=lambda h: h[0], reverse=True):
        revert(node, entry)


def revert(node: Node, entry: Node) -> None:
    """Give a node what one entry of its `was` says."""
    for name in entry.list("without"):
        node.entries.pop(str(name.value), None)
        node.keys.pop(str(name.value), None)
    for key, value in entry.entries.items():
        if key not in ("before", "without"):
            node.entries[key], node.keys[key] = value, entry.keys[key]


# Names of nodes -------------------------------------------------------------------

def kind_and_name(steps: Steps) -> Optional[tuple[str, str]]:
    """What references call a node: ("form", "QIRD.set")."""
    match steps:
        case ("commands", command, "forms", form):
            return "form", f"{command}.{form}"
        case ("commands", command, form) if form in SHORTHANDS:
            return "form", f"{command}.{form}"
        case ("commands", _, "lines", line) | ("urcs", line):
            return "line", line
        case ("finals", final):
            return "final", final
        case ("settings", setting):
            return "setting", setting
        case ("values", table):
            return "table of values", table
        case ("commands", _, "parameters", param) | ("parameters", param):
            return "parameter", param
    return None


def names_at(place: Place) -> list[tuple[str, str]]:
    """What references call a node and all that it holds."""
    steps = [place.steps, *(place.steps + p.steps for p in paths.walk(place.node))]
    return [named for s in steps for named in [kind_and_name(s)] if named]


def note(place: Place, gone: Gone, root: Node, out: Narrowed) -> None:
    """Remember what went, and all that went with it."""
    out.gone[gone.path] = gone
    out.names.update((name, gone) for name in names_at(place))
    if place.steps[-2:-1] == ("parameters",):
        command = root.entries["commands"].entries[place.steps[1]] if len(place.steps) == 4 else root
        out.params[id(command), place.steps[-1]] = gone


def feature_name(place: Place) -> str:
    """commands.QICFG.forms.echomode -> QICFG_ECHOMODE; '' for what no program asks for."""
    steps = place.steps
    value = len(steps) == 4 and steps[0] == "values"
    if not (kind_and_name(steps) or value or (len(steps) == 2 and steps[0] == "commands")):
        return ""
    if value:
        return f"{flat_case(steps[1])}_{place.node.text('name')}".upper()
    words = [s for i, s in enumerate(steps) if i % 2 or s not in STRUCTURE]
    name = place.node.text("c_name") or "_".join(flat_case(w) for w in words if w != "set")
    return (name + ("_line" if "lines" in steps else "")).upper()


def described(place: Place) -> str:
    """A node as people know it."""
    steps, node = place.steps, place.node
    if len(steps) == 2 and steps[0] == "commands":
        return command_text(steps[1])
    return node.text("syntax") or node.text("line") or (
        f"{steps[1]} {steps[3]}" if steps[0] == "values" and len(steps) == 4 else
        f"<{steps[-1]}>" if "parameters" in steps else steps[-1])


# What goes with what is gone --------------------------------------------------------

def sections(root: Node) -> set[str]:
    """Those that a node names, or `coverage` does."""
    coverage = root.get("coverage")
    return {str(p.node.value) for p in paths.walk(root) if p.steps[-1] == "section"} | set(
        coverage.entries if coverage else ())


def uncovered(root: Node, before: set[str]) -> None:
    """A section whose every node is gone isn't in the view's manual."""
    source = root.get("source")
    listed = source.get("sections") if source else None
    left = sections(root)
    for name in [n for n in (listed.entries if listed else ()) if n in before - left]:
        assert listed
        del listed.entries[name], listed.keys[name]


class _Syntaxes:
    """Takes parameters that are gone out of the lines of a file, with their brackets."""

    def __init__(self, known: Availability, source: Source, view: View, out: Narrowed) -> None:
        self.known, self.source, self.view, self.out = known, source, view, out

    def cut(self) -> None:
        if not self.out.params:
            return
        root = self.source.root
        for _, command in root.pairs("commands"):
            nodes = [command.entries[k] for k in SHORTHANDS if command.get(k) and k != "test"]
            nodes += [n for _, n in command.pairs("forms")]
            for line in [n.get("syntax") for n in nodes] + self.lines(command, "lines"):
                self.line(line, command)
        for key in ("urcs", "finals"):
            for line in self.lines(root, key):
                self.line(line, None)

    @staticmethod
    def lines(owner: Node, key: str) -> list[Optional[Node]]:
        return [n.get("line") for _, line in owner.pairs(key) for n in [line, *line.list("also")]]

    def gone(self, name: str, command: Optional[Node]) -> Optional[Gone]:
        """The parameter that a line means by a name, if it is gone."""
        todo, owners = [self.source], [command] if command else []
        for s in todo:
            owners.append(s.root)
            todo += [i for i in s.includes if i not in todo]
        for owner in owners:
            if (id(owner), name) in self.out.params:
                return self.out.params[id(owner), name]
            if owner.get("parameters") and name in owner.entries["parameters"].entries:
                return None
        return None

    def line(self, line: Optional[Node], command: Optional[Node]) -> None:
        while line and line.kind == "str":
            text = str(line.value)
            found = next(((m, g) for m in FIELD.finditer(text) for g in [self.gone(m.group(1), command)] if g), None)
            if not found:
                return
            m, gone = found
            group = enclosing(text, m.start())
            kept = [n for n in FIELD.findall(text[group[0]:group[1]]) if not self.gone(n, command)] if group else []
            if not group or kept:
                why = f"and <{kept[0]}> can't stand without it" if kept else "and it isn't optional here"
                self.known.error("E101", line.at(m.start()), f"<{gone.path.rpartition('.')[2]}> {gone.why} "
                                                             f"({gone.mark.file}:{gone.mark.line}), {why}")
                return
            line.value = text[:group[0]] + text[group[1]:]


def enclosing(text: str, at: int) -> Optional[tuple[int, int]]:
    """The innermost [...] around a place, brackets included."""
    opened: list[int] = []
    for i, c in enumerate(text):
        if c == "[":
            opened.append(i)
        elif c == "]" and opened:
            start = opened.pop()
            if start < at < i:
                return start, i + 1
    return None
