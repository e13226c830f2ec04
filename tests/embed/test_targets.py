"""The same on every machine: what the stream says of all transcripts, as text.

eventlog/eventlog.c decodes and encodes again whatever comes, in pieces of several sizes; each
machine's log must be that of the one that builds. All is compiled with the strict flags, also
what doesn't fit into the machine that runs.
"""

import dataclasses
import functools
import pathlib
import re
import tempfile
import unittest

from targets import GENERATED, ROOT, STRICT, compile, generated, includes, need, run, runtime

HERE = ROOT / "tests/embed"
TRANSCRIPTS = {"bc26": ROOT / "tests/transcripts", "bg95": ROOT / "tests/transcripts/bg95"}

SMALL = ["-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"]
CORTEX = ["-mthumb", *SMALL, "-ffreestanding", "-nostartfiles", "--specs=nano.specs",
          f"-I{HERE}", "-T", str(HERE / "firmware/cortex_m.ld")]
RISCV = ["-march=rv32imac", "-mabi=ilp32", "-mcmodel=medany", *SMALL, "-ffreestanding",
         "--specs=picolibc.specs", "-nostartfiles", "-Wl,--no-warn-rwx-segments",
         "-T", str(HERE / "eventlog/riscv.ld")]
SEMIHOSTING = ["-display", "none", "-monitor", "none", "-serial", "none",
               "-semihosting-config", "enable=on,target=native", "-kernel"]


@dataclasses.dataclass(frozen=True)
class Target:
    compiler: str
    flags: list[str]
    log: list[str]                # where its text goes: beside eventlog.c
    run: list[str]                # before the program's path
    modules: tuple[str, ...] = ("bc26", "bg95")


TARGETS = {
    "host": Target("gcc", ["-O2"], ["eventlog/linux.c"], []),
    "mips": Target("mips-linux-gnu-gcc", ["-O2", "-static"], ["eventlog/linux.c"], ["qemu-mips"]),
    "arm": Target("arm-linux-gnueabihf-gcc", ["-O2", "-static"], ["eventlog/linux.c"],
                  ["qemu-arm"]),
    "cortex-m0": Target("arm-none-eabi-gcc", ["-mcpu=cortex-m0plus", *CORTEX],
                        ["eventlog/cortex_m.c", "firmware/board.c"],
                        ["qemu-system-arm", "-M", "microbit", *SEMIHOSTING]),
    "cortex-m3": Target("arm-none-eabi-gcc", ["-mcpu=cortex-m3", *CORTEX],
                        ["eventlog/cortex_m.c", "firmware/board.c"],
                        ["qemu-system-arm", "-M", "mps2-an385", *SEMIHOSTING]),
    "cortex-m4": Target("arm-none-eabi-gcc", ["-mcpu=cortex-m4", *CORTEX],
                        ["eventlog/cortex_m.c", "firmware/board.c"],
                        ["qemu-system-arm", "-M", "mps2-an386", *SEMIHOSTING]),
    "riscv32": Target("riscv64-unknown-elf-gcc", RISCV, ["eventlog/riscv.c"],
                      ["qemu-system-riscv32", "-M", "virt", "-bios", "none", "-display", "none",
                       "-monitor", "none", "-serial", "stdio", "-kernel"]),
    # Its 16 KB of RAM hold the constants too, and those of one module alone.
    "avr": Target("avr-gcc", ["-mmcu=atmega1284p", *SMALL], ["eventlog/avr.c"],
                  ["simavr", "-m", "atmega1284p", "-f", "16000000"], ("bc26",)),
}


# Cases -------------------------------------------------------------------------------------

ESCAPE = re.compile(r"\\(?:\{(\d+)\*((?:\\.|[^\\}])+?)\}|x([0-9a-f]{2})|(.))", re.I)
NAMED = {"r": b"\r", "n": b"\n", "\\": b"\\"}


Part = tuple[int, bytes]  # so many times


