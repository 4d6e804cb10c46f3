"""A program's connection to the broker: requests, events, services.

A thread of its own talks to the broker, so a program may think as long as it likes between two
calls without being taken for dead. All methods may be called from any thread. The broker is found
whenever it is there, and again when it was away; every request ends with a reply or a BusError.
"""

import itertools
import os
import queue
import secrets
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import zmq
from zmq.utils import z85

from . import events, places
from .envelope import Envelope, decode, encode
from .errors import BusError

TIMEOUT_S = 10.0
HELLO_PATIENCE_S = 2.0
SLACK_S = 0.25  # the broker is the better judge of a deadline
ROUTE_SIZE = 9
SYNC = "_sync/"
ROLES = {"l": "local", "s": "service", "o": "operator", "a": "agent"}


@dataclass
class Reply:
    """An answer: the type of its body, and the body."""

    type: str
    body: dict


@dataclass
class Request:
    """What a handler is given."""

    type: str
    body: dict
    source: str
    session: str
    trace: str
    role: str  # of the caller, as the broker vouches for it
    principal: str  # the name of the caller's key; empty for a local caller
    deadline: int


@dataclass
class _Ask:
    wire_id: str
    target: str
    type: str
    body: dict
    session: str
    trace: str
    deadline: float
    is_idempotent: bool
    future: Future
    is_own: bool = False
    is_sent: bool = False


