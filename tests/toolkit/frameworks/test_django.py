"""A model as URL patterns of Django, with the project's middleware and system checks around it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.test import Client, override_settings
from django.urls import include, path

import flyweight
from flyweight.toolkit.events import samples
from tests.services.asgi import ask
from tests.toolkit.frameworks.test_applications import BODY as BYTES
from tests.toolkit.frameworks.test_applications import JSON, ROWS, call

BODY = samples.requests()["predict"]["body"]
HERE = "tests.toolkit.frameworks.test_django"


@contextmanager
def project(model: Path, *middleware: str, **options: Any) -> Iterator[Client]:
    """A project whose only URLs are the model's, below /ml/."""
    patterns = (path("ml/", include(flyweight.urls(model, **options))),)
    with override_settings(
        ROOT_URLCONF=patterns, MIDDLEWARE=[f"{HERE}.{name}" for name in middleware], DATA_UPLOAD_MAX_MEMORY_SIZE=10
    ):
        yield Client(enforce_csrf_checks=True)


def reads_first(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Read the body, as middleware does that checks a signature."""

    def answered(request: HttpRequest) -> HttpResponse:
        with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=None):
            assert request.body is not None
        return get_response(request)

    return answered


def allows_origins(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Add the header by which browsers let pages of an origin read an answer."""

    def answered(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["access-control-allow-origin"] = "https://shop.example"
        return response

    return answered


def only_with_key(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    def answered(request: HttpRequest, **parts: Any) -> HttpResponse:
        return view(request, **parts) if request.headers.get("x-key") == "secret" else HttpResponseForbidden()

    return answered


def post(client: Client, **headers: str) -> Any:
    return client.post("/ml/predict", json.dumps(BODY), content_type="application/json", headers=headers)


def test_a_decorator_decides_who_may_call(penguins: Path) -> None:
    with project(penguins, decorator=only_with_key) as client:
        assert post(client).status_code == client.get("/ml/").status_code == 403
        assert post(client, **{"x-key": "secret"}).status_code == 200


def test_middleware_is_around_it_and_may_read_the_body_first(penguins: Path) -> None:
    with project(penguins, "allows_origins", "reads_first") as client:
        answer = post(client)
    assert answer.status_code == 200 and answer["access-control-allow-origin"] == "https://shop.example"


def test_it_needs_no_token_of_csrf(penguins: Path) -> None:
    with project(penguins) as client, override_settings(MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"]):
        assert post(client).status_code == 200


def test_the_system_check_finds_no_fault_in_a_good_model(penguins: Path) -> None:
    with project(penguins):
        call_command("check")


def test_the_system_check_reports_a_model_that_is_missing(tmp_path: Path) -> None:
    with project(tmp_path / "none.safetensors") as client:
        with pytest.raises(SystemCheckError, match=r"none\.safetensors: \(flyweight\.E001\) .*No such file"):
            call_command("check")
        assert client.get("/ml/ready").status_code == 503


def test_the_system_check_reports_a_model_that_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"no model")
    with project(tmp_path / "bad.safetensors"), pytest.raises(SystemCheckError, match=r"flyweight\.E001"):
        call_command("check")


def test_the_system_check_reports_a_model_that_answers_otherwise(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flyweight.Predictor, "passes_self_test", lambda self: False)
    with project(penguins), pytest.raises(SystemCheckError, match=r"flyweight\.E002"):
        call_command("check")


@pytest.mark.parametrize(
    ("method", "place"), [("POST", "/ml/predict"), ("GET", "/ml/"), ("HEAD", "/ml/health"), ("OPTIONS", "/ml/predict")]
)
def test_it_answers_by_wsgi_and_by_asgi(penguins: Path, method: str, place: str) -> None:
    headers, body = (JSON, BYTES) if method == "POST" else ({}, b"")
    with project(penguins):
        status, _, parts = call(validator(get_wsgi_application()), method, place, headers, body)
        talk = ask(get_asgi_application(), method, place, headers.items(), [body[:9], body[9:]])
    assert status == talk.status == (204 if method == "OPTIONS" else 200)
    assert b"".join(parts) == b"".join(talk.parts) and bool(b"".join(parts)) == (method in ("GET", "POST"))


def test_a_body_in_chunks_is_read_where_the_server_says_where_it_ends(penguins: Path) -> None:
    environ: Any = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BytesIO(BYTES)}
    with project(penguins) as client:
        answer = client.generic("POST", "/ml/predict", content_type="application/json", **environ)
        assert answer.status_code == 200
        del environ["wsgi.input_terminated"]
        refused = client.generic("POST", "/ml/predict", content_type="application/json", **environ)
        assert refused.status_code == 400 and "passes on no body in chunks" in refused.json()["detail"]


def test_large_answers_are_sent_while_they_are_made(penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWEIGHT_MAX_INSTANCES", str(ROWS))
    body = "Torgersen,39.1,18.7,181,3750,male,2007\n" * ROWS
    with project(penguins) as client:
        answer = client.generic("POST", "/ml/predict", body, "text/csv; header=absent", headers={"accept": "text/csv"})
        assert answer.streaming and len(b"".join(answer.streaming_content).splitlines()) == ROWS + 1


def test_the_openapi_document_says_where_it_is_mounted(penguins: Path) -> None:
    with project(penguins) as client:
        told = client.get("/ml/openapi.json", SCRIPT_NAME="/site").json()
    assert told["servers"] == [{"url": "/site/ml"}]
