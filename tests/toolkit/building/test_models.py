"""What a folder does with models: its own, one it is pointed at later, and one that has to be signed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

import flyweight
from flyweight import predictor
from flyweight.errors import FlyweightError, ModelRefused
from flyweight.registry import verification
from flyweight.toolkit.building import build
from flyweight.toolkit.packing import model_writer
from flyweight.toolkit.publishing import registry, signing
from tests.conftest import PYTHON

X = np.random.default_rng(0).normal(size=(40, 3))
EVENT = {"instances": [[0.0, 0.0, 0.0]]}


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose ops no linear model has."""
    path = tmp_path_factory.mktemp("models") / "forest.safetensors"
    estimator = RandomForestClassifier(n_estimators=3, random_state=0).fit(X, X[:, 0] > 0)
    flyweight.pack(estimator, path, sample=X, name="forest", version="1.0.0", edge_count=20)
    return path


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private key, its public half beside it."""
    path = tmp_path_factory.mktemp("keys") / "private.pem"
    signing.new_key(path)
    return path


def sign(model: Path, key: Path) -> None:
    """As `flyweight sign` does."""
    file = predictor.load(str(model)).file
    name, number = str(file.document["name"]), str(file.document["version"])
    signing.write(model, file.sha256, signing.sign(file.sha256, name, number, key))


def asked(folder: Path, places: list[Path], **environ: str) -> tuple[str, str]:
    """What the function answers with nothing but these on its path, and its log."""
    program = f"import sys; sys.path[:0] = {[*map(str, places)]!r}; import app; print(app.lambda_handler({EVENT!r}, None))"
    command = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(command, cwd=folder, env={"PATH": "", **environ}, capture_output=True, text=True)
    return done.stdout, done.stdout + done.stderr


def test_a_folder_that_is_pointed_at_a_model_of_other_ops_says_which_and_how_to_build_it(
    penguins: Path, forest: Path, tmp_path: Path
) -> None:
    small = build("aws", penguins, tmp_path / "small", python=PYTHON).folder
    _, told = asked(small, [small], FLYWEIGHT_MODEL=str(forest))
    assert "'trees.sum' is not an op that this flyweight knows" in told and "--every-op" in told
    whole = build("aws", penguins, tmp_path / "whole", python=PYTHON, every_op=True).folder
    answer, told = asked(whole, [whole], FLYWEIGHT_MODEL=str(forest))
    assert "predictions" in answer, told


def test_a_folder_without_the_engine_of_another_model_says_so(penguins: Path, forest: Path, tmp_path: Path) -> None:
    small = build("aws", penguins, tmp_path / "small", python=PYTHON).folder
    shutil.copyfile(forest, tmp_path / "other.safetensors")
    data = forest.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    document = {**json.loads(header["__metadata__"]["flyweight"]), "engines": ["onnx"]}
    header["__metadata__"]["flyweight"] = json.dumps(document)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    changed = model_writer.with_digest(len(text).to_bytes(8, "little") + text + data[8 + length :])
    (tmp_path / "other.safetensors").write_bytes(changed)
    _, told = asked(small, [small], FLYWEIGHT_MODEL=str(tmp_path / "other.safetensors"))
    assert "'onnx' is not in this folder" in told and "--every-op" in told


def test_a_model_in_a_store_brings_every_op_as_its_address_may_mean_another_by_and_by(forest: Path, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    registry.at(f"file://{tmp_path}/store").push(forest)
    made = build("aws", f"file://{tmp_path}/store/forest@latest", tmp_path / "out", python=PYTHON)
    assert (made.folder / "flyweight/ops/linear.py").is_file() and (made.folder / "flyweight/engines/onnx.py").is_file()


@pytest.mark.parametrize(
    "address", ["file://{}/store/forest@prod", "file://{}/nowhere/forest@latest", "foo://bucket/forest@latest"]
)
def test_an_address_with_no_model_is_answered_with_what_to_look_for(address: str, forest: Path, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    registry.at(f"file://{tmp_path}/store").push(forest)
    with pytest.raises(FlyweightError) as refused:
        build("aws", address.format(tmp_path), tmp_path / "out", python=PYTHON)
    assert "flyweight models ls" in getattr(refused.value, "next_step", "") and not (tmp_path / "out").exists()


def test_a_signature_travels_with_its_model_and_the_function_can_verify_it(penguins: Path, key: Path, tmp_path: Path) -> None:
    model = tmp_path / "penguins.safetensors"
    shutil.copyfile(penguins, model)
    public = f"{key}.pub"
    with pytest.raises(ModelRefused, match="is not signed") as refused:
        build("aws", model, tmp_path / "out", python=PYTHON, keys=(public,))
    assert "flyweight sign" in refused.value.next_step and not (tmp_path / "out").exists()
    sign(model, key)
    made = build("aws", model, tmp_path / "out", python=PYTHON, keys=(public,))
    assert verification.beside(str(made.folder / "model.safetensors")) == verification.beside(str(model))
    assert made.requires == [f"cryptography=={version('cryptography')}"]
    assert f"cryptography=={version('cryptography')}" in (made.folder / "requirements.txt").read_text().splitlines()


def test_a_signature_of_other_bytes_is_found_before_a_function_finds_it(
    penguins: Path, forest: Path, key: Path, tmp_path: Path
) -> None:
    shutil.copyfile(forest, tmp_path / "m.safetensors")
    sign(tmp_path / "m.safetensors", key)
    shutil.copyfile(penguins, tmp_path / "m.safetensors")
    with pytest.raises(ModelRefused, match="signature of other bytes") as refused:
        build("aws", tmp_path / "m.safetensors", tmp_path / "out", python=PYTHON)
    assert "sign anew" in refused.value.next_step


def test_a_model_that_another_key_signed_is_not_built(penguins: Path, key: Path, tmp_path: Path) -> None:
    model = tmp_path / "penguins.safetensors"
    shutil.copyfile(penguins, model)
    sign(model, key)
    signing.new_key(tmp_path / "other.pem")
    with pytest.raises(ModelRefused, match="not trusted here"):
        build("aws", model, tmp_path / "out", python=PYTHON, keys=(f"{tmp_path}/other.pem.pub",))
