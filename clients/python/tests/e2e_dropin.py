"""An agent as it was written for the original, not a line changed, against all of the system."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from aiopslab.orchestrator import Orchestrator

PROBLEM = "noop_detection_hotel_reservation-1"

AGENT = '''
import asyncio, json, sys
from aiopslab.orchestrator import Orchestrator
from aiopslab.orchestrator.problems.registry import ProblemRegistry


class Agent:
    def __init__(self):
        self.inputs = []

    def init_context(self, problem_desc, instructions, apis):
        self.apis = apis
        assert "test-hotel-reservation" in problem_desc and "submit" in apis

    async def get_action(self, input):
        self.inputs.append(input)
        return ["Let me look.\\n```\\nexec_shell(\\"kubectl get pods -A\\")\\n```",
                "```\\nno_such_action()\\n```",
                "```\\nsubmit(\\"No\\")\\n```"][len(self.inputs) - 1]


pid, steps, results_dir = sys.argv[1], int(sys.argv[2]), sys.argv[3]
assert pid in ProblemRegistry().get_problem_ids("detection")
agent = Agent()
orchestrator = Orchestrator(results_dir=results_dir)
orchestrator.register_agent(agent, name="mine")
problem_desc, instructions, apis = orchestrator.init_problem(pid)
agent.init_context(problem_desc, instructions, apis)
outcome = asyncio.run(orchestrator.start_problem(max_steps=steps))
print(json.dumps({"outcome": {**outcome, "history": [item.model_dump() for item in outcome["history"]],
                              "final_state": str(outcome["final_state"])},
                  "inputs": agent.inputs, "session": orchestrator.session.to_dict()}))
'''


@pytest.fixture(name="folders", scope="module")
def fixture_folders(tmp_path_factory):
    """Folders of its own for a system; none is up."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "agent.py").write_text(AGENT)
    return folder


def play(folder, steps):
    env = {**os.environ, "AIOPSLAB_RUN": str(folder / "run"), "AIOPSLAB_STATE": str(folder / "state")}
    done = subprocess.run([sys.executable, "-B", folder / "agent.py", PROBLEM, str(steps), folder / "results"],
                          stdout=subprocess.PIPE, timeout=100, text=True, check=True, env=env)
    return json.loads(done.stdout)


def test_it_plays_and_is_judged(folders):
    said = play(folders, 30)
    outcome, session = said["outcome"], said["session"]
    assert outcome["results"]["Detection Accuracy"] == "Correct"
    assert outcome["final_state"] == "SubmissionStatus.VALID_SUBMISSION"
    assert outcome["framework_overhead"] > 0
    roles = [item["role"] for item in outcome["history"]]
    assert roles == ["assistant", "env"] * 3
    assert said["inputs"][0] == "Please take the next action"
    assert "Running" in said["inputs"][1]
    assert said["inputs"][1].endswith("\nPlease take the next action")
    assert "no_such_action" in said["inputs"][2]
    assert session["results"] == outcome["results"]
    (path,) = (folders / "results").iterdir()
    written = json.loads(path.read_text())
    assert written["session_id"] == session["session_id"]
    assert written["agent"] == "mine"
    assert [item["content"] for item in written["trace"][::2]] == \
        [item["content"] for item in session["trace"][::2]]


def test_who_does_not_submit_in_time_is_judged_as_silent(folders):
    outcome = play(folders, 1)["outcome"]
    assert outcome["results"]["Detection Accuracy"] != "Correct"
    assert len(outcome["history"]) == 2


EPISODES = """
import json
from aiopslab.rl import Environment

environment = Environment("noop_detection_hotel_reservation-1", max_steps=2, warm=1)
told, info = environment.reset(seed=7)
first = environment.step('exec_shell("echo one")')
second = environment.step('submit("No")')
again, info_again = environment.reset()
cut = [environment.step('exec_shell("true")') for _ in range(2)]
environment.close()
print(json.dumps([told, info, first, second, info_again, cut]))
"""


def test_episodes_are_reset_and_stepped(folders):
    env = {**os.environ, "AIOPSLAB_RUN": str(folders / "run"), "AIOPSLAB_STATE": str(folders / "state")}
    done = subprocess.run([sys.executable, "-B", "-c", EPISODES], stdout=subprocess.PIPE, timeout=100, text=True,
                          check=True, env=env)
    told, info, first, second, info_again, cut = json.loads(done.stdout)
    assert "test-hotel-reservation" in told
    assert "submit" in info["actions"]
    assert (info["seed"], info["steps_left"]) == (7, 2)
    assert first[:4] == ["one\n", 0.0, False, False]
    assert first[4]["steps_left"] == 1
    assert second[1:4] == [1.0, True, False]
    assert second[4]["results"]["Detection Accuracy"] == "Correct"
    assert info_again["seed"] == 8
    assert cut[0][1:4] == [0.0, False, False]
    assert cut[1][1:4] == [0.0, False, True]


def test_the_system_that_it_brought_up_went_with_it(folders):
    status = subprocess.run([os.path.join(os.environ["AIOPSLAB_BIN"], "aiopslab"), "status"], stderr=subprocess.PIPE,
                            timeout=60, text=True, check=False,
                            env={**os.environ, "AIOPSLAB_RUN": str(folders / "run")})
    assert status.returncode != 0
    assert "nothing runs" in status.stderr


def test_calls_in_the_wrong_order_are_told():
    with pytest.raises(RuntimeError, match="call init_problem"):
        asyncio.run(Orchestrator().start_problem(max_steps=1))
