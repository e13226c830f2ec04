"""For every rule of `atspec diff` the smallest change that triggers it, and one much like
it that must not. A change says what stands at some paths of BASE instead: steps of a
path are separated by slashes, since names hold dots."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Union

BASE = """\
atspec: 1
module: tiny
title: Tiny module
source: {document: Its manual, version: '1', date: '2020-01-01', sections: {'1': One, '2': Two}}
devices: [X1]
revisions: [R1, R2]
defaults: {response_time: 300 ms}
settings:
  format: {values: format, default: 0, stored: nvram, read_by: FMT.read, when_refused: 0, doc: Format of data}
  inline: {values: switch, default: 0, stored: nvram, doc: Where data stand}
  echo: {values: switch, default: 0, stored: ram, doc: Whether data are echoed}
  mode: {per: id, values: mode, default: 0, stored: ram, doc: How data come}
  spare: {per: id, values: switch, default: 0, stored: ram, doc: A switch}
values:
  format: {doc: Format of data, entries: {0: {name: TEXT, text: as they are}, 1: {name: HEX, text: in digits}}}
  switch: {doc: A switch, entries: {0: {name: 'OFF', text: it is off}, 1: {name: 'ON', text: it is on}}}
  mode: {doc: How data come, entries: {0: {name: ASKED, text: when asked}, 1: {name: PUSHED, text: by themselves}}}
  state: {doc: State of a link, entries: {0: {name: IDLE, text: idle}, 1: {name: BUSY, text: busy}, 2: {name: LOST, text: lost}}}
  broad: {section: '1', doc: An open table, open: true, entries: {0: {name: ZERO, text: none}}}
  kind: {doc: Kind of a link, entries: {A: {name: FIRST, text: the first}, B: {name: SECOND, text: the second}}}
parameters:
  id: {type: integer, range: 0..4, doc: Index of a link}
  kind: {type: string, values: kind, doc: Kind of the link}
  peer: {type: string, form: host, max: 50, doc: Whom to reach}
  port: {type: integer, range: 1..9999, default: 80, doc: Port}
  slot: {type: integer, range: 1..3, supported: 1, doc: Slot}
  delay: {type: integer, range: 0..60, unit: s, doc: Longest wait}
  state: {type: integer, values: state, doc: State of the link}
  age: {type: integer, range: 0..99, unit: s, doc: Age of the link, was: [{before: {revision: R2}, range: 0..50}]}
  note: {type: text, max: 20, doc: A remark}
  size: {type: integer, range: 0..100, doc: Number of bytes}
  most: {type: integer, range: 1..100, doc: Most bytes to read}
  data: {type: data, doc: Data to write}
  format: {type: integer, values: format, doc: Format of data}
  mode: {type: integer, values: mode, doc: How data come}
  code: {type: integer, range: 0..9, doc: Reason}
finals:
  OK: {line: OK, outcome: ok, doc: Done}
  ERROR: {line: ERROR, outcome: error, doc: Refused}
  GONE: {line: GONE, outcome: done, doc: The link is gone, also: [{line: LEFT, evidence: seen, doc: said before}]}
  STUCK: {line: STUCK, outcome: fail, doc: The link is stuck}
