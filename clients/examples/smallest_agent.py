#!/usr/bin/python3
"""The smallest agent. Set PYTHONPATH to clients/python, and call it

smallest_agent.py PROBLEM                      where 'aiopslab up' runs: opens a session and plays it
smallest_agent.py tcp://HOST:PORT SESSION      anywhere: plays a session opened for the key 'agent'
"""

import contextlib
import sys

from aiopslab_bus import Bus, Session, places


def play(session):
    """What an agent does: read the briefing, act, look at what came of it, submit."""
    briefing = session.await_turn()
    print(briefing["description"])
    print(session.act('exec_shell("kubectl get pods -A")'))
    print(session.act('submit("No")'))
    result = session.await_result()
    print("success" if result["success"] else "failure", result["results"])


with contextlib.ExitStack() as stack:
    if len(sys.argv) == 3:
        agent = stack.enter_context(Bus(sys.argv[1], role="agent"))
        play(Session(agent, sys.argv[2]))
    else:
        operator = stack.enter_context(Bus())
        agent = stack.enter_context(Bus(places.agents_endpoint()))
        play(Session.open(operator, sys.argv[1], agent=agent, name="smallest"))
