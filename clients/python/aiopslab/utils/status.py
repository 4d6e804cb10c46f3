"""How submissions and actions end."""

from enum import Enum


class SubmissionStatus(Enum):
    """What the environment says of a submission."""

    VALID_SUBMISSION = 1
    INVALID_SUBMISSION = 2


class InvalidActionError(Exception):
    """There is no action of that name."""

    def __init__(self, action_name):
        super().__init__(f"Invalid action: {action_name}")
        self.action_name = action_name


class ResponseParsingError(Exception):
    """What the agent said holds no action."""

    def __init__(self, message):
        super().__init__(f"Error parsing response: {message}")
        self.message = message
