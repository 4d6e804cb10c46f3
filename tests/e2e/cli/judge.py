"""aiopslab judge against a server that plays a model."""

import json
import os
import subprocess

from llm import Model, stream

RESULT = {
    "problem_id": "p", "agent": "a", "success": False, "results": {"success": False},
    "trace": [{"role": "assistant", "content": "I look."}, {"role": "env", "content": "app3"}],
}


def judge(tmp_path, answer):
    path = tmp_path / "result.json"
    path.write_text(json.dumps(RESULT))
    model = Model([answer])
    done = subprocess.run(
        [os.path.join(os.environ["AIOPSLAB_BIN"], "aiopslab"), "judge", str(path), "--model", "m",
         "--base-url", model.url], capture_output=True, text=True, timeout=120, check=False)
    return done, json.loads(path.read_text()), model


def test_the_rating_is_added_and_the_verdict_stays(tmp_path):
    done, result, model = judge(tmp_path, stream({"content": "It looked at 1 place [[2]]. "},
                                                 {"content": "Rating: [[7.5]]"}))
    assert done.returncode == 0, done.stderr
    assert result["results"]["reasoning_score"] == 7.5
    assert result["success"] is False and result["results"]["success"] is False
    assert result["judge"]["model"] == "m" and "app3" in result["judge"]["prompt"][1]["content"]
    assert model.requests[0]["messages"] == result["judge"]["prompt"]


def test_an_answer_without_a_rating_is_told_as_none(tmp_path):
    _, result, _ = judge(tmp_path, stream({"content": "Well."}))
    assert result["results"]["reasoning_score"] == -1


def test_a_refusal_leaves_the_file_as_it_was(tmp_path):
    done, result, _ = judge(tmp_path, (401, "application/json", '{"error": {"message": "no"}}'))
    assert done.returncode != 0
    assert result == RESULT
