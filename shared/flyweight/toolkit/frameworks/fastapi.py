"""A model as a router of FastAPI, whose models of Pydantic are in the application's own OpenAPI document.

Each path has two routes. The first answers, with the bytes of every other transport, and is not in the document. The second is
never reached: its types describe the path. Both get the prefix and the dependencies of `include_router`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from flyweight.toolkit.frameworks import mounting, schemas

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from flyweight.serving.logs import Log

PROBLEM = {"content": {"application/problem+json": {"schema": schemas.Problem.model_json_schema()}}}
REFUSALS = {400: "the body can't be read", 413: "the body is too large", 422: "an instance does not fit the model"}
UNAVAILABLE = {503: "no model can answer"}
TEXT = {"schema": {"type": "string"}}
TEXTS = {"text/csv": TEXT, "application/x-ndjson": TEXT}


def router(model: str | Path, log: Log | None) -> APIRouter:
    """Make the router; `flyweight.router` describes the parameters."""
    service = mounting.service(model, ("native",), log)
    application: ASGIApp = mounting.carrier("asgi").application(mounting.answers(service))
    predictor = service.models.get(service.settings.model).model.predictor
    made = APIRouter(tags=[predictor.name])
    asked, answered = schemas.of(predictor)

    def predict(body: Any) -> Any:
        """Predict instances; the answer has one entry for each."""

    predict.__annotations__["body"] = asked
    _add(made, application, "POST", "/predict", predict, answered, {**REFUSALS, **UNAVAILABLE}, TEXTS)
    for path, words in READS.items():

        def read() -> Any:
            """Describe the path."""

        read.__name__, read.__doc__ = path[1:], words
        _add(made, application, "GET", path, read, dict[str, Any], UNAVAILABLE, {})
    return made


READS = {
    "/health": "Report that the process is alive.",
    "/ready": "Report that the model is loaded and answers its own sample as recorded.",
    "/model": "Describe the model: its signature, engines, parity and provenance.",
}


def _add(
    made: APIRouter,
    application: ASGIApp,
    method: str,
    path: str,
    described: Callable[..., Any],
    answered: Any,
    failures: dict[int, str],
    more: dict[str, Any],
) -> None:
    """Add the route that answers a path, and after it the one that describes it.

    :param more: content types beside JSON, of the body and of the answer.
    """

    async def answer(request: Request) -> Response:
        return Carried(application, request, path)

    made.add_api_route(path, answer, methods=[method], include_in_schema=False)
    made.add_api_route(
        path,
        described,
        methods=[method],
        response_model=answered,
        name=described.__name__,
        responses={200: {"content": more}, **{status: {"description": words, **PROBLEM} for status, words in failures.items()}},
        openapi_extra={"requestBody": {"content": more}} if more else None,
    )


class Carried(Response):
    """A response that the model's ASGI application sends."""

    def __init__(self, application: ASGIApp, request: Request, path: str) -> None:
        super().__init__()
        self.application, self.request, self.path = application, request, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; the body comes from the request, where a dependency may have read it before."""
        await self.application({**scope, "path": self.path, "root_path": ""}, _received(self.request), send)
        if self.background is not None:
            await self.background()


def _received(request: Request) -> Callable[[], Awaitable[Message]]:
    """Make the messages in which an ASGI server passes on a body."""
    parts = request.stream()

    async def receive() -> Message:
        try:
            part = await anext(parts, None)
        except ClientDisconnect:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    return receive
