"""No change goes unseen: specs are changed at random, at every key of the schema, and
each change that means something is reported by a rule of the right category."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import os
import random
import re
import tempfile
import unittest
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Optional, Union
from unittest import mock

import yaml
from diff_pairs import BASE, CASES, GONE, Change, changed
from support import FRAGMENT, SHIPPED, load_spec
from atspec.diff import common_views, compared, compared_in_views
from atspec.diff.compare import Finding
from atspec.diff.facts import Node, described
from atspec.lower import LowerError
from atspec.load import SCHEMA
from atspec.model import Command, Form, Line, Mark, Reserved, Spec
from atspec.render import context, environment

SECOND = Path(__file__).resolve().parent / "second" / "tide.yaml"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SOURCE, TX, RX, DOC = "SOURCE", "WIRE-TX", "WIRE-RX", "DOC"
ANY = {SOURCE, TX, RX, DOC}

# Which category a change at a key of the schema belongs to: at least one of them. A key
# stands for itself wherever it is, unless it is named with what holds it.
CATEGORY: dict[str, set[str]] = {
    "module": {SOURCE}, "title": {DOC}, "document": {DOC}, "version": {DOC}, "date": {DOC}, "sections": {DOC},
    "defaults.response_time": {RX}, "form.response_time": {RX},
    "settings": {SOURCE}, "setting.values": {RX}, "setting.default": {RX}, "stored": {RX}, "per": {RX, SOURCE},
    "read_by": {TX}, "when_refused": {RX}, "section": {DOC}, "doc": {DOC},
    "values": {SOURCE}, "open": {TX, RX}, "entries": {SOURCE}, "entries.name": {SOURCE}, "entries.text": {DOC},
    "parameters": {SOURCE, RX, TX, DOC}, "parameters.type": {TX, RX, SOURCE}, "parameters.range": {TX, RX},
    "parameters.values": {SOURCE}, "supported": {TX, DOC}, "parameters.default": {TX, DOC}, "parameters.form": {TX, RX},
    "parameters.max": {TX, RX}, "parameters.min": {TX, RX}, "rest": {TX, RX}, "quoted": {TX, RX}, "unit": {TX, RX},
    "c_name": {SOURCE}, "also": {RX}, "line.line": {RX}, "also.line": {RX}, "final.line": {RX}, "only": {RX}, "shown": {RX},
    "line.payload": {RX}, "payload.length": {RX}, "payload.range": {RX}, "payload.format": {RX}, "payload.inline": {RX},
    "payload.when": {RX}, "sets": {RX}, "extra_fields": {RX}, "evidence": {DOC}, "rules": {RX}, "choose": {RX}, "over": {RX},
    "because": {DOC}, "outcome": {RX}, "finals": {RX}, "urcs": {RX}, "lines": {RX}, "commands": {SOURCE},
    "read": {SOURCE}, "execute": {SOURCE}, "set": {SOURCE}, "forms": {SOURCE, DOC}, "syntax": {TX}, "response": {RX},
    "then": {RX}, "within": {RX}, "form.data": {TX}, "data.in": {TX}, "data.length": {TX}, "data.format": {TX},
    "cancel": {TX}, "echo": {RX}, "data.max": {TX}, "max.text": {TX}, "max.hex": {TX}, "reads": {SOURCE},
    "form.final": {RX}, "optional": {RX}, "completion.line": {RX}, "completion.final": {RX}, "match": {RX},
    "status": {RX}, "ends": {RX}, "times": {RX}, "test": {RX, SOURCE}, "notes": {DOC}, "session": {TX, RX}, "wake": {TX}, "start": {TX},
    "barrier": {TX}, "reboot": {RX}, "examples": {DOC}, "example.settings": {DOC}, "dialogue": {DOC}, "host": {DOC},
    "module_step": {DOC}, "step.module": {DOC}, "prompt": {DOC}, "step.data": {DOC}, "step.payload": {DOC}, "end": {DOC},
    "is": {DOC}, "coverage": {DOC}, "by": {DOC}, "reserved": {SOURCE, DOC}, "reserved.path": {SOURCE, DOC},
    "names": {SOURCE, DOC}, "features": {SOURCE}, "asks": {TX}, "session.firmware": {TX}, "firmware": ANY, "revision": ANY,
    "deprecated": {SOURCE}, "use": {SOURCE}, "data.until": {TX}, "was": ANY, "before": ANY, "without": ANY, "since": ANY, "until": ANY,
    "devices": ANY, "revisions": ANY,
}
# What can't be changed by itself: the version of the language, and whose files go with which.
FIXED = {"atspec", "include"}
# What keys hold where a spec doesn't have them.
SAMPLES: dict[str, Any] = {
    "doc": "More", "evidence": "guess", "unit": "dB", "c_name": "named", "open": True, "extra_fields": True,
    "when_refused": 0, "default": 1, "min": 1, "quoted": True, "rest": True, "response_time": "400 ms",
    "notes": ["More."], "deprecated": {"use": "nothing"}, "reads": "most", "supported": 1, "final": {"optional": True},
    "section": lambda tree: next(iter(tree["source"]["sections"])) if "source" in tree else "V.250",
    "since": lambda tree: {"revision": tree["revisions"][-1]} if "revisions" in tree else {},
    "was": (),      # the keys beside it say what
    "until": lambda tree: {"revision": tree["revisions"][0]} if "revisions" in tree else {},
}
# What the language doesn't let one change by itself: changed in BASE with what depends on it.
TOGETHER: dict[tuple[str, str], Change] = {
    ("parameters", "type"): {"parameters/note/type": "string"},
    ("payload", "length"): {"urcs/news/payload/length": "id"},
    ("data", "max"): {"commands/SEND/forms/prompted/data/max": {"text": 90}},
    ("command", "parameters"): {"commands/PLAY/parameters": {
        "tune": {"type": "text", "max": 9, "doc": "A tune"}, "where": {"type": "string", "max": 8, "doc": "Where"}}},
    ("command", "lines"): {"commands/FMT/lines": {"FMT": {
        "line": "+FMT: <format>", "sets": {"format": "format"}, "also": [{"line": "+FMT: <format>,<age>"}]}}},
    ("completion", "line"): {"commands/OPEN/set/then/1/line": "OPEN.last", "commands/OPEN/lines/OPEN.last": {"line": "+LAST: <id>"},
                             "commands/OPEN/lines/OPEN.late": GONE, "reserved/1": {"path": "commands.OPEN.lines.OPEN.late", "because": "so"}},
    ("rules", "since"): {"rules/0/since": {"revision": "R2"}, "urcs/number/since": {"revision": "R2"}},
    ("rules", "until"): {"rules/0/until": {"revision": "R1"}, "urcs/number/until": {"revision": "R1"}},
}
# What decides on availability shows in views of a spec.
DATED = {"since", "until", "was", "before", "without", "deprecated", "revision", "firmware", "revisions", "devices"}
# Keys of the schema that hold others, each of which is changed itself.
HOLDERS = {"source", "session", "defaults", "prompt", "end"}


class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):    # type: ignore[misc]
    """Quotes every text, so that none reads as something else."""


Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


@dataclass
class Site:
    """A place in a tree: `key` of `owner`; what the schema calls it and what holds it."""

    path: tuple[Union[str, int], ...]
    name: str               # its property in the schema
    holder: str             # the definition that has the property
    schema: dict[str, Any]
    required: bool
    kind: str               # property | entry (of a mapping with free keys) | item (of a list)

    @property
    def key(self) -> tuple[str, str]:
        """Keys of one name mean something else in other holders."""
        return self.holder, self.name

    @property
    def dated(self) -> bool:
        """Whether it is about what some revisions or firmware have."""
        return bool(DATED & {self.name, *self.path})

    @property
    def category(self) -> set[str]:
        return CATEGORY.get(f"{self.holder}.{self.name}") or CATEGORY[self.name]


class Schema:
    def __init__(self) -> None:
        self.root = json.loads(SCHEMA.read_text("utf-8"))

    def resolve(self, schema: dict[str, Any], value: Any) -> tuple[dict[str, Any], str]:
        """The alternative that fits a value, and the name of its definition."""
        name = ""
        while "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            schema = {**self.root["definitions"][name], **{k: v for k, v in schema.items() if k != "$ref"}}
        for part in schema.get("allOf", [])[:1]:
            return self.resolve(part, value)
        for part in schema.get("anyOf", []):
            chosen, inner = self.resolve(part, value)
            if (chosen.get("type") == "object") == isinstance(value, dict):
                return chosen, inner or name
        return schema, name

    def own(self, schema: dict[str, Any], name: str, holder: str) -> str:
        """What to call a schema that no definition names: as its property, unless a definition is called so."""
        if "properties" not in schema:
            return holder
        return f"{holder}.{name}" if "properties" in self.root["definitions"].get(name, ()) else name

    def sites(self, value: Any, schema: dict[str, Any], path: tuple[Union[str, int], ...] = (), name: str = "spec",
              holder: str = "spec") -> Iterator[Site]:
        schema, defined = self.resolve(schema, value)
        own = defined or self.own(schema, name, holder)
        if isinstance(value, dict):
            properties = schema.get("properties", {})
            for key in properties:
                if key not in value and key in SAMPLES:
                    yield Site(path + (key,), key, own, properties[key], False, "absent")
            for key, inner in value.items():
                here = path + (key,)
                if key in properties:
                    yield Site(here, str(key), own, self.resolve(properties[key], inner)[0],
                               key in schema.get("required", []), "property")
                    yield from self.sites(inner, properties[key], here, str(key), own)
                else:
                    below = schema.get("additionalProperties") or {}
                    yield Site(here, name, holder, below, False, "entry")
                    yield from self.sites(inner, below if isinstance(below, dict) else {}, here, name, holder)
        elif isinstance(value, list):
            for i, inner in enumerate(value):
                yield Site(path + (i,), name, holder, schema.get("items", {}), False, "item")
                yield from self.sites(inner, schema.get("items", {}), path + (i,), name, holder)

    def keys(self) -> set[tuple[str, str]]:
        """Every property that a spec may have, with what holds it, as `sites` calls them."""
        found: set[tuple[str, str]] = set()
        seen: set[str] = set()

        def walk(schema: Any, name: str, holder: str) -> None:
            if not isinstance(schema, dict):
                return
            defined = schema.get("$ref", "").rpartition("/")[2]
            if defined in seen:
                return
            if defined:
                seen.add(defined)
                schema = self.root["definitions"][defined]
            for part in schema.get("allOf", [])[:1] + schema.get("anyOf", []):
                walk(part, defined or name, holder)
            own = defined or self.own(schema, name, holder)
            for key, below in schema.get("properties", {}).items():
                found.add((own, key))
                walk(below, key, own)
            for below in (schema.get("additionalProperties"), schema.get("items")):
                walk(below, name, holder)

        walk(self.root, "spec", "spec")
        return found


SITES = Schema()
FORM_NAME = SITES.root["definitions"]["form_name"]["pattern"]


def changed_by_pairs() -> set[tuple[str, str]]:
    """Keys that a pair of a rule changes, with what refers to them: by themselves they can't be."""
    base = Folder.read(BASE)
    found = set()
    for case in CASES.values():
        paths = {tuple(path.split("/")) for path in case.does}
        sites = [s for tree in (base, changed(base, case.does)) for s in SITES.sites(tree, SITES.root)]
        found |= {s.key for s in sites if tuple(map(str, s.path)) in paths}
    return found


