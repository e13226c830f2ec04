"""What the generator writes: the same always, complete, and C that any compiler takes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import REPOSITORY, SHIPPED, SMALLEST, load_spec
from atspec.coverage import Facts, fill, report, rows, strangers
from atspec.examples import bytes_literal, render_examples
from atspec.model import Spec
from atspec.render import render

SECOND = Path(__file__).resolve().parent / "second" / "tide.yaml"
GENERATOR = REPOSITORY / "gen" / "atspec"
WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Werror"]
COMPILERS = [c for c in ("gcc", "clang") if shutil.which(c)]


def run(*arguments: object, cwd: Path = REPOSITORY, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(a) for a in arguments], cwd=cwd, text=True, capture_output=True,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment})


def atspec(*arguments: object, cwd: Path = REPOSITORY, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, os.path.relpath(GENERATOR, cwd), *arguments, cwd=cwd, **environment)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def load(path: Path) -> Spec:
    spec, diagnostics = load_spec(str(path))
    assert spec, "\n".join(map(str, diagnostics))
    return spec


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def build(self, spec: Path, name: str, *options: str) -> Path:
        done = atspec("build", spec, "-o", self.folder / name, *options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return self.folder / name

    def succeeds(self, *command: object) -> str:
        done = run(*command, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr[:4000])
        return done.stdout


class Deterministic(Folder):
    """Law 8: same spec, same bytes out."""

    def test_wherever_and_however_it_runs(self) -> None:
        for spec in (SHIPPED, SECOND):
            with self.subTest(spec.name):
                one, two = self.folder / spec.stem / "one", self.folder / spec.stem / "elsewhere" / "two"
                two.parent.mkdir(parents=True)
                relative = Path(os.path.relpath(spec, two.parent))
                calls = [(spec, one, REPOSITORY, "0"), (relative, two, two.parent, "4711")]
                for path, output, cwd, seed in calls:
                    for command, out in (("build", output), ("examples", output / "examples.c")):
                        done = atspec(command, path, "-o", out, cwd=cwd, PYTHONHASHSEED=seed,
                                      TZ=f"UTC{seed[0]}", LC_ALL="C")
                        self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(contents(one), contents(two))

    def test_from_a_copy(self) -> None:
        copy = self.folder / "copy"
        for part in ("gen", "spec"):
            shutil.copytree(REPOSITORY / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        done = run(sys.executable, copy / "gen" / "atspec", "build",
                   copy / SHIPPED.relative_to(REPOSITORY), "-o", "out", cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(contents(self.folder / "out"), contents(self.build(SHIPPED, "here")))

    def test_no_dates_no_paths(self) -> None:
        for path in (SHIPPED, SECOND):
            spec = load(path)
            files = {**render(spec), "examples.c": render_examples(spec)}
            for name, text in files.items():
                for foreign in (str(REPOSITORY), "/home/", "/tmp/", "__DATE__", "__TIME__"):
                    self.assertNotIn(foreign, text, name)
                dates = set(re.findall(r"\b(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}\b", text))
                self.assertLessEqual(dates, {spec.date}, name)
                self.assertNotRegex(text, r"0x[0-9a-f]{8,}|object at", name)

    def test_no_text_ends_its_comment(self) -> None:
        path = self.folder / "hostile.yaml"
        text = re.sub(r"(?m)^(title|  document): (.*)$", r"\1: '*/ \2 */'", SHIPPED.read_text("utf-8"))
        path.write_text(text.replace("[../common", f"[{SHIPPED.parent.parent}/common"), "utf-8")
        spec = load(path)
        files = {**render(spec), "examples.c": render_examples(spec)}
        for name in [n for n in files if n.endswith((".h", ".c")) and "manual" not in n]:
            code = re.sub(r'"(\\.|[^"\\])*"', "", files[name])
            code = re.sub(r"/\*.*?\*/", "", code, flags=re.S)
            self.assertNotIn("*/", code, name)

    def test_text_is_tidy(self) -> None:
        for path in (SHIPPED, SECOND):
            spec = load(path)
            for name, text in {**render(spec), "examples.c": render_examples(spec)}.items():
                self.assertTrue(text.isascii() or name.endswith((".h", "_examples.c")), name)
                self.assertNotRegex(text, r"[ \t]\n|\r|\t|\n\n\n", name)
                self.assertTrue(text.endswith("\n") and not text.endswith("\n\n"), name)


class Output(Folder):
    def test_unchanged_files_keep_their_times(self) -> None:
        out = self.build(SHIPPED, "out")
        for path in out.iterdir():
            os.utime(path, (1, 1))
        (out / "bc26.h").write_text("something else")
        self.build(SHIPPED, "out")
        changed = [p.name for p in out.iterdir() if p.stat().st_mtime != 1]
        self.assertEqual(changed, ["bc26.h"])

    def test_check(self) -> None:
        out = self.build(SHIPPED, "out")
        fresh = contents(out)
        self.assertEqual(atspec("build", SHIPPED, "-o", out, "--check").returncode, 0)
        (out / "bc26.h").write_text(fresh["bc26.h"].decode().replace("BC26_ERROR_BIND = 556", "BC26_ERROR_BIND = 555"))
        (out / "bc26_module.c").unlink()
        before = contents(out)
        done = atspec("build", SHIPPED, "-o", out, "--check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("-    BC26_ERROR_BIND = 555", done.stdout)
        self.assertIn("+    BC26_ERROR_BIND = 556", done.stdout)
        self.assertIn("bc26_module.c (generated)", done.stdout)
        self.assertIn("stale", done.stderr)
        self.assertEqual(contents(out), before, "--check writes nothing")

    def stale(self, out: Path, *options: str) -> str:
        """What --check prints on both streams; it writes nothing."""
        before = contents(out)
        done = atspec("build", SHIPPED, "-o", out, "--check", *options)
        self.assertEqual(contents(out), before)
        self.assertEqual(done.returncode, 1 if done.stdout + done.stderr else 0)
        return done.stdout + done.stderr

    def test_check_of_other_options(self) -> None:
        for built, checked, finds in (
                (("--firmware", "V1.0"), (), "- * Firmware:     V1.0"),
                ((), ("--firmware", "V1.0"), "+ * Firmware:     V1.0"),
                (("--only", "QIRD"), ("--only", "QIRD,QICLOSE"), "DIR --only QIRD,QICLOSE"),
                (("--only", "QIRD"), ("--only", "QIRD"), ""),
                (("--only", "QIRD"), (), "+ * Regenerate:   python3 gen/atspec build SPEC -o DIR, SPEC"),
                (("--host",), (), "+++ bc26_module.c (generated)"),
                (("--host",), ("--host",), ""),
                ((), ("--host",), "bc26_module.c isn't generated any more; remove it")):
            with self.subTest(f"{built} {checked}"):
                out = self.build(SHIPPED, "-".join(("out", *built)), *built)
                said = self.stale(out, *checked)
                self.assertIn(finds, said)
                self.assertEqual(bool(finds), bool(said))

    def test_check_of_another_generator(self) -> None:
        out = self.build(SHIPPED, "out", "--host")
        header = out / "bc26.h"
        header.write_text(re.sub(r"by atspec [0-9.]+", "by atspec 0.0.1", header.read_text()))
        self.assertIn("-/* Generated by atspec 0.0.1 from", self.stale(out, "--host"))

    def test_check_of_other_line_ends(self) -> None:
        out = self.build(SHIPPED, "out", "--host")
        header = out / "bc26.h"
        header.write_bytes(header.read_bytes().replace(b"\n", b"\r\n"))
        self.assertIn("+++ bc26.h (generated)", self.stale(out, "--host"))

    def test_one_view_at_a_time(self) -> None:
        done = atspec("build", SHIPPED, "-o", self.folder / "out", "--at", "V1.0", "--firmware", "BC26NBR01A06")
        self.assertEqual(done.returncode, 2)
        self.assertIn("one firmware or revision at a time", done.stderr)

    def test_check_leaves_other_files_alone(self) -> None:
        out = self.build(SHIPPED, "out", "--host")
        (out / "bc26_module.c").write_text("/* somebody's own */\n")
        (out / "notes.txt").write_text("mine\n")
        self.assertEqual(self.stale(out, "--host"), "")

    def test_check_of_nothing(self) -> None:
        done = atspec("build", SHIPPED, "-o", self.folder / "nowhere", "--check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("+++ bc26_calls.c (generated)", done.stdout)
        self.assertFalse((self.folder / "nowhere").exists())

    def test_host_alone(self) -> None:
        both, host = self.build(SHIPPED, "both"), self.build(SHIPPED, "host", "--host")
        module_files = {"bc26_module.h", "bc26_module.c", "bc26_command.rl"}
        self.assertEqual(set(contents(both)) - set(contents(host)), module_files)
        self.assertEqual(contents(host), {n: c for n, c in contents(both).items() if n not in module_files})

    def test_unknown_command(self) -> None:
        done = atspec("build", SHIPPED, "-o", self.folder / "out", "--only", "QIRD,QNONE")
        self.assertEqual(done.returncode, 1)
        self.assertIn("QNONE", done.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_broken_spec(self) -> None:
        broken = self.folder / "broken.yaml"
        broken.write_text("atspec: 1\nmodule: x\n")
        for command, out in (("build", "out"), ("examples", "out.c")):
            done = atspec(command, broken, "-o", self.folder / out)
            self.assertEqual(done.returncode, 1)
            self.assertIn("error[", done.stderr)
            self.assertFalse((self.folder / out).exists())


class Compiles(Folder):
    def sources(self, folder: Path) -> list[str]:
        """The C sources, with those that Ragel makes."""
        for machine in folder.glob("*.rl"):
            self.succeeds("ragel", "-C", "-L", "-G2", machine, "-o", machine.with_suffix(".c"))
        return sorted(str(p) for p in folder.glob("*.c"))

    def compile(self, folder: Path, compiler: str, *options: str) -> None:
        for source in self.sources(folder):
            if "-DAT_NO_NAMES" in options and source.endswith("_module.c"):
                continue    # it says heads of lines, which are among what is left out
            self.succeeds(compiler, *WARNINGS, *options, f"-I{REPOSITORY / 'include'}", f"-I{folder}", source)

    def test_without_a_warning(self) -> None:
        self.assertIn("gcc", COMPILERS)
        for spec in (SHIPPED, SECOND):
            out = self.build(spec, spec.stem)
            for compiler in COMPILERS:
                with self.subTest(f"{spec.name} {compiler}"):
                    # Some of gcc's warnings need its optimizer.
                    how = ["-O2", "-S", "-o", os.devnull] if compiler == "gcc" else ["-fsyntax-only"]
                    self.compile(out, compiler, *how)
                    self.compile(out, compiler, "-DAT_NO_NAMES", "-fsyntax-only")

    def test_the_smallest_specs(self) -> None:
        """Without settings, parameters, choices: no table is empty, no helper unused."""
        answered = SMALLEST + """\
  COUNT:
    section: '1'
    doc: Count
    parameters: {total: {type: integer, range: 0..9, doc: How many}}
    lines: {COUNT: {line: '+COUNT: <total>', doc: How many}}
    read: {syntax: 'AT+COUNT?', response: {COUNT: 1}}
