"""Overlays: files that amend a spec by the paths of its nodes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Optional

from . import cascade, paths
from .availability import names_at
from .diag import Report, nearest
from .load import SCHEMA, Node, Source, compose, validate, validator
from .model import Mark
from .paths import Place, dotted

OVERLAY_SCHEMA = SCHEMA.with_name("overlay.schema.json")
VERBS = ("add", "change", "remove")


@dataclass
class Overlay:
    path: str
    content: bytes
    root: Node

    @property
    def title(self) -> str:
        return self.root.text("overlay")


@dataclass
class Removal:
    """What an overlay took out: the path, where it says so, and what references call it."""

    path: str
    mark: Mark
    names: list[tuple[str, str]]


def read(path: str, report: Report) -> Optional[Overlay]:
    """An overlay by itself. May raise OSError."""
    content = Path(path).read_bytes()
    root = compose(path, content, report)
    if root is None:
        return None
    if not root.get("overlay") and root.get("title"):
        report.add("E110", root.mark, "this is a spec, not an overlay")
        return None
    validate(root, validator(OVERLAY_SCHEMA), report)
    return Overlay(path, content, root)


def amend(sources: list[Source], files: Iterable[str], report: Report) -> tuple[list[Overlay], list[Removal]]:
    """Apply overlays to a spec and what it includes, one after the other."""
    overlays: list[Overlay] = []
    removals: list[Removal] = []
    for path in files:
        overlay = read(path, report)
        if overlay is None or report.failed:
            break
        overlays.append(overlay)
        removals += _Amendment(sources, overlay, report).run()
    if overlays and not report.failed:
        for source in sources:
            validate(source.root, validator(), report)
    return overlays, removals


class _Amendment:
    def __init__(self, sources: list[Source], overlay: Overlay, report: Report) -> None:
        self.sources, self.overlay, self.report = sources, overlay, report
        self.removals: list[Removal] = []

    def run(self) -> list[Removal]:
        root, module = self.sources[-1].root, self.overlay.root.entries["module"]
        if module.value != root.text("module"):
            self.report.add("E110", module.mark, f"the overlay amends `{module.value}`, the spec is `{root.text('module')}`")
            return []
        for action in self.overlay.root.list("actions"):
            self.act(action)
        return self.removals

    def act(self, action: Node) -> None:
        at = action.entries["at"]
        verb = next(v for v in VERBS if action.get(v))
        place = paths.find(self.sources, str(at.value))
        if place is None:
            self.report.add("E038", at.mark, f"there is no `{at.value}` to {verb}" + (" to" if verb == "add" else ""),
                            paths.hint(self.sources, str(at.value)))
        elif place.steps[:1] == ("include",):   # resolved before there was anything to amend
            self.report.add("E112", at.mark, "what a spec includes can't be amended", "amend what it holds, by its path")
        elif verb == "remove":
            self.remove(place, at, action.entries[verb].value == "cascade")
        else:
            {"add": self.add, "change": self.change}[verb](place, action.entries[verb], at)

    def remove(self, place: Place, at: Node, cascading: bool) -> None:
        if place.owner is None:
            self.report.add("E112", at.mark, "the whole spec can't be removed")
            return
        if cascading:
            went = cascade.remove(self.sources, place)
        else:
            went = [(dotted(place.steps), names_at(place))]
            place.remove()
        self.removals += [Removal(path, at.mark, names) for path, names in went]

    def add(self, place: Place, what: Node, at: Node) -> None:
        node = place.node
        if node.kind != what.kind:
            self.report.add("E112", what.mark, f"`{at.value}` is {_kind(node)}, and {_kind(what)} can't be added to it")
        elif node.kind == "list":
            for item in what.items:
                name = paths.item_name(item)
                if name and name in paths.item_names(node):
                    self.report.add("E111", item.mark, f"`{at.value}` has `{name}` already")
                node.items.append(item)
        else:
            for key, value in what.entries.items():
                if key in node.entries:
                    first = node.keys[key].mark
                    into = f"add to what is there: `at: {at.value}.{key}`" if value.kind in ("list", "map") else ""
                    self.report.add("E111", what.keys[key].mark,
                                    f"`{at.value}` has `{key}` already, in {first.file}:{first.line}", into)
                self.put(node, key, what.keys[key], value)

    def change(self, place: Place, what: Node, at: Node) -> None:
        node = place.node
        if "map" not in (node.kind, what.kind):
            if (node.kind == "list") != (what.kind == "list") or place.owner is None:
                self.report.add("E112", what.mark, f"`{at.value}` is {_kind(node)} and can't become {_kind(what)}")
                return
            place.replace(what)
        elif node.kind != what.kind:
            self.report.add("E112", what.mark, f"`{at.value}` is {_kind(node)} and can't become {_kind(what)}",
                            "name the keys that change" if node.kind == "map" else "")
        else:
            for key, value in what.entries.items():
                if key not in node.entries:
                    self.report.add("E112", what.keys[key].mark, f"`{at.value}` has no `{key}` to change",
                                    nearest(key, node.entries) or "use `add` for what isn't there")
                self.put(node, key, what.keys[key], value)

    @staticmethod
    def put(node: Node, key: str, named: Node, value: Node) -> None:
        node.entries[key], node.keys[key] = value, named


def _kind(node: Node) -> str:
    return {"map": "a mapping", "list": "a list"}.get(node.kind, "a value")
