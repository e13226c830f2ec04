"""What atspec takes of a microcontroller: flash, RAM for each client, and the deepest stack.

Each choice is a small program that uses exactly that, linked with --gc-sections for each target whose
compiler is there. Flash is what the linker kept, tables and libgcc included, and the program itself and
the C library's memcpy and the like left out. Stack is the longest path in gcc's call graph; a user's
callbacks count nothing. Fails when anything but those functions is needed from outside, when something
writable is global, or when the stack has no bound.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[2]
# What the rows are called, in each README.
READMES: dict[str, dict[str, str]] = {"README.md": {}, "README.zh-CN.md": {
    "stream parser": "流解析器", "codec": "编解码器", "all commands": "全部命令", "`QIRD` alone": "只有 `QIRD`",
    "sockets": "sockets API", "with names": "带名称", "RAM: `struct at_client`": "RAM：`struct at_client`",
    "of it `struct at_stream`": "其中 `struct at_stream`"}}
MEASURED = "12"     # the major version of gcc that the READMEs' figures are of
SPEC = "spec/quectel/bc26-tcpip.yaml"
MODULE = "bc26"
SKIPPED = 77
STRICT = ("-Os -std=c99 -ffreestanding -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables "
          "-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror").split()
GENERATED = [f"{MODULE}.c", f"{MODULE}_calls.c", f"{MODULE}_heads.c", "scan.c"]
# The module's side of the runtime, which no host needs.
RUNTIME = sorted(p for p in (ROOT / "src/runtime").glob("*.c") if p.stem not in ("command", "view"))
C_LIBRARY = ("memcpy", "memmove", "memset", "memcmp", "memchr")


@dataclass(frozen=True)
class Target:
    name: str
    compiler: str
    flags: tuple[str, ...]
    package: str

    @property
    def there(self) -> bool:
        return shutil.which(self.compiler) is not None

    def tool(self, name: str) -> str:
        return self.compiler.replace("-gcc", f"-{name}")


TARGETS = [
    Target("Cortex-M0+", "arm-none-eabi-gcc", ("-mcpu=cortex-m0plus", "-mthumb"), "gcc-arm-none-eabi"),
    Target("Cortex-M4", "arm-none-eabi-gcc", ("-mcpu=cortex-m4", "-mthumb"), "gcc-arm-none-eabi"),
    Target("RV32IMC", "riscv64-unknown-elf-gcc",
           ("-march=rv32imc", "-mabi=ilp32", "--specs=picolibc.specs"),
           "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf"),
]

STREAM = ["at_stream_init", "at_stream_reserve", "at_stream_commit", "at_stream_finish"]
CLIENT = [f"at_client_{name}" for name in (
    "init", "start", "call", "sync", "cancel", "reserve", "commit", "poll", "wait", "reset", "idle")]


@dataclass(frozen=True)
class Choice:
    """What a program uses: functions by name, and those that headers declare."""

    name: str
    uses: tuple[str, ...]
    declared: tuple[tuple[str, str], ...] = ()  # header, pattern of the functions' names
    only: str = ""
    module: str = MODULE
    header: str = f"{MODULE}.h"


HEADER = f"{MODULE}.h"
TYPED = r"int (\w+)\(struct at_client \*"
CHOICES = [
    Choice("stream parser", tuple(STREAM), module=f"{MODULE}_lines"),
    Choice("codec", tuple(STREAM), ((HEADER, r"int (\w+_decode)\("), (HEADER, r"int (\w+_encode)\("))),
    Choice("all commands", tuple(CLIENT), ((HEADER, TYPED), (HEADER, r"int (\w+_urc_decode)\("))),
    Choice("`QIRD` alone", tuple(CLIENT), ((HEADER, r"int (bc26_qird(?:_start)?)\(struct at_client \*"),), "QIRD"),
    Choice("sockets", (*CLIENT, "bc26_recv_urc_decode"), (("sockets.h", r"(?:int|void|uint32_t) (\w+)\("),),
           header="sockets.h"),
]

# Whom a call through a pointer reaches, as the source spells it; the rest are the user's.
REACHES: dict[str, list[str]] = {
    "shape->judge": [],     # the module's side alone
    "module->head": [f"{MODULE}_head"],
    "s->scan_echoed": ["src/runtime/stream.c:scan_echoed"],
    "data->check": ["at_data_check"],
    "sending->begin": ["src/runtime/client_data.c:begin_data"],
    "sending->on_prompt": ["src/runtime/client_data.c:start_data"],
    "sending->next": ["src/runtime/client_data.c:next_data"],
    "sending->give_up": ["src/runtime/client_data.c:give_up_data"],
    "->on_event": ["at_client_event"],
    "listener->urc": ["src/bc26/sockets.c:on_urc"],
    "listener->payload": ["src/bc26/sockets.c:on_payload"],
    "listener->restarted": ["src/bc26/sockets.c:on_restarted"],
    "call->done": ["src/bc26/sockets.c:on_done"],
    "service->start": ["src/bc26/sockets.c:start_attach", "src/bc26/sockets.c:start_resolve",
                       "src/bc26/sockets.c:start_ping", "src/bc26/sockets.c:start_time"],
}
USERS = {"config.write", "config.read", "config.now", "config.urc", "config.payload", "config.unknown",
         "config.ended", "config.received", "->on_event", "call->done", "task->done"}


def run(command: Iterable[object]) -> str:
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


# Building -----------------------------------------------------------------------

def generate(out: Path, only: str) -> Path:
    """The sources of a choice of commands, each machine in its smallest style."""
    folder = out / (only or "everything")
    if not folder.exists():
        options = ["--only", only] if only else []
        run([sys.executable, "gen/atspec", "build", SPEC, "-o", folder, "--host", *options])
        run(["ragel", "-C", "-L", "-G1", "src/runtime/scan.rl", "-o", folder / "scan.c"])
    return folder


def functions(choice: Choice, folder: Path) -> list[str]:
    texts = {HEADER: folder / HEADER, "sockets.h": ROOT / "src/bc26/sockets.h"}
    found = [name for header, pattern in choice.declared
             for name in re.findall(rf"(?m)^{pattern}", texts[header].read_text(encoding="utf-8"))]
    return [*choice.uses, *found]


def program(choice: Choice, uses: list[str]) -> str:
    """A program that takes the address of all it uses."""
    table = "".join(f"    (void (*)(void)){name},\n" for name in uses)
    return (f'#include "{choice.header}"\n'
            f"void (*const uses[])(void) = {{\n{table}}};\n"
            f"const struct at_module *const volatile module = &{choice.module};\n"
            "struct at_client client;\nstruct at_stream stream;\n"
            "const void *start(void);\n"
            "const void *start(void) { return module != NULL ? (const void *)uses : &client; }\n")


@dataclass
class Built:
    flash: int
    parts: dict[str, int]
    stack: int
    path: list[str]
    callbacks: set[str]
    client: int
    stream: int


def compile_all(target: Target, choice: Choice, names: bool, folder: Path, out: Path) -> tuple[list[Path], list[str]]:
    uses = functions(choice, folder)
    (out / "program.c").write_text(program(choice, uses), encoding="utf-8")
    (out / "library.c").write_text("".join(f"char {name}[1];\n" for name in C_LIBRARY), encoding="utf-8")
    flags = [*target.flags, *STRICT, "-Iinclude", "-Isrc/runtime", "-Isrc/bc26", f"-I{folder}"]
    flags += [] if names else ["-DAT_NO_NAMES"]
    sources = [p.relative_to(ROOT) for p in RUNTIME] + [folder / name for name in GENERATED]
    sources += [Path("src/bc26/sockets.c")] if choice.header == "sockets.h" else []
    objects = []
    for source in sources:
        objects.append(out / f"{source.stem}.o")
        run([target.compiler, *flags, "-fcallgraph-info=su", "-c", source, "-o", objects[-1]])
    run([target.compiler, *flags, "-c", out / "program.c", "-o", out / "program.o"])
    run([target.compiler, *target.flags, "-fno-builtin", "-c", out / "library.c", "-o", out / "library.o"])
    check_objects(target, objects)
    return objects, uses


def check_objects(target: Target, objects: list[Path]) -> None:
    """Of all that was compiled, whatever the program uses of it: nothing foreign, nothing writable."""
    symbols = re.findall(r"(?m) (\w) (\S+)$", run([target.tool("nm"), *objects]))
    defined = {name for kind, name in symbols if kind != "U"}
    foreign = {name for kind, name in symbols if kind == "U"} - defined
    strange = sorted(name for name in foreign if not LEAVES.fullmatch(name))
    writable = sorted(name for kind, name in symbols if kind in "BbDdCcGgSs")
    if strange or writable:
        raise SystemExit(f"{target.name}: from outside: {strange}; writable: {writable}")


def link(target: Target, objects: list[Path], out: Path) -> str:
    """The linker's map; anything undefined is an error, and says so."""
    flags = [f for f in target.flags if "specs" not in f]
    run([target.compiler, *flags, "-nostdlib", "-Wl,--gc-sections,-e,start", f"-Wl,-Map={out}/map",
         *objects, out / "program.o", out / "library.o", "-lgcc", "-o", out / "program"])
    return (out / "map").read_text(encoding="utf-8").split("Linker script and memory map", 1)[1]