def at(tree: Any, path: tuple[Union[str, int], ...]) -> Any:
    for step in path:
        tree = tree[step]
    return tree


class Mutator:
    """Changes at a site; what the language doesn't allow is found out by loading it."""

    def __init__(self, rng: random.Random, tree: Any, sites: list[Site]) -> None:
        self.rng, self.tree, self.sites = rng, tree, sites
        self.seen: dict[tuple[str, str], list[Any]] = {}        # values of the same property elsewhere
        self.forms = [f"{c}.{f}" for c, command in tree.get("commands", {}).items()
                      for f in (*({"read", "execute", "set"} & command.keys()), *command.get("forms", {}))]
        for s in (s for s in sites if s.kind != "absent"):
            value = at(tree, s.path)
            if s.kind == "property" and not isinstance(value, (dict, list)):
                self.seen.setdefault(s.key, []).append(value)

    def mutants(self, site: Site) -> Iterator[tuple[str, Any]]:
        """What was done, and the tree."""
        if site.kind == "absent":
            for sample in self.formerly(site) if site.name == "was" else [SAMPLES[site.name]]:
                tree = copy.deepcopy(self.tree)
                at(tree, site.path[:-1])[site.path[-1]] = sample(tree) if callable(sample) else sample
                yield "is new", tree
            return
        value = at(self.tree, site.path)
        options: list[tuple[str, Any]] = [(f"becomes {v!r}", v) for v in self.others(site, value)]
        self.rng.shuffle(options)
        for what, new in options[:6]:
            tree = copy.deepcopy(self.tree)
            at(tree, site.path[:-1])[site.path[-1]] = new
            yield what, tree
        if site.name == "rules" and site.kind == "item":
            tree = copy.deepcopy(self.tree)
            rule = at(tree, site.path)
            rule["choose"], rule["over"] = rule["over"], rule["choose"]
            yield "is turned round", tree
        if not site.required:
            tree = copy.deepcopy(self.tree)
            del at(tree, site.path[:-1])[site.path[-1]]
            yield "is gone", tree
        if site.kind == "entry" and isinstance(site.path[-1], (str, int)):
            tree = copy.deepcopy(self.tree)
            owner, key = at(tree, site.path[:-1]), site.path[-1]
            items = [(self.other_key(k) if k == key else k, v) for k, v in owner.items()]
            owner.clear()
            owner.update(items)
            yield "has another name", tree

    def formerly(self, site: Site) -> Iterator[Any]:
        """What the keys beside a `was` may have been."""
        for s in self.sites:
            if s.path[:-1] == site.path[:-1] and s.kind == "property" and "revisions" in self.tree:
                others = [*self.others(s, at(self.tree, s.path))]
                for value in others[:1] + others[-2:]:
                    yield [{"before": {"revision": self.tree["revisions"][-1]}, s.name: value}]

    @staticmethod
    def other_key(key: Union[str, int]) -> Union[str, int]:
        return key + 5 if isinstance(key, int) else f"{key}X" if key.isupper() else f"{key}2"

    def others(self, site: Site, value: Any) -> Iterator[Any]:
        if isinstance(value, bool):
            yield not value
        elif isinstance(value, int):
            yield from (value + 1, value - 1, value + 3)
        elif isinstance(value, str):
            yield from self.texts(site, value)
        yield from site.schema.get("enum", [])
        yield from {str(v): v for v in self.seen.get(site.key, []) if v != value}.values()
        if site.name == "section" and "source" in self.tree:
            yield from (s for s in self.tree["source"]["sections"] if s != value)
        if site.schema.get("pattern") == FORM_NAME:
            yield from (f for f in self.forms if f != value)

    def texts(self, site: Site, value: str) -> Iterator[str]:
        free = site.name in ("doc", "title", "text", "document", "because", "unit", "notes", "sections", "section", "test")
        if free:
            yield value + " indeed"
        elif site.name in ("syntax", "line"):
            yield from self.syntaxes(value)
        elif site.name == "date":
            yield "1999-12-31"
        elif site.name in ("c_name", "module"):
            yield value + "_x"
        elif site.name == "name":
            yield value + "_X"
        else:
            for m in re.finditer(r"[0-9]+", value):
                for n in (int(m.group()) + 1, int(m.group()) - 1):
                    yield value[:m.start()] + str(n) + value[m.end():]
            yield value + "X"

    @staticmethod
    def syntaxes(value: str) -> Iterator[str]:
        yield re.sub(r"(\[?,<\w+>\]?)(?=\]*$)", "", value)                  # one field less
        yield re.sub(r",(<\w+>)$", r"[,\1]", value)                         # the last is optional
        yield value.replace("[", "", 1)[::-1].replace("]", "", 1)[::-1]     # an optional part less
        yield re.sub(r"(<\w+>),(<\w+>)", r"\2,\1", value, count=1)          # two in another order
        yield re.sub(r'([=:] ?)(<)', r'\1"x",\2', value, count=1)           # a literal more
        yield value + "X"


