"""Read spec files: YAML without its traps, with the place of every node."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator, Optional, Union

import jsonschema
import yaml

from .diag import Report, nearest
from .model import Mark

SPECS = Path(__file__).resolve().parents[2] / "spec"
SCHEMA = SPECS / "atspec.schema.json"
PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 40        # no spec nests deeper; bounds the recursion over nodes
ROOT_ONLY = ("module", "source", "devices", "revisions", "defaults", "examples", "coverage")

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
# What some YAML reader takes for a number or a date though it reads as a text.
_NUMBER_LIKE = re.compile(r"""
    [-+]?[0-9][0-9_]*                           # +5, 010, 1_000, too large
  | [-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?
  | [-+]?[0-9]+[eE][-+]?[0-9]+
  | [-+]?0[xob][0-9a-fA-F_]+
  | [-+]?\.(inf|Inf|INF) | \.(nan|NaN|NAN)
  | [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?  # sexagesimal
  | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt\ \t].*)?   # date
""", re.X)
_BOOLEAN_LIKE = {"yes", "no", "on", "off", "y", "n", "true", "false"}
_NULLS = {"", "~", "null", "Null", "NULL"}


@dataclass
class Node:
    """A YAML node: `value` of a scalar, `items` of a list, `entries` of a map."""

    kind: str                               # map list str int bool null, bad: reported
    mark: Mark
    value: Union[str, int, bool, None] = None
    items: list["Node"] = field(default_factory=list)
    entries: dict[str, "Node"] = field(default_factory=dict)
    keys: dict[str, "Node"] = field(default_factory=dict)
    inset: int = -1                         # columns before the text; -1: unknown

    def get(self, key: str) -> Optional["Node"]:
        return self.entries.get(key)

    def text(self, key: str, default: str = "") -> str:
        node = self.get(key)
        return str(node.value) if node else default

    def pairs(self, key: str) -> Iterator[tuple[str, "Node"]]:
        """The entries of a mapping below this one that may be absent."""
        node = self.get(key)
        return iter(node.entries.items() if node else ())

    def list(self, key: str) -> list["Node"]:
        node = self.get(key)
        return node.items if node else []

    def at(self, offset: int) -> Mark:
        """The place of a character of a scalar that fits on one line."""
        if self.inset < 0:
            return self.mark
        return Mark(self.mark.file, self.mark.line, self.mark.column + self.inset + offset)

    def plain(self) -> Any:
        if self.kind == "map":
            return {k: v.plain() for k, v in self.entries.items()}
        return [v.plain() for v in self.items] if self.kind == "list" else self.value


@dataclass
class Source:
    """One spec file."""

    path: str
    content: bytes
    root: Node
    includes: list["Source"] = field(default_factory=list)


class _Composer:
    """Builds nodes from YAML events; iterative, since input may nest deeply."""

    def __init__(self, path: str, report: Report) -> None:
        self.path, self.report = path, report
        self.stack: list[tuple[Node, Optional[Node]]] = []  # collection, pending key
        self.root: Optional[Node] = None
        self.documents = 0

    def mark(self, at: yaml.Mark) -> Mark:
        return Mark(self.path, at.line + 1, at.column + 1)

    def run(self, text: str) -> Optional[Node]:
        for event in yaml.parse(text, Loader=PARSER):   # type: ignore[no-untyped-call]
            mark = self.mark(event.start_mark)
            if isinstance(event, yaml.DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    self.report.add("E004", mark, "a second YAML document in the file")
                    return self.root
            elif isinstance(event, yaml.AliasEvent):
                self.report.add("E008", mark, f"alias `*{event.anchor}`")
                self.place(Node("bad", mark))
            elif isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)):
                self.refuse_properties(event, mark)
                if isinstance(event, yaml.ScalarEvent):
                    self.place(self.scalar(event, mark))
                else:
                    kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
                    self.stack.append((Node(kind, mark), None))
                    if len(self.stack) > DEEPEST:
                        self.report.add("E003", mark, "the nodes nest too deeply")
                        return None
            elif isinstance(event, yaml.CollectionEndEvent):
                self.place(self.stack.pop()[0])
        return self.root

    def refuse_properties(self, event: Any, mark: Mark) -> None:
        if event.anchor:
            self.report.add("E008", mark, f"anchor `&{event.anchor}`")
        if event.tag:
            self.report.add("E008", mark, f"tag `{event.tag}`")

    def place(self, node: Node) -> None:
        """Put a finished node where it belongs."""
        if not self.stack:
            self.root = node
            return
        parent, key = self.stack[-1]
        if parent.kind == "list":
            parent.items.append(node)
        elif key is None:
            self.stack[-1] = (parent, self.key(parent, node))
        else:
            name = str(key.value)
            parent.entries[name] = node
            parent.keys[name] = key
            self.stack[-1] = (parent, None)

    def key(self, parent: Node, key: Node) -> Node:
        if key.kind not in ("str", "int", "bad"):
            self.report.add("E012", key.mark, "a key must be a word or a number")
            return Node("str", key.mark, f"?{key.mark.line}:{key.mark.column}")
        if key.value == "<<" and key.inset == 0:
            self.report.add("E008", key.mark, "merge key `<<`")
        name = str(key.value)
        if name in parent.keys:
            first = parent.keys[name].mark.line
            self.report.add("E005", key.mark, f"the key `{name}` stands in line {first} already")
        return key

    def scalar(self, event: yaml.ScalarEvent, mark: Mark) -> Node:
        text = event.value
        if any("\ud800" <= c <= "\udfff" for c in text):
            self.report.add("E003", mark, "half of a surrogate pair")
        if event.style in ("'", '"'):
            length = event.end_mark.column - event.start_mark.column
            same = event.start_mark.line == event.end_mark.line and length == len(text) + 2
            return Node("str", mark, text, inset=1 if same else -1)
        if event.style in ("|", ">"):
            return Node("str", mark, text)
        return self.plain_scalar(text, mark)

    def plain_scalar(self, text: str, mark: Mark) -> Node:
        if text in ("true", "false"):
            return Node("bool", mark, text == "true")
        if _INTEGER.fullmatch(text):
            return Node("int", mark, int(text))
        if text in _NULLS:
            return Node("null", mark)
        if text.lower() in _BOOLEAN_LIKE:
            self.report.add("E006", mark, f"`{text}` is a boolean to some YAML readers")
            return Node("bad", mark, text)
        if _NUMBER_LIKE.fullmatch(text):
            self.report.add("E007", mark, f"`{text}` is no plain integer",
                            f"write '{text}' in quotes if it is a text; integers are plain decimal digits")
            return Node("bad", mark, text)
        return Node("str", mark, text, inset=0)


def compose(path: str, content: bytes, report: Report) -> Optional[Node]:
    """The root mapping of a file, or None with a diagnostic."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = content.count(b"\n", 0, e.start) + 1
        column = e.start - content.rfind(b"\n", 0, e.start)
        report.add("E002", Mark(path, line, column), f"byte 0x{content[e.start]:02x} isn't UTF-8")
        return None
    bad = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if bad:
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        report.add("E003", Mark(path, line, column), f"control character U+{ord(bad.group()):04X}")
        return None
    composer = _Composer(path, report)
    try:
        root = composer.run(text)
    except yaml.MarkedYAMLError as e:
        # An open quote is noticed at the end of the file, but wrong where it opens.
        scanning = e.context_mark and (e.context or "").startswith("while scanning")
        at = e.context_mark if scanning else e.problem_mark or e.context_mark
        place = composer.mark(at) if at else Mark(path, 1, 1)
        report.add("E003", place, " ".join(str(t) for t in (e.context, e.problem) if t))
        return None
    if root is None or root.kind != "map":
        if not any(d.file == path for d in report.found):
            place = root.mark if root else Mark(path, 1, 1)
            what = "the file is empty" if root is None or root.kind == "null" else "the file isn't a mapping"
            report.add("E004", place, what)
        return None
    return root