class Bus:
    """Connects in the background. With a tcp endpoint, `role` names the key pair of the folder
    `keys` that is used: "agent" if left out. At the local agents' socket (places.agents_endpoint())
    it makes a key of its own, and `principal` is what a session must be opened for."""

    def __init__(self, endpoint=None, *, name="python", instance=None, keys=None, role="agent"):
        self.name = name
        self.instance = instance or secrets.token_hex(4)
        self.source = f"{self.name}@{self.instance}"
        self.endpoint = endpoint or f"ipc://{places.run_dir()}/requests"
        self.principal = ""
        self._curve = self._find_keys(keys, role)
        self._context = zmq.Context()
        self._wire = f"{secrets.randbits(64):016x}"
        self._counter = itertools.count(1)
        self._jobs = queue.SimpleQueue()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._asks = {}
        self._services = {}
        self._subscriptions = []
        self._workers = ThreadPoolExecutor(thread_name_prefix="aiopslab-bus")
        self._requests = self._events = self._publish = None
        self._broker = None
        self._connection = 0
        self._is_welcome = False
        self._refusal = None
        self._ping_s, self._silence_s = 1.0, 5.0
        self._ping_at = self._heard_at = time.monotonic()
        self._unpublished = []
        self._is_publishing = False
        self._is_closing = False
        self._welcome = threading.Event()
        self._thread = threading.Thread(target=self._run, name="aiopslab-bus", daemon=True)
        self._thread.start()

    # ---- what programs call ---------------------------------------------------------------

    def request(self, target, type, body=None, *, timeout=TIMEOUT_S, session=None, trace=None,
                idempotent=False):
        """Asks a service, and waits for its Reply; raises BusError. After a restart of the broker
        only what may be done twice (idempotent) is asked again."""
        ask = self.submit(target, type, body, timeout=timeout, session=session, trace=trace,
                          idempotent=idempotent)
        return ask.result()

    def submit(self, target, type, body=None, *, timeout=TIMEOUT_S, session=None, trace=None,
               idempotent=False):
        """As request(), but returns a concurrent.futures.Future at once."""
        ask = _Ask(self._next_id(), target, type, body or {}, session, trace,
                   time.monotonic() + timeout, idempotent, Future())
        self._do(lambda: self._begin(ask))
        return ask.future

    def publish(self, topic, type, body, *, session=None, trace=None):
        """Publishes an event; for local programs and the role service only."""
        event = Envelope("event", self._next_id(), type, self.source, _now_ms(), body,
                         session=session, trace=trace)
        frame = topic.encode() + b"\0" + bytes(events.NUMBER_SIZE) + encode(event)
        self._do(lambda: self._send_event(frame))

    def subscribe(self, prefix):
        """A Subscription: first the last values of state topics, then what is published."""
        subscription = events.Subscription(self, prefix)
        self._do(lambda: self._add_subscription(subscription))
        return subscription

    def unsubscribe(self, subscription):
        """What Subscription.close() calls."""
        self._do(lambda: self._drop_subscription(subscription))

    def serve(self, service, handlers):
        """Offers a service. `handlers` maps request types to functions that take a Request, and
        return (type, body) or raise BusError; they run on threads of a pool."""
        self._do(lambda: self._add_service(service, dict(handlers)))

    def wait_connected(self, timeout=TIMEOUT_S):
        """Whether the broker has welcomed us within so many seconds."""
        return self._welcome.wait(timeout)

    def close(self):
        """Says good-bye, and fails what is under way."""
        if self._is_closing:
            return
        self._do(self._stop)
        self._thread.join()
        self._workers.shutdown(wait=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- the thread -----------------------------------------------------------------------

    def _do(self, job):
        self._jobs.put(job)
        os.write(self._wake_write, b"!")

    def _stop(self):
        self._is_closing = True

    def _next_id(self):
        return f"{self._wire}-{next(self._counter):x}"

    def _run(self):
        self._open()
        while not self._is_closing:
            self._poll()
            self._keep_alive()
            self._expire()
        self._shut()

    def _poll(self):
        poller = zmq.Poller()
        poller.register(self._wake_read, zmq.POLLIN)
        poller.register(self._requests, zmq.POLLIN)
        for socket in (self._events, self._publish):
            if socket is not None:
                poller.register(socket, zmq.POLLIN)
        ready = dict(poller.poll(self._patience_ms()))
        if self._wake_read in ready:
            self._run_jobs()
        self._drain(self._requests, self._on_message)
        if self._events is not None:
            self._drain(self._events, self._on_event)
        if self._publish is not None:
            self._drain(self._publish, self._on_publish_input)

    def _patience_ms(self):
        soonest = min((ask.deadline + SLACK_S for ask in self._asks.values()),
                      default=self._ping_at)
        return max(0, int(1000 * (min(soonest, self._ping_at) - time.monotonic())) + 1)

    def _run_jobs(self):
        try:
            os.read(self._wake_read, 65536)
        except BlockingIOError:
            pass
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            job()

    @staticmethod
    def _drain(socket, take):
        for _ in range(256):
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            take(frames)

    def _shut(self):
        if self._is_welcome:
            self._ask_broker("broker.bye", {})
        for ask in list(self._asks.values()):
            self._fail(ask, BusError("unavailable", "the connection was closed"))
        for subscription in self._subscriptions:
            subscription.end()
        for socket in (self._requests, self._events, self._publish):
            if socket is not None:
                socket.close(linger=500)
        self._context.term()
        os.close(self._wake_read)

    # ---- connection -----------------------------------------------------------------------

    def _find_keys(self, folder, role):
        if self.endpoint.startswith("tcp:"):
            return self._read_keys(folder, role)
        if self.endpoint.startswith("ipc:") and self.endpoint.endswith("/agents"):
            return self._make_keys()
        return None

    def _make_keys(self):
        public, secret = zmq.curve_keypair()
        self.principal = "local." + z85.decode(public)[:16].hex()
        beside = os.path.dirname(self.endpoint[len("ipc://"):])
        return {"curve_serverkey": places.read_key(beside, "broker", "public"),
                "curve_publickey": public, "curve_secretkey": secret}

    @staticmethod
    def _read_keys(folder, role):
        folder = folder or os.path.join(places.state_dir(), "keys")
        return {
            "curve_serverkey": places.read_key(folder, "broker", "public"),
            "curve_publickey": places.read_key(folder, role, "public"),
            "curve_secretkey": places.read_key(folder, role, "secret"),
        }

    def _socket(self, kind, endpoint):
        socket = self._context.socket(kind)
        socket.linger = 500
        socket.reconnect_ivl = 50
        socket.reconnect_ivl_max = 1000
        socket.set_hwm(65536)
        if kind == zmq.DEALER:
            socket.probe_router = 1
        if kind == zmq.XPUB:
            socket.setsockopt(zmq.XPUB_NODROP, 1)
        if kind != zmq.SUB:
            socket.immediate = 1
        for option, value in (self._curve or {}).items():
            setattr(socket, option, value)
        socket.connect(endpoint)
        return socket

    def _open(self):
        if self._requests is not None:
            self._requests.close(linger=0)
        self._requests = self._socket(zmq.DEALER, self.endpoint)
        self._connection += 1
        self._is_welcome = False
        self._heard_at = time.monotonic()

    def _send(self, head, data):
        try:
            self._requests.send_multipart([head, data], zmq.NOBLOCK)
            return True
        except zmq.Again:
            return False

    def _say_hello(self):
        hello = {"name": self.name, "instance": self.instance, "services": list(self._services)}
        self._ask_broker("broker.hello", hello, HELLO_PATIENCE_S).add_done_callback(self._on_hello)

    def _on_hello(self, future):
        error = future.exception()
        if error is None:
            self._on_welcome(future.result().body)
        elif error.code != "timeout":
            self._refusal = error

    def _on_welcome(self, welcome):
        is_new_broker = self._broker != welcome["broker"]
        was_away = not self._is_welcome
        self._broker = welcome["broker"]
        self._ping_s = welcome["ping_ms"] / 1000
        self._silence_s = welcome["silence_ms"] / 1000
        self._refusal = None
        self._is_welcome = True
        self._welcome.set()
        if was_away:
            self._open_events(welcome)
            self._resend(is_new_broker)

    def _on_invitation(self):
        self._connection += 1
        self._is_welcome = False
        self._say_hello()

    def _keep_alive(self):
        now = time.monotonic()
        if now < self._ping_at:
            return
        self._ping_at = now + self._ping_s
        if now - self._heard_at > self._silence_s:
            self._open()
        elif self._is_welcome:
            self._flush_events()
            self._ask_broker("broker.ping", {}, self._silence_s).add_done_callback(self._on_pong)
        elif not any(ask.type == "broker.hello" for ask in self._asks.values()):
            self._say_hello()

    def _on_pong(self, future):
        error = future.exception()
        if error is not None and error.code == "not-found":
            self._on_invitation()

    # ---- asking ---------------------------------------------------------------------------

    def _begin(self, ask):
        self._asks[ask.wire_id] = ask
        if self._is_welcome or ask.is_own:
            self._transmit(ask)

    def _ask_broker(self, type, body, timeout=HELLO_PATIENCE_S):
        ask = _Ask(self._next_id(), "broker", type, body, None, None,
                   time.monotonic() + timeout, True, Future(), is_own=True)
        self._begin(ask)
        return ask.future

    def _transmit(self, ask):
        left_ms = max(1, int(1000 * (ask.deadline - time.monotonic())))
        now = _now_ms()
        message = Envelope("request", ask.wire_id, ask.type, self.source, now, ask.body,
                           deadline=now + left_ms, session=ask.session, trace=ask.trace)
        try:
            data = encode(message)
        except (TypeError, ValueError, OverflowError) as error:
            self._fail(ask, BusError("invalid", f"the request cannot be encoded: {error}"))
            return
        ask.is_sent |= self._send(ask.target.encode(), data)

    def _resend(self, is_new_broker):
        for ask in list(self._asks.values()):
            if ask.is_own:
                continue
            if ask.is_sent and is_new_broker and not ask.is_idempotent:
                self._fail(ask, BusError("unavailable", "the broker was restarted meanwhile; "
                                         "whether it was done is not known"))
            else:
                self._transmit(ask)

    def _fail(self, ask, error):
        self._asks.pop(ask.wire_id, None)
        if ask.future.set_running_or_notify_cancel():
            ask.future.set_exception(error)

    def _expire(self):
        now = time.monotonic()
        for ask in [ask for ask in self._asks.values() if ask.deadline + SLACK_S <= now]:
            if ask.is_sent:
                error = BusError("timeout", f"'{ask.target}' did not answer in time")
            else:
                error = self._refusal or BusError("timeout", f"no broker at '{self.endpoint}'")
            self._fail(ask, error)

    def _on_reply(self, reply):
        ask = self._asks.pop(reply.corr, None)
        if ask is None or not ask.future.set_running_or_notify_cancel():
            return
        if reply.type == "error":
            ask.future.set_exception(BusError(reply.body.get("code", "io"),
                                              reply.body.get("text", ""),
                                              reply.body.get("retry_after_ms", 0)))
        else:
            ask.future.set_result(Reply(reply.type, reply.body))

    def _on_message(self, frames):
        self._heard_at = time.monotonic()
        try:
            message = decode(frames[-1])
        except ValueError:
            return
        if len(frames) == 1 and message.kind == "reply":
            self._on_reply(message)
        elif len(frames) == 1 and message.type == "broker.welcome":
            self._on_invitation()
        elif len(frames) == 2 and message.kind == "request" and len(frames[0]) > ROUTE_SIZE:
            self._on_request(frames[0], message)

    # ---- serving --------------------------------------------------------------------------

    def _add_service(self, service, handlers):
        self._services[service] = handlers
        if self._is_welcome:
            self._say_hello()

    def _handler_of(self, type):
        for handlers in self._services.values():
            if type in handlers:
                return handlers[type]
        return None

    def _on_request(self, route, message):
        request = Request(message.type, message.body, message.source, message.session,
                          message.trace, ROLES.get(chr(route[ROUTE_SIZE]), "none"),
                          route[ROUTE_SIZE + 1:].decode(errors="replace"), message.deadline)
        handler = self._handler_of(message.type)
        connection = self._connection

        def work():
            answer = _call(handler, request)
            try:
                self._do(lambda: self._answer(connection, route, message, answer))
            except OSError:
                pass  # closed meanwhile

        self._workers.submit(work)

    def _answer(self, connection, route, message, answer):
        if connection != self._connection:
            return  # the broker has told the caller already that we were gone
        reply = Envelope("reply", message.id, answer[0], self.source, _now_ms(), answer[1],
                         corr=message.id, session=message.session, trace=message.trace)
        try:
            data = encode(reply)
        except (TypeError, ValueError, OverflowError) as error:
            reply.type = "error"
            reply.body = {"code": "io", "text": f"the answer cannot be encoded: {error}"}
            data = encode(reply)
        self._send(route[:ROUTE_SIZE], data)

    # ---- events ---------------------------------------------------------------------------

    def _resolve(self, endpoint):
        """Where the broker says '*', it is the host that we reached it by."""
        if not endpoint.startswith("tcp://*:"):
            return endpoint
        return self.endpoint.rpartition(":")[0] + endpoint[len("tcp://*"):]

    def _open_events(self, welcome):
        for socket in (self._events, self._publish):
            if socket is not None:
                socket.close(linger=0)
        self._events = self._socket(zmq.SUB, self._resolve(welcome["events"]))
        self._publish = None
        if welcome["publish"]:
            self._publish = self._socket(zmq.XPUB, self._resolve(welcome["publish"]))
            self._is_publishing = False
        for subscription in self._subscriptions:
            self._events.subscribe(subscription.prefix)
            self._synchronize(subscription)

    def _add_subscription(self, subscription):
        self._subscriptions.append(subscription)
        if self._events is not None:
            self._events.subscribe(subscription.prefix)
            self._synchronize(subscription)

    def _drop_subscription(self, subscription):
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            if self._events is not None:
                self._events.unsubscribe(subscription.prefix)

    def _synchronize(self, subscription):
        """Asks for last values once the subscription is known to hold, so that nothing falls
        between them and what comes."""
        subscription.sync_topic = SYNC + self._next_id()
        self._events.subscribe(subscription.sync_topic)

    def _on_synchronized(self, topic):
        self._events.unsubscribe(topic)
        for subscription in self._subscriptions:
            if subscription.sync_topic == topic:
                subscription.sync_topic = None
                future = self._ask_broker("broker.last", {"prefix": subscription.prefix}, 5.0)
                future.add_done_callback(lambda done, s=subscription: self._on_last(s, done))

    @staticmethod
    def _on_last(subscription, future):
        if future.exception() is not None:
            return  # not allowed, or no broker: then the next welcome tries again
        for frame in events.split_values(future.result().body.get("events", b"")):
            parts = events.split_frame(frame)
            if parts:
                subscription.take(parts, is_last_value=True)

    def _on_event(self, frames):
        if frames[0].startswith(SYNC.encode()):
            self._on_synchronized(frames[0].partition(b"\0")[0].decode())
            return
        parts = events.split_frame(frames[0])
        if parts:
            for subscription in self._subscriptions:
                subscription.take(parts)

    def _send_event(self, frame):
        self._unpublished.append(frame)
        del self._unpublished[: -events.QUEUE_LIMIT]
        self._flush_events()

    def _flush_events(self):
        while self._unpublished and self._is_publishing:
            try:
                self._publish.send(self._unpublished[0], zmq.NOBLOCK)
            except zmq.Again:
                return
            self._unpublished.pop(0)

    def _on_publish_input(self, frames):
        """The broker subscribed to what we publish, or went."""
        self._is_publishing = frames[0] == b"\1"
        self._flush_events()


def _now_ms():
    return int(time.time() * 1000)


def _call(handler, request):
    if handler is None:
        return "error", {"code": "invalid", "text": f"'{request.type}' is not understood here"}
    try:
        return handler(request)
    except BusError as error:
        return "error", {"code": error.code, "text": error.text,
                         "retry_after_ms": error.retry_after_ms}
    except Exception as error:  # the caller must be told, whatever it was
        return "error", {"code": "io", "text": f"{type(error).__name__}: {error}"}