# What a spec means ------------------------------------------------------------------

_UNORDERED = {"settings", "values", "commands", "finals", "urcs", "rules", "examples", "entries", "forms", "lines",
              "reboot", "sets", "variants", "reserved", "test_lines"}
_ASIDE = {"mark", "marks", "sha256", "files", "view", "views", "series"}


def meaning(value: Any, inside: tuple[int, ...] = (), field: str = "") -> Any:
    """A model without its places, and without the order of what has none."""
    if isinstance(value, Mark):
        return None
    if dataclasses.is_dataclass(value):
        if id(value) in inside or (field and isinstance(value, (Command, Form, Line)) and field not in ("commands", "finals", "urcs", "forms", "lines")):
            return value.path if hasattr(value, "path") else getattr(value, "name", "")
        return tuple((f.name, meaning(getattr(value, f.name), inside + (id(value),), f.name))
                     for f in dataclasses.fields(value) if f.name not in _ASIDE and (f.name != "path" or isinstance(value, Reserved)))
    if isinstance(value, dict):
        return tuple(sorted((str(k), meaning(v, inside, field)) for k, v in value.items()))
    if isinstance(value, (list, tuple)):
        items = [meaning(v, inside, field) for v in value]
        return tuple(sorted(items, key=repr)) if field in _UNORDERED else tuple(items)
    return value


