"""bc26 probe against virtual modules of several firmware, and against stranger ones; sim --firmware."""

import contextlib
import json
import os
import pathlib
import re
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import pexpect
import yaml

from support import BC26, DONE, NO, PATIENCE, ROOT, USAGE, ToolTest, run
from test_second import TIDE, Gauge

SPEC = ROOT / "spec" / "quectel" / "bc26-tcpip.yaml"
GOLDEN = pathlib.Path(__file__).parent / "drift"
ECHOMODE = ("form-missing", "commands.QICFG.forms.echomode", 'AT+QICFG="echomode"')
ECHOMODE_LINE = ("line-removed", "commands.QICFG.test", "AT+QICFG=?")
DIFFERENCES = {
    "V1.0": [ECHOMODE, ("command-missing", "commands.QIDNSCFG", "AT+QIDNSCFG=?"), ECHOMODE_LINE],
    "BC26NBR01A06": [ECHOMODE, ECHOMODE_LINE],
    "BC26NBR01A07": [],
}
# All that may be asked: nothing with a value.
QUESTION = re.compile(r'AT|ATI|AT\+[A-Z]+=?\?|AT\+QIGETERROR|AT\+QICFG="[a-z]+"')

# A module that no firmware is known of, and what probe says of it.
ALTERED = {
    "AT+QIRD=?": ["+QIRD: (0-4), (1-1024)", "OK"],
    "AT+QISENDEX=?": ["+QISENDEX: (0-4),(1-256),<hex_string>", "OK"],
    "AT+QPING=?": ["ERROR"],
    "AT+QNTP=?": ['+QNTP: (1-3),"<server>"[,<port>[,(0-1)[,(1-9)]]]', "OK"],
    "AT+QISWTMD=?": ["+QISWTMD: (0-4)", "OK"],
    "AT+QIDNSGIP=?": ['+QIDNSGIP: (1-3),<hostname>', "OK"],
    "AT+QICFG=?": ['+QICFG: "dataformat",(0,1),(0-1)', '+QICFG: "viewmode",(0,1)', '+QICFG: "showlength",(0,1)',
                   '+QICFG: "echomode",(0,1)', '+QICFG: "passiveclosed",(0,1)', "OK"],
    "AT+QISTATE?": ["+CME ERROR: 3"],
    "ATI": ["Quectel_Ltd", "Revision: XY77R01", "OK"],
}
ALTERED_DIFFERENCES = [
    ("form-missing", "commands.QISTATE.read", "", "", "+CME ERROR: 3"),
    ("range", "commands.QIRD.test", "read_length", "(1-512)", "(1-1024)"),
    ("range", "commands.QISENDEX.test", "send_length", "(1-512)", "(1-256)"),
    ("parameter-removed", "commands.QISWTMD.test", "access_mode", "(0-1)", ""),
    ("command-missing", "commands.QPING", "", '+QPING: (1-3),"<host>"[, (1-255)][, (1-10)][, (32-200)]', "ERROR"),
    ("parameter-added", "commands.QNTP.test", "place 5", "", "[(1-9)]"),
    ("parameter", "commands.QIDNSGIP.test", "hostname", '"<hostname>"', "<hostname>"),
    ("line-added", "commands.QICFG.test", "", "", '+QICFG: "passiveclosed",(0,1)'),
]


def amended(name):
    """The tool over the spec with the overlay of this name."""
    return str(pathlib.Path(BC26).parent / re.sub(r"\W", "_", f"drift_{name}").lower())


def atspec(*arguments):
    return subprocess.run([sys.executable, str(ROOT / "gen" / "atspec"), *map(str, arguments)],
                          capture_output=True, text=True, timeout=PATIENCE)


