"""Handlers in this process, each called as its platform calls it: a request in, and status, headers and body out."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

Answer = tuple[int, Mapping[str, str], bytes]
Transport = Callable[[str, str, dict[str, str], bytes], Answer]  # of method, path, headers and body
CONTEXT = SimpleNamespace(aws_request_id="r", invocation_id="r", get_remaining_time_in_millis=lambda: 60_000)


def open_transport(target: str, folder: Path) -> Transport:
    """Import the handler of a built folder; a process opens one.

    :param target: the name of one of the functions below.
    """
    sys.path.insert(0, str(folder))
    transport: Transport = globals()[target]()
    return transport


def aws() -> Transport:
    """Open Lambda's handler, which gets the event of a function URL."""
    from app import lambda_handler  # type: ignore[import-not-found]

    def ask(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        event = {
            "version": "2.0",
            "rawPath": path,
            "headers": headers,
            "requestContext": {"http": {"method": method, "path": path}, "stage": "$default"},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        answer = lambda_handler(event, CONTEXT)
        text = answer["body"]
        return answer["statusCode"], answer["headers"], base64.b64decode(text) if answer["isBase64Encoded"] else text.encode()

    return ask


def gcp() -> Transport:
    """Open the handler of Cloud Run functions, which gets a Flask request."""
    import flask
    from main import predict  # type: ignore[import-not-found]

    app = flask.Flask("fuzz")

    def ask(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        with app.test_request_context(path, method=method, headers=headers, data=body):
            answer = app.make_response(predict(flask.request))
        return answer.status_code, dict(answer.headers), answer.data

    return ask


def cloudrun() -> Transport:
    """Open the handler of a Cloud Run service, which gets a message of our own server."""
    from cloudrun_main import answer as respond  # type: ignore[import-not-found]
    from server_http import Message  # type: ignore[import-not-found]

    def ask(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        message = Message(method, path, headers)
        message.body = body
        answer = respond(message)
        return answer.status, answer.headers, answer.body

    return ask


def azure() -> Transport:
    """Open the handler of Azure Functions, which gets the SDK's request."""
    import azure.functions as func
    from function_app import answer as function  # type: ignore[import-not-found]

    def ask(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        request = func.HttpRequest(method, f"https://host{path}", headers=headers, body=body)
        answer: Any = function(request, CONTEXT)
        return answer.status_code, dict(answer.headers), answer.get_body()

    return ask
