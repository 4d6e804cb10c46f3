"""Environments by hand: made, listed, entered and ended, through one system and one environment."""

import json
import os
import signal
import subprocess

import pytest

from command import PROGRAM, Command, await_true
from terminal import CTRL_C, CTRL_D, ENTER, Terminal


@pytest.fixture(name="lab", scope="module")
def fixture_lab():
    command = Command()
    ended = command("up")
    assert ended.status == 0, ended.err
    yield command
    command.close()


@pytest.fixture(name="env", scope="module")
def fixture_env(lab):
    ended = lab("env", "create", "--empty", "--nodes", "2")
    assert ended.status == 0, ended.err
    return ended.out.strip()


# ---- made, listed, ended ---------------------------------------------------------------------


def test_an_environment_has_as_many_nodes_as_asked_for(lab, env):
    nodes = lab("env", "exec", env, "--", "kubectl", "get", "nodes", "-o", "name").out
    if "kubectl" not in nodes and not nodes:
        pytest.skip("there is no kubectl")
    assert nodes == "node/kind-control-plane\nnode/kind-worker\n"


def test_what_was_made_is_listed_until_it_is_deleted(lab):
    made = json.loads(lab("env", "create", "--empty", "--json").out)
    assert made["state"] == "ready" and made["server"].startswith("https://127.0.0.1:")
    assert "token" not in json.dumps(made)
    assert made["env"] in lab("env", "list").out
    assert made["server"] in lab("env", "kubeconfig", made["env"]).out
    assert lab("env", "delete", made["env"]).status == 0
    assert made["env"] not in [each["env"] for each in json.loads(lab("env", "list", "--json").out)]


@pytest.mark.parametrize("verb", ["delete", "kubeconfig", "shell", "exec"])
def test_an_id_that_nearly_is_one_is_answered_with_it(lab, env, verb):
    ended = lab("env", verb, env[:-1], *(["--", "ls"] if verb == "exec" else []))
    assert ended.status == 2
    assert f"no environment '{env[:-1]}'; did you mean '{env}'?" in ended.err


def test_too_many_nodes_are_refused(lab):
    ended = lab("env", "create", "--empty", "--nodes", "65")
    assert (ended.status, ended.err) == (2, "aiopslab: an environment has 1 to 64 nodes\n")


# ---- exec ------------------------------------------------------------------------------------


def test_exec_keeps_streams_apart_and_ends_as_the_command_does(lab, env):
    ended = lab("env", "exec", env, "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (ended.status, ended.out, ended.err) == (7, "out\n", "err\n")


def test_exec_passes_input_and_output_whole(lab, env):
    data = os.urandom(2_000_000)
    ended = subprocess.run([PROGRAM, "env", "exec", env, "--", "cat"], env=lab.environ, input=data,
                           capture_output=True, check=True)
    assert ended.stdout == data


def test_exec_takes_a_file_as_input_as_well(lab, env):
    with open(lab.write("words", "a b c"), encoding="utf-8") as words:
        ended = subprocess.run([PROGRAM, "env", "exec", env, "--", "wc", "-w"], env=lab.environ,
                               stdin=words, capture_output=True, text=True, check=True)
    assert ended.stdout == "3\n"


def test_exec_tells_that_there_is_no_such_command(lab, env):
    ended = lab("env", "exec", env, "--", "xyzzy")
    assert (ended.status, ended.err) == (2, "aiopslab: there is no 'xyzzy'\n")


def test_a_command_is_the_agents_and_sees_no_file_of_ours(lab, env):
    ended = lab("env", "exec", env, "--", "sh", "-c",
                f"pwd; grep CapEff /proc/self/status; ls {lab.folder}")
    assert ended.out == "/home/agent\nCapEff:\t0000000000000000\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_command_ends_with_whoever_asked_for_it(lab, env, number):
    running = lab.start("env", "exec", env, "--", "sh", "-c", "sleep 4711 & echo begun; wait")
    running.await_text("begun")
    assert running.end(number) in (130, -number)
    await_true(lambda: "sleep\x004711" not in cmdlines(), cmdlines)


def cmdlines():
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                found.append(file.read())
        except OSError:  # it has ended
            pass
    return "\n".join(found)


# ---- shell -----------------------------------------------------------------------------------


def test_a_shell_without_a_terminal_takes_a_script(lab, env):
    ended = lab("env", "shell", env, stdin="echo $((6 * 7))\nexit 3\n")
    assert (ended.status, ended.out) == (3, "42\n")


PROMPT = "\x1b[?2004h"  # what bash says when it begins to edit a line


def test_a_shell_has_this_terminal_with_its_size_and_keys(lab, env):
    terminal = Terminal(lab, "env", "shell", env)
    terminal.expect(PROMPT)
    terminal.type("stty size; tty; echo $TERM", ENTER)
    terminal.expect("24 100\r\n/dev/pts/0\r\nxterm\r\n")
    terminal.expect(PROMPT)
    terminal.type("sleep 4712", ENTER)
    await_true(lambda: "sleep\x004712" in cmdlines(), cmdlines)  # before that, bash may lose keys
    terminal.type(CTRL_C)
    terminal.expect(PROMPT)
    terminal.type("false", ENTER)
    terminal.expect(PROMPT)
    terminal.type(CTRL_D)
    assert terminal.end() == 1


def test_a_shell_ends_when_its_terminal_hangs_up(lab, env):
    terminal = Terminal(lab, "env", "shell", env)
    terminal.expect(PROMPT)
    terminal.type("sleep 4713", ENTER)
    await_true(lambda: "sleep\x004713" in cmdlines(), cmdlines)
    terminal.hang_up()
    await_true(lambda: "sleep\x004713" not in cmdlines(), cmdlines)


def test_a_shell_ends_when_its_environment_does(lab):
    env = lab("env", "create", "--empty").out.strip()
    terminal = Terminal(lab, "env", "shell", env)
    terminal.expect(PROMPT)
    assert lab("env", "delete", env).status == 0
    assert terminal.end() == 1
