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
        """As the project's own build holds it."""
        folder = self.dist / "bc26"
        for compiler in ("gcc", "clang"):
            self.assertEqual(self.build_and_run([compiler, "-std=c99", f"-I{folder}", CONSUMER / "host.c",
                                                 folder / "bc26.c"], self.plain), SAID)
        self.assertEqual(run([OUR_PROGRAM]), SAID)

    def test_the_codec_alone(self) -> None:
        folder = self.dist / "bc26-codec"
        command = ["gcc", *STRICT, "-std=c99", f"-I{folder}", CONSUMER / "codec.c", folder / "bc26.c"]
        self.assertEqual(self.build_and_run(command, self.plain), CODEC_SAYS)
        names = defined(folder / "bc26.c", self.folder)
        self.assertIn("at_stream_commit", names)
        self.assertEqual([n for n in names if "client" in n or n.endswith("_start") and n != "at_scan_start"], [])
        self.assertNotIn("struct at_client", (folder / "bc26.h").read_text("utf-8"))

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
                command = [compiler, *STRICT, "-std=c99", f"-I{host}", f"-I{module}", CONSUMER / "both.c", *order]
                self.assertEqual(self.build_and_run(command), BOTH_SAY)
        other = (CONSUMER / "both.c").read_text("utf-8")
        other = '#include "bc26.h"\n#include "bc26_sockets.h"\n' + other
        command = ["gcc", *STRICT, "-std=c99", f"-I{host}", f"-I{module}", self.put("both.c", other), *sources]
        self.assertEqual(self.build_and_run(command), BOTH_SAY)

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
