"""The two specs that are compared: a file, amended, in a view, or of a git revision."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Optional

from ..build import load_spec
from ..diag import visible
from ..model import Mark, Spec


class SideError(Exception):
    """A side that can't be read."""


@dataclass
class Side:
    given: str              # as on the command line
    path: str
    overlays: list[str]
    view: Optional[str]     # that it was asked for in
    folder: str = ""        # that stands for a git revision's tree while it is read
    revision: str = ""

    def at(self, view: Optional[str]) -> Spec:
        """The spec, narrowed to a view."""
        spec, diagnostics = load_spec(self.path, fragment=True, at=view, overlays=self.overlays)
        if spec is None:
            print(*(self.named(str(d)) for d in diagnostics), sep="\n", file=sys.stderr)
            raise SideError(f"{self.given}: not a sound spec" + (f" in {view}" if view else ""))
        return spec

    def if_sound(self, view: Optional[str]) -> Optional[Spec]:
        """As `at`; of an old spec, which nobody can mend, a view may be broken."""
        if view is None:
            return self.at(None)
        spec, _ = load_spec(self.path, fragment=True, at=view, overlays=self.overlays)
        if spec is None:
            print(visible(f"atspec: warning: {self.given} isn't sound in {view}, so nothing is compared there"), file=sys.stderr)
        return spec

    def named(self, text: str) -> str:
        """Paths below the folder as git writes them: v1.0:spec/x.yaml."""
        return text.replace(self.folder + os.sep, f"{self.revision}:") if self.folder else text

    def place(self, mark: Optional[Mark]) -> str:
        return f"{self.named(mark.file)}:{mark.line}" if mark else ""


@contextmanager
def sides(*given: str) -> Iterator[list[Side]]:
    with tempfile.TemporaryDirectory() as folder:
        yield [_side(text, os.path.join(folder, str(i))) for i, text in enumerate(given)]


def _side(given: str, folder: str) -> Side:
    found = _parts(given, lambda path: path if os.path.exists(path) else "")
    if found:
        return Side(given, *found)
    revision, colon, rest = given.partition(":")
    if not revision or not colon:
        raise SideError(f"{given}: no such file")
    found = _parts(rest, _extracted(revision, folder))
    if not found:
        raise SideError(f"{given}: no such YAML file in that revision")
    return Side(given, *found, folder, revision)


def _parts(text: str, find: Callable[[str], str]) -> Optional[tuple[str, list[str], Optional[str]]]:
    """PATH[+OVERLAY...][@NAME]: whatever of it is the name of a file is one."""
    before, at, name = text.rpartition("@")
    for paths, view in [(text, None), (before, name)]:
        for pieces in ([paths], paths.split("+")) if paths else ():
            found = [find(piece) for piece in pieces]
            if all(found):
                return found[0], found[1:], view
    return None


def everything(spec: Spec) -> Spec:
    """The spec as it was before it was narrowed to a view."""
    return spec.view.everything if spec.view else spec


# git ------------------------------------------------------------------------------

def _extracted(revision: str, folder: str) -> Callable[[str], str]:
    """Finds files of a revision; a path counts from the top unless it begins with ./ or ../, as with git."""
    top = _git("rev-parse", "--show-toplevel").decode().strip()
    prefix = _git("rev-parse", "--show-prefix").decode().strip()
    _extract(revision, top, folder)

    def find(path: str) -> str:
        inside = os.path.normpath(os.path.join(prefix, path) if re.match(r"\.\.?/", path) else path)
        there = os.path.join(folder, inside)
        return there if not inside.startswith(("..", "/")) and os.path.isfile(there) else ""
    return find


def _extract(revision: str, top: str, folder: str) -> None:
    """The YAML files of a revision and its submodules, so that what a spec includes is of that revision too."""
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}",
                  wrong=f"git knows no revision `{revision}`", cwd=top).decode().strip()
    listed = _git("ls-tree", "-r", "-z", commit, cwd=top).decode("utf-8", "surrogateescape")
    entries = [entry.partition("\t")[::2] for entry in listed.split("\0") if entry]
    for about, name in entries:
        if about.startswith("160000") and os.path.exists(os.path.join(top, name, ".git")):
            with suppress(SideError):       # that commit isn't there; who includes from it will hear
                _extract(about.split()[2], os.path.join(top, name), os.path.join(folder, name))
    specs = [(about.split()[2], name) for about, name in entries
             if about.startswith("100") and name.endswith((".yaml", ".yml"))]
    links = [(about.split()[2], name) for about, name in entries if about.startswith("120")]
    for name, content in _contents(revision, specs, top):
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name, content in _contents(revision, links, top):
        path = Path(folder, name)
        if _within(folder, path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(os.fsdecode(content))
    for path in [Path(folder, name) for _, name in links]:
        if path.is_symlink() and not _within(folder, path):
            path.unlink()       # it leads to what isn't of the revision


def _contents(revision: str, blobs: list[tuple[str, str]], top: str) -> Iterator[tuple[str, bytes]]:
    """The names of some blobs and what they hold."""
    content = _git("cat-file", "--batch", cwd=top, given="".join(f"{blob}\n" for blob, _ in blobs))
    at = 0
    for _, name in blobs:
        start = content.index(b"\n", at) + 1
        about = content[at:start].split()       # <id> blob <size>, or <id> missing
        if about[1] != b"blob":
            raise SideError(f"this clone hasn't got {revision}:{name}; fetch it")
        at = start + int(about[2]) + 1
        yield name, content[start:at - 1]


def _within(folder: str, path: Path) -> bool:
    real = os.path.realpath(folder)
    return os.path.commonpath([real, os.path.realpath(path)]) == real


def _git(*arguments: str, cwd: str = ".", given: str = "", wrong: str = "") -> bytes:
    """What git prints; a failure is told in its words, and by `wrong` if it has none."""
    try:
        return subprocess.run(["git", *arguments], cwd=cwd, input=given.encode(), check=True, capture_output=True,
                              env={**os.environ, "LC_ALL": "C"}).stdout
    except FileNotFoundError:
        raise SideError("git isn't installed") from None
    except subprocess.CalledProcessError as e:
        said = "; ".join(filter(None, map(str.strip, e.stderr.decode("utf-8", "replace").splitlines())))
        if said.startswith("fatal: not a git repository (or any"):
            raise SideError("not in a git repository") from None
        raise SideError(f"git: {said}" if said else wrong or f"git {arguments[0]} failed") from None
