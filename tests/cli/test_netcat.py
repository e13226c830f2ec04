"""`bc26 tcp` and `bc26 udp`: bytes through a virtual module to real servers, and how it ends."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import termios
import threading
import time
import tty
import unittest

from support import BC26, DONE, NO, PATIENCE, USAGE, Sim, ToolTest, free_port, program, run

NOBODY = 65534
STATS = re.compile(rb"socket: (\d+) bytes sent, (\d+) received; "
                   rb"wire: (\d+) bytes sent, (\d+) received; [0-9.]+ s\n")


def sha(data):
    return hashlib.sha256(data).hexdigest()


class Server(threading.Thread):
    """Takes one connection and does `serve` with it; `taken` is what came."""

    def __init__(self, serve):
        super().__init__(daemon=True)
        self.serve = serve
        self.taken = bytearray()
        self.began, self.ended = threading.Event(), threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = str(self.listener.getsockname()[1])
        self.start()

    def run(self):
        with self.listener, contextlib.suppress(OSError):
            connection, _ = self.listener.accept()
            with connection:
                connection.settimeout(PATIENCE)
                self.serve(self, connection)
        self.ended.set()

    def take(self, connection, most=None):
        """Until the other side closes, or this many bytes have come."""
        while most is None or len(self.taken) < most:
            piece = connection.recv(65536 if most is None else most - len(self.taken))
            if not piece:
                break
            self.taken += piece
            self.began.set()


def take_all(server, connection):
    server.take(connection)


def echo_back(size):
    """An echo that closes once this many bytes have gone back."""
    def serve(server, connection):
        while len(server.taken) < size and (piece := connection.recv(65536)):
            server.taken += piece
            connection.sendall(piece)
    return serve


class Proxy(threading.Thread):
    """A line to a virtual module that can be cut, go silent, or change what passes."""

    def __init__(self, sim):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.sim = sim
        self.silent = threading.Event()
        self.cut = threading.Event()
        self.inject = b""               # towards the tool
        self.edit = lambda data: data   # likewise
        self.mute_after = None          # once these bytes have gone to the module
        self.seen = b""
        self.passed = 0                 # bytes from the module
        self.start()

    def run(self):
        host, port = self.sim.port.split(":")
        with self.listener, contextlib.suppress(OSError):
            tool, _ = self.listener.accept()
            with tool, socket.create_connection((host, int(port))) as module:
                self.carry(tool, module)

    def carry(self, tool, module):
        for end in tool, module:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not self.cut.is_set():
            if self.inject:
                data, self.inject = self.inject, b""
                tool.sendall(data)
            ready, _, _ = select.select([tool, module], [], [], 0.02)
            for end in ready:
                data = end.recv(65536)
                if not data:
                    return
                if end is tool:
                    self.seen += data
                    if self.mute_after and self.mute_after in self.seen:
                        self.silent.set()
                self.passed += len(data) if end is module else 0
                if not self.silent.is_set():
                    (module if end is tool else tool).sendall(
                        data if end is tool else self.edit(data))

    def await_passed(self, size):
        """Until the module has sent so many bytes, or the line has ended."""
        while self.passed < size and self.is_alive():
            select.select([], [], [], 0.01)


class NetcatTest(ToolTest):
    def start(self, port, *arguments, **more):
        """The tool, under way, with its ends as pipes."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen([BC26, "--port", port, *arguments], **{**pipes, **more})

        def end():
            process.kill()
            process.wait(PATIENCE)
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    with contextlib.suppress(OSError):
                        pipe.close()
        self.addCleanup(end)
        return process

    def proxied(self, *options):
        proxy = Proxy(self.sim(*options, tcp=True))
        self.addCleanup(proxy.cut.set)
        return proxy

    def check(self, result, status, *words):
        """The exit status, and what the message has to name."""
        self.assertEqual(result.returncode, status, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr.decode())

    def finish(self, process, status, *words, data=None):
        out, err = process.communicate(data, timeout=PATIENCE)
        self.check(subprocess.CompletedProcess([], process.returncode, out, err), status, *words)
        return out, err


