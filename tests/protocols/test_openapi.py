"""The OpenAPI document describes the protocols that are on, its examples are answered, and it imports none that is off."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from flyweight import predictor, protocols
from flyweight.protocols import openapi
from tests.conftest import ROOT
from tests.protocols.conftest import Caller

KINDS = ["numbers", "flags", "line", "plane", "several", "scaler", "one"]
# SageMaker's endpoints of many models need their protocol named first, since native is at these paths too
LEFT_TO_NATIVE = {"POST /models", "DELETE /models/NAME", "GET /models/NAME"}
DESCRIBED = [name for name in protocols.names() if hasattr(protocols.find(name), "example")]


def test_the_document_describes_every_path_of_every_protocol_that_is_on(birds: Caller) -> None:
    document = birds("GET", "/openapi.json")[1]
    validate(document, cls=OpenAPIV31SpecValidator)
    for name in protocols.names():
        for known in protocols.find(name).PATHS:
            method, path = known.split()
            template = path.replace("/M", "/{model}").replace("/E/", "/{endpoint}/").replace("/D", "/{deployed_model}")
            told = method.lower() in document["paths"].get(template, {})
            assert told is not (known in LEFT_TO_NATIVE), (name, known)


def test_a_method_that_the_document_leaves_out_is_refused_or_answered_by_native(birds: Caller) -> None:
    for method, path in map(str.split, LEFT_TO_NATIVE):
        assert birds(method, path)[0] == (404 if method == "GET" else 405)


def test_the_document_leaves_out_what_is_off(caller: Callable[..., Caller]) -> None:
    paths = caller("line", protocols=("native", "kserve"))("GET", "/openapi.json")[1]["paths"]
    assert "/predict" in paths and "/v1/models/{model}:predict" in paths
    assert not {"/docs", "/invocations", "/v2/models/{model}/infer"} & {*paths}


def test_the_document_of_a_model_below_a_path_is_of_native_alone(
    caller: Callable[..., Caller], packed: Callable[..., Path]
) -> None:
    ask = caller("line", models={"other": str(packed("plane"))})
    assert {*ask("GET", "/models/other/openapi.json")[1]["paths"]} == {
        *openapi.describe(predictor.load(str(packed("plane"))))["paths"]
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", DESCRIBED)
def test_the_request_that_a_protocol_gives_as_its_example_is_answered(
    name: str, kind: str, caller: Callable[..., Caller]
) -> None:
    ask = caller(kind, protocols=(name,))
    model = ask.service.models.get(ask.service.settings.model).model.predictor
    sample = model.file.document["sample"]["instances"][:1]
    names = [feature.name for feature in model.signature.features]
    instances = [row if isinstance(row, dict) else dict(zip(names, row, strict=True)) for row in sample]
    path, document = protocols.find(name).example(model.signature, model.name, instances)  # type: ignore[attr-defined]
    status, answer = ask("POST", path, document, content_type="application/json")
    assert status == 200 and "'isError': True" not in str(answer), answer


@pytest.mark.parametrize("kind", KINDS)
def test_the_examples_in_the_document_are_answered(kind: str, caller: Callable[..., Caller]) -> None:
    ask, asked = caller(kind), 0
    document: Any = ask("GET", "/openapi.json")[1]
    validate(document, cls=OpenAPIV31SpecValidator)
    for path, methods in document["paths"].items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" in content:
            place = path.format(model=document["info"]["title"], endpoint="1", deployed_model="1")
            assert ask("POST", place, content["example"])[0] == 200, place
            asked += 1
    assert asked >= 6


def test_where_native_is_alone_its_document_imports_no_other_protocol(penguins: Path) -> None:
    program = f"""import sys
from flyweight.serving.service import Service
from flyweight.settings import Settings
from flyweight.values import Request
service = Service(Settings({str(penguins)!r}, protocols=("native",)), lambda entry: None)
answer = service.answer(Request("GET", "/openapi.json", {{}}, b""))
assert answer.status == 200, answer
print(*sorted(name for name in sys.modules if name.startswith("flyweight.protocols.")))"""
    words = [sys.executable, "-P", "-c", program]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=120, env={"PYTHONPATH": str(ROOT / "shared")}, check=True
    )
    assert done.stdout.split() == ["flyweight.protocols.native", "flyweight.protocols.openapi", "flyweight.protocols.paths"]
