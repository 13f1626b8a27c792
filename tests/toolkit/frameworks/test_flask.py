"""A model as a blueprint of Flask, with the application's own hooks and extensions around it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest
from flask import Flask, abort, request
from flask_cors import CORS

import flyweight
from flyweight.toolkit.events import samples
from tests.toolkit.frameworks.test_applications import BODY as BYTES
from tests.toolkit.frameworks.test_applications import JSON, call

BODY = samples.requests()["predict"]["body"]


def mounted(model: Path, **options: Any) -> Flask:
    application = Flask(__name__)
    application.register_blueprint(flyweight.blueprint(model, **options), url_prefix="/ml")
    return application


def test_a_hook_decides_who_may_call(penguins: Path) -> None:
    models = flyweight.blueprint(penguins)

    @models.before_request
    def key() -> None:
        if request.headers.get("x-key") != "secret":
            abort(401)

    application = Flask(__name__)
    application.register_blueprint(models, url_prefix="/ml")
    client = application.test_client()
    assert client.post("/ml/predict", json=BODY).status_code == client.get("/ml/health").status_code == 401
    assert client.post("/ml/predict", json=BODY, headers={"x-key": "secret"}).status_code == 200


@pytest.mark.parametrize("read", ["get_data", "get_json"])
def test_a_hook_may_read_the_body_first(penguins: Path, read: str) -> None:
    application = mounted(penguins)
    application.before_request(lambda: (getattr(request, read)(), None)[1])
    assert application.test_client().post("/ml/predict", json=BODY).status_code == 200


def test_the_applications_limit_of_bodies_holds(penguins: Path) -> None:
    application = mounted(penguins)
    application.config["MAX_CONTENT_LENGTH"] = 10
    answer = application.test_client().post("/ml/predict", json=BODY)
    assert answer.status_code == 413 and answer.content_type.startswith("text/html"), "it is Flask's own page"


def test_a_body_in_chunks_is_read_where_the_server_says_where_it_ends(penguins: Path) -> None:
    chunks: Iterator[bytes] = iter([BYTES[:20], BYTES[20:]])

    class Chunks:
        def read(self, size: int = -1) -> bytes:
            return next(chunks, b"")

    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": Chunks()}
    client = mounted(penguins).test_client()
    answer = client.post("/ml/predict", content_type="application/json", environ_overrides=environ)
    assert answer.status_code == 200


def test_cors_is_the_extensions(penguins: Path) -> None:
    application = mounted(penguins)
    CORS(application, origins=["https://shop.example"])
    client, origin = application.test_client(), {"origin": "https://shop.example"}
    asked = client.options("/ml/predict", headers={**origin, "access-control-request-method": "POST"})
    assert asked.headers["access-control-allow-origin"] == "https://shop.example"
    answer = client.post("/ml/predict", json=BODY, headers=origin)
    assert answer.headers.getlist("access-control-allow-origin") == ["https://shop.example"]


def test_other_paths_of_the_application_stay_its_own(penguins: Path) -> None:
    application = Flask(__name__)
    application.register_blueprint(flyweight.blueprint(penguins))  # without a prefix
    application.add_url_rule("/hello", "hello", lambda: "hello")
    client = application.test_client()
    assert client.get("/hello").text == "hello" and client.get("/health").json == {"status": "ok"}
    assert client.get("/nothing").content_type == "application/problem+json"


def test_two_models_need_two_names(penguins: Path) -> None:
    application = mounted(penguins)
    application.register_blueprint(flyweight.blueprint(penguins, name="v1.1"), url_prefix="/other")
    assert [*application.blueprints] == ["penguins", "v1_1"]
    assert application.test_client().get("/other/health").status_code == 200


def test_the_openapi_document_says_where_it_is_mounted(penguins: Path) -> None:
    client = mounted(penguins).test_client()
    told = client.get("/ml/openapi.json", environ_overrides={"SCRIPT_NAME": "/site"}).json
    assert told["servers"] == [{"url": "/site/ml"}]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/ml/predict"), ("GET", "/ml/"), ("HEAD", "/ml/health"), ("OPTIONS", "/ml/predict")]
)
def test_the_judge_of_the_standard_library_finds_no_fault(penguins: Path, method: str, path: str) -> None:
    status, headers, parts = call(
        validator(mounted(penguins)), method, path, JSON if method == "POST" else {}, BYTES if method == "POST" else b""
    )
    assert status == (204 if method == "OPTIONS" else 200)
    assert not (method in ("HEAD", "OPTIONS") and b"".join(parts)) and ("content-type" in {*map(str.lower, headers)}) == (
        status == 200
    )
