"""A shell at a terminal, as a person has it."""

import os
import tempfile

import pexpect

from support import PATIENCE

CTRL_C, CTRL_D, CTRL_U, CTRL_Z = "\x03", "\x04", "\x15", "\x1a"
UP, TAB, ENTER = "\x1b[A", "\t", "\r"


class Prompt:
    """`program --port PORT shell` in a pty, ended with the test."""

    def __init__(self, test, program, port, *options, home=None):
        if home is None:
            folder = tempfile.TemporaryDirectory()
            test.addCleanup(folder.cleanup)
            home = folder.name
        env = dict(os.environ, TERM="xterm", HOME=home, LC_ALL="C")
        env.pop("XDG_STATE_HOME", None)
        self.name = os.path.basename(program)
        self.child = pexpect.spawn(program, ["--port", port, "shell", *options], env=env,
                                   encoding="utf-8", timeout=PATIENCE, dimensions=(40, 200))
        test.addCleanup(self.child.close, True)
        self.seen = ""
        self.ready()

    def ready(self):
        """Until it waits for a line."""
        self.sees(f"{self.name}> ")

    def types(self, keys):
        self.child.send(keys)

    def sees(self, *texts):
        """Waits for texts, in this order."""
        for text in texts:
            self.child.expect_exact(text)
            self.seen += self.child.before + self.child.after

    def ends(self):
        """Waits for its end. Returns the exit status."""
        self.child.expect(pexpect.EOF)
        self.seen += self.child.before
        self.child.close()
        return self.child.exitstatus
