"""Events by name: a file, a target's own sample, or a plain request in the target's form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit import targets
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.events import samples
from flyweight.toolkit.targets.requests import body_fields, body_of, is_plain
from flyweight.toolkit.targets.runtime import Runtime
from tests.conftest import ROOT

PLAIN = {"method": "POST", "path": "/predict", "headers": {"content-type": "application/json"}, "body": {"instances": [[1]]}}


def document(path: str) -> Any:
    return json.loads((ROOT / "events" / path).read_text())


def test_a_targets_own_sample_comes_first_and_as_it_is() -> None:
    assert samples.read("aws", "predict.rest") == samples.read("aws", "predict.rest.json") == document("aws/predict.rest.json")
    assert samples.read("azure", "queue") == document("azure/queue.json")


def test_an_http_case_comes_in_the_targets_form() -> None:
    event = samples.read("aws", "misspelt_feature.alb")
    assert (event["httpMethod"], "elb" in event["requestContext"]) == ("POST", True)
    assert "bill_lenght_mm" in event["body"]
    assert samples.read("azure", "not_found")["url"].startswith("https://")
    assert samples.read("gcp", "not_utf8") == document("http/not_utf8.json")


def test_a_plain_request_in_a_file_is_wrapped_and_any_other_file_is_not(tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps(PLAIN))
    assert json.loads(samples.read("aws", str(mine))["body"]) == PLAIN["body"]
    mine.write_text('{"instances": []}')
    assert samples.read("aws", str(mine)) == {"instances": []}


def test_an_unknown_name_or_shape_and_a_file_that_is_not_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(samples.NoSample, match="'pigeon' is neither an event of gcp nor a file") as unknown:
        samples.read("gcp", "pigeon")
    assert "pubsub" in unknown.value.next_step and "misspelt_feature" in unknown.value.next_step
    with pytest.raises(RuntimeFailed, match="shape 'round'") as other:
        samples.read("aws", "health.round")
    assert "alb_multi" in other.value.next_step
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(samples.NoSample, match="is not JSON"):
        samples.read("gcp", str(tmp_path / "broken.json"))


@pytest.mark.parametrize("target", [target.name for target in targets.all_targets() if target.has("runtime")])
def test_the_event_of_a_prediction_holds_the_instances(target: str) -> None:
    assert json.loads(body_of(samples.predicting(target, [[1, "a", None]]))) == {"instances": [[1, "a", None]]}


def test_a_target_without_http_refuses_a_request_in_words() -> None:
    class Batches(Runtime):
        EXTRA = "batches"

    with pytest.raises(RuntimeFailed, match="takes no HTTP requests"):
        Batches.event(PLAIN)
    with pytest.raises(RuntimeFailed, match="shape 'rest'"):
        Batches.event(PLAIN, "rest")


@pytest.mark.parametrize(
    ("request_", "body", "fields"),
    [
        ({}, b"", {}),
        ({"body": ""}, b"", {}),
        ({"body": "é"}, "é".encode(), {"body": "é"}),
        ({"body": {"a": [1]}}, b'{"a": [1]}', {"body": '{"a": [1]}'}),
        ({"body_base64": "/wA="}, b"\xff\x00", {"body_base64": "/wA="}),
    ],
)
def test_a_body_is_text_json_or_base64(request_: Mapping[str, Any], body: bytes, fields: dict[str, str]) -> None:
    assert body_of(request_) == body
    assert body_fields(body) == fields


@pytest.mark.parametrize("event", [None, [], "text", {}, {"method": "GET"}, {**PLAIN, "url": "https://x"}, {"instances": []}])
def test_an_event_of_another_form_is_not_a_plain_request(event: Any) -> None:
    assert is_plain(PLAIN) and not is_plain(event)
