"""Agents that misbehave, each a process of its own with an agent's key: the session ends as the rules say,
with a verdict, and its environment goes."""

import re
import subprocess
import sys

import pytest

from aiopslab_bus import Bus, BusError
from command import LONG_S, NOOP, await_true

AGENT = """
import os, signal, sys, threading
from aiopslab_bus import Bus, BusError, Session
bus = Bus(sys.argv[1], role="agent")
session = Session(bus, sys.argv[2])
session.await_turn()
print("ready", flush=True)
"""

SILENT = "threading.Event().wait()"
GARBAGE = """
try:
    session.act("a byte that is no text: \\0")
except BusError as error:
    print("Error", error, flush=True)
for text in ("", "\\1\\2", "```", "```\\n```", "}{)(", "submit(", "submit(\\"No\\"", "exec_shell(1, 2, 3)",
             "fly_away()", "\\U0001f4a5" * 1000, "a" * 100000, "```\\nsubmit\\n" * 1000):
    print(session.act(text)[:300].replace("\\n", " "), flush=True)
"""
HUGE = """
try:
    print(session.act("exec_shell(\\"echo " + "a" * (10 << 20) + "\\")")[:300], flush=True)
except BusError as error:
    print(error, flush=True)
print(session.act("exec_shell(\\"echo still here\\")"), flush=True)
print(session.act("submit(\\"No\\")"), flush=True)
"""
GONE = """
threading.Thread(target=session.act, args=("exec_shell(\\"echo begun; sleep 2\\")",)).start()
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""


class World:
    """A system that agents reach by TCP, and an operator who opens sessions in it."""

    def __init__(self, command):
        ended = command("up", "--listen", "tcp://127.0.0.1:0")
        assert ended.status == 0, ended.err
        with open(f"{command.run_dir}/log/broker.log", encoding="utf-8") as log:
            self.tcp = "tcp://127.0.0.1:" + re.search(r" port=(\d+)", log.read())[1]
        self.command = command
        self.bus = Bus(f"ipc://{command.run_dir}/requests")

    def ask(self, target, type, body):
        return self.bus.request(target, type, body, timeout=LONG_S, idempotent=True).body

    def open(self, **limits):
        body = {"problem": NOOP, "agent": "bad", "principal": "agent", **limits}
        return self.bus.request("orchestrator", "session.open", body, timeout=LONG_S).body["session"]

    def start(self, session, deeds):
        """The agent, which has its turn."""
        agent = subprocess.Popen([sys.executable, "-B", "-c", AGENT + deeds, self.tcp, session],
                                 env=self.command.environ, text=True, stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
        assert agent.stdout.readline() == "ready\n"
        return agent

    def info(self, session):
        return self.ask("orchestrator", "session.get", {"session": session})

    def result(self, session):
        """Of a session that is over, whose environment is gone."""
        await_true(lambda: self.info(session)["state"] in ("closed", "failed"),
                   lambda: self.info(session))
        assert self.info(session)["state"] == "closed"
        assert self.ask("cluster", "env.list", {})["envs"] == []
        return self.ask("orchestrator", "session.result", {"session": session})["result"]


@pytest.fixture(name="world")
def fixture_world(aiopslab):
    world = World(aiopslab)
    yield world
    world.bus.close()


def test_an_agent_that_never_answers_is_judged_at_the_idle_limit(world):
    session = world.open(idle_limit_ms=2000)
    agent = world.start(session, SILENT)
    result = world.result(session)
    agent.kill()
    agent.communicate()
    assert (result["success"], result["ended_by"]) == (False, "idle_limit")
    assert result["trace"] == []


def test_an_agent_that_answers_garbage_is_told_so_until_its_steps_are_used(world):
    session = world.open(max_steps=12)
    said = world.start(session, GARBAGE).communicate(timeout=LONG_S)[0].splitlines()
    result = world.result(session)
    assert len(said) == 13
    assert all(re.match("Error|Invalid action", line) for line in said), "\n".join(said)
    assert (result["success"], result["ended_by"]) == (False, "max_steps")
    assert len(result["trace"]) == 24


def test_an_action_of_10_mb_is_refused_and_the_session_goes_on(world):
    session = world.open()
    said = world.start(session, HUGE).communicate(timeout=LONG_S)[0]
    result = world.result(session)
    assert re.search("limit|bytes", said.splitlines()[0]), said
    assert "still here" in said
    assert (result["success"], result["ended_by"]) == (True, "submit")


def test_an_agent_that_is_killed_in_an_action_is_judged(world):
    session = world.open(idle_limit_ms=2000)
    agent = world.start(session, GONE)
    await_true(lambda: world.info(session)["step"] == 1, lambda: world.info(session))
    agent.communicate("now\n", timeout=LONG_S)
    assert agent.returncode == -9
    result = world.result(session)
    assert (result["success"], result["ended_by"]) == (False, "idle_limit")
    assert "begun" in result["trace"][1]["content"]


def test_an_agent_without_a_session_gets_nowhere(world):
    session = world.open()
    with Bus(world.tcp, role="agent", keys=f"{world.command.state_dir}/keys") as bus:
        for type, body in (("session.open", {"problem": NOOP, "agent": "x"}),
                           ("session.answer", {"session": session})):
            with pytest.raises(BusError, match="forbidden"):
                bus.request("orchestrator", type, body)
    world.ask("orchestrator", "session.close", {"session": session})
