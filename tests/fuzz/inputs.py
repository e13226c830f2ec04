"""What fuzzers begin with, from a spec: a dictionary of its words, and its examples and
transcripts as inputs. And inputs kept as text: lists with an input a line, in the notation of
tests/transcripts.

An input is text, then choices that are read from its end: see fuzz.h.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Iterable, Iterator, Optional

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "gen"))

from atspec.build import load_spec  # noqa: E402
from atspec.model import Example, Form, Line, Spec  # noqa: E402

# The module's side reads what the host says; all others read what the module says.
HOST_SAYS = {"command"}
UNKNOWN = -1


# The notation ---------------------------------------------------------------------------

def escape(data: bytes) -> str:
    names = {0x0D: "\\r", 0x0A: "\\n", 0x5C: "\\\\"}
    return "".join(names.get(b) or (chr(b) if 0x20 <= b <= 0x7E else f"\\x{b:02x}") for b in data)


def unescape(text: str) -> bytes:
    def one(m: re.Match[str]) -> str:
        if m["times"]:
            return unescape(m["unit"]).decode("latin-1") * int(m["times"])
        return {"r": "\r", "n": "\n", "\\": "\\"}.get(m["char"] or "") or chr(int(m["hex"], 16))
    token = r"\\(?:\{(?P<times>\d+)\*(?P<unit>[^}]*)\}|x(?P<hex>[0-9a-f]{2})|(?P<char>[rn\\]))"
    return re.sub(token, one, text).encode("latin-1")


def read_list(path: Path) -> list[bytes]:
    return [unescape(line) for line in path.read_text().splitlines() if line] if path.exists() else []


def write_list(path: Path, inputs: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(escape(data) + "\n" for data in sorted(inputs, key=lambda d: (len(d), d)) if data))


# Inputs of a spec -----------------------------------------------------------------------

Settings = dict[str, int]       # "access_mode[0]" -> 1


def choices(spec: Spec, settings: Settings, *more: int) -> bytes:
    """The end of an input: settings, then what else the target chooses."""
    chosen: list[int] = []
    for setting in spec.settings:
        most = max(int(entry.key) for entry in setting.values.entries)
        for slot in range(setting.slots):
            value = settings.get(f"{setting.name}[{slot}]", settings.get(setting.name, setting.default))
            chosen.append(most + 1 if value == UNKNOWN else value)
    return bytes(ord("0") + value for value in reversed(chosen + list(more)))


def form_named(spec: Spec, name: str) -> Optional[Form]:
    return next((f for f in spec.forms if f"{f.command.name}.{f.name}" == name), None)


def module_says(spec: Spec, example: Example, inline: int) -> bytes:
    lines = {line.name: line for line in spec.lines}
    said = ""
    for step in example.steps:
        if step.kind == "host":
            said += f"{step.text}\r"
        elif step.kind == "module":
            line: Optional[Line] = lines.get(step.name)
            comma = inline and line and line.payload and line.payload.inline
            payload = "" if step.payload is None else ("," if comma else "\r\n") + step.payload
            said += f"\r\n{step.text}{payload}\r\n"
        elif step.kind == "prompt":
            said += f"\r\n{step.text}"
    return said.encode()


def host_says(example: Example) -> bytes:
    return "".join(f"{step.text}\r" for step in example.steps if step.kind == "host").encode()


def of_examples(spec: Spec, target: str) -> Iterator[bytes]:
    inline = {line.payload.inline.name for line in spec.lines if line.payload and line.payload.inline}
    for example in spec.examples:
        if target in HOST_SAYS:
            yield host_says(example) + choices(spec, example.settings)
            continue
        for value in (0, 1):
            settings = {**example.settings, **{name: value for name in inline}}
            yield module_says(spec, example, value) + choices(spec, settings)


def assignments(spec: Spec, words: str) -> Settings:
    pairs = (word.split("=") for word in words.split())
    return {name: UNKNOWN if value == "?" else int(value) for name, value in pairs}


def of_transcripts(spec: Spec, files: Iterable[Path]) -> Iterator[bytes]:
    for file in files:
        said = b""
        settings: Settings = {}
        for line in file.read_text().splitlines() + ["=="]:
            word, _, rest = line.partition(" ")
            if word == "==":
                if said:
                    yield said + choices(spec, settings)
                said, settings = b"", {}
            elif word == "<":
                said += unescape(rest)
            elif word == "<<":
                said += b"\r\n" + unescape(rest) + b"\r\n"
            elif word == "set":
                settings = {**settings, **assignments(spec, rest)}


def script(spec: Spec, *steps: list[int]) -> bytes:
    """An input of the fuzzed client: see client.c, whose steps choose by 12 bytes each."""
    slots = sum(setting.slots for setting in spec.settings)
    padded = [step + [0] * (12 - len(step)) for step in steps]
    settled = [0] * (slots + 5) + [4]
    return bytes(ord("0") + value & 0xFF for value in reversed(sum(padded, settled)))


def of_client(spec: Spec) -> Iterator[bytes]:
    """Each form is answered; and each is given up while its answer is held up on its way."""
    answer, hold, release, wait, cancel = [15, 31], [14], [14], [3, 8], [10, 0]
    for i in range(min(len(spec.forms), 256)):
        start = [0, i, 0, 0, 0, i, 3, 2, 2]
        yield script(spec, start, answer)
        for passes in (8, 24, 40):
            held = [*hold, passes]
            yield script(spec, start, held, answer, cancel, release)
            yield script(spec, start, held, answer, wait, release)


def seeds(spec: Spec, target: str, transcripts: Iterable[Path]) -> list[bytes]:
    if target == "client":
        return list(of_client(spec))
    found = list(of_examples(spec, target))
    if target not in HOST_SAYS:
        found += of_transcripts(spec, transcripts)
    return [data for data in found if len(data) <= 4096]


def words(spec: Spec) -> list[bytes]:
    """What stands on the wire: how lines begin, values, what the manual's test answers say."""
    found = {"\r", "\n", "\r\n", "\r\r\n", ">", "> ", ",", '"', "AT", "(", "\x1a", "\x1b", "-1",
             "2147483648", "4294967296", "99999999999"}
    for line in spec.lines:
        found.update(variant.template.head for variant in line.variants)
        found.update(f'"{f.literal}"' if f.quoted else f.literal
                     for variant in line.variants for f in variant.template.fields if f.literal)
        if line.payload:
            found.update(str(n) for n in (line.payload.limits[1], line.payload.limits[1] + 1))
    for form in spec.forms:
        found.add(form.syntax.head)
        found.update(form.test_lines)
        found.update(f'"{f.literal}"' if f.quoted else f.literal for f in form.syntax.fields if f.literal)
    for table in spec.values:
        found.update(f'"{e.key}"' if isinstance(e.key, str) else str(e.key) for e in table.entries)
    found.update(spec.reboot)
    return sorted(word.encode() for word in found if word)


def dictionary(spec: Spec) -> str:
    def quoted(word: bytes) -> str:
        return "".join(chr(b) if 0x20 <= b <= 0x7E and chr(b) not in '"\\' else f"\\x{b:02X}" for b in word)
    return "".join(f'"{quoted(word)}"\n' for word in words(spec) if len(word) <= 64)


def load(path: Path) -> Spec:
    spec, found = load_spec(str(path))
    if spec is None:
        raise SystemExit("\n".join(str(d) for d in found))
    return spec
