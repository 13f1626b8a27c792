"""Azure's requests have a whole URL, and the id of the invocation is in the context."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest

from flyweight.values import Request, Response

func = pytest.importorskip("azure.functions")
CONTEXT = SimpleNamespace(invocation_id="i1")


@pytest.fixture(scope="module")
def azure(load: Callable[[str, str], ModuleType]) -> ModuleType:
    return load("azure", "azure_request")


def test_a_request_has_the_urls_path_and_the_invocations_id(azure: ModuleType) -> None:
    native = func.HttpRequest("post", "https://f.azurewebsites.net/predict?x=1", headers={"Accept": "*/*"}, body=b"\xff")
    assert azure.decode(native, CONTEXT) == Request("POST", "/predict", {"accept": "*/*"}, b"\xff", "i1", query="x=1")


def test_the_answer_keeps_its_own_content_type(azure: ModuleType) -> None:
    response = Response(422, {"content-type": "application/problem+json"}, b"{}")
    answer = azure.encode(response, None, CONTEXT)
    assert (answer.status_code, answer.get_body(), answer.headers["content-type"]) == (422, b"{}", "application/problem+json")


@pytest.mark.parametrize(
    ("url", "below", "path"),
    [
        ("/api/predict", "predict", "/predict"),
        ("/API/models/iris/predict", "models/iris/predict", "/models/iris/predict"),
        ("/ml/v1/predict", "predict", "/predict"),
        ("/predict", "predict", "/predict"),
        ("/api", None, "/"),
        ("/api/", "", "/"),
        ("/", None, "/"),
        ("/health", None, "/health"),
    ],
)
def test_the_route_prefix_of_the_host_is_cut(url: str, below: str | None, path: str, azure: ModuleType) -> None:
    params = {} if below is None else {"path": below}
    native = func.HttpRequest("GET", f"https://f.azurewebsites.net{url}", route_params=params, body=b"")
    assert azure.decode(native, CONTEXT).path == path
