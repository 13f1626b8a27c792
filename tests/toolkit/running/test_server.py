"""A served model answers as a deployed one does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest

from flyweight.errors import ModelRefused, ModelUnavailable
from flyweight.toolkit.running.server import application
from flyweight.toolkit.targets.requests import body_of
from flyweight.toolkit.targets.runtime import Answer
from tests.contract.cases import HTTP, Case
from tests.contract.protocols import native
from tests.services.web import wsgi_server


@pytest.fixture(scope="module")
def connection(penguins: Path) -> Iterator[HTTPConnection]:
    """A connection to waitress with the penguins model."""
    with wsgi_server(validator(application(penguins))) as port, closing(HTTPConnection("127.0.0.1", port, timeout=60)) as made:
        yield made


def ask(connection: HTTPConnection, event: Any) -> tuple[int, dict[str, str], bytes]:
    connection.request(event["method"], event["path"], body_of(event), event.get("headers", {}))
    response = connection.getresponse()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


@pytest.mark.parametrize("case", HTTP, ids=lambda case: case.name)
def test_a_served_model_keeps_the_contract(case: Case, connection: HTTPConnection) -> None:
    status, headers, body = ask(connection, case.request)
    assert not [*native.differences(case, Answer(status, headers, body, 0.0))]


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
