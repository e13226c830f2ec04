"""What people read of a spec, lowered for C: the tables of manual.c.j2."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Optional

from .lower import Lowering, c_string
from .model import Field, Param, Setting, ValueTable

NONE = "NULL"


def words(text: str) -> str:
    """A C string of a text that may run over several lines of YAML."""
    return c_string(" ".join(text.split()))


@dataclass
class ManualParam:
    ident: str
    path: str
    doc: str
    unit: str
    left_out: str
    values: str
    nvalues: int


@dataclass
class Manual:
    """Each text once: parameters and lists of them are shared by their content."""

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    params: dict[tuple[Any, ...], ManualParam] = field(default_factory=dict)
    lists: dict[tuple[str, ...], str] = field(default_factory=dict)

    def param(self, param: Param) -> str:
        left_out = "" if param.default is None else str(param.default)
        return self.described(param.c_name, param.path, param.doc, param.unit, left_out, param.values)

    def setting(self, setting: Setting) -> str:
        return self.described(setting.name, f"settings.{setting.name}", setting.doc, "", "", setting.values)

    def described(self, name: str, path: str, doc: str, unit: str, left_out: str,
                  values: Optional[ValueTable]) -> str:
        table, entries = NONE, []
        if values:
            table, entries = f"values_{values.name}", values.entries
            self.tables.setdefault(table, [
                {"value": i if isinstance(v.key, str) else v.key, "name": words(str(v.key)),
                 "text": words(v.text)} for i, v in enumerate(entries)])
        key = (name, path, doc, unit, left_out, table)
        if key not in self.params:
            ident = f"param_{len(self.params)}_{name}"
            self.params[key] = ManualParam(ident, words(path), words(doc), words(unit),
                                           words(left_out), table, len(entries))
        return "&" + self.params[key].ident

    def of_fields(self, fields: Iterable[Field]) -> str:
        """The list of what stands in a line."""
        places = tuple(self.param(f.param) if f.param else NONE for f in fields)
        if not places:
            return NONE
        return self.lists.setdefault(places, f"params_{len(self.lists)}")


def manual(low: Lowering) -> dict[str, Any]:
    texts = Manual()
    forms = [{"path": words(v.form.path), "syntax": words(v.form.syntax.text), "doc": words(v.form.doc or v.command.doc),
              "params": texts.of_fields(low.form_fields(v.form))} for v in low.forms]
    records = [{"path": words(r.line.path), "doc": words(r.line.doc or r.line.name),
                "params": texts.of_fields(r.places)} for r in low.records]
    commands = [{"name": words(c.name), "section": words(c.section), "doc": words(c.doc),
                 "ident": f"notes_{i}" if c.notes else NONE,
                 "notes": [words(n) for n in c.notes]}
                for i, c in enumerate(low.spec.commands)]
    firmware = low.spec.firmware
    asked = firmware if firmware and any(v.form is firmware for v in low.forms) else None
    return {"firmware": low.form_id(asked) if asked else "AT_NONE",
            "settings": [texts.setting(s) for s in low.spec.settings],
            "tables": texts.tables, "params": list(texts.params.values()),
            "lists": {name: places for places, name in texts.lists.items()},
            "forms": forms, "records": records, "commands": commands}