PLACED = re.compile(r"^ (\.[\w.$-]+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+)$", re.M)
KEPT = re.compile(r"\.(text|rodata|srodata)\b")


def placed(text: str) -> Iterator[tuple[str, int, str]]:
    for section, size, owner in PLACED.findall(text):
        kept = KEPT.match(section)
        if kept and int(size, 16) and not owner.endswith(("/program.o", "/library.o")):
            yield section, int(size, 16), re.sub(r".*[/(]|\)$", "", owner)


def measure_flash(text: str) -> dict[str, int]:
    parts: dict[str, int] = {}
    for section, size, owner in placed(text):
        parts[f"{owner} {section}"] = parts.get(f"{owner} {section}", 0) + size
    return parts


# Stack --------------------------------------------------------------------------

NODE = re.compile(r'^node: { title: "([^"]+)" label: "[^"]*\\n(\d+) bytes \(([\w,]+)\)"', re.M)
EDGE = re.compile(r'^edge: { sourcename: "([^"]+)" targetname: "([^"]+)" label: "([^"]*)"', re.M)
LEAVES = re.compile("|".join(C_LIBRARY) + r"|__aeabi_\w+|__gnu_\w+|__\w+[sd]i\d")


@dataclass
class Graph:
    frames: dict[str, int] = field(default_factory=dict)
    calls: dict[str, set[str]] = field(default_factory=dict)
    callbacks: set[str] = field(default_factory=set)
    done: dict[str, tuple[int, list[str]]] = field(default_factory=dict)

    def read(self, text: str, linked: set[str]) -> None:
        for title, size, kind in NODE.findall(text):
            if title.rsplit(":")[-1] not in linked:
                continue
            if kind != "static":
                raise SystemExit(f"{title}: a frame of no fixed size ({kind})")
            self.frames[title] = int(size)
        for source, target, place in EDGE.findall(text):
            if source not in self.frames:
                continue
            found = self.through_pointer(source, place) if target == "__indirect_call" else [target]
            self.calls.setdefault(source, set()).update(found)

    def through_pointer(self, source: str, place: str) -> list[str]:
        name, line, column = place.rsplit(":", 2)
        code = source_lines(name)[int(line) - 1]
        called = re.search(r"(\w*(?:->|\.)\w+)\(", code[max(0, int(column) - 1):]) or re.search(
            r"(\w*(?:->|\.)\w+)\(", code)
        spelled = called.group(1) if called else code.strip()
        for key in (spelled, "->" + spelled.split("->")[-1]):
            if key in REACHES or key in USERS:
                self.callbacks.update({key.lstrip("->")} & {u.lstrip("->") for u in USERS})
                return REACHES.get(key, [])
        raise SystemExit(f"{place}: {source} calls `{spelled}`; whom it reaches isn't known")

    def deepest(self, name: str, above: tuple[str, ...] = ()) -> tuple[int, list[str]]:
        if name in above:
            raise SystemExit("recursion: " + " -> ".join([*above[above.index(name):], name]))
        if name not in self.frames:
            if not LEAVES.fullmatch(name) and name not in OPTIONAL:
                raise SystemExit(f"{above[-1]} calls {name}, which wasn't compiled")
            return 0, []
        if name not in self.done:
            nothing: tuple[int, list[str]] = (0, [])
            below = max((self.deepest(c, (*above, name)) for c in sorted(self.calls.get(name, ()))), default=nothing)
            self.done[name] = (self.frames[name] + below[0], [name, *below[1]])
        return self.done[name]