commands:
  OPEN:
    section: '1'
    doc: Open a link
    lines:
      OPEN: {line: '+OPEN: <id>,<state>', sets: {'mode[id]': mode}, also: [{line: '+OPEN: <id>,<state>,<mode>', evidence: seen, doc: with the mode}]}
      OPEN.late: {line: '+LATE: <id>', doc: It takes longer}
    set:
      syntax: 'AT+OPEN=<id>,<kind>,<peer>[,<port>[,<delay>]]'
      then: [{line: OPEN, match: id, status: state, ends: {state: [1, 2]}}, {line: OPEN.late, times: 3}]
      within: 60 s
    notes: [Close what fails to open.]
  SHUT:
    section: '1'
    doc: Close a link
    set: {syntax: 'AT+SHUT=<slot>,<id>', then: [{final: GONE}, {final: STUCK}]}
  LIST:
    section: '1'
    doc: List links
    test: ['+LIST: (0-4)']
    lines:
      LIST: {line: '+LIST: <id>,<kind>,<age>', doc: A link}
      LIST.total: {line: '+TOTAL: <size>[,<note>]', doc: How many there are}
    read: {syntax: 'AT+LIST?', response: {LIST: 0..5, LIST.total: 1}}
    forms:
      one: {syntax: 'AT+LIST=<id>', response: {LIST: 0..5}, since: {revision: R1, firmware: {X1: X1R01}}, doc: One link}
  PLAY:
    section: '1'
    doc: Play a tune
    deprecated: {since: {revision: R2}, use: nothing}
    parameters:
      tune: {type: text, quoted: false, max: 8, doc: A tune}
      where: {type: string, form: host, min: 2, max: 8, doc: Where}
    set: {syntax: 'AT+PLAY=<where>,<tune>'}
  FMT:
    section: '2'
    doc: Format of data
    lines:
      FMT: {line: '+FMT: <format>', sets: {format: format}}
    read: {syntax: 'AT+FMT?', response: {FMT: 1}}
    set: {syntax: 'AT+FMT=<format>', sets: {format: format}}
  SEND:
    section: '2'
    doc: Write data
    forms:
      inline:
        syntax: 'AT+SEND=<id>,<size>,<data>'
        data: {in: data, length: size, format: format, max: {text: 100, hex: 50}}
      prompted:
        syntax: 'AT+SEND=<id>'
        data: {in: prompt, until: ctrl-z, cancel: esc, format: text, echo: echo, max: {text: 100}}
        final: {optional: true, evidence: seen, doc: some leave it out}
        then: [{final: GONE}]
  READ:
    section: '2'
    doc: Read data
    lines:
      READ:
        line: '+READ: <size>'
        payload: {length: size, range: 1..100, format: format, inline: inline, was: [{before: {revision: R2}, without: [inline]}]}
        also: [{line: '+READ: <size>', only: {size: 0}, doc: nothing is there}]
    set: {syntax: 'AT+READ=<id>,<most>', response: {READ: 1}, reads: most}
  WHO:
    section: '1'
    doc: Tell who it is
    lines:
      WHO: {line: '+WHO: <note>'}
    read: {syntax: 'AT+WHO?', response: {WHO: 1}}
    execute: {syntax: AT+WHO, response: {WHO: 1}}
    forms:
      more: {syntax: 'AT+WHO="more"', response: {WHO: 1}, asks: true, doc: Tell more}
urcs:
  lost:
    line: '+LOST: <id>,<code>[,<age>]'
    shown: {age: inline == 1}
    doc: A link was lost
  news:
    line: '+NEWS: <id>,<size>'
    payload: {length: size, range: 1..100, format: text, when: 'mode[id] == 1'}
    doc: Data came
  peer:
    line: '+PEER: <peer>'
    extra_fields: {evidence: seen, doc: some say more}
    until: {revision: R1}
    doc: Someone called
  text: {line: '+TEXT: <note>,<code>', doc: A remark}
  number: {line: '+TEXT: <code>,<size>', doc: Two numbers}
  ring:
    line: '+RING: <size>'
    only: {size: 1..3}
    also: [{line: '+RING: <note>'}]
    rules: [{choose: '+RING: <size>', over: '+RING: <note>', because: a number is more than a text}]
    doc: Someone calls
rules:
  - {choose: number, over: text, because: a number is more than a text}
session:
  start: [FMT.read]
  barrier: [FMT.read]
  firmware: WHO.read
  reboot: [READY, HELLO]
examples:
  - {section: '1', title: Close, dialogue: [{host: 'AT+SHUT=1,0'}, {module: OK}, {module: GONE}]}
coverage:
  '2': {by: urcs.lost, doc: it is told there}
reserved:
  - {path: commands.OLD, names: [old()], because: nobody used it}
