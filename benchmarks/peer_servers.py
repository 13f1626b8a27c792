"""Prepare other model servers, each with the same fitted model, in an environment of its own that `.ci/install-peers` makes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import joblib

from benchmarks.environments import ROOT
from benchmarks.load import Way
from benchmarks.models import Model
from tests.services.web import free_port

PROGRAMS = ROOT / "benchmarks" / "baselines" / "peers"
Rows = list[list[float]]


def instances(rows: Rows) -> dict[str, Any]:
    """Make the body of `rows` as a list, which most servers take."""
    return {"instances": rows}


def tensor(rows: Rows, output: str = "predict") -> dict[str, Any]:
    """Make the body of `rows` as a tensor of the Open Inference Protocol.

    :param output: what MLServer's scikit-learn model computes.
    """
    data = [value for row in rows for value in row]
    x = {"name": "x", "shape": [len(rows), len(rows[0])], "datatype": "FP64", "data": data}
    return {"id": "1", "inputs": [x], "outputs": [{"name": output}]}


@dataclass(frozen=True)
class Peer:
    """A server: its program is `baselines/peers/NAME.py`, its environment `.tools/peers-NAME`.

    :param command: `{bin}` stands for the environment's programs, and `{port}` for the port.
    :param prepare: the arguments of the program if it prepares the folder; None if it is what serves, as `service.py` there.
    :param body: from rows to the body of a request for probabilities.
    """

    name: str
    title: str
    command: tuple[str, ...]
    path: str = "/predict"
    body: Callable[[Rows], dict[str, Any]] = instances
    environ: dict[str, str] = field(default_factory=dict)
    prepare: tuple[str, ...] | None = None


UVICORN = ("{bin}/python", "-m", "uvicorn", "service:app", "--port", "{port}")
SCRIPT = ("{bin}/python", "-P", "service.py", "{port}")
SKLEARN, ONNX = "fastapi_sklearn", "fastapi_onnx"
PEERS = [
    Peer(SKLEARN, "FastAPI + scikit-learn", UVICORN),
    Peer(ONNX, "FastAPI + onnxruntime", UVICORN),
    Peer(
        "mlserver",
        "MLServer",
        ("{bin}/mlserver", "start", "."),
        "/v2/models/model/infer",
        partial(tensor, output="predict_proba"),
        {"MLSERVER_HTTP_PORT": "{port}", "MLSERVER_PARALLEL_WORKERS": "0"},  # one core: a second process costs more than it gives
        (),
    ),
    Peer(
        "bentoml",
        "BentoML",
        ("{bin}/bentoml", "serve", "service:Classifier", "--port", "{port}"),
        environ={"BENTOML_DO_NOT_TRACK": "True"},
    ),
    Peer("litserve", "LitServe", SCRIPT),
    Peer(
        "mlflow",
        "MLflow server",
        ("{bin}/mlflow", "models", "serve", "-m", "model", "--env-manager", "local", "-p", "{port}", "-w", "1"),
        "/invocations",
        prepare=("predict_proba",),
    ),
    Peer("kserve", "KServe's SDK", SCRIPT, "/v1/models/model:predict", environ={"PREDICT_PROBA": "true"}),
]


def environment(peer: Peer) -> Path | None:
    """Find the folder of a server's environment; None if it is not made, or not in the versions of its constraints."""
    folder = ROOT / ".tools" / f"peers-{peer.name}"
    wanted, marker = ROOT / f"constraints-peers-{peer.name}.txt", folder / "installed.txt"
    return folder if marker.is_file() and marker.read_text() == wanted.read_text() else None


def version(peer: Peer) -> str:
    """Read the version of what is compared from the server's constraints."""
    lines = (ROOT / f"constraints-peers-{peer.name}.txt").read_text().splitlines()
    package = {SKLEARN: "scikit-learn", ONNX: "onnxruntime"}.get(peer.name, peer.name)
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{package}=="))


def serve(peer: Peer, folder: Path, model: Model) -> Way:
    """Prepare a server's folder, with the model as joblib or ONNX has it and `body.json` for one instance.

    :raises FileNotFoundError: the environment is not made.
    """
    place = environment(peer)
    if place is None:
        raise FileNotFoundError(f"{peer.title} is not installed; run: .ci/install-peers {peer.name}")
    folder.mkdir(parents=True)
    joblib.dump(model.estimator, folder / "model.joblib")
    if peer.name == ONNX:
        to_onnx(model, folder / "model.onnx")
    program, bin_ = PROGRAMS / f"{peer.name}.py", place / "bin"
    variables = {**peer.environ, "PATH": f"{bin_}:{os.environ['PATH']}", "HOME": str(folder)}
    if peer.prepare is None:
        shutil.copyfile(program, folder / "service.py")
    else:
        command = [str(bin_ / "python"), "-P", str(program), *peer.prepare]
        subprocess.run(command, cwd=folder, env={**os.environ, **variables}, check=True, capture_output=True)
    if peer.name == "mlserver":
        variables |= {f"MLSERVER_{name}_PORT": str(free_port()) for name in ("GRPC", "METRICS")}
    (folder / "body.json").write_text(json.dumps(peer.body([model.instance])))  # type: ignore[list-item]
    command = [word.replace("{bin}", str(bin_)) for word in peer.command]
    return Way(peer.title, model.name, tuple(command), folder, variables, peer.path)


def to_onnx(model: Model, path: Path) -> None:
    """Convert a model to an ONNX graph of float32.

    :raises CalledProcessError: skl2onnx refuses it.
    """
    with tempfile.TemporaryDirectory() as name:
        fitted = Path(name) / "fitted.joblib"
        joblib.dump((model.estimator, {}), fitted)
        subprocess.run([sys.executable, "-P", str(ROOT / "benchmarks" / "to_onnx.py"), str(fitted), str(path)], check=True)
