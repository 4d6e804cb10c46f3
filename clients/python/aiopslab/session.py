"""A session as the program that runs the agent keeps it."""

import json
import os
import time
import uuid
from dataclasses import asdict, dataclass


@dataclass
class SessionItem:
    """One turn: the role is 'assistant' or 'env'."""

    role: str
    content: str

    def model_dump(self):
        """As a dictionary, under the name that pydantic gives it."""
        return asdict(self)

    dict = model_dump


class Session:
    """What was said, by whom, from when to when, and what came of it. Times are seconds since 1970."""

    def __init__(self, results_dir=None):
        self.session_id = uuid.uuid4()
        self.pid = None
        self.problem = None
        self.solution = None
        self.results = {}
        self.history = []
        self.start_time = None
        self.end_time = None
        self.agent_name = None
        self.results_dir = results_dir

    def set_problem(self, problem, pid=None):
        self.problem = problem
        self.pid = pid

    def set_solution(self, solution):
        self.solution = solution

    def set_results(self, results):
        self.results = results

    def set_agent(self, agent_name):
        self.agent_name = agent_name

    def add(self, item):
        """Appends a SessionItem, a dictionary with its fields, or a list of these. Nothing: no turn."""
        if not item:
            return
        for one in item if isinstance(item, list) else [item]:
            self.history.append(one if isinstance(one, SessionItem) else SessionItem(**one))

    def clear(self):
        self.history = []

    def start(self):
        self.start_time = time.time()

    def end(self):
        self.end_time = time.time()

    def get_duration(self):
        """Seconds from start() to end()."""
        return self.end_time - self.start_time

    def to_dict(self):
        """What to_json() writes."""
        return {
            "agent": self.agent_name,
            "session_id": str(self.session_id),
            "problem_id": self.pid,
            "start_time": self.start_time,
            "end_time": self.end_time,
            "trace": [item.model_dump() for item in self.history],
            "results": self.results,
        }

    def to_json(self):
        """Writes <results_dir>/<session_id>_<start_time>.json; the current folder if there is none."""
        folder = self.results_dir or "."
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, f"{self.session_id}_{self.start_time}.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.to_dict(), file, indent=4)

    def to_wandb(self):
        """Logs to_dict() to Weights & Biases, which must be installed and initialized."""
        import wandb  # wanted by few, and slow

        wandb.log(self.to_dict())

    def from_json(self, filename):
        """Takes over what a result in results_dir holds."""
        with open(os.path.join(self.results_dir or ".", filename), encoding="utf-8") as file:
            data = json.load(file)
        self.agent_name = data.get("agent")
        self.session_id = data.get("session_id")
        self.pid = data.get("problem_id")
        self.start_time = data.get("start_time")
        self.end_time = data.get("end_time")
        self.results = data.get("results")
        self.history = [SessionItem(item["role"], item["content"]) for item in data.get("trace", [])]
