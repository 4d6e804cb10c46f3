"""The envelope, by the vectors that the C tests read too, and by what is none."""

import json
import os
import random

import msgpack
import pytest

from aiopslab_bus import Envelope, decode, encode

SOURCE = os.environ.get("AIOPSLAB_SRC", os.path.join(os.path.dirname(__file__), "..", "..", ".."))

with open(os.path.join(SOURCE, "tests", "golden", "envelopes.json"), encoding="utf-8") as vectors:
    VECTORS = json.load(vectors)

KEYS = ("kind", "id", "corr", "type", "source", "time", "deadline", "session", "trace")


def plain(value):
    """As the vectors write it: bytes as hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_every_vector_is_read_as_it_says(vector):
    envelope = decode(bytes.fromhex(vector["hex"]))
    expected = {key: vector["envelope"].get(key) for key in KEYS}
    assert {key: getattr(envelope, key) for key in KEYS} == expected
    assert plain(envelope.body) == vector["body"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_every_vector_is_written_alike(vector):
    data = bytes.fromhex(vector["hex"])
    assert encode(decode(data)) == data


def test_no_prefix_of_an_envelope_is_an_envelope():
    data = bytes.fromhex(VECTORS[1]["hex"])
    for size in range(len(data)):
        with pytest.raises(ValueError):
            decode(data[:size])


def test_unknown_keys_are_skipped():
    pairs = msgpack.unpackb(bytes.fromhex(VECTORS[0]["hex"]))
    data = msgpack.packb({"new": [1, {"a": None}], **pairs})
    assert decode(data).type == "env.list"


@pytest.mark.parametrize("change", [
    {"v": 2}, {"kind": "other"}, {"id": ""}, {"id": "x" * 65}, {"type": 1}, {"time": "now"},
    {"time": True}, {"session": 1}, {"body": []},
], ids=str)
def test_what_breaks_the_rules_is_refused(change):
    pairs = msgpack.unpackb(bytes.fromhex(VECTORS[0]["hex"]))
    with pytest.raises(ValueError):
        decode(msgpack.packb({**pairs, **change}))


def test_garbage_is_refused_and_nothing_else_happens():
    dice = random.Random(1)
    for _ in range(2000):
        with pytest.raises(ValueError):
            decode(dice.randbytes(dice.randrange(64)))
    for data in (b"\xdd\x83\xa5\x66\x66\xc0", b"\x91" * 100000):
        with pytest.raises(ValueError):
            decode(data)


def test_a_body_survives():
    body = {"text": "grüße", "number": -1, "bytes": b"\0\xff", "list": [None, 1.5, {"a": True}]}
    envelope = Envelope("event", "1", "x", "a@b", 5, body)
    assert decode(encode(envelope)) == envelope
