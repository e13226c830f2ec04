"""The model: a spec after every reference is resolved.

Plain data, no behaviour beyond what can be derived from it. `build` makes it,
`check` proves things about it, `lower` turns it into what C needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional, Union

from .names import command_text


@dataclass(frozen=True)
class Mark:
    """A place in a spec file; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass
class Value:
    key: Union[int, str]        # what stands on the wire
    name: str                   # for the C enumerator
    text: str                   # in words
    doc: str = ""
    since: Optional[dict[str, Any]] = None        # {"revision": ..., "firmware": {device: name}}
    until: Optional[dict[str, Any]] = None
    deprecated: Optional[dict[str, Any]] = None   # {"use": ..., "since": ...}
    mark: Optional[Mark] = None


@dataclass
class ValueTable:
    name: str
    doc: str
    entries: list[Value]
    open: bool = False          # values that aren't listed are legal to receive
    section: str = ""
    mark: Optional[Mark] = None


@dataclass
class Param:
    """One parameter of the manual."""

    name: str                   # the manual's name
    c_name: str
    kind: str                   # integer | string | text | data | hex
    doc: str
    minimum: int = 0            # of the number, or of the length in characters
    maximum: int = 0
    supported: Optional[int] = None   # the one value the module takes at present
    default: Optional[int] = None     # what the module takes when it is left out
    values: Optional[ValueTable] = None
    form: str = ""              # of a string: "" | host | ip
    rest: bool = False          # of a text: it runs to the end of the line
    quoted: bool = False        # of a text: printed in double quotes
    unit: str = ""
    path: str = ""              # "parameters.host", "commands.QPING.parameters.host"
    mark: Optional[Mark] = None
    since: Optional[dict[str, Any]] = None
    until: Optional[dict[str, Any]] = None
    deprecated: Optional[dict[str, Any]] = None


@dataclass
class Condition:
    """setting[key] == value"""

    setting: "Setting"
    key: Optional[str]          # name of the field that indexes the setting
    value: int
    mark: Optional[Mark] = None


@dataclass
class Field:
    """One place in a line: a parameter, or a literal that must stand there."""

    param: Optional[Param] = None
    literal: str = ""
    quoted: bool = False        # of a literal
    group: int = 0              # 0: required; n: in the n-th nested optional group
    shown: Optional[Condition] = None   # present exactly when this holds
    limits: Optional[tuple[int, int]] = None  # enforced also on receipt
    mark: Optional[Mark] = None

    @property
    def name(self) -> str:
        return self.param.name if self.param else ""


@dataclass
class Template:
    """A syntax line in the manual's notation, parsed.

    `head` is the text before the first field: "AT+QIOPEN=", "+QIRD:" (the space
    after a colon is optional on the wire and not part of it), or a whole line
    such as "OK", "AT+QISTATE?".
    """

    text: str
    head: str
    fields: list[Field]
    mark: Mark


@dataclass
class Payload:
    length: str                 # name of the field that counts it
    limits: tuple[int, int]     # what the module can send, in bytes
    format: Union["Setting", str]       # a setting, or "text" / "hex"
    inline: Optional["Setting"] = None  # 1: after a comma instead of a line end
    when: Optional[Condition] = None
    mark: Optional[Mark] = None


@dataclass
class Effect:
    """A setting that takes the value of a field."""

    setting: "Setting"
    key: Optional[str]          # name of the field that indexes the setting
    field: str                  # name of the field that holds the new value
    mark: Optional[Mark] = None


@dataclass
class Variant:
    """Another shape of a line, with fields of the line's own shape."""

    template: Template
    doc: str = ""
    evidence: str = ""          # "" (the manual) | seen | driver | guess


