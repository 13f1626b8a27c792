"""Releases know their place: what was deployed elsewhere under the same name is never gone back to, and the provider is asked."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from sklearn.linear_model import LogisticRegression

from flyweight.toolkit import targets
from flyweight.toolkit.building import build
from flyweight.toolkit.deploying import Deployment
from flyweight.toolkit.deploying.releases import Releases, releases_of
from flyweight.toolkit.packing.pack import pack
from flyweight.toolkit.targets.commands import Runner
from tests.toolkit.deploying.provider_tools import ProviderTools
from tests.toolkit.deploying.stand_in import deployed, stand_in, versioned

Run = Callable[..., Result]
Put = Callable[[str, int], None]
DEV = ["--name", "birds", "--region", "europe-west1", "--group", "our-dev"]
PROD = ["--name", "birds", "--region", "us-east1", "--group", "our-prod"]
each = pytest.mark.parametrize("provider", deployed())


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def home(provider: str, here: Path, **place: str) -> Path:
    """Where the releases of a deployment are stored, by a provider's tools that are logged in."""
    deployer = targets.find(provider).deployer
    return releases_of(deployer, Deployment(**place), Runner(lambda line: None), here).home


@each
def test_each_place_has_releases_of_its_own(provider: str, here: Path, tools: ProviderTools) -> None:
    places = [{"region": "europe-west1"}, {"region": "us-east1"}, {"group": "our-dev"}, {"group": "our-prod"}]
    homes = [home(provider, here, name="birds", **place) for place in places]
    apart = stand_in(provider).apart
    assert len({homes[number] for number in apart}) == len(apart)
    assert home(provider, here, name="birds") != home(provider, here, name="iris")


@each
def test_the_account_is_the_one_that_the_tools_are_logged_in_to(provider: str, here: Path, tools: ProviderTools) -> None:
    account = stand_in(provider).account
    assert home(provider, here).relative_to(here).parts[:2] == (provider, account or "-")


@pytest.mark.parametrize("part", ["..", ".", "", "a/b", "../../x", "a b", "A%2Fb"])
def test_no_part_of_a_place_leads_out_of_the_folder_or_into_another_place(part: str, tmp_path: Path) -> None:
    found = Releases("aws", (part,), "birds", tmp_path).home
    assert found.parent.parent == tmp_path / "aws" and found.resolve() == found
    others = {Releases("aws", (other,), "birds", tmp_path).home for other in ("a%2Fb", "a", "a-b", "%2E")} - {found}
    assert len(others) == 4


@each
def test_a_rollback_never_publishes_what_was_deployed_elsewhere(
    provider: str, run: Run, put: Put, tools: ProviderTools, port: int, second_port: int
) -> None:
    put(provider, 1)
    tools.state(url=url(port))
    assert run("deploy", provider, *DEV).exit_code == 0
    put(provider, 2)
    tools.state(url=url(second_port), live=0, made=0)  # nothing is there yet
    assert run("deploy", provider, *PROD).exit_code == 0
    before = len(tools.calls())
    refused = run("rollback", provider, *PROD)
    assert refused.exit_code == 1 and "no earlier one to roll back to" in refused.stderr
    changing = "|".join(filter(None, (*stand_in(provider).makes, stand_in(provider).back)))
    assert not [call for call in tools.calls()[before:] if re.search(changing, " ".join(call))]


@pytest.mark.parametrize("provider", versioned())
def test_a_fresh_checkout_goes_back_to_what_the_provider_names(
    provider: str, run: Run, put: Put, tools: ProviderTools, port: int, second_port: int, here: Path
) -> None:
    for version, at in ((1, port), (2, second_port)):
        put(provider, version)
        tools.state(url=url(at))
        assert run("deploy", provider).exit_code == 0
    shutil.rmtree(here / ".flyweight")
    tools.state(url=url(port))
    done = run("rollback", provider)
    assert done.exit_code == 0, done.output
    assert tools.state()["live"] == 1
    assert "its folder is not here" in " ".join(done.stdout.split())
    second = stand_in(provider).names_version(2)
    assert json.loads(run("rollback", provider, "--to", second, "--json").stdout)["label"] == second
    assert tools.state()["live"] == 2


@pytest.mark.parametrize("provider", versioned())
def test_what_somebody_else_deployed_since_is_gone_back_from(
    provider: str, run: Run, put: Put, tools: ProviderTools, port: int
) -> None:
    """The folder's last release is 1; since then 2 to 5 were deployed from elsewhere, so that the version before is 4."""
    put(provider, 1)
    tools.state(url=url(port))
    assert run("deploy", provider).exit_code == 0
    tools.state(live=5, made=5)
    assert run("rollback", provider).exit_code == 0
    assert tools.state()["live"] == 4


