"""Deploying to AWS: callers of four kinds; stacks that keep what they were told, refuse, or are stuck; which region is meant."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from flyweight.toolkit.deploying import Deployment, deployer
from flyweight.toolkit.frameworks import wsgi
from tests.services.web import wsgi_server
from tests.toolkit.deploying.provider_tools import ProviderTools
from tests.toolkit.deploying.signing import signature

Run = Callable[..., Result]
Put = Callable[[str, int], None]
Environ = dict[str, Any]
JWT = ["--set", "Access=jwt", "--set", "JwtIssuer=https://issuer.example", "--set", "JwtAudience=me"]


def signed(environ: Environ, body: bytes) -> bool:
    """Whether a request carries a signature for API Gateway in eu-west-1, over its host, path, date and body."""
    proof = str(environ.get("HTTP_AUTHORIZATION", ""))
    address = f"http://{environ['HTTP_HOST']}{environ['PATH_INFO']}"
    when = environ.get("HTTP_X_AMZ_DATE", "")
    wanted = signature(environ["REQUEST_METHOD"], address, body, when, "eu-west-1", "execute-api")
    return proof.startswith("AWS4-HMAC-SHA256 Credential=anyone/") and proof.endswith(f"Signature={wanted}")


GUARDS: dict[str, Callable[[Environ, bytes], bool]] = {
    "iam": signed,
    "jwt": lambda environ, body: environ.get("HTTP_AUTHORIZATION") == "Bearer a-token",
    "api-key": lambda environ, body: environ.get("HTTP_X_API_KEY") == "an-api-key",
    "public": lambda environ, body: not {"HTTP_AUTHORIZATION", "HTTP_X_API_KEY"} & environ.keys(),
}


@contextmanager
def guarded(model: Path, access: str) -> Iterator[str]:
    """The URL of a served model behind a gateway that lets in whom this access lets in, and says no to others as AWS does."""
    inner = wsgi(model, log=lambda entry: None)

    def gateway(environ: Environ, start: Any) -> Any:
        body = environ["wsgi.input"].read()
        if not GUARDS[access](environ, body):
            start("403 Forbidden", [("content-type", "application/json")])
            return [b'{"message":"Forbidden"}']
        environ["wsgi.input"].seek(0)
        return inner(environ, start)

    with wsgi_server(gateway) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("access", GUARDS)
def test_whoever_may_call_asks_the_sample_and_whether_it_is_ready(
    access: str, run: Run, put: Put, tools: ProviderTools, penguins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`status`, and a second deployment, say nothing of the access: the stack keeps it."""
    put("aws", 1)
    monkeypatch.setenv("FLYWEIGHT_KEY", "a-token")
    with guarded(penguins, access) as url:
        tools.state(url=url)
        first = run("deploy", "aws", *(JWT if access == "jwt" else ["--set", f"Access={access}"]), "--patience", 0)
        assert first.exit_code == 0, first.output
        assert "penguins/1.0.0 answers" in first.stdout
        option = {"iam": " --auth aws", "jwt": " --auth bearer", "api-key": " --auth api-key", "public": ""}[access]
        (called,) = [line.partition("call it")[2].strip() for line in first.stdout.splitlines() if "call it" in line]
        assert called == f"flyweight call {url}{option}"
        assert json.loads(run("status", "aws", "--json").stdout)["ready"] is True
        assert run("deploy", "aws", "--patience", 0).exit_code == 0
        assert run("rollback", "aws", "--patience", 0).exit_code == 0


def test_a_token_that_is_not_there_is_asked_for_before_anything_is_deployed(run: Run, put: Put, tools: ProviderTools) -> None:
    put("aws", 1)
    result = run("deploy", "aws", *JWT)
    assert result.exit_code == 1
    assert "nothing was deployed" in result.stderr and "set FLYWEIGHT_KEY; or use --no-smoke" in result.stderr
    assert not [call for call in tools.calls() if call[0] == "sam"]
    assert run("deploy", "aws", *JWT, "--no-smoke").exit_code == 0


