"""The problems that the running system knows."""

from dataclasses import dataclass

from aiopslab import stack


@dataclass(frozen=True)
class Problem:
    """One of the system's problems; it is played by Orchestrator.init_problem(id)."""

    id: str
    application: str
    task: str
    summary: str


class ProblemRegistry:
    """Asks the system for its problems when they are first wanted."""

    def __init__(self):
        self._problems = None
        self.DOCKER_REGISTRY = []  # none of ours needs Docker

    @property
    def PROBLEM_REGISTRY(self):
        """A dictionary of id to a function that returns the problem."""
        if self._problems is None:
            listing = stack.operator().request("orchestrator", "problem.list", idempotent=True)
            self._problems = {
                one["id"]: lambda one=one: Problem(one["id"], one["application"], one["task"],
                                                   one.get("summary", ""))
                for one in listing.body["problems"]
            }
        return self._problems

    def get_problem_instance(self, problem_id):
        """The problem; ValueError if there is none of that id."""
        if problem_id not in self.PROBLEM_REGISTRY:
            raise ValueError(f"Problem ID {problem_id} not found in registry.")
        return self.PROBLEM_REGISTRY[problem_id]()

    def get_problem(self, problem_id):
        """The function that returns the problem, or None."""
        return self.PROBLEM_REGISTRY.get(problem_id)

    def get_problem_ids(self, task_type=None):
        """All ids, or those that contain the word."""
        return [one for one in self.PROBLEM_REGISTRY if not task_type or task_type in one]

    def get_problem_count(self, task_type=None):
        """How many of get_problem_ids() there are."""
        return len(self.get_problem_ids(task_type))

    def get_problem_deployment(self, problem_id):
        """Where its application runs: always "k8s"."""
        return "docker" if problem_id in self.DOCKER_REGISTRY else "k8s"
