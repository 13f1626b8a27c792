"""A parameter, and an option of `deploy`, choose the Runtime API client: AWS's own unless they say otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from flyweight.toolkit.cli import main
from flyweight.toolkit.targets.aws.runtime import OWN, WRAPPER
from tests.targets.aws.cloudformation import Stack


@pytest.mark.parametrize(("parameters", "wrapper"), [({}, None), ({"Client": "platform"}, None), ({"Client": "own"}, OWN)])
def test_the_template_names_the_wrapper_only_for_our_client(
    parameters: dict[str, str], wrapper: str | None, stack: Callable[..., Stack]
) -> None:
    (function,) = stack(**parameters).of_type("AWS::Lambda::Function")
    assert function["Environment"]["Variables"].get(WRAPPER) == wrapper


def test_streaming_sets_the_function_and_what_carries_its_answers(stack: Callable[..., Stack]) -> None:
    assert stack(Streaming="true").refusals, "it asks for our client, and for a function URL or a REST API"
    for given, kind in (({"Endpoint": "function-url"}, "AWS::Lambda::Url"), ({"Access": "api-key"}, "AWS::ApiGateway::Method")):
        made = stack(Streaming="true", Client="own", **given)
        assert not made.refusals
        (function,) = made.of_type("AWS::Lambda::Function")
        assert function["Environment"]["Variables"]["FLYWEIGHT_STREAMING"] == "true"
        for each in made.of_type(kind):
            if kind.endswith("Url"):
                assert each["InvokeMode"] == "RESPONSE_STREAM"
            else:
                assert each["Integration"]["ResponseTransferMode"] == "STREAM"
                pattern, values = each["Integration"]["Uri"]["Fn::Sub"]
                assert "path/${Version}/functions/" in pattern and pattern.endswith("/${Kind}")
                assert (values["Version"], values["Kind"]) == ("2021-11-15", "response-streaming-invocations")
    (url,) = stack(Endpoint="function-url").of_type("AWS::Lambda::Url")
    assert url["InvokeMode"] == "BUFFERED"


@pytest.mark.parametrize("cors", [{}, {"CorsOrigins": "*"}])
def test_where_streaming_is_turned_on_the_stage_gets_another_deployment(
    cors: dict[str, str], stack: Callable[..., Stack]
) -> None:
    stages = []
    for streaming in ("false", "true"):
        made = stack(Streaming=streaming, Client="own", Access="api-key", **cors)
        (deployment,) = [name for name, one in made.resources.items() if one["Type"] == "AWS::ApiGateway::Deployment"]
        (stage,) = made.of_type("AWS::ApiGateway::Stage")
        assert stage["DeploymentId"] == {"Ref": deployment}
        stages.append(deployment)
    assert stages[0] != stages[1]


def deployed(target: str, folder: Path, *options: str) -> str:
    """What a dry run prints."""
    done = CliRunner().invoke(main, ["deploy", target, "--folder", str(folder), "--dry-run", "--yes", *options])
    return done.output + (f"{done.exception}" if done.exception else "")


def test_deploy_sets_the_parameter(built: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Client=own" in deployed("aws", built("aws"), "--client", "own")
    assert "Client=" not in deployed("aws", built("aws"))
    assert "has no choice of clients" in deployed("gcp", built("gcp"), "--client", "own")
