"""A request of Azure ML's inference server is decoded, and one whose body can't be read is refused in words."""

from __future__ import annotations

import io
from typing import Any

import flask
import pytest

from flyweight.errors import MalformedRequest, TooLarge
from tests.targets.paths import on_path

folder = on_path("azure_ml")


def decoded(**changes: Any) -> Any:
    import azure_ml_request

    sent: dict[str, Any] = {"method": "POST", "data": b"[[1]]", "content_type": "application/json", **changes}
    application = flask.Flask("test")
    application.config["MAX_CONTENT_LENGTH"] = 100
    with application.test_request_context("/score?a=b", **sent):
        flask.g.request_id = "the caller's"
        return azure_ml_request.decode(flask.request)


def test_a_request_is_decoded() -> None:
    request = decoded()
    assert (request.method, request.path, request.query, request.body) == ("POST", "/score", "a=b", b"[[1]]")
    assert request.request_id == "the caller's" and request.headers["content-type"] == "application/json"


def test_a_body_that_breaks_off_is_the_callers_fault() -> None:
    with pytest.raises(MalformedRequest, match="the body can't be read"):
        decoded(environ_overrides={"wsgi.input": io.BytesIO(b"[[1")})


def test_a_body_that_the_server_does_not_read_is_too_large() -> None:
    with pytest.raises(TooLarge, match="the body has 200 bytes, more than the server reads"):
        decoded(data=b"a" * 200)
