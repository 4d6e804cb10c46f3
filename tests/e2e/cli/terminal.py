"""A person at a terminal: what the command shows there, and what keys do."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from command import LONG_S, PROGRAM

LOCAL_MODES = 3  # in what tcgetattr() returns
CTRL_C, CTRL_D, TAB, ENTER, UP = "\x03", "\x04", "\t", "\r", "\x1b[A"


class Terminal:
    """The command on a pseudo-terminal of 24 lines of 100 characters."""

    def __init__(self, command, *args):
        self.screen = ""  # all that was ever shown
        self._seen = 0
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.process = subprocess.Popen([PROGRAM, *args], env=command.environ, stdin=slave,
                                        stdout=slave, stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def type(self, *keys):
        """Types when the command edits a line; Ctrl-C alone, at once. A key that comes while the
        terminal changes hands is lost; a person would see that and press it again."""
        if keys != (CTRL_C,):
            self._await_editing()
        os.write(self._master, "".join(keys).encode())

    def _await_editing(self):
        until = time.monotonic() + LONG_S
        while termios.tcgetattr(self._master)[LOCAL_MODES] & termios.ICANON:
            assert time.monotonic() < until, f"it reads no line:\n{self.screen[self._seen:]}"
            assert self._read(0.01), f"it ended:\n{self.screen[self._seen:]}"

    def expect(self, text):
        """Returns once the text has been shown after what was expected before."""
        until = time.monotonic() + LONG_S
        while text not in self.screen[self._seen:]:
            assert time.monotonic() < until, f"'{text}' is not in:\n{self.screen[self._seen:]}"
            assert self._read(1), f"it ended without '{text}':\n{self.screen[self._seen:]}"
        self._seen = self.screen.index(text, self._seen) + len(text)

    def _read(self, patience_s):
        """Takes what there is; returns False at the end."""
        if not select.select([self._master], [], [], patience_s)[0]:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:  # nobody has the other side any more
            return False
        self.screen += data.decode(errors="replace")
        return bool(data)

    def end(self):
        """Waits for its end and returns the status."""
        until = time.monotonic() + LONG_S
        while self._read(1):
            assert time.monotonic() < until, f"it has not ended:\n{self.screen[self._seen:]}"
        return self.process.wait(LONG_S)

    def hang_up(self):
        os.close(self._master)
        return self.process.wait(LONG_S)

    @property
    def plain(self):
        """What was shown, without colours and movements."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.screen)
