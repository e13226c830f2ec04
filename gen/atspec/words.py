"""What a spec says, in sentences."""

from __future__ import annotations

from typing import Any, Callable, Optional, Union

from .lower import default_of, plural, since_doc
from .model import (Completion, Condition, Data, Deadline, Effect, Field, Form, Line, Param, Setting,
                    Value, ValueTable, Variant)
from .rich import Part, Rich, Span, anchor, code, joined, link, one_line, say

To = Callable[[str], str]       # the anchor of a parameter
FEW = 6                         # values of a table that are listed where it is used
EVIDENCE = {"seen": "seen on real modules, though the manual doesn't say so",
            "driver": "relied on by a driver, though the manual doesn't say so",
            "guess": "a guess, for safety's sake"}


def duration(milliseconds: int) -> str:
    if milliseconds % 60000 == 0 and milliseconds > 60000:
        return f"{milliseconds // 60000} min"
    return f"{milliseconds // 1000} s" if milliseconds % 1000 == 0 else f"{milliseconds} ms"


def byte_name(byte: int) -> str:
    return {26: "Ctrl-Z", 27: "Esc"}.get(byte, f"byte {byte}")


def setting_link(setting: Setting, key: Optional[str] = None) -> Span:
    return code(setting.name + (f"[{key}]" if key else ""), anchor("setting", setting.name))


def line_link(line: Line) -> Span:
    return code(line.variants[0].template.text, anchor("line", line.name))


def form_link(form: Form) -> Span:
    return code(form.syntax.text, anchor("form", form.command.name, form.name))


def value_words(table: ValueTable, value: int) -> str:
    return next((v.text for v in table.entries if v.key == value), str(value))


def evidence(mark: str) -> str:
    return EVIDENCE.get(mark, mark)


# Availability -------------------------------------------------------------------

def availability(node: Any) -> list[str]:
    """Since when, until when, where the model says so of such nodes."""
    known = vars(node)
    out = [f"{word} {since_doc(known[word])}" for word in ("since", "until") if known.get(word)]
    deprecated = known.get("deprecated")
    if deprecated:
        since = since_doc(deprecated["since"]) if deprecated.get("since") else ""
        use = deprecated.get("use", "")
        out.append("deprecated" + (f" since {since}" if since else "") + (f": {use}" if use else ""))
    return out


def whys(found: list[str]) -> list[str]:
    """The same, of what views say: came with V1.1"""
    came = [why.removeprefix("came with ") for why in found if why.startswith("came with ")]
    return [f"since {', '.join(came)}"] * bool(came) + [why for why in found if not why.startswith("came with ")]


# Parameters ---------------------------------------------------------------------

def param_takes(param: Param) -> Rich:
    """Type and range; values follow."""
    if param.values:
        kind = "integer" if param.kind == "integer" else "string in quotes"
        if few(param.values):
            return say(f"{kind}, one of")
        listed = link(f"the {len(param.values.entries)} values of {param.values.name}", anchor("values", param.values.name))
        return say(f"{kind}, one of ", listed, " or another" if param.values.open else "")
    if param.kind == "integer":
        unit = f" {plural(param.unit)}" if param.unit else ""
        return say(f"integer, {param.minimum} to {param.maximum}{unit}")
    if param.kind == "string":
        return say(string_words(param))
    if param.kind == "text":
        quotes = ", in quotes" if param.quoted else ""
        rest = " to the end of the line" if param.rest else ""
        return say(f"text{rest}{quotes}, at most {param.maximum} characters")
    return say("pairs of hexadecimal digits" if param.kind == "hex" else "data")


def few(table: ValueTable) -> bool:
    return len(table.entries) <= FEW


def string_words(param: Param) -> str:
    what = {"host": "IP address or domain name", "ip": "IP address"}.get(param.form, "string")
    least = f"{param.minimum} to " if param.minimum > 1 else "at most "
    return f"{what} in quotes, {least}{param.maximum} characters"


def param_facts(param: Param) -> list[Rich]:
    out = []
    if param.supported is not None:
        out.append(say("Only ", code(str(param.supported)), " is supported at present."))
    if param.default is not None:
        out.append(say("When left out: ", code(str(param.default)), "."))
    return out


