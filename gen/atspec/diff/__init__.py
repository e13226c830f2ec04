"""`atspec diff OLD NEW`: what changed between two specs, for programs and on the wire."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from typing import IO

from ..lower import LowerError
from ..model import Spec
from ..reserved import paths
from . import report
from .accepted import accept, read_accepted
from .compare import Comparison, Finding
from .facts import described
from .report import Result
from .rules import SEVERITIES
from .sides import SideError, everything, prefixed, sides

FAIL_ON = {"breaking": ("breaking",), "risky": ("breaking", "risky"), "any": tuple(SEVERITIES)}


def compared(old: Spec, new: Spec) -> list[Finding]:
    """Every change, worst first. A module that was renamed is one change."""
    tree = described(prefixed(new, old.module))
    tree.facts["module"] = new.module
    old_tree = described(old)
    old_tree.facts["module"] = old.module
    return Comparison(old_tree, tree, set(paths(everything(new))), {r.path: r.because for r in new.reserved}).run()


# The `diff` command -------------------------------------------------------------

def add_diff(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "diff", help="show what changed between two specs",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=textwrap.dedent("""\
            Shows what changed from OLD to NEW, and what to do about it in a program. Each is

              PATH            a spec
              PATH@NAME       what a firmware or a revision of the manual has of it
              REV:PATH        the spec of a git revision, with what it includes there

            Every change has a rule (--rules lists them), a category: SOURCE (the C API),
            WIRE-TX (bytes sent), WIRE-RX (lines understood), DOC; and a severity:
            """) + "\n".join(f"  {name:10}{words}" for name, words in SEVERITIES.items()),
        epilog="Exit status: 0, 1 with --fail-on and such a change that isn't accepted, 2 usage or a spec that isn't sound.")
    parser.add_argument("old", metavar="OLD", nargs="?")
    parser.add_argument("new", metavar="NEW", nargs="?")
    parser.add_argument("--format", choices=("text", "markdown", "json"), default="text",
                        help="text; markdown: a changelog to paste; json: for programs")
    parser.add_argument("--fail-on", choices=tuple(FAIL_ON), help="exit with 1 if something so bad, or worse, changed")
    parser.add_argument("--accepted", metavar="FILE",
                        help="changes that are all right, with why: `accepted: [{rule: ..., path: ..., because: ...}]`")
    parser.add_argument("--rules", action="store_true", help="list the rules")
    parser.set_defaults(run=diff, parser=parser)


def diff(args: argparse.Namespace) -> int:
    if args.rules:
        print("\n".join(report.rules(args.format == "markdown")))
        return 0
    if not args.new:
        args.parser.error("OLD and NEW are needed")
    try:
        return run(args)
    except SideError as e:
        print(f"atspec: {e}", file=sys.stderr)
        return 2


def run(args: argparse.Namespace) -> int:
    entries, wrong = read_accepted(args.accepted) if args.accepted else ([], [])
    for diagnostic in wrong:
        print(diagnostic, file=sys.stderr)
    if entries is None:
        return 2
    with sides(args.old, args.new) as (old, new):
        try:
            findings = compared(old.spec, new.spec)
        except LowerError as e:
            raise SideError(e.placed(args.new)) from None
        result = Result(old, new, findings, *accept(findings, entries))
        printed = {"text": lambda: report.text(result, coloured(sys.stdout)),
                   "markdown": lambda: report.markdown(result), "json": lambda: report.as_json(result)}
        print(printed[args.format]())
    for entry in result.stale:
        print(f"{entry.mark.file}:{entry.mark.line}: warning: no change is left that {entry.rule} {entry.path} accepts",
              file=sys.stderr)
    return int(any(f.rule.severity in FAIL_ON.get(args.fail_on, ()) for f in result.open))


def coloured(stream: IO[str]) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")
