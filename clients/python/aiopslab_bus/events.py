"""Subscriptions: events in order, with a count of those that were lost."""

import collections
import threading
from dataclasses import dataclass

from . import envelope

QUEUE_LIMIT = 4096
NUMBER_BITS = 48
NUMBER_SIZE = 8


@dataclass
class Event:
    """What was published. `lost` events of its topic were missed just before it."""

    topic: str
    type: str
    body: dict
    source: str
    session: str
    trace: str
    time: int
    number: int
    lost: int
    is_last_value: bool


def split_frame(frame):
    """(topic, run and number, envelope) of an event frame; None if it is none."""
    topic, nul, rest = frame.partition(b"\0")
    if not nul or len(rest) <= NUMBER_SIZE:
        return None
    number = int.from_bytes(rest[:NUMBER_SIZE], "big")
    try:
        return topic.decode(), number, envelope.decode(rest[NUMBER_SIZE:])
    except ValueError:
        return None


def split_values(data):
    """The event frames in the answer to broker.last."""
    at = 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


class Subscription:
    """Events whose topic begins with a prefix; iterate over it, or call get().

    `lost` counts what the broker or this program had to drop.
    """

    def __init__(self, bus, prefix):
        self.prefix = prefix
        self.lost = 0
        self.sync_topic = None
        self._bus = bus
        self._numbers = {}
        self._queue = collections.deque()
        self._is_closed = False
        self._changed = threading.Condition()

    def get(self, timeout=None):
        """The next event; None when there was none within so many seconds, or it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._is_closed, timeout)
            return self._queue.popleft() if self._queue else None

    def __iter__(self):
        while True:
            event = self.get()
            if event is None:
                return
            yield event

    def close(self):
        """No further events."""
        self._bus.unsubscribe(self)
        self.end()

    def end(self):
        """Wakes whoever waits; what is queued may still be taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _missed(self, topic, number):
        """How many were lost before this one; None if it was seen already."""
        seen = self._numbers.get(topic)
        self._numbers[topic] = number if seen is None else max(seen, number)
        if seen is None or seen >> NUMBER_BITS != number >> NUMBER_BITS:
            self._numbers[topic] = number
            return 0
        return None if number <= seen else number - seen - 1

    def take(self, parts, is_last_value=False):
        """An event frame that may be for us; called by the bus."""
        topic, number, message = parts
        if not topic.startswith(self.prefix):
            return
        with self._changed:
            missed = self._missed(topic, number)
            if missed is None:
                return
            if len(self._queue) >= QUEUE_LIMIT:
                self._queue.popleft()
                missed += 1
            self.lost += missed
            self._queue.append(
                Event(
                    topic=topic,
                    type=message.type,
                    body=message.body,
                    source=message.source,
                    session=message.session,
                    trace=message.trace,
                    time=message.time,
                    number=number & ((1 << NUMBER_BITS) - 1),
                    lost=missed,
                    is_last_value=is_last_value,
                )
            )
            self._changed.notify()