def unescape(text: str) -> list[Part]:
    """As tests/transcripts/README writes bytes."""
    parts: list[Part] = []
    end = 0
    for found in ESCAPE.finditer(text):
        times, unit, digits, letter = found.groups()
        parts.append((1, text[end:found.start()].encode()))
        if times:
            parts.append((int(times), b"".join(part for _, part in unescape(unit))))
        else:
            parts.append((1, bytes.fromhex(digits) if digits else NAMED[letter]))
        end = found.end()
    return [*parts, (1, text[end:].encode())]


def joined(parts: list[Part]) -> list[Part]:
    """The same bytes in few parts, none of them empty."""
    out: list[Part] = []
    for times, part in parts:
        if times == 1 and out and out[-1][0] == 1:
            out[-1] = (1, out[-1][1] + part)
        elif part:
            out.append((times, part))
    return out


def setting_slots(module: str) -> dict[str, int]:
    """Where each setting begins, and where all end, as the generated header says."""
    header = (GENERATED / module / f"{module}.h").read_text()
    prefix = module.upper()
    found = re.findall(rf"^    {prefix}_SETTING(?:_(\w+)|S) = (\d+)", header, re.M)
    return {name.lower(): int(slot) for name, slot in found}


def read_settings(words: str, slots: dict[str, int]) -> bytes:
    """NAME=VALUE, NAME[INDEX]=VALUE or NAME=? as pairs of slot and value."""
    pairs = b""
    for name, index, value in re.findall(r"(\w+)(?:\[(\d+)\])?=(\d+|\?)", words):
        first = slots[name]
        if value == "?":
            end = min(slot for slot in slots.values() if slot > first)
            pairs += b"".join(bytes([slot, 0xff]) for slot in range(first, end))
        elif first + int(index or 0) < slots[""]:
            pairs += bytes([first + int(index or 0), int(value)])
    return pairs


