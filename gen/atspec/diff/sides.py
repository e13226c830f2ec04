"""The two specs that are compared: a file, a view of it, or a file of a git revision."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Iterator, Optional

from ..build import load_spec
from ..model import Mark, Spec

_REVISION = re.compile(r"(?P<rev>[^:]+):(?P<path>.+)")


class SideError(Exception):
    """A side that can't be read."""


@dataclass
class Side:
    given: str              # as on the command line
    spec: Spec
    folder: str = ""        # that stands for a git revision's tree while it is read
    revision: str = ""

    @property
    def title(self) -> str:
        """What a reader knows it by: its manual's version, or the name it was asked for."""
        return f"{self.spec.title} {self.spec.version}".strip()

    def place(self, mark: Optional[Mark]) -> str:
        return f"{named(mark.file, self.folder, self.revision)}:{mark.line}" if mark else ""


def named(text: str, folder: str, revision: str) -> str:
    """Paths below the folder as git writes them: v1.0:spec/x.yaml."""
    return text.replace(folder + os.sep, f"{revision}:") if folder else text


@contextmanager
def sides(*given: str) -> Iterator[list[Side]]:
    with tempfile.TemporaryDirectory() as folder:
        yield [_side(text, os.path.join(folder, str(i))) for i, text in enumerate(given)]


def _side(given: str, folder: str) -> Side:
    """PATH, REV:PATH, and either with @NAME."""
    for text, at in [(given, None), (given.rpartition("@")[0], given.rpartition("@")[2])]:
        if text and os.path.exists(text):
            return Side(given, _load(text, at, "", ""))
    m = _REVISION.fullmatch(given)
    if not m:
        raise SideError(f"{given}: no such file")
    path, at = _split(m["path"], m["rev"], folder)
    return Side(given, _load(path, at, folder, m["rev"]), folder, m["rev"])


def _load(path: str, at: Optional[str], folder: str, revision: str) -> Spec:
    options: dict[str, Any] = {"fragment": True}
    if at is not None:
        if "at" not in inspect.signature(load_spec).parameters:
            raise SideError(f"{path}@{at}: this atspec can't narrow a spec to a firmware or revision")
        options["at"] = at
    spec, diagnostics = load_spec(path, **options)
    for d in diagnostics:
        if spec is None:
            print(named(str(d), folder, revision), file=sys.stderr)
    if spec is None:
        raise SideError(f"{named(path, folder, revision)}: not a sound spec")
    return spec


def everything(spec: Spec) -> Spec:
    """The spec as it was before it was narrowed to a view."""
    view = getattr(spec, "view", None)
    return view.everything if view else spec


def prefixed(spec: Spec, module: str) -> Spec:
    return replace(spec, module=module)


# git ------------------------------------------------------------------------------

def _split(text: str, revision: str, folder: str) -> tuple[str, Optional[str]]:
    """The extracted file, and the view. As with git, a path counts from the top unless it begins with ./ or ../"""
    top = _git("rev-parse", "--show-toplevel").decode().strip()
    prefix = _git("rev-parse", "--show-prefix").decode().strip()
    _extract(revision, top, folder)
    for path, at in [(text, None), (text.rpartition("@")[0], text.rpartition("@")[2])]:
        inside = os.path.normpath(os.path.join(prefix, path) if re.match(r"\.\.?/", path) else path)
        there = os.path.join(folder, inside)
        if path and not inside.startswith(("..", "/")) and os.path.isfile(there):
            return there, at
    raise SideError(f"{revision}:{text}: no such YAML file in that revision")


def _extract(revision: str, top: str, folder: str) -> None:
    """The YAML files of a revision, so that what a spec includes is of that revision too."""
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}",
                  wrong=f"git knows no revision `{revision}`").decode().strip()
    listed = _git("ls-tree", "-r", "-z", commit, cwd=top).decode("utf-8", "surrogateescape")
    entries = [entry.partition("\t")[::2] for entry in listed.split("\0") if entry.endswith((".yaml", ".yml"))]
    files = [(about.split()[2], name) for about, name in entries if about.startswith("100")]    # no links
    content = _git("cat-file", "--batch", cwd=top, given="".join(f"{blob}\n" for blob, _ in files))
    at = 0
    for _, name in files:
        start = content.index(b"\n", at) + 1
        size = int(content[at:start].split()[2])     # blob <size>
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content[start:start + size])
        at = start + size + 1


def _git(*arguments: str, cwd: str = ".", given: str = "", wrong: str = "not in a git repository") -> bytes:
    try:
        return subprocess.run(["git", *arguments], cwd=cwd, input=given.encode(), check=True, capture_output=True).stdout
    except FileNotFoundError:
        raise SideError("git isn't installed") from None
    except subprocess.CalledProcessError as e:
        detail = e.stderr.decode("utf-8", "replace").strip().splitlines()
        raise SideError(wrong + (f": {detail[0]}" if detail else "")) from None
