"""What revisions and firmware have, and had otherwise, for the manual to tell.

Nothing here reads `since` or `was`: a spec is held against itself in each of its views.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any, Callable, Hashable, Iterable, Iterator, Mapping

from .availability import numbers_of
from .model import Spec
from .rich import Rich, joined, plain, say

Told = Callable[[Any], list[Rich]]      # what the manual says of a node


@dataclass
class Column:
    """Views that follow one another and have the same."""

    device: str                 # "" of revisions
    label: str
    gone: dict[str, str]        # path -> why


class History:
    def __init__(self, spec: Spec, narrowed: Mapping[str, Spec]) -> None:
        self.narrowed = narrowed
        self.scales: dict[str, list[str]] = {}      # the views of each device; "": the revisions
        for name in narrowed:
            self.scales.setdefault(device_of(spec, name), []).append(name)
        self.nodes: dict[str, dict[str, Any]] = {name: nodes(of) for name, of in narrowed.items()}

    def gone(self, name: str) -> dict[str, str]:
        view = self.narrowed[name].view
        return view.gone if view else {}

    def whys(self, path: str) -> list[str]:
        """Why views don't have a node: came with V1.1"""
        return list(dict.fromkeys(self.gone(name)[path] for name in self.narrowed if path in self.gone(name)))

    def runs(self, scale: str, key: Callable[[str], Hashable]) -> Iterator[tuple[str, str]]:
        """The first of the views that follow one another and are alike, and what to call them."""
        views = self.scales[scale]
        for _, found in groupby(views, key):
            run = list(found)
            if not scale and len(run) == 1 or run == views:
                label = run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}"
            elif run[0] == views[0]:
                label = f"up to {run[-1]}"
            elif run[-1] == views[-1]:
                label = f"from {run[0]}"
            else:
                label = run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}"
            yield run[0], label

    def columns(self) -> list[Column]:
        """Every revision; of a device's firmware, those that differ."""
        return [Column(device, label, self.gone(name)) for device in self.scales
                for name, label in self.runs(device, lambda n: tuple(self.gone(n)) if device else n)]

    def cells(self, path: str, columns: Iterable[Column]) -> list[str]:
        """yes or no, or "" where revisions, or a device's firmware, have no say."""
        decides = {device for device, names in self.scales.items() if any(path in self.gone(n) for n in names)}
        return ["" if c.device not in decides else "no" if path in c.gone else "yes" for c in columns]

    def former(self, path: str, now: Any, told: Told) -> list[Rich]:
        """What else was said of a node, and where."""
        found: dict[tuple[Rich, ...], list[str]] = {}
        for scale in self.scales:
            for name, label in self.runs(scale, lambda n: difference(self.nodes[n].get(path, now), now, told)):
                then = difference(self.nodes[name].get(path, now), now, told)
                if then:
                    found.setdefault(then, []).append(label)
        out = []
        for then, labels in found.items():
            where = ", ".join(labels)
            out += [say(where[:1].upper() + where[1:], ": ", *sentence, "" if plain(sentence)[-1:] in ".:" else ".")
                    for sentence in then]
        return out


def difference(then: Any, now: Any, told: Told) -> tuple[Rich, ...]:
    """The sentences that were other ones, or weren't there."""
    if then is now:
        return ()
    old, new = told(then), told(now)
    out: list[Rich] = []
    for kind, a, b, c, d in SequenceMatcher(None, [plain(s) for s in old], [plain(s) for s in new], False).get_opcodes():
        if kind in ("replace", "delete"):
            out += [tuple(span._replace(to="") for span in s) for s in old[a:b]]    # what it led to may be gone
        elif kind == "insert":
            out.append(say("without ", joined([say("“", *s, "”") for s in new[c:d]])))
    return tuple(out)


def device_of(spec: Spec, view: str) -> str:
    return "" if view in spec.revisions else next(s.device for s in spec.series if numbers_of(s.pattern, view))


def nodes(spec: Spec) -> dict[str, Any]:
    """What the manual describes, by its path."""
    fields = [f for form in spec.forms for f in form.syntax.fields] + [f for line in spec.lines for f in line.fields]
    return {**{f.param.path: f.param for f in fields if f.param},
            **{f"commands.{c.name}": c for c in spec.commands},
            **{ln.path: ln for ln in spec.lines}, **{f.path: f for f in spec.forms},    # a test and its answer are one node
            **{f"values.{t.name}": t for t in spec.values},
            **{f"values.{t.name}.entries.{v.key}": v for t in spec.values for v in t.entries},
            **{f"settings.{s.name}": s for s in spec.settings},
            **{f"examples.{e.title}": e for e in spec.examples}}
