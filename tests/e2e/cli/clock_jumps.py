"""The wall clock jumps in the middle of a session: nothing hangs, nothing is lost."""

import json
import os
import struct
import time

import pytest

from command import DETECTION

HOUR_S = 3600


class Clock:
    """The wall clock of every program that the command starts."""

    def __init__(self, command):
        self.path = os.path.join(command.folder, "clock")
        self.jump(0)
        command.environ.update(AIO_CLOCK_FILE=self.path, LD_PRELOAD=os.environ["AIO_CLOCK"])

    def jump(self, offset_s):
        """To so many seconds beside the true time."""
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as file:
            file.write(struct.pack("=q", offset_s))


@pytest.fixture(name="clock")
def fixture_clock(aiopslab):
    return Clock(aiopslab)


@pytest.mark.parametrize("first, second", [(HOUR_S, 0), (-HOUR_S, HOUR_S)])
def test_a_session_survives_jumps_of_the_clock(aiopslab, clock, first, second):
    began = time.monotonic()
    running = aiopslab.start("run", DETECTION, "--agent", "heuristic", "--json")
    running.await_text("  environment ")
    clock.jump(first)
    running.await_text("  fault ")
    clock.jump(second)
    assert running.end() == 0, running.text
    lasted = time.monotonic() - began
    result = json.loads(running.text.splitlines()[-1])
    assert result["success"] is True
    assert 0 <= result["end_time"] - result["start_time"] <= lasted
    assert 0 < result["results"]["TTD"] <= lasted
    assert 0 <= sum(result["phases_ms"].values()) <= lasted * 1000
    wall = result["clocks"]["wall"]
    assert abs(wall["end"] - wall["start"] - (second - first)) <= lasted


ACTIONS = """get_logs("test-hotel-reservation", "geo")
get_metrics("test-hotel-reservation", 5)
get_traces("test-hotel-reservation", 5)
exec_shell("kubectl get pods -n test-hotel-reservation")
submit("Yes")
"""


@pytest.mark.parametrize("offset_s", [HOUR_S, -HOUR_S])
def test_telemetry_is_seen_over_a_jump(aiopslab, clock, offset_s):
    running = aiopslab.start("run", DETECTION, "--agent", "human", stdin=True)
    running.await_text("'exit' leaves.")
    clock.jump(offset_s)
    running.process.stdin.write(ACTIONS)
    running.process.stdin.close()
    assert running.end() == 0, running.text
    assert "Running" in running.text
    assert "Error" not in running.text
