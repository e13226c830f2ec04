"""No function of the freestanding code calls itself, through whatever others: gcc's call graph with nothing
inlined, of runtime, generated code and sockets, with whom each call through a pointer reaches.

tests/embed/size.py says whom, and fails where it isn't known; it asks the same of what is built for
microcontrollers, where the deepest path is the figure of the stack. This asks of all there is.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/embed"))
sys.dont_write_bytecode = True

from loops import INCLUDES, SKIPPED, run, sources  # noqa: E402
from size import NODE, REACHES, Graph  # noqa: E402

REACHES["grammar->head"] = ["bc26_command"]    # the module's side, which size.py doesn't build


def graph(folder: Path) -> Graph:
    texts = []
    for source in sources():
        out = folder / f"{source.stem}.o"
        run("gcc", "-std=c99", "-O1", "-fno-inline", "-fno-optimize-sibling-calls", "-fcallgraph-info=su",
            *(f"-I{path}" for path in INCLUDES), "-c", os.path.relpath(source, ROOT), "-o", out)
        # Arguments that are pushed make a frame dynamic on some hosts; that is for the figure of the stack.
        texts.append(out.with_suffix(".ci").read_text(encoding="utf-8").replace("dynamic,bounded", "static"))
    made = Graph()
    for text in texts:
        made.read(text, {title.rsplit(":")[-1] for title, _, _ in NODE.findall(text)})
    return made


def main() -> int:
    if not shutil.which("gcc"):
        print("skipped: gcc isn't installed")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        calls = graph(Path(folder))
    for name in sorted(calls.frames):
        calls.deepest(name)
    print(f"{len(calls.frames)} functions, {sum(map(len, calls.calls.values()))} calls, none of them back")
    return 0


if __name__ == "__main__":
    sys.exit(main())
