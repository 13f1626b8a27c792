"""Google's triggers: the sender of a request, its records, and the status of the reply."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flyweight.errors import MalformedRequest, ModelUnavailable, NotServed
from flyweight.records import InProgress, Outcome, Record, Trigger
from flyweight.records.sinks import BlockedBySequence, DeliveryFailed
from flyweight.toolkit.targets.gcp.runtime import Runtime
from tests.targets.paths import on_path

flask = pytest.importorskip("flask")
ROOT = Path(__file__).resolve().parents[3]
AUTHENTIC = ROOT.parent / "shared" / "data" / "events" / "gcp"
PUSHED = sorted(AUTHENTIC.glob("MessagePublishedData-*.json"))
STORED = sorted(AUTHENTIC.glob("StorageObjectData-*.json"))
JSON = {"Content-Type": "application/json"}


folder = on_path("gcp")


@pytest.fixture(autouse=True)
def senders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWEIGHT_EVENT_SENDERS", "iam")
    monkeypatch.setenv("FLYWEIGHT_EVENT_BUCKETS", "b")


def find(*event: Any) -> Trigger | None:
    from gcp_triggers import find

    trigger: Trigger | None = find(*event)
    return trigger


def read(body: bytes, headers: dict[str, str], method: str = "POST", path: str = "/") -> tuple[str, list[Record]]:
    from gcp_message import opened

    with flask.Flask("f").test_request_context(path, method=method, data=body, headers=headers):
        message = opened(flask.request)
    trigger = find(message)
    return (trigger.name, trigger.records(message)) if trigger else ("", [])


@pytest.mark.skipif(not PUSHED, reason="Google's own samples are not on this machine")
@pytest.mark.parametrize("path", PUSHED, ids=lambda path: path.stem)
def test_googles_own_samples_of_messages_are_read(path: Path) -> None:
    body = path.read_bytes()
    message = json.loads(body)["message"]
    name, (record,) = read(body, JSON)
    assert (name, record.id, record.body) == ("pubsub", "message-id", base64.b64decode(message["data"]))
    assert record.origin["source"] == "projects/my-project/subscriptions/my-subscription"
    assert record.origin.get("attributes", {}) == message.get("attributes", {})


@pytest.mark.skipif(not STORED, reason="Google's own samples are not on this machine")
@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_googles_own_samples_of_objects_name_a_file(path: Path) -> None:
    data = json.loads(path.read_bytes())
    kind = {
        "ce-id": "1",
        "ce-type": "google.cloud.storage.object.v1.finalized",
        "ce-source": "//storage",
        "ce-specversion": "1.0",
    }
    name, (record,) = read(path.read_bytes(), {**JSON, **kind})
    assert (name, record.origin["address"]) == ("object", f"gs://{data['bucket']}/{data['name']}")
    assert record.id.endswith(f"#{data['generation']}")


@pytest.mark.parametrize("sample", ["pubsub", "pubsub.push"])
@pytest.mark.skipif(not PUSHED, reason="Google's own samples are not on this machine")
def test_our_samples_have_the_fields_of_googles(sample: str) -> None:
    ours = json.loads(json.loads((ROOT / "events" / "gcp" / f"{sample}.json").read_text())["body"])
    for path in PUSHED:
        real = json.loads(path.read_text())
        assert {*real} <= {*ours} and {*real["message"]} - {"@type"} <= {*ours["message"]}


@pytest.mark.parametrize(
    ("body", "headers", "method"),
    [
        (b'{"instances": [{"message": 1, "subscription": 2}]}', JSON, "POST"),
        (b'{"message": "a feature"}', JSON, "POST"),
        (b"", {"x-cloudscheduler": "true"}, "GET"),
        (b'{"message": {}, "subscription": ""}', {"Content-Type": "text/plain"}, "POST"),
    ],
)
def test_a_request_stays_a_request(body: bytes, headers: dict[str, str], method: str) -> None:
    assert read(body, headers, method) == ("", [])


@pytest.mark.parametrize("kind", ["deleted", "archived", "metadataUpdated", "anythingElse"])
def test_an_object_that_was_not_written_is_passed_over(kind: str) -> None:
    data = json.dumps({"bucket": "b", "name": "in/a.csv", "generation": "7"}).encode()
    headers = {"ce-id": "1", "ce-source": "s", "ce-type": f"google.cloud.storage.object.v1.{kind}", **JSON}
    assert read(data, headers) == ("object", [])


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("in/a%20b.csv", "gs://b/in/a%20b.csv"),  # names are not encoded in events
        ("in//a.csv", "gs://b/in//a.csv"),
        ("in/a\tb.csv", "gs://b/in/a\tb.csv"),
        ("in/folder/", None),
        ("", None),
    ],
)
def test_an_objects_name_is_taken_as_it_is_and_the_mark_of_a_folder_passed_over(name: str, address: str | None) -> None:
    data = json.dumps({"bucket": "b", "name": name, "generation": "7"}).encode()
    headers = {"ce-id": "1", "ce-source": "s", "ce-type": "google.cloud.storage.object.v1.finalized", **JSON}
    assert [record.origin["address"] for record in read(data, headers)[1]] == ([address] if address else [])


@pytest.mark.parametrize("bucket", ["b", "somebody-elses", ""])
def test_only_files_of_the_buckets_in_the_settings_are_opened(bucket: str) -> None:
    data = json.dumps({"bucket": bucket, "name": "a.csv"}).encode()
    headers = {"ce-id": "1", "ce-source": "s", "ce-type": "google.cloud.storage.object.v1.finalized", **JSON}
    (record,) = read(data, headers)[1]
    attributes = {"bucketId": bucket, "objectId": "a.csv", "eventType": "OBJECT_FINALIZE"}
    push = json.dumps({"message": {"messageId": "1", "attributes": attributes}, "subscription": "s"}).encode()
    (notified,) = read(push, JSON)[1]
    for made in (record, notified):
        assert (made.fault is None) == (bucket == "b")
        assert bucket == "b" or "FLYWEIGHT_EVENT_BUCKETS" in str(made.fault)


@pytest.mark.parametrize("kind", ["google.cloud.audit.log.v1.written", "providers/cloud.firestore/eventTypes/document.write"])
def test_an_event_of_google_that_has_no_instances_is_refused_by_its_type(kind: str) -> None:
    headers = {"ce-id": "1", "ce-source": "s", "ce-type": kind, **JSON}
    (record,) = read(b'{"protoPayload": {}}', headers)[1]
    assert isinstance(record.fault, NotServed) and kind in str(record.fault)


def test_an_unwrapped_notification_of_a_bucket_names_its_object() -> None:
    about = {"x-goog-pubsub-message-id": "1", "bucketId": "b", "objectId": "in/a.csv", "objectGeneration": "7"}
    (record,) = read(b"{}", {**about, "eventType": "OBJECT_FINALIZE", **JSON})[1]
    assert (record.id, record.origin["address"]) == ("in/a.csv#7", "gs://b/in/a.csv")
    assert read(b"{}", {**about, "eventType": "OBJECT_DELETE", **JSON})[1] == []


def test_one_bad_event_of_a_batch_is_one_record_with_its_fault() -> None:
    good = {"id": "1", "source": "s", "type": "t", "data": [[1]]}
    batch = json.dumps([good, 5, {**good, "id": "3", "data_base64": "?"}, {**good, "id": "4"}]).encode()
    digits = read(batch.replace(b"5", b"9" * 5000), {"Content-Type": "application/cloudevents-batch+json"})[1]
    assert [record.fault is None for record in digits] == [True, False, False, True]
    records = read(batch, {"Content-Type": "application/cloudevents-batch+json"})[1]
    assert [record.fault is None for record in records] == [True, False, False, True]
    assert [record.id for record in records if record.fault is None] == ["1", "4"] and records[2].id == "3"


def test_the_answer_of_a_pull_holds_many_messages() -> None:
    data = base64.b64encode(b"[[1]]").decode()
    pulled = [{"ackId": "a", "message": {"messageId": str(number), "data": data}} for number in range(2)]
    name, records = read(json.dumps({"receivedMessages": [*pulled, {"ackId": "b"}]}).encode(), JSON)
    assert (name, [record.id for record in records[:2]], records[2].fault is None) == ("pubsub", ["0", "1"], False)


def test_a_message_may_hold_cloudevents_which_keep_its_place_in_the_order() -> None:
    event = {"specversion": "1.0", "id": "e", "source": "s", "type": "t", "data": [[1]]}
    data = base64.b64encode(json.dumps([event, 5]).encode()).decode()
    attributes = {"Content-Type": "application/cloudevents-batch+json"}
    message = {"messageId": "m", "data": data, "attributes": attributes, "orderingKey": "k"}
    records = read(json.dumps({"message": message, "subscription": "sub"}).encode(), JSON)[1]
    assert [(record.sequence, record.fault is None) for record in records] == [("k", True), ("k", False)]
    assert (records[0].id, records[0].body, records[0].origin["event"]) == ("m/e", b"[[1]]", "t")


@pytest.mark.parametrize("body", [b"{", b"[1]", b"null", b'{"data_base64": "?"}', b'{"type": 1, "data": {}}' + b"\xff"])
def test_an_unreadable_event_is_one_record_with_its_fault_and_its_body(body: bytes) -> None:
    name, (record,) = read(body, {"Content-Type": "application/cloudevents+json"})
    assert name == "event" and isinstance(record.fault, MalformedRequest) and record.id
    assert record.body.replace(b" ", b"") == (body.strip(b"[]") if body == b"[1]" else body.replace(b" ", b""))


def test_a_buckets_notification_names_its_object_and_a_deletion_names_no_object() -> None:
    attributes = {"bucketId": "b", "objectId": "in/a.csv", "objectGeneration": "7", "eventType": "OBJECT_FINALIZE"}
    passed_over = ("OBJECT_DELETE", "OBJECT_ARCHIVE", "OBJECT_METADATA_UPDATE")
    for kind, expected in (("OBJECT_FINALIZE", ["gs://b/in/a.csv"]), *((kind, []) for kind in passed_over)):
        push = {"message": {"messageId": "1", "attributes": {**attributes, "eventType": kind}}, "subscription": "s"}
        assert [record.origin["address"] for record in read(json.dumps(push).encode(), JSON)[1]] == expected


def test_a_status_says_done_or_again() -> None:
    from gcp_cloudevents import answered
    from gcp_message import opened

    record = Record("1", b"")
    scored, rejected = Outcome(record, {}), Outcome(record, {}, MalformedRequest("bad"), True)
    for outcomes, status in (
        ([scored, rejected], 200),
        ([], 200),
        ([rejected, Outcome(record, {}, ModelUnavailable("away"))], 503),
        ([scored, Outcome(record, {}, InProgress("half of the file"))], 503),
        ([scored, Outcome(record, {}, NotServed("google.x"))], 422),
        ([Outcome(record, {}, DeliveryFailed("throttled")), Outcome(record, {}, BlockedBySequence("behind it"))], 503),
        ([Outcome(record, {}, OSError("full"))], 500),
    ):
        with flask.Flask("f").test_request_context("/"):
            assert answered(outcomes, opened(flask.request))[1] == status


def test_a_failure_is_raised_in_a_signature_without_a_status() -> None:
    from gcp_cloudevents import answered

    failure = Outcome(Record("1", b""), {}, ModelUnavailable("away"))
    context = SimpleNamespace(event_id="1", event_type="x", resource="", timestamp="")
    with pytest.raises(ModelUnavailable):
        answered([failure], {}, context)
    assert answered([Outcome(Record("1", b""), {})], {}, context) is None


@pytest.mark.parametrize("signature", ["event", "cloudevent"])
def test_the_frameworks_other_signatures_score_as_well(signature: str, built: Callable[[str], Path]) -> None:
    event = json.loads((ROOT / "events" / "gcp" / "pubsub.json").read_text())
    with Runtime(built("gcp"), environ={"FUNCTION_SIGNATURE_TYPE": signature}) as process:
        assert process.invoke(event).status == 200, process.log()
        line = next(json.loads(line) for line in process.log().splitlines() if '"scored":' in line)
    assert (line["records"], line["scored"]) == (1, 1)
