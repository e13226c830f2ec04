"""Overlays, the paths that they go by, and where nodes come from."""

from __future__ import annotations

import json
import unittest
from pathlib import Path

import jsonschema
from support import REPOSITORY, SHIPPED, load_spec, spec_file
from test_render import Folder, atspec
from atspec import paths
from atspec.diag import Report
from atspec.load import load
from atspec.overlay import OVERLAY_SCHEMA

OVERLAYS = sorted((REPOSITORY / "spec" / "quectel" / "overlays").glob("*.yaml"))
HEAD = "atspec: 1\noverlay: Tried\nmodule: bc26\nactions:\n"


class Paths(unittest.TestCase):
    def setUp(self) -> None:
        self.sources = load(str(SHIPPED), Report())

    def test_every_path_leads_back(self) -> None:
        for root in paths.roots(self.sources)[:1]:
            for place in paths.walk(root):
                found = paths.find(self.sources, paths.dotted(place.steps))
                assert found
                self.assertIs(found.node, place.node, place.steps)

    def test_names(self) -> None:
        for path, value in {
                "commands.QPING.lines.QPING.summary.doc": "The ping as a whole",
                "commands.QICLOSE.set.then.CLOSE OK.final": "CLOSE OK",
                "examples.Ping a server.section": "4.3",
                "session.barrier.QICFG.viewmode": "QICFG.viewmode",
                "urcs.buffer_full.also.+QIURC: \"recv\",buff full.evidence": "seen",
                "commands.QPING.rules.QPING.over": "QPING.summary",
                "commands.ATE0.execute.syntax": "ATE0"}.items():      # of an included file
            found = paths.find(self.sources, path)
            assert found, path
            self.assertEqual(found.node.value, value)

    def test_hints(self) -> None:
        for path, hint in {"commands.QISEND.forms.steam": "commands.QISEND.forms.stream",
                           "comands.QISEND": "commands.QISEND",
                           "values.error.entries.575": "values.error.entries.57",
                           "settings.view_mod.default": "settings.view_mode.default"}.items():
            self.assertIn(hint, paths.hint(self.sources, path), path)


class Shipped(unittest.TestCase):
    def test_each_holds_in_every_view(self) -> None:
        self.assertTrue(OVERLAYS)
        for path in OVERLAYS:
            done = atspec("check", SHIPPED, "--overlay", path)
            self.assertEqual((done.returncode, done.stdout), (0, ""), path.name)

    def test_schema(self) -> None:
        schema = json.loads(OVERLAY_SCHEMA.read_text("utf-8"))
        jsonschema.Draft7Validator.check_schema(schema)
        action = schema["properties"]["actions"]["items"]
        self.assertEqual(action["required"], ["at", "because", "evidence"])
        for node in (schema, action):
            self.assertIs(node["additionalProperties"], False)
            for name, key in node["properties"].items():
                self.assertTrue(key.get("description") or "$ref" in key, name)

    def test_no_data_mode(self) -> None:
        spec, _ = load_spec(str(SHIPPED), overlays=[str(p) for p in OVERLAYS if p.stem == "no-data-mode"])
        assert spec
        self.assertEqual([f.name for c in spec.commands if c.name == "QISEND" for f in c.forms], ["test", "inline"])
        self.assertEqual(spec.features, [])
        self.assertEqual(spec.overlays, ["no-data-mode.yaml"])


