"""Inside another project: by add_subdirectory and by FetchContent, and what it leaves alone."""

import unittest
from pathlib import Path

from support import CONSUMER, ROOT, SAID, Scratch, run

# A parent that has names, flags and tests of its own; it says what it finds changed.
PARENT = """cmake_minimum_required(VERSION 3.16)
project(parent VERSION 9.9.9.9 LANGUAGES C)
enable_testing()
add_executable(bc26 own.c)
add_test(NAME own COMMAND bc26)
install(TARGETS bc26 DESTINATION bin)
set(CMAKE_C_FLAGS "-DPARENT")
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${{CMAKE_BINARY_DIR}}/here)
get_cmake_property(cache_before CACHE_VARIABLES)
get_cmake_property(before VARIABLES)
{take}
get_cmake_property(cache_after CACHE_VARIABLES)
get_cmake_property(after VARIABLES)
list(REMOVE_ITEM cache_after ${{cache_before}})
list(REMOVE_ITEM after ${{before}} ${{cache_after}} before cache_after)
get_property(targets DIRECTORY {folder} PROPERTY BUILDSYSTEM_TARGETS)
get_property(tests DIRECTORY {folder} PROPERTY TESTS)
get_property(options DIRECTORY PROPERTY COMPILE_OPTIONS)
file(WRITE ${{CMAKE_BINARY_DIR}}/found.txt
    "cache ${{cache_after}}\\nvariables ${{after}}\\ntargets ${{targets}}\\ntests ${{tests}}\\noptions ${{options}}\\n"
    "flags ${{CMAKE_C_FLAGS}}\\noutput ${{CMAKE_RUNTIME_OUTPUT_DIRECTORY}}\\n")
add_executable(host {host})
target_link_libraries(host PRIVATE atspec::bc26)
"""
OWN = "int main(void) { return 0; }\n"


class Subproject(Scratch):
    def make(self, take: str, folder: Path, generator: str = "Ninja", more: str = "",
             options: tuple[str, ...] = ()) -> tuple[Path, dict[str, list[str]]]:
        self.put("own.c", OWN)
        self.put("CMakeLists.txt", PARENT.format(take=take, folder=folder, host=CONSUMER / "host.c") + more)
        build = self.folder / "build"
        run(["cmake", "-S", self.folder, "-B", build, "-G", generator, *options])
        lines = (build / "found.txt").read_text("utf-8").splitlines()
        found = {key: rest.split(";") if rest else [] for key, _, rest in (line.partition(" ") for line in lines)}
        run(["cmake", "--build", build])
        self.assertEqual(run([build / "here" / "host"]), SAID)
        return build, found

    def leaves_alone(self, build: Path, found: dict[str, list[str]]) -> None:
        self.assertEqual([n for n in found["cache"] if not n.startswith(("AT_", "atspec_", "FETCHCONTENT_", "FETCH_"))], [])
        self.assertEqual([n for n in found["targets"] if not n.startswith("atspec_")], [])
        self.assertIn("atspec_bc26", found["targets"])
        self.assertEqual((found["tests"], found["options"]), ([], []))
        self.assertEqual(found["flags"], ["-DPARENT"])
        self.assertEqual(found["output"], [str(build / "here")])
        listed = run(["ctest", "--test-dir", build, "-N"])
        self.assertIn("Total Tests: 1\n", listed)
        run(["cmake", "--install", build, "--prefix", self.folder / "to"])
        self.assertEqual([p.name for p in (self.folder / "to").rglob("*") if p.is_file()], ["bc26"])
        built = {p.name for p in build.rglob("*.a")}     # what nobody links isn't built
        self.assertEqual(built, {"libbc26.a", "libatspec.a"})
        self.assertFalse((build / "compile_commands.json").exists())

    def test_add_subdirectory(self) -> None:
        for generator in ("Ninja", "Unix Makefiles"):
            with self.subTest(generator=generator):
                run(["cmake", "-E", "rm", "-rf", self.folder / "build", self.folder / "to"])
                build, found = self.make(f"add_subdirectory({ROOT} atspec)", ROOT, generator)
                self.leaves_alone(build, found)
                self.assertEqual(found["variables"], [])

    def test_fetch_content(self) -> None:
        take = ("include(FetchContent)\nFetchContent_Declare(atspec URL https://example.invalid/atspec.tar.gz)\n"
                "FetchContent_MakeAvailable(atspec)")
        build, found = self.make(take, ROOT, options=(f"-DFETCHCONTENT_SOURCE_DIR_ATSPEC={ROOT}",))
        self.leaves_alone(build, found)

    def test_the_other_libraries(self) -> None:
        build, _ = self.make(f"add_subdirectory({ROOT} atspec)", ROOT, more=f"""
add_executable(both {CONSUMER / "both.c"})
target_link_libraries(both PRIVATE atspec::bc26_module)
add_library(sockets OBJECT {ROOT / "tests/embed/sockets.c"})
target_link_libraries(sockets PRIVATE atspec::bc26_sockets)
""")
        self.assertIn("asks for 100 of 2", run([build / "here" / "both"]))

    def test_a_spec_of_ones_own(self) -> None:
        build, _ = self.make(f"add_subdirectory({ROOT} atspec)", ROOT, more=f"""
add_executable(user {CONSUMER / "user.c"})
atspec_generate(TARGET mylib SPEC {ROOT}/tests/generator/second/dated.yaml FIRMWARE R1 ONLY GO)
target_link_libraries(user PRIVATE mylib)
""")
        self.assertRegex(run([build / "here" / "user"]), r"^refused\n\d forms\n$")

    def test_a_parent_that_is_strict(self) -> None:
        """Its warnings are errors in our headers, too."""
        self.make(f"add_subdirectory({ROOT} atspec)\nadd_compile_options(-Wall -Wextra -Wpedantic -Wconversion "
                  "-Wsign-conversion -Wshadow -Werror)", ROOT)


if __name__ == "__main__":
    unittest.main()
