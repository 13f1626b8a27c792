"""Which proof of who calls goes to which host, and where it comes from."""

from __future__ import annotations

import pytest

from flyweight.toolkit.deploying.authorization import by_host, chosen
from flyweight.toolkit.errors import DeployFailed
from flyweight.toolkit.targets.authorization import Token
from tests.toolkit.deploying.provider_tools import ProviderTools


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://abc.execute-api.eu-west-1.amazonaws.com/x", "aws"),
        ("https://abc.execute-api.cn-north-1.amazonaws.com.cn", "aws"),
        ("https://abc.lambda-url.us-east-1.on.aws/", "aws"),
        ("https://birds-123.europe-west1.run.app", "google"),
        ("https://europe-west1-p.cloudfunctions.net/birds", "google"),
        ("https://birds.azurewebsites.net", "azure"),
        ("https://birds.example.com", "none"),
        ("https://run.app.example.com", "none"),
        ("https://evilexecute-api.example.amazonaws.com.evil.net", "none"),
    ],
)
def test_the_host_tells_whose_it_is(url: str, name: str) -> None:
    assert by_host(url) == name


def test_a_token_is_fetched_once() -> None:
    fetched: list[str] = []
    token = Token(lambda: fetched.append("") or f"token {len(fetched)}")  # type: ignore[func-returns-value]
    assert [token("POST", "https://x", b"")["authorization"] for _ in range(3)] == ["Bearer token 1"] * 3


def test_tokens_come_from_the_providers_tools(tools: ProviderTools) -> None:
    chosen("google", "https://x.run.app")("GET", "https://x.run.app", b"")
    chosen("entra", "https://x.azurewebsites.net", resource="api://birds")("GET", "https://x", b"")
    assert tools.calls() == [
        ["gcloud", "auth", "print-identity-token"],
        ["az", "account", "get-access-token", "--resource", "api://birds", "--query", "accessToken", "--output", "tsv"],
    ]


@pytest.mark.parametrize(("name", "needed"), [("entra", "--resource"), ("azure", "FLYWEIGHT_KEY"), ("bearer", "FLYWEIGHT_KEY")])
def test_what_is_lacking_is_named(name: str, needed: str) -> None:
    with pytest.raises(DeployFailed) as raised:
        chosen(name, "https://x.example.com")("GET", "https://x.example.com", b"")
    assert needed in raised.value.next_step
