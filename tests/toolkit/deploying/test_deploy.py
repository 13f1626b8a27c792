"""Deploying by the providers' tools: shown, asked, gone back on; the tools are stand-ins, the endpoints are real."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from sklearn.linear_model import LogisticRegression

from flyweight.toolkit import resources, targets
from flyweight.toolkit.packing.pack import pack
from flyweight.toolkit.targets.deployment import Deployment, Question
from tests.toolkit.deploying.provider_tools import ProviderTools
from tests.toolkit.deploying.stand_in import deployed, stand_in, stand_ins, versioned

Run = Callable[..., Result]
Put = Callable[[str, int], None]
each = pytest.mark.parametrize("provider", deployed())
MEASURED = re.compile(r"memory=\d+Mi")  # anew for each deployment, so that two may differ by a step
REMOVES = re.compile(r"delete(?!.*-canary)|remove\.sh| down$")  # a full deployment ends a canary


def question(provider: str) -> Question:
    """How an endpoint of this target is asked."""
    return targets.find(provider).deployer.question(Deployment())


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


@each
def test_a_deployment_is_shown_asked_and_kept(provider: str, run: Run, put: Put, tools: ProviderTools, port: int) -> None:
    put(provider, 1)
    tools.state(url=url(port))
    result = run("deploy", provider)
    assert result.exit_code == 0, result.output
    assert "penguins/1.0.0 answers its 3 recorded instances as recorded" in result.output
    own = targets.find(provider).deployer.call(Deployment("penguins"))  # where the platform passes on predictions alone
    told = f"flyweight call {url(port)}"
    told += "" if targets.find(provider).deployer.authorization(Deployment()) == "none" else " --auth "
    assert (str(own) if own else told) in " ".join(result.output.split())
    shown = [line for line in result.stderr.splitlines() if line.startswith("$ ")]
    assert len(shown) >= 3  # each command, but for the question who is logged in
    status = json.loads(run("status", provider, "--json").stdout)
    ready = (True, "penguins/1.0.0") if question(provider).ready else (False, "")  # a platform may pass on predictions alone
    assert (status["ready"], status["model"], status["releases"]) == (*ready, ["1: penguins 1.0.0"])


@each
def test_what_answers_wrongly_is_gone_back_on(provider: str, run: Run, put: Put, tools: ProviderTools, port: int) -> None:
    """The second deployment is of 2.0.0, and what answers is still 1.0.0."""
    put(provider, 1)
    tools.state(url=url(port))
    assert run("deploy", provider).exit_code == 0
    put(provider, 2)
    result = run("deploy", provider, "--patience", 0)
    assert result.exit_code == 1
    assert "penguins/1.0.0 answered, but penguins/2.0.0 was deployed" in result.stderr
    assert "is live again" in result.stderr and f"flyweight logs {provider}" in result.stderr
    assert stand_in(provider).went_back in " ".join(tools.calls()[-1])  # the earlier version, revision or folder by name
    assert json.loads(run("status", provider, "--json").stdout)["releases"] == ["1: penguins 1.0.0"]


@each
def test_a_first_deployment_that_answers_wrongly_is_left_and_told_how_to_remove(
    provider: str, run: Run, put: Put, tools: ProviderTools, port: int
) -> None:
    put(provider, 2)
    tools.state(url=url(port))
    named = ["--name", "birds", "--region", "us-east-1", "--group", "our-own"]
    result = run("deploy", provider, *named, "--patience", 0)
    assert result.exit_code == 1
    assert "it is the first deployment, so there is no release to roll back to, and it is kept" in result.stderr
    told = " ".join(result.stderr.split())
    assert f"see the log: flyweight logs {provider} {' '.join(named)}; deploy again, or remove it: " in told
    assert told.endswith(f"flyweight destroy {provider} {' '.join(named)}")
    assert not [call for call in tools.calls() if REMOVES.search(" ".join(call))]


@pytest.mark.parametrize("provider", versioned())
def test_going_back_to_what_never_answered_says_so(provider: str, run: Run, put: Put, tools: ProviderTools, port: int) -> None:
    put(provider, 2)
    tools.state(url=url(port))
    run("deploy", provider, "--patience", 0)
    again = run("deploy", provider, "--patience", 0)
    assert "is live again, but was not deployed from here, so its answers were not verified" in again.stderr


@each
def test_rollback_makes_the_release_before_live_again(
    provider: str, run: Run, put: Put, tools: ProviderTools, port: int, second_port: int
) -> None:
    for version, at in ((1, port), (2, second_port)):
        put(provider, version)
        tools.state(url=url(at))
        assert run("deploy", provider).exit_code == 0
    tools.state(url=url(port))
    dry = run("rollback", provider, "--dry-run")
    assert dry.exit_code == 0 and dry.stdout
    result = run("rollback", provider)
    assert result.exit_code == 0, result.output
    assert "1: penguins 1.0.0" in result.stdout and "penguins/1.0.0 answers" in result.stdout
    again = run("rollback", provider)
    assert again.exit_code == 1
    assert "has 1 release, and no earlier one to roll back to" in again.stderr


@each
def test_a_command_that_fails_ends_it_and_keeps_nothing(provider: str, run: Run, put: Put, tools: ProviderTools) -> None:
    put(provider, 1)
    tools.state(failing=stand_in(provider).makes)
    result = run("deploy", provider)
    assert result.exit_code == 1
    assert "exited with status 1" in result.stderr
    assert "no earlier one to roll back to" not in result.stderr
    assert "has 0 releases" in run("rollback", provider).stderr


@each
def test_a_missing_tool_is_named_before_anything_runs(
    provider: str, run: Run, put: Put, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(provider, 1)
    tools = ProviderTools(here / "some", ("aws", "func"))
    monkeypatch.setenv("PATH", str(tools.folder))
    result = run("deploy", provider)
    assert result.exit_code == 1
    assert "is not installed" in result.stderr and "next: install it: " in result.stderr
    assert tools.calls() == []


@each
def test_who_is_not_logged_in_is_told_how(provider: str, run: Run, put: Put, tools: ProviderTools) -> None:
    put(provider, 1)
    tools.state(failing=[stand_in(provider).login])
    result = run("deploy", provider)
    assert result.exit_code == 1
    assert "is not logged in" in result.stderr and "login" in result.stderr
    assert "said: the service said no" in result.stderr
    assert len(tools.calls()) == 1  # the question, and nothing else


@each
def test_a_folder_that_is_not_built_is_not_deployed(provider: str, run: Run, tools: ProviderTools) -> None:
    result = run("deploy", provider)
    assert result.exit_code == 1
    assert f"flyweight build {provider} --model FILE" in result.stderr


@each
@pytest.mark.parametrize("verb", ["deploy", "logs", "status", "destroy"])
def test_a_dry_run_runs_nothing_and_needs_no_tool(
    verb: str, provider: str, run: Run, put: Put, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(provider, 1)
    tools = ProviderTools(here / "all")
    monkeypatch.setenv("PATH", f"{tools.folder}{os.pathsep}{os.defpath}")
    result = run(verb, provider, "--dry-run")
    assert result.exit_code == 0 and result.stdout.strip(), result.output
    assert tools.calls() == []
    document = json.loads(run(verb, provider, "--dry-run", "--json").stdout)
    once, again = (MEASURED.sub("memory", text) for text in ("\n".join(document["commands"]), result.stdout.strip()))
    assert document["dry_run"] and once == again


def test_deploy_builds_first_where_a_model_is_named(run: Run, tools: ProviderTools, port: int, penguins: Path) -> None:
    tools.state(url=url(port))
    document = json.loads(run("deploy", "aws", "--model", penguins, "--json").stdout)
    assert document["release"] == 1 and document["url"] == url(port)
    assert any(line.startswith("sam deploy ") for line in document["commands"])


def test_what_an_engine_needs_is_in_the_folder_that_is_deployed(run: Run, here: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2))
    pack(LogisticRegression().fit(rows, rows[:, 0] > 0), here / "graph.safetensors", sample=rows, edge_count=20, engine="onnx")
    result = run("deploy", "aws", "--model", here / "graph.safetensors", "--folder", here / "graph", "--dry-run")
    assert result.exit_code == 0, result.output
    assert (here / "graph" / "onnxruntime").is_dir()


@each
def test_a_projects_own_infra_is_what_is_deployed(provider: str, run: Run, put: Put, here: Path) -> None:
    put(provider, 1)
    known = stand_in(provider)
    if not known.file:
        pytest.skip("no file of its infra has parameters")
    file, parameter, value = known.file, known.parameter, known.value
    shutil.copytree(resources.folder("infra"), here / "own")
    text = (here / "own" / provider / file).read_text()
    (here / "own" / provider / file).write_text(text.replace(parameter, f"MY{parameter}"))
    words = ("deploy", provider, "--dry-run", "--set", f"MY{parameter}={value}")
    assert run(*words).exit_code == 1
    result = run(*words, "--infra", here / "own")
    assert result.exit_code == 0, result.output
    (here / "own" / provider).rename(here / "own" / "other")
    refused = run("deploy", provider, "--dry-run", "--infra", here / "own")
    assert refused.exit_code == 2 and f"has no folder {provider}" in refused.stderr


@each
def test_parameters_reach_the_tool(provider: str, run: Run, put: Put, here: Path) -> None:
    put(provider, 1)
    known = stand_in(provider)
    shown = run("deploy", provider, "--dry-run", "--set", f"{known.parameter}={known.value}", "--name", "birds").stdout
    assert known.shown in shown
    assert "birds" in shown
    assert run("deploy", provider, "--dry-run", "--set", "nonsense").exit_code == 2


@each
def test_tags_reach_the_tool(provider: str, run: Run, put: Put, here: Path) -> None:
    put(provider, 1)
    shown = run("deploy", provider, "--dry-run", "--tag", "team=ml", "--tag", "stage=prod").stdout
    assert stand_in(provider).tagged in shown
    refused = run("deploy", provider, "--dry-run", "--tag", "team=a b")
    assert refused.exit_code == 1 and "'a b' is not a valid name of a tag" in refused.stderr
    assert run("deploy", provider, "--dry-run", "--tag", "team").exit_code == 2


@each
def test_the_status_of_what_is_not_there_says_how_to_get_it(provider: str, run: Run, tools: ProviderTools) -> None:
    tools.state(failing=[*(part for one in stand_ins() for part in one.needs_live), "functionapp show", "deployment group show"])
    result = run("status", provider, "--name", "birds")
    assert result.exit_code == 1
    told = " ".join(result.stderr.split())
    assert f"{provider} has no state of birds" in told and f"deploy it: flyweight deploy {provider} --name birds" in told


@each
def test_destroy_asks_for_the_name(provider: str, run: Run, tools: ProviderTools) -> None:
    named = ["--name", "birds"]
    before = len(tools.calls())
    refused = run("destroy", provider, *named, text="something else\n")
    assert refused.exit_code == 1
    assert not [call for call in tools.calls()[before:] if REMOVES.search(" ".join(call))]
    assert run("destroy", provider, *named, text="birds\n").exit_code == 0
    assert [call for call in tools.calls() if REMOVES.search(" ".join(call))]
    assert run("destroy", provider, *named, "--json").exit_code == 2
    assert run("destroy", provider, *named, "--json", "--yes").exit_code == 0


@each
def test_destroy_without_a_terminal_removes_nothing_and_names_the_option(provider: str, run: Run, tools: ProviderTools) -> None:
    refused = run("destroy", provider, "--name", "birds")
    assert refused.exit_code == 2
    assert "nothing was removed; add --yes" in refused.stderr
    assert not [call for call in tools.calls() if REMOVES.search(" ".join(call))]


@each
def test_nothing_is_gone_back_to_once_all_is_destroyed(
    provider: str, run: Run, put: Put, tools: ProviderTools, port: int
) -> None:
    put(provider, 1)
    tools.state(url=url(port))
    assert run("deploy", provider).exit_code == run("destroy", provider, "--yes").exit_code == 0
    assert "has 0 releases" in run("rollback", provider).stderr


@each
def test_logs_are_the_tools_own_output(provider: str, run: Run, tools: ProviderTools) -> None:
    named = ["--name", "birds"]
    assert json.loads(run("logs", provider, *named, "--json").stdout)["log"] == []
    assert run("logs", provider, *named, "--follow", "--since", "2h").exit_code == 0
    assert run("logs", provider, *named, "--since", "long").exit_code == 2
