"""A session as its agent sees it."""

import time

from .errors import BusError

ACT_TIMEOUT_S = 660  # a command may take ten minutes
LOOK_AGAIN_S = 5  # should the event of a change be lost
OVER = ("closed", "failed")


class Session:
    """One session; see session.get and session.act in proto/PROTOCOL.md."""

    def __init__(self, bus, session):
        self.id = session
        self.step = 0
        self.is_done = False
        self.steps_left = None  # known from the first turn on
        self.time_left_ms = None
        self._bus = bus

    @classmethod
    def open(cls, operator, problem, *, agent=None, principal=None, name="python", **options):
        """Opens one as operator, for the agent that will play it: by its Bus, or by the name of its
        key. `options` are further fields of session.open, such as seed and max_steps. The session
        that is returned acts by the agent's Bus, if there is one, else by the operator's."""
        body = {"problem": problem, "agent": name, **options}
        if agent is not None or principal is not None:
            body["principal"] = agent.principal if principal is None else principal
        opened = operator.request("orchestrator", "session.open", body, timeout=20)
        return cls(operator if agent is None else agent, opened.body["session"])

    def _ask(self, type, body, timeout=10):
        reply = self._bus.request("orchestrator", type, {"session": self.id, **body},
                                  timeout=timeout, session=self.id, idempotent=True)
        return reply.body

    def info(self):
        """State, and from the agent's turn on: description, instructions and actions."""
        return self._ask("session.get", {})

    def _await_state(self, states, timeout):
        until = time.monotonic() + timeout
        changes = self._bus.subscribe(f"session/{self.id}/state")
        try:
            while True:
                info = self.info()
                if info["state"] in states:
                    return info
                if time.monotonic() > until:
                    raise BusError("timeout", f"the session is still '{info['state']}'")
                changes.get(min(LOOK_AGAIN_S, until - time.monotonic()))
        finally:
            changes.close()

    def await_turn(self, timeout=300):
        """Waits until the agent may act, and returns the briefing."""
        info = self._await_state(("active", *OVER), timeout)
        if info["state"] in OVER:
            raise BusError("state", info.get("reason") or "the session is over")
        self.step = info.get("step", 0)
        self._note_left(info)
        return info

    def _note_left(self, told):
        self.steps_left = told["steps_left"]
        self.time_left_ms = told["time_left_ms"]

    def await_result(self, timeout=300):
        """Waits until the session is over, and returns its result."""
        self._await_state(OVER, timeout)
        return self.result()

    def act(self, action):
        """Takes a step; returns what was observed. `action` is what an agent says: text with one
        call in a fenced block, or the bare call."""
        text = action if "```" in action else f"```\n{action}\n```"
        body = {"step": self.step + 1, "action": text}
        seen = self._ask("session.act", body, timeout=ACT_TIMEOUT_S)
        self.step += 1
        self.is_done = seen["is_done"]
        self._note_left(seen)
        return seen["observation"]

    def result(self):
        """The result, once the session is closed."""
        return self._ask("session.result", {})["result"]

    def close(self):
        """Gives up."""
        return self._ask("session.close", {}, timeout=90)
