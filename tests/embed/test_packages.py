"""Packages for Zephyr, ESP-IDF and Arduino: in the layout that each documents, and with an
example whose glue works.

What is proven: required files and keys; the build files, run by CMake with stand-ins for the
ecosystem's functions, name what is there; Kconfig, as Zephyr's own parser reads it; library and
example compile under strict flags against small stand-ins for the SDK's headers (sdk/); and the
example, run on this machine, talks to a virtual module by way of an interrupt that brings odd
pieces, keeps to the lock or to one thread, and has a clock that wraps around.

What isn't: nothing here was built with a real SDK, nor run on a board. That the stand-ins are
like the real thing is only as sure as they were written with care.
"""

import configparser
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import unittest
from collections.abc import Iterator
from pathlib import Path

import yaml
from support import ROOT, STRICT, Scratch, dist, run

try:
    import kconfiglib
except ImportError:
    kconfiglib = None

SDK = ROOT / "tests" / "embed" / "sdk"
TOOL = Path(os.environ.get("AT_BUILD", ROOT / "build")) / "bin" / "bc26"
PATIENCE = 60
VERSION = run([sys.executable, ROOT / "gen/atspec", "--version"]).split()[1]


# The line and what is behind it ------------------------------------------------------

def answer_lines(listener: socket.socket) -> None:
    """Says what it was told, a moment later and in two parts, and closes."""
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(PATIENCE)
                line = connection.makefile("rb").readline()
                connection.sendall(b"you said ")
                threading.Event().wait(0.2)     # too long for a clock that is too fast
                connection.sendall(line)


@contextlib.contextmanager
def server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_lines, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


@contextlib.contextmanager
def module(port: int) -> Iterator[socket.socket]:
    """The UART of a virtual module, for which all servers are this one."""
    command = [TOOL, "sim", "--tcp", "0", "--route", f"*:7=127.0.0.1:{port}"]
    with subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE, text=True) as sim:
        assert sim.stderr
        ready = sim.stderr.readline().split()[-1]
        host, _, number = ready.rpartition(":")
        try:
            with socket.create_connection((host, int(number))) as uart:
                yield uart
        finally:
            sim.terminate()


def converse(program: Path) -> "subprocess.CompletedProcess[str]":
    with server() as port, module(port) as uart:
        return subprocess.run([program], stdin=uart.fileno(), capture_output=True, text=True,
                              timeout=PATIENCE, check=False)


# What all packages are asked ------------------------------------------------------------