class Altered:
    """A virtual module whose answers to some commands are others: lines, or None where the
    connection ends, or an empty list where nothing comes. `heard` are the command lines."""

    def __init__(self, test, answers, *options):
        self.answers, self.heard = answers, []
        self.sim = test.sim(*options, tcp=True)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = f"127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()
        test.addCleanup(self.server.close)

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                host = self.server.accept()[0]
                name, port = self.sim.port.split(":")
                with host, socket.create_connection((name, int(port))) as module:
                    self.converse(host, module)

    def converse(self, host, module):
        rest = b""
        with selectors.DefaultSelector() as ready:
            ready.register(host, selectors.EVENT_READ)
            ready.register(module, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    data = key.fileobj.recv(4096)
                    if not data:
                        return
                    if key.fileobj is module:
                        host.sendall(data)
                        continue
                    *lines, rest = (rest + data).split(b"\r")
                    for line in lines:
                        self.heard.append(line.decode())
                        answer = self.answers.get(line.decode(), line)
                        if answer is None:
                            return
                        if answer is line:
                            module.sendall(line + b"\r")
                        else:
                            host.sendall(b"".join(b"\r\n%s\r\n" % a.encode("latin-1") for a in answer))


class ProbeTest(ToolTest):
    def probe(self, port, *options, program=BC26, status=None):
        done = subprocess.run([program, "--port", port, "probe", *options], capture_output=True, text=True,
                              timeout=PATIENCE)
        if status is not None:
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def drift(self, port, **more):
        done = self.probe(port, "--format", "json", **more)
        self.assertIn(done.returncode, (DONE, NO), done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, NO if report["drift"] else DONE)
        return report

    def overlay(self, port):
        """The overlay that probe writes, as a file that ends with the test."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "drift.yaml"
        self.probe(port, "--format", "overlay", "-o", str(path))
        return path

    def settle(self, name, path):
        """What probe wrote is what the tool of this name was built from."""
        golden = GOLDEN / f"{name}.yaml"
        if os.environ.get("UPDATE"):
            golden.write_text(path.read_text())
        self.assertEqual(path.read_text(), golden.read_text())
        done = atspec("check", SPEC, "--overlay", path)
        self.assertEqual((done.returncode, done.stdout), (0, ""))


class Firmware(ProbeTest):
    def test_exactly_the_differences(self):
        for firmware, differences in DIFFERENCES.items():
            with self.subTest(firmware=firmware):
                report = self.drift(self.sim("--firmware", firmware).port)
                self.assertEqual([(d["kind"], d["path"], d["command"]) for d in report["drift"]], differences)
                known = not firmware.startswith("V")
                self.assertEqual(report["firmware"], firmware if known else "")
                self.assertEqual(report["known"], known)
                self.assertEqual({d["said"] for d in report["drift"]}, {known} if differences else set())

    def test_the_overlay_makes_the_drift_empty(self):
        for firmware in ("V1.0", "BC26NBR01A06"):
            with self.subTest(firmware=firmware):
                sim = self.sim("--firmware", firmware)
                self.settle(firmware, self.overlay(sim.port))
                self.assertEqual(self.drift(sim.port, program=amended(firmware))["drift"], [])

    def test_an_overlay_of_other_firmware_does_not(self):
        report = self.drift(self.sim("--firmware", "BC26NBR01A07").port, program=amended("BC26NBR01A06"))
        self.assertEqual([(d["kind"], d["module"]) for d in report["drift"]],
                         [("line-added", '+QICFG: "echomode",(0,1)')])

    def test_an_overlay_of_nothing_changes_nothing(self):
        path = self.overlay(self.sim("--firmware", "BC26NBR01A07").port)
        self.assertEqual(yaml.safe_load(path.read_text())["actions"], [])
        self.assertEqual(atspec("check", SPEC, "--overlay", path).returncode, 0)

    def test_text(self):
        done = self.probe(self.sim("--firmware", "BC26NBR01A06").port, status=NO)
        for text in ("firmware  BC26NBR01A06\n", 'it says that it lacks AT+QICFG="echomode"[,<echo_mode>]\n',
                     'AT+QICFG="echomode"  (2.1.12)  this form of the command is missing\n',
                     '  spec    AT+QICFG="echomode"[,<echo_mode>]\n  module  ERROR\n'
                     "  The spec says so itself of this firmware.\n",
                     'AT+QICFG=?  (2.1.12)  a line is missing\n', "\n2 differences\n"):
            self.assertIn(text, done.stdout)
        self.assertEqual(done.stderr, "")
        done = self.probe(self.sim("--firmware", "BC20NBR01A08").port, status=DONE)
        self.assertIn("it says that it has everything\n", done.stdout)
        self.assertTrue(done.stdout.endswith("\n\nno difference\n"))

    def test_progress_is_for_a_terminal(self):
        sim = self.sim()
        shown = pexpect.run(f"{BC26} --port {sim.port} probe", timeout=PATIENCE).decode()
        self.assertRegex(shown, r"\r\x1b\[K[0-9]+ of 24  AT\+QIRD=\?")
        self.assertIn("\r\x1b[Kfirmware", shown)


class OnlyAsks(ProbeTest):
    def test_only_questions(self):
        module = Altered(self, {})
        report = self.drift(module.port)
        self.assertEqual(report["drift"], [])
        self.assertGreater(len(module.heard), 20)
        for line in module.heard:
            self.assertRegex(line, f"^(?:{QUESTION.pattern})$")
        spec = yaml.safe_load(SPEC.read_text())
        for name, command in spec["commands"].items():
            if "test" in command:
                self.assertIn(f"AT+{name}=?", module.heard)
        self.assertIn("commands.QIOPEN.set", report["not_asked"])
        self.assertNotIn("commands.QICFG.forms.viewmode", report["not_asked"])

    def test_nothing_is_changed(self):
        with tempfile.TemporaryDirectory() as folder:
            state = pathlib.Path(folder) / "state"
            sim = self.sim("--state", str(state), tcp=True)
            sim.tool("shell", data=b"AT+QICFG=\"viewmode\",1\nAT+QICFG=\"dataformat\",1,1\nATE1\n")
            before = state.read_text(), state.stat().st_mtime_ns
            self.assertIn("view_mode 1", before[0])
            self.assertEqual(self.drift(sim.port)["drift"], [])
            self.assertEqual((state.read_text(), state.stat().st_mtime_ns), before)
            name, port = sim.port.split(":")
            with socket.create_connection((name, int(port)), timeout=PATIENCE) as raw:
                raw.sendall(b"AT\r")
                heard = b""
                while not heard.endswith(b"OK\r\n"):
                    heard += raw.recv(100)
                self.assertEqual(heard, b"AT\r\r\nOK\r\n", "the echo is still on")

    def test_trace_shows_it(self):
        sim = self.sim()
        done = subprocess.run([BC26, "--port", sim.port, "--trace", "probe"], capture_output=True, text=True,
                              timeout=PATIENCE)
        sent = re.findall(r"^ *-> (.*?)(?:    .*)?$", done.stderr, re.M)
        self.assertIn("AT+QIRD=?", sent)
        for line in sent:
            self.assertRegex(line, f"^(?:{QUESTION.pattern})$")


class Strange(ProbeTest):
    def test_everything_that_can_differ(self):
        module = Altered(self, ALTERED)
        report = self.drift(module.port)
        found = [(d["kind"], d["path"], d.get("parameter", ""), d["spec"], d["module"]) for d in report["drift"]]
        self.assertEqual(found[0][:3] + found[0][4:], ALTERED_DIFFERENCES[0][:3] + ALTERED_DIFFERENCES[0][4:])
        self.assertEqual(found[1:], ALTERED_DIFFERENCES[1:])
        self.assertEqual((report["firmware"], report["known"]), ("XY77R01", False))
        text = self.probe(module.port).stdout
        self.assertIn("it knows no firmware of this name", text)
        self.assertIn("AT+QIRD=?  (2.1.5)  read_length takes other values\n  spec    (1-512)\n  module  (1-1024)\n", text)

    def test_its_overlay_makes_the_drift_empty(self):
        module = Altered(self, ALTERED)
        path = self.overlay(module.port)
        self.settle("altered", path)
        actions = {a["at"]: a for a in yaml.safe_load(path.read_text())["actions"]}
        self.assertEqual({a["because"].split()[0] for a in actions.values()}, {"XY77R01"})
        self.assertEqual(actions["parameters.read_length"]["change"], {"range": "1..1024"})
        self.assertEqual(actions["commands.QIRD.lines.QIRD.payload"]["change"], {"range": "1..1024"})
        self.assertEqual(actions["commands.QPING"]["remove"], "cascade")
        self.assertNotIn("parameters.send_length", actions, "its range isn't the test answer's")
        self.assertIn("# Look first: the parameter's range wasn't that of the test answer before", path.read_text())
        self.assertEqual(self.drift(module.port, program=amended("altered"))["drift"], [])

    def test_blanks_and_lists_are_no_difference(self):
        module = Altered(self, {"AT+QIRD=?": ["+QIRD:(0,1,2-4) ,( 1 - 512 )", "OK"],
                                "AT+CMEE=?": ["+CMEE: (0-2)", "OK"]})
        self.assertEqual(self.drift(module.port)["drift"], [])

    def test_sets_that_no_number_holds(self):
        many = ",".join(str(2 * i) for i in range(40))
        sets = [f"({many})", "(0-9223372036854775807)", "(-99999999999999999999,1-2)"]
        for given in sets:
            module = Altered(self, {"AT+QIRD=?": [f"+QIRD: (0-4),{given}", "OK"]})
            self.assertEqual([d["module"] for d in self.drift(module.port)["drift"]], [given])
        more = ",".join(["(0-4)"] * 40)
        done = self.probe(Altered(self, {"AT+QIRD=?": [f"+QIRD: {more}", "OK"]}).port, status=USAGE)
        self.assertIn("more than this tool can hold", done.stderr)

    def test_lines_of_others_are_none(self):
        module = Altered(self, {"AT+QIRD=?": ["+CEREG: 1", "+QIRD: (0-4),(1-512)", '+QIURC: "closed",2', "OK"]})
        self.assertEqual(self.drift(module.port)["drift"], [])

    def test_garbage(self):
        module = Altered(self, {"AT+QIRD=?": ["\x01rub'bish\xff", "OK"], "AT+QICLOSE=?": ["OK"],
                                'AT+QICFG="viewmode"': ['+QICFG: "viewmode",new', '+QICFG: "viewmode",1', "OK"],
                                "AT+CMEE?": ["OK"]})
        report = self.drift(module.port)
        self.assertEqual([(d["kind"], d["command"], d["module"]) for d in report["drift"]], [
            ("answer", 'AT+QICFG="viewmode"', '+QICFG: "viewmode",new'),
            ("answer", "AT+CMEE?", "only OK"),
            ("answer", "AT+QICLOSE=?", "only OK"),
            ("answer", "AT+QIRD=?", r"\x01rub'bish\xFF")])
        path = self.overlay(module.port)
        self.assertEqual(yaml.safe_load(path.read_text())["actions"], [])
        self.assertIn(r"\x01rub'bish\xFF", path.read_text())

    def test_answers_that_cannot_be_taken(self):
        state = '+QISTATE: {},"TCP","10.0.0.1",80,0,2,1,{},0'
        for command, answer, said in [
                ("AT+QIRD=?", ["+QIRD: 0-4,1-512", "OK"], "+QIRD: 0-4,1-512"),
                ("AT+QIRD=?", ["+QIRD: (0-4)" + ",(1-512)" * 1000, "OK"], "a line that is too long to be read"),
                ("AT+QISTATE?", [state.format(i % 5, i % 5) for i in range(7)] + ["OK"], "7 lines +QISTATE: ")]:
            with self.subTest(command, said=said):
                module = Altered(self, {command: answer})
                self.assertEqual([(d["kind"], d["module"]) for d in self.drift(module.port)["drift"]], [("answer", said)])

    def test_a_name_with_quotes(self):
        module = Altered(self, {"ATI": ["Quectel_Ltd", "Revision: BC26'X, it''s", "OK"],
                                "AT+QIRD=?": ["+QIRD: (0-4),(1-1024)", "OK"]})
        path = self.overlay(module.port)
        self.assertEqual(atspec("check", SPEC, "--overlay", path).returncode, DONE)
        self.assertIn("BC26'X, it''s answered", yaml.safe_load(path.read_text())["actions"][0]["because"])

    def test_ranges_that_the_spec_cannot_take_as_they_are(self):
        """They stand in comments, and the overlay is sound."""
        for answers, path, why in [
                ({"AT+QIRD=?": "+QIRD: (0-4),(1-9223372036854775806)"}, "parameters.read_length", "no parameter holds"),
                ({"AT+QPING=?": '+QPING: (1-3),"<host>"[, (0-65535)][, (1-100)][, (32-200)]'},
                 "parameters.time_out", "a deadline depend"),
                ({"AT+QIRD=?": "+QIRD: <a>,(0-4)"}, "commands.QIRD.test", "can't be said")]:
            with self.subTest(path=path):
                overlay = self.overlay(Altered(self, {k: [v, "OK"] for k, v in answers.items()}).port)
                text = overlay.read_text()
                self.assertIn(why, text)
                self.assertNotIn(path, [a["at"] for a in yaml.safe_load(text)["actions"]])
                done = atspec("check", SPEC, "--overlay", overlay)
                self.assertEqual(done.returncode, DONE, done.stdout)

    def test_one_question_without_an_answer(self):
        module = Altered(self, {"AT+QIRD=?": []})
        self.assertEqual([(d["kind"], d["command"], d["module"]) for d in self.drift(module.port)["drift"]],
                         [("answer", "AT+QIRD=?", "no answer")])

    def test_a_silent_module(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            done = self.probe(f"127.0.0.1:{silent.getsockname()[1]}", status=USAGE)
        self.assertEqual(done.stdout, "")
        self.assertIn("probe: no answer; see whether the module is on", done.stderr)

    def test_a_lost_port(self):
        for command in ("AT", "ATI", "AT+QIRD=?"):
            done = self.probe(Altered(self, {command: None}).port, "--format", "json", status=USAGE)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"^bc26: .*127\.0\.0\.1")

    def test_a_query_that_framing_needs_may_be_refused(self):
        report = self.drift(Altered(self, {'AT+QICFG="viewmode"': ["ERROR"]}).port)
        self.assertEqual([(d["kind"], d["path"]) for d in report["drift"]],
                         [("form-missing", "commands.QICFG.forms.viewmode")])


class Usage(ProbeTest):
    def test_usage(self):
        for arguments, text in ((["--format", "xml"], "text, json or overlay, not 'xml'"),
                                (["--format"], "--format lacks its value"), (["-o"], "-o lacks its value"),
                                (["now"], "no option 'now'")):
            done = self.probe("127.0.0.1:1", *arguments, status=USAGE)
            self.assertIn(text, done.stderr)
        self.assertIn("usage: bc26 --port", run("probe", "--help").stdout.decode())
        self.assertEqual(run("probe").returncode, USAGE)

    def test_a_file_that_cannot_be_written(self):
        sim = self.sim()
        done = self.probe(sim.port, "-o", "/nowhere/at/all", status=USAGE)
        self.assertIn("/nowhere/at/all: No such file", done.stderr)
        done = self.probe(sim.port, "-o", "/dev/full", status=USAGE)
        self.assertIn("/dev/full: No space left", done.stderr)


class SimFirmware(ToolTest):
    def answers(self, firmware, *lines):
        done = run("sim", "--stdio", "--firmware", firmware, data="".join(f"{ln}\n" for ln in ["ATE0", *lines]).encode())
        return done.stdout.decode().split("OK", 1)[1].split()

    def test_what_it_says_of_itself(self):
        self.assertEqual(self.answers("BC26NAR01A03", "ATI"),
                         ["Quectel_Ltd", "Quectel_BC26", "Revision:", "BC26NAR01A03", "OK"])
        self.assertEqual(self.answers("BC20NBR01A08", "ATI")[1:4], ["Quectel_BC20", "Revision:", "BC20NBR01A08"])
        self.assertEqual(self.answers("V1.1", "ATI"), ["Quectel_Ltd", "Quectel_BC26", "OK"])

    def test_what_is_lacking_is_unknown(self):
        for firmware, has in (("BC26NBR01A05", False), ("BC26NBR00A99", False), ("BC26NBR02A00", True),
                              ("BC26NBR01A07", True), ("BC20NBR01A07", False), ("V1.1", True)):
            with self.subTest(firmware=firmware):
                answer = self.answers(firmware, 'AT+QICFG="echomode",1', "AT+QIGETERROR")
                self.assertEqual(answer[0], "OK" if has else "ERROR")
                self.assertEqual(answer[2].split(",")[0], "0" if has else "552")
        self.assertEqual(self.answers("V1.0", "AT+CMEE=1", "AT+QIDNSCFG=1", "AT+QISEND=0"),
                         ["OK", "+CME", "ERROR:", "4", "+CME", "ERROR:", "552"])

    def test_no_such_firmware(self):
        done = run("sim", "--stdio", "--firmware", "BC95R01A01")
        self.assertEqual((done.returncode, done.stdout), (USAGE, b""))
        self.assertIn(b"no firmware 'BC95R01A01' is known; there are V1.0 V1.1 BC26NxR01A06", done.stderr)


class SecondModule(ProbeTest):
    """Nothing in it is the first module's."""

    def gauge(self, answers):
        gauge = Gauge({"AT^FMT=?": "^FMT: (0,1)", "AT+CMEE=?": "+CMEE: (0,1,2)", "AT+CMEE?": "+CMEE: 0", **answers})
        self.addCleanup(gauge.server.close)
        gauge.start()
        return gauge

    def test_no_difference(self):
        gauge = self.gauge({})
        report = self.drift(gauge.port, program=TIDE)
        self.assertEqual((report["drift"], report["firmware"]), ([], ""))
        self.assertEqual(set(gauge.heard), {"AT", "AT^FMT?", "AT^FMT=?", "AT^CHAN?", "AT^SYSINFO", "AT+CMEE=?", "AT+CMEE?"})

    def test_differences(self):
        gauge = self.gauge({"AT^FMT=?": "^FMT: (0-2)", "AT^CHAN?": "ERROR"})
        report = self.drift(gauge.port, program=TIDE)
        self.assertEqual([(d["kind"], d["path"], d.get("parameter", "")) for d in report["drift"]], [
            ("command-missing", "commands.AT^CHAN", ""), ("range", "commands.AT^FMT.test", "encoding")])


if __name__ == "__main__":
    unittest.main()
