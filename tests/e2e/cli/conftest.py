"""What every test of the command is given."""

import pytest

from command import Command


@pytest.fixture(name="aiopslab")
def fixture_aiopslab():
    """The command; whatever it started is gone afterwards."""
    command = Command()
    yield command
    command.close()


@pytest.fixture(name="up")
def fixture_up(aiopslab):
    """The command, with a system that runs."""
    ended = aiopslab("up")
    assert ended.status == 0, ended.err
    return aiopslab
