"""Flask's requests: bodies that it refuses to read, and the id of the execution."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from flyweight.errors import MalformedRequest, TooLarge
from flyweight.values import Request, Response

flask = pytest.importorskip("flask")


@pytest.fixture(scope="module")
def gcp(load: Callable[[str, str], ModuleType]) -> ModuleType:
    return load("gcp", "gcp_request")


@pytest.fixture(scope="module")
def decode(load: Callable[[str, str], ModuleType], gcp: ModuleType) -> Callable[[], Request]:
    """Decode the request that Flask has now."""
    message = load("gcp", "gcp_message")
    return lambda: gcp.decode(message.opened(flask.request))


def test_a_request_is_taken_as_flask_has_parsed_it(decode: Callable[[], Request]) -> None:
    headers = {"Content-Type": "text/csv", "Function-Execution-Id": "e1"}
    with flask.Flask("f").test_request_context("/predict?x=1", method="POST", data=b"\xff", headers=headers):
        request = decode()
    assert (request.method, request.path, request.body, request.request_id) == ("POST", "/predict", b"\xff", "e1")
    assert request.headers["content-type"] == "text/csv"


def test_a_body_that_flask_will_not_read_is_too_large(decode: Callable[[], Request]) -> None:
    app = flask.Flask("f")
    app.config["MAX_CONTENT_LENGTH"] = 4
    with app.test_request_context("/predict", method="POST", data=b"12345"), pytest.raises(TooLarge, match="5 bytes"):
        decode()


def test_a_body_that_breaks_off_is_malformed(decode: Callable[[], Request]) -> None:
    shorter = {"CONTENT_LENGTH": "9"}
    with flask.Flask("f").test_request_context("/predict", method="POST", data=b"123", environ_overrides=shorter):
        with pytest.raises(MalformedRequest, match="can't be read"):
            decode()


def test_the_answer_is_what_a_view_returns(gcp: ModuleType) -> None:
    app = flask.Flask("f")
    with app.test_request_context("/predict"):
        answer = app.make_response(gcp.encode(Response(422, {"content-type": "application/problem+json"}, b"{}"), flask.request))
    assert (answer.status_code, answer.content_type, answer.data) == (422, "application/problem+json", b"{}")
