"""What tests/embed/size.py says of call graphs and linker maps, where compilers make none of these."""

import importlib.util
import sys
import unittest
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("embed_size", ROOT / "tests/embed/size.py")
assert _spec and _spec.loader
size = importlib.util.module_from_spec(_spec)
sys.modules["embed_size"] = size
sys.dont_write_bytecode = True
_spec.loader.exec_module(size)


def line_of(name: str, code: str) -> int:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return 1 + next(i for i, line in enumerate(lines) if code in line)


def graph(frames: dict[str, int], *edges: tuple[str, str, str]) -> Any:
    text = "".join(f'node: {{ title: "{name}" label: "{name}\\na.c:1:1\\n{bytes_} bytes (static)" }}\n'
                   for name, bytes_ in frames.items())
    text += "".join(f'edge: {{ sourcename: "{a}" targetname: "{b}" label: "{place}" }}\n' for a, b, place in edges)
    made = size.Graph()
    made.read(text, set(frames))
    return made


class Stack(unittest.TestCase):
    def test_longest_path(self) -> None:
        made = graph({"a": 8, "b": 100, "c": 16, "d": 90}, ("a", "b", ""), ("a", "c", ""), ("c", "d", ""),
                     ("d", "memcpy", ""))
        self.assertEqual(made.deepest("a"), (114, ["a", "c", "d"]))

    def test_recursion(self) -> None:
        made = graph({"a": 8, "b": 8, "c": 8}, ("a", "b", ""), ("b", "c", ""), ("c", "b", ""))
        with self.assertRaisesRegex(SystemExit, "recursion: b -> c -> b"):
            made.deepest("a")

    def test_what_was_not_compiled(self) -> None:
        with self.assertRaisesRegex(SystemExit, "a calls printf"):
            graph({"a": 8}, ("a", "printf", "")).deepest("a")

    def test_frames_without_bound(self) -> None:
        with self.assertRaisesRegex(SystemExit, "no fixed size"):
            size.Graph().read('node: { title: "a" label: "a\\na.c:1:1\\n8 bytes (dynamic)" }\n', {"a"})

    def test_through_pointers(self) -> None:
        stream, client = "src/runtime/stream.c", "src/runtime/client.c"
        head = f"{stream}:{line_of(stream, 'module->head(')}:1"
        write = f"{client}:{line_of(client, 'config.write(')}:1"
        made = graph({"a": 8, "bc26_head": 50}, ("a", "__indirect_call", head), ("a", "__indirect_call", write))
        self.assertEqual(made.deepest("a"), (58, ["a", "bc26_head"]))
        self.assertEqual(made.callbacks, {"config.write"})
        with self.assertRaisesRegex(SystemExit, "isn't known"):
            graph({"a": 8}, ("a", "__indirect_call", f"{client}:1:1"))


class Flash(unittest.TestCase):
    def test_what_counts(self) -> None:
        text = (" .text.long_name\n                0x00008000       0x10 /tmp/x/a.o\n"
                " .rodata.t      0x00008010        0x4 /tmp/x/a.o\n"
                " .text          0x00008014        0x6 /usr/lib/libgcc.a(_udivsi3.o)\n"
                " .text          0x0000801c       0x20 /tmp/x/program.o\n"
                " .comment       0x00000000       0x44 /tmp/x/a.o\n"
                " .text          0x00008014        0x0 /tmp/x/a.o\n")
        self.assertEqual(size.measure_flash(text), {"a.o .text.long_name": 16, "a.o .rodata.t": 4, "_udivsi3.o .text": 6})


class Readme(unittest.TestCase):
    def test_figures_that_differ(self) -> None:
        shown = size.in_readme("README.md")
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown.splitlines() if "---" not in line]
        self.assertEqual(size.differences("README.md", rows), [])
        rows[2][1] = "1 (1)"
        self.assertEqual(len(size.differences("README.md", rows)), 1)
        self.assertEqual(len(size.differences("README.md", rows[:-1])), 2)
        rows = [[row[0], *row[2:]] for row in rows]     # without one of the compilers
        self.assertEqual(size.differences("README.md", rows), [])


if __name__ == "__main__":
    unittest.main()
