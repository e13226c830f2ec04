"""Firmware in QEMU, its UART joined to a virtual module, with servers behind that.

Everything is on loopback and ends with its test. The firmware says what it checks: see
firmware/main.c. It is built with both ways to receive, and each has to do with bytes that
come as they like, one by one, and many at once.
"""

import contextlib
import pathlib
import select
import socket
import subprocess
import tempfile
import threading
import unittest
from collections.abc import Callable, Iterator

from support import Sim, free_port   # type: ignore[attr-defined]  # of tests/cli
from targets import PATIENCE, ROOT, compile, need

FIRMWARE = ROOT / "tests/embed/firmware"
HOST = "192.0.2.1"  # of the firmware's servers


def build(folder: pathlib.Path, *options: str) -> pathlib.Path:
    """Of what ./dev dist writes, with the Makefile beside it."""
    program, library = folder / "firmware.elf", folder / "dist"
    compile(["env", "AT_NO_INSTALL=1", "sh", ROOT / "dev", "dist", library])
    compile(["make", "-s", "-C", FIRMWARE, f"DIST={library / 'bc26'}", f"OUT={program}", f"OPTIONS={' '.join(options)}"])
    return program


# Servers ---------------------------------------------------------------------------

def pattern(size: int) -> bytes:
    seed, data = 1, bytearray()
    for _ in range(size):
        seed = (seed * 1664525 + 1013904223) % 2**32
        data.append(seed >> 24)
    return bytes(data)


def send_pattern(connection: socket.socket) -> None:
    """As many bytes of it as the other side asks for; then the connection ends."""
    size = connection.makefile("rb").readline()
    connection.sendall(pattern(int(size)))


def send_back(connection: socket.socket) -> None:
    while data := connection.recv(4096):
        connection.sendall(data)


def serve(listener: socket.socket, answer: Callable[[socket.socket], None]) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(PATIENCE)
                answer(connection)


@contextlib.contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Connections one after the other; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, answer), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


# The line between them -----------------------------------------------------------------

def freely(to: socket.socket, data: bytes) -> bytes:
    to.sendall(data)
    return b""


def one_by_one(to: socket.socket, data: bytes) -> bytes:
    for byte in data:
        to.sendall(bytes([byte]))
    return b""


def in_bursts(to: socket.socket, data: bytes) -> bytes:
    """Keeps what comes until it's much, or nothing more has come for a while (b"")."""
    return data


Way = Callable[[socket.socket, bytes], bytes]
QUIET, MUCH = 0.02, 1500


def carry(firmware: socket.socket, module: socket.socket, deliver: Way) -> None:
    """Both directions; what the module says goes as `deliver` does it, which gives back
    what it keeps for now."""
    held = b""
    for end in firmware, module:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        ready, _, _ = select.select([firmware, module], [], [], QUIET if held else PATIENCE)
        for end in ready:
            data = end.recv(4096)
            if not data:
                return
            if end is firmware:
                module.sendall(data)
            else:
                held = deliver(firmware, held + data)
        if held and (module not in ready or len(held) > MUCH):
            firmware.sendall(held)
            held = b""


def join(listener: socket.socket, module: tuple[str, int], deliver: Way) -> None:
    with contextlib.suppress(OSError):
        firmware, _ = listener.accept()
        with firmware, socket.create_connection(module) as line:
            carry(firmware, line, deliver)


@contextlib.contextmanager
def line(sim: Sim, deliver: Way) -> Iterator[int]:
    """A UART's other end; yields its port."""
    host, port = sim.port.split(":")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=join, args=(listener, (host, int(port)), deliver),
                                  daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.close()


# The test --------------------------------------------------------------------------------

def run_firmware(program: pathlib.Path, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["qemu-system-arm", "-M", "mps2-an385", "-nodefaults", "-nic", "none", "-display",
         "none", "-serial", f"tcp:127.0.0.1:{port}", "-semihosting-config",
         "enable=on,target=native", "-kernel", str(program)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=PATIENCE)


class Ring(unittest.TestCase):
    """Received through the driver's ring."""

    options: list[str] = []

    def setUp(self) -> None:
        need("arm-none-eabi-gcc", "qemu-system-arm")
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = {7001: stack.enter_context(server(send_pattern)),
                 7002: stack.enter_context(server(send_back)), 7003: free_port()}
        routes = [f"--route={HOST}:{theirs}=127.0.0.1:{ours}" for theirs, ours in ports.items()]
        self.sim = Sim(*routes, tcp=True)
        stack.callback(self.sim.end)

    def reports(self, deliver: Way, *options: str) -> str:
        program = build(self.folder, *self.options, *options)
        with line(self.sim, deliver) as port:
            done = run_firmware(program, port)
        self.assertRegex(done.stdout, r"\nfirmware: \d\d checks, 0 failed\n$")
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_as_bytes_come(self) -> None:
        self.reports(freely)

    def test_byte_by_byte(self) -> None:
        self.assertIn("\nat most 1 bytes at once\n", self.reports(one_by_one, "-DPIECE=1"))

    def test_in_bursts(self) -> None:
        self.reports(in_bursts, "-DUART_LAZY")


class Window(Ring):
    """Received straight to where the client wants it."""

    options = ["-DUART_WINDOW"]
