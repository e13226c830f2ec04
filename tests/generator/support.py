"""What the tests of the generator share."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
MUST_FAIL = Path(__file__).resolve().parent / "must_fail"
SHIPPED = REPOSITORY / "spec" / "quectel" / "bc26-tcpip.yaml"
FRAGMENT = REPOSITORY / "spec" / "common" / "v250.yaml"

sys.path.insert(0, str(REPOSITORY / "gen"))
sys.dont_write_bytecode = True

from atspec.build import load_spec as load_spec  # noqa: E402
from atspec.diag import Diagnostic  # noqa: E402
from atspec.model import Spec  # noqa: E402

HEADER = "atspec: 1\ntitle: Tiny\n"
# A module with one command, and no settings, parameters or lines.
SMALLEST = """\
atspec: 1
module: tiny
title: Tiny
source: {document: None, version: '1', date: '2020-01-01', sections: {'1': All}}
defaults: {response_time: 300 ms}
finals:
  OK: {line: OK, outcome: ok, doc: Done}
  ERROR: {line: ERROR, outcome: error, doc: Refused}
commands:
  PLAIN: {section: '1', doc: Do it, execute: {syntax: AT+PLAIN}}
"""
_TRAILING = re.compile(r"# expect: ((?:[EW]\d{3} ?)+)$")
_AT_LINE = re.compile(r"# expect: ([EW]\d{3}) at (\d+)$")


def expectations(path: Path) -> set[tuple[str, str, int]]:
    """(file, code, line) of the comments `# expect:` in a spec and its parts."""
    found = set()
    text = path.read_bytes().decode("utf-8", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        at = _AT_LINE.search(line)
        trailing = _TRAILING.search(line)
        if at:
            found.add((path.name, at.group(1), int(at.group(2))))
        elif trailing:
            found |= {(path.name, code, number) for code in trailing.group(1).split()}
        for part in re.findall(r"parts/\w+\.yaml", line):
            found |= expectations(path.parent / part)
    return found


def how_to_load(path: Path) -> dict[str, Any]:
    """What a spec's first lines say of its view and overlays: `# at: V1.0`, `# overlay: parts/x.yaml`."""
    said = dict(re.findall(r"^# (at|overlay): (.*)$", path.read_bytes().decode("utf-8", "replace"), re.M))
    return {"at": said.get("at"), "overlays": [str(path.parent / said["overlay"])] if "overlay" in said else []}


def findings(diagnostics: list[Diagnostic]) -> set[tuple[str, str, int]]:
    return {(os.path.basename(d.file), d.code, d.line) for d in diagnostics}


@contextmanager
def spec_file(text: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tiny.yaml")
        Path(path).write_text(text, "utf-8")
        yield path


def check_text(text: str) -> list[Diagnostic]:
    """The findings in a fragment given without its header."""
    with spec_file(HEADER + text) as path:
        return load_spec(path, fragment=True)[1]


def load_text(text: str) -> Spec:
    with spec_file(HEADER + text) as path:
        spec, diagnostics = load_spec(path, fragment=True)
    assert spec, "\n".join(map(str, diagnostics))
    return spec