HEADER = environment().get_template("host.h.j2")


def declarations(spec: Spec) -> Counter[str]:
    """The lines of the header without comments, numbers of enumerators and what it was made from."""
    text = HEADER.render(context(spec))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"#define \w+_SPEC_SHA256 .*", "", text)
    text = re.sub(r' AT_LINKED_AS\("\w+"\)', "", text)        # which has the spec in it, too
    text = re.sub(r'AT_UNAVAILABLE\("(\\.|[^"\\])*"\)', "AT_UNAVAILABLE", text)       # but why
    text = re.sub(r"^(    [A-Z0-9_]+)( = -?[0-9]+)?,?$", r"\1", text, flags=re.M)
    return Counter(line for line in re.sub(r",\n +", ", ", text).splitlines() if line.strip())


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def load(self, tree: Any, name: str = "spec.yaml") -> Optional[Spec]:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.dump(tree, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=9999), "utf-8")
        return self.at(None, name)

    def at(self, view: Optional[str], name: str = "spec.yaml") -> Optional[Spec]:
        return load_spec(str(self.folder / name), fragment=True, at=view)[0]

    def tree(self, path: Path) -> Any:
        return self.read(path.read_text("utf-8"), path.parent)

    @staticmethod
    def read(text: str, folder: Path = Path()) -> Any:
        tree = yaml.load(text, Loader=LOADER)
        tree["include"] = [os.path.realpath(folder / p) for p in tree.get("include", [])]
        return tree if tree["include"] else {k: v for k, v in tree.items() if k != "include"}


