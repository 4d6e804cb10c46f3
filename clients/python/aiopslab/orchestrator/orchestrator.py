"""Runs an agent on a problem, turn by turn, as the original's orchestrator does."""

import asyncio
import inspect
import os
import time

from aiopslab_bus import Bus, BusError, Session as BusSession, places

from aiopslab import stack
from aiopslab.orchestrator.parser import ResponseParser
from aiopslab.orchestrator.problems.registry import ProblemRegistry
from aiopslab.session import Session
from aiopslab.utils.status import SubmissionStatus

FIRST_INPUT = "Please take the next action"
# How long it may take is for whoever plays to say, as in the original; the session is tied to this program.
MOST_STEPS = 10000
MOST_MS = 24 * 3600 * 1000


class Orchestrator:
    """One agent and one problem at a time; init_problem() again begins the next."""

    def __init__(self, results_dir=None):
        self.agent = None
        self.agent_name = None
        self.session = None
        self.parser = ResponseParser()
        self.probs = ProblemRegistry()
        self.results_dir = results_dir
        self.use_wandb = os.environ.get("USE_WANDB", "").lower() == "true"
        self.execution_start_time = None
        self.execution_end_time = None
        self._bus = None
        self._remote = None
        self._is_submitted = False

    def register_agent(self, agent, name="agent"):
        """Sets who plays: an object with `async get_action(self, input: str) -> str`."""
        self.agent = agent
        self.agent_name = name

    def init_problem(self, problem_id):
        """Deploys the application and puts the fault in force. Returns the task's description, the
        instructions, and a dictionary of action to what it does."""
        self.execution_start_time = time.time()
        problem = self.probs.get_problem_instance(problem_id)
        self._leave()
        self._bus = Bus(places.agents_endpoint(), name="agent")
        options = {"max_steps": MOST_STEPS, "time_limit_ms": MOST_MS, "idle_limit_ms": MOST_MS, "is_tied": True}
        if self.results_dir is not None:
            options["results_dir"] = os.path.abspath(self.results_dir)
        self._remote = BusSession.open(stack.operator(), problem_id, agent=self._bus,
                                       name=self.agent_name or "agent", **options)
        briefing = self._remote.await_turn()
        self.session = Session(results_dir=self.results_dir)
        self.session.session_id = self._remote.id
        self.session.set_problem(problem, pid=problem_id)
        self.session.set_agent(self.agent_name)
        return briefing["description"], briefing["instructions"], briefing["actions"]

    async def ask_agent(self, input):
        """What the agent does next, given what it sees."""
        action = self.agent.get_action(input)
        return await action if inspect.isawaitable(action) else action

    async def ask_env(self, input):
        """What comes of what the agent said: text, or SubmissionStatus.VALID_SUBMISSION."""
        observation = await asyncio.to_thread(self._remote.act, input)
        self._is_submitted = self._remote.is_done
        return SubmissionStatus.VALID_SUBMISSION if self._remote.is_done else observation

    async def start_problem(self, max_steps):
        """Lets the agent play until it submits or has taken so many steps, and returns history,
        final_state, results and framework_overhead (seconds)."""
        if self._remote is None:
            raise RuntimeError("there is no problem to start: call init_problem() first")
        if self.agent is None:
            raise RuntimeError("there is no agent: call register_agent() first")
        self.session.start()
        try:
            final_state = await self._play(max_steps)
            self.session.end()
            result = await asyncio.to_thread(self._verdict)
        finally:
            self._leave()
        self.session.set_results(result["results"])
        if self.use_wandb:
            self.session.to_wandb()
        self.execution_end_time = time.time()
        overhead = self.execution_end_time - self.execution_start_time - self.session.get_duration()
        return {
            "history": self.session.history,
            "final_state": final_state,
            "results": self.session.results,
            "framework_overhead": overhead,
        }

    async def _play(self, max_steps):
        action_input, seen = FIRST_INPUT, ""
        for _ in range(max_steps):
            action = await self.ask_agent(action_input)
            self.session.add({"role": "assistant", "content": action})
            seen = await self.ask_env(action)
            if seen is SubmissionStatus.VALID_SUBMISSION:
                self.session.add({"role": "env", "content": str(seen.value)})
                break
            self.session.add({"role": "env", "content": seen})
            action_input = f"{seen}\n{FIRST_INPUT}"
        return seen

    def _verdict(self):
        """Who has not submitted gives up, which is judged as no answer."""
        if not self._is_submitted:
            self._remote.close()
        return self._remote.await_result()

    def _leave(self):
        """Ends what is under way, its environment with it."""
        if self._remote is not None:
            try:
                self._remote.close()
            except BusError:
                pass  # over already
        if self._bus is not None:
            self._bus.close()
        self._remote, self._bus, self._is_submitted = None, None, False
