"""The command line. Exit status: 0 done, 1 the answer is no, 2 usage."""

from __future__ import annotations

import argparse
import io
import os
import sys
from typing import Optional, Sequence

from . import VERSION
from .build import load_spec
from .coverage import add_coverage
from .diag import CODES, Diagnostic
from .diff import add_diff
from .dist import add_dist
from .doc import add_doc
from .examples import add_examples
from .options import add_view_options
from .origin import add_origin
from .render import add_build


def add_check(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "check", help="report what is wrong with specs",
        description="Reports what is wrong with specs, on stdout, as file:line:col: error[CODE]: message. "
                    "A spec is checked as a whole and in each view of it: every revision of its manual, "
                    "and of each device a firmware on either side of every change.")
    parser.add_argument("specs", metavar="SPEC", nargs="*", help="a spec file")
    add_view_options(parser)
    parser.add_argument("--codes", action="store_true", help="list the codes and what to do about each")
    parser.set_defaults(run=check, parser=parser)


def check(args: argparse.Namespace) -> int:
    if args.codes:
        for code, (title, hint) in CODES.items():
            print(f"{code}  {title}: {hint}")
        return 0
    if not args.specs:
        args.parser.error("no SPEC given")
    found: set[Diagnostic] = set()
    for path in args.specs:
        found.update(_findings(path, args.at, args.overlays))
    for diagnostic in sorted(found):
        print(diagnostic)
    errors = sum(d.severity == "error" for d in found)
    print(f"{_number(len(args.specs), 'spec')}: {_number(errors, 'error')}, "
          f"{_number(len(found) - errors, 'warning')}", file=sys.stderr)
    return 1 if errors else 0


def _findings(path: str, at: Optional[str], overlays: list[str]) -> list[Diagnostic]:
    spec, found = load_spec(path, True, at, overlays)
    for view in spec.views if spec and at is None else ():
        known = {(d.file, d.line, d.column, d.code) for d in found}
        found += [d for d in load_spec(path, True, view, overlays)[1]
                  if (d.file, d.line, d.column, d.code) not in known]     # or else said already
    return found


def _number(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")


def main(argv: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="atspec", description="An AT protocol layer compiled from a spec.")
    parser.add_argument("--version", action="version", version=f"atspec {VERSION}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    add_check(subparsers)
    add_build(subparsers)
    add_dist(subparsers)
    add_examples(subparsers)
    add_coverage(subparsers)
    add_diff(subparsers)
    add_origin(subparsers)
    add_doc(subparsers)
    args = parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):    # a text that it can't show is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    try:
        return int(args.run(args))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody listens
        return 1
    except OSError as e:
        print(f"atspec: {e.filename or 'input'}: {e.strerror or e}", file=sys.stderr)
        return 2
