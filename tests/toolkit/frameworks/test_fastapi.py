"""A model as a router of FastAPI: its bytes are those of every transport, its types are in the application's document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.security import HTTPBearer
from fastapi.testclient import TestClient
from openapi_spec_validator import validate
from sklearn.linear_model import LinearRegression
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

import flyweight
from flyweight.toolkit.events import samples
from flyweight.toolkit.targets.requests import body_of
from tests.contract.cases import HTTP, Case

PREDICTING = [case for case in HTTP if (case.request or {})["path"] == "/predict" and (case.request or {})["method"] == "POST"]
BODY = samples.requests()["predict"]["body"]


def mounted(model: Path, **options: Any) -> TestClient:
    """Make the client of an application with the router below /ml, and the same model as an ASGI application below /own."""
    application = FastAPI()
    application.include_router(flyweight.router(model), prefix="/ml", **options)
    application.mount("/own", flyweight.asgi(model))
    return TestClient(application)


@pytest.fixture(scope="module")
def client(penguins: Path) -> TestClient:
    return mounted(penguins)


@pytest.mark.parametrize("case", PREDICTING, ids=lambda case: case.name)
def test_its_answers_are_those_of_every_transport_byte_for_byte(client: TestClient, case: Case) -> None:
    request = case.request or {}
    headers = {**request.get("headers", {}), "x-request-id": "same"}
    routed, own = [client.post(f"{place}/predict", content=body_of(request), headers=headers) for place in ("/ml", "/own")]
    assert (routed.status_code, routed.content) == (own.status_code, own.content)
    assert routed.status_code == case.status and routed.headers["content-type"] == own.headers["content-type"]


@pytest.mark.parametrize("path", ["/health", "/ready", "/model"])
def test_its_other_paths_are_too(client: TestClient, path: str) -> None:
    assert client.get(f"/ml{path}").json() == client.get(f"/own{path}").json()


def test_the_models_are_in_the_applications_document(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    validate(document)
    assert {*document["paths"]} == {"/ml/predict", "/ml/health", "/ml/ready", "/ml/model"}
    parts = document["components"]["schemas"]
    operation = document["paths"]["/ml/predict"]["post"]
    content = operation["requestBody"]["content"]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/PenguinsRequest"}
    assert {"text/csv", "application/x-ndjson"} < {*content}
    assert "application/problem+json" in operation["responses"]["422"]["content"]
    features = parts["PenguinsInstance"]["properties"]
    assert features["island"]["description"] == "seen in training: Biscoe, Dream, Torgersen"
    assert features["year"]["examples"] == [2007.0, 2009.0]
    (labels, _) = parts["PenguinsAnswer"]["properties"]["predictions"]["anyOf"]
    assert labels["items"]["enum"] == ["Adelie", "Chinstrap", "Gentoo"]


def test_the_documents_example_is_answered(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    answer = client.post("/ml/predict", json=schemas["PenguinsRequest"]["examples"][0])
    assert answer.status_code == 200 and {*answer.json()} <= {*schemas["PenguinsAnswer"]["properties"]}


def test_any_text_may_be_the_name_of_a_feature(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"model_x": [1.0, 2.0, 4.0], "_a": [1.0, 0.0, 1.0], "bill (mm)": [0.0, 1.0, 3.0], "class": [5.0, 1.0, 2.0]}
    )
    model = tmp_path / "odd.safetensors"
    flyweight.pack(LinearRegression().fit(table, [1.0, 2.0, 3.0]), model, sample=table, name="odd-name.v1")
    client = mounted(model)
    document = client.get("/openapi.json").json()
    validate(document)
    assert {*document["components"]["schemas"]["OddNameV1Instance"]["properties"]} == {*table.columns}
    assert client.post("/ml/predict", json={"instances": [dict.fromkeys(table.columns, 1.0)]}).status_code == 200


def test_two_models_of_one_name_live_in_one_application(penguins: Path) -> None:
    application = FastAPI()
    for place in ("/one", "/two"):
        application.include_router(flyweight.router(penguins), prefix=place)
    client = TestClient(application)
    assert [client.post(f"{place}/predict", json=BODY).status_code for place in ("/one", "/two")] == [200, 200]
    assert {"/one/predict", "/two/predict"} < {*client.get("/openapi.json").json()["paths"]}


def test_a_dependency_decides_who_may_call(penguins: Path) -> None:
    client = mounted(penguins, dependencies=[Depends(HTTPBearer())])
    assert [client.get(f"/ml{path}").status_code for path in ("/health", "/ready", "/model")] == [401, 401, 401]
    assert client.post("/ml/predict", json=BODY).status_code == 401
    assert client.post("/ml/predict", json=BODY, headers={"authorization": "Bearer x"}).status_code == 200
    assert client.get("/openapi.json").json()["paths"]["/ml/predict"]["post"]["security"] == [{"HTTPBearer": []}]


def test_a_dependency_may_read_the_body_first(penguins: Path) -> None:
    seen = []

    async def signed(request: Request) -> None:
        seen.append(await request.body())

    signed.__annotations__["request"] = Request
    client = mounted(penguins, dependencies=[Depends(signed)])
    assert client.post("/ml/predict", json=BODY).status_code == 200 and len(seen[0]) > 50


def test_middleware_is_around_it(penguins: Path) -> None:
    client = mounted(penguins)
    application: Any = client.app
    application.add_middleware(GZipMiddleware, minimum_size=10)
    application.add_middleware(
        CORSMiddleware, allow_origins=["https://shop.example"], allow_methods=["POST"], allow_headers=["*"]
    )
    origin = {"origin": "https://shop.example"}
    asked = client.options("/ml/predict", headers={**origin, "access-control-request-method": "POST"})
    assert asked.headers["access-control-allow-origin"] == "https://shop.example"
    for place in ("/ml", "/own"):
        answer = client.post(f"{place}/predict", json=BODY, headers=origin)
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["content-encoding"] == "gzip" and answer.json()["predictions"]


def test_a_large_body_is_answered_in_a_thread(client: TestClient) -> None:
    rows = BODY["instances"] * 1000
    assert len(client.post("/ml/predict", json={"instances": rows}).json()["predictions"]) == len(rows)
