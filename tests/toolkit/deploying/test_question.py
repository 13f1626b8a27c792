"""How an endpoint is asked where the platform has paths and documents of its own, and what a refusal of the platform says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.deploying.endpoint import Endpoint
from flyweight.toolkit.deploying.smoke import awake, smoke
from flyweight.toolkit.targets.deployment import Question
from tests.services.web import Handler, HttpServer

OWN = Question(predict="/score", instances="rows", predictions="", ready="", model="", headers={"x-model": "penguins"})


@pytest.fixture
def asked() -> list[tuple[str, str, Any]]:
    """What the platform was asked: path, the header of the model, and the document."""
    return []


def platform(asked: list[tuple[str, str, Any]], status: int, document: Any) -> HttpServer:
    """A platform that answers each request alike."""

    class Platform(Handler):
        def do_POST(self) -> None:
            asked.append((self.path, self.headers["x-model"], json.loads(self.read_body())))
            self.reply(status, json.dumps(document).encode(), {"content-type": "application/json"})

    return HttpServer(Platform)


def endpoint(server: HttpServer) -> Endpoint:
    return Endpoint(f"http://127.0.0.1:{server.server_port}/place", lambda method, url, body: {}, retries=0)


def test_the_sample_is_asked_in_the_platforms_own_words(
    asked: list[tuple[str, str, Any]], folders: Callable[[str, int], Path]
) -> None:
    with platform(asked, 200, ["Adelie"]) as server:
        verdict = smoke(endpoint(server), folders("vertex", 1), patience=0, question=OWN)
    ((path, model, document),) = asked
    assert (path, model, [*document]) == ("/place/score", "penguins", ["rows"])
    assert not verdict.good and "it answered ['Adelie'], but the recorded answers are" in verdict.said


def test_a_refusal_of_the_platforms_says_why(asked: list[tuple[str, str, Any]], folders: Callable[[str, int], Path]) -> None:
    refusal = {"error": {"code": 400, "message": "no such endpoint", "status": "FAILED_PRECONDITION"}}
    with platform(asked, 400, refusal) as server:
        verdict = smoke(endpoint(server), folders("vertex", 1), patience=0, question=OWN)
    assert not verdict.good and "it answered 400: no such endpoint" in verdict.said


def test_a_platform_that_passes_on_predictions_alone_is_not_asked_whether_the_model_is_ready(
    asked: list[tuple[str, str, Any]],
) -> None:
    with platform(asked, 200, {}) as server:
        verdict = awake(endpoint(server), OWN)
    assert verdict.good and "nothing was compared" in verdict.said and asked == []