class Usage(NetcatTest):
    def test_help(self):
        for command in "tcp", "udp":
            result = run(command, "--help")
            self.check(result, DONE)
            for option in "--push", "--format", "--local-port", "-6", "-q", "--stats":
                self.assertIn(option, result.stdout.decode())
            self.assertEqual("--size" in result.stdout.decode(), command == "udp")

    def test_refused(self):
        for words, *arguments in [
                (["HOST and PORT are missing"], "tcp"),
                (["PORT is missing behind 'a'"], "tcp", "a"),
                (["PORT is missing: 'a:80' counts as HOST"], "udp", "a:80"),
                (["'2' is too much"], "tcp", "a", "1", "2", "3"),
                (["-4 and -6 exclude each other"], "tcp", "-4", "-6", "a", "1"),
                (["-4 and -6 exclude each other"], "tcp", "a", "1", "-64"),
                (["/dev/nowhere"], "tcp", "-6", "-6", "a", "1"),
                (["'65536' is no port", "1 to 65535"], "tcp", "a", "65536"),
                (["'0' is no port"], "udp", "a", "0"),
                (["'x'", "text or hex"], "tcp", "a", "1", "--format", "x"),
                (["'-1'", "0 to 65535"], "tcp", "a", "1", "--local-port", "-1"),
                (["'1.5'", "seconds"], "tcp", "a", "1", "-q", "1.5"),
                (["'-q' lacks its value"], "tcp", "a", "1", "-q"),
                (["no option '--pull'"], "tcp", "--pull", "a", "1"),
                (["--size is for datagrams"], "tcp", "a", "1", "--size", "5"),
                (["'1461'", "1 to 1460"], "udp", "a", "1", "--size", "1461"),
                (["HOST (host): ", "letters, digits"], "tcp", 'a";b', "1"),
                (["HOST (host): ", "150"], "tcp", "a" * 151, "1")]:
            with self.subTest(arguments=arguments):
                self.check(run("--port", "/dev/nowhere", *arguments), USAGE, *words)

    def test_needs_a_port(self):
        self.check(run("tcp", "a", "1"), USAGE, "--port")


def caught(pid, number):
    """Whether the process has a handler for this signal."""
    with open(f"/proc/{pid}/status") as status:
        mask = next(line for line in status if line.startswith("SigCgt"))
    return int(mask.split()[1], 16) >> (number - 1) & 1