class Overlay(Folder):
    def overlay(self, name: str, actions: str) -> Path:
        path = self.folder / name
        path.write_text(HEAD + actions)
        return path

    def test_add_change_remove(self) -> None:
        path = self.overlay("all.yaml", """\
  - {at: parameters.read_length, because: Tried, evidence: seen, change: {range: 1..1024, unit: octet}}
  - {at: parameters.sent.range, because: Tried, evidence: seen, change: 0..99}
  - {at: values.error.entries, because: Tried, evidence: seen, add: {575: {name: MORE, text: More}}}
  - {at: commands.QIRD.notes, because: Tried, evidence: seen, add: [Take care.]}
  - {at: urcs.closed, because: Tried, evidence: seen, add: {also: [{line: '+QIURC: "closed"', evidence: seen}]}}
  - {at: urcs, because: Tried, evidence: seen, add: {later: {line: '+LATER: <connectID>', section: '2.2', doc: New}}}
  - {at: commands.QISTATE.forms.context, because: Tried, evidence: seen, remove: true}
  - {at: session.barrier.QICFG.viewmode, because: Tried, evidence: seen, remove: true}
""")
        base, _ = load_spec(str(SHIPPED))
        spec, found = load_spec(str(SHIPPED), overlays=[str(path)])
        assert base and spec, "\n".join(map(str, found))
        param = next(f.param for form in spec.forms if form.c_name == "qird" for f in form.syntax.fields if f.name == "read_length")
        assert param
        self.assertEqual((param.maximum, param.unit), (1024, "octet"))
        self.assertEqual(next(t for t in spec.values if t.name == "error").entries[-1].key, 575)
        self.assertEqual(next(c for c in spec.commands if c.name == "QIRD").notes[-1], "Take care.")
        urcs = {u.name: u for u in spec.urcs}
        self.assertEqual([v.template.text for v in urcs["closed"].variants], ['+QIURC: "closed",<connectID>', '+QIURC: "closed"'])
        self.assertIn("later", urcs)
        self.assertEqual({f.c_name for f in base.forms} - {f.c_name for f in spec.forms}, {"qistate_context"})
        self.assertEqual([f.c_name for f in spec.barrier], ["qicfg_showlength", "qicfg_dataformat", "qigeterror_execute"])
        self.assertNotEqual(spec.sha256, base.sha256)

    def test_one_after_the_other(self) -> None:
        one = self.overlay("one.yaml", "  - {at: parameters.read_length, because: A, evidence: seen, change: {range: 1..700}}\n")
        two = self.overlay("two.yaml", "  - {at: parameters.read_length, because: B, evidence: seen, change: {range: 1..800}}\n")
        for order, most in (([one, two], 800), ([two, one], 700)):
            spec, _ = load_spec(str(SHIPPED), overlays=[str(p) for p in order])
            assert spec
            params = {f.name: f.param for form in spec.forms for f in form.syntax.fields if f.param}
            self.assertEqual(params["read_length"].maximum, most)
            self.assertEqual(spec.overlays, [p.name for p in order])

    def test_a_finding_stands_where_the_overlay_says_it(self) -> None:
        path = self.overlay("bad.yaml", "  - {at: commands.QIRD.set, because: A, evidence: seen, change: {reads: lenght}}\n")
        found = load_spec(str(SHIPPED), overlays=[str(path)])[1]
        self.assertEqual([(d.file, d.line, d.code) for d in found], [(str(path), 5, "E034")])

    def test_reason_and_evidence_are_needed(self) -> None:
        for action in ("{at: urcs.closed, remove: true, evidence: seen}", "{at: urcs.closed, remove: true, because: A}",
                       "{at: urcs.closed, because: A, evidence: seen}",
                       "{at: urcs.closed, because: A, evidence: seen, remove: true, change: {doc: D}}"):
            found = load_spec(str(SHIPPED), overlays=[str(self.overlay("o.yaml", f"  - {action}\n"))])[1]
            self.assertEqual([d.code for d in found], ["E011"], action)

    def test_build(self) -> None:
        path = self.overlay("mine.yaml", "  - {at: values.error.entries.550, because: A, evidence: seen, change: {name: STRANGE}}\n")
        text = (self.build(SHIPPED, "out", "--overlay", str(path), "--firmware", "V1.0") / "bc26.h").read_text()
        self.assertIn("BC26_ERROR_STRANGE = 550", text)
        self.assertIn(" * Firmware:     V1.0\n * Overlays:     mine.yaml\n", text)
        self.assertNotIn(str(self.folder), text)

    def test_a_firmware_that_only_the_removed_named(self) -> None:
        """As probe writes them: the overlay for a firmware goes with that firmware."""
        path = self.overlay("o.yaml", "  - {at: commands.QICFG.forms.echomode, because: A, evidence: seen, remove: cascade}\n")
        for name in ("BC26NBR01A06", "BC26NBR01A07"):
            spec, found = load_spec(str(SHIPPED), at=name, overlays=[str(path)])
            self.assertTrue(spec, [str(d) for d in found])
        spec, found = load_spec(str(SHIPPED), at="EC21R01A01", overlays=[str(path)])
        self.assertEqual([d.code for d in found], ["E100"])

    def test_where_a_list_is_added_to(self) -> None:
        path = self.overlay("o.yaml", "  - {at: urcs.buffer_full, because: A, evidence: seen, add: {also: [{line: 'FULL', evidence: seen, doc: A}]}}\n")
        found = load_spec(str(SHIPPED), overlays=[str(path)])[1]
        self.assertEqual([d.code for d in found], ["E111"])
        self.assertIn("`at: urcs.buffer_full.also`", str(found[0]))

    def test_plain_removal_leaves_what_refers_to_it(self) -> None:
        path = self.overlay("o.yaml", "  - {at: commands.QICFG.forms.echomode, because: A, evidence: seen, remove: true}\n")
        found = [d for d in load_spec(str(SHIPPED), overlays=[str(path)])[1] if d.code == "E101"]
        self.assertTrue(found)
        for diagnostic in found:
            self.assertIn(f"was removed ({path}:5)", diagnostic.message)
            self.assertIn("remove: cascade", str(diagnostic))

    def test_a_cascade_takes_what_only_coverage_covers(self) -> None:
        path = self.overlay("o.yaml", "  - {at: session, because: A, evidence: seen, remove: cascade}\n")
        spec, found = load_spec(str(SHIPPED), overlays=[str(path)])
        self.assertTrue(spec, found)

    def test_unreadable(self) -> None:
        done = atspec("check", SHIPPED, "--overlay", self.folder / "nowhere.yaml")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("nowhere.yaml", done.stderr)


