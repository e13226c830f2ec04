"""The shipped specs have no findings, and mean what the manual says."""

import json
import unittest
from typing import Any, Iterator

import jsonschema
from support import FRAGMENT, REPOSITORY, SHIPPED, load_spec
from atspec.load import SCHEMA
from atspec.model import Deadline, Spec


def load() -> Spec:
    spec, diagnostics = load_spec(str(SHIPPED))
    assert spec, "\n".join(map(str, diagnostics))
    return spec


class Shipped(unittest.TestCase):
    def test_no_findings(self) -> None:
        for path in sorted(p for p in (REPOSITORY / "spec").rglob("*.yaml") if p.parent.name != "overlays"):
            spec, diagnostics = load_spec(str(path), fragment=True)
            self.assertEqual([str(d) for d in diagnostics], [])
            assert spec
            for view in spec.views:
                self.assertEqual([str(d) for d in load_spec(str(path), at=view)[1]], [], view)

    def test_a_fragment_is_no_module(self) -> None:
        spec, diagnostics = load_spec(str(FRAGMENT))
        self.assertIsNone(spec)
        self.assertEqual([d.code for d in diagnostics], ["E015"])

    def test_same_spec_same_model(self) -> None:
        self.assertEqual(repr(load()), repr(load()))

    def test_what_only_asks(self) -> None:
        spec = load()
        asking = {f"{f.command.name}.{f.name}" for f in spec.forms if f.asks and f.name != "test"}
        self.assertEqual(asking, {
            "AT.execute", "ATI.execute", "CMEE.read", "QISTATE.read", "QISWTMD.read", "QIGETERROR.execute",
            "QICFG.dataformat", "QICFG.viewmode", "QICFG.showlength", "QICFG.echomode"})
        self.assertTrue(all(f.asks for f in spec.forms if f.name == "test"))
        assert spec.firmware
        self.assertEqual(spec.firmware.c_name, "ati_execute")

    def test_forms(self) -> None:
        forms = {f.c_name: f for f in load().forms}
        for name in ("qiopen", "qiopen_test", "qistate_read", "qisend_inline", "qisend_fixed",
                     "qicfg_viewmode", "qidnscfg", "qidnscfg_query", "qigeterror_execute", "ate0_execute"):
            self.assertIn(name, forms)
        self.assertEqual([f.group for f in forms["qiopen"].syntax.fields], [0, 0, 0, 0, 0, 1, 2, 3])
        self.assertEqual(forms["qiopen"].syntax.head, "AT+QIOPEN=")
        self.assertEqual(forms["qistate_read"].syntax.head, "AT+QISTATE?")
        self.assertEqual(forms["at_execute"].syntax.head, "AT")
        self.assertEqual([(ln.name, least, most) for ln, least, most in forms["qistate_read"].response],
                         [("QISTATE", 0, 5)])
        self.assertEqual(len(forms["qicfg_test"].test_lines), 4)
        self.assertEqual(forms["qistate_test"].test_lines, [])
        self.assertTrue(forms["qisend_fixed"].final_optional)
        data = forms["qisend_stream"].data
        assert data and data.echo
        self.assertEqual((data.source, data.length, data.until, data.cancel, data.max_text, data.max_hex),
                         ("prompt", "", 26, 27, 1460, 730))
        self.assertEqual(data.echo.name, "echo_mode")

    def test_completions(self) -> None:
        form = next(f for f in load().forms if f.c_name == "qping")
        self.assertEqual([(c.line.name, c.ends) for c in form.then],
                         [("QPING", {"result": [561, 565]}), ("QPING.summary", "always")])
        times, within = form.then[0].times, form.within
        assert times and within
        self.assertEqual((times.line, times.field, times.add), ("", "ping_num", 1))
        self.assertEqual(within, Deadline(1000, "time_out", 1, "ping_num", within.mark))
        form = next(f for f in load().forms if f.c_name == "qidnsgip")
        times = form.then[1].times
        assert times
        self.assertEqual((times.line, times.field, times.add), ("dnsgip", "IP_count", 0))

    def test_lines(self) -> None:
        lines = {ln.name: ln for ln in load().lines}
        kinds = {"QIOPEN": "result", "QISTATE": "response", "QIOPEN.test": "test", "recv": "urc",
                 "dnsgip": "urc", "SEND OK": "final", "QPING.summary": "result", "+CME ERROR": "final"}
        self.assertEqual({n: lines[n].kind for n in kinds}, kinds)
        self.assertEqual(lines["+CME ERROR"].c_name, "cme_error")
        qird, recv = lines["QIRD"], lines["recv"]
        assert qird.payload and recv.payload and recv.payload.when
        fields = qird.variants[0].template.fields
        self.assertEqual((fields[0].limits, qird.payload.limits), ((1, 512), (1, 512)))
        self.assertEqual(qird.variants[1].template.fields[0].limits, (0, 0))
        self.assertEqual(fields[1].shown and fields[1].shown.setting.name, "show_length")
        when = recv.payload.when
        self.assertEqual((when.setting.name, when.key, when.value), ("access_mode", "connectID", 1))
        self.assertTrue(lines["QISTATE"].extra_fields)
        self.assertEqual([(e.setting.name, e.key, e.field) for e in lines["QISTATE"].sets],
                         [("access_mode", "connectID", "access_mode")])

    def test_parameters(self) -> None:
        params = {f.name: f.param for form in load().forms for f in form.syntax.fields if f.param}
        names = {"connectID": "connect_id", "local_port": "local_port", "read_length": "read_length"}
        for name, c_name in names.items():
            self.assertEqual(params[name].c_name, c_name)
        self.assertEqual((params["contextID"].minimum, params["contextID"].maximum, params["contextID"].supported),
                         (1, 3, 1))
        self.assertEqual((params["access_mode"].minimum, params["access_mode"].maximum), (0, 1))
        qping = next(f for f in load().forms if f.c_name == "qping")
        self.assertEqual(qping.syntax.fields[1].param and qping.syntax.fields[1].param.doc,
                         "Domain name or IP address of the server", "the command's own parameter goes first")

    def test_session(self) -> None:
        spec = load()
        self.assertEqual(spec.wake and spec.wake.c_name, "at_execute")
        self.assertEqual([f.c_name for f in spec.start], ["ate0_execute"])
        self.assertEqual(spec.reboot, ["F1: 0000 0000", "Leaving the BROM", "RDY"])
        self.assertEqual(spec.files[0], str(SHIPPED))
        self.assertRegex(spec.sha256, "^[0-9a-f]{64}$")


class Schema(unittest.TestCase):
    def setUp(self) -> None:
        self.schema = json.loads(SCHEMA.read_text("utf-8"))

    def test_valid(self) -> None:
        jsonschema.Draft7Validator.check_schema(self.schema)

    def test_every_key_is_described(self) -> None:
        for path, node in self.properties(self.schema, ""):
            if "$ref" in node:
                node = {**self.schema["definitions"][node["$ref"].rpartition("/")[2]], **node}
            self.assertTrue(node.get("description"), path)

    def test_unknown_keys_are_errors(self) -> None:
        for path, node in self.objects(self.schema, ""):
            if "properties" in node:
                self.assertIs(node.get("additionalProperties"), False, path)

    def objects(self, node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(node, dict):
            if isinstance(node.get("type"), str):
                yield path, node
            for key, value in node.items():
                yield from self.objects(value, f"{path}/{key}")
        elif isinstance(node, list):
            for value in node:
                yield from self.objects(value, path)

    def properties(self, schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for where, node in self.objects(schema, path):
            for key, value in node.get("properties", {}).items():
                yield f"{where}/{key}", value


if __name__ == "__main__":
    unittest.main()