@dataclasses.dataclass
class Case:
    window: int = 0xffff
    prompt: bool = True
    settings: bytes = b""
    input: list[Part] = dataclasses.field(default_factory=list)

    def take(self, word: str, rest: str, slots: dict[str, int]) -> None:
        if word == "set":
            self.settings += read_settings(rest, slots)
        elif word == "window":
            self.window = int(rest)
        elif word == "prompt":
            self.prompt = rest != "no"
        elif word == "<":
            self.input += unescape(rest)
        elif word == "<<":
            self.input += [(1, b"\r\n"), *unescape(rest), (1, b"\r\n")]

    def encoded(self) -> bytes:
        parts = joined(self.input)
        return (self.window.to_bytes(2) + bytes([self.prompt, len(self.settings) // 2]) +
                self.settings + bytes([len(parts)]) +
                b"".join(times.to_bytes(2) + len(part).to_bytes(2) + part
                         for times, part in parts))


def read_cases(module: str) -> list[Case]:
    slots = setting_slots(module)
    cases: list[Case] = []
    for path in sorted(TRANSCRIPTS[module].glob("*.txt")):
        for text in path.read_text().splitlines():
            word, _, rest = text.partition(" ")
            if word == "==":
                cases.append(Case())
            elif cases:
                cases[-1].take(word, rest, slots)
    return cases


def write_cases(module: str, folder: pathlib.Path) -> None:
    cases = read_cases(module)
    data = b"".join(case.encoded() for case in cases)
    rows = [", ".join(map(str, data[i:i + 24])) for i in range(0, len(data), 24)]
    (folder / "cases.h").write_text(
        f"enum {{ CASES = {len(cases)} }};\n"
        "static const uint8_t cases[] IN_FLASH = {\n" + ",\n".join(rows) + "};\n")


def library(module: str) -> list[pathlib.Path]:
    """All of it; what a program doesn't use is left to the linker to drop."""
    sockets = [ROOT / "src/bc26/sockets.c"] if module == "bc26" else []
    return [*runtime(), *generated(module), *sockets]


# Logs -------------------------------------------------------------------------------------

def build(target: Target, module: str, folder: pathlib.Path) -> pathlib.Path:
    write_cases(module, folder)
    program = folder / "eventlog.elf"
    compile([target.compiler, *STRICT, f'-DMODULE_HEADER="{module}_module.h"',
             f"-DMODULE={module}", f"-DMODULE_GRAMMAR={module}_grammar", f"-I{folder}",
             *includes(module), HERE / "eventlog/eventlog.c",
             *(HERE / name for name in target.log), ROOT / "src/tool/session.c",
             *library(module), *target.flags, "-o", program])
    return program


def plain(output: str) -> str:
    """Without simavr's colours, its own messages, and the dot it shows for a line's end."""
    if "\x1b[" not in output:
        return output
    lines = re.findall(r"\x1b\[32m(.*?)\.\n\x1b\[0m", output)
    return "".join(f"{line}\n" for line in lines)


@functools.cache
def log(name: str, module: str) -> str:
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as folder:
        return plain(run(target.run, build(target, module, pathlib.Path(folder))))


# The tests ----------------------------------------------------------------------------------

class Logs(unittest.TestCase):
    maxDiff = 2000

    def is_the_same(self, name: str) -> None:
        target = TARGETS[name]
        need("gcc", target.compiler, *target.run[:1])
        for module in target.modules:
            self.assertEqual(log(name, module), log("host", module), f"{name}, {module}")

    def test_host(self) -> None:
        """However the bytes come, the log is the same, and holds what it is made for."""
        need("gcc")
        for module in TARGETS["host"].modules:
            text = log("host", module)
            self.assertTrue(text.endswith("\nend\n"), text[-200:])
            whole, *pieces = text.removesuffix("end\n").split("== 0\n")[1:]
            self.assertEqual(pieces, [whole] * 4)
            for word in "line", "payload", "echo", "unknown":
                self.assertIn(f"\n{word} ", whole)
            self.assertNotIn("doesn't decode", whole)

    def test_mips(self) -> None:
        self.is_the_same("mips")

    def test_arm(self) -> None:
        self.is_the_same("arm")

    def test_cortex_m0(self) -> None:
        self.is_the_same("cortex-m0")

    def test_cortex_m3(self) -> None:
        self.is_the_same("cortex-m3")

    def test_cortex_m4(self) -> None:
        self.is_the_same("cortex-m4")

    def test_riscv32(self) -> None:
        self.is_the_same("riscv32")

    def test_avr(self) -> None:
        self.is_the_same("avr")


# The programs of tests/unit, with the sources that each has besides.
RECORDER = ["tests/unit/recorder.c", "src/tool/session.c", "src/tool/tool.c"]
PROGRAMS: dict[str, list[str]] = {
    "codec": [],
    "values": [],
    "roundtrip": ["tests/unit/members.c"],
    "laws": RECORDER,
    "client": [],
    "sockets": [],
    "transcripts": RECORDER,
}
HOSTED = ["-static", "-O2", "-ffunction-sections", "-std=c99",
          "-D_POSIX_C_SOURCE=200809L", "-D_DEFAULT_SOURCE", "-DAT_COVERS_NOTHING"]


class Programs(unittest.TestCase):
    """The tests in C, on Linux of another kind."""

    def hold(self, name: str) -> None:
        target = TARGETS[name]
        need(target.compiler, target.run[0])
        with tempfile.TemporaryDirectory() as folder:
            compiler = [target.compiler, *HOSTED, f"-I{HERE / 'check'}", *includes("bc26")]
            objects = pathlib.Path(folder, "library.o")
            compile([*compiler, "-r", "-nostdlib", *library("bc26"), "-o", objects])
            for program, more in PROGRAMS.items():
                with self.subTest(program):
                    path = pathlib.Path(folder, program)
                    compile([*compiler, ROOT / f"tests/unit/test_{program}.c",
                             *(ROOT / name for name in more), objects, "-Wl,--gc-sections",
                             "-o", path])
                    self.holds(target, path)

    def holds(self, target: Target, path: pathlib.Path) -> None:
        transcripts = sorted(map(str, TRANSCRIPTS["bc26"].glob("*.txt")))
        output = run(target.run, path, *(transcripts if path.name == "transcripts" else []))
        self.assertRegex(output, r"(?:\nall passed|\d cases, 0 failed)\n$")

    def test_mips(self) -> None:
        self.hold("mips")

    def test_arm(self) -> None:
        self.hold("arm")
