"""The tool over a module that only its YAML knows, so that nothing in it is another's."""

import json
import pathlib
import re
import socket
import subprocess
import threading
import unittest

import yaml

from prompt import ENTER, TAB, Prompt
from support import BC26, DONE, NO, PATIENCE, ROOT

TIDE = str(pathlib.Path(BC26).parent / "tide")


class Gauge(threading.Thread):
    """A tide gauge at a TCP port. It answers what `answers` holds with that and an OK; bytes are
    the whole answer. None is no answer at all: its OK comes before the next."""

    def __init__(self, answers):
        super().__init__(daemon=True)
        self.answers = {"AT^FMT?": "^FMT: 0", "AT^CHAN?": '^CHAN: 1,0,"pier"',
                        "AT^SYSINFO": '^SYSINFO: "TG1",42', **answers}
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(PATIENCE)
        self.port = f"127.0.0.1:{self.server.getsockname()[1]}"
        self.late = ""
        self.heard = []

    def answer(self, command):
        answer = self.answers.get(command, "")
        if answer is None:
            self.late = "\r\nOK\r\n"
            return b""
        if isinstance(answer, bytes):
            return answer
        late, self.late = self.late, ""
        if answer != "ERROR":
            answer += "\r\n\r\nOK" if answer else "OK"
        return f"{late}\r\n{answer}\r\n".encode()

    def run(self):
        peer, _ = self.server.accept()
        peer.settimeout(PATIENCE)
        with peer:
            rest = b""
            while data := peer.recv(4096):
                *lines, rest = (rest + data).split(b"\r")
                for line in lines:
                    self.heard.append(line.decode())
                    peer.sendall(self.answer(line.decode()))


