"""What the package aiopslab does without a system: importing, sessions, parsing."""

import json
import subprocess
import sys

import pytest

from aiopslab.orchestrator.parser import ResponseParser
from aiopslab.session import Session, SessionItem
from aiopslab.utils.status import ResponseParsingError, SubmissionStatus


def test_importing_needs_nothing_and_does_nothing():
    script = ("import os, aiopslab, aiopslab.orchestrator, aiopslab.session\n"
              "from aiopslab.orchestrator import Orchestrator\n"
              "from aiopslab.orchestrator.problems.registry import ProblemRegistry\n"
              "ProblemRegistry(), Orchestrator()\n"
              "assert len(os.listdir('/proc/self/task')) == 1")
    subprocess.run([sys.executable, "-B", "-c", script], check=True, timeout=60,
                   env={"PYTHONPATH": ":".join(sys.path), "PATH": "/nowhere"})


def test_a_session_is_what_is_written_of_it(tmp_path):
    session = Session(results_dir=str(tmp_path))
    session.set_agent("me")
    session.set_problem(object(), pid="p-1")
    session.start()
    session.add({"role": "assistant", "content": "a"})
    session.add([SessionItem("env", "b"), {"role": "assistant", "content": "c"}])
    session.add(None)
    session.end()
    session.set_results({"success": True})
    session.to_json()
    (path,) = tmp_path.iterdir()
    written = json.loads(path.read_text())
    assert written == session.to_dict()
    assert [item["content"] for item in written["trace"]] == ["a", "b", "c"]
    again = Session(results_dir=str(tmp_path))
    again.from_json(path.name)
    assert again.to_dict() == written
    assert again.get_duration() >= 0


@pytest.mark.parametrize("said, name, args, kwargs", [
    ('```\nsubmit("Yes")\n```', "submit", ["Yes"], {}),
    ('Action:\n```python\nget_logs("ns", service="geo")\n```\nso be it', "get_logs", ["ns"], {"service": "geo"}),
    ('  ```\n  submit(["a", "b"])\n  ```', "submit", [["a", "b"]], {}),
    ('```\nsubmit(-1)\n```', "submit", [-1], {}),
    ('```\nexec_shell("echo \\"hi\\"")\n```', "exec_shell", ['echo "hi"'], {}),
    ('```\nexec_shell("echo "hi"")\n```', "exec_shell", ['echo "hi"'], {}),
    ('```\nexec_shell("ls", timeout=60)\n```', "exec_shell", ["ls"], {"timeout": 60}),
    ("```\nsubmit()\n```", "submit", [], {}),
])
def test_calls_are_found(said, name, args, kwargs):
    parsed = ResponseParser().parse(said)
    assert (parsed["api_name"], parsed["args"], parsed["kwargs"]) == (name, args, kwargs)


def test_what_stands_around_is_the_context():
    assert ResponseParser().parse("so\n```\nsubmit()\n```\nbe it")["context"] == ["so", "be it"]


@pytest.mark.parametrize("said, why", [
    ("submit()", "there are 0"),
    ("```\na()\n```\n```\nb()\n```", "there are 2"),
    ("```\nnothing here\n```", "not a call"),
    ("```\nsubmit(open('x'))\n```", "not a plain value"),
    ("```\nsubmit(a b)\n```", "no Python values"),
    ("```\nexec_shell(ls)\n```", "not a plain value"),
])
def test_what_is_no_call_is_told(said, why):
    with pytest.raises(ResponseParsingError, match=why):
        ResponseParser().parse(said)


def test_states_have_the_values_that_traces_hold():
    assert (SubmissionStatus.VALID_SUBMISSION.value, SubmissionStatus.INVALID_SUBMISSION.value) == (1, 2)
