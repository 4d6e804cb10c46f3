"""The bus in Python: requests, events and services over the broker, and sessions for agents.

    from aiopslab_bus import Bus, Session

    with Bus("tcp://127.0.0.1:7000", role="agent") as bus:
        session = Session(bus, "0f8fad5b-…")
        print(session.await_turn()["description"])
        session.act('submit("No")')

Needs pyzmq and msgpack, as Debian packages them (python3-zmq, python3-msgpack).
"""

from . import places
from .bus import Bus, Reply, Request
from .envelope import Envelope, decode, encode
from .errors import BusError
from .events import Event, Subscription
from .session import Session

__all__ = [
    "Bus",
    "BusError",
    "Envelope",
    "Event",
    "Reply",
    "Request",
    "Session",
    "Subscription",
    "decode",
    "encode",
    "places",
]