class Second(unittest.TestCase):
    def tide(self, *arguments, data=b""):
        return subprocess.run([TIDE, *arguments], input=data, capture_output=True,
                              timeout=PATIENCE)

    def gauge(self, **answers):
        gauge = Gauge(answers.get("answers", {}))
        self.addCleanup(gauge.server.close)
        gauge.start()
        return gauge

    def test_decode(self):
        result = self.tide("decode", "--set", "delivery[2]=1", "--set", "encoding=0",
                           data=b"\r\n^SAMPLE: 2,5\r\nab,cd\r\n\r\nDONE\r\n")
        self.assertEqual(result.returncode, DONE, result.stderr)
        self.assertEqual([json.loads(line) for line in result.stdout.splitlines()], [
            {"event": "urc", "name": "sample", "fields": {"channel": 2, "size": 5},
             "payload": "61622c6364"},
            {"event": "final", "result": "DONE"}])

    def test_encode(self):
        result = self.tide("encode", "AT^CHAN.unit", "channel=2", "unit=FT", "offset=-3")
        self.assertEqual((result.returncode, result.stdout), (DONE, b'AT^CHAN="unit",2,"FT",-3\r'))
        result = self.tide("encode", "AT^CHAN.unit", "channel=5", "unit=FT")
        self.assertEqual((result.returncode, result.stdout), (NO, b""))
        self.assertIn(b"channel: out of range; allowed is 1 to 4", result.stderr)

    def test_shell(self):
        gauge = self.gauge(answers={"AT^READ=2": "^READ: 2,3\r\nabc"})
        shell = Prompt(self, TIDE, gauge.port)
        shell.types(f"AT^CHAN.u{TAB}ch{TAB}2 un{TAB}MB{TAB}{ENTER}")
        shell.sees('-> AT^CHAN="unit",2,"MBAR"\r\n', "<- OK")
        shell.types(f"AT^SYS{TAB}{ENTER}")
        shell.sees("-> AT^SYSINFO\r\n", '<- SYSINFO model="TG1" serial=42', "<- OK")
        shell.types(f'AT^CHAN="d{TAB}2,{TAB}{TAB}')
        shell.sees("delivery: Whether samples come by themselves", "when asked", "by themselves")
        shell.types(f"1{ENTER}")
        shell.sees('-> AT^CHAN="delivery",2,1\r\n', "<- OK")
        shell.types(f"AT^READ=2{ENTER}")
        shell.sees("<- READ channel=2 size=3", "| abc", "<- OK")
        shell.types(f"settings{ENTER}")
        shell.sees("encoding=0 (as they are)", "delivery[1]=0 (when asked)",
                   "delivery[2]=1 (by themselves)")
        shell.types(f"AT^CHAN{ENTER}")
        shell.sees("-> AT^CHAN?\r\n", '<- CHAN channel=1 delivery=0 (when asked) label="pier"')

    def test_monitor(self):
        gauge = self.gauge(answers={"AT^READ=2": "^READ: 2,3\r\nabc"})
        monitor = subprocess.Popen([TIDE, "--port", gauge.port, "monitor", "--json",
                                    "--set", "encoding=0"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(monitor.wait, PATIENCE)
        self.addCleanup(monitor.stdout.close)
        self.addCleanup(monitor.kill)
        monitor.stdin.write(b"AT^READ=2\n")
        monitor.stdin.close()
        events = [json.loads(monitor.stdout.readline()) for _ in range(3)]
        for event in events:
            self.assertTrue(event.pop("time"))
        self.assertEqual(events, [
            {"from": "host", "event": "command", "text": "AT^READ=2", "command": "AT^READ",
             "form": "set", "fields": {"channel": 2}},
            {"from": "module", "event": "response", "name": "READ",
             "fields": {"channel": 2, "size": 3}, "payload": "616263"},
            {"from": "module", "event": "final", "result": "OK"}])

    def test_a_late_answer_is_not_taken_for_anothers(self):
        gauge = self.gauge(answers={"AT^SLOW": None, 'AT^ALARM="1.2.3.4"': "ERROR"})
        result = self.tide("--port", gauge.port, "shell", "--wait", "1",
                           data=b'AT^SLOW\nAT^ALARM="1.2.3.4"\n')
        self.assertEqual(result.returncode, NO)
        self.assertIn(b"AT^SLOW: no answer within the deadline", result.stderr)
        self.assertIn(b"AT^ALARM: the module answered ERROR", result.stderr)

    def test_a_payload_that_breaks_off_takes_nothing_along(self):
        gauge = self.gauge(answers={"AT^READ=3": b"\r\n^READ: 3,99\r\nabc"})
        result = self.tide("--port", gauge.port, "shell", data=b"AT^READ=3\nAT^SYSINFO\n")
        self.assertEqual(result.returncode, NO)
        self.assertIn(b"AT^READ: no answer within the deadline", result.stderr)
        self.assertEqual(result.stdout.decode().splitlines(), [
            "-> AT^READ=3", "<- READ channel=3 size=99 bytes", "   | abc",
            "<- 96 bytes of it are missing", "-> AT^SYSINFO",
            '<- SYSINFO model="TG1" serial=42', "<- OK"])

    def test_unknown_commands_find_out_why_settings_cannot_be_read(self):
        gauge = self.gauge(answers={"AT^FMT?": "ERROR", "ATI": "Gauge of another revision"})
        shell = Prompt(self, TIDE, gauge.port)
        shell.types(f"AT^READ=1{ENTER}")
        shell.sees("doesn't answer in a way that can be trusted")
        shell.types(f"ATI{ENTER}")
        shell.sees("-> ATI\r\n", "<- Gauge of another revision", "<- OK")
        self.assertNotIn("AT^READ=1", gauge.heard)

    def test_what_may_have_changed_settings_is_not_trusted(self):
        gauge = self.gauge(answers={"AT&F": "", "AT^READ=1": "^READ: 1,2\r\n6162"})
        gauge.answers["AT^FMT?"] = "^FMT: 0"

        class Factory(dict):
            """The module's format is another after AT&F."""
            def get(self, command, default=None):
                if command == "AT&F":
                    self["AT^FMT?"] = "^FMT: 1"
                return super().get(command, default)

        gauge.answers = Factory(gauge.answers)
        result = self.tide("--port", gauge.port, "shell", data=b"AT&F\nAT^READ=1\n")
        self.assertEqual(result.returncode, DONE, result.stderr)
        self.assertIn(b"| ab\n", result.stdout)

    def test_the_tool_knows_no_module(self):
        spec = yaml.safe_load((ROOT / "spec/quectel/bc26-tcpip.yaml").read_text())
        names = {"bc26", "quectel", *(name.lower() for name in spec["commands"])}
        known = re.compile(r"(?<![a-z])(?:" + "|".join(names) + r")(?![a-z])")
        files = sorted((ROOT / "src" / "tool").iterdir())
        self.assertGreater(len(files), 10)
        for file in files:
            with self.subTest(file=file.name):
                self.assertIsNone(known.search(file.read_text().lower()))
