"""Runs fuzz targets that are built: ./dev fuzz [SECONDS] [TARGET].

Each target begins with the corpus in the tree, the spec's examples and the transcripts. What it
finds is kept in the build folder; inputs that reach more code than those in the tree are added
there, as few as will do.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import inputs
from atspec.model import Spec  # found where inputs says

ROOT = inputs.ROOT
FUZZ = ROOT / "tests" / "fuzz"
NAMES = ["stream", "split", "command", "roundtrip", "structured", "client"]
MAX_LEN = 4096          # of an input; see fuzz.h
KEPT_LEN = 512          # of those in the tree


@dataclass(frozen=True)
class Module:
    prefix: str
    spec: str
    transcripts: Optional[str] = None


MODULES = [Module("", "spec/quectel/bc26-tcpip.yaml", "tests/transcripts"),
           Module("tide_", "tests/generator/second/tide.yaml")]


@dataclass(frozen=True)
class Target:
    name: str           # tide_stream
    kind: str           # stream
    module: Module

    @property
    def stored(self) -> Path:
        return FUZZ / "corpus" / f"{self.name}.txt"

    def beginnings(self) -> tuple[Spec, list[bytes]]:
        """The spec, and what its examples, its transcripts and the tree have for this target."""
        module = self.module
        spec = inputs.load(ROOT / module.spec)
        transcripts = sorted((ROOT / module.transcripts).glob("*.txt")) if module.transcripts else []
        return spec, inputs.seeds(spec, self.kind, transcripts) + inputs.read_list(self.stored)


TARGETS = {module.prefix + kind: Target(module.prefix + kind, kind, module)
           for module in MODULES for kind in NAMES if (FUZZ / f"{kind}.c").exists()}


@dataclass
class Result:
    runs: int = 0
    per_second: int = 0
    covered: int = 0
    edges: int = 0
    inputs: int = 0
    findings: int = 0


def show(text: str) -> None:
    """Progress, where somebody looks."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


