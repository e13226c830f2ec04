"""Every rule of `atspec diff`: what triggers it, and what is like it and doesn't."""

from __future__ import annotations

import functools
import unittest

import yaml
from diff_pairs import BASE, CASES, Change, changed
from support import load_spec, spec_file
from atspec.diff import compared
from atspec.diff.compare import JUDGES, PRESENCE, Finding
from atspec.diff.facts import Node, described
from atspec.diff.rules import CATEGORIES, RULES, SEVERITIES
from atspec.model import Spec


@functools.lru_cache(None)
def loaded(text: str) -> Spec:
    with spec_file(text) as path:
        spec, diagnostics = load_spec(path)
    assert spec, "\n".join(map(str, diagnostics))
    return spec


def after(change: Change) -> list[Finding]:
    tree = changed(yaml.safe_load(BASE), change)
    return compared(loaded(BASE), loaded(yaml.safe_dump(tree, sort_keys=False)))


class Rules(unittest.TestCase):
    def test_each_is_triggered(self) -> None:
        for rule, case in CASES.items():
            with self.subTest(rule):
                found = after(case.does)
                self.assertIn((rule, case.at), [(f.rule.id, f.path) for f in found])
                self.assertEqual({f.rule.id for f in found}, {rule} | case.also)

    def test_each_stays_silent(self) -> None:
        for rule, case in CASES.items():
            with self.subTest(rule):
                self.assertNotIn(rule, [f.rule.id for f in after(case.doesnt)])

    def test_the_shape_that_a_payload_follows(self) -> None:
        """It is the first that a line has."""
        shapes = ["+NEWS: <id>,<size>", "+NEWS: <id>,<size>,<age>"]
        old, new = (changed(yaml.safe_load(BASE), {"urcs/news/line": line, "urcs/news/also": [{"line": also}]})
                    for line, also in (shapes, shapes[::-1]))
        found = compared(*(loaded(yaml.safe_dump(tree, sort_keys=False)) for tree in (old, new)))
        self.assertEqual([(f.rule.id, f.path) for f in found], [
            ("R320", "urcs.news.also.+NEWS: <id>,<size>"), ("R320", "urcs.news.line")])

    def test_every_rule_has_a_pair(self) -> None:
        self.assertEqual(list(CASES), list(RULES))

    def test_every_rule_is_complete(self) -> None:
        names = [r.name for r in RULES.values()]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(list(RULES), [r for c in CATEGORIES for r in sorted(RULES) if r[0] == c])
        for rule in RULES.values():
            with self.subTest(rule.id):
                self.assertRegex(rule.id, "^[STRD][0-9]{3}$")
                self.assertIn(rule.severity, SEVERITIES)
                self.assertEqual(rule.severity == "doc", rule.category == "DOC")
                self.assertTrue(rule.meaning and rule.says)
                self.assertTrue(rule.do or rule.severity in ("safe", "doc"), "what to do?")

    def test_every_fact_is_judged(self) -> None:
        def facts(node: Node) -> set[tuple[str, str]]:
            own = {(node.kind, fact) for fact in node.facts}
            return own.union(*(facts(child) for child in node.children.values()))

        kinds = facts(described(loaded(BASE)))
        judged = {(kind, fact) for kind, judges in JUDGES.items() for fact in judges}
        self.assertEqual(kinds, judged)
        self.assertEqual(set(PRESENCE) | {"spec"}, set(JUDGES))


if __name__ == "__main__":
    unittest.main()
