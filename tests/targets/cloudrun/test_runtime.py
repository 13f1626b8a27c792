"""The command line of the Procfile, as Cloud Run runs it: readiness, events, refusals by sender, and the end by SIGTERM."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.events import samples
from flyweight.toolkit.targets.cloudrun.runtime import Runtime
from tests.targets.handler import ROOT

JSON = {"content-type": "application/json"}
PUSH = {"message": {"messageId": "1", "data": base64.b64encode(b"[[1]]").decode()}, "subscription": "s"}


def post(headers: dict[str, str], body: Any = "", path: str = "/") -> dict[str, Any]:
    return {"method": "POST", "path": path, "headers": headers, "body": body}


@pytest.fixture(scope="module")
def process(built: Callable[[str], Path]) -> Iterator[Runtime]:
    with Runtime(built("cloudrun"), environ={"FLYWEIGHT_EVENT_SENDERS": "iam", "FLYWEIGHT_EVENT_BUCKETS": "b"}) as running:
        yield running


def documents(process: Runtime, event: dict[str, Any]) -> Any:
    return json.loads(process.invoke(event).body)


@pytest.mark.parametrize("text", [None, "", "worker: python main.py\n", "web:\n"])
def test_a_folder_that_does_not_say_what_is_started_is_refused(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "Procfile").write_text(text)
    with Runtime(tmp_path) as process, pytest.raises(RuntimeFailed, match="does not say what Cloud Run starts") as refused:
        process.invoke(samples.read("cloudrun", "health"))
    assert "flyweight build cloudrun" in str(refused.value.next_step)


def test_the_paths_that_google_asks_are_answered(process: Runtime) -> None:
    script = (ROOT / "infra" / "gcp" / "deploy.sh").read_text()
    asked = re.findall(r"httpGet\.path=(/\w+)", script)
    assert asked
    for path in asked:
        assert process.invoke({"method": "GET", "path": path}).status == 200


def test_headers_of_an_unwrapped_notification_are_found_in_any_case(process: Runtime) -> None:
    names = {"bucketId": "b", "objectId": "in/folder/", "eventType": "OBJECT_FINALIZE", "objectGeneration": "7"}
    headers = {**JSON, "X-Goog-Pubsub-Message-Id": "1", **names}
    assert documents(process, post(headers, "{}")) == []  # the mark of a folder: read, and passed over
    answer = process.invoke(post({**headers, "objectId": "in/a.csv", "bucketId": "somebody-elses"}, "{}"))
    assert answer.status == 200 and "FLYWEIGHT_EVENT_BUCKETS" in answer.body.decode()


def test_a_reply_has_the_length_of_its_body(process: Runtime) -> None:
    answer = process.invoke(post(JSON, PUSH))
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("headers", [{"ce-id": "1"}, {"x-cloudtasks-taskname": "t"}, {}])
def test_without_a_setting_events_are_refused_and_requests_are_answered(
    headers: dict[str, str], built: Callable[[str], Path]
) -> None:
    with Runtime(built("cloudrun")) as process:
        refused = process.invoke(post({**JSON, **headers, "x-request-id": "r-1"}, PUSH))
        assert refused.status == 403 and json.loads(refused.body)["type"].endswith("forbidden")
        assert '"r-1"' in process.log()
        assert process.invoke(samples.read("cloudrun", "predict")).status == 200


def test_a_larger_body_than_the_model_takes_is_refused_also_where_it_looks_like_an_event(built: Callable[[str], Path]) -> None:
    environ = {"FLYWEIGHT_EVENT_SENDERS": "iam", "FLYWEIGHT_MAX_BODY_BYTES": "100"}
    with Runtime(built("cloudrun"), environ=environ) as process:
        assert process.invoke(post({**JSON, "ce-id": "1", "connection": "close"}, "x" * 200)).status == 413


def test_sigterm_ends_the_process_with_success(built: Callable[[str], Path]) -> None:
    with Runtime(built("cloudrun")) as process:
        process.invoke(samples.read("cloudrun", "predict"))
        running = process._process
        assert running is not None
        os.kill(running.pid, signal.SIGTERM)
        assert running.wait(timeout=60) == 0


def test_workers_share_the_port_and_the_model(built: Callable[[str], Path]) -> None:
    with Runtime(built("cloudrun"), environ={"FLYWEIGHT_WORKERS": "2"}) as process:
        answers = [process.invoke({**samples.read("cloudrun", "predict")}) for _ in range(4)]
    assert [answer.status for answer in answers] == [200] * 4
