"""What tests of the tool share: a virtual module, free ports, and real servers.

The program is the one that the environment variable BC26 names, or build/bin/bc26.
Everything is bound to loopback, and ends with the test that started it.
"""

import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BC26 = os.environ.get("BC26", str(ROOT / "build" / "bin" / "bc26"))

DONE, NO, USAGE = 0, 1, 2

# For what must happen but may take a busy machine a while; no test waits for it to pass.
PATIENCE = 60


def run(*arguments, data=b"", timeout=PATIENCE, **more):
    return subprocess.run([BC26, *arguments], input=data, capture_output=True, timeout=timeout,
                          **more)


def is_free(port):
    with contextlib.ExitStack() as stack:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def free_port(kind=None):
    """A port of 127.0.0.1 that nobody had a moment ago, whatever `kind` is wanted.

    It's free for TCP and UDP alike, for a name server takes both. And it isn't one of those
    that the system gives to whoever asks for any: it could be given to somebody at once.
    """
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = range(10000, first) if first > 12000 else range(1024, 65536)
    for port in random.sample(ports, 100):
        if is_free(port):
            return port
    raise AssertionError("no port is free")


# Debian's packages that aren't called as their program.
PACKAGES = {"chronyd": "chrony", "dnsmasq": "dnsmasq-base"}


def program(*names):
    """The path of the first of these programs that is here; skips the test without one."""
    for name in names:
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
        if path:
            return path
    packages = " or ".join(PACKAGES.get(name, name) for name in names)
    raise unittest.SkipTest(f"{' or '.join(names)} isn't installed: apt-get install {packages}; "
                            "see ./dev packages")


def end_group(process):
    """Ends it with all that it forked; it was started in a session of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Sim:
    """A virtual module; `port` is what --port takes."""

    def __init__(self, *options, tcp=False):
        self.folder = tempfile.TemporaryDirectory()
        self.port = str(pathlib.Path(self.folder.name) / "bc26.pty")
        where = ["--tcp", "0"] if tcp else ["--pty", self.port]
        self.process = subprocess.Popen([BC26, "sim", *where, *options],
                                        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        ready = self.process.stderr.readline().decode()
        if "ready on " not in ready:
            self.end()
            raise AssertionError(f"the virtual module didn't start: {ready}")
        if tcp:
            self.port = ready.split("ready on ")[1].strip()

    def end(self):
        """The plug is pulled."""
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stderr.close()
        self.folder.cleanup()

    def tool(self, *arguments, **more):
        """Runs the tool with this module at its port."""
        return run("--port", self.port, *arguments, **more)


class Rote:
    """What answers as a module would, by rote: for answers that no virtual module gives.

    `answers` maps a command line, or its beginning, to the lines that come back before (a
    text) and after (a list) the OK. None, in place of either or at the end of a list: the
    connection ends there. `heard` are the command lines.
    """

    SETTINGS = {
        'AT+QICFG="dataformat"': '+QICFG: "dataformat",0,0',
        'AT+QICFG="viewmode"': '+QICFG: "viewmode",0',
        'AT+QICFG="showlength"': '+QICFG: "showlength",0',
        'AT+QICFG="echomode"': '+QICFG: "echomode",0',
    }

    def __init__(self, answers):
        self.answers = {**self.SETTINGS, **answers}
        self.heard = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.port = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        with contextlib.suppress(OSError), self.listener:
            connection = self.listener.accept()[0]
            with connection:
                connection.settimeout(PATIENCE)
                self.converse(connection)

    def converse(self, connection):
        rest = b""
        while data := connection.recv(4096):
            *lines, rest = (rest + data).split(b"\r")
            for line in lines:
                text, ends = self.answer(line.decode().strip("\n"))
                connection.sendall(text.encode())
                if ends:
                    return

    def answer(self, command):
        """What to send, and whether that's the end."""
        self.heard.append(command)
        found = [key for key in self.answers if command.startswith(key)]
        answer = self.answers[max(found, key=len)] if found else ""
        if answer is None:
            return "", True
        lines = [answer, "OK"] if isinstance(answer, str) else ["OK", *answer]
        if answer == "ERROR":
            lines = ["ERROR"]
        return "".join(f"\r\n{line}\r\n" for line in lines if line), None in lines

    def end(self):
        self.thread.join(PATIENCE)

    def tool(self, *arguments, **more):
        return run("--port", self.port, *arguments, **more)


def listens(port, kind):
    """Whether anybody has this port of this machine."""
    for table in (kind, kind + "6"):
        with contextlib.suppress(FileNotFoundError):
            for line in pathlib.Path("/proc/net", table).read_text().splitlines()[1:]:
                _, local, _, state = line.split()[:4]
                if local.endswith(f":{port:04X}") and (kind == "udp" or state == "0A"):
                    return True
    return False


def await_port(port, process, kind="tcp"):
    """Until a server listens, or has ended."""
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        if listens(port, kind):
            return
        time.sleep(0.02)
    raise AssertionError(f"{process.args[0]} doesn't listen at port {port}; its status is "
                         f"{process.returncode}")


class ToolTest(unittest.TestCase):
    """Tests with a virtual module and servers that end with the test."""

    def sim(self, *options, **more):
        sim = Sim(*options, **more)
        self.addCleanup(sim.end)
        return sim

    def rote(self, answers):
        module = Rote(answers)
        self.addCleanup(module.end)
        return module

    def serve(self, *command, port, kind="tcp"):
        """Starts a server in the foreground, and waits until it listens."""
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(end_group, process)
        await_port(port, process, kind)
        return process

    def echo(self, kind="TCP"):
        """An echo by socat; returns its port."""
        udp = kind == "UDP"
        port = free_port(socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
        self.serve(program("socat"), f"{kind}-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr",
                   "EXEC:cat" if not udp else "PIPE", port=port, kind=kind.lower())
        return port
