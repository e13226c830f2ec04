"""Dialogues as sequence diagrams: SVG for a page, Mermaid for Markdown."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from typing import Callable

from markupsafe import Markup

from .model import Example, Step
from .words import byte_name

WIDE, NARROW = 680, 324
REFUSED = "no form of a command: to be refused"
CHARACTER, WORD, ROW = 7.9, 6.2, 18     # of the monospaced text at 13 px, and of the labels at 11.5
BOX, MARGIN, ARROW = 28, 16, 8


@dataclass
class Event:
    """One thing that goes from one side to the other."""

    sent: bool                  # by the host
    text: str
    kind: str = "line"          # line | prompt | bytes
    label: str = ""             # what the text is, where it isn't plain
    to: str = ""                # the anchor of what it is


@dataclass
class Story:
    title: str
    given: list[str]            # settings at the start
    events: list[Event] = field(default_factory=list)


def story(example: Example, to: Callable[[Step], str]) -> Story:
    out = Story(example.title, [f"{name} = {value}" for name, value in example.settings.items()])
    for step in example.steps:
        out.events += events(step, to(step))
    return out


def events(step: Step, to: str) -> list[Event]:
    if step.kind == "prompt":
        return [Event(False, step.text, "prompt", "prompt", to)]
    if step.kind == "data":
        end = f", then {byte_name(step.end)}" if step.end is not None else ""
        return [Event(True, step.text, "bytes", f"data, {counted(step.text)}{end}", to)]
    found = [Event(step.kind == "host", step.text, "line", REFUSED if step.refused else "", to)]
    if step.payload is not None:
        found.append(Event(False, step.payload, "bytes", f"payload, {counted(step.payload)}", to))
    return found


def counted(text: str) -> str:
    n = len(text.encode())
    return f"{n} byte" + ("s" if n != 1 else "")


# Mermaid ------------------------------------------------------------------------

def mermaid(told: Story) -> str:
    out = ["sequenceDiagram", "    participant H as Host", "    participant M as Module"]
    out += [f"    Note over H,M: {mermaid_text(given)}" for given in told.given]
    for e in told.events:
        text = mermaid_text(f"{e.label}: {e.text}" if e.kind == "bytes" else e.text)
        out.append(f"    {'H->>M' if e.sent else 'M-->>H'}: {text}")
        if e.kind == "line" and e.label:
            out.append(f"    Note over H,M: {mermaid_text(e.label)}")
    return "\n".join(out)


def mermaid_text(text: str) -> str:
    """Text in which Mermaid sees no markup of its own."""
    return re.sub(r"[^A-Za-z0-9 +=,.?()'_^-]", lambda m: f"#{ord(m.group())};", text)


# SVG ----------------------------------------------------------------------------

class Drawing:
    """Two lifelines and what passes between them, from the top to the bottom."""

    def __init__(self, told: Story, width: int) -> None:
        self.told, self.width = told, width
        self.side = 66 if width > NARROW else 38        # half the width of a participant's box
        self.left, self.right = self.side, width - self.side
        self.y = BOX + MARGIN
        self.parts: list[Markup] = []

    def draw(self) -> str:
        for given in self.told.given:
            self.given(given)
        for event in self.told.events:
            start = len(self.parts)
            (self.bytes if event.kind == "bytes" else self.arrow)(event)
            drawn = Markup("").join(self.parts[start:])
            self.parts[start:] = [Markup('<a href="#{}">{}</a>').format(event.to, drawn) if event.to else drawn]
        height = self.y + BOX + 2
        lifelines = Markup("").join(Markup('<path class="life" d="M{} {}V{}"/>').format(x, BOX, self.y)
                                    for x in (self.left, self.right))
        heads = Markup("").join(self.participant(name, x, y) for y in (1, self.y)
                                for name, x in (("Host", self.left), ("Module", self.right)))
        return Markup('<svg class="sequence" role="group" viewBox="0 0 {w} {h}" width="{w}" height="{h}">'
                      "<title>Sequence diagram: {t}</title>{a}{b}{c}</svg>").format(
            w=self.width, h=height, t=self.told.title, a=lifelines, b=heads, c=Markup("").join(self.parts))

    def participant(self, name: str, x: int, y: int) -> Markup:
        return (Markup('<rect class="side" x="{}" y="{}" width="{}" height="{}" rx="5"/>').format(
                    x - self.side + 2, y, 2 * self.side - 4, BOX)
                + self.text(name, x, y + BOX - 9, "name"))

    def text(self, text: str, x: int, y: int, kind: str = "") -> Markup:
        attribute = Markup(' class="{}"').format(kind) if kind else ""
        return Markup('<text{} x="{}" y="{}">{}</text>').format(attribute, x, y, text)

    def rows(self, text: str, room: int) -> list[str]:
        """The text broken behind commas where it can be, so that no row is wider than the room."""
        most = max(8, int(room / CHARACTER))
        rows = [""]
        for piece in re.findall(r"[^,]*,|[^,]+$", text) or [""]:
            while len(piece) > most:
                rows[-1:] = [rows[-1], piece[:most]] if rows[-1] else [piece[:most]]
                piece = piece[most:]
                rows.append("")
            if len(rows[-1]) + len(piece) > most:
                rows.append("")
            rows[-1] += piece
        return [r for r in rows if r] or [" "]

    def words(self, text: str, room: int) -> list[str]:
        return textwrap.wrap(text, max(8, int(room / WORD)))

    def write(self, rows: list[str], kind: str = "") -> None:
        middle = (self.left + self.right) // 2
        for row in rows:
            self.y += ROW
            self.parts.append(self.text(row, middle, self.y - 5, kind))

    def head(self, x: int, right: bool) -> Markup:
        back = x - ARROW if right else x + ARROW
        return Markup('<path class="head" d="M{} {}L{} {}L{} {}Z"/>').format(
            x, self.y, back, self.y - 4, back, self.y + 4)

    def arrow(self, event: Event) -> None:
        self.write(self.rows(event.text, self.right - self.left - 2 * MARGIN), "prompt" if event.kind == "prompt" else "")
        self.y += 3
        self.parts.append(Markup('<path class="{}" d="M{} {}H{}"/>').format(
            "sent" if event.sent else "received", self.left, self.y, self.right))
        self.parts.append(self.head(self.right if event.sent else self.left, event.sent))
        if event.label and event.kind == "line":
            self.write(self.words(event.label, self.right - self.left), "label")
        self.y += 9

    def bytes(self, event: Event) -> None:
        """A box of bytes, with an arrow through it."""
        left, right = self.left + 2 * MARGIN, self.right - 2 * MARGIN
        rows, label = self.rows(event.text, right - left - 12), self.words(event.label, right - left - 8)
        top, height = self.y + 2, ROW * (len(rows) + len(label)) + 8
        self.parts.append(Markup('<rect class="bytes" x="{}" y="{}" width="{}" height="{}" rx="4"/>').format(
            left, top, right - left, height))
        self.y += 4
        self.write(label, "label")
        self.write(rows)
        bottom, self.y = top + height, top + height // 2
        way = "sent" if event.sent else "received"
        self.parts.append(Markup('<path class="{0}" d="M{1} {5}H{2}M{3} {5}H{4}"/>').format(
            way, self.left, left, right, self.right, self.y))
        self.parts.append(self.head(self.right if event.sent else self.left, event.sent))
        self.y = bottom + 8

    def given(self, text: str) -> None:
        top = self.y
        rows = self.words(text, self.right - self.left - 16)
        self.write(rows, "label")
        self.parts.insert(len(self.parts) - len(rows), Markup('<rect class="given" x="{}" y="{}" width="{}" height="{}" rx="4"/>').format(
            self.left + 4, top - 2, self.right - self.left - 8, self.y - top + 4))
        self.y += 10


def sequence(told: Story) -> tuple[Markup, Markup]:
    """A diagram for a page, and one for a phone."""
    return Markup(Drawing(told, WIDE).draw()), Markup(Drawing(told, NARROW).draw())
