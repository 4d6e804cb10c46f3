"""An agent that speaks MCP, and starts the command as its server."""

import json
import subprocess

from command import LONG_S, NOOP, PROGRAM


def test_an_mcp_client_works_on_a_problem(aiopslab):
    server = subprocess.Popen([PROGRAM, "mcp", NOOP], env=aiopslab.environ, text=True, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ask(number, method, params):
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        server.stdin.write(json.dumps(message) + "\n")
        server.stdin.flush()
        answer = json.loads(server.stdout.readline())
        assert answer["id"] == number
        return answer["result"]

    begun = ask(0, "initialize", {"protocolVersion": "2025-06-18", "capabilities": {},
                                  "clientInfo": {"name": "test", "version": "1"}})
    assert "test-hotel-reservation" in begun["instructions"]
    server.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
    tools = {tool["name"]: tool for tool in ask(1, "tools/list", {})["tools"]}
    assert tools["get_logs"]["inputSchema"]["required"] == ["namespace", "service"]
    assert tools["exec_shell"]["inputSchema"]["properties"]["timeout"] == {"type": "integer"}
    seen = ask(2, "tools/call", {"name": "exec_shell", "arguments": {
        "command": "printf 'a\\tb \"c\"'\necho; kubectl get pods -n test-hotel-reservation", "timeout": 20}})
    assert seen["content"][0]["text"].startswith('a\tb "c"\n')
    assert "Running" in seen["content"][0]["text"]
    assert not seen["isError"]
    assert not ask(3, "tools/call", {"name": "submit", "arguments": {"has_anomaly": "No"}})["isError"]
    assert ask(4, "tools/call", {"name": "exec_shell", "arguments": {"command": "ls"}})["isError"]
    out, err = server.communicate(timeout=LONG_S)
    assert out == ""
    assert server.returncode == 0, err
    assert "Detection Accuracy: Correct" in err


def test_its_output_is_not_mixed_with_results(aiopslab):
    ended = aiopslab("mcp", "--json", NOOP)
    assert ended.status == 2
    assert "standard output is the agent's" in ended.err


def test_a_client_that_goes_has_given_up(aiopslab):
    ended = aiopslab("mcp", NOOP)
    assert ended.status == 1, ended.err
    assert ended.out == ""
