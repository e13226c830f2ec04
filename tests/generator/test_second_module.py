"""A second real module needs a YAML file and nothing else."""

import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import REPOSITORY, load_spec
from atspec.coverage import report
from atspec.model import Spec

SECOND = REPOSITORY / "spec" / "quectel" / "bg95-tcpip.yaml"
KNOW_NO_MODULE = ("gen", "include", "src/runtime")
SOURCES = {".py", ".j2", ".cmake", ".c", ".h", ".rl"}


def load(path: Path = SECOND) -> Spec:
    spec, diagnostics = load_spec(str(path))
    assert spec, "\n".join(map(str, diagnostics))
    return spec


def mentions(words: list[str]) -> list[str]:
    """Where what serves every module names one."""
    pattern = re.compile(rf"(?<![A-Za-z0-9])({'|'.join(map(re.escape, words))})", re.IGNORECASE)
    files = [p for folder in KNOW_NO_MODULE for p in sorted((REPOSITORY / folder).rglob("*"))
             if p.suffix in SOURCES]
    assert len(files) > 30, "the sources aren't where they were"
    return [f"{p.relative_to(REPOSITORY)}:{n}: {line}" for p in files
            for n, line in enumerate(p.read_text("utf-8").splitlines(), 1) if pattern.search(line)]


def build(spec: Path, out: Path) -> dict[str, str]:
    done = subprocess.run([sys.executable, str(REPOSITORY / "gen" / "atspec"), "build", str(spec), "-o", str(out)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {p.name: p.read_text("utf-8") for p in sorted(out.iterdir())}


class SecondModule(unittest.TestCase):
    def test_nothing_that_serves_every_module_names_one(self) -> None:
        specs = [load(p) for p in sorted((REPOSITORY / "spec").glob("*/*.yaml")) if "\nmodule:" in p.read_text("utf-8")]
        self.assertIn("bg95", [s.module for s in specs])
        self.assertEqual(mentions([n for s in specs for n in [s.module, *s.devices]]), [])

    def test_a_mention_would_be_found(self) -> None:
        self.assertTrue(mentions(["at_stream_init"]))

    def test_its_name_is_a_prefix_and_no_more(self) -> None:
        """Under another name the same spec becomes the same C."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "spec"
            shutil.copytree(REPOSITORY / "spec", copy)
            other = copy / "quectel" / SECOND.name
            other.write_text(SECOND.read_text("utf-8").replace("\nmodule: bg95\n", "\nmodule: zz95\n"), "utf-8")
            mine, renamed = build(SECOND, Path(folder) / "a"), build(other, Path(folder) / "b")
        self.assertEqual([n.replace("bg95", "zz95") for n in mine], list(renamed))
        for name, text in mine.items():
            with self.subTest(name):
                self.assertEqual(self.settled(text.replace("bg95_", "zz95_").replace("BG95_", "ZZ95_")),
                                 self.settled(renamed[name.replace("bg95", "zz95")]))

    @staticmethod
    def settled(text: str) -> list[str]:
        """Without digests, and without the order and width that names decide."""
        text = re.sub(r"[0-9a-f]{64}|(?<=_)[0-9a-f]{8}(?=\")", "", text.replace("bg95", "zz95"))
        return sorted(" ".join(line.split()) for line in text.splitlines())

    def test_every_section_is_covered(self) -> None:
        _, holes = report(load(), None, False)
        self.assertEqual(holes, 0)

    def test_what_differs_from_the_first_module(self) -> None:
        spec = load()
        finals = {f.name: f.outcome for f in spec.finals}
        self.assertEqual((finals["SEND OK"], finals["SEND FAIL"]), ("ok", "error"))
        modes = next(s for s in spec.settings if s.name == "access_mode")
        self.assertEqual((modes.slots, modes.stored), (12, "ram"))
        self.assertEqual([f.syntax.text for f in spec.start],
                         ["ATE0", 'AT+QICFG="dataformat",0,0', 'AT+QICFG="viewmode",0'])
        forms = {f.c_name: f for f in spec.forms}
        self.assertEqual([f.name for f in forms["qisend_datagram"].syntax.fields],
                         ["connectID", "send_length", "remoteIP", "remote_port"])
        self.assertEqual(forms["qiact"].response, [])
        self.assertEqual([ln.name for ln, _, _ in forms["qird_totals"].response], ["QIRD.totals"])


if __name__ == "__main__":
    unittest.main()
