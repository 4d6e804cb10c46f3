"""Against a real broker: two Python programs, over ipc and over CURVE."""

import os
import signal
import subprocess
import sys
import time

import pytest

from aiopslab_bus import Bus, BusError


@pytest.fixture(name="broker")
def fixture_broker(tmp_path, monkeypatch):
    """A broker in folders of its own, with a TCP port."""
    monkeypatch.setenv("AIOPSLAB_RUN", str(tmp_path / "run"))
    monkeypatch.setenv("AIOPSLAB_STATE", str(tmp_path / "state"))
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.stop(signal.SIGTERM)


class Broker:
    """The process."""

    def __init__(self, folder):
        self.folder = folder
        self.port = 0
        self.process = None

    def start(self):
        program = os.path.join(os.environ["AIOPSLAB_BIN"], "aiopslab-broker")
        self.process = subprocess.Popen(
            [program, "--listen", f"tcp://127.0.0.1:{self.port}"], stderr=subprocess.PIPE,
            text=True)
        for line in self.process.stderr:
            if "event=broker.started" in line:
                self.port = int(line.rpartition("port=")[2])
                return
        raise AssertionError("the broker did not start")

    def stop(self, number):
        self.process.send_signal(number)
        self.process.wait()
        self.process.stderr.close()

    @property
    def tcp(self):
        return f"tcp://127.0.0.1:{self.port}"


def echo(request):
    if request.body["prefix"] == "fail":
        raise BusError("limit", "too much", 70)
    if request.body["prefix"] == "break":
        raise KeyError("x")
    return "broker.last", {"prefix": f"{request.role}:{request.body['prefix']}"}


@pytest.fixture(name="echo_bus")
def fixture_echo_bus(broker):
    with Bus(name="echo") as bus:
        assert bus.wait_connected()
        bus.serve("orchestrator", {"broker.last": echo})
        bus.request("orchestrator", "broker.last", {"prefix": "ready"})
        yield bus


def test_a_request_is_answered(echo_bus):
    with Bus() as bus:
        reply = bus.request("orchestrator", "broker.last", {"prefix": "a"})
    assert (reply.type, reply.body) == ("broker.last", {"prefix": "local:a"})


def test_errors_cross_the_bus(echo_bus):
    with Bus() as bus:
        with pytest.raises(BusError) as failure:
            bus.request("orchestrator", "broker.last", {"prefix": "fail"})
        assert (failure.value.code, failure.value.text) == ("limit", "too much")
        with pytest.raises(BusError, match="KeyError"):
            bus.request("orchestrator", "broker.last", {"prefix": "break"})
        with pytest.raises(BusError, match="not understood"):
            bus.request("orchestrator", "env.list", {})
        with pytest.raises(BusError, match="unavailable"):
            bus.request("nobody", "env.list", {})


def test_a_request_ends_at_its_deadline(broker):
    with Bus("ipc:///nowhere/at/all") as bus:
        began = time.monotonic()
        with pytest.raises(BusError, match="no broker at"):
            bus.request("orchestrator", "env.list", timeout=0.3)
        assert time.monotonic() - began < 3


def test_an_operator_comes_in_by_key_and_an_agent_may_not_do_as_it_does(broker, echo_bus):
    with Bus(broker.tcp, role="operator") as bus:
        reply = bus.request("orchestrator", "broker.last", {"prefix": "a"})
        assert reply.body == {"prefix": "operator:a"}
    with Bus(broker.tcp, role="agent") as bus:
        with pytest.raises(BusError, match="forbidden"):
            bus.request("orchestrator", "session.open", {"problem": "x", "agent": "y"})


def test_events_come_in_order_and_the_last_value_comes_first(echo_bus):
    state = {"session": "1", "state": "active"}
    echo_bus.publish("session/1/state", "session.info", state)
    with Bus() as bus:
        subscription = bus.subscribe("session/1/")
        first = subscription.get(10)
        assert (first.body, first.is_last_value) == (state, True)
        for step in range(100):
            echo_bus.publish("session/1/step", "session.step", {"step": step})
        steps = [subscription.get(10).body["step"] for _ in range(100)]
        assert steps == list(range(100))
        assert subscription.lost == 0


def test_both_find_a_new_broker(broker, echo_bus):
    with Bus() as bus:
        bus.request("orchestrator", "broker.last", {"prefix": "a"})
        broker.stop(signal.SIGKILL)
        pending = bus.submit("orchestrator", "broker.last", {"prefix": "b"}, timeout=20,
                             idempotent=True)
        broker.start()
        assert pending.result().body == {"prefix": "local:b"}


def test_the_example_of_an_own_evaluator_judges(broker):
    example = os.path.join(os.environ["AIOPSLAB_SRC"], "clients", "examples", "own_evaluator.py")
    said = ['exec_shell("kubectl get pods")', 'submit("Yes")']
    question = {
        "session": "s", "env": "env-1", "solution": "Yes", "duration_s": 1.0,
        "problem": {"task": "detection", "expected": {"anomaly": "Yes"}},
        "trace": [{"role": "assistant", "content": text} for text in said],
    }
    with subprocess.Popen([sys.executable, example]) as evaluator, Bus() as bus:
        try:
            wasteful = ask_when_there(bus, question)
            question["trace"] = question["trace"][1:]
            frugal = ask_when_there(bus, question)
        finally:
            evaluator.terminate()
    assert wasteful == {"success": False,
                        "results": {"is_right": True, "commands": 1, "steps": 2}}
    assert frugal["success"]


def ask_when_there(bus, question):
    """The verdict; an evaluator that has yet to start is waited for."""
    give_up = time.monotonic() + 60
    while True:
        try:
            return bus.request("frugal", "session.judge", question).body
        except BusError as error:
            if error.code != "unavailable" or time.monotonic() > give_up:
                raise
            time.sleep(0.05)
