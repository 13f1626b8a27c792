"""Every HTTP case of the contract is kept below a mount in each framework."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import include, path
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Mount

import flyweight
from flyweight.toolkit.targets.requests import body_of
from flyweight.toolkit.targets.runtime import Answer
from tests.contract.cases import HTTP, Case
from tests.contract.protocols import native
from tests.services.asgi import ask

Ask = Callable[[str, str, dict[str, str], bytes], Answer]
# Flask answers a path with two slashes by sending the caller to the path with one
LEFT_OUT = {"flask": {"predict_slashes"}}


def starlette(model: Path) -> Ask:
    return _by_asgi(Starlette(routes=[Mount("/penguins", flyweight.asgi(model))]))


def fastapi(model: Path) -> Ask:
    application = FastAPI()
    application.mount("/penguins", flyweight.asgi(model))
    return _by_asgi(application)


def _by_asgi(application: Any) -> Ask:
    def asked(method: str, place: str, headers: dict[str, str], body: bytes) -> Answer:
        parts = [body[start : start + 7000] for start in range(0, len(body), 7000)] or [b""]
        talk = ask(application, method, place, headers.items(), parts)
        names = {name.decode(): value.decode("latin-1") for name, value in talk.headers}
        return Answer(talk.status, names, b"".join(talk.parts), 0.0)

    return asked


def flask(model: Path) -> Ask:
    application = Flask(__name__)
    application.register_blueprint(flyweight.blueprint(model), url_prefix="/penguins")

    def asked(method: str, place: str, headers: dict[str, str], body: bytes) -> Answer:
        answer = application.test_client().open(place, method=method, headers=headers, data=body)
        return Answer(answer.status_code, {name.lower(): value for name, value in answer.headers}, answer.data, 0.0)

    return asked


def django(model: Path) -> Ask:
    project = (path("penguins/", include(flyweight.urls(model))),)

    def asked(method: str, place: str, headers: dict[str, str], body: bytes) -> Answer:
        kind = headers.get("content-type", "")
        others = {name: value for name, value in headers.items() if name != "content-type"}
        with override_settings(ROOT_URLCONF=project):
            answer: Any = Client(enforce_csrf_checks=True).generic(method, place, body, kind, headers=others)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return Answer(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, content, 0.0)

    return asked


@pytest.mark.parametrize("mount", [starlette, fastapi, flask, django], ids=lambda mount: mount.__name__)
def test_every_case_of_the_contract_is_kept_below_a_mount(mount: Callable[[Path], Ask], penguins: Path) -> None:
    asked, found = mount(penguins), {}
    cases = [case for case in HTTP if case.name not in LEFT_OUT.get(mount.__name__, ())]
    for case in cases:
        if differences := [*native.differences(case, _answer(asked, case))]:
            found[case.name] = differences
    assert len(cases) > 30 and not found


def _answer(asked: Ask, case: Case) -> Answer:
    request = case.request or {}
    return asked(request["method"], f"/penguins{request['path']}", request.get("headers", {}), body_of(request))
