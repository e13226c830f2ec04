"""What code for other machines is built of, and where it runs: shared by the tests here."""

import os
import pathlib
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("AT_BUILD", ROOT / "build"))
GENERATED = BUILD / "generated"

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion",
          "-Wshadow", "-Werror"]
PATIENCE = 300

# Debian's packages that aren't called as their program.
PACKAGES = {
    "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
    "avr-gcc": "gcc-avr avr-libc",
    "mips-linux-gnu-gcc": "gcc-mips-linux-gnu libc6-dev-mips-cross",
    "arm-linux-gnueabihf-gcc": "gcc-arm-linux-gnueabihf libc6-dev-armhf-cross",
    "qemu-mips": "qemu-user",
    "qemu-arm": "qemu-user",
    "qemu-system-riscv32": "qemu-system-misc",
}

# The C libraries of cross compilers are packages of their own; a file that only they bring.
LIBRARIES = {
    "arm-none-eabi-gcc": "nano.specs",
    "riscv64-unknown-elf-gcc": "picolibc.specs",
    "avr-gcc": "libc.a",
    "mips-linux-gnu-gcc": "libc.a",
    "arm-linux-gnueabihf-gcc": "libc.a",
}


def is_here(program: str) -> bool:
    """And so is its library, if it's a cross compiler, which names a file that it has by path."""
    if shutil.which(program) is None or program not in LIBRARIES:
        return shutil.which(program) is not None
    found = subprocess.run([program, f"-print-file-name={LIBRARIES[program]}"],
                           capture_output=True, text=True, timeout=PATIENCE)
    return "/" in found.stdout


def need(*programs: str) -> None:
    """Skips the test without one of them."""
    for program in programs:
        if not is_here(program):
            package = PACKAGES.get(program, program)
            raise unittest.SkipTest(f"{program} isn't installed: apt-get install {package}")


def runtime() -> list[pathlib.Path]:
    return [*sorted((ROOT / "src/runtime").glob("*.c")), GENERATED / "runtime/scan.c"]


def generated(module: str) -> list[pathlib.Path]:
    """Both sides of a module, without what only people read."""
    sides = ["", "_calls", "_head", "_module", "_command"]
    return [GENERATED / module / f"{module}{part}.c" for part in sides]


def includes(*modules: str) -> list[str]:
    folders = ["include", "src/runtime", "src/bc26", "src/tool", "tests", "tests/embed"]
    return [*(f"-I{ROOT / folder}" for folder in folders),
            *(f"-I{GENERATED / module}" for module in (*modules, "sockets"))]


def run(command: list[str], program: pathlib.Path, *arguments: str) -> str:
    """What it prints. How it ended isn't asked: not every machine can tell."""
    done = subprocess.run([*command, str(program), *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
                          timeout=PATIENCE)
    return done.stdout


def compile(command: list[str | pathlib.Path]) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=PATIENCE)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"{command[0]} says:\n{done.stderr}")
