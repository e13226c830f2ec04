"""What an installation gives: find_package, pkg-config, and atspec_generate for a spec of
one's own. It is moved first, so that nothing leads back to where it was made."""

import re
import unittest
from pathlib import Path

from support import CONSUMER, ROOT, SAID, Scratch, plain_path, run, start

BOTH_SAY = "parsed 0 as form 1\nasks for 100 of 2\nsaid +QIURC: \"closed\",2\n"
PROJECT = """cmake_minimum_required(VERSION 3.16)
project(consumer C)
find_package(atspec 0.1 REQUIRED)
"""
USER = PROJECT + f"add_executable(user {CONSUMER / 'user.c'})\n"


class Installed(Scratch):
    prefix: Path

    @classmethod
    def prepare(cls) -> None:
        build, first = cls.common / "build", cls.common / "first"
        run(["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DAT_DEVELOP=OFF", f"-DCMAKE_INSTALL_PREFIX={first}",
             "-DCMAKE_INSTALL_LIBDIR=lib"])
        run(["cmake", "--build", build])
        run(["cmake", "--install", build])
        cls.prefix = cls.common / "moved"
        first.rename(cls.prefix)
        run(["cmake", "-E", "rm", "-rf", build])

    def configure(self, text: str, *options: str, env: dict[str, str] | None = None) -> Path:
        self.put("CMakeLists.txt", text)
        run(self.command(*options), env=env)
        return self.folder / "build"

    def command(self, *options: str) -> list[str]:
        return ["cmake", "-S", str(self.folder), "-B", str(self.folder / "build"), "-G", "Ninja",
                f"-DCMAKE_PREFIX_PATH={self.prefix}", *options]

    def test_nothing_leads_back(self) -> None:
        for file in self.prefix.rglob("*"):
            if file.suffix in (".cmake", ".pc", ".h"):
                text = file.read_text("utf-8")
                for place in (ROOT, self.common):
                    self.assertNotIn(str(place), text, file)

    def test_find_package(self) -> None:
        """Without the generator's tools, as nothing is generated."""
        env = plain_path(self.folder)
        build = self.configure(PROJECT + f"""
add_executable(host {CONSUMER / "host.c"})
target_link_libraries(host PRIVATE atspec::bc26)
add_executable(both {CONSUMER / "both.c"})
target_link_libraries(both PRIVATE atspec::bc26_module)
add_library(sockets OBJECT {ROOT / "tests/embed/sockets.c"})
target_link_libraries(sockets PRIVATE atspec::bc26_sockets)
get_target_property(more atspec::runtime INTERFACE_COMPILE_OPTIONS)
if(more)
    message(FATAL_ERROR "options leak: ${{more}}")
endif()
""", env=env)
        run(["cmake", "--build", build], env=env)
        self.assertEqual(run([build / "host"]), SAID)
        self.assertEqual(run([build / "both"]), BOTH_SAY)

    def test_another_version(self) -> None:
        self.put("CMakeLists.txt", PROJECT.replace("atspec 0.1", "atspec 0.2"))
        self.assertRegex(flat(start(self.command()).stderr), r"compatible with requested version.*0\.1\.0")

    def test_pkg_config(self) -> None:
        env = {"PKG_CONFIG_PATH": str(self.prefix / "lib/pkgconfig")}
        for source, package, said in (("host.c", "bc26", SAID), ("both.c", "bc26_module", BOTH_SAY)):
            flags = run(["pkg-config", "--cflags", "--libs", package], env=env).split()
            self.assertEqual(self.build_and_run(["cc", CONSUMER / source, *flags]), said)
        flags = run(["pkg-config", "--cflags", "--libs", "bc26_sockets"], env=env).split()
        written = self.put("s.c", '#include "bc26_sockets.h"\nint main(void) { return bc26_sockets_init(0, 0); }\n')
        run(["cc", written, *flags, "-o", self.folder / "s"])
        self.assertEqual(run(["pkg-config", "--modversion", "bc26"], env=env).strip(), "0.1.0")

    def spec(self) -> Path:
        """A spec of the user's own, with a file that it includes."""
        spec = (ROOT / "tests/generator/second/dated.yaml").read_text("utf-8")
        self.put("common.yaml", (ROOT / "spec/common/v250.yaml").read_text("utf-8"))
        return self.put("my.yaml", re.sub(r"(?m)^include: .*", "include: [common.yaml]", spec))

    def test_a_spec_of_ones_own(self) -> None:
        self.spec()
        build = self.configure(USER + f"""
add_executable(old {CONSUMER / "user.c"})
add_executable(sim {CONSUMER / "user.c"})
target_compile_definitions(sim PRIVATE WITH_MODULE)
atspec_generate(TARGET mylib SPEC my.yaml)
atspec_generate(TARGET oldlib SPEC my.yaml FIRMWARE R1 ONLY GO PAINT HOST)
atspec_generate(TARGET simlib SPEC my.yaml MODULE)
target_link_libraries(user PRIVATE mylib)
target_link_libraries(old PRIVATE oldlib)
target_link_libraries(sim PRIVATE simlib_module)
""")
        run(["cmake", "--build", build])
        self.assertRegex(run([build / "user"]), r"^AT\+GO=50\n12 forms\n$")
        self.assertRegex(run([build / "old"]), r"^refused\n5 forms\n$")
        self.assertRegex(run([build / "sim"]), r"^AT\+GO=50\n12 forms\n\d+ heads\n$")
        self.assertFalse((build / "generated/mylib/dated_module.c").exists())

    def test_what_changes_is_made_anew(self) -> None:
        """An edit of the spec, of what it includes, or of an overlay; and nothing else."""
        spec = self.spec()
        overlay = self.put("over.yaml", "atspec: 1\noverlay: A slow one\nmodule: dated\nactions:\n"
                           "  - {at: parameters.speed, because: It is, evidence: seen, change: {doc: Slow}}\n")
        for generator in ("Ninja", "Unix Makefiles"):
            with self.subTest(generator=generator):
                build = self.folder / generator.replace(" ", "")
                self.put("CMakeLists.txt", USER + "atspec_generate(TARGET mylib SPEC my.yaml OVERLAYS over.yaml)\n"
                                                  "target_link_libraries(user PRIVATE mylib)\n")
                run(["cmake", "-S", self.folder, "-B", build, "-G", generator,
                     f"-DCMAKE_PREFIX_PATH={self.prefix}"])
                self.assertIn("Generating mylib", run(["cmake", "--build", build]))
                self.assertNotRegex(run(["cmake", "--build", build]), "Generating|Building|Ragel")
                for changed in (spec, self.folder / "common.yaml", overlay):
                    before = sha(build)
                    changed.write_text(changed.read_text("utf-8") + "# edited\n", encoding="utf-8")
                    self.assertIn("Generating mylib", run(["cmake", "--build", build]))
                    self.assertNotEqual(sha(build), before)
                    self.assertNotRegex(run(["cmake", "--build", build]), "Generating|Building|Ragel")

    def test_what_is_missing_is_named(self) -> None:
        self.spec()
        self.put("CMakeLists.txt", USER + "atspec_generate(TARGET mylib SPEC my.yaml)\n")
        said = start(self.command("-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF"), env=plain_path(self.folder))
        self.assertNotEqual(said.returncode, 0)
        self.assertIn("apt-get install ragel", flat(said.stderr))
        said = start(self.command("-DAT_PYTHON=/bin/false"))
        self.assertNotEqual(said.returncode, 0)
        self.assertIn("apt-get install python3-yaml python3-jinja2 python3-jsonschema", flat(said.stderr))
        said = start(self.command("-DAT_RAGEL=/bin/true"))
        self.assertIn("needs Ragel 6.10", flat(said.stderr))

    def test_what_makes_no_sense_is_refused(self) -> None:
        self.spec()
        for arguments, why in (("TARGET x", "SPEC must be given"), ("TARGET x SPEC no.yaml", "there's no"),
                               ("TARGET x SPEC my.yaml OVERLAYS no.yaml", "there's no"),
                               ("TARGET x SPEC common.yaml", "as `module: mine` does"),
                               ("TARGET x SPEC my.yaml DIRECTORY d)\natspec_generate(TARGET y SPEC my.yaml DIRECTORY d",
                                "atspec_generate(y): another library's sources go to"),
                               ("TARGET x SPEC my.yaml HOST MODULE", "can't make sense"),
                               ("TARGET x SPEC my.yaml SORRY y", "can't make sense of: SORRY")):
            self.put("CMakeLists.txt", PROJECT + f"atspec_generate({arguments})\n")
            said = start(self.command())
            self.assertNotEqual(said.returncode, 0, arguments)
            self.assertIn(why, flat(said.stderr))
        self.put("CMakeLists.txt", PROJECT.replace("consumer C", "consumer CXX") + "atspec_generate(TARGET x SPEC my.yaml)\n")
        self.assertIn("enable_language(C)", flat(start(self.command()).stderr))
        self.put("CMakeLists.txt", PROJECT + "atspec_generate(TARGET x SPEC my.yaml)\n")
        self.assertIn("AT_RAGEL_STYLE is one of", flat(start(self.command("-DAT_RAGEL_STYLE=small")).stderr))

    def test_components(self) -> None:
        self.configure(PROJECT.replace("REQUIRED", "REQUIRED COMPONENTS runtime bc26_sockets"))
        self.put("CMakeLists.txt", PROJECT.replace("REQUIRED", "REQUIRED COMPONENTS bc27"))
        self.assertIn("set atspec_FOUND to FALSE", flat(start(self.command()).stderr))

    def test_atspecs_own_specs_are_found(self) -> None:
        """What a spec includes lies beside it, or comes with the installation."""
        smallest = (ROOT / "spec/README.md").read_text("utf-8").partition("A whole spec, the smallest:")[2]
        self.put("my.yaml", smallest.partition("```yaml\n")[2].partition("```")[0])
        build = self.configure(PROJECT + "atspec_generate(TARGET tiny SPEC my.yaml DIRECTORY made)\n")
        run(["cmake", "--build", build])
        self.assertIn("tiny", (build / "made/tiny.h").read_text("utf-8"))
        self.put("my.yaml", (self.folder / "my.yaml").read_text("utf-8").replace("v250", "v251"))
        said = start(["cmake", "--build", str(build)])
        self.assertIn("common/v251.yaml`: No such file", said.stdout + said.stderr)
        self.assertIn("then among atspec's own specs", said.stdout + said.stderr)


def sha(build: Path) -> str:
    return str(re.findall(r'SPEC_SHA256 "(\w+)"', (build / "generated/mylib/dated.h").read_text("utf-8"))[0])


def flat(text: str) -> str:
    """CMake breaks the lines of what it says."""
    return " ".join(text.split())


if __name__ == "__main__":
    unittest.main()
