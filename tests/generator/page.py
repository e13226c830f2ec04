"""What the tests see of an HTML page: its elements, and the text in each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from typing import Iterator, Optional

VOID = {"meta", "input", "br", "link", "img", "hr", "base"}
LOADS = {"src", "srcset", "data", "poster", "action", "xlink:href", "href", "background", "manifest"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)

    def walk(self) -> Iterator["Element"]:
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    @property
    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    def all(self, tag: str = "", kind: str = "") -> list["Element"]:
        return [e for e in self.walk() if tag in ("", e.tag) and (not kind or kind in e.attributes.get("class", "").split())]

    def one(self, id: str) -> "Element":
        found = self.by_id.get(id, [])
        assert len(found) == 1, f"{len(found)} elements with the id {id}"
        return found[0]

    @cached_property
    def by_id(self) -> dict[str, list["Element"]]:
        found: dict[str, list[Element]] = {}
        for e in self.walk():
            if "id" in e.attributes:
                found.setdefault(e.attributes["id"], []).append(e)
        return found


class Page(HTMLParser):
    """Parses strictly: what isn't closed, or closed without having been opened, is an error."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]
        self.feed(text)
        self.close()
        assert len(self.open) == 1, f"not closed: {self.open[-1].tag}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice: {tag} {attrs}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}> at {self.getpos()}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)
