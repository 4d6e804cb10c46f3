#!/usr/bin/python3
"""The smallest agent: smallest_agent.py tcp://HOST:PORT SESSION. Set PYTHONPATH to clients/python."""

import sys

from aiopslab_bus import Bus, Session

with Bus(sys.argv[1], role="agent") as bus:
    session = Session(bus, sys.argv[2])
    briefing = session.await_turn()
    print(briefing["description"])
    print(session.act('exec_shell("kubectl get pods -A")'))
    print(session.act('submit("No")'))