class _Loader:
    def __init__(self, report: Report) -> None:
        self.report = report
        self.done: dict[str, Optional[Source]] = {}     # by real path
        self.order: list[Source] = []

    def load(self, path: str, chain: tuple[str, ...]) -> Optional[Source]:
        real = os.path.realpath(path)
        if real not in self.done:
            self.done[real] = None
            content = Path(path).read_bytes()
            root = compose(path, content, self.report)
            if root is None:
                return None
            source = Source(path, content, root)
            self.done[real] = source
            for node in self.include_nodes(root):
                self.include(source, node, chain + (real,))
            self.order.append(source)
        return self.done[real]

    @staticmethod
    def include_nodes(root: Node) -> list[Node]:
        # Before the schema has spoken: take only what can be a path.
        return [n for n in root.list("include") if n.kind == "str" and n.value]

    def include(self, source: Source, node: Node, chain: tuple[str, ...]) -> None:
        path = included_path(source.path, str(node.value))
        try:
            if os.path.realpath(path) in chain:
                self.report.add("E009", node.mark, f"`{node.value}` leads back to itself")
                return
            included = self.load(path, chain)
        except (OSError, ValueError) as e:
            reason = getattr(e, "strerror", None) or "not a path"
            self.report.add("E001", node.mark, f"can't read `{node.value}`: {reason}",
                            "looked for beside this file, then among atspec's own specs")
            return
        if included and included not in source.includes:
            source.includes.append(included)