@dataclass
class Line:
    """What the module sends: a response, result, URC, final or test answer."""

    name: str                   # "QISTATE", "QPING.summary", "recv", "SEND OK"
    c_name: str                 # "qistate", "qping_summary", "recv", "send_ok"
    kind: str                   # response | result | urc | final | test
    variants: list[Variant]     # the first is the manual's
    doc: str
    section: str = ""
    payload: Optional[Payload] = None
    sets: list[Effect] = field(default_factory=list)
    extra_fields: bool = False  # further fields are ignored
    extra_evidence: str = ""    # how that is known
    extra_doc: str = ""
    outcome: str = ""           # of a final: ok | error | done | fail
    evidence: str = ""
    command: Optional["Command"] = None
    since: Optional[dict[str, Any]] = None
    until: Optional[dict[str, Any]] = None
    deprecated: Optional[dict[str, Any]] = None
    mark: Optional[Mark] = None
    path: str = ""              # "commands.QPING.lines.QPING.summary"

    @property
    def fields(self) -> list[Field]:
        """The parameters of every variant, in the order of the first."""
        seen: dict[str, Field] = {}
        for variant in self.variants:
            for f in variant.template.fields:
                if f.param:
                    seen.setdefault(f.param.name, f)
        return list(seen.values())

    def optional(self, name: str) -> bool:
        """Whether a line may come without this field."""
        return any(
            all(f.name != name or f.group or f.shown for f in v.template.fields)
            for v in self.variants
        )


@dataclass
class Rule:
    """Which of two lines (or variants of one) a common text is."""

    choose: str                 # name of a line, or text of a variant
    over: str
    because: str
    mark: Optional[Mark] = None


@dataclass
class Deadline:
    """milliseconds * (field + add) * times; absent fields take their default."""

    milliseconds: int
    field: str = ""
    add: int = 0
    times: str = ""
    mark: Optional[Mark] = None


@dataclass
class Count:
    """How many lines: field of the request, or of an earlier line, plus add."""

    line: str                   # "" for the request
    field: str
    add: int = 0
    mark: Optional[Mark] = None


@dataclass
class Completion:
    """A line that may follow the final result code."""

    line: Line
    match: str = ""             # field that must equal the request's
    status: str = ""            # field that tells success (0) from failure
    ends: Union[str, dict[str, list[int]]] = "never"   # always | never | {field: values}
    times: Optional[Count] = None       # the command ends after this many
    mark: Optional[Mark] = None


@dataclass
class Data:
    """Data that the host sends with a command."""

    source: str                 # name of the field that holds them, or "prompt"
    length: str                 # name of the field that counts them; "" when ended
    format: Union["Setting", str]
    max_text: int
    max_hex: int
    until: Optional[int] = None     # byte that ends them
    cancel: Optional[int] = None    # byte that cancels them
    echo: Optional["Setting"] = None
    mark: Optional[Mark] = None


@dataclass
class Form:
    name: str                   # test | read | execute | set | the spec's own
    c_name: str                 # "qiopen", "qiopen_test", "qisend_fixed"
    command: "Command"
    syntax: Template
    doc: str
    response: list[tuple[Line, int, int]] = field(default_factory=list)  # line, min, max
    then: list[Completion] = field(default_factory=list)
    within: Optional[Deadline] = None
    response_time: int = 0      # ms, to the final result code
    data: Optional[Data] = None
    reads: str = ""             # field that bounds the payload of the answer
    final_optional: bool = False
    final_evidence: str = ""    # how that is known
    final_doc: str = ""
    sets: list[Effect] = field(default_factory=list)
    test_lines: list[str] = field(default_factory=list)
    asks: bool = False          # sent without arguments it changes nothing
    since: Optional[dict[str, Any]] = None
    until: Optional[dict[str, Any]] = None
    deprecated: Optional[dict[str, Any]] = None
    mark: Optional[Mark] = None
    path: str = ""


@dataclass
class Command:
    name: str
    section: str
    doc: str
    forms: list[Form] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    since: Optional[dict[str, Any]] = None
    until: Optional[dict[str, Any]] = None
    deprecated: Optional[dict[str, Any]] = None
    mark: Optional[Mark] = None

    @property
    def text(self) -> str:
        """As it is spelled: AT+NAME, or its name where that is how its forms begin."""
        own = self.name.startswith("AT") and all(f.syntax.head.startswith(self.name) for f in self.forms)
        return self.name if own else command_text(self.name)


@dataclass
class Setting:
    """What the framing of later bytes depends on."""

    name: str
    values: ValueTable
    default: int
    stored: str                 # nvram | ram
    doc: str
    section: str = ""
    per: Optional[Param] = None         # one value for each value of this parameter
    read_by: Optional[Form] = None
    when_refused: Optional[int] = None  # value when the query is refused
    since: Optional[dict[str, Any]] = None
    until: Optional[dict[str, Any]] = None
    deprecated: Optional[dict[str, Any]] = None
    mark: Optional[Mark] = None

    @property
    def slots(self) -> int:
        return self.per.maximum + 1 if self.per else 1


