"""Where environments cannot be, a sentence says what to enable; nothing is started."""

import ctypes
import os
import struct

import pytest

from command import NOOP, PROGRAM

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, IS_EQUAL, RETURN, ALLOW, REFUSE = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050001  # EPERM
SYS_UNSHARE = {"x86_64": 272, "aarch64": 97}[os.uname().machine]

# In a user namespace of which no further ones may be made, and with no rights in it.
LIMITED = ["unshare", "--user", "--map-root-user", "sh", "-c",
           "echo 0 > /proc/sys/user/max_user_namespaces; "
           'exec setpriv --bounding-set=-all --inh-caps=-all "$@"', "sh"]


@pytest.mark.parametrize("args, status", [(["run", NOOP], 3), (["up"], 1), (["prompt"], 1)])
def test_a_limit_of_user_namespaces_is_told_with_the_setting(aiopslab, args, status):
    ended = aiopslab(*args, wrapper=LIMITED)
    assert ended.status == status
    assert ended.err == (
        "aiopslab: environments need user namespaces, which are switched off here: enable them "
        "with 'sysctl -w user.max_user_namespaces=15000' as root, or run aiopslab as root\n")
    aiopslab.await_nobody()


def refuse_unshare():
    """As containers do by default, with a seccomp filter."""
    program = b"".join(struct.pack("HBBI", *line) for line in (
        (LOAD, 0, 0, 0), (IS_EQUAL, 0, 1, SYS_UNSHARE), (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)))
    memory = ctypes.create_string_buffer(program)
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(memory)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) == 0


def test_a_filter_of_system_calls_is_told_with_what_to_allow(aiopslab):
    child = os.fork()
    if child == 0:
        refuse_unshare()
        log = os.open(os.path.join(aiopslab.folder, "said"), os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(log, 2)
        os.execve(PROGRAM, ["aiopslab", "run", NOOP], aiopslab.environ)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    with open(os.path.join(aiopslab.folder, "said"), encoding="utf-8") as file:
        said = file.read()
    assert "environments need namespaces, which are refused here (Operation not permitted)" in said
    assert "no seccomp filter" in said
    aiopslab.await_nobody()
