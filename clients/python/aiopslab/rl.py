"""Problems as environments for reinforcement learning, with Gymnasium's reset and step.

    environment = Environment("noop_detection_hotel_reservation-1", warm=2)
    observation, info = environment.reset(seed=1)
    observation, reward, terminated, truncated, info = environment.step('submit("No")')

Gymnasium itself is not needed. Observations and actions are text. Any number of these may be used at
once, from threads of one program.
"""

from collections import deque

from aiopslab_bus import Bus, BusError, Session, places

from aiopslab import stack

MOST_MS = 24 * 3600 * 1000  # an episode waits for its learner


class Environment:
    """One problem, episode after episode. The episodes to come, with the seeds that follow, are made
    ready while the present one is played: as many as `warm` says, each an application that runs."""

    metadata = {"render_modes": ["ansi"]}

    def __init__(self, problem_id, *, max_steps=30, warm=1, name="rl"):
        self.problem_id = problem_id
        self.max_steps = max_steps
        self.render_mode = "ansi"
        self._name = name
        self._warm = warm
        self._ready = deque()  # sessions, by their seeds
        self._next_seed = 0
        self._session = None
        self._seen = ""
        self._bus = Bus(self._endpoint(), name=name)

    @staticmethod
    def _endpoint():
        stack.operator()  # brings the system up, if need be
        return places.agents_endpoint()

    def reset(self, *, seed=None, options=None):
        """Begins an episode; without a seed, with the one after the last. Returns the task and, in
        info, the actions that there are. `options` is there for Gymnasium, and not used."""
        self._end()
        self._session = self._take(self._next_seed if seed is None else seed)
        self._next_seed = self._session.seed + 1
        self._fill(self._next_seed)
        briefing = self._session.await_turn()
        self._seen = f"{briefing['description']}\n{briefing['instructions']}"
        return self._seen, {"actions": briefing["actions"], **self._info()}

    def step(self, action):
        """Takes an action, as an agent writes it. The reward is 1 when the problem is solved and 0
        before and otherwise; `truncated` when there are no more steps."""
        if self._session is None:
            raise RuntimeError("there is no episode: call reset() first")
        self._seen = self._session.act(action)
        info, reward = self._info(), 0.0
        is_last = self._session.is_done
        is_submitted = False
        if is_last:
            result = self._session.await_result()
            is_submitted = result["ended_by"] == "submit"
            info["results"] = result["results"]
            reward = 1.0 if result["success"] else 0.0
            self._session = None
        return self._seen, reward, is_submitted, is_last and not is_submitted, info

    def render(self):
        """What was observed last."""
        return self._seen

    def close(self):
        """Ends all that is under way or ready."""
        self._end()
        while self._ready:
            self._close(self._ready.popleft())
        self._bus.close()

    def _info(self):
        return {"session": self._session.id, "seed": self._session.seed,
                "steps_left": self._session.steps_left, "time_left_ms": self._session.time_left_ms}

    def _open(self, seed):
        session = Session.open(stack.operator(), self.problem_id, agent=self._bus, name=self._name, seed=seed,
                               max_steps=self.max_steps, time_limit_ms=MOST_MS, idle_limit_ms=MOST_MS, is_tied=True)
        session.seed = seed
        return session

    def _take(self, seed):
        """The one that is ready for the seed; those for other seeds are of no use then."""
        while self._ready:
            session = self._ready.popleft()
            if session.seed == seed:
                return session
            self._close(session)
        return self._open(seed)

    def _fill(self, seed):
        while len(self._ready) < self._warm:
            self._ready.append(self._open(seed + len(self._ready)))

    def _end(self):
        if self._session is not None:
            self._close(self._session)
        self._session = None

    @staticmethod
    def _close(session):
        try:
            session.close()
        except BusError:
            pass  # over already