def included_path(includer: str, name: str) -> str:
    """Beside who includes it; else that of atspec's own, as common/v250.yaml, wherever atspec is installed."""
    beside = os.path.normpath(os.path.join(os.path.dirname(includer), name))
    own = os.path.normpath(SPECS / name)
    return own if not os.path.lexists(beside) and os.path.isfile(own) and not os.path.isabs(name) else beside


def load(path: str, report: Report) -> list[Source]:
    """A spec and what it includes, included files first. May raise OSError."""
    loader = _Loader(report)
    spec = loader.load(path, ())
    if spec and spec.root.get("overlay") and not spec.root.get("title"):
        report.add("E110", spec.root.mark, "this is an overlay, not a spec",
                   f"check it with the spec that it amends: atspec check SPEC --overlay {path}")
        return loader.order
    schema = validator()
    for source in loader.order:
        validate(source.root, schema, report)
        if source.path != path:
            for key in ROOT_ONLY:
                if key in source.root.keys:
                    report.add("E014", source.root.keys[key].mark, f"`{key}` in an included file")
    return loader.order


# --- the JSON Schema, with errors a person can act on ---

_validators: dict[Path, jsonschema.Draft7Validator] = {}
_TYPES = {"object": "a mapping", "array": "a list", "string": "a text",
          "integer": "a number", "boolean": "true or false"}
_KINDS = {"map": "a mapping", "list": "a list", "str": "a text", "int": "a number",
          "bool": "a boolean", "null": "empty"}


def validator(path: Path = SCHEMA) -> jsonschema.Draft7Validator:
    if path not in _validators:
        schema = json.loads(path.read_text("utf-8"))
        _validators[path] = jsonschema.Draft7Validator(_resolved(schema, schema.get("definitions", {}), {}))
    return _validators[path]


