"""Deploying to SageMaker: signed questions at the one path that it passes on, kinds that exclude each other, models apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import Result

from flyweight.toolkit.deploying import DeployFailed, Deployment, deployer
from flyweight.toolkit.deploying.authorization import by_host, chosen
from flyweight.toolkit.frameworks import wsgi
from tests.services.web import wsgi_server
from tests.toolkit.deploying.provider_tools import ProviderTools
from tests.toolkit.deploying.signing import signature

Run = Callable[..., Result]
Put = Callable[[str, int], None]
Environ = dict[str, Any]
OTHERS = {"realtime": {}, "async": {"InputPath": "s3://our/in/", "OutputPath": "s3://our/out/"}}


@contextmanager
def endpoint(model: Path, path: str = "/endpoints/penguins") -> Iterator[str]:
    """The URL of a model behind a gateway as SageMaker's: signed requests at one path, faults as a ModelError."""
    inner = wsgi(model, log=lambda entry: None)

    def gateway(environ: Environ, start: Any) -> Any:
        if environ["PATH_INFO"] != f"{path}/invocations" or "AWS4-HMAC-SHA256" not in environ.get("HTTP_AUTHORIZATION", ""):
            start("403 Forbidden", [("content-type", "application/json")])
            return [b'{"message": "Missing Authentication Token"}']
        statuses: list[str] = []
        passed = {**environ, "PATH_INFO": "/invocations"}
        answer = b"".join(inner(passed, lambda status, headers, info=None: statuses.append(status)))
        if statuses[0].startswith("200"):
            start("200 OK", [("content-type", "application/json")])
            return [answer]
        start("424 Failed Dependency", [("x-amzn-errortype", "ModelError")])
        return [json.dumps({"Message": f"Received client error with message {answer.decode()}"}).encode()]

    with wsgi_server(gateway) as port:
        yield f"http://127.0.0.1:{port}{path}"


def test_the_sample_is_asked_at_the_path_of_predictions_with_a_signature(
    run: Run, put: Put, tools: ProviderTools, penguins: Path
) -> None:
    put("sagemaker", 1)
    with endpoint(penguins) as url:
        tools.state(url=url)
        result = run("deploy", "sagemaker", "--patience", 0)
        assert result.exit_code == 0, result.output
        assert "penguins/1.0.0 answers its 3 recorded instances as recorded" in result.stdout
        assert "aws sagemaker-runtime invoke-endpoint --region eu-west-1 --endpoint-name penguins" in " ".join(
            result.stdout.split()
        )
        status = run("status", "sagemaker")
        assert status.exit_code == 0 and "it passes on predictions alone" in status.stdout


def test_a_model_error_is_told_with_the_containers_words(
    run: Run, put: Put, tools: ProviderTools, packed: Callable[..., Path]
) -> None:
    put("sagemaker", 1)
    with endpoint(packed("numbers")) as url:
        tools.state(url=url)
        result = run("deploy", "sagemaker", "--patience", 0)
        assert result.exit_code == 1
        assert "it answered 424: Received client error with message" in " ".join(result.stderr.split())


def test_the_runtimes_host_is_signed_for_sagemaker() -> None:
    url = "https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/penguins/invocations"
    assert by_host(url) == "aws"
    assert by_host("https://runtime.sagemaker.eu-west-1.amazonaws.com.evil.net/") == "none"


def test_the_signature_is_the_specifications(here: Path) -> None:
    url = "https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/penguins/invocations"
    headers = chosen("auto", url)("POST", url, b"[]")
    wanted = signature("POST", url, b"[]", headers["x-amz-date"], "eu-west-1", "sagemaker")
    assert headers["authorization"].endswith(f"Signature={wanted}")
    assert urlsplit(url).hostname == "runtime.sagemaker.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(("kind", "given"), OTHERS.items())
def test_a_kind_without_a_connection_or_with_one_is_asked_accordingly(
    kind: str, given: dict[str, str], run: Run, put: Put, tools: ProviderTools, penguins: Path
) -> None:
    put("sagemaker", 1)
    options = [word for name, value in {"Kind": kind, **given}.items() for word in ("--set", f"{name}={value}")]
    with endpoint(penguins) as url:
        tools.state(url=url if kind == "realtime" else "None")  # as the AWS CLI prints an output that is not there
        result = run("deploy", "sagemaker", *options, "--patience", 0)
    assert result.exit_code == 0, result.output
    assert ("answers its 3 recorded instances" if kind == "realtime" else "no: it has no address") in result.stdout


