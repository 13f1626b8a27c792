"""A cluster without nodes: the API server, its store and its controllers, as processes of this machine."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.conftest import ROOT
from tests.services.web import GENEROUS, free_port, wait_until
from tests.targets.kubernetes.manifests import TOOLS

PROGRAMS = ROOT / ".tools" / "kube-apiserver"
TOKEN = "of-the-tests"
RESTRICTED = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn")]


class Cluster:
    """What kubectl and helm are told of the cluster, by the variable KUBECONFIG."""

    def __init__(self, place: Path, port: int) -> None:
        self.config = place / "kubeconfig.json"
        cluster = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
        document = {
            "apiVersion": "v1", "kind": "Config", "current-context": "tests",
            "clusters": [{"name": "tests", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": TOKEN}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "admin", "namespace": "models"}}],
        }  # fmt: skip
        self.config.write_text(json.dumps(document))

    def run(self, *words: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run kubectl."""
        environ = {**os.environ, "KUBECONFIG": str(self.config)}
        command = [str(TOOLS / "bin" / "kubectl"), *map(str, words)]
        return subprocess.run(command, env=environ, input=text, capture_output=True, text=True, timeout=GENEROUS)

    def done(self, *words: str | Path, text: str = "") -> str:
        """Run kubectl, which has to succeed."""
        done = self.run(*words, text=text)
        assert done.returncode == 0, f"kubectl {' '.join(map(str, words))}: {done.stderr}"
        return done.stdout

    def json(self, *words: str) -> Any:
        """Read objects."""
        return json.loads(self.done("get", *words, "--output=json"))


@contextmanager
def cluster(place: Path) -> Iterator[Cluster]:
    """Start a cluster with a namespace `models` that admits pods of the level "restricted" only, and the kinds of others."""
    store, port = free_port(), free_port()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    (place / "accounts.key").write_bytes(key.private_bytes(*form))
    (place / "tokens.csv").write_text(f"{TOKEN},admin,admin,system:masters\n")
    (place / "accounts.key").chmod(0o600)
    made = Cluster(place, port)
    urls = [f"--{name}-client-urls=http://127.0.0.1:{store}" for name in ("listen", "advertise")]
    urls.append(f"--listen-peer-urls=http://127.0.0.1:{free_port()}")
    server = [
        f"--etcd-servers=http://127.0.0.1:{store}", f"--secure-port={port}", "--bind-address=127.0.0.1",
        "--cert-dir=certificates", "--service-account-key-file=accounts.key",
        "--service-account-signing-key-file=accounts.key", "--service-account-issuer=https://kubernetes.default.svc",
        "--token-auth-file=tokens.csv", "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24",
    ]  # fmt: skip
    controllers = [f"--kubeconfig={made.config}", "--leader-elect=false", "--use-service-account-credentials=false"]
    controllers += ["--service-account-private-key-file=accounts.key", f"--secure-port={free_port()}", "--bind-address=127.0.0.1"]
    with ExitStack() as stack:
        start(stack, place, "etcd", "--data-dir=store", "--unsafe-no-fsync", *urls)
        start(stack, place, "kube-apiserver", *server)
        wait_until(lambda: made.run("get", "--raw=/readyz").stdout == "ok", "the API server is ready", pause=0.2)
        start(stack, place, "kube-controller-manager", *controllers)
        made.done("create", "namespace", "models")
        made.done("label", "namespace", "models", *RESTRICTED)
        made.done("apply", "--server-side", "--filename", TOOLS / "definitions")
        made.done("wait", "--for=condition=Established", "crd", "--all", f"--timeout={GENEROUS:.0f}s")
        yield made


def start(stack: ExitStack, place: Path, program: str, *options: str) -> None:
    """Start a program that ends with the stack; what it prints is in a file beside it."""
    log = stack.enter_context((place / f"{program}.log").open("wb"))
    process = subprocess.Popen([PROGRAMS / program, *options], cwd=place, stdout=log, stderr=log)
    stack.callback(process.wait)
    stack.callback(process.terminate)
