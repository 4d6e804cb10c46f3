"""A disk that is full: a small one of the test's own, in a mount namespace. No hang, no loss."""

import errno
import json
import os

import pytest

from command import DETECTION, NOOP

MOUNTED = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--mount",
           "sh", "-c", 'mount -t tmpfs -o size="$1" small "$2" && shift 2 && exec "$@"', "sh"]


def on_small_disk(size, folder):
    """Makes `folder` a disk of this size, for one command."""
    os.makedirs(folder, exist_ok=True)
    return [*MOUNTED, size, folder]


def fill(running, folder):
    """Takes all the room that is left in the command's view of the folder."""
    with open(f"/proc/{running.process.pid}/root{folder}/filler", "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC


@pytest.fixture(name="small")
def fixture_small(aiopslab):
    return os.path.join(aiopslab.folder, "small")


def test_a_full_results_folder_is_told_before_anything_starts(aiopslab, small):
    ended = aiopslab("run", NOOP, "--results-dir", f"{small}/results",
                     wrapper=on_small_disk("4k", small))
    assert ended.status == 1
    assert f"there is no room for results: cannot write '{small}/results/" in ended.err
    assert "No space left on device" in ended.err
    assert ended.out == ""
    aiopslab.await_nobody()


def test_a_results_folder_that_fills_loses_nothing(aiopslab, small):
    running = aiopslab.start("run", DETECTION, "--agent", "heuristic", "--results-dir", small,
                             wrapper=on_small_disk("128k", small))
    running.await_text("  fault ")
    fill(running, small)
    assert running.end() == 4
    assert "  success " in running.text
    assert f"cannot write '{small}/" in running.text
    assert "No space left on device" in running.text
    saved = running.text.split("saved in ")[1].split("\n")[0]
    with open(saved, encoding="utf-8") as file:
        assert json.load(file)["success"] is True
    assert saved.startswith(f"{aiopslab.state_dir}/results/")
    aiopslab.await_nobody()


def test_with_no_room_anywhere_the_result_is_printed(aiopslab, small):
    aiopslab.environ.update(AIOPSLAB_STATE=small, TMPDIR=small)
    running = aiopslab.start("run", DETECTION, "--agent", "heuristic",
                             wrapper=on_small_disk("128k", small))
    running.await_text("  fault ")
    fill(running, small)
    assert running.end() == 4
    printed = running.text[running.text.index("\n{") + 1:]
    assert json.loads(printed)["success"] is True


def test_a_run_folder_without_room_is_told(aiopslab):
    ended = aiopslab("run", NOOP, wrapper=on_small_disk("16k", aiopslab.runtime_dir))
    assert ended.status == 3
    assert "No space left on device" in ended.err or "disk is full" in ended.err
    aiopslab.await_nobody()


def test_a_run_folder_that_fills_ends_the_session_with_a_reason(aiopslab):
    running = aiopslab.start("run", DETECTION, "--agent", "heuristic",
                             wrapper=on_small_disk("16m", aiopslab.runtime_dir))
    running.await_text("  baseline ")
    fill(running, aiopslab.runtime_dir)
    assert running.end() == 3
    assert "no verdict: the session cannot be recorded: " in running.text
    assert "disk is full" in running.text
    aiopslab.await_nobody()