class Package(Scratch):
    FOLDER = ""
    SOURCES, HEADERS = "src", "include"
    package: Path
    dist: Path

    @classmethod
    def prepare(cls) -> None:
        cls.dist = dist(cls.common / "dist")
        cls.package = cls.dist / cls.FOLDER

    def check_library(self) -> None:
        """The same bytes as in the dist, and they compile by themselves."""
        for name in ("bc26.c", "bc26_sockets.c", "bc26.h", "bc26_sockets.h"):
            folder = self.package / (self.HEADERS if name.endswith(".h") else self.SOURCES)
            self.assertEqual((folder / name).read_bytes(), (self.dist / "bc26" / name).read_bytes())
        self.assertEqual((self.package / "LICENSE").read_bytes(), (ROOT / "LICENSE").read_bytes())
        for source in (self.package / self.SOURCES).glob("*.c"):
            run(["gcc", "-std=c99", *STRICT, f"-I{self.package / self.HEADERS}", "-c", source, "-o", os.devnull])

    def check_texts(self) -> None:
        sha = re.search(r'SPEC_SHA256 "(\w+)"', (self.dist / "bc26/bc26.h").read_text("utf-8"))
        assert sha
        readme = (self.package / "README.md").read_text("utf-8")
        self.assertIn(sha[1], readme)
        self.assertIn(f"atspec {VERSION},", readme)
        self.assertIn("not built it with", readme)
        for file in self.package.rglob("*"):
            if file.is_file():
                self.assertNotRegex(file.read_text("utf-8"), r"@[A-Z0-9_]+@|" + re.escape(str(ROOT)), file)

    def objects(self) -> list[Path]:
        made = []
        for source in (*(self.package / self.SOURCES).glob("*.c"), SDK / "wire.c"):
            made.append(self.folder / f"{source.stem}.o")
            run(["gcc", "-D_POSIX_C_SOURCE=200809L", "-std=c99", *STRICT, f"-I{self.package / self.HEADERS}",
                 f"-I{SDK}", "-c", source, "-o", made[-1]])
        return made

    def check_example(self, compiler: str, standard: str, example: Path, macro: str, host: Path) -> None:
        program = self.folder / "program"
        run([compiler, "-D_POSIX_C_SOURCE=200809L", f"-std={standard}", *STRICT, f'-D{macro}="{example}"',
             f"-I{host.parent}", f"-I{SDK}", f"-I{self.package / self.HEADERS}", host, *self.objects(),
             "-pthread", "-o", program])
        done = converse(program)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.said = done.stdout

    def cmake(self, build_file: Path, functions: str, *settings: str) -> list[str]:
        """What a build file asks for, if the ecosystem's functions say what they are called with."""
        script = self.put("run.cmake", functions + f'\ninclude("{build_file}")\n')
        options = [f"-D{setting}" for setting in settings]
        done = subprocess.run(["cmake", *options, "-P", script], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr.splitlines()

    def kconfig(self, file: Path) -> "kconfiglib.Kconfig":
        if kconfiglib is None:
            reason = "kconfiglib isn't installed: apt-get install python3-kconfiglib"
            print(f"skipped: {reason}", flush=True)
            self.skipTest(reason)
        made = kconfiglib.Kconfig(str(file), warn_to_stderr=False)
        self.assertEqual(made.warnings, [])
        return made

    def values(self, kconfig: "kconfiglib.Kconfig") -> dict[str, str]:
        return {symbol.name: symbol.str_value for symbol in kconfig.unique_defined_syms}

    def check_used(self, build_file: Path, kconfig: "kconfiglib.Kconfig") -> None:
        """A symbol without use, or one used and not defined, is a slip."""
        used = set(re.findall(r"\bCONFIG_(\w+)", build_file.read_text("utf-8")))
        self.assertEqual(used, set(self.values(kconfig)))


def says(functions: str) -> str:
    return "".join(f'function({name})\n  message("{name} ${{ARGN}}")\nendfunction()\n' for name in functions.split())


# Zephyr -----------------------------------------------------------------------------------

ZEPHYR = says("zephyr_include_directories zephyr_compile_definitions zephyr_library_named zephyr_library_sources")
for _name in ("zephyr_library_sources", "zephyr_compile_definitions"):
    ZEPHYR += f"function({_name}_ifdef flag)\n  if(${{flag}})\n    {_name}(${{ARGN}})\n  endif()\nendfunction()\n"


class Zephyr(Package):
    FOLDER = "zephyr"

    def test_library(self) -> None:
        self.check_library()
        self.check_texts()

    def test_module(self) -> None:
        module = yaml.safe_load((self.package / "zephyr/module.yml").read_text("utf-8"))
        self.assertEqual(set(module), {"name", "build", "samples"})
        self.assertRegex(module["name"], r"^\w+$")
        self.assertTrue((self.package / module["build"]["cmake"] / "CMakeLists.txt").is_file())
        self.assertTrue((self.package / module["build"]["kconfig"]).is_file())
        for folder in module["samples"]:
            self.assertNotEqual(list((self.package / folder).glob("*/sample.yaml")), [])

    def test_kconfig(self) -> None:
        kconfig = self.kconfig(self.package / "Kconfig")
        self.assertEqual(set(self.values(kconfig).values()), {"n"})
        kconfig.syms["ATSPEC_BC26"].set_value("y")
        self.assertEqual(self.values(kconfig), {"ATSPEC_BC26": "y", "ATSPEC_BC26_SOCKETS": "y",
                                                "ATSPEC_BC26_NAMES": "y", "ATSPEC_BC26_MANUAL": "n"})
        self.check_used(self.package / "CMakeLists.txt", kconfig)

    def test_build(self) -> None:
        file = self.package / "CMakeLists.txt"
        on = "CONFIG_ATSPEC_BC26=y"
        usual = self.cmake(file, ZEPHYR, on, "CONFIG_ATSPEC_BC26_SOCKETS=y", "CONFIG_ATSPEC_BC26_NAMES=y")
        self.assertEqual(usual, ["zephyr_include_directories include", "zephyr_library_named atspec_bc26",
                                 "zephyr_library_sources src/bc26.c", "zephyr_library_sources src/bc26_sockets.c"])
        self.assertEqual(self.cmake(file, ZEPHYR, on, "CONFIG_ATSPEC_BC26_MANUAL=y"),
                         ["zephyr_include_directories include", "zephyr_compile_definitions AT_MANUAL",
                          "zephyr_compile_definitions AT_NO_NAMES", "zephyr_library_named atspec_bc26",
                          "zephyr_library_sources src/bc26.c"])
        self.assertEqual(self.cmake(file, ZEPHYR), [])

    def test_sample(self) -> None:
        folder = self.package / "samples/tcp_line"
        described = yaml.safe_load((folder / "sample.yaml").read_text("utf-8"))
        self.assertTrue({"name", "description"} <= set(described["sample"]))
        for name, scenario in described["tests"].items():
            self.assertRegex(name, r"^sample(\.\w+)+$")
            self.assertTrue(set(scenario["integration_platforms"]) <= set(scenario["platform_allow"]))
            for platform in scenario["platform_allow"]:
                overlay = (folder / "boards" / (platform.replace("/", "_") + ".overlay")).read_text("utf-8")
                self.assertRegex(overlay, r"modem-uart = &\w+;")
                self.assertEqual(overlay.count("{"), overlay.count("};"))
        self.assertRegex((folder / "CMakeLists.txt").read_text("utf-8"),
                         r"find_package\(Zephyr REQUIRED HINTS \$ENV\{ZEPHYR_BASE\}\)\nproject\(\w+\)\n")
        chosen = dict(line.split("=") for line in (folder / "prj.conf").read_text("utf-8").splitlines())
        for needed in ("SERIAL", "UART_INTERRUPT_DRIVEN", "RING_BUFFER", "ATSPEC_BC26", "ATSPEC_BC26_SOCKETS"):
            self.assertEqual(chosen[f"CONFIG_{needed}"], "y")

    def test_glue(self) -> None:
        self.check_example("gcc", "c99", self.package / "samples/tcp_line/src/main.c", "SAMPLE", SDK / "zephyr/host.c")
        first, *rest = self.said.partition("done: 0, 0 bytes lost\n")
        self.assertEqual(first, "you said hello\n")
        self.assertEqual(sorted(rest[1].splitlines()), ["you said one", "you said other"])


# ESP-IDF ------------------------------------------------------------------------------------

ESP_IDF = says("idf_component_register target_compile_definitions") + "set(COMPONENT_LIB __idf_bc26)\n"


class EspIdf(Package):
    FOLDER = "esp-idf/bc26"
    EXAMPLE = "examples/tcp_line"

    def test_library(self) -> None:
        self.check_library()
        self.check_texts()

    def test_manifest(self) -> None:
        manifest = yaml.safe_load((self.package / "idf_component.yml").read_text("utf-8"))
        self.assertEqual(manifest["version"], VERSION)
        self.assertRegex(VERSION, r"^\d+\.\d+\.\d+$")
        self.assertEqual(manifest["license"], "MIT")
        self.assertTrue(manifest["description"])
        self.assertRegex(manifest["dependencies"]["idf"], r"^>=\d")
        for example in manifest["examples"]:
            self.assertTrue((self.package / example["path"] / "CMakeLists.txt").is_file())

    def test_kconfig(self) -> None:
        kconfig = self.kconfig(self.package / "Kconfig")
        self.assertEqual(self.values(kconfig), {"BC26_SOCKETS": "y", "BC26_NAMES": "y", "BC26_MANUAL": "n"})
        self.check_used(self.package / "CMakeLists.txt", kconfig)

    def test_build(self) -> None:
        file = self.package / "CMakeLists.txt"
        self.assertEqual(self.cmake(file, ESP_IDF, "CONFIG_BC26_SOCKETS=y", "CONFIG_BC26_NAMES=y"),
                         ["idf_component_register SRCS;src/bc26.c;src/bc26_sockets.c;INCLUDE_DIRS;include"])
        self.assertEqual(self.cmake(file, ESP_IDF, "CONFIG_BC26_MANUAL=y"),
                         ["idf_component_register SRCS;src/bc26.c;INCLUDE_DIRS;include",
                          "target_compile_definitions __idf_bc26;PUBLIC;AT_MANUAL",
                          "target_compile_definitions __idf_bc26;PUBLIC;AT_NO_NAMES"])

    def test_example(self) -> None:
        folder = self.package / self.EXAMPLE
        self.assertRegex((folder / "CMakeLists.txt").read_text("utf-8"),
                         r"include\(\$ENV\{IDF_PATH\}/tools/cmake/project.cmake\)\nproject\(\w+\)\n")
        manifest = yaml.safe_load((folder / "main/idf_component.yml").read_text("utf-8"))
        ours = manifest["dependencies"]["bc26"]
        self.assertEqual((folder / "main" / ours["override_path"]).resolve(), self.package)
        self.assertEqual(self.cmake(folder / "main/CMakeLists.txt", ESP_IDF),
                         ["idf_component_register SRCS;main.c;PRIV_REQUIRES;bc26;esp_driver_uart;esp_timer"])

    def test_glue(self) -> None:
        self.check_example("gcc", "c99", self.package / self.EXAMPLE / "main/main.c", "EXAMPLE",
                           SDK / "esp-idf/host.c")
        first, *rest = self.said.partition("done: 0, 0 overruns\n")
        self.assertEqual(first, "you said hello\n")
        self.assertEqual(sorted(rest[1].splitlines()), ["you said one", "you said other"])


# Arduino and PlatformIO ------------------------------------------------------------------------

class Arduino(Package):
    FOLDER = "arduino"
    HEADERS = "src"
    SKETCH = "examples/TcpLine/TcpLine.ino"

    def test_library(self) -> None:
        self.check_library()
        self.check_texts()

    def properties(self) -> dict[str, str]:
        parser = configparser.ConfigParser(delimiters="=", comment_prefixes="#", interpolation=None)
        parser.read_string("[library]\n" + (self.package / "library.properties").read_text("utf-8"))
        return dict(parser["library"])

    def test_properties(self) -> None:
        said = self.properties()
        self.assertEqual(set(said), {"name", "version", "author", "maintainer", "sentence", "paragraph",
                                     "category", "url", "architectures", "includes"})
        self.assertEqual([key for key, value in said.items() if not value], ["url"])    # see README.md
        self.assertRegex(said["name"], r"^[A-Za-z0-9][\w .-]{0,62}$")
        self.assertEqual(said["version"], VERSION)
        self.assertEqual(said["category"], "Communication")
        self.assertTrue((self.package / "src" / said["includes"]).is_file())

    def test_platformio(self) -> None:
        said = json.loads((self.package / "library.json").read_text("utf-8"))
        properties = self.properties()
        for key in ("name", "version"):
            self.assertEqual(said[key], properties[key])
        self.assertEqual(said["license"], "MIT")
        for header in said["headers"]:
            self.assertTrue((self.package / "src" / header).is_file())
        for pattern in said["examples"]:
            self.assertEqual(list(self.package.glob(pattern)), [self.package / self.SKETCH])

    def test_keywords(self) -> None:
        headers = "".join(p.read_text("utf-8") for p in (self.package / "src").glob("*.h"))
        for line in (self.package / "keywords.txt").read_text("utf-8").splitlines():
            if not line.startswith("#"):
                word, kind = line.split("\t")
                self.assertIn(kind, ("KEYWORD1", "KEYWORD2", "LITERAL1"))
                self.assertRegex(headers, rf"\b{word}\b")

    def test_glue(self) -> None:
        self.assertEqual(Path(self.SKETCH).parent.name, Path(self.SKETCH).stem)
        for standard in ("c++11", "c++17"):
            with self.subTest(standard=standard):
                self.check_example("g++", standard, self.package / self.SKETCH, "SKETCH", SDK / "arduino/host.cpp")
                self.assertEqual(self.said, "you said hello\ndone: 0\nyou said again\n")


del Package     # not a test by itself

if __name__ == "__main__":
    unittest.main()
