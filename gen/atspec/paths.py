"""Stable paths of a spec's nodes: commands.QIRD.lines.QIRD.payload.

A step is a key of a mapping or the name of a list's item: a text is its own
name, a mapping goes by what identifies it (its title, line, ...), and what
has neither, or repeats a name, by its number. Names may hold dots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Iterator, Optional, Union

from .diag import nearest
from .load import Node, Source

IDENTIFYING = ("title", "final", "line", "choose")
ROOT = "."          # the path of the whole spec

Steps = tuple[str, ...]


@dataclass
class Place:
    """Where a node is: `owner` holds it under `key`, or at this index."""

    steps: Steps
    owner: Optional[Node]
    key: Union[str, int]
    node: Node

    def remove(self) -> None:
        assert self.owner
        if isinstance(self.key, int):
            del self.owner.items[self.key]
        else:
            del self.owner.entries[self.key], self.owner.keys[self.key]

    def replace(self, node: Node) -> None:
        assert self.owner
        if isinstance(self.key, int):
            self.owner.items[self.key] = node
        else:
            self.owner.entries[self.key] = node


def dotted(steps: Iterable[str]) -> str:
    return ".".join(steps)


def item_name(node: Node) -> str:
    """What a list's item is called, or ''."""
    if node.kind != "map":
        return "" if node.value is None else str(node.value)
    return next((node.text(k) for k in IDENTIFYING if node.get(k)), "")


def item_names(node: Node) -> list[str]:
    names: list[str] = []
    for i, item in enumerate(node.items):
        name = item_name(item)
        names.append(name if name and name not in names else str(i))
    return names


def children(place: Place) -> list[Place]:
    node = place.node
    if node.kind == "list":
        return [Place(place.steps + (name,), node, i, node.items[i]) for i, name in enumerate(item_names(node))]
    return [Place(place.steps + (key,), node, key, child) for key, child in node.entries.items()]


def walk(root: Node) -> Iterator[Place]:
    """Every node below this one, each before what it holds."""
    todo = children(Place((), None, "", root))[::-1]
    while todo:
        place = todo.pop()
        yield place
        if place.node.kind in ("map", "list"):
            todo += children(place)[::-1]


def roots(sources: list[Source]) -> list[Node]:
    """The spec, then what it includes."""
    return [s.root for s in sources[::-1]]


def find(sources: list[Source], path: str) -> Optional[Place]:
    """What a path leads to, in the spec or else in what it includes."""
    for root in roots(sources):
        found = _find(Place((), None, "", root), path)
        if found:
            return found
    return None


def _find(place: Place, path: str) -> Optional[Place]:
    if path in ("", ROOT):
        return place
    node = place.node
    for i, name in enumerate(item_names(node) if node.kind == "list" else node.entries):
        if f"{path}.".startswith(name + "."):
            inner = (Place(place.steps + (name,), node, i, node.items[i]) if node.kind == "list"
                     else Place(place.steps + (name,), node, name, node.entries[name]))
            found = _find(inner, path[len(name) + 1:])
            if found:
                return found
    return None


def hint(sources: list[Source], path: str) -> str:
    """The path most like one that leads nowhere: the same up to one step, if there is such."""
    known = [dotted(p.steps) for root in roots(sources) for p in walk(root)]
    start = path
    while "." in start:
        start = start.rpartition(".")[0]
        below = [k for k in known if k.startswith(start + ".") and k.count(".") <= path.count(".")]
        if below and nearest(path, below):
            return nearest(path, below)
        if start in known:
            break
    return nearest(path, known)