OPTIONAL = {name for reached in REACHES.values() for name in reached}


@cache
def source_lines(name: str) -> list[str]:
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


def measure_stack(objects: list[Path], uses: list[str], parts: Iterable[str]) -> tuple[int, list[str], set[str]]:
    graph = Graph()
    for path in objects:
        linked = {part.rsplit(".text.", 1)[-1] for part in parts if part.startswith(f"{path.name} .text.")}
        graph.read(path.with_suffix(".ci").read_text(encoding="utf-8"), linked)
    named = [name if name in graph.frames else f"{name}_no_names" for name in uses]   # see AT_NO_NAMES
    stack, chain = max(graph.deepest(name) for name in named)
    return stack, [f"{name} {graph.frames[name]}" for name in chain], graph.callbacks


# The report -----------------------------------------------------------------------

def ram(target: Target, out: Path, variable: str) -> int:
    """The size of one of the program's variables."""
    found = re.search(rf"(?m)^\w+ (\w+) \w {variable}$", run([target.tool("nm"), "-S", out / "program.o"]))
    assert found, variable
    return int(found.group(1), 16)


def build(target: Target, choice: Choice, names: bool, out: Path) -> Built:
    folder = generate(out, choice.only)
    place = out / re.sub(r"\W", "_", f"{target.name}_{choice.name}_{names}")
    place.mkdir()
    objects, uses = compile_all(target, choice, names, folder, place)
    parts = measure_flash(link(target, objects, place))
    stack, path, callbacks = measure_stack(objects, uses, parts)
    return Built(sum(parts.values()), parts, stack, path, callbacks,
                 ram(target, place, "client"), ram(target, place, "stream"))