@pytest.mark.parametrize("provider", versioned())
def test_a_deployment_after_a_rollback_goes_back_to_what_was_live_and_not_to_the_newest(
    provider: str, run: Run, put: Put, tools: ProviderTools, port: int
) -> None:
    put(provider, 1)
    tools.state(url=url(port))
    for _ in range(3):
        assert run("deploy", provider).exit_code == 0
    first = stand_in(provider).names_version(1)
    assert run("rollback", provider, "--to", first).exit_code == 0
    assert run("deploy", provider).exit_code == 0 and tools.state()["live"] == 4
    assert run("rollback", provider).exit_code == 0 and tools.state()["live"] == 1


@each
def test_the_live_model_is_asked_for_its_signature_and_a_change_needs_agreement(
    provider: str, run: Run, tools: ProviderTools, port: int, here: Path
) -> None:
    """Nothing was deployed from this folder: only what is live tells the change."""
    rows = np.random.default_rng(0).normal(size=(40, 2))
    model = here / "other.safetensors"
    pack(LogisticRegression().fit(rows, rows[:, 0] > 0), model, sample=rows, name="penguins", version="3.0.0")
    build(provider, model, here / "build" / provider, with_bytecode=False)
    if not targets.find(provider).deployer.question(Deployment()).model:
        pytest.skip("the platform passes on predictions alone, and nothing can be asked for a signature")
    tools.state(url=url(port), live=1, made=1)
    refused = run("deploy", provider, "--patience", 0)
    assert refused.exit_code == 1
    assert "the signature changes from penguins 1.0.0 to penguins 3.0.0, and nothing was done" in refused.stderr
    assert not [call for call in tools.calls() if " ".join(call).startswith(stand_in(provider).makes)]
    tools.state(url=url(1))  # nobody answers there: nothing to compare with, and the deployment goes on
    assert "the signature changes" not in run("deploy", provider, "--patience", 0).stderr


@each
@pytest.mark.parametrize("other", deployed())
def test_a_folder_is_refused_where_it_was_not_built_for(
    other: str, provider: str, run: Run, tools: ProviderTools, folders: Callable[[str, int], Path]
) -> None:
    done = run("deploy", other, "--folder", folders(provider, 1), "--dry-run")
    if other == provider:
        assert done.exit_code == 0
        return
    assert done.exit_code == 1 and done.stdout == ""
    assert f"was built for {provider}, not for {other}" in " ".join(done.stderr.split())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"target": 1, "runtime": "3.13", "model": "m"}', "\udcff"])
def test_a_marker_that_says_nothing_is_told(text: str, run: Run, tools: ProviderTools, here: Path) -> None:
    (here / "folder").mkdir()
    (here / "folder" / "flyweight.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    done = run("deploy", "aws", "--folder", "folder", "--dry-run")
    assert done.exit_code == 1 and "flyweight.json" in done.stderr


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"runtime": "3.9", "arch": "x86_64"}, "has packages for Python 3.9"),
        ({"arch": "arm64"}, "has packages for arm64"),
        ({"arch": "x86_64"}, ""),
    ],
)
def test_packages_for_another_python_or_processor_are_not_run(
    change: dict[str, str], told: str, run: Run, folders: Callable[[str, int], Path], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("flyweight.toolkit.building.bytecode.version_of", lambda python: "3.13")
    folder = shutil.copytree(folders("aws", 1), here / "folder")
    marker = folder / "flyweight.json"
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "runtime": "3.13", **change}))
    done = run("invoke", "aws", "--folder", folder)
    assert (done.exit_code == 1) == bool(told) and told in " ".join(done.output.split())


def test_the_only_deployment_from_here_is_the_one_that_is_meant(
    run: Run, put: Put, tools: ProviderTools, port: int, here: Path
) -> None:
    put("aws", 1)
    tools.state(url=url(port))
    assert run("deploy", "aws", "--name", "birds").exit_code == 0
    assert "--stack-name birds" in run("destroy", "aws", "--dry-run").stdout
    assert run("deploy", "aws").exit_code == 0  # called like its model: now there are two
    assert "--stack-name penguins" in run("destroy", "aws", "--dry-run").stdout
    shutil.rmtree(here / "build")
    assert run("destroy", "aws", "--dry-run").exit_code == 2
