"""What the verbs ask of `az ml`: the release that is live, the one before it, and a key for the caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flyweight.toolkit.deploying.authorization import by_host, chosen
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.azure_ml.deployment import DEPLOYER
from flyweight.toolkit.targets.deployment import Deployment
from tests.toolkit.deploying.provider_tools import ProviderTools

HERE = Deployment(name="penguins", group="ours:Lab")
URI = "https://penguins.westeurope.inference.ml.azure.com/score"


def test_every_command_names_the_group_and_the_workspace() -> None:
    asked = [
        DEPLOYER.url(HERE),
        *DEPLOYER.live_label(HERE),
        *DEPLOYER.earlier_label(HERE),
        *DEPLOYER.roll_back(HERE, "release-1"),
    ]
    asked += [*DEPLOYER.key(HERE), *DEPLOYER.logs(HERE, "1h", False), *DEPLOYER.status(HERE), *DEPLOYER.destroy(HERE)]
    assert all("--resource-group ours --workspace-name Lab" in str(one) for one in [*asked, DEPLOYER.call(HERE)])
    assert DEPLOYER.place(HERE) == ("ours:lab",)


def test_the_key_or_the_token_goes_to_hosts_of_azure_ml() -> None:
    assert by_host(URI) == DEPLOYER.authorization(HERE) == "azure_ml"
    assert chosen("auto", URI, "a-key")("POST", URI, b"") == {"authorization": "Bearer a-key"}
    with pytest.raises(DeployFailed, match="the endpoint needs the endpoint's key or token"):
        chosen("auto", URI)


@pytest.mark.parametrize("name", ["ab", "1abc", "abc-", "a_b", "a" * 33])
def test_a_name_that_azure_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(DeployFailed, match="is not a valid name of an online endpoint"):
        DEPLOYER.refuse_names(Deployment(name=name))


def test_an_unknown_variable_is_answered_with_those_that_are_alike() -> None:
    with pytest.raises(DeployFailed, match=r"the script has no variable INSTANCE_TYP \(INSTANCE_TYPE") as refused:
        DEPLOYER.deploy(Deployment(parameters={"INSTANCE_TYP": "a"}))
    assert "infra/azure_ml/deploy.sh" in refused.value.next_step


def test_a_container_and_score_py_are_chosen_by_the_client() -> None:
    assert DEPLOYER.choose_client("own") == "CLIENT=own"
    own = Deployment(name="penguins", parameters={"CLIENT": "own", "INSTANCE_COUNT": "3"})
    kinds = [resource.kind for resource in DEPLOYER.creates(own)]
    assert any("3 of Standard_DS2_v2" in kind for kind in kinds) and not any("folder" in kind for kind in kinds)
    assert any("folder" in resource.kind for resource in DEPLOYER.creates(Deployment(name="penguins")))


def test_a_deployment_is_asked_with_its_key_in_the_words_of_azure_ml(
    run: Callable[..., Any], put: Callable[[str, int], None], tools: ProviderTools, port: int
) -> None:
    put("azure_ml", 1)
    tools.state(url=f"http://127.0.0.1:{port}")
    done = run("deploy", "azure_ml", "--group", "ours:lab")
    assert done.exit_code == 0, done.output
    told = " ".join(done.output.split())
    assert "penguins/1.0.0 answers its" in told and "az ml online-endpoint invoke --name penguins" in told
    asked = [words for words in tools.calls() if words[:2] == ["az", "ml"]]
    assert any("get-credentials" in words for words in asked)
    assert all(words[words.index("--workspace-name") + 1] == "lab" for words in asked)


@pytest.mark.parametrize("group", ["ours", "ours:lab", ":lab", "a.b(c):lab-1"])
def test_the_place_is_a_group_and_a_workspace_or_one_of_them(group: str) -> None:
    DEPLOYER.refuse_names(Deployment(name="penguins", group=group))
    named = [word for word in str(DEPLOYER.url(Deployment(name="penguins", group=group))).split() if word.startswith("--")]
    assert ("--resource-group" in named, "--workspace-name" in named) == (not group.startswith(":"), ":" in group)


@pytest.mark.parametrize("group", ["ours:", "ours:a", "a:b:c", ":", "ours:-lab"])
def test_another_place_is_refused(group: str) -> None:
    with pytest.raises(DeployFailed, match="is not a valid name of a resource group and a workspace") as refused:
        DEPLOYER.refuse_names(Deployment(name="penguins", group=group))
    assert "GROUP:WORKSPACE" in refused.value.next_step


def test_a_workspace_among_the_parameters_is_refused_because_other_verbs_do_not_have_them() -> None:
    with pytest.raises(DeployFailed, match="the workspace is a part of the place") as refused:
        DEPLOYER.deploy(Deployment(parameters={"WORKSPACE": "lab"}))
    assert refused.value.next_step == "--group GROUP:lab"
