"""Which proof of who calls goes to which host, and where it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from flyweight.toolkit.deploying.authorization import Signed, Token, by_host, chosen
from flyweight.toolkit.targets.deployment import DeployFailed
from tests.toolkit.deploying.provider_tools import ProviderTools
from tests.toolkit.deploying.signing import signature


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


@pytest.mark.parametrize(
    ("url", "service", "region"),
    [
        ("https://abc.execute-api.eu-west-1.amazonaws.com/predict", "execute-api", "eu-west-1"),
        ("https://abc.lambda-url.us-east-2.on.aws/predict", "lambda", "us-east-2"),
    ],
)
def test_a_signature_is_what_the_specification_says(url: str, service: str, region: str, here: Path) -> None:
    """Computed anew here, from the specification's own four steps."""
    body = b"a,b\n1,2\n"
    headers = Signed(url)("POST", url, body)
    assert headers["authorization"].endswith(f"Signature={signature('POST', url, body, headers['x-amz-date'], region, service)}")


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


def test_a_machine_of_googles_asks_its_metadata_server(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    seen: list[tuple[str, str]] = []

    class Metadata(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, self.headers["Metadata-Flavor"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"a-token")

        def log_message(self, *args: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Metadata) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        monkeypatch.setenv("PATH", str(here))
        monkeypatch.setenv("GCE_METADATA_HOST", f"127.0.0.1:{server.server_port}")
        headers = chosen("google", "https://birds.run.app/")("POST", "https://birds.run.app/predict", b"")
        thread.join(5)
    assert headers == {"authorization": "Bearer a-token"}
    assert seen == [
        ("/computeMetadata/v1/instance/service-accounts/default/identity?audience=https%3A%2F%2Fbirds.run.app", "Google")
    ]


@pytest.mark.parametrize(("name", "needed"), [("entra", "--resource"), ("azure", "FLYWEIGHT_KEY"), ("bearer", "FLYWEIGHT_KEY")])
def test_what_is_lacking_is_named(name: str, needed: str) -> None:
    with pytest.raises(DeployFailed) as raised:
        chosen(name, "https://x.example.com")("GET", "https://x.example.com", b"")
    assert needed in raised.value.next_step
