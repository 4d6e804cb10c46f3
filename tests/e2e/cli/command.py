"""The command as a person types it, with a run folder, a state folder and a runtime folder of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

BIN = os.environ["AIOPSLAB_BIN"]
PROGRAM = os.path.join(BIN, "aiopslab")
NOOP = "noop_detection_hotel_reservation-1"
DETECTION = "misconfig_app_hotel_res-detection-1"
LONG_S = float(os.environ.get("AIO_LONG_S", 120))  # for whatever takes seconds on an idle machine


class Ended:
    """How a command ended: status, out (what it said on stdout) and err (on stderr)."""

    def __init__(self, process):
        self.status = process.returncode
        self.out = process.stdout
        self.err = process.stderr


class Running:
    """A command that is under way; its output is gathered line by line."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self.lines.append("")
            self._changed.notify_all()

    @property
    def text(self):
        return "".join(self.lines)

    def await_text(self, text):
        """Returns once it has said so."""
        with self._changed:
            ok = self._changed.wait_for(
                lambda: text in self.text or self.lines[-1:] == [""], LONG_S)
        assert ok and text in self.text, f"it never said '{text}':\n{self.text}"

    def signal(self, number):
        self.process.send_signal(number)

    def end(self, number=None):
        """Waits for its end, after a signal if one is given; returns the exit status."""
        if number is not None:
            self.signal(number)
        status = self.process.wait(LONG_S)
        self._reader.join(LONG_S)
        return status


class Command:
    """Where commands run."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="aio-cli-")  # short: socket names have 108 bytes
        self.run_dir = os.path.join(self.folder, "run")
        self.state_dir = os.path.join(self.folder, "state")
        self.runtime_dir = os.path.join(self.folder, "runtime")
        os.mkdir(self.runtime_dir, 0o700)
        self.environ = {**os.environ, "AIOPSLAB_RUN": self.run_dir,
                        "AIOPSLAB_STATE": self.state_dir, "XDG_RUNTIME_DIR": self.runtime_dir,
                        "TERM": "xterm"}

    def __call__(self, *args, wrapper=(), stdin="", timeout=LONG_S):
        """Runs it to its end."""
        return Ended(subprocess.run([*wrapper, PROGRAM, *args], env=self.environ, input=stdin,
                                    capture_output=True, text=True, timeout=timeout, check=False))

    def start(self, *args, wrapper=(), stdin=False):
        """Starts it; stdout and stderr are one."""
        return Running(subprocess.Popen(
            [*wrapper, PROGRAM, *args], env=self.environ, text=True,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT))

    def write(self, name, text):
        """A file beside the folders; returns its path."""
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def marked(self):
        """The pids of living processes that were started with these folders."""
        mark = f"AIOPSLAB_STATE={self.state_dir}".encode()
        private = f"AIOPSLAB_RUN={self.runtime_dir}".encode()
        return [pid for pid in pids()
                if any(v == mark or v.startswith(private) for v in environ_of(pid))]

    def await_nobody(self):
        """Returns once none of them lives."""
        await_true(lambda: not self.marked(), self.marked)

    def close(self):
        if os.path.exists(os.path.join(self.run_dir, "supervisor.lock")):
            self("down")
        left = self.marked()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not left, f"processes were left: {left}"


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def environ_of(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().split(b"\0")
    except OSError:  # it ended, or is another's
        return []


def await_true(condition, explain):
    """Looks until it holds; for what nobody tells."""
    until = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < until, explain()
        time.sleep(0.05)
