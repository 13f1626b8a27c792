"""Make the folders that are compared: the same model as flyweight builds it, and as it is usually deployed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib

from benchmarks.environments import python_of
from benchmarks.models import Model
from flyweight.toolkit import targets
from flyweight.toolkit.building import build, bytecode
from flyweight.toolkit.building.bytecode import version_of
from flyweight.toolkit.events import samples
from flyweight.toolkit.packing.pack import pack
from flyweight.toolkit.running import runtime

BASELINES = Path(__file__).resolve().parent / "baselines"
EMPTY, FLYWEIGHT, ONNX, JOBLIB = "empty", "flyweight", "onnxruntime", "joblib + scikit-learn"
OWN = "own client + flyweight"  # the same model, started by flyweight's client or server instead of the provider's
KINDS = (EMPTY, FLYWEIGHT, OWN, ONNX, JOBLIB)
PROVIDERS = ("aws", "gcp", "azure")
PACKAGES = {ONNX: ["onnxruntime"], JOBLIB: ["joblib", "scikit-learn"]}  # to install beside a folder; the others need none


class CannotConvert(Exception):
    """A model that skl2onnx refuses."""


@dataclass(frozen=True, eq=False)  # compared by identity, because an event is a dict
class Function:
    """One folder of one provider, the event to send to it, and the target and the variables that choose what runs it."""

    provider: str
    model: str
    kind: str
    folder: Path
    event: Any
    target: str
    environ: Mapping[str, str] = field(default_factory=dict)


def event(provider: str, model: Model) -> Any:
    """Make the provider's event of a prediction, with the model's own instance in the body."""
    return samples.predicting(provider, [model.instance])


def model_file(model: Model, place: Path) -> Path:
    """Pack the model as a flyweight model file."""
    path = place / f"{model.name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    pack(model.estimator, path, sample=model.sample, name=model.name, edge_count=300, engine="pure")
    return path


def make(provider: str, model: Model, kind: str, place: Path, python: str = sys.executable) -> Function:
    """Make a function's folder under `place`, with the bytecode that deployed functions have.

    :param python: an interpreter of the version that runs the function.
    :raises CannotConvert: skl2onnx refuses the model.
    """
    folder = place / provider / model.name / kind.partition(" ")[0]
    target = own_target(provider) if kind == OWN else provider
    MAKERS[kind](target, model, folder, place, python)
    environ = runtime(target).CLIENTS.get("own", {}) if kind == OWN else {}
    return Function(provider, model.name, kind, folder, event(provider, model), target, environ)


def offered(provider: str, kind: str) -> bool:
    """Tell whether a provider has this kind of function."""
    return kind != OWN or bool(own_target(provider))


def own_target(provider: str) -> str:
    """Name the target that flyweight's own client or server runs at a provider; "" if there is none.

    It is the provider's functions if their runtime can be replaced there, or else another target that shares their events.
    """
    if "own" in runtime(provider).CLIENTS:
        return provider
    return next((target.name for target in targets.all_targets() if target.shares == provider and target.has("runtime")), "")


def _flyweight(target: str, model: Model, folder: Path, place: Path, python: str) -> None:
    path = place / f"{model.name}.safetensors"
    build(target, path if path.is_file() else model_file(model, place), folder, python=version_of(python))


def _empty(target: str, model: Model, folder: Path, place: Path, python: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    runtime(target).empty(folder)
    bytecode.compile_tree(folder, python)


def _joblib(target: str, model: Model, folder: Path, place: Path, python: str) -> None:
    _assemble(folder, python, BASELINES / "entries" / target, BASELINES / "joblib")
    joblib.dump(model.estimator, folder / "model.joblib")


def _onnx(target: str, model: Model, folder: Path, place: Path, python: str) -> None:
    graph = place / f"{model.name}.onnx"
    if not graph.is_file():
        with tempfile.TemporaryDirectory() as workspace:
            fitted = Path(workspace) / "fitted.joblib"
            # names and kinds only: reading pandas' strings may need pyarrow, which makes each import of pandas slower
            numbers = {str(name): column.dtype.kind in "biuf" for name, column in model.sample.items()}
            joblib.dump((model.estimator, numbers), fitted)
            script = str(Path(__file__).with_name("to_onnx.py"))
            command = [str(python_of("aws")), "-P", script, str(fitted), str(graph)]
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise CannotConvert(done.stderr.strip().splitlines()[-1])
    _assemble(folder, python, BASELINES / "entries" / target, BASELINES / "onnx")
    shutil.copyfile(graph, folder / "model.onnx")


def _assemble(folder: Path, python: str, *sources: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for source in sources:
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    bytecode.compile_tree(folder, python)


MAKERS: dict[str, Callable[[str, Model, Path, Path, str], None]] = {
    EMPTY: _empty,
    FLYWEIGHT: _flyweight,
    OWN: _flyweight,
    ONNX: _onnx,
    JOBLIB: _joblib,
}
