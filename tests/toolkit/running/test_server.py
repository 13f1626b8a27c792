"""A served model answers as a deployed one does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest

from flyweight.errors import ModelRefused, ModelUnavailable
from flyweight.toolkit.running.server import application
from tests.conftest import ROOT
from tests.contract.matching import differences

CASES = json.loads((ROOT / "events" / "cases.json").read_text())


@pytest.fixture(scope="module")
def connection(penguins: Path) -> Iterator[HTTPConnection]:
    """A connection to waitress with the penguins model."""
    from waitress.server import create_server

    server = create_server(validator(application(penguins)), host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    connection = HTTPConnection("127.0.0.1", server.effective_port, timeout=10)
    yield connection
    connection.close()
    server.close()
    server.task_dispatcher.shutdown()
    thread.join(5)


def ask(connection: HTTPConnection, event: Any) -> tuple[int, dict[str, str], bytes]:
    body = bytes.fromhex(event["hex"]) if "hex" in event else event.get("body", "").encode()
    connection.request(event["method"], event["path"], body, event.get("headers", {}))
    response = connection.getresponse()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


@pytest.mark.parametrize("stem", sorted({name for name in CASES if "providers" not in CASES[name]} - {"not_utf8"}))
def test_a_served_model_keeps_the_providers_contract(stem: str, connection: HTTPConnection) -> None:
    # the plainest form of an event, method, path, headers and body, is what any HTTP client sends
    status, headers, body = ask(connection, json.loads((ROOT / "events" / "gcp" / f"{stem}.json").read_text()))
    case = CASES[stem]
    assert status == case["status"], body
    assert not [*differences(case["headers"], headers, "headers")]
    if "body" in case:
        assert not [*differences(case["body"], json.loads(body))]


def test_head_gets_headers_and_no_body(connection: HTTPConnection) -> None:
    status, headers, body = ask(connection, {"method": "HEAD", "path": "/health"})
    assert (status, headers["content-length"], body) == (200, "15", b"")


def test_a_callers_request_id_is_kept(connection: HTTPConnection) -> None:
    _, headers, _ = ask(connection, {"method": "GET", "path": "/health", "headers": {"X-Request-Id": "mine"}})
    assert headers["x-request-id"] == "mine"


def test_a_bad_model_is_refused_before_anything_listens(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"no model")
    with pytest.raises(ModelRefused):
        application(tmp_path / "bad.safetensors")
    with pytest.raises(ModelUnavailable):
        application(tmp_path / "none.safetensors")
