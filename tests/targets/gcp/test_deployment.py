"""Deploying to Google Cloud: what is refused before anything runs, and what goes with the function."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from flyweight.toolkit.deploying import DeployFailed, Deployment, deployer

Run = Callable[..., Result]
Put = Callable[[str, int], None]


@pytest.mark.parametrize(
    ("provider", "given", "told"),
    [
        ("gcp", "MEMROY=1Gi", "MEMROY (MEMORY?)"),
        ("gcp", "PUBLIC=yes", "true or false"),
    ],
)
def test_a_parameter_that_would_be_refused_later_is_refused_before_anything_runs(
    provider: str, given: str, told: str, run: Run, put: Put
) -> None:
    put(provider, 1)
    done = run("deploy", provider, "--set", given, "--dry-run")
    assert done.exit_code == 1
    assert told in " ".join(done.stderr.split())
    assert done.stdout == ""


def test_the_function_gets_the_python_that_its_folder_was_built_for(tmp_path: Path) -> None:
    (tmp_path / "flyweight.json").write_text(json.dumps({"runtime": "3.12"}, indent=2))
    assert "python312" in "\n".join(map(str, deployer("gcp").deploy(Deployment(folder=tmp_path))))
    with pytest.raises(DeployFailed, match=r"built for Python 3\.12"):
        deployer("gcp").deploy(Deployment(folder=tmp_path, parameters={"PYTHON": "3.11"}))


def test_a_variable_of_the_environment_that_is_named_like_the_scripts_changes_nothing(
    folders: Callable[[str, int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [str(one) for one in deployer("gcp").deploy(Deployment(folder=folders("gcp", 1)))]
    for name, value in {"PUBLIC": "true", "MEMORY": "8Gi", "NAME": "other", "INVOKERS": "allUsers", "PROJECT": "p"}.items():
        monkeypatch.setenv(name, value)
    assert [str(one) for one in deployer("gcp").deploy(Deployment(folder=folders("gcp", 1)))] == before


def test_on_google_cloud_triggers_and_identities_go_with_the_function() -> None:
    lines = str(deployer("gcp").destroy(Deployment(group="a-project"))[0]).splitlines()
    assert [" ".join(line.split()[1:4]) for line in lines] == [
        *["eventarc triggers delete"] * 2,
        "run services delete",
        *["iam service-accounts delete"] * 2,
    ]
    assert len(str(deployer("gcp").destroy(Deployment())[0]).splitlines()) == 1


def test_what_google_creates_follows_the_variables() -> None:
    asked = Deployment(parameters={"OWN_ACCOUNT": "true", "TRIGGER_TOPIC": "rows"})
    usual, more = ({piece.kind for piece in deployer("gcp").creates(place)} for place in (Deployment(), asked))
    assert {"service account", "Eventarc trigger"} == more - usual
