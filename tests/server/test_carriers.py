"""The contract over real connections: by our own server, by gunicorn (WSGI) and by uvicorn (ASGI), chunked bodies too."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import cache
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest

from flyweight.toolkit.targets.requests import body_of
from flyweight.toolkit.targets.runtime import Answer
from flyweight.values import Response
from tests.contract.cases import HTTP, Case
from tests.contract.protocols import native
from tests.services.web import GENEROUS, exchange, free_port, wait_until

CARRIERS = {
    "own": ["server_main.py"],
    "gunicorn": ["-m", "gunicorn", "--worker-class", "gthread", "--bind", "127.0.0.1:PORT", "wsgi:application()"],
    "uvicorn": ["-m", "uvicorn", "--factory", "--port", "PORT", "--no-access-log", "asgi:application"],
}


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[Any]:
    """From a carrier's name to the port at which it answers; the process is started once."""
    with ExitStack() as stack:

        @cache
        def started(carrier: str) -> int:
            module = CARRIERS[carrier][1] if CARRIERS[carrier][0] == "-m" else "os"
            if importlib.util.find_spec(module) is None:
                pytest.skip(f"{module} is not installed")
            number = free_port()
            command = [sys.executable, *[word.replace("PORT", str(number)) for word in CARRIERS[carrier]]]
            variables = {**os.environ, "FLYWEIGHT_PORT": str(number), "FLYWEIGHT_HOST": "127.0.0.1"}
            process = subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.enter_context(process)
            stack.callback(process.terminate)

            def answers() -> bool:
                assert process.poll() is None, f"{carrier} has ended"
                try:
                    return exchange(number, "GET", "/health")[0] == 200
                except OSError:
                    return False

            wait_until(answers, f"{carrier} answers", pause=0.02)
            return number

        yield started


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
def test_every_case_of_the_contract_is_kept(carrier: str, chunked: bool, port: Any) -> None:
    found = {}
    with closing(HTTPConnection("127.0.0.1", port(carrier), timeout=GENEROUS)) as connection:
        for case in HTTP:
            answer = ask(connection, case, chunked)
            if differences := [*native.differences(case, answer)]:
                found[case.name] = differences
    assert len(HTTP) > 30 and not found


def ask(connection: HTTPConnection, case: Case, chunked: bool) -> Answer:
    request = case.request or {}
    body = body_of(request)
    parts = [body[start : start + 7000] for start in range(0, len(body), 7000)] if chunked and body else body
    connection.request(request["method"], request["path"], parts, request.get("headers", {}), encode_chunked=False)
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read(), 0.0)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_head_gets_headers_and_no_body(carrier: str, port: Any) -> None:
    status, headers, body = exchange(port(carrier), "HEAD", "/health")
    assert (status, headers["content-length"], body) == (200, "15", b"")


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_callers_request_id_is_kept(carrier: str, port: Any) -> None:
    assert exchange(port(carrier), "GET", "/health", headers={"X-Request-Id": "mine"})[1]["x-request-id"] == "mine"


def wsgi(environ: dict[str, Any]) -> Any:
    """Ask the WSGI application, within the judge of the standard library, and return the message that reached the model."""
    from wsgi import application

    seen: list[Any] = []

    def answer(message: Any) -> Response:
        seen.append(message)
        return Response(200, {"content-length": "0", "content-type": "text/plain"}, b"")

    usual = {"REQUEST_METHOD": "POST", "PATH_INFO": "/predict", "SERVER_NAME": "x", "SERVER_PORT": "1", "SCRIPT_NAME": ""}
    usual |= {"wsgi.version": (1, 0), "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http", "wsgi.multithread": False}
    usual |= {"wsgi.multiprocess": False, "wsgi.run_once": False, "SERVER_PROTOCOL": "HTTP/1.1", "QUERY_STRING": ""}
    result = validator(application(answer))({**usual, **environ}, lambda status, headers, failure=None: print)
    assert [*result] == []
    result.close()
    return seen[0]


def test_a_body_is_read_to_its_end_where_the_server_says_that_it_ends() -> None:
    message = wsgi({"wsgi.input": BytesIO(b"abc"), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"})
    assert (message.body, message.error) == (b"abc", None)


def test_a_body_is_read_by_its_length_where_the_server_does_not() -> None:
    assert wsgi({"wsgi.input": BytesIO(b"abcdef"), "CONTENT_LENGTH": "3"}).body == b"abc"


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, "passes on no body in chunks"),
        ({"CONTENT_LENGTH": "\u0663"}, "the content length is"),
        ({"CONTENT_LENGTH": "-1"}, "the content length is"),
    ],
)
def test_a_body_without_an_end_is_refused_in_words(environ: dict[str, str], words: str) -> None:
    from wsgi import _message

    message = _message({"wsgi.input": BytesIO(b""), "REQUEST_METHOD": "POST", **environ})
    assert words in str(message.error)
