"""Names that do not exist, and files and ports that are no good: a sentence, a status, nothing left."""

import os
import socket

import pytest

from command import DETECTION, NOOP


def expect(ended, status, *texts):
    assert ended.status == status, ended.out + ended.err
    for text in texts:
        assert text in ended.err


# ---- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize("args, sentence", [
    (["rnu"], "there is no command 'rnu'; did you mean 'run'"),
    (["xyzzyxyz"], "there is no command 'xyzzyxyz'; 'aiopslab --help' lists them"),
    (["run", DETECTION[:-2]], f"there is no problem '{DETECTION[:-2]}'; did you mean '{DETECTION}'"),
    (["run", "xyzzyxyz"], "there is no problem 'xyzzyxyz'; 'aiopslab problems' lists them"),
    (["run", NOOP, "--agent", "orcale"], "there is no agent 'orcale'; did you mean 'oracle'"),
    (["run", NOOP, "--agent=xyzzyxyz"], "there is no agent 'xyzzyxyz'; the agents are deleter, heuristic,"),
    (["run", NOOP, "--agnet", "noop"], "there is no option '--agnet'; did you mean '--agent'?"),
    (["status", "xyz"], "there is no service 'xyz'; they are broker, cluster,"),
    (["status", "injectro"], "there is no service 'injectro'; did you mean 'injector'?"),
    (["env", "lst"], "there is no env command 'lst'; did you mean 'list'?"),
    (["faults", "nop"], "there is no fault 'nop'; did you mean 'noop'?"),
    (["inject", "wrong_target_prt"], "there is no fault 'wrong_target_prt'; did you mean 'wrong_target_port'?"),
    (["env", "xyzzyxyz"], "there is no env command 'xyzzyxyz'; 'aiopslab env --help' lists them"),
])
def test_an_unknown_name_is_answered_with_the_nearest_or_a_list(aiopslab, args, sentence):
    expect(aiopslab(*args), 2, sentence)


@pytest.mark.parametrize("args, sentence", [
    (["run"], "which problem?"),
    (["run", NOOP, "--max-steps", "0"], "--max-steps must be a number from 1 on, not '0'"),
    (["run", NOOP, "--seed", "seven"], "the seed must be a number"),
    (["up", "now"], "unexpected argument 'now'"),
    (["down", "now"], "unexpected argument 'now'"),
    (["env"], "create, list, kubeconfig, exec, shell or delete?"),
    (["env", "create"], "'env create' needs the name of an application, or --empty"),
    (["env", "delete"], "'env delete' needs the id of an environment; 'aiopslab env list'"),
    (["env", "create", "--nodes", "many"], "--nodes must be a number from 1 on, not 'many'"),
    (["env", "exec", "env-1"], "'env exec' needs the id of an environment and, after '--', a command"),
    (["env", "list", "env-1"], "'env list' takes nothing more"),
    (["inject"], "which fault? 'aiopslab faults' lists them"),
    (["inject", "noop"], "in which environment? --env ENV"),
    (["inject", "wrong_target_port", "-e", "x"], "the fault 'wrong_target_port' needs a target, a service"),
    (["inject", "wrong_target_port", "-e", "x", "-t", "geo", "-p", "port=0"],
     "parameter 'port' of the fault 'wrong_target_port' must be a whole number from 1 to 65535, not '0'"),
    (["inject", "wrong_target_port", "-e", "x", "-t", "geo", "-p", "prt=1"],
     "the fault 'wrong_target_port' has no parameter 'prt'; did you mean 'port'?"),
    (["inject", "wrong_target_port", "-e", "x", "-t", "geo", "--for", "soon"],
     "'soon' is no time, such as 500ms or 30s"),
    (["recover"], "recover which? the id that 'aiopslab inject' printed, or --all"),
    (["recover", "--all"], "in which environment? --env ENV"),
])
def test_a_wrong_call_is_told_what_is_right(aiopslab, args, sentence):
    expect(aiopslab(*args), 2, sentence)


