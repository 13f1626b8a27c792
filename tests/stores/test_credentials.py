"""Credentials come from the place where each platform has them; missing ones are an error with a clear message."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from flyweight.errors import StoreFailed
from flyweight.stores import open_store
from tests.services.fixtures import PATIENT, Bucket
from tests.services.web import Handler, HttpServer


class Credentials(Handler):
    """Gives every request the same answer."""

    def do_GET(self) -> None:
        assert isinstance(self.server, Identity)
        self.server.tokens.append(self.headers["Authorization"] or self.headers["X-Identity-Header"])
        keys = {"AccessKeyId": "of-the-container", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}
        bearer = {"access_token": "of-the-identity", "expires_on": "4070908800", "token_type": "Bearer"}
        self.reply(200, json.dumps({**keys, **bearer}).encode())


class Identity(HttpServer):
    """A platform's service of credentials: answers as two of them do, and records the tokens of the requests."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        super().__init__(Credentials)


@pytest.fixture
def identity() -> Iterator[Identity]:
    """Run such a service."""
    with Identity() as server:
        yield server


def test_credentials_come_from_the_container_where_a_snapshot_has_no_keys(
    s3: Bucket, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{identity.server_port}/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-the-snapshot")
    s3.proxy.fail("")
    for _ in range(2):  # as before the snapshot and after the restore
        s3.open().keys("")
    assert identity.tokens == ["of-the-snapshot"] * 2
    assert all("Credential=of-the-container/" in seen.headers["authorization"] for seen in s3.proxy.seen)


def test_a_functions_managed_identity_is_used(az: Bucket, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """Azurite refuses its bearer token; the request carries it."""
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_KEY")
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{identity.server_port}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "of-the-function")
    az.proxy.fail("")
    with pytest.raises(StoreFailed):
        az.open().head("a")
    assert identity.tokens == ["of-the-function"]
    assert {seen.headers["authorization"] for seen in az.proxy.seen} == {"Bearer of-the-identity"}


def test_a_session_token_and_the_region_of_the_environment_are_sent(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-session")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    s3.proxy.fail("")
    s3.open().keys("")
    (seen,) = s3.proxy.seen
    assert seen.headers["x-amz-security-token"] == "of-the-session"
    assert "/eu-west-1/s3/aws4_request" in seen.headers["authorization"]


def test_missing_credentials_are_an_error(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """No server is at the address of the platform's metadata service."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(StoreFailed, match="no credentials in the environment"):
        s3.open().head("a")


def test_missing_settings_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(variable)
    with pytest.raises(StoreFailed, match=r"az://models can't be opened .*come from the environment"):
        open_store("az://models", PATIENT)