"""


Change = dict[str, Any]
GONE = object()         # what is removed


@dataclass(frozen=True)
class Case:
    """`at` is where the rule is found; `also`: the rules that must be found with it, and no others."""

    at: str
    does: Change
    doesnt: Change
    also: frozenset[str]


def case(at: str, does: Change, doesnt: Change, also: str = "") -> Case:
    return Case(at, does, doesnt, frozenset(also.split()))


def reserved(path: str, *names: str) -> Change:
    return {"reserved/1": {"path": path, "names": list(names), "because": "it had no use"}}


PING: Change = {"commands/PING": {"section": "1", "doc": "Is anyone there", "execute": {"syntax": "AT+PING"}}}
EXECUTE: Change = {"commands/LIST/execute": {"syntax": "AT+LIST"}}
NEW_STATE: Change = {"values/state/entries/3": {"name": "NEW", "text": "new"}}
NO_STATE: Change = {"values/state/entries/2": GONE}
SWAPPED_KINDS: Change = {"values/kind/entries/A": {"name": "SECOND", "text": "the second"},
                         "values/kind/entries/B": {"name": "FIRST", "text": "the first"}}
SWAPPED_STATES: Change = {"values/state/entries/1": {"name": "LOST", "text": "lost"}, "values/state/entries/2": {"name": "BUSY", "text": "busy"}}
ANOTHER_NUMBER: Change = {**NO_STATE, "values/state/entries/3": {"name": "LOST", "text": "lost"}}
OPEN, LIST, READ = "commands/OPEN/set/syntax", "commands/LIST/forms/one/syntax", "commands/READ/lines/READ"
LISTED = "commands/LIST/lines/LIST/line"
LOST = "urcs/lost/line"

CASES: dict[str, Case] = {
    "S100": case("module", {"module": "small"}, {"title": "Small module"}),
    "S110": case("commands.PING", PING, EXECUTE),
    "S111": case("commands.SHUT", {"commands/SHUT": GONE, **reserved("commands.SHUT", "shut()"), "examples": GONE},
                 {"commands/SHUT/doc": "Close it"}, "D405 D411"),
    "S112": case("commands.LIST.execute", EXECUTE, PING),
    "S113": case("commands.LIST.forms.one", {"commands/LIST/forms": GONE, **reserved("commands.LIST.forms.one", "list_one()", "FEATURE_LIST_ONE")},
                 {"commands/LIST/forms/one/doc": "It"}, "S173 D411"),
    "S114": case("commands.SHUT.set", {"commands/SHUT/set/c_name": "hang_up"}, {"commands/SHUT/set/c_name": "shut"}),
    "S115": case("commands.LIST.forms.one", {"commands/LIST/forms/one/response": {"LIST": "0..1"}},
                 {"commands/LIST/forms/one/response": {"LIST": "0..4"}}, "R364"),
    "S116": case("commands.READ.set", {"commands/READ/set/reads": GONE}, {"commands/READ/set/doc": "Read some"}),
    "S120": case("commands.LIST.forms.one.age", {LIST: "AT+LIST=<id>[,<age>]"},
                 {LIST: 'AT+LIST=<id>[,"all"]'}, "T201"),
    "S121": case("commands.LIST.forms.one.age", {LIST: "AT+LIST=<id>,<age>"},
                 {LIST: "AT+LIST=<id>[,<age>]"}, "T200 T201"),
    "S122": case("commands.OPEN.set.delay", {OPEN: "AT+OPEN=<id>,<kind>,<peer>[,<port>]", **reserved("commands.OPEN.set.delay", "struct open.delay")},
                 {OPEN: "AT+OPEN=<id>,<kind>,<peer>[,<port>,<delay>]"}, "T200 D411"),
    "S123": case("parameters.peer", {"parameters/peer/c_name": "remote"}, {"parameters/peer/c_name": "peer"}),
    "S124": case("commands.OPEN.set.peer", {OPEN: "AT+OPEN=<id>,<kind>[,<peer>[,<port>[,<delay>]]]"},
                 {OPEN: "AT+OPEN=<id>,<kind>,<peer>[,<port>,<delay>]"}, "T201"),
    "S125": case("commands.OPEN.set.port", {OPEN: "AT+OPEN=<id>,<kind>,<peer>,<port>[,<delay>]"},
                 {OPEN: "AT+OPEN=<id>,<kind>,<peer>[,<port>,<delay>]"}, "T200"),
    "S126": case("parameters.age", {"parameters/age/range": "0..4294967295"},
                 {"parameters/age/range": "0..2147483647"}, "R310"),
    "S127": case("parameters.state", {"parameters/state/values": "kinds", "values/state/section": "1",
                                      "values/kinds": {"doc": "Kinds", "entries": {0: {"name": "A", "text": "a"}, 1: {"name": "B", "text": "b"}, 2: {"name": "C", "text": "c"}}}},
                 {"values/state/doc": "States"}, "S140 D402"),
    "S130": case("urcs.found", {"urcs/found": {"line": "+FOUND: <id>", "doc": "A link was found"}},
                 {"urcs/lost/also": [{"line": "+LOST: <id>"}]}, "R300"),
    "S131": case("urcs.peer", {"urcs/peer": GONE, **reserved("urcs.peer", "struct peer_urc")}, {"urcs/peer/doc": "Someone calls"}, "R301 D411"),
    "S132": case("urcs.peer", {"urcs/peer/c_name": "caller"}, {"urcs/peer/c_name": "peer"}),
    "S133": case("urcs.peer.age", {"urcs/peer/line": "+PEER: <peer>[,<age>]"},
                 {"urcs/peer/line": "+PEER: <peer>[,here]"}, "R302 S160"),
    "S134": case("commands.LIST.lines.LIST.age", {LISTED: "+LIST: <id>,<kind>", **reserved("commands.LIST.lines.LIST.age", "struct list_response.age")},
                 {LISTED: "+LIST: <id>,<age>,<kind>"}, "R302 R303 D411"),
    "S135": case("commands.LIST.lines.LIST.age", {LISTED: "+LIST: <id>,<kind>[,<age>]"},
                 {LISTED: "+LIST: <id>,<age>,<kind>"}, "R302"),
    "S136": case("commands.LIST.lines.LIST.total.note", {"commands/LIST/lines/LIST.total/line": "+TOTAL: <size>,<note>"},
                 {"commands/LIST/lines/LIST.total/doc": "How many"}, "R303"),
    "S140": case("values.colour", {"values/colour": {"section": "1", "doc": "Colour", "entries": {0: {"name": "RED", "text": "red"}}}},
                 NEW_STATE),
    "S141": case("values.state", {"values/state": GONE, "parameters/state/values": GONE, "parameters/state/range": "0..2", **reserved("values.state", "enum state", "STATE_IDLE", "STATE_BUSY", "STATE_LOST")},
                 {"values/state/doc": "States"}, "S127 D411"),
    "S142": case("values.state.entries.3", NEW_STATE, ANOTHER_NUMBER, "R312"),
    "S143": case("values.state.entries.2", {**NO_STATE, **reserved("values.state.2", "STATE_LOST")}, ANOTHER_NUMBER, "R313 D411"),
    "S144": case("values.state.entries.2", {"values/state/entries/2/name": "MISSING"}, SWAPPED_STATES),
    "S145": case("values.state.entries.3", {**ANOTHER_NUMBER, **reserved("values.state.2")}, {"values/state/entries/2/name": "MISSING"}, "R312 R313 D411"),
    "S150": case("settings.extra", {"settings/extra": {"values": "switch", "default": 0, "stored": "ram", "doc": "More"}},
                 {"settings/echo/stored": "nvram"}),
    "S151": case("settings.echo", {"settings/echo": GONE, "commands/SEND/forms/prompted/data/echo": GONE, **reserved("settings.echo", "SETTING_ECHO")},
                 {"settings/echo/stored": "nvram"}, "R324 D411"),
    "S152": case("settings.spare", {"settings/spare/per": GONE}, {"parameters/id/range": "1..4", "examples": GONE}, "R331"),
    "S160": case("command_max", {"parameters/peer/max": 500}, {"parameters/most/range": "1..999"}, "T203 R310"),
    "S170": case("commands.LIST.forms.one", {"commands/LIST/forms/one/since/revision": "R2"}, {"commands/LIST/forms/one/doc": "It"}),
    "S171": case("commands.OPEN", {"commands/OPEN/deprecated": {"use": "nothing"}}, {"commands/OPEN/doc": "Open it"}),
    "S172": case("features.SHUT", {"commands/SHUT/since": {"firmware": {"X1": "X1R01"}}}, {"commands/SHUT/since": {"revision": "R2"}, "examples": GONE}, "S170"),
    "S173": case("features.LIST_ONE", {"commands/LIST/forms/one/since/firmware": GONE}, {"commands/LIST/forms/one/since/revision": "R2"}, "S170"),
    "S180": case("values.state.entries.2", NO_STATE, {**NO_STATE, **reserved("values.state.2", "STATE_LOST")}, "S143 R313"),
    "S181": case("reserved.commands.OLD", {"reserved": GONE}, {"reserved/0/because": "it never worked"}),
    "S182": case("urcs.peer", {"urcs/peer": GONE, **reserved("urcs.peer", "PEER")}, {"urcs/peer": GONE, **reserved("urcs.peer", "struct peer_urc")}, "S131 R301 D411"),
    "T200": case("commands.SHUT.set", {"commands/SHUT/set/syntax": "AT+SHUT=<id>,<slot>", "examples": GONE},
                 {"parameters/slot/doc": "A slot"}, "T201 D405"),
    "T201": case("commands.LIST.forms.one", {LIST: 'AT+LIST=<id>[,"all"]'}, {"parameters/delay/range": "0..59"}),
    "T202": case("commands.PLAY.parameters.tune", {"commands/PLAY/parameters/tune/type": "string", "commands/PLAY/parameters/tune/quoted": GONE},
                 {"commands/PLAY/parameters/tune/doc": "Any tune"}),
    "T203": case("parameters.most", {"parameters/most/range": "1..101"}, {"parameters/code/range": "0..10"}),
    "T204": case("commands.PLAY.parameters.where", {"commands/PLAY/parameters/where/form": "ip"},
                 {"commands/PLAY/parameters/where/form": GONE}),
    "T205": case("values.kind.entries.C", {"values/kind/entries/C": {"name": "THIRD", "text": "the third"}}, NEW_STATE, "S142 R312"),
    "T206": case("values.kind.entries.B", {"values/kind/entries/B": GONE, **reserved("values.kind.B", "KIND_SECOND")}, NO_STATE, "S143 R313 D411"),
    "T207": case("parameters.slot", {"parameters/slot/supported": 2, "examples": GONE}, {"parameters/slot/supported": GONE}, "D405"),
    "T208": case("parameters.slot", {"parameters/slot/supported": GONE}, {"parameters/slot/supported": 2, "examples": GONE}),
    "T209": case("parameters.port", {"parameters/port/default": 81}, {"settings/echo/default": 1}),
    "T210": case("parameters.delay", {"parameters/delay/unit": "min"}, {"parameters/age/unit": "min"}),
    "T211": case("values.kind.entries.A", SWAPPED_KINDS, {"values/kind/entries/A/name": "PRIME"}, "S145 R317"),
    "T220": case("commands.SEND.forms.prompted.data", {"commands/SEND/forms/prompted/data/max/text": 101}, {READ + "/payload/range": "1..101"}),
    "T221": case("commands.SEND.forms.inline.data", {"commands/SEND/forms/inline/data/max/hex": 49}, {"commands/SEND/forms/inline/data/max/hex": 51}),
    "T222": case("commands.SEND.forms.inline.data", {"commands/SEND/forms/inline/syntax": "AT+SEND=<id>,<size>", "commands/SEND/forms/inline/data/in": "prompt"},
                 {"commands/SEND/forms/prompted/data/max/text": 99}, "T200 T201 D400 S160"),
    "T230": case("session.start", {"session/start": ["LIST.read"]}, {"commands/FMT/read/doc": "Ask"}),
    "T231": case("commands.WHO.execute", {"commands/WHO/execute/asks": True}, {"commands/WHO/execute/asks": False}),
    "T232": case("commands.WHO.forms.more", {"commands/WHO/forms/more/asks": GONE}, {"commands/WHO/read/asks": True}),
    "T233": case("session.firmware", {"session/firmware": "LIST.read"}, {"session/barrier": ["WHO.read"]}),
    "R300": case("finals.LATER", {"finals/LATER": {"line": "LATER", "outcome": "fail", "doc": "Not yet"}},
                 {"finals/STUCK/also": [{"line": "JAMMED"}]}, "S130"),
    "R301": case("finals.STUCK", {"finals/STUCK": GONE, "commands/SHUT/set/then/1": GONE, **reserved("finals.STUCK", "LINE_STUCK_FINAL")},
                 {"commands/SHUT/set/then/1": GONE}, "S131 R341 D411"),
    "R302": case("urcs.lost", {"urcs/lost/also": [{"line": "+LOST: <id>"}]}, {"parameters/code/doc": "A reason"}, "S135"),
    "R303": case("finals.STUCK", {"finals/STUCK/line": "JAMMED"}, {"finals/STUCK/also": [{"line": "JAMMED"}]}, "R302"),
    "R304": case("commands.LIST.lines.LIST.line", {LISTED: "+LIST: <age>,<kind>,<id>"}, {LISTED: "+LIST: <id>,<kind>"}),
    "R305": case("parameters.note", {"parameters/note/quoted": True}, {"parameters/note/max": 30}),
    "R306": case("commands.READ.lines.READ.also.+READ: <size>", {READ + "/also/0/only": {"size": "-1..0"}}, {READ + "/also/0/doc": "none"}),
    "R307": case("commands.READ.lines.READ.also.+READ: <size>", {READ + "/also/0/only": {"size": "-1..-1"}},
                 {READ + "/also/0/only": {"size": "-1..0"}}, "R306"),
    "R308": case("urcs.lost", {"urcs/lost/extra_fields": True}, {"urcs/lost/doc": "It was lost"}),
    "R309": case("urcs.peer", {"urcs/peer/extra_fields": GONE}, {"urcs/peer/extra_fields": True}),
    "R310": case("parameters.code", {"parameters/code/range": "0..10"}, {"parameters/most/range": "1..101"}),
    "R311": case("parameters.code", {"parameters/code/range": "0..8"}, {"parameters/most/range": "1..99"}),
    "R312": case("values.state.entries.3", NEW_STATE, {"values/state/entries/2/text": "gone"}, "S142"),
    "R313": case("values.state.entries.2", {**NO_STATE, **reserved("values.state.2", "STATE_LOST")}, {"values/state/entries/2/name": "GONE"}, "S143 D411"),
    "R314": case("values.state", {"values/state/open": True}, {"values/state/open": False}),
    "R315": case("values.broad", {"values/broad/open": False}, {"values/state/open": True}),
    "R316": case("parameters.age", {"parameters/age/unit": "min"}, {"parameters/delay/unit": "min"}),
    "R317": case("values.state.entries.1", SWAPPED_STATES, {"values/state/entries/1/name": "ACTIVE"}, "S145"),
    "R320": case("commands.READ.lines.READ.payload", {READ + "/payload/format": "hex"}, {READ + "/payload/range": "1..99"}),
    "R321": case("commands.READ.lines.READ.payload", {READ + "/payload/range": "1..101"}, {READ + "/payload/range": "1..99"}),
    "R322": case("commands.READ.lines.READ.payload", {READ + "/payload/range": "1..99"}, {READ + "/payload/range": "1..101"}),
    "R323": case("urcs.lost.line", {"urcs/lost/shown": {"age": "inline == 0"}}, {"settings/inline/doc": "Where"}),
    "R324": case("commands.SEND.forms.prompted.data", {"commands/SEND/forms/prompted/data/echo": "inline"}, {"settings/echo/doc": "Echo"}),
    "R330": case("commands.FMT.set", {"commands/FMT/set/sets": GONE}, {"commands/FMT/set/doc": "Choose"}),
    "R331": case("settings.echo", {"settings/echo/default": 1}, {"settings/echo/doc": "Echo"}),
    "R340": case("commands.READ.set.then.GONE", {"commands/READ/set/then": [{"final": "GONE"}]},
                 {"commands/READ/set/response_time": "300 ms"}),
    "R341": case("commands.SHUT.set.then.STUCK", {"commands/SHUT/set/then/1": GONE}, {"finals/STUCK/doc": "Stuck"}),
    "R342": case("commands.OPEN.set.then.OPEN", {"commands/OPEN/set/then/0/status": GONE}, {"commands/OPEN/lines/OPEN/doc": "Opened"}),
    "R343": case("finals.STUCK", {"finals/STUCK/outcome": "done"}, {"finals/STUCK/doc": "Stuck"}),
    "R344": case("commands.SHUT.set", {"commands/SHUT/set/final": {"optional": True}}, {"commands/SHUT/set/final": {"optional": False}}),
    "R345": case("commands.SEND.forms.prompted", {"commands/SEND/forms/prompted/final/optional": False},
                 {"commands/SEND/forms/prompted/final/doc": "some do"}),
    "R350": case("commands.OPEN.set", {"commands/OPEN/set/within": "61 s"}, {"commands/OPEN/set/within": "60000 ms"}),
    "R351": case("commands.OPEN.set", {"commands/OPEN/set/response_time": "299 ms"}, {"commands/OPEN/set/response_time": "300 ms"}),
    "R352": case("commands.OPEN.set", {"commands/OPEN/set/within": "60 s * port"}, {"commands/OPEN/set/within": "59 s"}),
    "R360": case("commands.LIST.forms.one.response.LIST.total", {"commands/LIST/forms/one/response/LIST.total": "0..1"},
                 {"commands/LIST/forms/one/response/LIST": "0..6"}, "S115"),
    "R361": case("commands.LIST.read.response.LIST.total", {"commands/LIST/read/response": {"LIST": "0..5"}, "commands/LIST/forms/one/response/LIST.total": 1},
                 {"commands/LIST/read/response/LIST": "0..4"}, "S115 R360"),
    "R362": case("commands.LIST.read.response.LIST", {"commands/LIST/read/response/LIST": "0..6"}, {"commands/LIST/read/response/LIST": "0..4"}),
    "R363": case("commands.LIST.read.response.LIST", {"commands/LIST/read/response/LIST": "1..5"}, {"commands/LIST/read/response/LIST": "0..6"}),
    "R364": case("commands.LIST.read.response.LIST", {"commands/LIST/read/response/LIST": "0..4"}, {"commands/LIST/read/response/LIST": "0..6"}),
    "R370": case("rules.number | text", {"rules/0/choose": "text", "rules/0/over": "number"}, {"rules/0/because": "so"}),
    "R371": case("session.reboot.BOOT", {"session/reboot": ["BOOT", "HELLO", "READY"]}, {"session/reboot": ["HELLO", "READY"]}),
    "R372": case("session.reboot.HELLO", {"session/reboot": ["READY"]}, {"session/reboot": ["HELLO", "READY"]}),
    "R373": case("commands.LIST.test", {"commands/LIST/test": ["+LIST: (0-5)"]}, {"parameters/code/range": "0..8"}),
    "D400": case("parameters.code", {"parameters/code/doc": "A reason"}, {"commands/OPEN/notes": ["Or don't."]}),
    "D401": case("commands.OPEN", {"commands/OPEN/notes": ["Or don't."]}, {"commands/OPEN/doc": "Open it"}),
    "D402": case("commands.OPEN", {"commands/OPEN/section": "2"}, {"commands/OPEN/doc": "Open it"}),
    "D403": case("source.version", {"source/version": "2"}, {"source/sections/1": "The first"}),
    "D404": case("source.sections.1", {"source/sections/1": "The first"}, {"source/version": "2"}),
    "D405": case("examples.Close", {"examples/0/dialogue/2": GONE, "examples/0/dialogue/1": {"module": "ERROR"}},
                 {"commands/SHUT/doc": "Close it"}),
    "D406": case("urcs.peer", {"urcs/peer/extra_fields/evidence": "driver"}, {"urcs/peer/extra_fields/doc": "some do"}),
    "D407": case("values.state.entries.2", {"values/state/entries/2/text": "gone"}, {"values/state/entries/2/doc": "gone"}),
    "D408": case("urcs.lost.reason", {"parameters/code": GONE, "urcs/lost/line": "+LOST: <id>,<reason>[,<age>]", "urcs/text/line": "+TEXT: <note>,<reason>",
                                      "urcs/number/line": "+TEXT: <reason>,<size>",
                                      "parameters/reason": {"type": "integer", "range": "0..9", "doc": "Reason", "c_name": "code"}},
                 {"parameters/code/c_name": "reason"}),
    "D409": case("rules.number | text", {"rules/0/because": "so"}, {"urcs/text/doc": "so"}),
    "D410": case("coverage.2", {"coverage/2/by": "urcs.peer"}, {"urcs/lost/section": "2"}),
    "D411": case("reserved.commands.NEVER", reserved("commands.NEVER"), {"reserved/0/because": "it never worked"}),
}


def changed(tree: Any, change: Change) -> Any:
    """A tree with other things at some paths; what is GONE is removed once all else is in place."""
    tree = copy.deepcopy(tree)
    gone = []
    for path, value in change.items():
        owner, *rest = tree, *path.split("/")
        for step in rest[:-1]:
            if isinstance(owner, dict):
                owner.setdefault(key(owner, step), {})
            owner = owner[key(owner, step)]
        last = key(owner, rest[-1])
        if value is GONE:
            gone.append((owner, last))
        elif isinstance(owner, list) and last == len(owner):
            owner.append(value)
        else:
            owner[last] = value
    for owner, last in gone:
        del owner[last]
    return tree


def key(owner: Any, step: str) -> Union[str, int]:
    number = step.isdigit() and (isinstance(owner, list) or any(isinstance(k, int) for k in owner))
    return int(step) if number else step
