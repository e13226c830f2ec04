"""The `dist` command: the runtime and what a spec becomes, joined into one header and one
source, for those who have neither Ragel nor Python nor CMake where they build."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Callable

from . import VERSION
from .build import add_view_options, spec_or_report, specs_of_views
from .lower import LowerError
from .model import Spec
from .packages import packages
from .render import banner, render, write
from .select import select_commands

TREE = Path(__file__).resolve().parents[2]
RUNTIME = TREE / "src" / "runtime"
HEADERS = TREE / "include"
RAGEL_VERSION = "6.10"
SMALL = "small"                 # the heads as a table to be searched, and the rest as G1
STYLES = (SMALL, "T0", "T1", "F0", "F1", "G0", "G1", "G2")

INCLUDE = re.compile(r'^#include (?:"([^"]+)"|<([^>]+)>).*\n', re.M)
NO_DEPRECATED = re.compile(r"^#ifndef AT_NO_DEPRECATED\n.*\n#endif\n", re.M)


@dataclass(frozen=True)
class Variant:
    """A pair of files, in a folder of its own."""

    folder: str                     # behind the module's name
    name: str                       # of the files, likewise
    text: str
    headers: tuple[str, ...]        # besides the generated one of this name
    without: tuple[str, ...]        # of src/runtime
    generated: tuple[str, ...]      # suffixes, in the order of the file


HOST = Variant("", "", "the host's side: stream parser, codec, client and calls",
               (), ("command", "view"), (".c", "_head.rl", "_calls.c"))
CODEC = Variant("-codec", "", "the host's stream parser and codec, without the client",
                ("at/stream.h",), ("client*", "command", "view"), (".c", "_head.rl"))
MODULE = Variant("-module", "_module", "the module's side, for simulators and tests",
                 (), ("client*", "stream"), (".c", "_head.rl", "_module.c", "_command.rl"))
VARIANTS = (HOST, CODEC, MODULE)


@dataclass
class Joiner:
    """Texts one behind the other, each file that they include where it's first asked for."""

    known: dict[str, str]           # by the name in an #include
    seen: set[str] = field(default_factory=set)
    system: set[str] = field(default_factory=set)

    def include(self, name: str) -> str:
        if name in self.seen:
            return ""
        self.seen.add(name)
        return self.join(self.known[name])

    def join(self, text: str) -> str:
        return INCLUDE.sub(self._replaced, text)

    def _replaced(self, found: re.Match[str]) -> str:
        if found.group(2):
            self.system.add(found.group(2))
            return ""
        return self.include(found.group(1))

    def system_includes(self) -> str:
        return "".join(f"#include <{name}>\n" for name in sorted(self.system))


@dataclass(frozen=True)
class Dist:
    """What is the same in all variants."""

    spec: Spec
    files: dict[str, str]           # generated with calls
    codec_header: str               # without
    style: str
    only: str
    machines: dict[str, str]        # .rl compiled, by name without it

    @property
    def module(self) -> str:
        return self.spec.module


Sources = Callable[[Dist, Variant], dict[str, str]]


# Ragel ---------------------------------------------------------------------------

def find_ragel() -> str:
    ragel = shutil.which("ragel")
    if ragel is None:
        raise LowerError(None, "ragel isn't installed. On Debian: apt-get install ragel")
    said = subprocess.run([ragel, "--version"], capture_output=True, text=True, check=False).stdout
    if f"version {RAGEL_VERSION} " not in said:
        raise LowerError(None, f"atspec needs Ragel {RAGEL_VERSION}, found: {said.partition(chr(10))[0]}")
    return ragel


def ragel_style(style: str) -> str:
    return "G1" if style == SMALL else style


