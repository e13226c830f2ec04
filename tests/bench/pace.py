"""How near `tcp` and the virtual module come to what a UART can carry: ./dev pace [BAUD [KIB]]

On such a line commands and answers take turns, so a transfer can't take less time than all its
bytes need, those of both directions one after another, at ten bits each. In push mode nothing is
asked for, so what comes from the module is all that counts. Printed is how much longer it took.
"""

import hashlib
import argparse
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BC26 = os.environ.get("BC26", str(ROOT / "build" / "bin" / "bc26"))
PATIENCE = 600

STATS = re.compile(r"socket: (\d+) bytes sent, (\d+) received; "
                   r"wire: (\d+) bytes sent, (\d+) received; ([0-9.]+) s")


class Peer(threading.Thread):
    """Takes one connection: gives what it has, then takes what comes until the other closes."""

    def __init__(self, data):
        super().__init__(daemon=True)
        self.data = data
        self.taken = hashlib.sha256()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        connection, _ = self.listener.accept()
        with connection, self.listener:
            connection.sendall(self.data)
            if self.data:
                connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(65536):
                self.taken.update(piece)


def transfer(module, title, upload, download, *options):
    """One direction at a time; what tcp --stats says of it."""
    peer = Peer(download)
    result = subprocess.run(
        [BC26, "--port", module, "tcp", "127.0.0.1", str(peer.port), "--stats", "-q",
         "0" if upload else "600", *options],
        input=upload, capture_output=True, timeout=PATIENCE)
    peer.join(PATIENCE)
    stats = STATS.search(result.stderr.decode())
    whole = (hashlib.sha256(upload).digest() == peer.taken.digest() and
             hashlib.sha256(download).digest() == hashlib.sha256(result.stdout).digest())
    if result.returncode != 0 or not stats or not whole:
        sys.exit(f"{title} failed with status {result.returncode}: {result.stderr.decode()}")
    return stats


def report(title, stats, baud, push):
    sent, received, wire_sent, wire_received = map(int, stats.groups()[:4])
    seconds = float(stats[5])
    least = (wire_received + (0 if push else wire_sent)) * 10 / baud
    print(f"{title:<24}{sent + received:>9}{wire_sent:>10}{wire_received:>10}{seconds:>10.3f}"
          f"{least:>10.3f}{100 * (seconds / least - 1):>+9.1f} %")


def main(baud, kib):
    data = os.urandom(kib * 1024)
    with tempfile.TemporaryDirectory() as folder:
        module = str(pathlib.Path(folder) / "bc26.pty")
        sim = subprocess.Popen([BC26, "sim", "--pty", module, "--baud", str(baud)],
                               stderr=subprocess.PIPE, text=True)
        try:
            if "ready on" not in sim.stderr.readline():
                sys.exit("the virtual module didn't start")
            print(f"{baud} bit/s\n{'':<24}{'bytes':>9}{'wire out':>10}{'wire in':>10}"
                  f"{'seconds':>10}{'at least':>10}{'over':>11}")
            for title, up, down, *options in [
                    ("upload", data, b""), ("download", b"", data),
                    ("download, push mode", b"", data, "--push")]:
                stats = transfer(module, title, up, down, *options)
                report(title, stats, baud, "--push" in options)
        finally:
            sim.terminate()
            sim.wait(PATIENCE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="./dev pace", description="How long transfers take, against what the bytes need.")
    parser.add_argument("baud", metavar="BAUD", type=int, nargs="?", default=115200)
    parser.add_argument("kib", metavar="KIB", type=int, nargs="?", default=64)
    main(**vars(parser.parse_args()))