class Run:
    """One target in its own folder of the build."""

    def __init__(self, target: Target, build: Path) -> None:
        self.target, self.build = target, build
        self.program = build / "bin" / f"fuzz_{target.name}"
        self.folder = build / "work" / target.name
        self.findings = build / "findings"
        for name in ("corpus", "seeds"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.findings.mkdir(exist_ok=True)
        self.dictionary = self.folder / "dictionary"
        self.log = self.folder / "log"

    def prepare(self) -> None:
        spec, found = self.target.beginnings()
        for data in found:
            (self.folder / "seeds" / hashlib.sha1(data).hexdigest()).write_bytes(data)
        self.dictionary.write_text(inputs.dictionary(spec))

    def fuzz(self, seconds: int) -> Result:
        """Until the time is over, or something is found."""
        before = set(self.findings.iterdir())
        command = [str(self.program), f"-max_total_time={seconds}", f"-dict={self.dictionary}",
                   f"-max_len={MAX_LEN}", "-timeout=10", "-rss_limit_mb=4096", "-print_final_stats=1",
                   f"-artifact_prefix={self.findings}/{self.target.name}-", str(self.folder / "corpus"),
                   str(self.folder / "seeds")]
        result, start = Result(), time.monotonic()
        with open(self.log, "w") as log, subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace") as child:
            assert child.stderr
            for line in child.stderr:
                log.write(line)
                self.note(line, result)
                left = max(0, seconds - int(time.monotonic() - start))
                show(f"{self.target.name}: {left} s left, {result.runs} runs, {result.per_second}/s, "
                     f"{result.covered} of {result.edges} edges")
        show("")
        found = set(self.findings.iterdir()) - before
        result.findings = len(found)
        result.inputs = len(list((self.folder / "corpus").iterdir()))
        if child.returncode != 0 and not found:
            print(f"{self.target.name}: the fuzzer failed; {self.log} says why", file=sys.stderr)
            result.findings = 1
        for path in sorted(found):
            self.tell(path)
        return result

    @staticmethod
    def note(line: str, result: Result) -> None:
        if m := re.match(r"#(\d+)\s.*cov: (\d+).*exec/s: (\d+)", line):
            result.runs, result.covered, result.per_second = (int(n) for n in m.groups())
        elif m := re.search(r"\((\d+) inline 8-bit counters\)", line):
            result.edges = int(m[1])
        elif m := re.match(r"stat::(number_of_executed_units|average_exec_per_sec):\s+(\d+)", line):
            setattr(result, "runs" if m[1].startswith("number") else "per_second", int(m[2]))

    def tell(self, path: Path) -> None:
        why = re.findall(r"^(?:finding: .*|.*runtime error: .*|.*ERROR: AddressSanitizer.*|.*ERROR: libFuzzer.*)$",
                         self.log.read_text(errors="replace"), re.MULTILINE)
        print(f"{self.target.name}: FOUND {why[0] if why else path.name}\n"
              f"  again:    {self.program.relative_to(ROOT)} {path.relative_to(ROOT)}\n"
              f"  smaller:  {self.program.relative_to(ROOT)} -minimize_crash=1 -runs=100000 {path.relative_to(ROOT)}\n"
              f"  keep:     cp {path.relative_to(ROOT)} tests/fuzz/regressions/{self.target.name}/WHAT-IT-SHOWS\n"
              f"            and ./dev test replays it from then on")

    def merged(self, *folders: Path) -> tuple[int, list[bytes]]:
        """The edges these reach, and the fewest inputs that do."""
        out = self.folder / "merged"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        done = subprocess.run([str(self.program), "-merge=1", "-use_counters=0", f"-max_len={KEPT_LEN}", str(out),
                               *map(str, folders)], capture_output=True, text=True, errors="replace")
        m = re.search(r"MERGE-OUTER: \d+ new files with \d+ new features added; (\d+) new coverage", done.stderr)
        return int(m[1]) if m else 0, [path.read_bytes() for path in out.iterdir()]

    def keep(self) -> None:
        """What reaches more than the inputs in the tree takes their place."""
        tree = self.folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir()
        for i, data in enumerate(inputs.read_list(self.target.stored)):
            (tree / str(i)).write_bytes(data)
        stored, _ = self.merged(tree)
        reached, few = self.merged(tree, self.folder / "seeds", self.folder / "corpus")
        if reached > stored:
            inputs.write_list(self.target.stored, few)
            print(f"{self.target.name}: {self.target.stored.relative_to(ROOT)} reaches {reached - stored} edges more")


class AflRun(Run):
    def fuzz(self, seconds: int) -> Result:
        out = self.folder / "afl"
        shutil.rmtree(out, ignore_errors=True)
        environment = {**os.environ, "AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1",
                       "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1"}
        command = ["afl-fuzz", "-V", str(seconds), "-m", "none", "-t", "5000", "-i", str(self.folder / "seeds"),
                   "-o", str(out), "-x", str(self.dictionary), "--", str(self.program)]
        show(f"{self.target.name}: {seconds} s")
        with open(self.log, "w") as log:
            subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        show("")
        stats = out / "default" / "fuzzer_stats"
        if not stats.exists():
            print(f"{self.target.name}: the fuzzer failed; {self.log} says why", file=sys.stderr)
            return Result(findings=1)
        said = dict(re.findall(r"^(\w+)\s*: (\S+)", stats.read_text(), re.MULTILINE))
        for path in (out / "default" / "crashes").glob("id*"):
            kept = self.findings / f"{self.target.name}-{path.name.split(',')[0].replace(':', '-')}"
            shutil.copy(path, kept)
            self.tell(kept)
        for path in (out / "default" / "queue").glob("id*"):
            shutil.copy(path, self.folder / "corpus")
        return Result(int(said["execs_done"]), int(float(said["execs_per_sec"])), int(said["edges_found"]),
                      int(said["total_edges"]), int(said["corpus_count"]),
                      int(said["saved_crashes"]) + int(said["saved_hangs"]))

    def keep(self) -> None:
        """libFuzzer merges: ./dev fuzz without AFL."""


def corpora(folder: Path) -> None:
    """A dictionary and a zip of inputs for each target, as ClusterFuzzLite wants them."""
    folder.mkdir(parents=True, exist_ok=True)
    for target in TARGETS.values():
        spec, found = target.beginnings()
        (folder / f"{target.name}.dict").write_text(inputs.dictionary(spec))
        with zipfile.ZipFile(folder / f"{target.name}.zip", "w") as archive:
            for data in dict.fromkeys(found):
                archive.writestr(zipfile.ZipInfo(hashlib.sha1(data).hexdigest()), data)


def generator(seconds: int) -> int:
    """The generator on specs that are damaged: a program of its own."""
    return subprocess.run([sys.executable, str(FUZZ / "generator.py"), str(seconds)]).returncode


def main() -> int:
    others = ["generator"] if (FUZZ / "generator.py").exists() else []
    parser = argparse.ArgumentParser(prog="dev fuzz", description="Run fuzz targets.")
    parser.add_argument("seconds", nargs="?", type=int, default=60, help="for each target; 60 unless given")
    parser.add_argument("targets", nargs="*", metavar="TARGET",
                        help=f"{', '.join([*TARGETS, *others])}; all unless given")
    parser.add_argument("--afl", action="store_true", help="with AFL++ and not libFuzzer")
    parser.add_argument("--list", action="store_true", help="print the targets")
    parser.add_argument("--corpora", type=Path, metavar="DIR",
                        help="write dictionaries and inputs for other machines, and run nothing")
    args = parser.parse_args()
    if args.corpora:
        corpora(args.corpora)
        return 0
    if args.list:
        print("\n".join([*TARGETS, *others]))
        return 0
    for name in args.targets:
        if name not in TARGETS and name not in others:
            parser.error(f"there's no target {name}; there are {', '.join([*TARGETS, *others])}")
    findings = 0
    for name in args.targets or [*TARGETS, *others]:
        if name in others:
            findings += generator(args.seconds) != 0
            continue
        run = (AflRun if args.afl else Run)(TARGETS[name], ROOT / "build" / ("afl" if args.afl else "fuzz"))
        run.prepare()
        result = run.fuzz(args.seconds)
        print(f"{name:16} {result.runs:>10} runs {result.per_second:>7}/s   {result.covered} of {result.edges} edges   "
              f"{result.inputs} inputs   {result.findings} findings", flush=True)
        findings += result.findings
        if not result.findings:
            run.keep()
    return 1 if findings else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