class Equal(Folder):
    """What means the same is no change."""

    def test_a_spec_and_itself(self) -> None:
        for path in (SHIPPED, SECOND, FRAGMENT):
            spec, _ = load_spec(str(path), fragment=True)
            assert spec
            self.assertEqual(compared(spec, spec), [])
            self.assertEqual(compared(spec, copy.deepcopy(spec)), [])
            self.assertEqual(compared_in_views(*[lambda view: load_spec(str(path), True, view)[0]] * 2), [])

    def test_written_otherwise(self) -> None:
        for path in (SHIPPED, SECOND, FRAGMENT):
            old, _ = load_spec(str(path), fragment=True)
            new = self.load(self.tree(path))
            assert old and new
            self.assertEqual(compared(old, new), [])

    def test_in_another_order(self) -> None:
        def shuffled(value: Any) -> Any:
            if isinstance(value, dict):
                items = [(k, shuffled(v)) for k, v in value.items()]
                rng.shuffle(items)
                return dict(items)
            return [shuffled(v) for v in value] if isinstance(value, list) else value

        rng = random.Random(3)
        for path in (SHIPPED, SECOND, FRAGMENT):
            tree = self.tree(path)
            old = self.load(tree)
            for n in range(4):
                with self.subTest(path.name, n=n):
                    new = self.load(ordered(shuffled(tree), tree))
                    assert old and new
                    self.assertEqual([str(f) for f in compared(old, new)], [])


