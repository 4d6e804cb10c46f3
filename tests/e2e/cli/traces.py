"""What a command could leave behind: processes, namespaces, mounts, cgroups, nftables tables and temporary files."""

import glob
import os
import subprocess
import sys

from command import pids

SPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")
LIST_TABLES = """
import ctypes
lib = ctypes.CDLL("libnftables.so.1")
lib.nft_ctx_new.restype = ctypes.c_void_p
lib.nft_ctx_get_output_buffer.restype = ctypes.c_char_p
context = ctypes.c_void_p(lib.nft_ctx_new(0))
lib.nft_ctx_buffer_output(context)
lib.nft_run_cmd_from_buffer(context, b"list tables")
print(lib.nft_ctx_get_output_buffer(context).decode(), end="")
"""


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:  # the process ended, or is another's
        return ""


def status_of(pid):
    """(its parent, when it started); None when it has ended."""
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[1]), fields[19]) if fields and fields[0] != "Z" else None


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


def spaces_of(pid):
    """Its namespaces, such as "net:[4026531840]"."""
    return {link(f"/proc/{pid}/ns/{space}") for space in SPACES} - {""}


def held_by(pid):
    """What its descriptors hold, namespaces among it."""
    return {link(path) for path in glob.glob(f"/proc/{pid}/fd/*")}


def descendants(roots):
    """The processes below these, and these."""
    parents = {pid: (status_of(pid) or (0,))[0] for pid in pids()}
    found = set(roots)
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


def cgroups_of(pid):
    """Folders of cgroups that were made for environments."""
    paths = [line.split(":", 2)[2] for line in read(f"/proc/{pid}/cgroup").splitlines()]
    return {folder for path in paths if "aiopslab-env-" in path
            for folder in glob.glob(f"/sys/fs/cgroup{path}") + glob.glob(f"/sys/fs/cgroup/*{path}")}


def tables_of(pid):
    """The nftables tables that a process sees; "" if we may not look."""
    enter = ["nsenter", "--target", str(pid), "--net"]
    if os.geteuid() != 0:
        enter += ["--user", "--preserve-credentials"]
    return subprocess.run([*enter, sys.executable, "-c", LIST_TABLES], capture_output=True,
                          text=True, check=False).stdout


def temporary_files():
    return {path for folder in TEMPORARY for path in glob.glob(f"{folder}/*aiopslab*")}


class Traces:
    """What there is of a system while it runs, and what of it is left afterwards."""

    def __init__(self, command):
        self.command = command
        self._own_spaces = spaces_of("self")
        self._files_before = temporary_files()
        self.processes = {}
        self.spaces = set()
        self.cgroups = set()
        self.tables = set()
        self.files = set()

    def note(self):
        """Looks at what runs now. Pods do not inherit the mark of our folders, but are descendants of
        what has it."""
        for pid in descendants(self.command.marked()):
            self.processes[pid] = status_of(pid)
            foreign = spaces_of(pid) - self._own_spaces
            if any(name.startswith("net:") for name in foreign - self.spaces):
                self.tables |= set(tables_of(pid).splitlines())
            self.spaces |= foreign
            self.cgroups |= cgroups_of(pid)
        runtime = glob.glob(f"{self.command.runtime_dir}/*")
        self.files = (temporary_files() - self._files_before) | set(runtime)

    def commands(self):
        """The command lines of what runs now."""
        return [read(f"/proc/{pid}/cmdline").replace("\0", " ")
                for pid in descendants(self.command.marked())]

    def left(self):
        """What is there still, as sentences."""
        left = [f"process {pid}" for pid, status in self.processes.items()
                if status and status_of(pid) == status]
        left += [f"process {pid}" for pid in self.command.marked()]
        for pid in pids():
            held = spaces_of(pid) | held_by(pid)
            left += [f"namespace {name} in {pid}" for name in held & self.spaces]
            mounts = read(f"/proc/{pid}/mountinfo")
            left += [f"mount in {pid}"] if self.command.folder in mounts else []
        mounts = read("/proc/self/mountinfo")
        left += [f"namespace {name}, mounted" for name in self.spaces if name in mounts]
        left += [f"cgroup {path}" for path in self.cgroups if os.path.exists(path)]
        left += [f"file {path}" for path in self.files if os.path.exists(path)]
        return left + [f"file {path}" for path in glob.glob(f"{self.command.runtime_dir}/*")]
