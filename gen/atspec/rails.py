"""Railroad diagrams of command lines, as SVG.

The layout is that of python3-railroad-diagrams; here a syntax is broken into rows
that fit a width.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Iterator, Optional

from markupsafe import Markup

from .model import Field, Form
from .words import byte_name

WIDE, NARROW = 784, 324     # of a page's column, and of a phone
PADDING = 2
SPACE = 20                  # what a row spends between two of its items
ENDS = 40                   # and a diagram at its beginning and end
RADIUS, SMALL = 10, 6       # of arcs; they take a third of a phone's width otherwise

try:
    import railroad
    railroad.INTERNAL_ALIGNMENT = "left"
except ImportError:         # the rest of the generator does without
    railroad = None

AVAILABLE = railroad is not None
MISSING = ("the diagrams need the Python module railroad. On Debian: "
           "apt-get install python3-railroad-diagrams; elsewhere: pip install railroad-diagrams")


@contextmanager
def arcs(radius: int) -> Iterator[None]:
    """The library's constants are its variables."""
    before, railroad.AR = railroad.AR, radius
    try:
        yield
    finally:
        railroad.AR = before


class Rails:
    def __init__(self, form: Form, to: Callable[[str], str], width: int) -> None:
        self.form, self.to, self.width = form, to, width

    def draw(self) -> str:
        syntax = self.form.syntax
        fields = list(syntax.fields)
        head = syntax.head if fields else syntax.text
        while fields and not fields[0].param and fields[0].group == 0:     # AT+NAME="word" is one text
            head += spelled(fields.pop(0)) + ("," if fields and not fields[0].group else "")
        room = self.width - 2 * PADDING - ENDS - SPACE
        row = [railroad.Terminal(head)] + self.items(fields, 0, room, bool(syntax.fields) and head[-1] not in "=,")
        data = self.data(room)
        items = self.rows(row, self.stacked(room) if data else room) + data
        diagram = railroad.Diagram(items[0] if len(items) == 1 else railroad.Stack(*items), css=None)
        del diagram.attrs["xmlns:xlink"]
        diagram.format(PADDING)
        diagram.attrs["role"] = "group"
        diagram.children.insert(0, railroad.DiagramItem("title", text=f"Railroad diagram of {syntax.text}"))
        svg: list[str] = []
        diagram.writeSvg(svg.append)
        return "".join(svg)

    def items(self, fields: list[Field], depth: int, room: int, comma: bool) -> list[Any]:
        """What stands in a row at this depth; the rest of the line, being optional, is one item."""
        out: list[Any] = []
        for i, f in enumerate(fields):
            if f.group > depth:
                inner = self.stacked(room) - 4 * railroad.AR     # it may come to stand in a row of its own
                rows = self.rows(self.items(fields[i:], f.group, inner, True), inner)
                return out + [railroad.Optional(rows[0] if len(rows) == 1 else railroad.Stack(*rows))]
            out.append(self.item(f, comma))
            comma = True
        return out

    def item(self, f: Field, comma: bool) -> Any:
        if not f.param:
            return railroad.Terminal("," * comma + spelled(f))
        shown = self.parameter(f.param.name)
        return railroad.Sequence(railroad.Comment(","), shown) if comma else shown

    def parameter(self, name: str) -> Any:
        item = railroad.NonTerminal(name)
        item.name, item.attrs["href"] = "a", "#" + self.to(name)
        return item

    def rows(self, items: list[Any], room: int) -> list[Any]:
        """One row if there is room for it; each of several has less."""
        if taken(items) > room:
            room = self.stacked(room)
        rows: list[list[Any]] = [[]]
        for item in items:
            if rows[-1] and taken(rows[-1] + [item]) > room:
                rows.append([])
            rows[-1].append(item)
        return [railroad.Sequence(*row) for row in rows]

    @staticmethod
    def stacked(room: int) -> int:
        """What is left to each of several rows."""
        return int(room - 2 * railroad.AR - SPACE)

    def data(self, room: int) -> list[Any]:
        """What is sent once the module prompts."""
        data = self.form.data
        if not data or data.source != "prompt":
            return []
        end = [railroad.Terminal(byte_name(data.until))] if data.until is not None else []
        after = railroad.Sequence(railroad.Comment("after the prompt"), railroad.NonTerminal("data"))
        return self.rows([after, *end], self.stacked(room))


def taken(items: list[Any]) -> int:
    """How wide a row is."""
    return int(sum(item.width + SPACE for item in items)) - SPACE


def spelled(f: Field) -> str:
    return f'"{f.literal}"' if f.quoted else f.literal


def rails(form: Form, to: Callable[[str], str]) -> tuple[Markup, Optional[Markup]]:
    """A diagram for a page, and one for a phone where that would be too wide; `to`: a parameter's anchor."""
    with arcs(RADIUS):
        wide = Rails(form, to, WIDE).draw()
    with arcs(SMALL):
        narrow = Rails(form, to, NARROW).draw()
    return Markup(wide), Markup(narrow) if narrow != wide else None
