"""Options that several commands take."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional


class Once(argparse.Action):
    """An option that another would contradict."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object,
                 option_string: Optional[str] = None) -> None:
        if getattr(namespace, self.dest) is not None:
            raise argparse.ArgumentError(self, str(self.const))
        setattr(namespace, self.dest, values)


def add_view_options(parser: argparse.ArgumentParser) -> None:
    """What every command takes that reads a spec of a module."""
    parser.add_argument("--firmware", "--at", dest="at", metavar="NAME", action=Once,
                        const="one firmware or revision at a time",
                        help="only what this firmware, or this revision of the manual, has")
    parser.add_argument("--overlay", dest="overlays", metavar="FILE", action="append", default=[],
                        help="amend the spec with this file; may be given more than once")


def add_only_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", metavar="COMMAND,...", type=command_names, action=Once,
                        const="may be given once; commands are parted by commas",
                        help="these commands, and what the client needs to start up")


def command_names(text: str) -> list[str]:
    names = text.split(",")
    if not all(names):
        raise argparse.ArgumentTypeError(f"a command without a name in '{text}'; commands are parted by commas")
    return names


def folder(name: str) -> Path:
    """Where things go. A script's variable that was empty isn't the folder one is in."""
    if not name:
        raise argparse.ArgumentTypeError("an empty name; . is the folder you are in")
    return Path(name)