def _resolved(schema: Any, definitions: dict[str, Any], done: dict[str, Any]) -> Any:
    """A schema with each definition in the place of its name: looking names up takes most of the time.

    None of them is recursive. Beside a name may stand a description, which is nearer.
    """
    if isinstance(schema, list):
        return [_resolved(s, definitions, done) for s in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        name = schema["$ref"].rpartition("/")[2]
        if name not in done:
            done[name] = _resolved(definitions[name], definitions, done)
        return {**done[name], **{k: v for k, v in schema.items() if k == "description"}}
    return {k: _resolved(v, definitions, done) for k, v in schema.items() if k != "definitions"}


_sound: set[tuple[int, bytes]] = set()      # what was found sound, by its validator: every view reads the same files


def validate(root: Node, schema: jsonschema.Draft7Validator, report: Report) -> None:
    """`schema` has to live as long as the program does."""
    plain = root.plain()
    known = id(schema), hashlib.sha256(json.dumps(plain).encode()).digest()
    if known in _sound:
        return
    errors = list(schema.iter_errors(plain))
    for error in errors:
        _schema_error(error, root, report)
    if not errors:
        _sound.add(known)


def _find(root: Node, path: Any) -> tuple[Node, str, Mark]:
    """The node at a path, what to call it, and where to point."""
    node, name, mark = root, "the spec", root.mark
    for step in path:
        if isinstance(step, int):
            node, name = node.items[step], f"item {step + 1} of {name}"
            mark = node.mark
        else:
            # A mapping begins where its first key does: point to its own key.
            key, node, name = node.keys[step], node.entries[step], f"`{step}`"
            mark = key.mark if node.kind in ("map", "list", "null") else node.mark
    return node, name, mark


def _schema_error(error: Any, root: Node, report: Report) -> None:
    node, name, mark = _find(root, error.absolute_path)
    if node.kind == "bad":
        return
    if "propertyNames" in list(error.absolute_schema_path)[-3:]:
        key = str(error.instance)
        report.add("E013", node.keys[key].mark, f"`{key}` can't be a key of {name}", _expected(error.schema))
        return
    if error.validator == "anyOf" and _chosen(error):
        for sub in _chosen(error):
            _schema_error(sub, root, report)
        return
    code, message, hint = "E013", f"{name} can't be {_shown(node)}", _expected(error.schema)
    if error.validator == "additionalProperties":
        _unknown_keys(error, node, name, report)
        return
    if error.validator in ("required", "dependencies"):
        keys = re.findall(r"'([^']*)'", error.message)
        missing = keys[0] if keys else "?"
        code, message = "E011", f"{name} has no `{missing}`"
        hint = _expected(error.schema.get("properties", {}).get(missing, {}))
    elif error.validator == "oneOf":
        keys = [s["required"][0] for s in error.validator_value]
        code, message, hint = "E011", f"{name} needs exactly one of {', '.join(f'`{k}`' for k in keys)}", ""
    elif error.validator == "type":
        code, message, hint = "E012", *_wrong_type(error, node, name)
    elif error.validator == "enum":
        words = [str(w) for w in error.validator_value]
        hint = nearest(str(node.value), words) or f"one of: {', '.join(words)}"
    report.add(code, mark, message, hint)


def _unknown_keys(error: Any, node: Node, name: str, report: Report) -> None:
    known = error.schema.get("properties", {})
    for key in node.entries:
        if key not in known:
            report.add("E010", node.keys[key].mark, f"unknown key `{key}` in {name}",
                       nearest(key, known) or f"known keys: {', '.join(sorted(known))}")


def _chosen(error: Any) -> list[Any]:
    """If a value's type points out one alternative, its errors say more."""
    branches: dict[int, list[Any]] = {}
    for sub in error.context:
        branches.setdefault(sub.schema_path[0], []).append(sub)
    fitting = [subs for subs in branches.values()
               if not any(not s.path and s.validator in ("type", "enum", "const") for s in subs)]
    if len(fitting) == 1 and any(s.path or s.validator == "additionalProperties" for s in fitting[0]):
        return fitting[0]
    return []


def _wrong_type(error: Any, node: Node, name: str) -> tuple[str, str]:
    wanted = error.validator_value
    wanted = wanted if isinstance(wanted, list) else [wanted]
    given = _KINDS[node.kind] if node.kind in ("map", "list", "null") else _shown(node)
    quote = "string" in wanted and node.kind in ("int", "bool")
    return (f"{name} must be {' or '.join(_TYPES[t] for t in wanted)}, not {given}",
            f"write '{_shown(node)[1:-1]}' in quotes" if quote else _expected(error.schema))


def _shown(node: Node) -> str:
    if node.kind in ("map", "list", "null"):
        return "empty" if not (node.entries or node.items) else _KINDS[node.kind]
    text = str(node.plain()).lower() if node.kind == "bool" else str(node.value)
    return f"`{text}`" if text else "empty"


def _expected(schema: Any) -> str:
    return str(schema.get("description", "")) if isinstance(schema, dict) else ""
