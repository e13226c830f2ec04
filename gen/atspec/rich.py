"""Sentences with code and links in them, for a page and for Markdown alike."""

from __future__ import annotations

import re
from typing import Iterable, NamedTuple, Union

from markupsafe import Markup, escape


class Span(NamedTuple):
    text: str
    code: bool = False
    to: str = ""            # the anchor it leads to


Rich = tuple[Span, ...]
Part = Union[str, Span, Rich]


def anchor(*steps: str) -> str:
    """A name for a place in the document. What isn't plain is spelled out, so no two names meet."""
    return "/".join(re.sub(r"[^A-Za-z0-9._-]", lambda m: f":{ord(m.group()):x}:", step) for step in steps)


def code(text: str, to: str = "") -> Span:
    return Span(text, True, to)


def link(text: str, to: str) -> Span:
    return Span(text, False, to)


def one_line(text: str) -> str:
    """Without the line breaks of YAML."""
    return " ".join(text.split())


def say(*parts: Part) -> Rich:
    out: list[Span] = []
    for part in parts:
        if isinstance(part, str):
            out.append(Span(part))
        elif isinstance(part, Span):
            out.append(part)
        else:
            out += part
    return tuple(out)


def joined(items: Iterable[Part], between: str = ", ", last: str = "") -> Rich:
    """The items with something between them; between the last two perhaps something else."""
    parts = list(items)
    out: list[Part] = []
    for i, part in enumerate(parts):
        if i:
            out.append(last if last and i == len(parts) - 1 else between)
        out.append(part)
    return say(*out)


def plain(rich: Rich) -> str:
    return "".join(span.text for span in rich)


def to_html(rich: Part) -> Markup:
    return Markup("").join(_html(span) for span in say(rich))


def _html(span: Span) -> Markup:
    text = escape(_spaced(span.text))
    if span.code:
        text = Markup("<code>{}</code>").format(text)
    return Markup('<a href="#{}">{}</a>').format(span.to, text) if span.to else text


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def to_markdown(rich: Part, cell: bool = False) -> str:
    return unmarked("".join(_markdown(span, cell) for span in say(rich)))


def unmarked(text: str) -> str:
    """What begins a line: no item of a list, and no underline."""
    return re.sub(r"^([0-9]*)([-+=.)])(?=[\s=]|$)", r"\1\\\2", text)


def _markdown(span: Span, cell: bool) -> str:
    text = _spaced(span.text)
    text = markdown_code(text, cell) if span.code else markdown_text(text)
    return f"[{text}](#{span.to})" if span.to else text


def markdown_text(text: str) -> str:
    """Words that mean nothing to Markdown but themselves."""
    text = text.replace("&", "&amp;")
    text = re.sub(r"[\\`*\[\]<>|#~$]", r"\\\g<0>", text)
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)


def markdown_code(text: str, cell: bool = False) -> str:
    """A span of code; a table's cell ends at every bar that isn't escaped, even in code."""
    if cell and "\\|" in text:      # in a span no escape fits both
        return f"<code>{markdown_text(text)}</code>"
    fence = "`" * (1 + max((len(m) for m in re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    text = f"{fence}{space}{text}{space}{fence}"
    return text.replace("|", "\\|") if cell else text


def markdown_block(text: str, language: str = "") -> str:
    """A fenced block, whatever stands in it."""
    fence = "`" * max(3, 1 + max((len(m) for m in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"
