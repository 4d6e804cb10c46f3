"""However a run ends, nothing of it stays: no process, namespace, mount, cgroup, nftables table or file."""

import os
import signal

import pytest

from command import DETECTION, await_true
from traces import Traces, read, tables_of


@pytest.fixture(name="traces")
def fixture_traces(aiopslab):
    return Traces(aiopslab)


def expect_nothing(traces):
    await_true(lambda: not traces.left(), traces.left)


def start(aiopslab, traces, phase):
    """A run that has come so far; what it consists of is noted."""
    tables = tables_of("self")
    running = aiopslab.start("run", DETECTION, "--agent", "human", stdin=True)
    running.await_text(phase)
    traces.note()
    assert tables_of("self") == tables  # what it makes, it makes in namespaces of its own
    return running


def start_acting(aiopslab, traces):
    """A run whose agent is in the middle of an action."""
    running = start(aiopslab, traces, "'exit' leaves.")
    running.process.stdin.write('exec_shell("sleep 600")\n')
    running.process.stdin.flush()
    await_true(lambda: "sleep 600" in "".join(traces.commands()), traces.commands)
    traces.note()
    return running


@pytest.mark.parametrize("number, status", [
    (signal.SIGKILL, -9), (signal.SIGHUP, -1), (signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_a_run_that_is_ended_leaves_nothing(aiopslab, traces, number, status):
    running = start_acting(aiopslab, traces)
    assert len(traces.processes) > 8 + 18  # programs and pods
    assert {name.split(":")[0] for name in traces.spaces} >= {"ipc", "mnt", "net", "pid", "uts"}
    assert os.geteuid() != 0 or traces.tables
    assert traces.files
    assert running.end(number) == status
    assert ("aiopslab: interrupted; all that was started is taken down" in running.text) == (
        status == 130)
    expect_nothing(traces)


@pytest.mark.parametrize("phase", ["with human", "  system ", "  environment "])
def test_a_run_that_is_killed_early_leaves_nothing(aiopslab, traces, phase):
    running = start(aiopslab, traces, phase)
    running.end(signal.SIGKILL)
    traces.note()
    expect_nothing(traces)


def test_a_run_whose_supervisor_is_killed_ends_and_leaves_nothing(aiopslab, traces):
    running = start_acting(aiopslab, traces)
    os.kill(int(read(f"/proc/{running.process.pid}/task/{running.process.pid}/children")),
            signal.SIGKILL)
    assert running.end() == 3
    assert "the supervisor is gone" in running.text
    expect_nothing(traces)


def test_up_and_down_leave_nothing_but_the_state_folder(aiopslab, traces):
    assert aiopslab("up").status == 0
    assert aiopslab("env", "create", "--empty").status == 0
    traces.note()
    assert aiopslab("down").status == 0
    expect_nothing(traces)


def test_an_interrupted_run_closes_its_session_in_a_system_that_stays(up, traces):
    running = start_acting(up, traces)
    assert running.end(signal.SIGINT) == 130
    assert "  closing " in running.text
    assert up("env", "list").out.count("\n") == 1  # the heading
    assert up("status").status == 0
    traces.note()
    assert up("down").status == 0
    expect_nothing(traces)