"""
        for name, text in (("smallest", SMALLEST), ("answered", answered)):
            spec = self.folder / f"{name}.yaml"
            spec.write_text(text)
            out = self.build(spec, name)
            for compiler in COMPILERS:
                with self.subTest(f"{name} {compiler}"):
                    self.compile(out, compiler, "-O2", "-S", "-o", os.devnull)

    def test_any_words(self) -> None:
        """What is written for people may hold quotes, backslashes and line breaks."""
        spec = self.folder / "words.yaml"
        spec.write_text("""\
atspec: 1
module: words
title: Words
source: {document: 'The "manual"', version: '1', date: '2020-01-01', sections: {'1': All}}
defaults: {response_time: 300 ms}
finals:
  OK: {line: OK, outcome: ok, doc: Done}
  ERROR: {line: ERROR, outcome: error, doc: Refused}
commands:
  ODD:
    section: '1'
    doc: |
      Say "no",
      C:\\path and */
    execute: {syntax: AT+ODD}
    notes: ['really "odd"']
""")
        out = self.build(spec, "words")
        for compiler in COMPILERS:
            self.compile(out, compiler, "-fsyntax-only")
        text = (out / "words_manual.c").read_text()
        self.assertIn(r'"Say \"no\", C:\\path and */"', text)
        self.assertIn(r'"really \"odd\""', text)

    def test_headers_in_cxx(self) -> None:
        for spec, name in ((SHIPPED, "bc26"), (SECOND, "tide")):
            out = self.build(spec, name)
            both = self.folder / "both.cc"
            both.write_text(f'#include "{name}.h"\n#include "{name}_module.h"\n')
            for compiler in COMPILERS:
                with self.subTest(f"{spec.name} {compiler}"):
                    self.succeeds(compiler, "-x", "c++", "-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                                  f"-I{REPOSITORY / 'include'}", f"-I{out}", "-fsyntax-only", both)

    def test_a_header_alone(self) -> None:
        out = self.build(SHIPPED, "out")
        for name in ("bc26.h", "bc26_module.h", "bc26_tables.h"):
            alone = self.folder / "alone.c"
            alone.write_text(f'#include "{name}"\n#include "{name}"\ntypedef int not_empty;\n')
            self.succeeds("gcc", *WARNINGS, f"-I{REPOSITORY / 'include'}", f"-I{out}", "-fsyntax-only", alone)

    def test_one_command(self) -> None:
        out = self.build(SHIPPED, "out", "--only", "QIRD")
        self.compile(out, "gcc", "-c")
        text = "".join(p.read_text() for p in out.glob("*.[ch]"))
        symbols = self.succeeds("nm", *self.folder.glob("*.o")).lower()
        self.assertIn("bc26_qird_encode", symbols)
        self.assertNotIn("qping", symbols)
        self.assertNotIn("AT+QPING", text)
        self.assertNotIn("bc26_qping", text)
        for needed in ("at_execute", "ate0_execute", "qicfg_viewmode", "qistate_read", "qigeterror_execute"):
            self.assertIn(f"bc26_{needed}", symbols, "start-up, settings and barriers")

    def test_other_runtime(self) -> None:
        out = self.build(SHIPPED, "out")
        types = self.folder / "at" / "types.h"
        shutil.copytree(REPOSITORY / "include" / "at", types.parent)
        types.write_text(re.sub(r"(AT_RUNTIME_VERSION) \d+", r"\1 999", types.read_text()))
        done = run("gcc", f"-I{self.folder}", f"-I{out}", "-fsyntax-only", out / "bc26.c")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("generate it anew", done.stderr)


class SecondModule(unittest.TestCase):
    def test_nothing_knows_it(self) -> None:
        """Nor the other: the generator and the runtime hold no module's name."""
        for folder in ("gen", "src/runtime", "include/at"):
            for path in sorted((REPOSITORY / folder).rglob("*")):
                if path.suffix in (".py", ".j2", ".c", ".h", ".rl", ".cmake"):
                    self.assertNotRegex(path.read_text("utf-8"), r"(?i)\btide|\bbc26", path)

    def test_no_findings(self) -> None:
        self.assertEqual(load_spec(str(SECOND))[1], [])


