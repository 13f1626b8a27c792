"""What browsers, proxies and large answers need is the same through every target and every shape of its events."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit import targets
from flyweight.toolkit.events import samples
from flyweight.toolkit.running import Answer, Runtime, runtime

ROW = ["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]
JSON = {"content-type": "application/json"}
NAMES = ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year"]
SETTINGS = {
    "FLYWEIGHT_CORS_ORIGINS": "https://shop.example https://*.lab.example",
    "FLYWEIGHT_BASE_PATH": "/ml/v1/",
    "FLYWEIGHT_ANY_BODY": "true",
}
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
TARGETS = [target.name for target in targets.all_targets() if target.has("runtime")]
WITH_HEADERS = {"method": "OPTIONS", "path": "/predict", "headers": {"origin": "https://shop.example"}}
SHAPES = [(target, shape) for target in TARGETS for shape in samples.shapes(target, WITH_HEADERS)]
Ask = Callable[..., Answer]


@pytest.fixture(scope="module")
def ask(built: Callable[[str], Path]) -> Iterator[Ask]:
    """Answer a plain request in a target's runtime, in one of its shapes."""
    with ExitStack() as stack:

        @cache
        def start(target: str, changed: bool) -> Runtime:
            if words := runtime(target).missing():
                pytest.skip(words)
            return stack.enter_context(runtime(target)(built(target), environ=SETTINGS if changed else {}))

        def asked(
            target: str, shape: str, method: str, path: str, body: Any = None, changed: bool = True, **headers: str
        ) -> Answer:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            request = {"method": method, "path": path, "headers": named, **({} if body is None else {"body": body})}
            return start(target, changed).invoke(runtime(target).event(request, shape))

        yield asked


@pytest.mark.parametrize(("target", "shape"), SHAPES)
def test_a_large_answer_is_compressed_where_the_caller_takes_it(target: str, shape: str, ask: Ask) -> None:
    answer = ask(target, shape, "POST", "/predict", [ROW] * 500, **JSON, accept_encoding="br, gzip;q=0.5")
    compressed = answer.headers.get("content-encoding") == "gzip"
    assert compressed or shape, "the usual shape carries bytes"
    body = gzip.decompress(answer.body) if compressed else answer.body
    assert json.loads(body)["predictions"] == ["Gentoo"] * 500
    assert not compressed or answer.headers["vary"].startswith("accept-encoding")


@pytest.mark.parametrize(("target", "shape"), SHAPES)
@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "br, *;q=0"])
def test_a_large_answer_is_plain_for_other_callers(target: str, shape: str, accepted: str, ask: Ask) -> None:
    answer = ask(target, shape, "POST", "/predict", [ROW] * 500, **JSON, **({"accept_encoding": accepted} if accepted else {}))
    assert "content-encoding" not in answer.headers
    assert json.loads(answer.body)["predictions"] == ["Gentoo"] * 500


@pytest.mark.parametrize(("target", "shape"), SHAPES)
def test_a_browser_may_send_what_it_asks_for_before(target: str, shape: str, ask: Ask) -> None:
    answer = ask(target, shape, "OPTIONS", "/predict", origin="https://shop.example", **PREFLIGHT)
    assert answer.status == 204 and answer.body == b""
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "content-type" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-max-age"] == "600"
    assert "origin" in answer.headers["vary"]


@pytest.mark.parametrize(("target", "shape"), SHAPES)
@pytest.mark.parametrize(("body", "status"), [([ROW], 200), ("{", 400), ([[1]], 422)])
def test_a_page_of_an_allowed_origin_may_read_answers_and_errors(
    target: str, shape: str, body: Any, status: int, ask: Ask
) -> None:
    answer = ask(target, shape, "POST", "/predict", body, **JSON, origin="https://a.lab.example")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, "https://a.lab.example")
    assert "x-request-id" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(("target", "shape"), SHAPES)
def test_a_page_of_another_origin_may_read_nothing(target: str, shape: str, ask: Ask) -> None:
    answer = ask(target, shape, "POST", "/predict", [ROW], **JSON, origin="https://evil.example")
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert answer.headers["vary"] == "origin", "caches keep the answers to two origins apart"


@pytest.mark.parametrize(("target", "shape"), SHAPES)
def test_without_the_setting_nothing_is_said_of_origins(target: str, shape: str, ask: Ask) -> None:
    answer = ask(target, shape, "OPTIONS", "/predict", changed=False, origin="https://shop.example", **PREFLIGHT)
    assert answer.headers["allow"] == "POST, OPTIONS"
    assert not [name for name in answer.headers if name.startswith("access-control-") or name == "vary"]


@pytest.mark.parametrize(("target", "shape"), SHAPES)
@pytest.mark.parametrize("path", ["/ml/v1/predict", "/predict", "//ml//v1/predict/", "/ml/v1", "/ml%2Fv1/predict"])
def test_a_base_path_is_a_setting(target: str, shape: str, path: str, ask: Ask) -> None:
    answer = ask(target, shape, "POST", path, [ROW], **JSON, accept="*/*")
    assert json.loads(answer.body)["predictions"] == ["Gentoo"]


@pytest.mark.parametrize(("target", "shape"), SHAPES)
@pytest.mark.parametrize(("body", "labels"), [(dict(zip(NAMES, ROW, strict=True)), ["Gentoo"]), ([], [])])
def test_a_bare_instance_and_an_empty_array_are_answered_by_a_setting(
    target: str, shape: str, body: Any, labels: list[str], ask: Ask
) -> None:
    assert json.loads(ask(target, shape, "POST", "/predict", body, **JSON).body)["predictions"] == labels
    assert ask(target, shape, "POST", "/predict", body, changed=False, **JSON).status == 422