class Ports(NetcatTest):
    def test_no_such_port(self):
        self.check(run("--port", "/dev/nowhere", "tcp", "a", "1"), USAGE,
                   "/dev/nowhere", "no such port", "ls /dev/tty")

    def test_no_port_at_all(self):
        for port, *words in [("/tmp", "a directory", "HOST:PORT"), ("", "is empty", "HOST:PORT"),
                             ("127.0.0.1", "no such port", "needs its :PORT"),
                             ("/dev/null/x", "no such port")]:
            with self.subTest(port=port):
                result = run("--port", port, "tcp", "a", "1")
                self.check(result, USAGE, port, *words)
                self.assertNotIn(b"unplug", result.stderr)

    def test_nobody_at_the_address(self):
        port = f"127.0.0.1:{free_port()}"
        self.check(run("--port", port, "tcp", "a", "1"), USAGE, port, "connection refused")

    def test_a_signal_while_it_connects(self):
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
            address = full.getsockname()
            waiting = [socket.socket() for _ in range(3)]   # nobody accepts: the next one waits
            for one in waiting:
                self.addCleanup(one.close)
                one.setblocking(False)
                one.connect_ex(address)
            for number in (signal.SIGINT, signal.SIGQUIT):
                process = subprocess.Popen([BC26, "--port", f"127.0.0.1:{address[1]}", "state"],
                                           stderr=subprocess.PIPE)
                self.addCleanup(process.stderr.close)
                while not caught(process.pid, number):
                    time.sleep(0.01)
                process.send_signal(number)
                self.assertEqual(process.wait(5), 128 + number)

    def test_not_a_tty(self):
        with tempfile.NamedTemporaryFile() as file:
            self.check(run("--port", file.name, "tcp", "a", "1"), USAGE, file.name,
                       "not a serial port", "HOST:PORT")

    def test_no_such_speed(self):
        self.check(run("--port", self.sim().port, "--baud", "12345", "tcp", "a", "1"), USAGE,
                   "12345", "115200")

    def test_busy(self):
        sim = self.sim()
        with open(sim.port, "rb+", buffering=0) as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            self.check(sim.tool("tcp", "a", "1"), USAGE, sim.port, "busy", "fuser")

    def test_permission(self):
        """To root every port is open, so there another user's copy of the tool tries."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        os.chmod(os.ttyname(slave), 0)
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            tool = shutil.copy(BC26, folder)
            result = subprocess.run([tool, "--port", os.ttyname(slave), "tcp", "a", "1"],
                                    stdin=subprocess.DEVNULL, capture_output=True, cwd="/",
                                    user=NOBODY if os.geteuid() == 0 else None,
                                    timeout=PATIENCE)
        self.check(result, USAGE, "permission denied", "dialout")

    def test_silent_module(self):
        """Nobody answers at all."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        tty.setraw(slave)
        name = os.ttyname(slave)
        os.close(slave)
        self.check(run("--port", name, "tcp", "a", "1"), NO, name, "no answer", "--baud")

    def test_silent_address(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = f"127.0.0.1:{listener.getsockname()[1]}"
            self.check(run("--port", port, "tcp", "a", "1"), NO, port, "no answer")


class Tcp(NetcatTest):
    def test_echo(self):
        result = self.sim().tool("tcp", "127.0.0.1", str(self.echo()), "-q", "1", data=b"hello\n")
        self.assertEqual(result.stdout, b"hello\n")
        self.check(result, DONE, "nothing came for 1 s", "-q")

    def test_a_conversation(self):
        """Answers come while stdin stays open, and the end comes from stdin."""
        process = self.start(self.sim().port, "tcp", "127.0.0.1", str(self.echo()), "-q", "0")
        for line in b"one\n", b"two\n":
            process.stdin.write(line)
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), line)
        out, _ = self.finish(process, DONE)
        self.assertEqual(out, b"")

    def test_download(self):
        nginx = program("nginx")
        data = os.urandom(200_000)
        port = free_port()
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            root = pathlib.Path(folder)
            (root / "file").write_bytes(data)
            places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in
                             ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            (root / "nginx.conf").write_text(
                f"daemon off; pid {folder}/pid; error_log {folder}/log;\n"
                "events { }\n"
                f"http {{ access_log off; {places} server {{ listen 127.0.0.1:{port}; "
                f"root {folder}; }} }}\n")
            server = self.serve(nginx, "-p", folder, "-c", str(root / "nginx.conf"), port=port)
            sim = self.sim()
            for options in [], ["--push"]:
                result = sim.tool("tcp", *options, "127.0.0.1", str(port),
                                  data=b"GET /file HTTP/1.0\r\n\r\n")
                self.check(result, DONE)
                self.assertEqual(result.stderr, b"")
                head, body = result.stdout.split(b"\r\n\r\n", 1)
                self.assertIn(b"200 OK", head)
                self.assertEqual(sha(body), sha(data))
            server.terminate()
            server.wait(PATIENCE)

    def test_all_bytes_in_all_modes(self):
        """A MiB each way, however data are framed on the way."""
        data = os.urandom(1 << 20)
        for view in b"01":
            sim = self.sim()
            with open(sim.port, "rb+", buffering=0) as port:
                port.write(b'AT+QICFG="viewmode",%c\r' % view)
                answer = b""
                while b"OK\r\n" not in answer:
                    answer += port.read(100)
            for options in [[], ["--push"]]:
                for form in "text", "hex":
                    with self.subTest(view=chr(view), options=options, format=form):
                        server = Server(echo_back(len(data)))
                        result = sim.tool("tcp", "127.0.0.1", server.port, "--stats", "--format",
                                          form, *options, data=data)
                        self.check(result, DONE)
                        self.assertEqual(sha(server.taken), sha(data))
                        self.assertEqual(sha(result.stdout), sha(data))
                        self.check_stats(result.stderr, len(data), 2 if form == "hex" else 1)

    def check_stats(self, text, size, factor):
        """stderr is the one line, and its numbers can be."""
        stats = STATS.fullmatch(text)
        self.assertIsNotNone(stats, text)
        sent, received, wire_sent, wire_received = map(int, stats.groups())
        self.assertEqual((sent, received), (size, size))
        for wire in wire_sent, wire_received:
            self.assertGreater(wire, factor * size)
            self.assertLess(wire, 1.2 * factor * size)

    def test_the_stored_format_is_left(self):
        sim = self.sim()
        for options, factor in [(["--format", "hex"], 2), ([], 2), (["--format", "text"], 1)]:
            server = Server(echo_back(10_000))
            result = sim.tool("tcp", "127.0.0.1", server.port, "--stats", *options,
                              data=b"x" * 10_000)
            self.check(result, DONE)
            self.check_stats(result.stderr, 10_000, factor)

    def test_local_port(self):
        port = free_port()
        seen = []

        def serve(server, connection):
            seen.append(connection.getpeername()[1])
        server = Server(serve)
        self.check(self.sim().tool("tcp", "127.0.0.1", server.port, "--local-port", str(port)),
                   DONE)
        self.assertEqual(seen, [port])

    def test_ipv6(self):
        """The address family that's asked for is the one that's used."""
        try:
            listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
        except OSError as error:
            self.skipTest(f"no IPv6 on loopback: {error}")
        port = str(listener.getsockname()[1])
        with listener:
            result = self.sim().tool("tcp", "-6", "::1", port, "-q", "0", data=b"six")
            self.check(result, DONE)
            listener.settimeout(PATIENCE)
            connection, _ = listener.accept()
            with connection:
                self.assertEqual(connection.recv(10), b"six")

    def test_at_once(self):
        """-q 0 sends all, and waits for nothing."""
        server = Server(take_all)
        self.check(self.sim().tool("tcp", "127.0.0.1", server.port, "-q", "0", data=b"x" * 5000),
                   DONE)
        self.assertTrue(server.ended.wait(PATIENCE))
        self.assertEqual(len(server.taken), 5000)

    def test_nobody_listens(self):
        port = str(free_port())
        result = self.sim().tool("tcp", "127.0.0.1", port, data=b"x")
        self.check(result, NO, f"tcp 127.0.0.1 {port}", "566", "see whether the server runs")
        self.assertEqual(result.stdout, b"")

    def test_no_such_name(self):
        result = self.sim("--dns", "there=127.0.0.1").tool("tcp", "nowhere.invalid", "1")
        self.check(result, NO, "nowhere.invalid", "565", "name is right")

    def test_the_other_side_closes_first(self):
        """What it sent is all there; what it didn't take is said."""
        answer = os.urandom(30_000)

        def serve(server, connection):
            server.take(connection, 3000)
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            server.take(connection)
        for options in [], ["--push"]:
            with self.subTest(options=options):
                result = self.sim().tool("tcp", "127.0.0.1", Server(serve).port, *options,
                                         data=bytes(4_000_000))
                self.check(result, NO, "the other side closed", "bytes of the input were sent")
                self.assertEqual(sha(result.stdout), sha(answer))
                sent = int(re.search(rb"when (\d+)", result.stderr)[1])
                self.assertGreaterEqual(sent, 3000)
                self.assertLess(sent, 4_000_000)

    def test_the_other_side_breaks_off(self):
        def serve(server, connection):
            server.take(connection, 3000)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        result = self.sim().tool("tcp", "127.0.0.1", Server(serve).port, data=bytes(4_000_000))
        self.check(result, NO, "the other side closed")

    def test_input_that_waits_is_no_failure(self):
        """The other side closes while stdin is open, but has nothing that wasn't sent."""
        process = self.start(self.sim().port, "tcp", "127.0.0.1", Server(echo_back(3)).port)
        process.stdin.write(b"abc")
        process.stdin.flush()
        self.assertEqual(process.wait(PATIENCE), DONE)
        self.assertEqual(process.stdout.read(), b"abc")

    def test_stdout_that_nobody_reads_yet(self):
        """Data that are pushed wait in memory, and others come behind them."""
        data = os.urandom(500_000)
        half = len(data) // 2
        go_on = threading.Event()

        def serve(server, connection):
            connection.sendall(data[:half])
            go_on.wait(PATIENCE)
            connection.sendall(data[half:])
        proxy = self.proxied()
        process = self.start(proxy.port, "tcp", "127.0.0.1", Server(serve).port, "--push")
        proxy.await_passed(half)
        begin = process.stdout.read(100_000)
        go_on.set()
        proxy.await_passed(len(data))
        self.assertEqual(sha(begin + process.stdout.read()), sha(data))
        self.assertEqual(process.wait(PATIENCE), DONE)

    def test_back_pressure(self):
        """While nobody reads stdout, hardly more is read from the module than a pipe holds; that
        nothing comes then is no reason to close."""
        data = os.urandom(1_000_000)
        proxy = self.proxied()
        server = Server(lambda server, connection: connection.sendall(data))
        process = self.start(proxy.port, "tcp", "127.0.0.1", server.port, "-q", "1",
                             stdin=subprocess.DEVNULL)
        before = -1
        while proxy.passed != before or before < 10_000:  # until it has come to rest
            before = proxy.passed
            self.assertIsNone(process.poll())
            select.select([], [], [], 1.5)
        self.assertLess(proxy.passed, 200_000)
        out, _ = self.finish(process, DONE)
        self.assertEqual(sha(out), sha(data))

    def test_stdout_closed(self):
        def serve(server, connection):
            connection.sendall(bytes(3_000_000))
        server = Server(serve)
        process = self.start(self.sim().port, "tcp", "127.0.0.1", server.port)
        self.assertEqual(process.stdout.read(100), bytes(100))
        process.stdout.close()
        self.assertEqual(process.wait(PATIENCE), NO)
        self.assertIn("stdout can't be written", process.stderr.read().decode())
        self.assertTrue(server.ended.wait(PATIENCE))

    def test_stdin_that_cannot_be_read(self):
        server = Server(take_all)
        with open_folder("/") as folder:
            process = self.start(self.sim().port, "tcp", "127.0.0.1", server.port, stdin=folder)
            self.finish(process, NO, "stdin can't be read", "directory")
        self.assertTrue(server.ended.wait(PATIENCE))

    def test_closed_standard_files(self):
        """The port doesn't take their place."""
        server = Server(take_all)
        result = run("--port", self.sim().port, "tcp", "127.0.0.1", str(server.port), data=None,
                     preexec_fn=lambda: os.close(0))
        self.check(result, NO, "stdin can't be read")
        result = run("--port", self.sim("--dns", "a.example=192.0.2.7").port, "dns", "a.example",
                     data=None, preexec_fn=lambda: os.close(1))
        self.assertEqual(result.returncode, USAGE, result.stderr)