def test_unknown_environments_and_applications_are_told(up):
    expect(up("env", "create", "hotel"), 2, "no application 'hotel'; did you mean 'hotel-reservation'?")
    expect(up("env", "delete", "env-1"), 2, "no environment 'env-1'; there is none")
    expect(up("env", "kubeconfig", "env-1"), 2, "no environment 'env-1'")


@pytest.mark.parametrize("command", ["down", "env", "faults", "inject", "problems", "prompt", "recover", "run", "status", "up"])
def test_every_command_has_help(aiopslab, command):
    ended = aiopslab(command, "--help")
    assert ended.status == 0
    assert ended.out.startswith(f"Usage: aiopslab {command}")
    assert max(map(len, ended.out.splitlines())) <= 100


# ---- configuration ---------------------------------------------------------------------------


def test_a_file_configures_all_programs(aiopslab):
    database = f"{aiopslab.folder}/elsewhere.db"
    config = aiopslab.write("lab.yaml", f"orchestrator:\n  database: {database}\n"
                                        "broker: {listen: 'tcp://127.0.0.1:0'}\ncluster:\n")
    assert aiopslab("up", "--config", config).status == 0
    assert os.path.exists(database)
    with open(f"{aiopslab.run_dir}/log/broker.log", encoding="utf-8") as file:
        assert "port=0" not in file.read()


@pytest.mark.parametrize("text, sentence", [
    ("orchestrator:\n  results: [a\n", "lab.yaml:3:1: not YAML: "),
    ("- orchestrator\n", "lab.yaml:1:1: expected a mapping of programs"),
    ("orchestrator:\n  results: x\nevaluatr:\n  verbose: true\n",
     "lab.yaml:3:1: there is no program 'evaluatr'; did you mean 'evaluator'?"),
    ("xyzzyxyz: {}\n", "lab.yaml:1:1: there is no program 'xyzzyxyz'; expected one of: broker, "),
    ("orchestrator:\n  reslts: x\n",
     "lab.yaml:2:3: there is no setting 'reslts'; did you mean 'results'?"),
    ("broker:\n  verbose: perhaps\n", "lab.yaml:2:12: expected true or false"),
    ("telemetry:\n  window: [1]\n", "lab.yaml:2:11: expected a single value for 'window'"),
    ("telemetry:\n  window: soon\n", "lab.yaml:2:11: "),
    ("telemetry:\n  window: 1\n  window: 2\n", "lab.yaml:3:3: 'window' is there twice"),
])
def test_a_broken_file_is_told_with_its_place_and_what_was_expected(aiopslab, text, sentence):
    ended = aiopslab("up", "--config", aiopslab.write("lab.yaml", text))
    expect(ended, 2, sentence)
    aiopslab.await_nobody()


def test_a_file_that_is_not_there_is_a_wrong_call(aiopslab):
    expect(aiopslab("up", "--config", "/nowhere.yaml"), 2, "cannot read '/nowhere.yaml': No such")


# ---- ports -----------------------------------------------------------------------------------


@pytest.fixture(name="taken")
def fixture_taken():
    """A port that somebody else listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_told_and_nothing_stays(aiopslab, taken):
    ended = aiopslab("up", "--listen", f"tcp://127.0.0.1:{taken}")
    expect(ended, 1, f"tcp://127.0.0.1:{taken}", "Address already in use")
    aiopslab.await_nobody()
    expect(aiopslab("status"), 1, "nothing runs")


@pytest.mark.parametrize("program", ["broker", "telemetry"])
def test_a_taken_metrics_port_is_told_and_nothing_stays(aiopslab, taken, program):
    config = aiopslab.write("lab.yaml", f"{program}:\n  metrics-port: {taken}\n")
    expect(aiopslab("up", "--config", config), 1, f"{program} did not start: ", f"{taken}",
           "Address already in use")
    aiopslab.await_nobody()


def test_a_listening_address_that_is_none_is_a_wrong_call(aiopslab):
    expect(aiopslab("up", "--listen", "localhost"), 2, "'localhost' is not tcp://HOST:PORT")
    aiopslab.await_nobody()


def test_a_second_up_is_refused_and_the_first_stays(up):
    expect(up("up"), 1, f"it is up already, in '{up.run_dir}'")
    assert up("status").status == 0
