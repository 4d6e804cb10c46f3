"""Counting what was lost, without a broker."""

from aiopslab_bus import Envelope, encode
from aiopslab_bus.events import QUEUE_LIMIT, Subscription, split_frame, split_values


def frame(topic, number, run=1):
    event = Envelope("event", "1", "x", "a@b", 5, {"number": number})
    return topic.encode() + b"\0" + (run << 48 | number).to_bytes(8, "big") + encode(event)


def numbers(subscription):
    found = []
    while (event := subscription.get(0)) is not None:
        found.append((event.number, event.lost))
    return found


def feed(subscription, *frames):
    for data in frames:
        subscription.take(split_frame(data))


def test_a_gap_is_counted_and_a_repetition_is_skipped():
    subscription = Subscription(None, "env/")
    feed(subscription, frame("env/a", 4), frame("env/a", 5), frame("env/a", 5), frame("env/a", 9))
    assert numbers(subscription) == [(4, 0), (5, 0), (9, 3)]
    assert subscription.lost == 3


def test_each_topic_is_counted_by_itself():
    subscription = Subscription(None, "env/")
    feed(subscription, frame("env/a", 1), frame("env/b", 7), frame("env/a", 2), frame("env/b", 8))
    assert subscription.lost == 0


def test_a_new_run_of_the_broker_counts_anew():
    subscription = Subscription(None, "")
    feed(subscription, frame("a", 9, run=1), frame("a", 1, run=2))
    assert numbers(subscription) == [(9, 0), (1, 0)]


def test_other_topics_are_not_ours():
    subscription = Subscription(None, "session/1/")
    feed(subscription, frame("session/2/state", 1))
    assert subscription.get(0) is None


def test_a_full_queue_drops_the_oldest_and_says_so():
    subscription = Subscription(None, "")
    feed(subscription, *(frame("a", i + 1) for i in range(QUEUE_LIMIT + 3)))
    assert subscription.lost == 3
    assert subscription.get(0).number == 4


def test_the_end_wakes_who_waits():
    subscription = Subscription(None, "")
    feed(subscription, frame("a", 1))
    subscription.end()
    assert [event.number for event in subscription] == [1]


def test_frames_that_are_none_are_told():
    assert split_frame(b"topic") is None
    assert split_frame(b"topic\0" + bytes(8)) is None
    assert split_frame(b"topic\0" + bytes(8) + b"\xc1") is None
    assert split_frame(b"\xff\0" + frame("a", 1)[2:]) is None


def test_last_values_are_split():
    one, two = frame("a", 1), frame("b", 2)
    data = b"".join(len(data).to_bytes(4, "big") + data for data in (one, two))
    assert list(split_values(data)) == [one, two]
    assert list(split_values(b"\0\0")) == []
