"""What can stand between two commas, and what two lines have in common.

The module is lenient and so is the host that listens to it: strings come
quoted or bare, numbers out of range. A command's parameters are enforced.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Iterable, Iterator, Optional, Union

from .model import Field, Form, Line, Param, Template, Variant

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_QUOTED = re.compile(r'"([ !#-~]*)"')
# A bare string never starts with `(`: that marks a test answer.
_BARE = re.compile(r'(?![("])[ -+\--~]+')
_REST = re.compile(r"[ -~]*")
_FORMS = {"": re.compile(r"[ -~]*"), "host": re.compile(r"[A-Za-z0-9._:-]+"),
          "ip": re.compile(r"(?=.*[.:])[0-9A-Fa-f.:]+")}
_PIECE = re.compile(r'("[^"]*"|[^,]*)(?:,|\Z)')


@dataclass(frozen=True)
class Token:
    """A set of texts, with enough samples that any two sets which meet share one."""

    fits: Callable[[str], bool]
    samples: tuple[str, ...]


ANY = Token(lambda text: True, ("0", "a", '"a"'))
PARENTHESISED = Token(lambda text: text.startswith("("), ("(",))


def literal(text: str) -> Token:
    return Token(lambda other: other == text, (text,))


def integer(low: Optional[int], high: Optional[int]) -> Token:
    def fits(text: str) -> bool:
        return bool(_INTEGER.fullmatch(text)) and (
            low is None or high is None or low <= int(text) <= high)
    return Token(fits, ("0",) if low is None else (str(low), str(high)))


def unquoted(text: str) -> Optional[str]:
    """What a quoted or bare string holds; None if the text is neither."""
    m = _QUOTED.fullmatch(text)
    if m:
        return m.group(1)
    return text if _BARE.fullmatch(text) else None


def string(form: str, allowed: Optional[list[str]] = None, longest: int = 0) -> Token:
    def fits(text: str) -> bool:
        inner = unquoted(text)
        if inner is None or not _FORMS[form].fullmatch(inner) or longest and len(inner) > longest:
            return False
        return allowed is None or inner in allowed
    if allowed is not None:
        return Token(fits, tuple(t for a in allowed for t in (a, f'"{a}"')))
    return Token(fits, (".",) if form == "ip" else ("0", "a", '"a"'))


def _received(f: Field) -> Token:
    """A field of a line from the module."""
    if not f.param:
        return literal(f'"{f.literal}"' if f.quoted else f.literal)
    if f.param.kind == "integer":
        return integer(*(f.limits or (None, None)))
    if f.param.rest:
        return Token(lambda text: bool(_REST.fullmatch(text)), ANY.samples)
    return string(f.param.form)


def _commanded(f: Field) -> Token:
    """A field of a command, as the module takes it."""
    p = f.param
    if not p:
        return _received(f)
    if p.kind == "integer":
        return integer(p.minimum, p.maximum)
    if p.kind == "data":
        return ANY
    if p.kind == "hex":
        return Token(lambda text: bool(re.fullmatch(r'"[0-9A-Fa-f]+"|[0-9A-Fa-f]+', text)), ("0", "00"))
    if p.rest:
        return _received(f)
    closed = p.values is not None and not p.values.open
    allowed = [str(v.key) for v in p.values.entries] if p.values and closed else None
    return string(p.form, allowed, p.maximum)


def _runs_on(p: Optional[Param]) -> bool:
    return p is not None and (p.rest or p.kind == "data")


@dataclass
class Shape:
    """A line as a sequence of tokens; `open`: anything may follow the last."""

    head: str
    tokens: list[Token]
    open: bool = False


def expansions(template: Template) -> Iterator[list[Field]]:
    """The fields with none, one, ... all of the nested optional groups."""
    deepest = max((f.group for f in template.fields), default=0)
    for depth in range(deepest + 1):
        yield [f for f in template.fields if f.group <= depth]


def line_shapes(line: Line, variant: Variant) -> list[Shape]:
    t = variant.template
    if line.kind == "test":
        return [Shape(t.head, test_tokens(t.text[len(t.head):]) or [], True)]
    shapes = []
    for fields in expansions(t):
        full = len(fields) == len(t.fields)
        tokens = [_received(f) for f in fields]
        shapes.append(Shape(t.head, tokens, bool(fields and _runs_on(fields[-1].param))
                            or full and line.extra_fields))
        p = line.payload
        if p and p.inline and variant is line.variants[0] and any(f.name == p.length for f in fields):
            shapes.append(Shape(t.head, tokens + [ANY], True))
    return shapes


def form_shapes(form: Form) -> list[Shape]:
    return [Shape(form.syntax.head, [_commanded(f) for f in fields],
                  bool(fields and _runs_on(fields[-1].param)))
            for fields in expansions(form.syntax)]


def split(text: str) -> list[str]:
    """The texts between commas; commas within quotes don't count."""
    pieces, pos = [], 0
    while True:
        m = _PIECE.match(text, pos)
        assert m    # the second alternative takes anything
        pieces.append(m.group(1))
        if m.end() == len(text) and not text.endswith(",", m.start(), m.end()):
            return pieces
        pos = m.end()


