"""Bugs are planted in a copy, one at a time; the target meant for each finds it within a minute.

A plant is a text that is replaced in the runtime or in generated code. Where the text isn't found
any more, or found twice, the plant is to be renewed: that is a failure too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from inputs import ROOT
from run import TARGETS

BUILD = ROOT / "build" / "fuzz"
GENERATED = BUILD / "generated" / "bc26"
SECONDS = 60
FLAGS = ["-std=c99", "-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=fuzzer-no-link,address,undefined",
         "-fno-sanitize-recover=all", f"-I{ROOT}/include", f"-I{ROOT}/src/runtime", f"-I{GENERATED}"]


@dataclass(frozen=True)
class Plant:
    what: str
    target: str
    file: Path
    old: str
    new: str


def runtime(what: str, target: str, file: str, old: str, new: str) -> Plant:
    return Plant(what, target, ROOT / "src" / "runtime" / file, old, new)


PLANTS = [
    runtime("a payload is one byte longer than announced", "stream", "stream.c",
            "s->left = (uint32_t)line->payload * (line->hex ? 2u : 1u);",
            "s->left = (uint32_t)line->payload * (line->hex ? 2u : 1u) + 1u;"),
    Plant("OK is matched as a prefix", "stream", GENERATED / "bc26_head.rl",
          " 'OK' eol", " 'OK' [^\\n]* eol"),
    runtime("an index from the wire is unchecked", "stream", "stream.c",
            "key >= payload->when_slots)) {", "key > INT16_MAX)) {"),
    runtime("where a field begins depends on the chunks", "split", "stream.c",
            "at_scan(&scan, s->window + s->line, (size_t)(s->scan - s->line), &p, end);",
            "at_scan(&scan, s->window + s->line, (size_t)(scan.marks[0].begin), &p, end);"),
    runtime("a payload isn't read to where it belongs after the first piece", "split", "stream.c",
            "        s->direct += n;\n", "        s->direct += n - (n > 1);\n"),
    runtime("the module takes a number beyond its range", "command", "arguments.c",
            "if (!at_in_range(kind, value)) {",
            "if (!at_in_range(kind, value) && !at_in_range(kind, value - 1u)) {"),
    runtime("a semicolon goes into a command line", "roundtrip", "arguments.c",
            "memchr(text, '\"', len) == NULL &&\n           memchr(text, ';', len) == NULL;",
            "memchr(text, '\"', len) == NULL;"),
    runtime("the line behind one that fits nothing is lost", "structured", "stream.c",
            "    found->event.record = record;\n    begin_line(s);\n    return true;",
            "    found->event.record = record;\n    begin_line(s);\n    s->state = SKIP;\n    return true;"),
    runtime("a deadline never passes", "client", "client.c",
            "return c->phase == PHASE_READY || elapsed >= c->wait ? 0 : c->wait - elapsed;",
            "return c->phase == PHASE_READY ? 0 : elapsed >= c->wait ? 1 : c->wait - elapsed;"),
    runtime("a command's buffer is written after its end", "client", "client.c",
            "        at_stream_direct(&c->stream, NULL);\n    }\n"
            "    at_stream_expect_prompt(&c->stream, c->stuck > 0);",
            "    }\n    at_stream_expect_prompt(&c->stream, c->stuck > 0);"),
    runtime("nothing is sent to leave data mode", "client", "client_recovery.c",
            "c->fill = c->stuck;", "c->fill = 0;"),
]


def compiled(plant: Plant, folder: Path) -> Path:
    text = plant.file.read_text()
    if text.count(plant.old) != 1:
        raise SystemExit(f"{plant.what}: {plant.file.name} has {text.count(plant.old)} times\n{plant.old}")
    source = folder / plant.file.name
    source.write_text(text.replace(plant.old, plant.new))
    if source.suffix == ".rl":
        subprocess.run(["ragel", "-C", "-L", "-G2", str(source), "-o", str(source.with_suffix(".c"))], check=True)
        source = source.with_suffix(".c")
    out = source.with_suffix(".o")
    subprocess.run(["clang", *FLAGS, "-c", str(source), "-o", str(out)], check=True)
    return out


def linked(plant: Plant, planted: Path, folder: Path) -> Path:
    """What is given as an object takes the place of the library's."""
    objects = BUILD / "CMakeFiles"
    program = folder / plant.target
    subprocess.run(["clang", "-fsanitize=fuzzer,address,undefined", str(planted),
                    *map(str, (objects / "fuzz_common.dir").rglob("*.o")),
                    *map(str, (objects / f"fuzz_{plant.target}.dir").rglob("*.o")),
                    *(str(BUILD / f"lib{name}.a") for name in ("bc26_module", "bc26", "atspec")),
                    "-o", str(program)], check=True)
    return program


def hunted(program: Path, target: str, folder: Path) -> Optional[str]:
    """What the target says of the bug; None when it finds none."""
    seeds = folder / "seeds"
    seeds.mkdir()
    for i, data in enumerate(TARGETS[target].beginnings()[1]):
        (seeds / str(i)).write_bytes(data)
    done = subprocess.run([str(program), f"-max_total_time={SECONDS}", "-max_len=4096", "-timeout=10",
                           f"-artifact_prefix={folder}/", str(seeds)],
                          capture_output=True, text=True, errors="replace", cwd=folder)
    if done.returncode == 0:
        return None
    said = [line for line in done.stderr.splitlines()
            if line.startswith("finding:") or "runtime error:" in line or "ERROR: AddressSanitizer" in line]
    return said[0].removeprefix("finding: ") if said else "it ends otherwise"


def caught(plant: Plant) -> bool:
    folder = Path(tempfile.mkdtemp(prefix="planted"))
    try:
        program = linked(plant, compiled(plant, folder), folder)
        start = time.monotonic()
        said = hunted(program, plant.target, folder)
        took = time.monotonic() - start
    finally:
        shutil.rmtree(folder)
    print(f"{plant.target:12} {plant.what:64} " + (f"{took:5.1f} s  {said[:70]}" if said else "NOT FOUND"), flush=True)
    return said is not None


def main() -> int:
    for command in (["cmake", "--preset", "fuzz"], ["cmake", "--build", "--preset", "fuzz"]):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stdout + done.stderr)
    # The wall clock of the hunt is a limit, not what is tested.
    missed = [plant.what for plant in PLANTS if not caught(plant)]
    print(f"{len(PLANTS) - len(missed)} of {len(PLANTS)} planted bugs are found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
