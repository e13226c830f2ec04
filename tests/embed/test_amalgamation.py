"""One header and one source: any compiler takes them, they do what the project's own build
does, and they come out the same wherever they are made."""

import filecmp
import os
import shutil
import sys
import unittest
from pathlib import Path

from support import COMPILERS, CONSUMER, ROOT, SAID, STRICT, Scratch, dist, plain_path, run

OUR_PROGRAM = Path(os.environ.get("AT_BUILD", ROOT / "build")) / "bin" / "embed_host"
BOTH_SAY = "parsed 0 as form 1\nasks for 100 of 2\nsaid +QIURC: \"closed\",2\n"
CODEC_SAYS = ("line +QIRD: 4\npayload 4, 0 to come\nline OK\nline +QIURC: \"closed\",3\nevent 5\n"
              "encoded AT+QIRD=0,512\n")


class Amalgamation(Scratch):
    dist: Path
    plain: dict[str, str]

    @classmethod
    def prepare(cls) -> None:
        cls.dist = dist(cls.common / "dist")
        cls.plain = plain_path(cls.common)
        for tool in ("ragel", "python3"):
            assert shutil.which(tool, path=cls.plain["PATH"]) is None, tool

    def test_every_source_under_strict_flags(self) -> None:
        sources = sorted(self.dist.glob("*/*.c"))
        self.assertEqual([p.name for p in sources], ["bc26.c", "bc26_sockets.c", "bc26.c", "bc26_module.c"])
        for source in sources:
            for compiler in ("gcc", "clang"):
                for standard in ("c99", "c11"):
                    with self.subTest(source=source, compiler=compiler, standard=standard):
                        run([compiler, f"-std={standard}", *STRICT, "-c", source.name, "-o", os.devnull],
                            cwd=source.parent, env=self.plain)

    def test_no_option_but_c(self) -> None:
        for source in self.dist.glob("*/*.c"):
            run(["cc", "-c", source.name, "-o", os.devnull], cwd=source.parent, env=self.plain)

    def test_headers_in_cpp(self) -> None:
        for header in sorted(self.dist.glob("*/*.h")):
            source = self.put("use.cpp", f'#include "{header.name}"\nint main() {{ return AT_OK; }}\n')
            for compiler in COMPILERS[2:]:
                for standard in ("c++11", "c++17"):
                    with self.subTest(header=header, compiler=compiler, standard=standard):
                        run([compiler, f"-std={standard}", *STRICT, f"-I{header.parent}", "-c", source,
                             "-o", os.devnull])

    def test_cpp_links_it(self) -> None:
        run(["gcc", "-c", self.dist / "bc26" / "bc26.c", "-o", self.folder / "bc26.o"])
        source = self.put("use.cpp", '#include "bc26.h"\n#include <cstdio>\nint main() { at_client client; '
                          'at_client_config config = at_client_config(); struct bc26_qiopen open = {}; '
                          'std::printf("%d %ld %s\\n", at_client_init(&client, &config), long(open.connect_id), '
                          'bc26_access_mode_text(BC26_ACCESS_MODE_BUFFER)); }\n')
        said = self.build_and_run(["g++", "-std=c++11", f"-I{self.dist / 'bc26'}", source, self.folder / "bc26.o"])
        self.assertRegex(said, r"^-1 0 kept by the module")

    def test_a_conversation(self) -> None:
        """As the project's own build holds it, with names and without."""
        folder = self.dist / "bc26"
        for compiler in ("gcc", "clang"):
            command = [compiler, "-std=c99", f"-I{folder}", CONSUMER / "host.c", folder / "bc26.c"]
            self.assertEqual(self.build_and_run(command, self.plain), SAID)
            self.assertEqual(self.build_and_run([*command, "-DAT_NO_NAMES"], self.plain),
                             SAID.replace("name QIRD", "name left out"))
        self.assertEqual(run([OUR_PROGRAM]), SAID)

    def test_the_codec_alone(self) -> None:
        folder = self.dist / "bc26-codec"
        command = ["gcc", *STRICT, "-std=c99", f"-I{folder}", CONSUMER / "codec.c", folder / "bc26.c"]
        self.assertEqual(self.build_and_run(command, self.plain), CODEC_SAYS)
        names = defined(folder / "bc26.c", self.folder)
        self.assertIn("at_stream_commit", names)
        self.assertEqual([n for n in names if "client" in n or n.endswith("_start") and n != "at_scan_start"], [])
        self.assertNotIn("struct at_client", (folder / "bc26.h").read_text("utf-8"))

    def test_a_log_is_read(self) -> None:
        """The program that README.md shows: payload that looks like lines stays payload."""
        folder = self.dist / "bc26-codec"
        source = ROOT / "tests/embed/log.c"
        run(["gcc", *STRICT, "-std=c99", f"-I{folder}", source, folder / "bc26.c", "-o", self.folder / "log"])
        log = self.put("log.txt", 'OK\r\n\r\n+QIURC: "recv",2,11\r\nOK\r\n> ERROR\r\n+QIURC: "closed",2\r\n+WHAT: 1\r\n')
        said = run(["sh", "-c", f"{self.folder / 'log'} <{log}"])
        self.assertEqual(said, "socket 2:\n    OK\n> ERROR\nnot understood: +WHAT: 1\n")

    def test_the_module_alone(self) -> None:
        folder = self.dist / "bc26-module"
        command = ["gcc", *STRICT, "-std=c99", "-DMODULE_ALONE", f"-I{folder}", CONSUMER / "both.c",
                   folder / "bc26_module.c"]
        self.assertEqual(self.build_and_run(command, self.plain), BOTH_SAY)

    def test_host_and_module_in_one_program(self) -> None:
        """In either order, of objects and of headers."""
        host, module = self.dist / "bc26", self.dist / "bc26-module"
        sources = [host / "bc26.c", module / "bc26_module.c"]
        for order in (sources, sources[::-1]):
            for compiler in ("gcc", "clang"):
                command = [compiler, *STRICT, "-std=c99", f"-I{host}", f"-I{module}", "-DAT_BESIDE_HOST",
                           CONSUMER / "both.c", *order]
                self.assertEqual(self.build_and_run(command), BOTH_SAY)
        other = (CONSUMER / "both.c").read_text("utf-8")
        other = '#include "bc26.h"\n#include "bc26_sockets.h"\n' + other
        command = ["gcc", *STRICT, "-std=c99", "-DAT_BESIDE_HOST", f"-I{host}", f"-I{module}", self.put("both.c", other),
                   *sources]
        self.assertEqual(self.build_and_run(command), BOTH_SAY)

    def test_names_on_both_sides_or_on_neither(self) -> None:
        """One side's tables would be read as the other's, which have other columns."""
        host, module = self.dist / "bc26", self.dist / "bc26-module"
        for options in ((), ("-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections")):
            run(["gcc", *options, "-DAT_NO_NAMES", "-c", host / "bc26.c", "-o", self.folder / "host.o"])
            with self.assertRaisesRegex(AssertionError, "undefined reference"):
                run(["gcc", *options, "-DAT_BESIDE_HOST", f"-I{host}", f"-I{module}", CONSUMER / "both.c", self.folder / "host.o",
                     module / "bc26_module.c", "-o", self.folder / "program"])

    def test_two_modules_in_one_program(self) -> None:
        run([sys.executable, ROOT / "gen/atspec", "dist", ROOT / "spec/quectel/bg95-tcpip.yaml", "-o", self.folder])
        source = self.put("two.c", '#include "bc26.h"\n#include "bg95.h"\n#include <stdio.h>\n'
                          'int main(void) { printf("%s %s\\n", bc26.name, bg95.name); return 0; }\n')
        run(["gcc", "-DAT_NO_RUNTIME", "-c", self.folder / "bg95/bg95.c", "-o", self.folder / "bg95.o"])
        said = self.build_and_run(["gcc", f"-I{self.dist / 'bc26'}", f"-I{self.folder / 'bg95'}", source,
                                   self.dist / "bc26/bc26.c", self.folder / "bg95.o"])
        self.assertEqual(said, "bc26 bg95\n")

    def test_the_head_says_where_it_is_from(self) -> None:
        sha = run(["grep", "-o", "SPEC_SHA256 .*", self.dist / "bc26/bc26.h"]).split('"')[1]
        version = run([sys.executable, ROOT / "gen/atspec", "--version"]).split()[1]
        licence = (ROOT / "LICENSE").read_text("utf-8").splitlines()
        for file in (p for p in self.dist.glob("*/bc26*.[ch]") if "sockets" not in p.name):
            head = file.read_text("utf-8").partition("*/")[0]
            self.assertIn(sha, head)
            self.assertIn(f"atspec {version} ", head)
            for line in licence:
                self.assertIn(line, head)

    def test_no_trace_of_where_it_was_made(self) -> None:
        for file in self.dist.glob("*/*.[ch]"):
            text = file.read_text("utf-8")
            self.assertNotRegex(text, r"#line|\.rl\"|#include \"at/", file)
            self.assertNotIn(str(ROOT), text)


