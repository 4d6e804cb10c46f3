"""The envelope of requests, replies and events, as proto/PROTOCOL.md describes it."""

from dataclasses import dataclass, field

import msgpack

VERSION = 1
KINDS = ("request", "reply", "event")
ID_LIMIT = 64


@dataclass
class Envelope:
    """One message. `body` is a dict; times are Unix milliseconds."""

    kind: str
    id: str
    type: str
    source: str
    time: int
    body: dict = field(default_factory=dict)
    corr: str = None
    deadline: int = None
    session: str = None
    trace: str = None


def encode(envelope):
    """The bytes of an envelope."""
    pairs = {"v": VERSION, "kind": envelope.kind, "id": envelope.id}
    for key in ("corr", "type", "source", "time", "deadline", "session", "trace"):
        value = getattr(envelope, key)
        if value is not None:
            pairs[key] = value
    pairs["body"] = envelope.body
    return msgpack.packb(pairs, use_bin_type=True)


def _unpack(data):
    try:
        return msgpack.unpackb(data, raw=False, strict_map_key=True)
    except Exception as error:  # msgpack's own, ValueError and UnicodeDecodeError among them
        raise ValueError(f"not MessagePack: {error}") from error


def _check(pairs):
    if not isinstance(pairs, dict) or pairs.get("v") != VERSION:
        raise ValueError("not an envelope of version 1")
    if pairs.get("kind") not in KINDS:
        raise ValueError("'kind' is none of request, reply and event")
    for key in ("id", "type", "source"):
        if not isinstance(pairs.get(key), str):
            raise ValueError(f"'{key}' is missing")
    if not 1 <= len(pairs["id"].encode()) <= ID_LIMIT:
        raise ValueError("'id' is not of 1 to 64 bytes")
    for key in ("corr", "session", "trace"):
        if not isinstance(pairs.get(key, ""), str):
            raise ValueError(f"'{key}' is not a string")
    for key in ("time", "deadline"):
        if type(pairs.get(key, 0)) is not int:
            raise ValueError(f"'{key}' is not an integer")
    if not isinstance(pairs.get("body"), dict):
        raise ValueError("'body' is not a map")


def decode(data):
    """The envelope in some bytes; ValueError if there is none. Unknown keys are skipped."""
    pairs = _unpack(data)
    _check(pairs)
    return Envelope(
        kind=pairs["kind"],
        id=pairs["id"],
        type=pairs["type"],
        source=pairs["source"],
        time=pairs.get("time", 0),
        body=pairs["body"],
        corr=pairs.get("corr"),
        deadline=pairs.get("deadline"),
        session=pairs.get("session"),
        trace=pairs.get("trace"),
    )
