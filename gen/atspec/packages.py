"""Packages of ecosystems: what `dist` makes of the host's side, in the layout of each."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import VERSION
from .model import Spec

# Of each ecosystem: its folder, where a build takes the package's name from the folder's
# name; where headers go, and where sources.
ECOSYSTEMS = {"zephyr": ("zephyr", "include", "src"),
              "esp-idf": ("esp-idf/{module}", "include", "src"),
              "arduino": ("arduino", "src", "src")}


def package_folder(name: str) -> Path:
    missing = [ecosystem for ecosystem in ECOSYSTEMS if not Path(name, ecosystem).is_dir()]
    if missing:
        raise argparse.ArgumentTypeError(f"there is no folder {missing[0]}/ in '{name}'; "
                                         f"one is needed for each of {', '.join(ECOSYSTEMS)}")
    return Path(name)


def packages(folder: Path, spec: Spec, library: dict[str, str], licence: str) -> dict[str, dict[str, str]]:
    """The files of each package by the folder it goes to; `folder` has what was written for it."""
    out = {}
    for name, (place, headers, sources) in ECOSYSTEMS.items():
        files = {f"{headers if file.endswith('.h') else sources}/{file}": text for file, text in library.items()}
        out[place.format(module=spec.module)] = files | written(folder / name, spec) | {"LICENSE": licence}
    return out


def written(folder: Path, spec: Spec) -> dict[str, str]:
    """Files below a folder, with the words filled in that change from one to the next dist."""
    words = {"@VERSION@": VERSION, "@SPEC_SHA256@": spec.sha256}
    out = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        text = path.read_text(encoding="utf-8")
        for word, value in words.items():
            text = text.replace(word, value)
        out[path.relative_to(folder).as_posix()] = text
    return out
