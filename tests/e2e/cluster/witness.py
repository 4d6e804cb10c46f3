"""The same commands, run by several kubectls against an environment and, once, against a real API server.

recordings/script.txt holds the commands, recordings/vX.Y.txt what kubectl X.Y and a Kubernetes 1.20 said
to them, and recordings/differences.txt where an environment says something else, and why.

    witness.py KUBECTL KUBECONFIG >recordings/vX.Y.txt     records
"""

import difflib
import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import pytest

from command import Command

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "recordings")
NAMESPACE = os.environ.get("WITNESS_NAMESPACE", "witness")
PATIENCE_S = 120

RULES = [(re.compile(pattern), by) for pattern, by in [
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UID"),
    (r"\b(web|once|bad|warm)-[a-z0-9]{6,10}-[a-z0-9]{5}\b", r"\1-HASH-NAME"),
    (r"\b(web)-[a-z0-9]{6,10}\b", r"\1-HASH"),
    (r"\b(once|bad)-[a-z0-9]{5}\b", r"\1-NAME"),
    (r"pod-template-hash=[a-z0-9]+", "pod-template-hash=HASH"),
    (r"\b(default|robot)-token-[a-z0-9]{5}\b", r"\1-token-NAME"),
    (r"\bkube-api-access-[a-z0-9]{5}\b", "kube-api-access-NAME"),
    (r"\b\d+\.\d+\.\d+\.\d+\b", "ADDRESS"),
    (r"\b\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
    (r"\b\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "TIME"),
    (r"(?<![\w.:=-])(\d+d)?(\d+h)?(\d+m)?(\d+(\.\d+)?s)(?![\w.])", "AGE"),
    (r"(?<!cpu: )(?<![\w.:=-])\d+m(?=\s|$)", "AGE"),
    (r"\(x\d+ over AGE\)", ""),
    (r"(containerd|sha256)://?\S+|sha256:[0-9a-f]+", "DIGEST"),
    (r"\b(rk8s-node|kind-control-plane|kind-worker\d*)\b", "NODE"),
    (r'resourceVersion: "\d+"', "resourceVersion: N"),
]]


def script():
    """(whether it is compared, the words) of each command."""
    with open(os.path.join(HERE, "script.txt"), encoding="utf-8") as file:
        for line in file:
            line = line.strip()
            if line and not line.startswith("#"):
                quiet = line.startswith("- ")
                text = line[2:] if quiet else line
                yield not quiet, text, shlex.split(text)


def normal(text):
    """What of an output does not change from run to run."""
    text = text.replace(NAMESPACE, "witness")
    for pattern, by in RULES:
        text = pattern.sub(by, text)
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.splitlines()]
    return sort_events([line for line in lines if line])


def sort_events(lines):
    """Events of one second have no order."""
    begin = next((i for i, line in enumerate(lines) if line.startswith("Type Reason Age")), None)
    if begin is None:
        return lines
    return lines[:begin + 2] + sorted(lines[begin + 2:])


class Kubectl:
    def __init__(self, program, kubeconfig, cache):
        self.command = [program, "--cache-dir", cache, "--kubeconfig", kubeconfig]

    def __call__(self, *words):
        try:
            ended = subprocess.run([*self.command, *words], capture_output=True, text=True,
                                   timeout=PATIENCE_S, cwd=HERE, check=False,
                                   stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return 124, "it did not end"
        return ended.returncode, ended.stdout + ended.stderr


def play(kubectl):
    """Yields a command and the lines that it gave, its status first."""
    kubectl("create", "namespace", NAMESPACE)
    while kubectl("get", "sa", "default", "-n", NAMESPACE)[0]:
        time.sleep(0.1)
    for is_compared, text, words in script():
        at = words.index("--") if "--" in words else len(words)
        status, output = kubectl(*words[:at], "-n", NAMESPACE, *words[at:])
        if is_compared:
            yield text, [f"= {status}", *normal(output)]
    kubectl("delete", "namespace", NAMESPACE)


def load(name):
    """The recording: lines by command and how often it came before."""
    found, key = {}, None
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line.startswith("$ "):
                key = numbered(found, line[2:])
                found[key] = []
            elif key and line:
                found[key].append(line)
    return found


def numbered(found, text):
    count = sum(1 for key in found if key[0] == text)
    return (text, count)


# ---- comparing -------------------------------------------------------------------------------


def differences():
    """Patterns of lines that may be the real server's alone, that may be ours alone, and commands
    that are not compared."""
    real, ours, skipped = [], [], []
    with open(os.path.join(HERE, "differences.txt"), encoding="utf-8") as file:
        for line in file.read().splitlines():
            sign, _, pattern = line.partition(" ")
            for mark, patterns in (("-", real), ("+", ours), ("!", skipped)):
                if sign in (mark, "[-+]") and mark != "#":
                    patterns.append(pattern)
    return real, ours, skipped


def unexplained(recorded, said):
    """What differs beyond the list, as lines of text."""
    real, ours, skipped = differences()
    found = []
    for key, lines in recorded.items():
        if key[0] in skipped:
            continue
        delta = list(difflib.ndiff(lines, said.get(key, [])))
        for line in delta:
            patterns = {"- ": real, "+ ": ours}.get(line[:2], [".*"])
            if not any(re.fullmatch(pattern, line[2:]) for pattern in patterns) \
                    and not line.startswith("? "):
                found.append(f"$ {key[0]}\n    {line}")
    return found


def programs():
    """A kubectl for each version that there is a recording of, if it is at hand: the one for the
    agent's shell and those beside it."""
    first = os.environ.get("AIOPSLAB_KUBECTL") or shutil.which("kubectl") or ""
    folder = os.path.dirname(os.path.realpath(first))
    tools = os.path.join(os.environ.get("AIOPSLAB_SRC", "."), "build/tools")
    found = {}
    for program in [first, *glob.glob(f"{folder}/kubectl.1.*"), *glob.glob(f"{tools}/kubectl*")]:
        version = version_of(program)
        if version and os.path.exists(os.path.join(HERE, f"{version}.txt")):
            found.setdefault(version, program)
    return found


def version_of(program):
    try:
        ended = subprocess.run([program, "version", "--client", "-o", "json"], capture_output=True,
                               text=True, check=False, timeout=PATIENCE_S)
        client = json.loads(ended.stdout)["clientVersion"]
        return f"v{client['major']}.{client['minor'].rstrip('+')}"
    except (OSError, ValueError, KeyError):
        return None


@pytest.mark.parametrize("version", ["v1.20", "v1.30", "v1.35"])
def test_kubectl_hears_what_a_real_server_has_said(cluster, version):
    program = programs().get(version)
    if not program:
        pytest.skip(f"there is no kubectl {version}")
    said = {}
    with tempfile.TemporaryDirectory() as cache:
        for text, lines in play(Kubectl(program, cluster, cache)):
            said[numbered(said, text)] = lines
    found = unexplained(load(f"{version}.txt"), said)
    assert not found, "\n".join(found)


@pytest.fixture(name="cluster", scope="module")
def fixture_cluster():
    """The kubeconfig of an empty environment with one node."""
    command = Command()
    assert command("up").status == 0
    env = command("env", "create", "--empty", "--nodes", "1").out.strip()
    yield command.write("kubeconfig", command("env", "kubeconfig", env).out)
    command.close()


def main():
    program, kubeconfig = sys.argv[1:]
    with tempfile.TemporaryDirectory() as cache:
        for text, lines in play(Kubectl(program, kubeconfig, cache)):
            print(f"$ {text}", *lines, "", sep="\n", flush=True)


if __name__ == "__main__":
    main()