class Examples(unittest.TestCase):
    def test_every_dialogue_and_step(self) -> None:
        for path in (SHIPPED, SECOND):
            spec = load(path)
            text = render_examples(spec)
            self.assertEqual(text.count("START_TEST("), len(spec.examples))
            self.assertEqual(text.count("tcase_add_test("), len(spec.examples))
            steps = [s for e in spec.examples for s in e.steps]
            bodies = text[text.index("START_TEST("):text.index("int main(")]
            said = re.findall(r"^    (?:say_\w+|hear_\w+|dialogue_(?:refused|plain|prompt|send))\(d, ", bodies, re.M)
            self.assertEqual(len(said), len(steps))

    def test_spelling(self) -> None:
        """Quotes that plain data don't need are the one thing the encoder leaves out."""
        text = render_examples(load(SHIPPED))
        self.assertEqual(set(re.findall(r"dialogue_spell\(d, (.*)\);", text)), {'"AT+QISEND=0,12,012345678901"'})

    def test_bytes(self) -> None:
        self.assertEqual(bytes_literal(b'a"\\?\0001\xff'), r'"a\042\134\077\0001\377"')


class Coverage(unittest.TestCase):
    def setUp(self) -> None:
        self.spec = load(SHIPPED)
        self.facts: Facts = {(r.kind, r.name): ["test: all"] for r in rows(self.spec)
                             if r.kind != "section"}

    def test_all_there(self) -> None:
        table, holes = report(self.spec, self.facts, False)
        found = rows(self.spec)
        self.assertEqual(holes, 0)
        self.assertEqual(table[-1], f"{len(found)} of {len(found)} covered")
        spec = self.spec
        for kind, nodes in (("section", spec.sections), ("form", spec.forms), ("line", spec.lines),
                            ("values", spec.values), ("setting", spec.settings), ("example", spec.examples)):
            self.assertEqual(sum(r.kind == kind for r in found), len(nodes), kind)

    def test_a_hole(self) -> None:
        for fact in sorted(self.facts):
            less = {k: v for k, v in self.facts.items() if k != fact}
            table, holes = report(self.spec, less, False)
            self.assertGreaterEqual(holes, 1, fact)
            self.assertTrue(any(row.endswith("  HOLE") for row in table), fact)
            self.assertFalse(any(r.tests for r in fill(self.spec, less) if (r.kind, r.name) == fact))

    def test_a_section_without_a_node(self) -> None:
        self.spec.covered_by.clear()
        self.facts[("section", "2.2")] = ["test: a claim"]
        self.assertIn("1.1", [r.name for r in fill(self.spec, self.facts) if not r.tests])
        self.assertIn("2.2", [r.name for r in fill(self.spec, None) if r.kind == "section" and not r.tests])
        self.assertIn("2.2", [r.name for r in fill(self.spec, self.facts) if not r.tests])

    def test_in_order(self) -> None:
        sections = [r.section for r in rows(self.spec) if r.kind == "section"]
        self.assertEqual(sections, list(self.spec.sections))

    def test_strangers(self) -> None:
        self.assertEqual(strangers(self.spec, self.facts), [])
        self.assertEqual(strangers(self.spec, {("form", "QIOPEN.sett"): ["t"]}), ["form `QIOPEN.sett`"])

    def test_command(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            done = atspec("coverage", SHIPPED, "--tests", folder)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, r"\n0 of \d+ covered\n$")
            facts = "".join(f"{kind}\t{name}\tall\n" for kind, name in sorted(self.facts))
            Path(folder, "test_all").write_text(facts + "form\tQNONE.set\tall\n")
            done = atspec("coverage", SHIPPED, "--tests", folder)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn("QNONE.set", done.stderr)
            self.assertNotIn("HOLE", done.stdout)
            done = atspec("coverage", SHIPPED, "--tests", folder, "--format", "markdown")
            self.assertRegex(done.stdout, r"^\| Section \| Kind \| Spec \| Tests \|\n\| --- ")
            done = atspec("coverage", SHIPPED, "--tests", Path(folder, "nowhere"))
            self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