def values_of(param: Param) -> list[Rich]:
    """The values with their meanings, if they are few enough to be listed wherever they are used."""
    table = param.values
    if table is None or not few(table):
        return []
    return listed(table) + ([say("or another value")] if table.open else [])


def listed(table: ValueTable) -> list[Rich]:
    return [say(code(wire(v), anchor("values", table.name, str(v.key))), " ", one_line(v.text),
                *(f" ({a})" for a in availability(v))) for v in table.entries]


def told_of_param(param: Param) -> list[Rich]:
    """What was perhaps otherwise; of values the table tells."""
    takes = say(f"the values of {param.values.name}") if param.values else param_takes(param)
    return [takes, say(one_line(param.doc)), *param_facts(param)]


def told_of_table(table: ValueTable) -> list[Rich]:
    return [say(one_line(table.doc)), say("others are possible" if table.open else "there are no others")]


def value_text(value: Value) -> str:
    return one_line(value.text) + (f". {one_line(value.doc)}" if value.doc else "")


def wire(value: Value) -> str:
    return f'"{value.key}"' if isinstance(value.key, str) else str(value.key)


# Lines --------------------------------------------------------------------------

def line_facts(line: Line, to: To) -> list[Rich]:
    out = [say(code(f.name, to(f.name)), " stands there exactly when ", condition(f.shown, to), ".")
           for f in line.variants[0].template.fields if f.shown]
    if line.payload:
        out.append(payload(line, to))
    out += [effect(e, "Tells ", to) for e in line.sets]
    if line.extra_fields:
        why = f": {line.extra_doc} ({evidence(line.extra_evidence)})" if line.extra_evidence else ""
        out.append(say(f"Further fields are ignored{why}."))
    if line.evidence:
        out.append(say(sentence(evidence(line.evidence))))
    return out


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def variant_note(variant: Variant, to: To) -> Rich:
    limits = [say(code(f.name, to(f.name)), " is ", span(*f.limits)) for f in variant.template.fields
              if f.param and f.limits]
    parts: list[Part] = [one_line(variant.doc)] if variant.doc else []
    parts += [say("only when ", joined(limits, " and "))] if limits else []
    parts += [evidence(variant.evidence)] if variant.evidence else []
    return joined(parts, "; ")


def span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def condition(c: Condition, to: To) -> Rich:
    return say(setting_link(c.setting, c.key), " is ", code(str(c.value)),
               f" ({one_line(value_words(c.setting.values, c.value))})")


def effect(e: Effect, verb: str, to: To) -> Rich:
    return say(verb, setting_link(e.setting, e.key), ": the value of ", code(e.field, to(e.field)), ".")


def format_words(how: Union[Setting, str]) -> Rich:
    if isinstance(how, Setting):
        return say("in the format that ", setting_link(how), " says")
    return say("as hexadecimal digits" if how == "hex" else "as they are")


def payload(line: Line, to: To) -> Rich:
    p = line.payload
    assert p
    where: Part = "a line break"
    if p.inline:
        where = say("a line break, or a comma while ", setting_link(p.inline), " is ", code("1"), ",")
    out = say("After ", where, " a payload follows: ", code(p.length, to(p.length)),
              f" bytes ({span(*p.limits)}), ", format_words(p.format))
    if p.when:
        out = say(out, "; only when ", condition(p.when, to))
    return say(out, ". It is counted and never looked at.")


# Forms --------------------------------------------------------------------------

def deadline(d: Deadline, fields: list[Field], to: To) -> Rich:
    """60 s; or a product of parameters, and what that makes when they are left out."""
    if not d.field and not d.times:
        return say(duration(d.milliseconds))
    parts: list[Part] = []
    unit = "s" if d.milliseconds == 1000 else "ms"
    total = d.milliseconds
    if d.field:
        name = code(d.field, to(d.field))
        parts.append(say("(", name, f" + {d.add}) {unit}") if d.add else say(name, f" {unit}"))
        total *= default_of(fields, d.field) + d.add
    else:
        parts.append(duration(d.milliseconds))
    if d.times:
        parts.append(code(d.times, to(d.times)))
        total *= default_of(fields, d.times)
    usual = all(f.param.default is not None for f in fields if f.param and f.name in (d.field, d.times))
    return say(joined(parts, " × "), f" ({duration(total)} where these are left out)" if usual else "")


