"""Every sample event is changed at every path: nothing raises, each good record is scored, each bad one is accounted for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flyweight.handler import bind
from flyweight.records import Outcome
from flyweight.records.scoring import score
from tests.targets.mutations import DEEP, DELETED, Sinks, changed, changes, sinks
from tests.targets.paths import on_path

flask = pytest.importorskip("flask")
EVENTS = Path(__file__).resolve().parents[3] / "events" / "gcp"

__all__ = ["sinks"]
folder = on_path("gcp")


def sample(path: Path) -> Any:
    """Read an event; its body becomes the document that it holds, and the message in it the one that is in base64."""
    event = json.loads(path.read_text())
    event.pop("settings", None)
    try:
        event["body"] = json.loads(event["body"])
    except (KeyError, ValueError):
        pass
    return event


SAMPLES = {path.stem: sample(path) for path in sorted(EVENTS.glob("*.json")) if not path.stem.startswith("predict")}
SCORED = {name: event for name, event in SAMPLES.items() if "rejected" not in name and "undecodable" not in name}
SCORED = {name: event for name, event in SCORED.items() if name not in ("scheduler_empty", "storage_away")}


def shown(value: Any) -> str:
    return "deep" if value is DEEP else "deleted" if value is DELETED else f"{value!r:.60}"


@pytest.fixture(scope="module")
def post(penguins: Path, sinks: Sinks, folder: None) -> Iterator[Callable[[Any], int]]:
    """Post an event to the function as it is deployed, with files that are scored at once; get the status."""
    import gcp_files
    import gcp_message
    import gcp_request
    import gcp_triggers

    def scored(predictor: Any, records: Any) -> list[Outcome]:
        bodies = iter(score(predictor, [record for record in records if "address" not in record.origin]))
        return [
            Outcome(record, {"id": record.id}, record.fault, record.fault is not None)
            if "address" in record.origin
            else next(bodies)
            for record in records
        ]

    gcp_files.score_objects = scored
    settings = {"MODEL": penguins.name, "RESULTS": "memory:results", "DEAD_LETTERS": "memory:letters"}
    settings |= {"EVENT_SENDERS": "iam", "EVENT_BUCKETS": "penguins-in"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(f"FLYWEIGHT_{name}", value)
        function = bind(
            gcp_request.decode,
            gcp_request.encode,
            folder=str(penguins.parent),
            logs={"": lambda: lambda entry: None},
            triggers=gcp_triggers.find,
            sinks="memory_sinks",
        )
        app = flask.Flask("f")

        def posted(event: Any) -> int:
            body = event.get("body", "")
            body = body.encode("utf-8", "replace") if isinstance(body, str) else json.dumps(body)
            headers = event.get("headers")
            pairs = headers.items() if isinstance(headers, dict) else ()
            sent = [(name, str(value).encode("ascii", "replace").decode()) for name, value in pairs if _is_header(name, value)]
            with app.test_request_context("/", method="POST", data=body, headers=sent):
                answer: tuple[bytes, int, Any] = function(gcp_message.opened(flask.request))
                json.loads(answer[0])
                return answer[1]

        yield posted


def _is_header(name: str, value: Any) -> bool:
    return bool(name) and value is not None and not isinstance(value, (dict, list)) and "\0" not in str(value)


def test_the_samples_are_scored(post: Callable[[Any], int], sinks: Sinks) -> None:
    for name, event in SCORED.items():
        assert post(event) == 200
        scored, rejected = sinks.take()
        assert scored and not rejected, name


def test_no_change_of_an_event_raises_and_no_event_is_done_without_a_trace(post: Callable[[Any], int], sinks: Sinks) -> None:
    """A status of 200 is an acknowledgement: the record is scored or in a dead letter, unless there is nothing to score."""
    found = []
    for name, path, value in changes(SCORED):
        if path[:1] not in (("headers",), ("body",)):
            continue
        event = changed(SCORED[name], path, value)
        status = post(event)
        scored, rejected = sinks.take()
        quiet = _has_nothing_to_score(name, event) or (not scored and not rejected and _is_request(event))
        if status >= 500 or (status == 200 and not scored and not rejected and not quiet):
            found.append(f"{name} {path} {shown(value)}: {status}, scored {scored}, rejected {rejected}")
    assert not found, f"{len(found)} changes: " + "\n".join(found[:30])


def _is_request(event: Any) -> bool:
    """Tell whether no header and no key is left that says that this is an event: then HTTP answers the caller."""
    from gcp_triggers import BY_HEADER

    headers = event.get("headers")
    body = event.get("body")
    return not (isinstance(headers, dict) and any(headers.get(name) is not None for name in BY_HEADER)) and not (
        isinstance(body, dict) and "message" in body
    )


def _has_nothing_to_score(name: str, event: Any) -> bool:
    """Tell whether an event is passed over as docs/triggers.md says: a schedule, a folder's mark, an object that goes away."""
    body = event.get("body")
    kind = event["headers"].get("ce-type") if isinstance(event.get("headers"), dict) else None
    if isinstance(body, list) and not body:
        return True
    if name.startswith("scheduler"):
        custom = body.get("customData") if isinstance(body, dict) else None
        return body in ("", None, b"") or custom in ("", None)
    if name.startswith("storage"):
        return (isinstance(body, dict) and body.get("name") == "") or kind != "google.cloud.storage.object.v1.finalized"
    return False


def test_an_event_of_a_batch_fails_alone(post: Callable[[Any], int], sinks: Sinks) -> None:
    """The event behind a changed one is scored, whatever the change is."""
    batch = SAMPLES["eventarc.batch"]
    assert isinstance(batch["body"], list)
    good = batch["body"][0]
    found = []
    for name, path, value in changes({"event": [good]}):
        assert name == "event"
        (event,) = changed([good], path, value) or [None]
        status = post({**batch, "body": [event, {**good, "id": "good"}]})
        scored, rejected = sinks.take()
        if "good" not in scored or status >= 500 or (status == 200 and len(scored) + len(rejected) != 2):
            found.append(f"{path} {shown(value)}: {status}, scored {scored}, rejected {rejected}")
    assert not found, f"{len(found)} changes: " + "\n".join(found[:30])


@pytest.mark.parametrize("data", [b"x", b"\xff", b"{", b"[[1]]", b'{"year": NaN}', b"[" * 50_000, b"null", b""])
def test_a_message_that_holds_anything_else_is_rejected_and_acknowledged(
    data: bytes, post: Callable[[Any], int], sinks: Sinks
) -> None:
    event = json.loads(json.dumps(SAMPLES["pubsub.push"]))
    event["body"]["message"]["data"] = base64.b64encode(data).decode()
    assert post(event) == 200
    assert [*map(len, sinks.take())] == [0, 1]
