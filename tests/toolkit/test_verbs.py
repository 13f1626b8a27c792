"""`flyweight.build`, `invoke`, `serve` and `push` do from Python what the command line does, with the same defaults."""

from __future__ import annotations

import inspect
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest

import flyweight
from flyweight.toolkit.verbs import NotAFile
from tests import fitted
from tests.conftest import PYTHON
from tests.services.web import exchange

# options that have another name in Python, and those that a function in a Python that runs on does not have: processes are forked
# and gRPC answered by the command, which has a process to itself
NAMES = {"keys": "keys", "no_bytecode": "with_bytecode", "env": "environ", "file": "model"}
CONSOLE = {"as_json", "own_steps", "own_module", "workers", "grpc_port", "fork_first"}


@pytest.mark.parametrize("verb", ["build", "invoke", "serve", "push"])
def test_a_function_has_the_options_of_its_verb_with_their_defaults(verb: str) -> None:
    parameters = inspect.signature(getattr(flyweight, verb)).parameters
    command: click.Command = import_module(f"flyweight.toolkit.cli.{verb}").command
    for option in command.params:
        name = NAMES.get(str(option.name), str(option.name))
        if option.name in CONSOLE:
            continue
        own = parameters[name].default
        default = option.get_default(click.Context(command))
        default = default if isinstance(default, (str, int)) else None  # click has a mark for none
        if name in ("aliases", "event"):  # their defaults stand in the help
            assert f"[default: {own if name == 'event' else own[0]}]" in str(option.help)  # type: ignore[attr-defined]
        elif name == "with_bytecode":
            assert own is not default
        elif own is inspect.Parameter.empty or option.multiple:
            assert default is None and not (option.multiple and own), name
        else:
            assert own == default, name
    assert not {*parameters} - {NAMES.get(str(o.name), str(o.name)) for o in command.params} - {"progress", "background"}


def test_a_model_is_packed_built_and_invoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    estimator, X = fitted.penguins()
    packed = flyweight.pack(estimator, "penguins.safetensors", sample=X, name="penguins", edge_count=20)
    built = flyweight.build("aws", packed, python=PYTHON)
    assert built.folder == tmp_path / "build" / "aws" and built.model == "penguins"
    figures = flyweight.invoke("aws", folder=built.folder)
    assert json.loads(figures.answer.body)["predictions"] == [estimator.predict(X.head(1))[0]]
    event = {"instances": json.loads(X.head(2).to_json(orient="records"))}
    direct = flyweight.invoke("aws", model=packed, event=event, python=sys.executable)
    assert json.loads(direct.answer.body)["predictions"] == estimator.predict(X.head(2)).tolist()


def test_a_model_is_served_in_the_background_until_it_is_closed(penguins: Path) -> None:
    body = json.dumps([["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]]).encode()
    headers = {"content-type": "application/json"}
    with flyweight.serve(penguins, port=0, background=True) as server:
        port = int(server.url.rpartition(":")[2])
        for _ in range(2):
            status, _, answer = exchange(port, "POST", "/predict", body, headers)
            assert status == 200 and json.loads(answer)["predictions"] == ["Gentoo"]
        assert server.url in repr(server)
    with pytest.raises(OSError, match=r"refused|reset"):
        exchange(port, "GET", "/health")
    with flyweight.serve(penguins, port=port, background=True):
        assert exchange(port, "GET", "/health")[0] == 200


def test_a_model_is_pushed_to_a_folder(penguins: Path, tmp_path: Path) -> None:
    pushed = flyweight.push(penguins, tmp_path / "models", aliases=["prod", "latest"])
    assert {*pushed.aliases} == {"prod", "latest"} and not pushed.existed
    assert flyweight.push(str(penguins), str(tmp_path / "models")).existed


def test_without_the_toolkit_pushing_is_refused_and_ends_no_program(
    penguins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "click", None)
    for name in [name for name in sys.modules if name.startswith("flyweight.toolkit.cli")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("flyweight.toolkit.cli", raising=False)
    with pytest.raises(flyweight.ToolkitError, match=r"needs more than the core: pip .*\[toolkit\]") as refused:
        flyweight.push(penguins, tmp_path / "models")
    assert "[toolkit]" in refused.value.next_step and not (tmp_path / "models").exists()


def test_another_signature_is_pushed_if_that_is_said(penguins: Path, tmp_path: Path) -> None:
    flyweight.push(penguins, tmp_path / "models")
    estimator, X = fitted.penguins()
    changed: dict[str, Any] = {"sample": X, "name": "penguins", "version": "2.0.0", "edge_count": 20}
    from sklearn.base import clone

    columns = ["island", "bill_length_mm"]
    smaller = clone(estimator).fit(X[columns], fitted_labels())
    packed = flyweight.pack(smaller, tmp_path / "other.safetensors", **{**changed, "sample": X[columns]})
    with pytest.raises(flyweight.ToolkitError, match="the signature changes") as caught:
        flyweight.push(packed, tmp_path / "models")
    assert "yes=True" in caught.value.next_step
    assert flyweight.push(packed, tmp_path / "models", yes=True).record["version"] == "2.0.0"


def fitted_labels() -> Any:
    from palmerpenguins import load_penguins

    return load_penguins()["species"]


def test_what_can_not_be_meant_is_refused_in_words(penguins: Path) -> None:
    estimator, X = fitted.penguins()
    unwritten = flyweight.pack(estimator, sample=X, name="penguins", edge_count=20)
    with pytest.raises(NotAFile, match="packed without a path"):
        flyweight.build("aws", unwritten)
    for given in ({}, {"model": penguins, "folder": penguins.parent}):
        with pytest.raises(flyweight.ToolkitError, match="either a model or a folder"):
            flyweight.invoke("aws", **given)
    with pytest.raises(flyweight.ToolkitError, match="nothing-like-this"):
        flyweight.invoke("aws", model=penguins, event="nothing-like-this")


def test_a_folder_without_a_program_is_refused_before_a_runtime_starts(tmp_path: Path) -> None:
    with pytest.raises(flyweight.ToolkitError, match="is not a built folder, and has no Python file to run") as refused:
        flyweight.invoke("aws", folder=tmp_path)
    assert "flyweight build aws" in refused.value.next_step