def test_an_endpoint_with_instances_is_not_made_serverless(run: Run, put: Put, tools: ProviderTools) -> None:
    put("sagemaker", 1)
    tools.state(live=1, made=1, parameters={"Kind": "realtime"})
    refused = run("deploy", "sagemaker", "--set", "Kind=serverless", "--dry-run")
    assert refused.exit_code == 0  # a dry run asks nothing
    refused = run("deploy", "sagemaker", "--set", "Kind=serverless")
    assert refused.exit_code == 1
    assert "penguins is realtime, and SageMaker does not make it serverless" in " ".join(refused.stderr.split())
    assert not [call for call in tools.calls() if "deploy" in call]


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        (["Kind=batch"], "Kind is one of serverless, realtime, async, transform, multi, got 'batch'"),
        (["memory=1"], "the template has no parameter memory"),
        (["Kind=multi", "ModelData=s3://our/model.tar.gz"], "Kind=multi asks for a folder of models"),
        (["Kind=multi"], "Kind=multi asks for ModelData"),
        (["Image=penguins:1"], "Image is written as"),
        (["CapturePath=s3://our/c/"], "CapturePath asks for Kind=realtime"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else "",
)
def test_what_sagemaker_would_refuse_is_refused_before_anything_is_sent(
    given: list[str], refusal: str, run: Run, put: Put, tools: ProviderTools
) -> None:
    put("sagemaker", 1)
    result = run("deploy", "sagemaker", *[word for one in given for word in ("--set", one)])
    assert result.exit_code == 1 and refusal in " ".join(result.stderr.split())
    assert not [call for call in tools.calls() if "deploy" in call]


def uploaded(place: Deployment) -> list[str]:
    """Where `deploy` copies the model to."""
    return [one.words[4] for one in deployer("sagemaker").deploy(place) if one.words[:3] == ("aws", "s3", "cp")]


def test_a_model_apart_has_a_place_of_its_own(put: Put, here: Path) -> None:
    """So that the one before is still there to go back to."""
    places = []
    for version in (1, 2):
        put("sagemaker", version)
        folder = here / "build" / "sagemaker"
        places += uploaded(Deployment("penguins", folder=folder, work=here, parameters={"ModelData": "s3://our/models/"}))
    first, second = places
    assert first.startswith("s3://our/models/penguins/1.0.0-") and second.startswith("s3://our/models/penguins/2.0.0-")
    assert {place.rpartition("/")[2] for place in places} == {"model.tar.gz"}


def test_one_of_many_models_is_put_beside_the_others_and_asked_by_its_name(put: Put, here: Path) -> None:
    put("sagemaker", 1)
    parameters = {"Kind": "multi", "ModelData": "s3://our/models/"}
    place = Deployment("penguins", folder=here / "build" / "sagemaker", work=here, parameters=parameters)
    assert uploaded(place) == ["s3://our/models/penguins.tar.gz"]
    assert deployer("sagemaker").question(place).headers == {"x-amzn-sagemaker-target-model": "penguins.tar.gz"}
    (stack,) = [one for one in deployer("sagemaker").deploy(place) if "template.yaml" in str(one)]
    assert "ModelSha256=" in stack.words and "ModelData=s3://our/models/" in stack.words


def test_an_image_that_is_named_is_neither_pushed_nor_given_a_repository(put: Put, here: Path) -> None:
    put("sagemaker", 1)
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/penguins:1"
    place = Deployment("penguins", folder=here / "build" / "sagemaker", work=here, parameters={"Image": image})
    (stack,) = deployer("sagemaker").deploy(place)
    assert f"Image={image}" in stack.words


def test_the_image_of_a_release_stays_beside_its_folder(
    run: Run, put: Put, tools: ProviderTools, penguins: Path, here: Path
) -> None:
    """`rollback` pushes it again, whatever was built since."""
    layouts = []
    for version in (1, 2):
        put("sagemaker", version)
        layout = here / "build" / "sagemaker.oci"
        layout.mkdir(exist_ok=True)
        (layout / "index.json").write_text(str(version))
        assert run("deploy", "sagemaker", "--no-smoke").exit_code == 0
    assert run("rollback", "sagemaker", "--no-smoke").exit_code == 0
    layouts = [Path(call[3]) for call in tools.calls() if call[:3] == ["flyweight", "image", "push"]]
    assert layouts[2] == layouts[0] != layouts[1]
    assert (layouts[2] / "index.json").read_text() == "1" and not layouts[1].exists()


@pytest.mark.parametrize("name", ["Penguins", "a--", "1st", "x" * 70, "a_b"])
def test_a_name_that_no_endpoint_can_have_is_refused(name: str) -> None:
    with pytest.raises(DeployFailed, match="is not a valid name of a SageMaker endpoint"):
        deployer("sagemaker").refuse_names(Deployment(name))