def compile_machine(ragel: str, text: str, style: str) -> str:
    """A machine in C, without marks of the lines that it came from."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "machine.rl"), Path(folder, "machine.c")
        source.write_text(text, encoding="utf-8")
        subprocess.run([ragel, "-C", "-L", f"-{ragel_style(style)}", str(source), "-o", str(output)], check=True)
        return re.sub(r"^/\* #line .* \*/\n", "", output.read_text(encoding="utf-8"), flags=re.M)


def searched_heads(text: str) -> str:
    if "#error" in text:
        raise LowerError(None, f"the heads are too many for a table: choose fewer commands, or another style than {SMALL}")
    return text


# Joining -------------------------------------------------------------------------

def clean(dist: Dist, text: str) -> str:
    """A piece without what the head of the file says for all of them."""
    text = NO_DEPRECATED.sub("", text.replace(banner(dist.spec) + "\n", ""))
    text = re.sub(r"^ \* @file (\S+)", r" * \1", text, flags=re.M)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+$", "", text, flags=re.M)).strip() + "\n"


def section(name: str, text: str) -> str:
    return f"\n/* {name} {'-' * max(3, 72 - len(name))} */\n\n{text}"


def runtime_sources(dist: Dist, variant: Variant) -> dict[str, str]:
    texts = {p.name: p.read_text(encoding="utf-8") for p in RUNTIME.glob("*.c")}
    texts |= {p.name: dist.machines[p.stem] for p in RUNTIME.glob("*.rl")}
    return {name: texts[name] for name in sorted(texts)
            if not any(fnmatchcase(name.partition(".")[0], pattern) for pattern in variant.without)}


def generated_sources(dist: Dist, variant: Variant) -> dict[str, str]:
    names = [dist.module + suffix for suffix in variant.generated]
    return {name: dist.machines[name[:-3]] if name.endswith(".rl") else dist.files[name] for name in names}


def headers(dist: Dist, variant: Variant) -> dict[str, str]:
    """What can be included, by name."""
    known = {f"at/{p.name}": p.read_text(encoding="utf-8") for p in HEADERS.glob("at/*.h")}
    known |= {p.name: p.read_text(encoding="utf-8") for p in RUNTIME.glob("*.h")}
    known |= {name: text for name, text in dist.files.items() if name.endswith(".h")}
    if variant is not HOST:
        known[f"{dist.module}.h"] = dist.codec_header
    return {name: section(name, clean(dist, text)) for name, text in known.items()}


def external_names(prefix: str, texts: dict[str, str]) -> set[str]:
    """Functions and tables that other files can see."""
    definition = re.compile(rf"^(?!static|typedef)\w[\w ]*[ *](at_\w+|{prefix}(?:_\w+)?)(?:\(|\[\] =| = \{{)", re.M)
    return {name for text in texts.values() for name in definition.findall(text)}


def weak(dist: Dist, variant: Variant, sources: Sources) -> str:
    """The host's side may be linked with the module's: what both have counts once."""
    if variant is not MODULE:
        return ""
    hosts = sources(dist, HOST)
    both = external_names(dist.module, {n: t for n, t in sources(dist, variant).items() if n in hosts})
    return ("\n/* What the host's side has too, should it be linked with this. */\n"
            + "".join(f"#pragma weak {name}\n" for name in sorted(both)))


def head(dist: Dist, variant: Variant) -> str:
    name = dist.module + variant.name
    spec = dist.spec
    facts = {"Spec": f"{spec.name}, SHA-256 with what it includes:\n *               {spec.sha256}",
             "Firmware": spec.view.name if spec.view else "",
             "Overlays": ", ".join(spec.overlays), "Commands": dist.only,
             "Machines": f"Ragel {RAGEL_VERSION} -{ragel_style(dist.style)}"
             + (", heads as a table" if dist.style == SMALL else "")}
    said = "".join(f" * {key + ':':13} {value}\n" for key, value in facts.items() if value)
    options = ("" if variant is MODULE else
               " * -DAT_NO_NAMES leaves out the names that only people and the module's side read, and\n"
               f" * -DAT_MANUAL puts the manual's texts in ({dist.module}_manual).\n")
    licence = "".join(f" * {line}".rstrip() + "\n" for line in (TREE / "LICENSE").read_text("utf-8").splitlines())
    return (f"/*\n * {name}.h, {name}.c: {spec.title},\n * {variant.text}.\n"
            f" * {spec.document}, {spec.version}, {spec.date}.\n *\n"
            f" * Joined by atspec {VERSION} from its runtime and what it generates; don't edit.\n{said} *\n"
            f" * Compile it with any C99 compiler: cc -c {name}.c. Where a program has several modules,\n"
            f" * compile all but one with -DAT_NO_RUNTIME.\n{options} *\n{licence} */\n")


def joined(dist: Dist, variant: Variant) -> dict[str, str]:
    """The header and the source, by name."""
    name = dist.module + variant.name
    joiner = Joiner(headers(dist, variant))
    body = "".join(joiner.include(h) for h in (*variant.headers, f"{name}.h"))
    header = head(dist, variant) + "\n" + joiner.system_includes() + body

    joiner.system = set()
    runtime, generated = (weak(dist, variant, sources) + joined_sources(dist, joiner, sources(dist, variant))
                          for sources in (runtime_sources, generated_sources))
    if variant is not MODULE:
        manual = joined_sources(dist, joiner, {f"{name}_manual.c": dist.files[f"{dist.module}_manual.c"]})
        generated += f"\n#ifdef AT_MANUAL\n{manual}\n#endif\n"
    source = (head(dist, variant) + "\n#ifndef AT_NO_DEPRECATED\n#define AT_NO_DEPRECATED\n#endif\n"
              + f'#include "{name}.h"\n\n' + joiner.system_includes()
              + f"\n#ifndef AT_NO_RUNTIME\n{runtime}\n#endif /* AT_NO_RUNTIME */\n" + generated)
    return {f"{name}.h": tidy(header), f"{name}.c": tidy(source)}


def joined_sources(dist: Dist, joiner: Joiner, sources: dict[str, str]) -> str:
    return "".join(tidy(joiner.join(section(name, clean(dist, text)))) for name, text in sources.items())


def tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text)


def beside(dist: Dist, paths: list[str]) -> dict[str, str]:
    """Sources written for this module, under names that fit into anybody's project."""
    names = {Path(p).name: f"{dist.module}_{Path(p).name}" for p in paths}
    out = {}
    for path in paths:
        text = Path(path).read_text(encoding="utf-8")
        for old, new in names.items():
            text = text.replace(f'#include "{old}"', f'#include "{new}"').replace(f"@file {old}", f"@file {new}")
        out[names[Path(path).name]] = f"/* atspec {VERSION}. SPDX-License-Identifier: MIT; see LICENSE. */\n{text}"
    return out


