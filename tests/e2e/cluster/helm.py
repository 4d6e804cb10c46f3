"""The life of a release: installed, upgraded, rolled back and uninstalled by the real helm (HELM names
one; otherwise that of build/tools, which scripts/find-kubectl fetches, or that on PATH)."""

import os
import shutil
import subprocess

import pytest

from command import Command

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(os.environ.get("AIOPSLAB_SRC", "."), "build/tools/helm")
HELM = os.environ.get("HELM") or (TOOLS if os.path.exists(TOOLS) else shutil.which("helm"))
KUBECTL = os.environ.get("AIOPSLAB_KUBECTL") or shutil.which("kubectl")
pytestmark = pytest.mark.skipif(not HELM or not KUBECTL, reason="there is no helm or no kubectl")


class Cluster:
    """An empty environment, and tools that work on it."""

    def __init__(self, command):
        env = command("env", "create", "--empty", "--nodes", "1").out.strip()
        kubeconfig = command.write("kubeconfig", command("env", "kubeconfig", env).out)
        os.chmod(kubeconfig, 0o600)
        self.environ = {**os.environ, "KUBECONFIG": kubeconfig, "HOME": command.folder}

    def run(self, *words):
        return subprocess.run(words, env=self.environ, cwd=HERE, capture_output=True, text=True,
                              check=False, timeout=120)

    def helm(self, *words):
        """Runs helm, which must succeed."""
        ended = self.run(HELM, *words)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def value(self, kind, path):
        return self.run(KUBECTL, "get", kind, "shop", "-o", f"jsonpath={{{path}}}").stdout

    def secrets(self):
        return self.run(KUBECTL, "get", "secrets", "-l", "owner=helm", "-o", "name").stdout.split()


@pytest.fixture(name="cluster", scope="module")
def fixture_cluster():
    command = Command()
    assert command("up").status == 0
    yield Cluster(command)
    command.close()


CONTAINERS = ".spec.template.spec.containers[*].name"
WAIT = ["--wait", "--timeout", "100s"]


def test_a_release_lives_as_on_any_cluster(cluster):
    assert "shop says hello." in cluster.helm("install", "shop", "chart", *WAIT)
    assert cluster.value("deploy", ".status.readyReplicas") == "1"
    assert cluster.run(KUBECTL, "get", "jobs", "-o", "name").stdout == "", "the hook's job stays"

    cluster.helm("upgrade", "shop", "chart", "--set", "greeting=bye", "--set", "extra=true", *WAIT)
    assert cluster.value("deploy", CONTAINERS) == "shop extra"
    assert cluster.value("cm", ".data.greeting") == "bye"

    cluster.helm("rollback", "shop", "1", *WAIT)
    assert cluster.value("deploy", CONTAINERS) == "shop"
    assert cluster.value("cm", ".data.greeting") == "hello"
    assert [line.split()[0] for line in cluster.helm("history", "shop").splitlines()] == [
        "REVISION", "1", "2", "3"]
    assert len(cluster.secrets()) == 3

    cluster.helm("uninstall", "shop", *WAIT)
    assert cluster.secrets() == []
    assert cluster.run(KUBECTL, "get", "deploy,cm", "-o", "name").stdout.split() == [
        "configmap/kube-root-ca.crt"]


def test_what_the_server_refuses_fails_the_release(cluster):
    ended = cluster.run(HELM, "install", "wrong", "chart", "--set", "replicas=many")
    assert ended.returncode == 1
    assert "replicas" in ended.stderr
    cluster.helm("uninstall", "wrong")
