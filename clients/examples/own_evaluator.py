#!/usr/bin/python3
"""An evaluator of one's own: judges the problems whose file says 'evaluator: frugal'.

Right is who gives the expected answer without running a single command. Set PYTHONPATH to
clients/python, and start it beside 'aiopslab up'; it judges until it is ended.
"""

import signal

from aiopslab_bus import Bus


def judge(request):
    """Answers session.judge with a verdict. What there is to judge by is in PROTOCOL.md."""
    said = [item["content"] for item in request.body["trace"] if item["role"] == "assistant"]
    commands = sum("exec_shell(" in text for text in said)
    is_right = request.body.get("solution") == request.body["problem"]["expected"].get("anomaly")
    return "verdict", {
        "success": is_right and commands == 0,
        "results": {"is_right": is_right, "commands": commands, "steps": len(said)},
    }


with Bus(name="frugal") as bus:
    bus.serve("frugal", {"session.judge": judge})
    signal.pause()
