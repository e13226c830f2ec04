"""`monitor`, from outside: what goes both ways, by itself and between a program and the module."""

import datetime
import json
import os
import pathlib
import pty
import queue
import re
import select
import signal
import socket
import subprocess
import tempfile
import threading
import tty
import unittest

from support import BC26, DONE, NO, PATIENCE, USAGE, ToolTest, run

STAMP = re.compile(r"\d\d:\d\d:\d\d\.\d\d\d ")


class Monitor:
    """A monitor under way. Its lines come without their time, its objects likewise."""

    def __init__(self, port, *arguments, before=(), **more):
        self.json = "--json" in arguments
        more.setdefault("stdin", subprocess.PIPE)
        more.setdefault("stdout", subprocess.PIPE)
        self.process = subprocess.Popen([BC26, "--port", port, *before, "monitor", *arguments],
                                        stderr=subprocess.PIPE, **more)
        self.lines = queue.Queue()
        self.times = []
        if self.process.stdout:
            threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.decode("ascii"))
        self.lines.put(None)

    def next(self):
        """The next line; None at the end."""
        line = self.lines.get(timeout=PATIENCE)
        if line is None:
            return None
        assert line.endswith("\n"), line
        if self.json:
            event = json.loads(line)
            self.times.append(event.pop("time"))
            return event
        stamp = STAMP.match(line)
        assert stamp, line
        return line[stamp.end():-1]

    def until(self, last):
        """The lines up to this one, or all if it doesn't come."""
        lines = []
        while not lines or lines[-1] not in (last, None):
            lines.append(self.next())
        return lines

    def type(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def end(self, by=signal.SIGINT):
        """Exit status and messages."""
        if by:
            self.process.send_signal(by)
        status = self.process.wait(PATIENCE)
        return status, self.process.stderr.read().decode()

    def clean_up(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


class FakeModule:
    """A module at a TCP port that says what a test wants."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = "127.0.0.1:%d" % self.listener.getsockname()[1]

    def take(self):
        self.listener.settimeout(PATIENCE)
        self.line, _ = self.listener.accept()
        self.line.settimeout(PATIENCE)

    def say(self, data):
        self.line.sendall(data)

    def hear(self, n):
        data = b""
        while len(data) < n:
            piece = self.line.recv(n - len(data))
            if not piece:
                break
            data += piece
        return data

    def end(self):
        self.listener.close()
        if hasattr(self, "line"):
            self.line.close()


def read_fd(fd, n):
    data = b""
    while len(data) < n:
        if not select.select([fd], [], [], PATIENCE)[0]:
            break
        data += os.read(fd, n - len(data))
    return data


class MonitorTest(ToolTest):
    maxDiff = None

    def monitor(self, port, *arguments, **more):
        monitor = Monitor(port, *arguments, **more)
        self.addCleanup(monitor.clean_up)
        return monitor

    def fake(self):
        module = FakeModule()
        self.addCleanup(module.end)
        return module

    def folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def between(self, port, *arguments, **more):
        """A monitor with a pty; where another program finds it."""
        link = str(self.folder() / "link")
        monitor = self.monitor(port, "--pty", link, *arguments, **more)
        self.assertEqual(monitor.process.stderr.readline().decode(),
                         f"bc26 monitor: ready on {link}\n")
        return monitor, link

    def open(self, link):
        fd = os.open(link, os.O_RDWR | os.O_NOCTTY)
        self.addCleanup(os.close, fd)
        return fd


class ByItself(MonitorTest):
    def test_both_directions_decoded(self):
        monitor = self.monitor(self.sim().port)
        monitor.type(b'AT\nAT+QICFG="echomode",1\r\nAT+QICLOSE\nAT+QIDNSGIP=1,"no.such"\n')
        failed = "<- +QIURC: \"dnsgip\",565    err=565 (DNS parse failed)"
        self.assertEqual(monitor.until(failed), [
            "-> AT    Attention; answers OK when the module listens",
            "<- AT",
            "<- OK",
            '-> AT+QICFG="echomode",1    Ask for or set whether input in data mode is echoed: '
            "echo_mode=1 (echoed)",
            '<- AT+QICFG="echomode",1',
            "<- OK",
            "-> AT+QICLOSE",
            "<- AT+QICLOSE",
            "<- ERROR",
            '-> AT+QIDNSGIP=1,"no.such"    Resolve a domain name: contextID=1 hostname="no.such"',
            '<- AT+QIDNSGIP=1,"no.such"',
            "<- OK",
            failed])
        self.assertEqual(monitor.end(), (DONE, ""))

    def test_lines_wait_for_answers_and_data_for_the_prompt(self):
        """A script in one piece; what looks like a line in data is data."""
        port = self.echo()
        monitor = self.monitor(self.sim("--route", f"203.0.113.9:7=127.0.0.1:{port}").port,
                               "--json")
        monitor.type(b'ATE0\nAT+QICFG="viewmode",1\n'
                     b'AT+QIOPEN=1,0,"TCP","203.0.113.9",7,0,1\n')
        monitor.until({"from": "module", "event": "urc", "name": "QIOPEN",
                       "fields": {"connectID": 0, "err": 0}})
        data = [b"\r\nOK\r\n", b"AT+QISTATE?\n\x1a"]
        monitor.type(b"AT+QISEND=0,6\n" + data[0] + b"AT+QISEND=0\n" + data[1] + b"ATE1\n")
        events = []
        echoed = b""
        while len(echoed) < 18 or "ATE1" not in [event.get("text") for event in events]:
            events.append(monitor.next())
            if events[-1].get("name") == "recv":
                echoed += bytes.fromhex(events[-1]["payload"])
                events.pop()
        self.assertEqual([(event["event"], event.get("text", event.get("payload")))
                          for event in events if event["from"] == "host"], [
            ("command", "AT+QISEND=0,6"), ("data", data[0].hex()),
            ("command", "AT+QISEND=0"), ("data", data[1].hex()), ("command", "ATE1")])
        self.assertEqual(echoed, data[0] + data[1][:-1])

    def test_end_of_stdin_is_not_the_end(self):
        module = self.fake()
        monitor = self.monitor(module.port, stdin=subprocess.DEVNULL)
        module.take()
        module.say(b"\r\n+CEREG: 5\r\n")
        self.assertEqual(monitor.next(), "<- +CEREG: 5")
        module.say(b'\r\n+QIURC: "closed",3\r\n')
        self.assertEqual(monitor.next(), '<- +QIURC: "closed",3    connectID=3')
        self.assertEqual(monitor.end(signal.SIGTERM), (DONE, ""))

    def test_lines_as_they_stand(self):
        module = self.fake()
        monitor = self.monitor(module.port)
        module.take()
        monitor.type(b'\x00hello\r\nAT+NOSUCH="\xff;\n')
        expected = b'\x00hello\rAT+NOSUCH="\xff;\r'
        self.assertEqual(module.hear(len(expected)), expected)
        self.assertEqual(monitor.next(), r"-> \x00hello")
        self.assertEqual(monitor.next(), r'-> AT+NOSUCH="\xff;')

    def test_silence_does_not_stop_a_script(self):
        module = self.fake()
        monitor = self.monitor(module.port)
        module.take()
        monitor.type(b"AT\nAT+QIGETERROR\n")
        self.assertEqual(module.hear(17), b"AT\rAT+QIGETERROR\r")

    def test_settings_at_first(self):
        module = self.fake()
        monitor = self.monitor(module.port, "--set", "access_mode[0]=1")
        module.take()
        module.say(b'\r\n+QIURC: "recv",0,4\r\n\r\nOK\r\n+CEREG: 5\r\n')
        self.assertEqual(monitor.until("<- +CEREG: 5")[1:],
                         [r"<- | 4 bytes: \r\nOK", "<- +CEREG: 5"])

    def test_settings_at_first_for_json(self):
        module = self.fake()
        monitor = self.monitor(module.port, "--set", "access_mode[0]=1", "--json", "--set",
                               "view_mode=1")
        module.take()
        module.say(b'\r\n+QIURC: "recv",0,4,\r\nOK\r\n+CEREG: 5\r\n')
        self.assertEqual(monitor.next(), {
            "from": "module", "event": "urc", "name": "recv",
            "fields": {"connectID": 0, "current_rcv_length": 4}, "payload": b"\r\nOK".hex()})
        self.assertEqual(monitor.next(), {"from": "module", "event": "unknown",
                                          "text": "+CEREG: 5"})


class Json(MonitorTest):
    def test_numbers_end_where_their_command_does(self):
        """What a longer one left in the buffer are none of its digits."""
        monitor = self.monitor(self.sim().port, "--json")
        monitor.type(b'ATE0\nAT+QPING=1,"127.0.0.1",1,1\nAT+QICLOSE=3\n')
        closed = None
        while closed is None or closed.get("command") != "QICLOSE":
            closed = monitor.next()
        self.assertEqual(closed["fields"], {"connectID": 3})

    def test_objects(self):
        port = self.echo()
        monitor = self.monitor(self.sim("--route", f"203.0.113.9:7=127.0.0.1:{port}").port,
                               "--json")
        monitor.type(b'ATE0\nAT+QIOPEN=1,0,"TCP","203.0.113.9",7,0,0\n')
        opened = {"from": "module", "event": "urc", "name": "QIOPEN",
                  "fields": {"connectID": 0, "err": 0}}
        ok = {"from": "module", "event": "final", "result": "OK"}
        self.assertEqual(monitor.until(opened), [
            {"from": "host", "event": "command", "text": "ATE0", "command": "ATE0",
             "form": "execute", "fields": {}},
            {"from": "module", "event": "echo", "text": "ATE0", "command": "ATE0",
             "form": "execute"},
            ok,
            {"from": "host", "event": "command",
             "text": 'AT+QIOPEN=1,0,"TCP","203.0.113.9",7,0,0', "command": "QIOPEN",
             "form": "set", "fields": {
                 "contextID": 1, "connectID": 0, "service_type": "TCP", "host": "203.0.113.9",
                 "remote_port": 7, "local_port": 0, "access_mode": 0}},
            ok, opened])
        monitor.type(b"AT+QISEND=0,4\nOK\r\n")
        arrived = {"from": "module", "event": "urc", "name": "recv", "fields": {"connectID": 0}}
        self.assertEqual(monitor.until(arrived), [
            {"from": "host", "event": "command", "text": "AT+QISEND=0,4", "command": "QISEND",
             "form": "fixed", "fields": {"connectID": 0, "send_length": 4}},
            {"from": "module", "event": "prompt"},
            {"from": "host", "event": "data", "payload": b"OK\r\n".hex()},
            ok, {"from": "module", "event": "final", "result": "SEND OK"}, arrived])
        monitor.type(b"hello\nAT+QIRD=0,512\n")
        self.assertEqual(monitor.until(ok), [
            {"from": "host", "event": "unknown", "text": "hello"},
            {"from": "host", "event": "command", "text": "AT+QIRD=0,512", "command": "QIRD",
             "form": "set", "fields": {"connectID": 0, "read_length": 512}},
            {"from": "module", "event": "response", "name": "QIRD",
             "fields": {"actual_read_length": 4}, "payload": b"OK\r\n".hex()}, ok])
        self.assertEqual(monitor.end(), (DONE, ""))

    def test_keys_and_times(self):
        """Time and direction stand first, then what decode prints to the byte."""
        module = self.fake()
        monitor = self.monitor(module.port, "--json", env={**os.environ, "TZ": "Nowhere-5:30"})
        module.take()
        capture = (b'\r\n+QIURC: "closed",3\r\n> \r\n+CEREG: 5\r\n'
                   b'+QISTATE: 0,"TCP","a",1,2,3,1,0\r\n'
                   b"+CME ERROR: 3\r\n" + 5000 * b"x" + b"\r\n+QIRD: 3\r\nabc\r\n+QIRD: 5\r\nab")
        module.say(capture)
        module.line.close()
        decoded = run("decode", data=capture).stdout.decode().splitlines()
        for expected in decoded:
            line = monitor.lines.get(timeout=PATIENCE)
            self.assertRegex(line, r'^\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",'
                                   r'"from":"module",')
            head, body = line.split('"from":"module",')
            self.assertEqual("{" + body, expected + "\n")
            monitor.times.append(head[len('{"time":"'):-2])
        times = [datetime.datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%f%z")
                 for time in monitor.times]
        self.assertEqual(times, sorted(times))
        off = datetime.datetime.now(datetime.timezone.utc) - times[0]
        self.assertLess(abs(off), datetime.timedelta(hours=1))
        self.assertGreaterEqual(len(times), 8)


class Between(MonitorTest):
    def test_a_program_and_the_module(self):
        port = self.echo()
        monitor, link = self.between(self.sim("--route", f"203.0.113.9:7=127.0.0.1:{port}").port,
                                     "--json")
        fd = self.open(link)
        tty.setraw(fd)

        def ask(line, end):
            os.write(fd, line)
            answer = b""
            while not answer.endswith(end):
                piece = read_fd(fd, 1)
                self.assertNotEqual(piece, b"", answer)
                answer += piece
            return answer

        self.assertEqual(ask(b"AT\r", b"\r\nOK\r\n"), b"AT\r\r\nOK\r\n")
        ask(b"ATE0\r", b"\r\nOK\r\n")
        ask(b'AT+QIOPEN=1,0,"TCP","203.0.113.9",7,0,1\r', b"+QIOPEN: 0,0\r\n")
        payload = b'\r\nOK\r\n+QIURC: "closed",0\r\nAT+QISTATE?\r> '
        ask(b"AT+QISEND=0,%d\r" % len(payload), b"> ")
        ask(payload, payload)
        self.assertEqual(ask(b"AT+QIGETERROR\r", b"OK\r\n")[-6:], b"\r\nOK\r\n")
        events = monitor.until({"from": "host", "event": "command", "text": "AT+QIGETERROR",
                                "command": "QIGETERROR", "form": "execute", "fields": {}})
        self.assertIn({"from": "host", "event": "data", "payload": payload.hex()}, events)
        self.assertIn({"from": "module", "event": "urc", "name": "recv",
                       "fields": {"connectID": 0, "current_rcv_length": len(payload)},
                       "payload": payload.hex()}, events)
        self.assertFalse([event for event in events if event["event"] == "unknown"])
        self.assertFalse([event for event in events if event.get("name") == "closed"])
        self.assertEqual(monitor.end(), (DONE, ""))
        self.assertFalse(os.path.lexists(link))

    def test_every_byte_passes(self):
        module = self.fake()
        monitor, link = self.between(module.port)
        module.take()
        fd = self.open(link)
        every = bytes(range(256)) * 64
        talk = threading.Thread(target=module.say, args=(every,))
        talk.start()
        self.assertEqual(read_fd(fd, len(every)), every)
        talk.join(PATIENCE)
        heard = []
        listen = threading.Thread(target=lambda: heard.append(module.hear(len(every))))
        listen.start()
        left = every
        while left:
            left = left[os.write(fd, left):]
        listen.join(PATIENCE)
        self.assertEqual(heard, [every])
        self.assertEqual(monitor.end()[0], DONE)

    def test_a_program_that_reads_late_loses_nothing(self):
        module = self.fake()
        _, link = self.between(module.port, stdout=subprocess.DEVNULL)
        module.take()
        fd = self.open(link)
        sent = b"".join(b"\r\n+CEREG: %d\r\n" % n for n in range(20000))
        talk = threading.Thread(target=module.say, args=(sent,))
        talk.start()
        select.select([fd], [], [], PATIENCE)
        self.assertEqual(read_fd(fd, len(sent)), sent)
        talk.join(PATIENCE)

    def test_without_a_program_all_is_shown_and_nothing_kept(self):
        module = self.fake()
        monitor, link = self.between(module.port)
        module.take()
        module.say(b"".join(b"\r\n+CEREG: %d\r\n" % n for n in range(5000)))
        for n in range(5000):
            self.assertEqual(monitor.next(), f"<- +CEREG: {n}")
        fd = self.open(link)
        module.say(b"\r\nRDY\r\n")
        self.assertEqual(read_fd(fd, 7), b"\r\nRDY\r\n")

    def test_the_program_may_come_again(self):
        module = self.fake()
        monitor, link = self.between(module.port)
        module.take()
        for n in range(3):
            fd = os.open(link, os.O_RDWR | os.O_NOCTTY)
            os.write(fd, b"AT+CSQ\r")
            self.assertEqual(module.hear(7), b"AT+CSQ\r")
            os.close(fd)
            self.assertEqual(monitor.next(), "-> AT+CSQ")

    def test_by_the_tool_itself(self):
        """A program that locks its port and sets its speed: another monitor."""
        first, link = self.between(self.sim().port)
        second = self.monitor(link)
        second.type(b"AT\n")
        for monitor in (first, second):
            self.assertEqual(monitor.until("<- OK")[0],
                             "-> AT    Attention; answers OK when the module listens")

    def test_the_link_exists(self):
        taken = self.folder() / "taken"
        taken.write_text("mine")
        result = self.sim().tool("monitor", "--pty", str(taken))
        self.assertEqual(result.returncode, USAGE)
        self.assertIn(b"exists already", result.stderr)
        self.assertEqual(taken.read_text(), "mine")


class Ends(MonitorTest):
    def test_unplugged(self):
        sim = self.sim()
        monitor, link = self.between(sim.port)
        monitor.type(b"AT\n")
        monitor.until("<- OK")
        sim.process.kill()
        status, messages = monitor.end(by=None)
        self.assertEqual(status, NO)
        self.assertIn(f"bc26: {sim.port}: lost: ", messages)
        self.assertFalse(os.path.lexists(link))

    def test_dropped_in_the_middle(self):
        module = self.fake()
        monitor = self.monitor(module.port)
        module.take()
        monitor.type(b"AT+QISEND=0,5\n")
        module.hear(14)
        module.say(b"\r\n> ")
        monitor.type(b"abc")
        module.hear(3)
        module.say(b"+QIRD: 7\r\nabc")
        module.line.close()
        lines = monitor.until(None)
        self.assertEqual(lines[-4:], [
            "<- +QIRD: 7    actual_read_length=7 bytes",
            "-> | 3 bytes: abc    incomplete: 2 missing",
            "<- | 3 bytes: abc    incomplete: 4 missing", None])
        status, messages = monitor.end(by=None)
        self.assertEqual(status, NO)
        self.assertIn(f"{module.port}: lost: the other side ended the connection", messages)

    def test_signals(self):
        sim = self.sim()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            monitor, link = self.between(sim.port)
            monitor.type(b"AT\n")
            monitor.until("<- OK")
            self.assertEqual(monitor.end(number), (DONE, ""))
            self.assertFalse(os.path.lexists(link))

    def test_nobody_reads(self):
        module = self.fake()
        reader, writer = os.pipe()
        monitor = self.monitor(module.port, stdout=writer)
        os.close(writer)
        module.take()
        os.close(reader)
        self.assertEqual(monitor.end(by=None), (DONE, ""))

    def test_port_in_use(self):
        sim = self.sim()
        monitor = self.monitor(sim.port)
        monitor.type(b"AT\n")
        monitor.until("<- OK")
        second = sim.tool("monitor")
        self.assertEqual(second.returncode, USAGE)
        self.assertIn(b"busy", second.stderr)

    def test_usage(self):
        nowhere = str(self.folder() / "none")
        for arguments, message in [
                (["--port", nowhere, "monitor"], "no such port"),
                (["monitor"], "monitor needs a module"),
                (["--port", nowhere, "monitor", "x"], "monitor doesn't take 'x'"),
                (["--port", nowhere, "monitor", "--pty"], "--pty lacks its value"),
                (["--port", nowhere, "monitor", "--set", "x=1"], "no setting 'x'")]:
            result = run(*arguments)
            self.assertEqual((result.returncode, result.stdout), (USAGE, b""), arguments)
            self.assertIn(message, result.stderr.decode())

    def test_help(self):
        result = run("monitor", "--help")
        self.assertEqual((result.returncode, result.stderr), (DONE, b""))
        for word in (b"--json", b"--pty LINK", b"--set", b"Ctrl-D", b"NO_COLOR"):
            self.assertIn(word, result.stdout)


class Terminal(MonitorTest):
    def on_terminal(self, port, **variables):
        """A monitor whose stdin and stdout are a terminal, and the other side of that."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "", **variables}
        monitor = self.monitor(port, stdin=slave, stdout=slave, env=environment)
        os.close(slave)
        return monitor, master

    def screen(self, master, until):
        text = b""
        while until not in text:
            piece = read_fd(master, 1)
            self.assertNotEqual(piece, b"", text)
            text += piece
        return text

    def test_colours_and_ctrl_d(self):
        monitor, master = self.on_terminal(self.sim().port)
        os.write(master, b"AT+NOSUCH\n")
        text = self.screen(master, b"ERROR\x1b[0m\r\n")
        self.assertIn(b"\x1b[36m-> AT+NOSUCH\x1b[0m", text)
        self.assertIn(b"\x1b[1;31m<- ERROR\x1b[0m", text)
        os.write(master, b"\x04")
        self.assertEqual(monitor.end(by=None), (DONE, ""))

    def test_ctrl_c(self):
        monitor, master = self.on_terminal(self.sim().port)
        os.write(master, b"AT\n")
        self.screen(master, b"OK")
        self.assertEqual(monitor.end(), (DONE, ""))

    def test_no_colours(self):
        for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            monitor, master = self.on_terminal(self.sim().port, **variables)
            os.write(master, b"AT+NOSUCH\n")
            text = self.screen(master, b"<- ERROR\r\n")
            self.assertNotIn(b"\x1b", text)
            self.assertEqual(monitor.end(), (DONE, ""))

    def test_no_colours_in_a_pipe(self):
        monitor = self.monitor(self.sim().port, env={**os.environ, "TERM": "xterm"})
        monitor.type(b"AT+NOSUCH\n")
        self.assertEqual(monitor.until("<- ERROR"), ["-> AT+NOSUCH", "<- AT+NOSUCH", "<- ERROR"])


class Trace(MonitorTest):
    def test_trace_is_decoded_on_stderr(self):
        module = self.fake()
        monitor = self.monitor(module.port, "--json", before=["--trace"])
        module.take()
        monitor.type(b"AT+QICLOSE=2\n")
        module.hear(13)
        module.say(b"\r\n+QIOPEN: 0,566\r\n\r\nOK\r\n+QIR")
        module.line.close()
        status, messages = monitor.end(by=None)
        self.assertEqual(status, NO)
        self.assertEqual(messages.splitlines()[:4], [
            "    -> AT+QICLOSE=2    Close a socket service: connectID=2",
            "    <- +QIOPEN: 0,566    connectID=0 err=566 (Socket connection failed)",
            "    <- OK",
            "    <- +QIR    incomplete"])


if __name__ == "__main__":
    unittest.main()
