"""What can't be without a node that an overlay removes: what refers to it goes, or
becomes what it was before; and what only it needed.

Works on the nodes of the YAML. References are told by where they stand, so that
this holds for whatever a spec says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator, Optional

from . import paths
from .availability import FIELD, SHORTHANDS, names_at, revert, sections, uncovered
from .load import Node, Source
from .paths import Place, Steps, dotted

FORMS = (*SHORTHANDS, "forms")
EMPTY = {"forms", "lines", "parameters", "rules", "start", "barrier", "coverage", "examples", "was"}    # no use without items


Went = tuple[str, list[tuple[str, str]]]    # the path, and what references call it


@dataclass
class Gone:
    """All that a removal takes along."""

    paths: set[str] = field(default_factory=set)
    names: set[tuple[str, str]] = field(default_factory=set)    # ("form", "QIRD.set")
    texts: set[str] = field(default_factory=set)                # of lines and syntaxes

    def note(self, place: Place) -> None:
        below = [Place(place.steps + p.steps, p.owner, p.key, p.node) for p in paths.walk(place.node)]
        self.names.update(names_at(place))
        for p in [place, *below]:
            self.paths.add(dotted(p.steps))
            if p.steps[-1] in ("line", "syntax"):
                self.texts.add(str(p.node.value))

    def has(self, kind: str, node: Node) -> bool:
        return (kind, str(node.value)) in self.names


@dataclass
class Uses:
    """What the forms, lines and settings of a spec name."""

    lines: set[str] = field(default_factory=set)
    params: set[tuple[str, str]] = field(default_factory=set)   # (command or "", name)
    tables: set[str] = field(default_factory=set)


def remove(sources: list[Source], place: Place) -> list[Went]:
    """Take a node out, and all that can't be without it."""
    return _Cascade(sources).run(place)


class _Cascade:
    def __init__(self, sources: list[Source]) -> None:
        self.sources = sources
        self.gone = Gone()
        self.went: list[Went] = []

    def run(self, place: Place) -> list[Went]:
        before, covered = self.uses(), [sections(root) for root in paths.roots(self.sources)]
        self.take(place)
        while self.step(before):
            pass
        for root, had in zip(paths.roots(self.sources), covered):
            uncovered(root, had)
        return self.went

    def take(self, place: Place) -> None:
        self.gone.note(place)
        self.went.append((dotted(place.steps), names_at(place)))
        place.remove()

    def places(self) -> Iterator[Place]:
        for root in paths.roots(self.sources):
            yield from paths.walk(root)

    def step(self, before: Uses) -> bool:
        """One change; False when there is none left to make."""
        for place in self.places():
            if self.reverted(place):
                return True
            victim = self.victim(place)
            if victim:
                self.take(victim)
                return True
        orphan = self.orphan(before, self.uses())
        if orphan:
            self.take(orphan)
        return orphan is not None

    def at(self, steps: Steps) -> Place:
        found = paths.find(self.sources, dotted(steps))
        assert found
        return found

    # what refers to it

    def reverted(self, place: Place) -> bool:
        """What a node was before the one that is gone, it is again."""
        if place.steps[-1] != "was" or not place.owner:
            return False
        for i, entry in enumerate(place.node.items):
            bound = entry.get("before")
            if bound and bound.kind == "str" and bound.value in self.gone.paths:
                revert(place.owner, entry)
                del place.node.items[i]
                return True
        return False

    def victim(self, place: Place) -> Optional[Place]:
        """What has to go because of what stands at a place."""
        steps, node, gone = place.steps, place.node, self.gone
        if steps[0] == "examples" and self.in_example(place):
            return self.at(steps[:2])
        if node.kind in ("map", "list"):
            return place if steps[-1] in EMPTY and not (node.entries or node.items) else None
        if steps[-1] == "since" and node.value in gone.paths:
            return self.at(steps[:-1])
        match steps:
            case ("settings", name, "read_by") if gone.has("form", node):
                refused = paths.find(self.sources, f"settings.{name}.when_refused")
                return refused or place
            case ("session", *_) if gone.has("form", node):
                return place
            case ("coverage", _, "by") if node.value in gone.paths:
                return self.at(steps[:2])
            case (*_, "rules", _, "choose" | "over") if self.decided(node):
                return self.at(steps[:-1])
            case ("commands", *_):
                return self.form_without(place)
        return None

    def in_example(self, place: Place) -> bool:
        return any(self.gone.names & {("form", s), ("line", s), ("final", s)}
                   for i, s in enumerate(place.steps) if place.steps[i - 1] == "is")

    def decided(self, node: Node) -> bool:
        return node.value in self.gone.texts or self.gone.has("line", node) or self.gone.has("form", node)

    def form_without(self, place: Place) -> Optional[Place]:
        """The form that needs a line which is gone."""
        steps = place.steps
        form = 4 if steps[2:3] == ("forms",) else 3
        if steps[2:3] == ("lines",) or len(steps) <= form:
            return None
        rest = steps[form:]
        line = rest[0] == "response" and len(rest) == 2 and ("line", rest[1]) in self.gone.names
        then = rest[0] == "then" and rest[-1] in ("line", "final") and self.gone.has(rest[-1], place.node)
        return self.at(steps[:form]) if line or then else None

    # what only it needed

    def uses(self) -> Uses:
        out = Uses()
        for place in self.places():
            steps, node = place.steps, place.node
            if "was" in steps[:-1] or steps[0] == "examples":
                continue
            if steps[-2:-1] == ("response",):
                out.lines.add(steps[-1])
            if steps[-1] == "line" and "then" in steps:
                out.lines.add(str(node.value))
            elif steps[-1] in ("line", "syntax"):
                out.params |= {self.meant(steps, name) for name in FIELD.findall(str(node.value))}
            elif steps[-1] == "per":
                out.params.add(("", str(node.value)))
            elif steps[-1] == "values" and node.kind == "str":
                out.tables.add(str(node.value))
        return out

    def meant(self, steps: Steps, name: str) -> tuple[str, str]:
        """The parameter that a line means: the command's own, or everybody's."""
        own = steps[0] == "commands" and paths.find(self.sources, f"commands.{steps[1]}.parameters.{name}")
        return (steps[1] if own else "", name)

    def orphan(self, before: Uses, now: Uses) -> Optional[Place]:
        """What something named before, and nothing names now."""
        for place in self.places():
            match place.steps:
                case ("commands", _, "lines", line) if line in before.lines - now.lines:
                    return place
                case ("commands", command, "parameters", name) if (command, name) in before.params - now.params:
                    return place
                case ("parameters", name) if ("", name) in before.params - now.params:
                    return place
                case ("values", name) if name in before.tables - now.tables and not place.node.get("section"):
                    return place
                case ("commands", _) if not any(place.node.get(k) for k in FORMS):
                    return place
        return None