class Cascade(Folder):
    """`remove: cascade` leaves a sound spec, whatever is removed."""

    def amended(self, spec: Path, module: str, target: str) -> Path:
        path = self.folder / "cascade.yaml"
        path.write_text(f"atspec: 1\noverlay: Tried\nmodule: {module}\nactions:\n"
                        f"  - {{at: '{target}', because: Tried, evidence: seen, remove: cascade}}\n")
        return path

    def test_any_command_and_form(self) -> None:
        for spec, module in ((SHIPPED, "bc26"), (SHIPPED.with_name("bg95-tcpip.yaml"), "bg95"),
                             (Path(__file__).parent / "second" / "tide.yaml", "tide")):
            targets = [paths.dotted(p.steps) for root in paths.roots(load(str(spec), Report())) for p in paths.walk(root)
                       if p.steps[0] == "commands" and (len(p.steps) == 2 or p.steps[2:] in
                       (("test",), ("read",), ("execute",), ("set",)) or len(p.steps) == 4 and p.steps[2] == "forms")]
            self.assertGreater(len(targets), 20)
            for target in targets:
                overlay = self.amended(spec, module, target)
                found = load_spec(str(spec), overlays=[str(overlay)])
                self.assertEqual([str(d) for d in found[1]], [], target)
                assert found[0]
                for view in found[0].views[:1]:     # the oldest, which differs most
                    self.assertEqual([str(d) for d in load_spec(str(spec), at=view, overlays=[str(overlay)])[1]], [], target)

    def test_what_came_with_it_goes_and_the_rest_is_as_before(self) -> None:
        overlay = self.amended(SHIPPED, "bc26", "commands.QICFG.forms.echomode")
        spec, _ = load_spec(str(SHIPPED), overlays=[str(overlay)])
        old, _ = load_spec(str(SHIPPED), at="BC26NBR01A06")
        assert spec and old
        for what in ("settings", "values", "commands"):
            self.assertEqual([x.name for x in getattr(spec, what)], [x.name for x in getattr(old, what)])
        self.assertEqual([f.test_lines for f in spec.forms], [f.test_lines for f in old.forms])
        self.assertEqual([f.c_name for f in spec.forms], [f.c_name for f in old.forms])
        self.assertTrue(all(f.data is None or f.data.echo is None for f in spec.forms))

    def test_what_only_it_needed_goes(self) -> None:
        spec, _ = load_spec(str(SHIPPED), overlays=[str(self.amended(SHIPPED, "bc26", "commands.QISTATE"))])
        assert spec
        self.assertNotIn("socket_state", [t.name for t in spec.values])
        self.assertIn("access_mode", [t.name for t in spec.values], "AT+QIOPEN takes it")
        self.assertIsNone(next(s for s in spec.settings if s.name == "access_mode").read_by)
        self.assertNotIn("2.1.3", spec.sections)

    def test_origin_tells_all_that_went(self) -> None:
        overlay = self.amended(SHIPPED, "bc26", "commands.QIDNSCFG")
        done = atspec("origin", SHIPPED, "--overlay", overlay)
        for path in ("commands.QIDNSCFG", "parameters.pridnsaddr", "examples.Configure the DNS servers"):
            self.assertRegex(done.stdout, rf"(?m)^- {path}  .*cascade\.yaml:5:\d+  removed by an overlay$")