def lines_expected(least: int, most: int) -> str:
    if most == 1:
        return "one line" if least else "at most one line"
    if least == 0:
        return f"up to {most} lines"
    return f"{most} lines" if least == most else f"{least} to {most} lines"


def answer(form: Form, errors: list[Line], ok: list[Line], to: To) -> list[Rich]:
    """What comes back up to the final result code, in order."""
    out: list[Rich] = []
    if form.data and form.data.source == "prompt":
        out.append(prompt(form.data, to))
    out += [say(line_link(line), f", {lines_expected(least, most)}") for line, least, most in form.response]
    refused = joined([line_link(e) for e in errors], ", ", " or ")
    final = say(joined([line_link(o) for o in ok], " or "), f" within {duration(form.response_time)}; ",
                refused, " when it is refused" if errors else "")
    if form.final_optional:
        what = one_line(form.final_doc) or "it may be missing"
        final = say(final, f". {what[:1].upper()}{what[1:]}", f" ({evidence(form.final_evidence)})" if form.final_evidence else "")
    out.append(final)
    return out


def then(form: Form, to: To) -> Rich:
    """How long what follows the final result code may take."""
    if not form.then:
        return say()
    within = deadline(form.within, form.syntax.fields, to) if form.within else say(duration(form.response_time))
    one = len(form.then) > 1 and all(c.line.kind == "final" for c in form.then)
    return say("then, within ", within, ", one of these:" if one else ":")


def completion(c: Completion, to: To) -> Rich:
    parts: list[Part] = []
    if c.line.kind == "final":
        parts.append("success" if c.line.outcome == "done" else "failure")
    if c.match:
        parts.append(say("with the same ", code(c.match, to(c.match))))
    if c.status:
        parts.append(say("success when ", code(c.status), " is ", code("0"), ", otherwise failure"))
    if c.times:
        parts.append(times(c, to))
    if isinstance(c.ends, dict):
        for name, values in c.ends.items():
            parts.append(say("ends the command when ", code(name), " is ", joined([code(str(v)) for v in values], ", ", " or "),
                             "" if values == [0] else ", as a failure unless that is 0" if 0 in values else ", as a failure"))
    elif c.ends == "always" and c.line.kind != "final":
        parts.append("ends the command")
    return say(line_link(c.line), ": " if parts else "", joined(parts, "; "))


def times(c: Completion, to: To) -> Rich:
    count = c.times
    assert count
    add = f" + {count.add}" if count.field and count.add else ""
    if count.line:
        return say("as many times as ", code(count.field), add, " of ", code(count.line, anchor("line", count.line)),
                   " says, and the last ends the command")
    what: Part = code(count.field, to(count.field)) if count.field else str(count.add)
    return say("up to ", what, add, " times, and the last ends the command")


def data_limits(data: Data) -> str:
    limits = [f"1 to {data.max_text} bytes"] if data.max_text else []
    if data.max_hex:
        limits.append(f"1 to {data.max_hex} bytes as hexadecimal digits" if limits else f"1 to {data.max_hex} bytes")
    return ", or ".join(limits)


def prompt(data: Data, to: To) -> Rich:
    parts: list[Part] = [say(code(">"), f" at the start of a line: the prompt for the data, {data_limits(data)}, ",
                             format_words(data.format))]
    if data.length:
        parts.append(say("exactly ", code(data.length, to(data.length)), " bytes"))
    if data.until is not None:
        parts.append(say("ended by ", code(byte_name(data.until))))
    if data.cancel is not None:
        parts.append(say(code(byte_name(data.cancel)), " gives up"))
    if data.echo:
        parts.append(say("echoed while ", setting_link(data.echo), " is ", code("1")))
    return joined(parts, "; ")


def form_facts(form: Form, to: To) -> list[Rich]:
    out: list[Rich] = []
    data = form.data
    if data and data.source != "prompt":
        count = say(", ", code(data.length, to(data.length)), " says how many") if data.length else say()
        out.append(say(code(data.source, to(data.source)), f" takes {data_limits(data)}, ", format_words(data.format),
                       count, "."))
    if form.reads:
        out.append(say("The buffer for the payload must hold ", code(form.reads, to(form.reads)), " bytes."))
    out += [effect(e, "Once acknowledged it sets ", to) for e in form.sets]
    return out
