"""Where each node of a resolved spec comes from: the spec, what it includes, or an overlay."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import Iterable, Optional

from . import paths
from .availability import Availability
from .diag import Report, visible
from .load import Source, load
from .model import Mark
from .options import add_view_options
from .overlay import amend
from .paths import dotted


@dataclass
class Origin:
    path: str
    mark: Mark
    what: str       # its text or number, or why it isn't there


@dataclass
class Resolved:
    sources: list[Source]
    nodes: list[Origin]
    missing: list[Origin]


def resolve(spec: str, at: Optional[str], overlays: Iterable[str], report: Report) -> Optional[Resolved]:
    """Every node with its place, and what went. None with diagnostics."""
    sources = load(spec, report)
    if report.failed:
        return None
    _, removals = amend(sources, overlays, report)
    missing = [Origin(r.path, r.mark, "removed by an overlay") for r in removals]
    if not report.failed and at is not None:
        known = Availability(sources, report)
        view = known.view(at)
        if view and not report.failed:
            gone = known.narrow(view).gone.values()
            missing += [Origin(g.path, g.mark, g.why) for g in gone]
    if report.failed:
        return None
    nodes = []
    for root in paths.roots(sources):
        for place in paths.walk(root):
            owner, node = place.owner, place.node
            key = owner.keys.get(place.key) if owner and isinstance(place.key, str) else None
            mark = key.mark if key and node.kind in ("map", "list") else node.mark
            value = "" if node.kind in ("map", "list") else str(node.plain()).strip()
            nodes.append(Origin(dotted(place.steps), mark, value))
    return Resolved(sources, nodes, missing)


def below(origins: list[Origin], path: str) -> list[Origin]:
    return [o for o in origins if path in ("", paths.ROOT) or (o.path + ".").startswith(path + ".")]


def line(o: Origin, sign: str = " ") -> str:
    return visible(f"{sign} {o.path}  {o.mark.file}:{o.mark.line}:{o.mark.column}" + (f"  {o.what}" if o.what else ""))


# The `origin` command -----------------------------------------------------------

def add_origin(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "origin", help="show where each node of a spec comes from",
        description="Prints the path of every node of a spec once its includes, overlays and firmware are "
                    "resolved, where it comes from, and its value; with a `-` before it, what went and why.")
    parser.add_argument("spec", metavar="SPEC", help="a spec file")
    parser.add_argument("path", metavar="PATH", nargs="?", default="", help="this node and what it holds alone")
    add_view_options(parser)
    parser.set_defaults(run=origin)


def origin(args: argparse.Namespace) -> int:
    report = Report()
    resolved = resolve(args.spec, args.at, args.overlays, report)
    for diagnostic in report.diagnostics():
        print(diagnostic, file=sys.stderr)
    if resolved is None:
        return 1
    nodes, missing = below(resolved.nodes, args.path), below(resolved.missing, args.path)
    if not nodes and not missing:
        hint = paths.hint(resolved.sources, args.path)
        print(visible(f"atspec: there is no `{args.path}`" + (f"; {hint}" if hint else "")), file=sys.stderr)
        return 1
    print("\n".join([line(o) for o in nodes] + [line(o, "-") for o in missing]))
    return 0