class Origin(Folder):
    def origin(self, *arguments: object) -> list[str]:
        done = atspec("origin", SHIPPED.relative_to(REPOSITORY), *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def place(self, text: str, name: str = "spec/quectel/bc26-tcpip.yaml") -> str:
        lines = (REPOSITORY / name).read_text("utf-8").splitlines()
        return f"{name}:{next(i for i, ln in enumerate(lines, 1) if text in ln)}"

    def test_the_spec_itself(self) -> None:
        lines = self.origin("urcs.closed")
        self.assertEqual(lines[0], f"  urcs.closed  {self.place('  closed:')}:3")
        self.assertTrue(lines[2].startswith("  urcs.closed.line  " + self.place('QIURC: "closed"')), lines[2])
        self.assertTrue(lines[2].endswith('  +QIURC: "closed",<connectID>'))

    def test_every_node(self) -> None:
        lines = self.origin()
        sources = load(str(SHIPPED), Report())
        self.assertEqual(len(lines), sum(len(list(paths.walk(root))) for root in paths.roots(sources)))
        self.assertTrue(any("spec/common/v250.yaml" in ln for ln in lines))

    def test_overlays(self) -> None:
        overlay = "spec/quectel/overlays/fixed-dns-count.yaml"
        lines = self.origin("parameters.IP_count", "--overlay", overlay)
        self.assertIn(self.place("always 1", overlay), next(ln for ln in lines if ".doc " in ln))
        self.assertNotIn("overlays", next(ln for ln in lines if ".range " in ln))
        overlay = "spec/quectel/overlays/no-data-mode.yaml"
        lines = self.origin("settings.echo_mode", "--overlay", overlay)
        self.assertEqual(lines, [f"- settings.echo_mode  {self.place('at: settings.echo_mode', overlay)}:10  removed by an overlay"])

    def test_views(self) -> None:
        lines = self.origin("commands.QIDNSCFG", "--at", "V1.0")
        self.assertEqual(lines, [f"- commands.QIDNSCFG  {self.place('  QIDNSCFG:')}:3  came with V1.1"])

    def test_a_node_is_a_line(self) -> None:
        with spec_file('atspec: 1\ntitle: "a \\e[31m\\n b"\n') as path:
            self.assertEqual(atspec("origin", path, "title").stdout, f"  title  {path}:2:8  a \\x1b[31m\\n b\n")

    def test_unknown_path(self) -> None:
        done = atspec("origin", SHIPPED, "urcs.closd")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("did you mean `urcs.closed`?", done.stderr)


if __name__ == "__main__":
    unittest.main()
