"""The examples in clients/examples, against all of the system."""

import os
import shutil
import subprocess
import sys

import pytest

from aiopslab_bus import Bus, BusError, Session, places

PROBLEM = "noop_detection_hotel_reservation-1"
BIN = os.environ["AIOPSLAB_BIN"]
EXAMPLES = os.path.join(os.environ["AIOPSLAB_SRC"], "clients", "examples")


@pytest.fixture(name="system", scope="module", autouse=True)
def fixture_system(tmp_path_factory):
    """The whole system, in folders of its own."""
    folder = tmp_path_factory.mktemp("lab")
    os.environ["AIOPSLAB_RUN"] = str(folder / "run")
    os.environ["AIOPSLAB_STATE"] = str(folder / "state")
    aiopslab = os.path.join(BIN, "aiopslab")
    subprocess.run([aiopslab, "up"], check=True, timeout=60)
    yield
    subprocess.run([aiopslab, "down"], check=True, timeout=60)
    shutil.rmtree(folder, ignore_errors=True)


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=100, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0
    return done.stdout


def test_the_smallest_agent_in_python():
    output = run(sys.executable, os.path.join(EXAMPLES, "smallest_agent.py"), PROBLEM)
    assert "Namespace: test-hotel-reservation" in output
    assert "Running" in output
    assert output.splitlines()[-1].startswith("success")


def test_the_smallest_agent_in_c():
    output = run(os.path.join(BIN, "..", "examples", "smallest_agent"), PROBLEM)
    assert "Running" in output
    assert output.splitlines()[-1] == "success"


def test_an_agent_reaches_its_own_session_only():
    with Bus() as operator, Bus(places.agents_endpoint()) as agent, \
            Bus(places.agents_endpoint()) as other:
        session = Session.open(operator, PROBLEM, agent=agent, name="test")
        assert session.info()["session"] == session.id
        for bus, type in ((other, "session.get"), (agent, "session.answer")):
            with pytest.raises(BusError, match="forbidden"):
                bus.request("orchestrator", type, {"session": session.id})
        operator.request("orchestrator", "session.close", {"session": session.id}, timeout=90)


def test_a_local_agent_is_named_after_its_key():
    with Bus(places.agents_endpoint()) as agent:
        prefix, _, rest = agent.principal.partition(".")
        assert prefix == "local" and len(rest) == 32
        assert agent.wait_connected()
