"""`atspec diff OLD NEW`: what changed between two specs, for programs and on the wire."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from dataclasses import replace
from typing import IO, Callable, Optional

from ..availability import numbers_of
from ..diag import visible
from ..lower import LowerError
from ..model import Spec
from ..reserved import paths
from . import report
from .accepted import accept, read_accepted
from .compare import Comparison, Finding
from .facts import described
from .report import Result
from .rules import SEVERITIES
from .sides import SideError, everything, sides

FAIL_ON = {"breaking": ("breaking",), "risky": ("breaking", "risky"), "any": tuple(SEVERITIES)}


def compared(old: Spec, new: Spec) -> list[Finding]:
    """Every change, worst first. A module that was renamed is one change."""
    tree = described(replace(new, module=old.module) if new.module != old.module else new)
    old_tree = described(old)
    tree.facts["module"], old_tree.facts["module"] = new.module, old.module
    return Comparison(old_tree, tree, set(paths(everything(new))), lambda path: why_gone(new, path)).run()


def why_gone(spec: Spec, path: str) -> str:
    """What the spec says of a path that it hasn't got."""
    reserved = next((r.because for r in spec.reserved if f"{path}.".startswith(f"{r.path}.")), "")
    viewed = spec.view.why_gone(path) if spec.view else ""
    return f" (reserved: {reserved})" if reserved else f" (it {viewed})" if viewed else ""


Loader = Callable[[Optional[str]], Optional[Spec]]


def compared_in_views(old: Loader, new: Loader) -> list[Finding]:
    """Every change to the whole, and those that only show in what a revision or a firmware has of it."""
    whole_old, whole_new = old(None), new(None)
    assert whole_old and whole_new
    found = compared(whole_old, whole_new)
    seen = {signature(f) for f in found}
    further: dict[tuple[str, ...], Finding] = {}
    for view in common_views(whole_old, whole_new):
        old_view, new_view = old(view), new(view)
        for f in compared(old_view, new_view) if old_view and new_view else ():
            if signature(f) not in seen:
                further.setdefault(signature(f), f).views.append(view)
    for f in further.values():
        f.path += "@" + "+".join(f.views)
    return sorted(found + list(further.values()), key=lambda f: f.order)


def signature(f: Finding) -> tuple[str, ...]:
    return f.rule.id, f.path, f.before, f.after


def common_views(old: Spec, new: Spec) -> list[str]:
    """Revisions that both have, and firmware on either side of what changes in either."""
    revisions = [r for r in new.revisions if r in old.revisions]
    devices = {s for s in old.series if s in new.series}
    firmware = {v for s in (old, new) for v in s.views if v not in s.revisions}
    return revisions + sorted(v for v in firmware if any(numbers_of(s.pattern, v) for s in devices))


# The `diff` command -------------------------------------------------------------

def add_diff(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "diff", help="show what changed between two specs",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=textwrap.dedent("""\
            Shows what changed from OLD to NEW, and what to do about it in a program. Each is

              PATH            a spec
              PATH@NAME       what a firmware or a revision of the manual has of it
              PATH+OVERLAY    a spec as a file amends it
              REV:PATH        the spec of a git revision, with what it includes there

            or several of these: REV:PATH+OVERLAY@NAME. Without @NAME, the whole specs are compared,
            and what every revision and firmware has of them.

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
        print(visible(f"atspec: {e}"), file=sys.stderr)
        return 2


def run(args: argparse.Namespace) -> int:
    entries, wrong = read_accepted(args.accepted) if args.accepted else ([], [])
    for diagnostic in wrong:
        print(diagnostic, file=sys.stderr)
    if entries is None:
        return 2
    with sides(args.old, args.new) as (old, new):
        try:
            if old.view or new.view:
                findings = compared(old.at(old.view), new.at(new.view))
            else:
                findings = compared_in_views(old.if_sound, new.at)
        except LowerError as e:
            raise SideError(e.placed(args.new)) from None
        result = Result(old, new, findings, *accept(findings, entries))
        formats = {"markdown": report.markdown, "json": report.as_json}
        print(formats[args.format](result) if args.format in formats else report.text(result, coloured(sys.stdout)))
    for entry in result.stale:
        print(visible(f"{entry.mark.file}:{entry.mark.line}: warning: no change is left that {entry.rule} {entry.path} accepts"),
              file=sys.stderr)
    return int(any(f.rule.severity in FAIL_ON.get(args.fail_on, ()) for f in result.open))


def coloured(stream: IO[str]) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")