def test_who_is_not_let_in_is_told_that_the_model_was_not_asked(
    run: Run, put: Put, tools: ProviderTools, penguins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("aws", 1)
    monkeypatch.setenv("FLYWEIGHT_KEY", "another-token")
    with guarded(penguins, "jwt") as url:
        tools.state(url=url)
        result = run("deploy", "aws", *JWT, "--patience", 0)
        assert "it answered 403: Forbidden: this caller was refused" in result.stderr
        assert json.loads(run("status", "aws", "--json").stdout)["ready"] is False


def test_a_stack_without_an_address_is_not_asked(run: Run, put: Put, tools: ProviderTools) -> None:
    put("aws", 1)
    tools.state(url="None")  # as the AWS CLI prints an output that is not there
    result = run("deploy", "aws", "--set", "Endpoint=none")
    assert result.exit_code == 0 and "no: it has no address" in result.stdout
    status = run("status", "aws")
    assert status.exit_code == 0 and "not requested: it has no address" in status.stdout


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        (["access=iam"], "the template has no parameter access (Access?)"),
        (["Access=open"], "Access is one of iam, jwt, api-key, public, got 'open'"),
        (["Timeout=1000"], "Timeout is a number from 1 to 900, got '1000'"),
        (["Timeout=long"], "Timeout is a number from 1 to 900, got 'long'"),
        (["Schedule=daily"], "Schedule is written as"),
        (["Queue=true"], "Queue=true asks for Results"),
        (["Endpoint=function-url", "Access=jwt"], "A Function URL knows Access=iam and Access=public only"),
        (["PythonVersion=3.11"], "was built for PythonVersion=3.13, not 3.11"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else "",
)
@pytest.mark.parametrize("dry", [True, False], ids=["shown", "run"])
def test_what_the_template_would_refuse_is_refused_before_anything_is_sent(
    given: list[str], refusal: str, dry: bool, run: Run, put: Put, tools: ProviderTools
) -> None:
    put("aws", 1)
    options = [word for one in given for word in ("--set", one)]
    result = run("deploy", "aws", *options, *(["--dry-run"] if dry else []))
    assert result.exit_code == 1 and refusal in " ".join(result.stderr.split())
    assert not [call for call in tools.calls() if call[0] == "sam"]


def test_what_a_stack_has_already_need_not_be_said_again(run: Run, put: Put, tools: ProviderTools, port: int) -> None:
    put("aws", 1)
    tools.state(url=f"http://127.0.0.1:{port}", live=1, made=1, parameters={"Results": "table"})
    assert run("deploy", "aws", "--set", "Queue=true").exit_code == 0


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("ROLLBACK_COMPLETE", "flyweight destroy aws --name penguins"),
        ("DELETE_FAILED", "flyweight destroy aws --name penguins"),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --region eu-west-1 --stack-name penguins"),
        ("UPDATE_IN_PROGRESS", "wait, then try again"),
    ],
)
def test_a_stack_that_takes_no_update_says_what_to_do(state: str, step: str, run: Run, put: Put, tools: ProviderTools) -> None:
    put("aws", 1)
    tools.state(stack=state, live=1)
    result = run("deploy", "aws")
    assert result.exit_code == 1 and f"the stack penguins is {state}" in result.stderr
    assert f"next: {step}" in result.stderr
    assert not [call for call in tools.calls() if call[0] == "sam"]


def test_a_name_that_no_stack_can_have_is_refused(run: Run, put: Put, tools: ProviderTools) -> None:
    put("aws", 1)
    assert "'two words' is not a valid name of a stack" in run("deploy", "aws", "--name", "two words").stderr


def test_the_folders_python_and_processor_reach_the_stack(put: Put, here: Path) -> None:
    put("aws", 1)
    marker = here / "build" / "aws" / "flyweight.json"
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "runtime": "3.12", "arch": "x86_64"}))
    sam = deployer("aws").deploy(Deployment(folder=here / "build" / "aws", work=here))[0]
    assert sam.words[-2:] == ("PythonVersion=3.12", "Architecture=x86_64")


def test_the_alias_follows_the_newest_version_even_where_it_was_moved(
    run: Run, put: Put, tools: ProviderTools, port: int
) -> None:
    """A stack that has not changed moves no alias, which a rollback may have left at an earlier version."""
    put("aws", 1)
    tools.state(url=f"http://127.0.0.1:{port}")
    for _ in range(2):
        assert run("deploy", "aws").exit_code == 0
    assert run("rollback", "aws").exit_code == 0 and tools.state()["live"] == 1
    assert run("deploy", "aws").exit_code == 0
    assert tools.state()["live"] == 3


def test_the_region_is_the_clis_own(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An option, else the environment, else the profile, else the one of the page."""

    def said(**given: Any) -> str:
        words = deployer("aws").destroy(Deployment(**given))[0].words
        return words[words.index("--region") + 1]

    assert said() == "eu-west-1"
    config = here / "config"
    config.write_text("[default]\nregion = ap-south-1\n[profile other]\nregion = sa-east-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert said() == "ap-south-1"
    monkeypatch.setenv("AWS_PROFILE", "other")
    assert said() == "sa-east-1"
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    assert said() == "us-west-2"
    assert said(region="us-east-1") == "us-east-1"


def test_what_aws_creates_follows_the_conditions() -> None:
    made = {piece.name for piece in deployer("aws").creates(Deployment())}
    assert {"Function", "Role", "LogGroup", "Api"} <= made and not {"InputQueue", "Board", "Url"} & made
    more = {piece.name for piece in deployer("aws").creates(Deployment(parameters={"Queue": "true", "Endpoint": "function-url"}))}
    assert {"InputQueue", "DeadLetters", "Url"} <= more and "Api" not in more