def readme(dist: Dist, extra: dict[str, str], packaged: bool) -> str:
    rows = [f"{dist.module + v.folder + '/':20} {v.text}" for v in VARIANTS]
    more = (f"Beside the host's side: {', '.join(sorted(extra))}; compile them with it.\n\n" if extra else "")
    if packaged:
        more += ("zephyr/, esp-idf/ and arduino/ (PlatformIO, too) have the host's side as a package,\n"
                 "with an example and a README.md that says how to use it.\n\n")
    return (f"{dist.spec.title}, from atspec {VERSION}\n\n"
            + "\n".join(rows) + "\n\n"
            + f'Take one folder, compile its .c with the rest of your program, #include "{dist.module}.h"\n'
            + f'(on the module\'s side "{dist.module}_module.h"). C99, freestanding but for string.h; no heap.\n'
            + "Host's and module's side can be linked together, if they come from the same run.\n"
            + "-ffunction-sections -fdata-sections and the linker's --gc-sections drop what isn't called.\n\n"
            + more + "MIT licence; the head of each file says which spec it comes from.\n")


# The command ---------------------------------------------------------------------

def add_dist(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "dist", help="write one header and one source with all in them",
        description="Joins the runtime and what it generates of a spec into a header and a source that compile "
                    "with nothing else: the host's side, the codec alone, and the module's side.")
    parser.add_argument("spec", metavar="SPEC", help="the spec of a module")
    add_view_options(parser)
    parser.add_argument("-o", dest="output", metavar="DIR", required=True, help="where they go")
    parser.add_argument("--only", metavar="COMMAND,...", default="",
                        help="these commands, and what the client needs to start up")
    parser.add_argument("--style", choices=STYLES, default="T0",
                        help="of the machines: small (heads are searched in a table), or Ragel's T0 (default) ... "
                             "G2 (fastest)")
    parser.add_argument("--beside", metavar="FILE", action="append", default=[],
                        help="put this file, written for the module, beside the host's side; may be given more than once")
    parser.add_argument("--packages", metavar="DIR",
                        help="also write the host's side as packages for Zephyr, ESP-IDF and Arduino; "
                             "DIR has what was written for each")
    parser.set_defaults(run=run_dist)


def run_dist(args: argparse.Namespace) -> int:
    spec = spec_or_report(args.spec, args.at, args.overlays)
    if spec is None:
        return 1
    try:
        dist = make(args, spec)
    except LowerError as e:
        print(e.placed(args.spec), file=sys.stderr)
        return 1
    output = Path(args.output)
    extra = beside(dist, args.beside)
    licence = (TREE / "LICENSE").read_text(encoding="utf-8")
    for variant in VARIANTS:
        files = joined(dist, variant) | (extra if variant is HOST else {})
        write(files | {"LICENSE": licence}, output / (dist.module + variant.folder))
        if variant is HOST and args.packages:
            for place, package in packages(Path(args.packages), spec, files, licence).items():
                write(package, output / place)
    return write({"README": readme(dist, extra, bool(args.packages)), "LICENSE": licence}, output)


def make(args: argparse.Namespace, whole: Spec) -> Dist:
    narrowed = {} if args.at else specs_of_views(args.spec, whole.views, args.overlays)
    spec = select_commands(whole, args.only.split(",")) if args.only else whole
    if not RUNTIME.is_dir():
        raise LowerError(None, "the runtime's sources aren't here: `dist` needs atspec's source tree")
    ragel = find_ragel()
    files = render(spec, narrowed=narrowed)
    sources = {p.stem: p.read_text(encoding="utf-8") for p in RUNTIME.glob("*.rl")}
    sources |= {name[:-3]: text for name, text in files.items() if name.endswith(".rl")}
    machines = {name: compile_machine(ragel, text, args.style) for name, text in sources.items()}
    if args.style == SMALL:
        machines[f"{spec.module}_head"] = searched_heads(files[f"{spec.module}_heads.c"])
    codec_header = render(spec, module=False, calls=False)[f"{spec.module}.h"]
    return Dist(spec, files, codec_header, args.style, args.only, machines)
