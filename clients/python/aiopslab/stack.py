"""The running system: the one that 'aiopslab up' started here, or else one that is brought up now
and taken down when this program ends."""

import atexit
import os
import shutil
import subprocess
import threading

from aiopslab_bus import Bus, BusError, places

UP_TIMEOUT_S = 60
FIND_TIMEOUT_S = 2
_lock = threading.Lock()
_operator = None


def program():
    """The path of the command `aiopslab`: from $AIOPSLAB_BIN, the tree this package lies in, or
    $PATH. Raises FileNotFoundError."""
    tree = os.path.join(os.path.dirname(__file__), "..", "..", "..", "build")
    folders = [os.environ.get("AIOPSLAB_BIN"), os.path.join(tree, "release", "bin"),
               os.path.join(tree, "dev", "bin")]
    for folder in filter(None, folders):
        path = os.path.realpath(os.path.join(folder, "aiopslab"))
        if os.access(path, os.X_OK):
            return path
    path = shutil.which("aiopslab")
    if path is None:
        raise FileNotFoundError("there is no program 'aiopslab': build it with scripts/build, "
                                "or say in AIOPSLAB_BIN which folder it is in")
    return path


def _connect():
    if not os.path.exists(os.path.join(places.run_dir(), "requests")):
        return None
    bus = Bus(name="aiopslab")
    if bus.wait_connected(FIND_TIMEOUT_S):
        return bus
    bus.close()  # what a system that was killed left behind
    return None


def _bring_up():
    done = subprocess.run([program(), "up"], capture_output=True, text=True,
                          timeout=UP_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise BusError("unavailable", f"'aiopslab up' failed: {done.stderr.strip()}")
    atexit.register(subprocess.run, [program(), "down"], capture_output=True, check=False)
    bus = Bus(name="aiopslab")
    if not bus.wait_connected(UP_TIMEOUT_S):
        bus.close()
        raise BusError("unavailable", "the system was brought up, but does not answer")
    return bus


def operator():
    """The operator's connection to the system, made when first asked for."""
    global _operator  # one per program, as the system is
    with _lock:
        if _operator is None:
            _operator = _connect() or _bring_up()
            atexit.register(_operator.close)
        return _operator
