"""Where sockets and keys are, by the rules that every program follows (lib/base/paths.h)."""

import os


def run_dir():
    """The folder of the sockets."""
    own = os.environ.get("AIOPSLAB_RUN")
    xdg = os.environ.get("XDG_RUNTIME_DIR")
    if own:
        return own
    return f"{xdg}/aiopslab" if xdg else f"/tmp/aiopslab-{os.geteuid()}"


def agents_endpoint():
    """Where agents of this machine come in."""
    return f"ipc://{run_dir()}/agents"


def state_dir():
    """The folder of keys and results."""
    own = os.environ.get("AIOPSLAB_STATE")
    xdg = os.environ.get("XDG_STATE_HOME")
    if own:
        return own
    return f"{xdg}/aiopslab" if xdg else os.path.expanduser("~/.local/state/aiopslab")


def read_key(folder, name, kind):
    """The key in NAME.public or NAME.secret: 40 characters of Z85."""
    with open(os.path.join(folder, f"{name}.{kind}"), encoding="ascii") as file:
        return file.read().strip().encode()