def ordered(shuffled: Any, tree: Any) -> Any:
    """Answers keep their order: it is that of a function's arguments."""
    if isinstance(shuffled, dict):
        out = {k: ordered(v, tree[k]) for k, v in shuffled.items()}
        if "response" in out and isinstance(out["response"], dict):
            out["response"] = {k: out["response"][k] for k in tree["response"]}
        return out
    return [ordered(a, b) for a, b in zip(shuffled, tree)] if isinstance(shuffled, list) else shuffled


class Remembered:
    """The trees of the specs compared last: each is compared in two directions, many with the same old ones."""

    def __init__(self) -> None:
        self.trees: dict[int, tuple[Spec, Node]] = {}       # with what keeps the id

    def __call__(self, spec: Spec) -> Node:
        kept = self.trees.pop(id(spec)) if id(spec) in self.trees else (spec, described(spec))
        tree = kept[1]
        self.trees[id(spec)] = kept
        if len(self.trees) > 32:
            del self.trees[next(iter(self.trees))]
        return tree


class Unsound(Exception):
    """A mutant that is a spec, but not in every view."""


class Mutations(Folder):
    FOUND = 2       # mutants that are specs, at each place of the schema
    TRIED = {"tiny": 20}    # mutants tried there: most in BASE, which has every key
    SHIPPED_SITES = 30

    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch("atspec.diff.described", Remembered())
        patch.start()
        self.addCleanup(patch.stop)
        self.narrowed: dict[tuple[int, str], tuple[Spec, Optional[Spec]]] = {}     # with what keeps the id
        self.meanings: dict[int, tuple[Spec, Any]] = {}

    def views(self, old: Spec, new: Spec, site: Site) -> list[tuple[Spec, Spec]]:
        """The specs, whole and then in all views; whole is enough for what no view depends on."""
        pairs = [(old, new)]
        for view in common_views(old, new) if site.dated else ():
            if (id(old), view) not in self.narrowed:
                self.narrowed[id(old), view] = old, self.at(view, "old/spec.yaml")
            _, old_view = self.narrowed[id(old), view]
            new_view = self.at(view) if old_view else None
            if not old_view or not new_view:
                raise Unsound
            pairs.append((old_view, new_view))
        return pairs

    def meaning(self, spec: Spec) -> Any:
        """Kept for the specs that others are compared with."""
        if not spec.files[0].endswith("old/spec.yaml"):
            return meaning(spec)
        if id(spec) not in self.meanings:
            self.meanings[id(spec)] = spec, meaning(spec)
        return self.meanings[id(spec)][1]

    def check(self, pairs: list[tuple[Spec, Spec]], site: Site) -> list[Finding]:
        found = compared(*pairs[0])
        if len(pairs) > 1:
            olds, news = ({at.name if at else None: p[i] for p in pairs for at in [p[i].view]} for i in (0, 1))
            found = compared_in_views(olds.__getitem__, news.__getitem__)
        same = all(self.meaning(a) == self.meaning(b) for a, b in pairs)
        reported = [(f.rule.id, f.path) for f in found]
        self.assertEqual(found == [], same, f"{'nothing' if same else 'something'} changed, found {reported}")
        if found:
            self.assertTrue({f.rule.category for f in found} & site.category, f"{reported}, none of {site.category}")
        for finding in found:
            self.assertTrue(finding.message and finding.path)
        self.assertEqual(len(reported), len(set(reported)), "two findings of a rule at one path")
        return found

    def check_source(self, old: Counter[str], new: Spec, found: list[Finding]) -> None:
        """SOURCE is what the header declares."""
        lines = declarations(new)
        if lines != old:
            self.assertTrue(any(f.rule.category == SOURCE for f in found), f"{dict(lines - old)} {dict(old - lines)}")
        # These don't show in a declaration.
        unseen = {"S116", "S127", "S145", "S152", "S170", "S180", "S181"}
        seen = [f for f in found if f.rule.category == SOURCE and f.rule.id not in unseen and not f.views]
        if lines == old:
            self.assertEqual([(f.rule.id, f.path) for f in seen], [])

    def sites(self, tree: Any, rng: random.Random) -> list[Site]:
        sites = [s for s in SITES.sites(tree, SITES.root) if s.name not in FIXED and s.holder not in FIXED]
        rng.shuffle(sites)
        return sites

    def try_out(self, old: Spec, header: Counter[str], site: Site, what: str, mutant: Any) -> bool:
        """Whether the mutant is a spec, and one that differs."""
        new = self.load(mutant)
        found = []
        with self.subTest(old.title, at=".".join(map(str, site.path)), what=what), contextlib.suppress(LowerError, Unsound):
            pairs = self.views(old, new, site) if new else []
            found = self.check(pairs, site) if pairs else []
            if found:
                self.check([(b, a) for a, b in pairs], site)
            if new and found and old.module and new.module == old.module:
                self.check_source(header, new, found)
        return bool(found)

    def test_every_key(self) -> None:
        covered = Counter[tuple[str, str]]()
        pairs = changed_by_pairs() | set(TOGETHER)
        for tree in (self.read(BASE), self.tree(SECOND), self.tree(FRAGMENT), self.tree(SHIPPED)):
            rng = random.Random(26)
            old = self.load(tree, "old/spec.yaml")
            assert old
            header = declarations(old) if old.module else Counter()
            sites = self.sites(tree, rng)
            if old.module == "bc26":    # it is large: for what is left
                sites = [s for s in sites if not covered[s.key] and s.key not in pairs]
            mutator, found_at, tried = Mutator(rng, tree, sites), Counter[Any](), Counter[Any]()
            for site in sites:
                place = (site.holder, site.name, site.kind)
                for what, mutant in mutator.mutants(site):
                    if found_at[place] >= (1 if site.kind == "absent" else self.FOUND) or tried[place] >= self.TRIED.get(old.module, 5):
                        break
                    found = self.try_out(old, header, site, what, mutant)
                    covered[site.key] += found
                    found_at[place] += found
                    tried[place] += 1
        aside = {(holder, key) for holder, key in SITES.keys() if key in FIXED | HOLDERS}
        self.assertEqual(SITES.keys() - set(+covered) - pairs - aside, set(), "keys that no mutant changed")

    def test_together(self) -> None:
        base = self.read(BASE)
        old = self.load(base, "old/spec.yaml")
        assert old
        for key, change in TOGETHER.items():
            tree = changed(base, change)
            path = next(iter(change)).split("/")
            site = next(s for s in SITES.sites(tree, SITES.root) if list(map(str, s.path)) == path)
            self.assertEqual(site.key, key)
            self.assertTrue(self.try_out(old, declarations(old), site, "changes", tree), key)

    def test_the_shipped_spec(self) -> None:
        rng, tree = random.Random(27), self.tree(SHIPPED)
        old = self.load(tree, "old/spec.yaml")
        assert old
        header, sites = declarations(old), self.sites(tree, rng)
        mutator, found = Mutator(rng, tree, sites), 0
        for site in sites[:self.SHIPPED_SITES]:
            for what, mutant in mutator.mutants(site):
                if self.try_out(old, header, site, what, mutant):
                    found += 1
                    break
        self.assertGreater(found, self.SHIPPED_SITES // 3)


if __name__ == "__main__":
    unittest.main()
