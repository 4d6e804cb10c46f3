"""The prompt, on a terminal and without one."""

import signal

import pytest

from command import DETECTION, NOOP, await_true
from terminal import CTRL_C, CTRL_D, ENTER, TAB, UP, Terminal
from traces import Traces

PROMPT = "aiopslab> "


@pytest.fixture(name="prompt")
def fixture_prompt(aiopslab):
    terminal = Terminal(aiopslab)
    terminal.expect(PROMPT)
    yield terminal
    terminal.process.kill()
    aiopslab.await_nobody()


def begin(prompt):
    """Until the person's turn."""
    prompt.type(f"start {NOOP}", ENTER)
    prompt.expect("submit(has_anomaly: str) -> str")
    prompt.expect(PROMPT)


def leave(prompt):
    prompt.type(CTRL_D)
    assert prompt.end() == 0


# ---- a whole problem -------------------------------------------------------------------------


def test_a_person_solves_a_problem_with_completed_words(prompt):
    prompt.type("sta", TAB, " misconfig", TAB, TAB)
    prompt.expect(DETECTION)
    prompt.type("d", TAB, ENTER)
    prompt.expect("Namespace: test-hotel-reservation")
    prompt.expect(PROMPT)
    prompt.type("get_l", TAB, '"test-hotel-reservation", "geo")', ENTER)
    prompt.expect("Starting geo")
    prompt.expect(PROMPT)
    prompt.type("fly()", ENTER)
    prompt.expect("Invalid action: fly. The actions are: exec_shell, ")
    prompt.type('exec_shell("seq 1 20000")', ENTER)
    prompt.expect("\n20000\r\n")
    prompt.type('submit("Yes")', ENTER)
    prompt.expect("success")
    prompt.expect("Detection Accuracy: Correct")
    prompt.expect("/results/")
    prompt.expect(PROMPT)
    prompt.type("exit", ENTER)
    assert prompt.end() == 0


def test_wrong_lines_are_told_what_is_right(prompt):
    prompt.type("stasrt it", ENTER)
    prompt.expect("'stasrt' is not understood here; did you mean 'start'?")
    prompt.type("start", ENTER)
    prompt.expect("which problem? 'problems' lists them")
    prompt.type("start noop", ENTER)
    prompt.expect(f"there is no problem 'noop'; did you mean '{NOOP}'?")
    prompt.type("xyzzyxyz", ENTER)
    prompt.expect("'start ID' begins a problem")
    prompt.type("problems", ENTER)
    prompt.expect(DETECTION)
    leave(prompt)


# ---- history ---------------------------------------------------------------------------------


def test_earlier_lines_come_back_also_in_the_next_session(aiopslab, prompt):
    for word in ("first", "second"):
        prompt.type(word, ENTER)
        prompt.expect(f"'{word}' is not understood")
    prompt.type(UP, UP, ENTER)
    prompt.expect("'first' is not understood")
    leave(prompt)
    again = Terminal(aiopslab)
    again.expect(PROMPT)
    again.type(UP, UP, ENTER)
    again.expect("'second' is not understood")
    leave(again)


# ---- interruptions ---------------------------------------------------------------------------


def test_ctrl_c_throws_a_line_away_and_the_prompt_stays(prompt):
    prompt.type("start wrong", CTRL_C)
    prompt.expect(PROMPT)
    prompt.type("right", ENTER)
    prompt.expect("'right' is not understood")
    leave(prompt)


def test_ctrl_c_in_an_action_asks_once_and_then_gives_the_problem_up(aiopslab, prompt):
    traces = Traces(aiopslab)

    def interrupt(action):
        prompt.type(f'exec_shell("{action}")', ENTER)
        await_true(lambda: action in "".join(traces.commands()), traces.commands)
        prompt.type(CTRL_C)

    begin(prompt)
    interrupt("sleep 3; echo slept")
    prompt.expect("The action goes on, and counts")
    prompt.expect("\nslept")
    prompt.expect(PROMPT)
    interrupt("sleep 29")
    prompt.expect("The action goes on, and counts")
    prompt.type(CTRL_C)
    prompt.expect("interrupted; the problem is given up")
    prompt.expect(PROMPT)
    begin(prompt)  # the system is there still
    leave(prompt)
    aiopslab.await_nobody()


def test_ctrl_c_while_a_problem_is_set_up_gives_it_up(prompt):
    prompt.type(f"start {NOOP}", ENTER)
    prompt.expect("environment")
    prompt.type(CTRL_C)
    prompt.expect("interrupted; the problem is given up")
    leave(prompt)


@pytest.mark.parametrize("end", [
    lambda prompt: prompt.hang_up() == -signal.SIGHUP,
    lambda prompt: prompt.process.send_signal(signal.SIGTERM) or prompt.end() == 130,
    lambda prompt: prompt.process.kill() or prompt.end() == -signal.SIGKILL,
], ids=["hang-up", "SIGTERM", "SIGKILL"])
def test_a_prompt_that_is_ended_in_a_problem_leaves_nothing(aiopslab, prompt, end):
    traces = Traces(aiopslab)
    begin(prompt)
    traces.note()
    assert end(prompt)
    await_true(lambda: not traces.left(), traces.left)


# ---- without a terminal ----------------------------------------------------------------------


def test_without_a_terminal_it_is_a_transcript_without_colours(aiopslab):
    script = f'start {NOOP}\nexec_shell("echo seen")\nsubmit("No")\nexit\n'
    ended = aiopslab(stdin=script)
    assert ended.status == 0
    assert f'{PROMPT}exec_shell("echo seen")\nseen\n' in ended.out
    assert "success" in ended.out
    assert "\x1b" not in ended.out + ended.err


@pytest.mark.parametrize("variables, is_coloured", [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_run_is_coloured_on_a_terminal_only_and_where_wanted(aiopslab, variables, is_coloured):
    aiopslab.environ.update(variables)
    terminal = Terminal(aiopslab, "run", NOOP, "--agent", "noop")
    assert terminal.end() in (0, 1)
    assert ("\x1b[2m" in terminal.screen) == is_coloured
    assert f"{NOOP} with noop, seed 0" in terminal.plain
    assert "\x1b" not in aiopslab("run", NOOP, "--agent", "noop").out