class Determinism(Scratch):
    def test_the_same_bytes_from_two_trees(self) -> None:
        made = []
        for name, env in (("a", {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C"}),
                          ("another/place with spaces", {"PYTHONHASHSEED": "2", "TZ": "Asia/Shanghai",
                                                         "LC_ALL": "C.UTF-8"})):
            tree = self.folder / name
            for part in ("gen", "spec", "src", "include"):
                shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
            for part in ("dev", "LICENSE"):
                shutil.copy(ROOT / part, tree / part)
            made.append(dist(tree / "out", root=tree, env=env))
        names = sorted(str(p.relative_to(made[0])) for p in made[0].rglob("*") if p.is_file())
        self.assertEqual(names, sorted(str(p.relative_to(made[1])) for p in made[1].rglob("*") if p.is_file()))
        for name in ("bc26/bc26.c", "zephyr/zephyr/module.yml", "esp-idf/bc26/idf_component.yml", "arduino/src/bc26.c"):
            self.assertIn(name, names)
        self.assertEqual(filecmp.cmpfiles(made[0], made[1], names, shallow=False), (names, [], []))


class OneBuild(Scratch):
    """What was made of different choices isn't linked together."""

    MAIN = '#include "bc26.h"\nint main(void) { return bc26.forms == 0; }\n'

    def link(self, header: Path, *sources: object) -> None:
        run(["gcc", f"-I{header}", self.put("main.c", self.MAIN), *sources, "-o", self.folder / "program"])

    def test_header_and_source(self) -> None:
        now, old = dist(self.folder / "now") / "bc26", dist(self.folder / "old", "--firmware", "V1.0") / "bc26"
        one = dist(self.folder / "one", "--only", "QIRD") / "bc26"
        for header in (now, old, one):
            for source in (now, old, one):
                with self.subTest(header=header, source=source):
                    if header == source:
                        self.link(header, source / "bc26.c")
                    else:
                        with self.assertRaisesRegex(AssertionError, "undefined reference to .bc26_[0-9a-f]{8}'"):
                            self.link(header, source / "bc26.c")

    def test_with_and_without_names(self) -> None:
        folder = dist(self.folder / "d") / "bc26"
        run(["gcc", "-DAT_NO_NAMES", "-c", folder / "bc26.c", "-o", self.folder / "bc26.o"])
        with self.assertRaisesRegex(AssertionError, "undefined reference"):
            self.link(folder, self.folder / "bc26.o")

    def test_host_and_module(self) -> None:
        now, old = dist(self.folder / "now"), dist(self.folder / "old", "--firmware", "V1.0")
        cases: list[tuple[list[str], str]] = [(["-DAT_BESIDE_HOST"], "undefined reference to .bc26_"),
                                              ([], "multiple definition")]
        for options, complaint in cases:
            module = self.folder / "module.o"
            run(["gcc", *options, "-c", now / "bc26-module/bc26_module.c", "-o", module])
            with self.assertRaisesRegex(AssertionError, complaint):
                run(["gcc", f"-I{now / 'bc26-module'}", "-DMODULE_ALONE", CONSUMER / "both.c", module,
                     old / "bc26/bc26.c", "-o", self.folder / "program"])


class Again(Scratch):
    """Over what an earlier run wrote."""

    def names(self, folder: Path) -> list[str]:
        return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))

    def test_only_what_belongs_to_it_is_left(self) -> None:
        folder = dist(self.folder / "d")
        run(["sha256sum", "-c", "MANIFEST"], cwd=folder)
        self.assertTrue((folder / "arduino/library.properties").exists())
        dist(folder, "--only", "QIRD")
        self.assertEqual(self.names(folder), self.names(dist(self.folder / "fresh", "--only", "QIRD")))

    def test_what_was_changed_or_is_the_users_stays(self) -> None:
        folder = dist(self.folder / "d")
        mine, changed = folder / "zephyr/mine.c", folder / "arduino/keywords.txt"
        mine.write_text("int mine;\n", "utf-8")
        changed.write_text("changed\n", "utf-8")
        self.assertIn(f"{changed} was changed", self.said("--only", "QIRD"))
        self.assertEqual([p for p in self.names(folder) if p.startswith(("zephyr", "arduino"))],
                         ["arduino", "arduino/keywords.txt", "zephyr", "zephyr/mine.c"])

    def said(self, *options: str) -> str:
        return run(["sh", "-c", 'sh "$@" 2>&1', "sh", ROOT / "dev", "dist", self.folder / "d", *options],
                   env={"AT_NO_INSTALL": "1"})

    def test_what_is_left_out_is_said(self) -> None:
        self.assertIn("without the sockets and the packages", self.said("--only", "QIRD"))
        self.assertIn("without the sockets and the packages", self.said("--firmware", "V1.0"))
        self.assertNotIn("without", self.said("--style", "small"))
        self.assertTrue((self.folder / "d/bc26/bc26_sockets.c").exists())

    def test_what_makes_no_sense(self) -> None:
        atspec = [sys.executable, ROOT / "gen/atspec", "dist", ROOT / "spec/quectel/bc26-tcpip.yaml"]
        cases: list[tuple[list[object], str]] = [
            (["-o", ""], "an empty name"), (["--only", ""], "a command without a name"),
            (["--only", "QIRD,"], "a command without a name"),
            (["--only", "QIRD", "--only", "QIOPEN"], "may be given once"),
            (["--packages", self.folder], "no folder zephyr/")]
        for options, complaint in cases:
            with self.assertRaisesRegex(AssertionError, complaint):
                run([*atspec, *(["-o", self.folder / "x"] if options[0] != "-o" else []), *options])
        self.assertFalse((self.folder / "x").exists())


