"""What tests of the tool share: a virtual module, free ports, and real servers.

The program is the one that the environment variable BC26 names, or build/bin/bc26.
Everything is bound to loopback, and ends with the test that started it.
"""

import contextlib
import os
import pathlib
import select
import shutil
import socket
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BC26 = os.environ.get("BC26", str(ROOT / "build" / "bin" / "bc26"))

DONE, NO, USAGE = 0, 1, 2

# For what must happen but may take a busy machine a while; no test waits for it to pass.
PATIENCE = 60


def run(*arguments, data=b"", timeout=PATIENCE, **more):
    return subprocess.run([BC26, *arguments], input=data, capture_output=True, timeout=timeout,
                          **more)


def free_port(kind=socket.SOCK_STREAM):
    """A port of 127.0.0.1 that nobody has, a moment ago."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(*names):
    """The path of the first of these programs that is here; skips the test without one."""
    for name in names:
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
        if path:
            return path
    raise unittest.SkipTest(f"{' or '.join(names)} isn't installed; ./dev packages lists "
                            "what the tests use")


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


def await_port(port, process, kind="tcp"):
    """Until a server listens, or has ended."""
    table = {"tcp": ["/proc/net/tcp", "/proc/net/tcp6"], "udp": ["/proc/net/udp"]}[kind]
    mark = f":{port:04X} "
    while process.poll() is None:
        for name in table:
            with contextlib.suppress(FileNotFoundError):
                lines = pathlib.Path(name).read_text().splitlines()[1:]
                if any(mark in line.split(":", 1)[1][:15] + " " and
                       (kind == "udp" or line.split()[3] == "0A") for line in lines):
                    return
        select.select([], [], [], 0.02)
    raise AssertionError(f"{process.args[0]} ended with status {process.returncode}")


class ToolTest(unittest.TestCase):
    """Tests with a virtual module and servers that end with the test."""

    def sim(self, *options, **more):
        sim = Sim(*options, **more)
        self.addCleanup(sim.end)
        return sim

    def serve(self, *command, port, kind="tcp"):
        """Starts a server in the foreground, and waits until it listens."""
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait, PATIENCE)
        self.addCleanup(process.kill)
        await_port(port, process, kind)
        return process

    def echo(self, kind="TCP"):
        """An echo by socat; returns its port."""
        udp = kind == "UDP"
        port = free_port(socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
        self.serve(program("socat"), f"{kind}-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr",
                   "EXEC:cat" if not udp else "PIPE", port=port, kind=kind.lower())
        return port