@contextlib.contextmanager
def open_folder(name):
    folder = os.open(name, os.O_RDONLY)
    try:
        yield folder
    finally:
        os.close(folder)


class Trouble(NetcatTest):
    """In the middle of a transfer."""

    def under_way(self, port, *options, serve=take_all, **more):
        """A transfer without an end, of which bytes have arrived."""
        server = Server(serve)
        process = self.start(port, "tcp", "127.0.0.1", server.port, *options,
                             stdin=open_zero(self), **more)
        self.assertTrue(server.began.wait(PATIENCE))
        return process, server

    def test_pty_unplugged(self):
        sim = Sim()
        process, _ = self.under_way(sim.port)
        port = sim.port
        sim.end()
        self.finish(process, NO, port, "lost", "plug it in again")

    def test_address_dropped(self):
        proxy = self.proxied()
        process, _ = self.under_way(proxy.port)
        proxy.cut.set()
        self.finish(process, NO, proxy.port, "lost", "ended the connection")

    def test_virtual_module_at_an_address_ends(self):
        sim = Sim(tcp=True)
        process, _ = self.under_way(sim.port)
        port = sim.port
        sim.end()
        self.finish(process, NO, port, "lost")

    def test_silence(self):
        proxy = self.proxied()
        process, _ = self.under_way(proxy.port)
        proxy.silent.set()
        self.finish(process, NO, "tcp 127.0.0.1", "no answer")

    def test_refused(self):
        """The module won't send, and doesn't say that the other side closed. However it reports
        errors, why is told, and that way is left alone."""
        for mode in b"0", b"1", b"2":
            sim = self.sim(tcp=True)
            ask(sim.port, b"AT+CMEE=" + mode)
            proxy = Proxy(sim)
            proxy.edit = lambda data: data.replace(b'\r\n+QIURC: "closed",0\r\n', b"")
            server = Server(lambda server, connection: server.take(connection, 3000))
            process = self.start(proxy.port, "tcp", "127.0.0.1", server.port,
                                 stdin=open_zero(self))
            _, told = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, NO)
            # What was under way when the other side closed was accepted, and then fails.
            self.assertRegex(told.decode(), rf"tcp 127.0.0.1 {server.port}: "
                             r"(.*closed \(567\)|the module accepted it, then it failed)")
            self.assertNotIn(b"CMEE", proxy.seen)

    def test_a_close_that_is_not_answered(self):
        proxy = self.proxied()
        process = self.start(proxy.port, "tcp", "127.0.0.1", str(self.echo()), "-q", "0")
        process.stdin.write(b"there\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"there\n")
        proxy.silent.set()
        self.finish(process, NO, "tcp 127.0.0.1", "no answer")

    def test_restart(self):
        """The module says that it starts; nothing is under way."""
        proxy = self.proxied()
        process = self.start(proxy.port, "tcp", "127.0.0.1", str(self.echo()))
        process.stdin.write(b"there\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"there\n")
        proxy.inject = b"\r\nRDY\r\n"
        self.assertEqual(process.wait(PATIENCE), NO)
        self.assertIn("restarted", process.stderr.read().decode())

    def test_damaged_data(self):
        """What was announced and can't be had is said."""
        proxy = self.proxied()
        proxy.edit = lambda data: data.replace(b"444546", b"44..46")
        result = run("--port", proxy.port, "tcp", "127.0.0.1", Server(echo_back(9)).port, "--push",
                     "--format", "hex", data=b"ABCDEFGHI")
        self.check(result, NO, "1 bytes that the module announced were lost")
        self.assertEqual(result.stdout, b"ABCDFGHI")

    def test_interrupted(self):
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGQUIT:
            with self.subTest(signal=number.name):
                sim = self.sim()
                with open(sim.port, "rb+", buffering=0) as port:
                    found = cooked(port)
                    process, server = self.under_way(sim.port, "--stats")
                    self.assertNotEqual(termios.tcgetattr(port), found)
                    process.send_signal(number)
                    _, err = self.finish(process, 128 + number)
                    self.assertEqual(termios.tcgetattr(port), found)
                # The socket was closed, and all that was counted as sent has arrived.
                self.assertTrue(server.ended.wait(PATIENCE))
                self.assertEqual(int(STATS.search(err)[1]), len(server.taken))
                self.assertEqual(set(server.taken), {0})

    def test_interrupted_twice(self):
        """The module says nothing any more, so there's no polite end."""
        proxy = self.proxied()
        proxy.mute_after = b"AT+QIOPEN"
        process = self.start(proxy.port, "tcp", "127.0.0.1", "1")
        self.assertTrue(proxy.silent.wait(PATIENCE))
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertIn(process.returncode, [128 + signal.SIGINT, 128 + signal.SIGTERM])
        self.assertEqual((out, err), (b"", b""))

    def test_interrupted_while_opening(self):
        """One signal is enough, though the module says nothing."""
        proxy = self.proxied()
        proxy.mute_after = b"AT+QIOPEN"
        process = self.start(proxy.port, "tcp", "127.0.0.1", "1")
        self.assertTrue(proxy.silent.wait(PATIENCE))
        process.send_signal(signal.SIGINT)
        self.finish(process, 128 + signal.SIGINT)


def ask(port, command):
    """The module's answer to a command, up to the OK."""
    host, number = port.split(":")
    with socket.create_connection((host, int(number)), timeout=PATIENCE) as line:
        line.sendall(command + b"\r")
        answer = b""
        while b"OK\r\n" not in answer:
            answer += line.recv(1000)
    return answer


def open_zero(test):
    """stdin without an end."""
    zero = os.open("/dev/zero", os.O_RDONLY)
    test.addCleanup(os.close, zero)
    return zero


def cooked(port):
    """Makes a tty what it isn't once the tool has it; returns how it reads then."""
    attributes = termios.tcgetattr(port)
    attributes[3] |= termios.ICANON
    attributes[0] |= termios.ICRNL
    termios.tcsetattr(port, termios.TCSANOW, attributes)
    return termios.tcgetattr(port)


class Udp(NetcatTest):
    def datagrams(self):
        """A socket that takes datagrams, and its port."""
        taker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        taker.bind(("127.0.0.1", 0))
        taker.settimeout(PATIENCE)
        self.addCleanup(taker.close)
        return taker, str(taker.getsockname()[1])

    def test_echo(self):
        for options in [], ["--push"]:
            result = self.sim().tool("udp", "127.0.0.1", str(self.echo("UDP")), "-q", "1",
                                     *options, data=b"\0a datagram\r\n")
            self.check(result, DONE)
            self.assertEqual(result.stdout, b"\0a datagram\r\n")
            self.assertEqual(result.stderr, b"")

    def test_sizes(self):
        for most, *options in [(1460,), (100, "--size", "100"), (730, "--format", "hex"),
                               (7, "--format", "hex", "--size", "7"), (1460, "--format", "text")]:
            taker, port = self.datagrams()
            data = os.urandom(2 * most + most // 2)
            result = self.sim().tool("udp", "127.0.0.1", port, "-q", "0", *options, data=data)
            self.check(result, DONE)
            expected = [data[at:at + most] for at in range(0, len(data), most)]
            self.assertEqual([taker.recv(2000) for _ in expected], expected)

    def test_size_beyond_the_format(self):
        result = self.sim().tool("udp", "127.0.0.1", "9", "--format", "hex", "--size", "731")
        self.check(result, USAGE, "--size 731", "730", "--format text")

    def test_lines_of_a_terminal(self):
        taker, port = self.datagrams()
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        process = self.start(self.sim().port, "udp", "127.0.0.1", port, "-q", "0", stdin=slave)
        os.close(slave)
        os.write(master, b"one\ntwo two\n")
        self.assertEqual([taker.recv(100), taker.recv(100)], [b"one\n", b"two two\n"])
        os.write(master, b"\4")
        self.assertEqual(process.wait(PATIENCE), DONE)

    def test_reads_are_datagrams(self):
        """They don't join while another is sent."""
        taker, port = self.datagrams()
        process = self.start(self.sim("--baud", "115200").port, "udp", "127.0.0.1", port)
        sent = [os.urandom(300) for _ in range(4)]
        for datagram in sent:
            process.stdin.write(datagram)
            process.stdin.flush()
            # Until it was read: a pipe doesn't keep two writes apart.
            while unread(process.stdin):
                select.select([], [], [], 0.005)
        self.assertEqual([taker.recv(2000) for _ in sent], sent)
        process.send_signal(signal.SIGINT)
        self.finish(process, 128 + signal.SIGINT)


def unread(pipe):
    count = fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0")
    return int.from_bytes(count, "little")


class Progress(NetcatTest):
    def transfer(self, stderr):
        """20 kB of a regular file, at a pace that takes a while."""
        with tempfile.TemporaryFile() as file:
            file.write(bytes(20_000))
            file.seek(0)
            server = Server(take_all)
            process = self.start(self.sim("--baud", "115200").port, "tcp", "127.0.0.1",
                                 server.port, "-q", "0", stdin=file, stderr=stderr)
        return process

    def test_on_a_terminal(self):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        process = self.transfer(slave)
        os.close(slave)
        text = b""
        with contextlib.suppress(OSError):  # the end of a pty is an error
            while piece := os.read(master, 4096):
                text += piece
        self.assertEqual(process.wait(PATIENCE), DONE)
        self.assertRegex(text, rb"\rsent \d.*KiB \(\d+ %\), received 0 B, .*/s\x1b\[K")
        self.assertRegex(text, rb"\r\x1b\[Ksent 19\.5 KiB \(100 %\), received 0 B in .* s, .*\r\n")

    def test_nowhere_else(self):
        process = self.transfer(subprocess.PIPE)
        _, err = self.finish(process, DONE)
        self.assertRegex(err, rb"\A[^\r\x1b\n]*at the end of input[^\r\x1b\n]*\n\Z")


if __name__ == "__main__":
    unittest.main()