class Choice(Scratch):
    """What isn't chosen costs nothing: not generated, or dropped by the linker."""

    def link(self, folder: Path, main: str, *options: str) -> tuple[str, bytes]:
        """The live part of the linker's map, and the program."""
        source = self.put("main.c", f'#include "bc26.h"\nint main(void) {{ {main} }}\n')
        run(["gcc", "-Os", "-ffunction-sections", "-fdata-sections", f"-I{folder}", *options, source,
             folder / "bc26.c", "-Wl,--gc-sections", f"-Wl,-Map={self.folder / 'map'}", "-o", self.folder / "program"])
        live = (self.folder / "map").read_text("utf-8").partition("Linker script and memory map")[2]
        return live, (self.folder / "program").read_bytes()

    CALL = ("static struct at_client client; struct bc26_qird request = {0}; struct bc26_qird_response answer; "
            "return bc26_qird(&client, &request, &answer, NULL, 0);")

    def test_one_command(self) -> None:
        others = {"QIOPEN", "QICLOSE", "QISEND", "QISENDEX", "QISWTMD", "QPING", "QNTP", "QIDNSGIP", "QIDNSCFG"}
        whole, _ = self.link(dist(self.common / "whole") / "bc26", self.CALL)
        folder = dist(self.folder / "one", "--only", "QIRD") / "bc26"
        live, program = self.link(folder, self.CALL)
        self.assertIn("bc26_qird", live)
        self.assertTrue(b"AT+QIRD=" in program)
        for name in ("at_sending", "at_data_check"):    # it sends no data
            self.assertNotIn(name, live)
        for name in others:
            self.assertNotRegex(live, rf"(?i)_{name}(?:_|\b)")
            self.assertFalse(f"AT+{name}".encode() in program, name)
        # Of the whole, the calls that nobody makes are dropped, too.
        self.assertIn("bc26_qird", whole)
        self.assertNotRegex(whole, r"\.text\.bc26_(qiopen|qping)\b")
        self.assertFalse((folder / "bc26_sockets.c").exists())

    def test_no_client_unless_used(self) -> None:
        folder = dist(self.folder / "d") / "bc26"
        live, _ = self.link(folder, "char b[64]; struct bc26_qird r = {0}; "
                                    "return bc26_qird_encode(NULL, &r, b, sizeof b, NULL);")
        self.assertIn("bc26_qird_encode", live)
        self.assertNotIn("at_client_", live)
        self.assertNotIn("at_stream_", live)

    def test_names_left_out(self) -> None:
        folder = dist(self.folder / "d") / "bc26"
        for options, there in (((), True), (("-DAT_NO_NAMES",), False)):
            program = self.link(folder, self.CALL, *options)[1]
            for name in (b"connectID", b"read_length", b"buffer_full"):
                self.assertEqual(name in program, there, (options, name))

    def test_the_manual_is_asked_for(self) -> None:
        folder = dist(self.folder / "d") / "bc26"
        text = b"Read received data"
        self.assertFalse(text in self.link(folder, self.CALL)[1])
        main = "return bc26_manual.ncommands == 0;"
        self.assertTrue(text in self.link(folder, main, "-DAT_MANUAL")[1])

    def test_firmware_and_style(self) -> None:
        old = dist(self.folder / "old", "--firmware", "V1.0", "--style", "G2") / "bc26"
        head = (old / "bc26.c").read_text("utf-8").partition("*/")[0]
        self.assertIn("Firmware:     V1.0\n", head)
        self.assertIn("-G2", head)
        source = self.put("gone.c", '#include "bc26.h"\nint main(void) '
                          '{ return bc26_qisend_fixed(0, 0); }\n')
        run(["gcc", "-std=c99", *STRICT, "-c", old / "bc26.c", "-o", os.devnull])
        with self.assertRaisesRegex(AssertionError, "(?s)unavailable.*V1.0"):
            run(["gcc", f"-I{old}", "-c", source, "-o", os.devnull])


class Small(Scratch):
    def test_heads_in_a_table(self) -> None:
        """The same conversation, from fewer bytes of code."""
        sizes = []
        for style in ("T0", "small"):
            folder = dist(self.folder / style, "--style", style) / "bc26"
            said = self.build_and_run(["gcc", "-std=c99", *STRICT, "-Os", "-ffunction-sections", "-fdata-sections",
                                       "-Wl,--gc-sections", f"-I{folder}", CONSUMER / "host.c", folder / "bc26.c"])
            self.assertEqual(said, SAID)
            self.assertEqual("at_head_search(head_texts" in (folder / "bc26.c").read_text("utf-8"), style == "small")
            run(["gcc", "-Os", "-c", folder / "bc26.c", "-o", self.folder / "bc26.o"])
            sizes.append(int(run(["size", self.folder / "bc26.o"]).splitlines()[1].split()[0]))
        self.assertLess(sizes[1], sizes[0])


def defined(source: Path, folder: Path) -> list[str]:
    """What other files can see."""
    run(["gcc", "-c", source, "-o", folder / "x.o"])
    lines = run(["nm", "-g", "--defined-only", folder / "x.o"]).splitlines()
    return [line.split()[2] for line in lines]


if __name__ == "__main__":
    unittest.main()
