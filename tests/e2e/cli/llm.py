"""The agent llm against a server that plays a model: quick, slow, broken, refusing."""

import http.server
import json
import threading

import pytest

from command import NOOP


class Model(http.server.ThreadingHTTPServer):
    """Answers each request with the next of its replies, and keeps what it was asked."""

    def __init__(self, replies):
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies = list(replies)
        self.requests = []
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append({"path": self.path, "key": self.headers["Authorization"], **body})
        status, kind, text = self.server.replies.pop(0)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format, *args):
        pass


def stream(*deltas, finish="stop"):
    events = [{"choices": [{"delta": delta}]} for delta in deltas]
    events.append({"choices": [{"delta": {}, "finish_reason": finish}]})
    events.append({"choices": [], "usage": {"prompt_tokens": 1000, "completion_tokens": 10}})
    return 200, "text/event-stream", "".join(f"data: {json.dumps(e)}\n\n" for e in events) + "data: [DONE]\n\n"


def call(name, arguments):
    return {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": name, "arguments": arguments}}]}


BUSY = 429, "application/json", '{"error": {"message": "slow down"}}'
CUT = 200, "text/event-stream", 'data: {"choices":[{"delta":{"content":"```\\nsubm"}}]}\n\n'
WHOLE = 200, "application/json", json.dumps({"choices": [{"message": {
    "role": "assistant", "content": "Look.\n```\nexec_shell(\"echo $((6*7))\")\n```"}, "finish_reason": "stop"}]})


@pytest.fixture(name="play")
def fixture_play(aiopslab):
    aiopslab.environ["OPENAI_API_KEY"] = "the-key"

    def play(replies, *options):
        model = Model(replies)
        ended = aiopslab("run", NOOP, "--agent", "llm", "--model", "m-1", "--base-url", model.url, *options)
        model.shutdown()
        model.server_close()
        return ended, model
    return play


def test_a_model_works_on_a_problem(play, aiopslab):
    transcript = aiopslab.write("transcript.jsonl", "")
    ended, model = play([BUSY, CUT, WHOLE, stream(call("exec_shell", '{"command": "echo '), {"tool_calls": [
        {"index": 0, "function": {"arguments": 'again"}'}}]}, finish="tool_calls"),
        stream({"content": "I refuse to act."}), stream(call("submit", "no JSON")),
        stream({"content": "```\nsub"}, {"content": 'mit("No")\n```'})], "--transcript", transcript)
    assert ended.status == 0, ended.out + ended.err
    assert not model.replies
    first, last = model.requests[0], model.requests[-1]
    assert (first["path"], first["key"], first["model"]) == ("/v1/chat/completions", "Bearer the-key", "m-1")
    assert {"exec_shell", "submit"} <= {tool["function"]["name"] for tool in first["tools"]}
    assert [message["role"] for message in first["messages"]] == ["system", "user"]
    told = [message["content"] for message in last["messages"]]
    assert told[3].startswith("42\n") and told[3].endswith("Please take the next action")
    assert (last["messages"][5]["role"], last["messages"][5]["tool_call_id"]) == ("tool", "c1")
    assert told[5].startswith("again")
    assert "```" in told[7]  # how to do it right
    lines = [json.loads(line) for line in open(transcript, encoding="utf-8")]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[-1]["tokens"] > 4040


def test_a_budget_ends_it(play):
    ended, model = play([stream(call("exec_shell", '{"command": "true"}'))] * 9, "--max-cost", "0.005",
                        "--prices", "2,10")
    assert ended.status == 1, ended.out + ended.err
    assert "the budget is spent after 3030 tokens" in ended.out
    assert len(model.requests) == 3


def test_a_refused_key_is_told_at_once(play):
    ended, model = play([(401, "application/json", '{"error": {"message": "Incorrect API key"}}')])
    assert ended.status == 3
    assert "answers 401: Incorrect API key" in ended.err
    assert len(model.requests) == 1


def test_what_is_missing_is_told_before_anything_is_started(aiopslab):
    for options, text in ((["--agent", "llm"], "needs --model"),
                          (["--agent", "llm", "--model", "m", "--max-cost", "1"], "needs --prices"),
                          (["--prices", "1"], "with a comma between"),
                          (["--max-cost", "much"], "must be an amount")):
        ended = aiopslab("run", NOOP, *options)
        assert ended.status == 2, ended.err
        assert text in ended.err
