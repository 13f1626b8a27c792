"""The token of an event's sender is for the address that the server read: host, path and query."""

from __future__ import annotations

from typing import Any

import pytest

from flyweight.errors import Forbidden
from tests.targets.paths import on_path

pytest.importorskip("cryptography")
from tests.targets.gcp.test_senders import HOST, KEY, OURS, public, token

gcp, server = on_path("gcp"), on_path("server")


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, gcp: None, server: None) -> Any:
    """Check a request that the server has parsed from bytes; Google's keys are those of the test."""
    import gcp_senders
    from server_http import Parser

    monkeypatch.setattr(gcp_senders, "fetch_keys", lambda: [public(KEY, "k1")])
    monkeypatch.setattr(gcp_senders, "KEYS", gcp_senders.Keys())
    monkeypatch.setenv("FLYWEIGHT_EVENT_SENDERS", OURS)

    def checked(authorization: str, target: str = "/") -> None:
        parser = Parser(1000)
        parser.feed(f"POST {target} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: {authorization}\r\n\r\n".encode())
        gcp_senders.check(parser.next())

    return checked


def test_a_token_for_this_service_is_accepted(check: Any) -> None:
    check(f"Bearer {token()}")
    check(f"Bearer {token(aud=f'https://{HOST}/events')}", "/events?key=1")
    check(f"Bearer {token(aud=f'https://{HOST}/events?key=1')}", "/events?key=1")


@pytest.mark.parametrize("audience", ["https://other.example.org", f"https://{HOST}/other", f"http://{HOST}", HOST])
def test_a_token_for_another_is_not(audience: str, check: Any) -> None:
    with pytest.raises(Forbidden, match="FLYWEIGHT_EVENT_AUDIENCE"):
        check(f"Bearer {token(aud=audience)}", "/events?key=1")