Rows = list[list[str]]


def rows_of(targets: list[Target], built: dict[tuple[str, str, bool], Built]) -> Rows:
    """A heading, then a row for each choice: flash, with the deepest stack in brackets."""
    rows = [["", *[t.name for t in targets], "with names"]]
    for c in CHOICES:
        cells = [f"{b.flash} ({b.stack})" for b in (built[t.name, c.name, False] for t in targets)]
        rows.append([c.name, *cells, str(built[targets[0].name, c.name, True].flash)])
    some = [built[t.name, CHOICES[0].name, False] for t in targets]
    rows.append(["RAM: `struct at_client`", *[str(b.client) for b in some], ""])
    rows.append(["of it `struct at_stream`", *[str(b.stream) for b in some], ""])
    return rows


def table(rows: Rows, words: dict[str, str]) -> str:
    ruled = [rows[0], ["---", *["---:"] * (len(rows[0]) - 1)], *rows[1:]]
    return "".join("| " + " | ".join(words.get(cell, cell) for cell in row) + " |\n" for row in ruled)


def report(parts: bool) -> Rows:
    targets = [t for t in TARGETS if t.there]
    built: dict[tuple[str, str, bool], Built] = {}
    with tempfile.TemporaryDirectory() as folder:
        for t in targets:
            for c in CHOICES:
                for names in (False, True) if t is targets[0] else (False,):
                    built[t.name, c.name, names] = build(t, c, names, Path(folder))
    if parts:
        for (target, choice, names), b in built.items():
            if target == targets[0].name and not names:
                print(f"\n{choice} on {target}: {b.flash} bytes of flash, {b.stack} of stack")
                print("".join(f"{size:7} {name}\n" for name, size in sorted(b.parts.items(), key=lambda p: -p[1])))
                print("  stack: " + " > ".join(b.path) + "\n  callbacks: " + ", ".join(sorted(b.callbacks)))
    return rows_of(targets, built)


BETWEEN = re.compile(r"(<!-- size -->\n)(.*?)(<!-- /size -->)", re.S)


def in_readme(name: str) -> str:
    found = BETWEEN.search((ROOT / name).read_text(encoding="utf-8"))
    if not found:
        raise SystemExit(f"{name}: no <!-- size --> and <!-- /size -->")
    return found.group(2)


def differences(name: str, rows: Rows) -> list[str]:
    """Where a README says otherwise, of the targets whose compilers are there."""
    shown = [[cell.strip() for cell in line.strip("|").split("|")] for line in in_readme(name).splitlines()]
    shown = [row for row in shown if not row[0].startswith("---")]
    words = READMES[name]
    columns = [shown[0].index(words.get(head, head)) if words.get(head, head) in shown[0] else -1 for head in rows[0]]
    theirs = [[row[c] if 0 <= c < len(row) else "" for c in columns] for row in shown]
    ours = [[words.get(cell, cell) for cell in row] for row in rows]
    return [f"{name}: {a} is {b} now" for a, b in zip(theirs, ours) if a != b] + (
        [] if len(theirs) == len(ours) else [f"{name}: {len(theirs)} rows instead of {len(ours)}"])


def other_compilers() -> list[str]:
    found = [t for t in TARGETS if t.there and not run([t.compiler, "-dumpversion"]).startswith(MEASURED + ".")]
    return [f"{t.name} is of another gcc than the READMEs' {MEASURED}" for t in found]


def write_readmes(rows: Rows) -> None:
    for name, words in READMES.items():
        old = (ROOT / name).read_text(encoding="utf-8")
        new = BETWEEN.sub(lambda m, text=table(rows, words): m[1] + text + m[3], old)   # type: ignore[misc]
        (ROOT / name).write_text(new, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="What atspec takes of a microcontroller.")
    parser.add_argument("--readme", action="store_true", help="write it into the READMEs")
    parser.add_argument("--check", action="store_true", help="compare it with the READMEs")
    parser.add_argument("--parts", action="store_true", help="what the flash and the stack are made of")
    args = parser.parse_args()
    missing = [t for t in TARGETS if not t.there]
    for t in missing:
        print(f"skipped: {t.compiler} isn't installed, for {t.name} (apt-get install {t.package})")
    if len(missing) == len(TARGETS) or (missing and args.readme):
        return SKIPPED
    rows = report(args.parts)
    print(table(rows, {}), end="")
    if args.readme:
        write_readmes(rows)
    if not args.check:
        return 0
    others = other_compilers()
    for reason in others:
        print(f"skipped: the figures, as {reason}")
    wrong = [] if others else [line for name in READMES for line in differences(name, rows)]
    print("".join(f"{line}\n" for line in wrong), end="", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