@dataclass
class Step:
    """One line of an example dialogue."""

    kind: str                   # host | module | prompt | data
    text: str
    payload: Optional[str] = None       # after a module's line
    end: Optional[int] = None           # byte that ends the data
    refused: bool = False               # a host line that no form fits
    name: str = ""                      # of the form ("QIRD.set") or line meant
    fields: dict[str, Union[int, str]] = field(default_factory=dict)
    mark: Optional[Mark] = None
    marks: dict[str, Mark] = field(default_factory=dict)    # of each field; "": of the name


@dataclass
class Example:
    section: str
    title: str
    settings: dict[str, int]            # "access_mode[0]" -> 1
    steps: list[Step]
    mark: Optional[Mark] = None


@dataclass(frozen=True)
class Series:
    """How a device's firmware is called: TG1N?R#A#, ? a letter, # a number."""

    device: str
    pattern: str


@dataclass(frozen=True)
class Bound:
    """The first firmware that has something, or the last."""

    device: str
    numbers: tuple[int, ...]
    until: bool                 # the last
    firmware: str               # as the spec names it


@dataclass
class Feature:
    """What some firmware has and some hasn't, for programs to ask at run time."""

    name: str                   # QICFG_ECHOMODE
    path: str
    text: str                   # as people know it: a syntax, a name
    bounds: list[Bound]
    mark: Optional[Mark] = None
    companions: list[str] = field(default_factory=list)     # paths of what came with it


@dataclass
class View:
    """The firmware or revision that a spec was narrowed to."""

    name: str
    gone: dict[str, str]        # path -> why: came with TG1NxR01A07
    everything: "Spec"          # as it was before

    def why_gone(self, path: str) -> str:
        """Why a node went, by itself or with what holds it; '' if it didn't."""
        return next((why for gone, why in self.gone.items() if (path + ".").startswith(gone + ".")), "")


@dataclass
class Reserved:
    """The path of what was deleted; nothing may stand there again."""

    path: str                   # canonical: commands.QIRD.set, values.error.entries.566
    because: str
    names: dict[str, Mark] = field(default_factory=dict)    # what it was in C, without the prefix: qird(), struct recv_urc
    mark: Optional[Mark] = None


@dataclass
class Spec:
    module: str
    title: str
    document: str
    version: str
    date: str
    sections: dict[str, str]
    devices: list[str]
    revisions: list[str]
    settings: list[Setting]
    values: list[ValueTable]
    commands: list[Command]
    finals: list[Line]
    urcs: list[Line]
    rules: list[Rule]                   # of finals and URCs
    wake: Optional[Form]                # sent until answered, when nothing is known
    start: list[Form]                   # sent before settings are read
    barrier: list[Form]                 # queries whose answers can't be mistaken
    reboot: list[str]                   # lines that tell that the module started
    firmware: Optional[Form]            # its answer has the firmware's name
    examples: list[Example]
    covered_by: dict[str, str]          # section without a node of its own -> spec path
    files: list[str]                    # the spec and what it includes, as given
    sha256: str                         # over the contents of those files
    name: str                           # file name of the spec, for banners
    response_time: int = 0              # ms, of a form that says nothing else
    covered_doc: dict[str, str] = field(default_factory=dict)   # section -> how it is covered
    reserved: list[Reserved] = field(default_factory=list)
    marks: dict[str, Mark] = field(default_factory=dict)    # of "sections.2.1.1", "reboot.RDY", ...
    series: list[Series] = field(default_factory=list)
    features: list[Feature] = field(default_factory=list)   # whatever the view
    views: list[str] = field(default_factory=list)          # those that differ from one another
    view: Optional[View] = None         # None: everything
    overlays: list[str] = field(default_factory=list)       # file names, as applied
    only: Optional[list[str]] = None    # commands that a program wants; None: all

    @property
    def forms(self) -> list[Form]:
        return [f for c in self.commands for f in c.forms]

    @property
    def lines(self) -> list[Line]:
        """Every line the module sends, in the order of the spec."""
        return [ln for c in self.commands for ln in c.lines] + self.urcs + self.finals
