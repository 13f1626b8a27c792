"""The query of a request reaches the protocols through our server's messages, WSGI and ASGI."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.targets.paths import on_path

folder = on_path("server")


def by_wsgi(path: str, query: str) -> Any:
    import wsgi

    return wsgi._message({"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query})


def by_asgi(path: str, query: str) -> Any:
    import asgi

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}
    return asyncio.run(asgi._message(scope, receive))


def by_our_server(path: str, query: str) -> Any:
    from server_http import Message

    return Message("GET", f"{path}?{query}" if query else path)


@pytest.mark.parametrize("carrier", [by_wsgi, by_asgi, by_our_server])
@pytest.mark.parametrize("query", ["", "query=%7Ba%7D&b=1", "a=b?c=d"])
def test_a_request_has_its_path_and_its_query(carrier: Any, query: str) -> None:
    from server_request import decode

    request = decode(carrier("/graphql", query))
    assert (request.path, request.query) == ("/graphql", query)


@pytest.mark.parametrize("carrier", [by_wsgi, by_asgi])
def test_a_question_mark_that_a_server_has_decoded_does_not_end_the_path(carrier: Any) -> None:
    from server_request import decode

    request = decode(carrier("/predict?debug", "a=b"))
    assert (request.path, request.query) == ("/predict%3Fdebug", "a=b")


def test_a_wsgi_server_may_say_that_there_is_no_content_type() -> None:
    import wsgi

    variables: Any = {"REQUEST_METHOD": "GET", "PATH_INFO": "/health", "CONTENT_TYPE": None}
    assert wsgi._message(variables).headers["content-type"] == ""