def test_tokens(text: str) -> Optional[list[Token]]:
    """A test answer up to its first field in parentheses; None if it has none."""
    tokens: list[Token] = []
    for piece in map(str.strip, split(text)):
        if piece.startswith("("):
            return tokens + [PARENTHESISED]
        tokens.append(ANY if "<" in piece else literal(piece))
    return None


def common_token(a: Token, b: Token) -> Optional[str]:
    """A shortest text that fits both."""
    return shortest(s for s in a.samples + b.samples if a.fits(s) and b.fits(s))


def shortest(texts: Iterable[str]) -> Optional[str]:
    found = sorted(texts, key=lambda text: (len(text), text))
    return found[0] if found else None


def common_text(a: Shape, b: Shape) -> Optional[str]:
    """A text that has both shapes, or None."""
    if a.head != b.head:
        return None
    texts = []
    for i in range(max(len(a.tokens), len(b.tokens))):
        ends = [s for s in (a, b) if i >= len(s.tokens)]
        if ends and not ends[0].open:
            return None
        pair = [s.tokens[i] if i < len(s.tokens) else ANY for s in (a, b)]
        text = common_token(*pair)
        if text is None:
            return None
        texts.append(text)
    return a.head + (" " if a.head.endswith(":") and texts else "") + ",".join(texts)


# --- matching a given text, for the examples ---

Match = dict[str, Union[int, str]]


def match_line(text: str, line: Line, variant: Variant) -> Optional[Match]:
    t = variant.template
    if not text.startswith(t.head):
        return None
    body = text[len(t.head):]
    if line.kind == "test":
        return {} if any(p.strip().startswith("(") for p in split(body)) else None
    return _match(body[1:] if body.startswith(" ") and t.fields else body, t, _received, line.extra_fields)


def match_form(text: str, form: Form) -> Optional[Match]:
    t = form.syntax
    return _match(text[len(t.head):], t, _commanded, False) if text.startswith(t.head) else None


def _match(body: str, t: Template, token: Callable[[Field], Token], extra: bool) -> Optional[Match]:
    if not t.fields:
        return None if body else {}
    for fields in expansions(t):
        pieces = split(body)
        if _runs_on(fields[-1].param) and len(pieces) >= len(fields):
            kept = len(fields) - 1
            start = sum(len(p) + 1 for p in pieces[:kept])
            pieces = pieces[:kept] + [body[start:]]
        full = len(fields) == len(t.fields)
        if len(pieces) != len(fields) and not (extra and full and len(pieces) > len(fields)):
            continue
        if all(token(f).fits(p) for f, p in zip(fields, pieces)):
            return {f.name: _value(f.param, p) for f, p in zip(fields, pieces) if f.param}
    return None


def _value(p: Param, text: str) -> Union[int, str]:
    if p.kind == "integer":
        return int(text)
    if p.kind == "text" and not p.quoted:
        return text
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
