"""A model with another signature takes no place before the changes were shown and agreed to."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from sklearn.linear_model import LogisticRegression

import flyweight
from flyweight.toolkit.building import build
from flyweight.toolkit.deploying.releases import Releases
from flyweight.toolkit.targets import naming

Run = Callable[..., Result]
VERSIONS = {"1": "ab", "2": "ab", "3": "abc"}  # a letter a feature
CHANGE = "features added, which requests must have: c"


def packed(path: Path, names: str, version: str) -> Path:
    rows = np.random.default_rng(0).normal(size=(40, len(names)))
    estimator = LogisticRegression().fit(rows, rows[:, 0] > 0)
    sample = pd.DataFrame(rows[:5], columns=[*names])
    flyweight.pack(estimator, path, sample=sample, name="m", version=version, edge_count=5)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three versions of a model, of which only the last takes another input."""
    place = tmp_path_factory.mktemp("models")
    return {version: packed(place / f"{version}.safetensors", names, version) for version, names in VERSIONS.items()}


@pytest.fixture
def store(tmp_path: Path, run: Run, files: dict[str, Path]) -> Path:
    for version in ("1", "2"):
        assert run("push", files[version], tmp_path / "store").exit_code == 0
    return tmp_path / "store"


def means(run: Run, store: Path) -> str:
    version: str = json.loads(run("models", "show", f"{store}/m@latest", "--json").stdout)["record"]["version"]
    return version


def test_push_refuses_without_a_terminal_and_goes_on_with_yes(run: Run, store: Path, files: dict[str, Path]) -> None:
    refused = run("push", files["3"], store)
    assert refused.exit_code == 1 and "and add --yes to go on" in refused.stderr
    assert f"the signature changes from m 2 to m 3, and nothing was done:\n  {CHANGE}" in refused.stderr
    assert means(run, store) == "2"
    agreed = run("push", files["3"], store, "--yes")
    assert agreed.exit_code == 0 and CHANGE in agreed.stderr
    assert means(run, store) == "3"


def test_push_asks_for_a_new_alias_by_what_latest_means(run: Run, store: Path, files: dict[str, Path]) -> None:
    assert run("push", files["3"], store, "--alias", "staging").exit_code == 1
    assert run("push", files["2"], store, "--alias", "staging").exit_code == 0


def test_json_has_the_refusal_too(run: Run, store: Path, files: dict[str, Path]) -> None:
    refused = run("push", files["3"], store, "--json")
    document = json.loads(refused.stdout)
    assert document["error"] == "SchemaChanged" and CHANGE in document["message"] and "--yes" in document["next_step"]


def test_promote_shows_the_changes_and_a_rollback_needs_no_agreement(run: Run, store: Path, files: dict[str, Path]) -> None:
    assert run("push", files["3"], store, "--alias", "next", "--yes").exit_code == 0
    refused = run("models", "promote", f"{store}/m@latest", "3")
    assert refused.exit_code == 1 and CHANGE in refused.stderr
    assert run("models", "promote", f"{store}/m@latest", "1").exit_code == 0
    assert run("models", "promote", f"{store}/m@latest", "3", "--yes").exit_code == 0
    assert run("models", "rollback", f"{store}/m@latest").exit_code == 0
    assert means(run, store) == "1"


def test_a_version_that_can_not_be_compared_does_not_stop_its_own_repair(run: Run, store: Path, files: dict[str, Path]) -> None:
    (data,) = (store / "m" / "2").glob("*.safetensors")
    data.write_bytes(b"damaged")
    result = run("push", files["3"], store)
    assert result.exit_code == 0 and "note: the signature is not compared with that of" in result.stderr


@pytest.mark.parametrize(("answer", "status", "version"), [("y", 0, "3"), ("n", 1, "2"), ("", 1, "2")])
def test_at_a_terminal_the_user_is_asked(
    answer: str, status: int, version: str, run: Run, store: Path, files: dict[str, Path]
) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from flyweight.toolkit.cli import main; main()", "push", str(files["3"]), str(store)]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        os.write(ours, f"{answer}\n".encode())
        _, asked = process.communicate(timeout=60)
    os.close(ours), os.close(theirs)
    assert CHANGE in asked and "Let m@latest mean 3? [y/N]" in asked
    assert (process.returncode, means(run, store)) == (status, version)


def test_deploy_compares_with_the_last_release_from_here(
    run: Run, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("flyweight.toolkit.deploying.rollout.check", lambda *_: None)
    monkeypatch.setattr("flyweight.toolkit.targets.commands.Runner.output_if_any", lambda *_: "project")
    releases = Releases("gcp", ("project", "europe-west1"), naming.of_model("m"))
    releases.keep(releases.stage(build("gcp", files["1"], tmp_path / "first", with_bytecode=False).folder), "", {})
    build("gcp", files["3"], tmp_path / "build" / "gcp", with_bytecode=False)
    shown = run("deploy", "gcp", "--dry-run")
    assert shown.exit_code == 0 and CHANGE in shown.stderr and CHANGE not in shown.stdout
    refused = run("deploy", "gcp")
    assert refused.exit_code == 1 and CHANGE in refused.stderr and "and nothing was done" in refused.stderr
    build("gcp", files["2"], tmp_path / "build" / "gcp", with_bytecode=False)
    assert "signature" not in run("deploy", "gcp", "--dry-run").stderr
