"""Railroad diagrams of command lines, as SVG.

The layout is that of python3-railroad-diagrams; here a syntax is broken into rows
that fit a width.
"""

from __future__ import annotations

from typing import Any, Callable, Optional

from markupsafe import Markup

from .model import Field, Form

WIDE, NARROW = 720, 330     # of a page's column, and of a phone
PADDING = 2
SPACE = 20                  # what a row spends between two of its items
NAMES = {26: "Ctrl-Z", 27: "Esc"}

try:
    import railroad
    railroad.INTERNAL_ALIGNMENT = "left"
except ImportError:         # the rest of the generator does without
    railroad = None

MISSING = ("the diagrams need the Python module railroad. On Debian: "
           "apt-get install python3-railroad-diagrams; elsewhere: pip install railroad-diagrams")


class Rails:
    def __init__(self, form: Form, to: Callable[[str], str], width: int) -> None:
        self.form, self.to, self.width = form, to, width

    def draw(self) -> str:
        syntax = self.form.syntax
        fields = list(syntax.fields)
        head = syntax.head if fields else syntax.text
        while fields and not fields[0].param and fields[0].group == 0:     # AT+NAME="word" is one text
            head += spelled(fields.pop(0)) + ("," if fields and not fields[0].group else "")
        rows = [railroad.Terminal(head)] + self.items(fields, 0, self.width, bool(syntax.fields) and head[-1] not in "=,")
        items = self.rows(rows, self.width) + self.data()
        diagram = railroad.Diagram(items[0] if len(items) == 1 else railroad.Stack(*items), css=None)
        del diagram.attrs["xmlns:xlink"]
        diagram.format(PADDING)
        diagram.attrs["role"] = "group"
        diagram.children.insert(0, railroad.DiagramItem("title", text=f"Railroad diagram of {syntax.text}"))
        out: list[str] = []
        diagram.writeSvg(out.append)
        return "".join(out)

    def items(self, fields: list[Field], depth: int, width: int, comma: bool) -> list[Any]:
        """What stands in a row at this depth; the rest of the line, being optional, is one item."""
        out = []
        for i, f in enumerate(fields):
            if f.group > depth:
                inner = width - 4 * railroad.AR - SPACE
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

    def rows(self, items: list[Any], width: int) -> list[Any]:
        rows: list[list[Any]] = [[]]
        room = width - 2 * SPACE - 2 * railroad.AR
        for item in items:
            taken = sum(i.width + SPACE for i in rows[-1] + [item])
            if rows[-1] and taken > room:
                rows.append([])
            rows[-1].append(item)
        return [railroad.Sequence(*row) for row in rows]

    def data(self) -> list[Any]:
        """What is sent once the module prompts."""
        data = self.form.data
        if not data or data.source != "prompt":
            return []
        end = [railroad.Terminal(NAMES.get(data.until, f"byte {data.until}"))] if data.until is not None else []
        return [railroad.Sequence(railroad.Comment("after the prompt"), railroad.NonTerminal("data"), *end)]


def spelled(f: Field) -> str:
    return f'"{f.literal}"' if f.quoted else f.literal


def rails(form: Form, to: Callable[[str], str]) -> tuple[Markup, Optional[Markup]]:
    """A diagram for a page, and one for a phone where that would be too wide; `to`: a parameter's anchor."""
    wide, narrow = (Rails(form, to, width).draw() for width in (WIDE, NARROW))
    return Markup(wide), Markup(narrow) if narrow != wide else None
