"""What is special about Lambda's triggers: each event's records, and each sender's words for what became of them."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight.consuming import consume
from flyweight.errors import MalformedRequest, ModelUnavailable
from flyweight.records import Outcome, Record, Trigger
from flyweight.service import Service
from flyweight.settings import Settings
from flyweight.toolkit import resources
from tests.core.test_service import GENTOO
from tests.services.servers import Moto

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "events" / "aws"
AUTHENTIC = ROOT.parent / "shared" / "data" / "events" / "aws"
CASES = json.loads((ROOT / "events" / "cases.json").read_text())
CONTEXT = SimpleNamespace(aws_request_id="1f0e", get_remaining_time_in_millis=lambda: 60_000)

# our sample -> AWS's own samples of that shape
SHAPES = {
    "sqs": ["sqsEvent"],
    "sqs.fifo": ["snsSqsFifoEvent"],
    "sqs.sns": ["snsSqsEvent"],
    "sns": ["snsEvent"],
    "kinesis": ["kinesisStreamEvent", "kinesisStreamEventOneRecord"],
    "dynamodb": ["dynamoStreamEvent"],
    "kafka": ["kafkaEventMsk"],
    "kafka.self_managed": ["kafkaEventSelfManaged"],
    "firehose": ["kinesisFirehosePutEvent", "kinesisFirehoseKinesisEvent"],
    "eventbridge": ["eventBridgeEvent"],
    "batch": ["s3BatchOperationEventSchemaV2"],
    "s3": ["s3Event"],
    "s3.eventbridge": ["s3EventBridgeNotificationObjectCreatedEvent"],
    "s3_queued": ["s3SqsEvent"],
}
# what only some senders add, or what is a value's name and no field
OPTIONAL = {"replay-name", "sourceKinesisStreamArn", "kinesisRecordMetadata", "testAttr", "Test", "TestBinary", "userArguments"}
FREE = {"detail", "NewImage", "OldImage", "Keys", "headers", "messageAttributes", "MessageAttributes"}
# which trigger an authentic event belongs to, by how its file's name begins
OF = {
    "sqs": "sqs", "sns": "sqs", "snsEvent": "sns", "kinesisStream": "kinesis", "dynamo": "dynamodb", "kafka": "kafka",
    "kinesisFirehose": "firehose", "eventBridge": "event",
    "s3Batch": "batch", "s3": "files",
    "alb": "", "apiGateway": "", "lambdaFunctionUrl": "",
}  # fmt: skip
# what S3 tells of, and nothing was created; a key that is restored has been there before
NOTHING = {
    "s3EventBridgeNotificationObjectDeletedEvent",
    "s3EventBridgeNotificationObjectExpiredEvent",
    "s3EventBridgeNotificationObjectRestoreCompletedEvent",
    "s3EventDeleteObject",
}


@pytest.fixture(scope="module", autouse=True)
def folder() -> Iterator[None]:
    """The handler's folder, on the path as at Lambda."""
    place = str(resources.folder("handlers") / "aws")
    sys.path.insert(0, place)
    yield
    sys.path.remove(place)
    for name in [name for name, module in sys.modules.items() if (getattr(module, "__file__", "") or "").startswith(place)]:
        del sys.modules[name]


def find(event: Any) -> Trigger | None:
    from aws_triggers import find

    found: Trigger | None = find(event, CONTEXT)
    return found


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def read(event: Any) -> list[Record]:
    trigger = find(event)
    assert trigger is not None
    return trigger.records(event, CONTEXT)


def outcomes(event: Any, *states: str) -> list[Outcome]:
    errors: dict[str, Any] = {
        "scored": (None, False),
        "rejected": (MalformedRequest("bad"), True),
        "failed": (ModelUnavailable("away"), False),
    }
    return [
        Outcome(record, {"id": record.id, "n": float("nan")}, *errors[state])
        for record, state in zip(read(event), states, strict=True)
    ]


def reply(event: Any, *states: str) -> Any:
    trigger = find(event)
    assert trigger is not None
    return trigger.reply(outcomes(event, *states), event, CONTEXT)


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_only_a_triggers_event_finds_a_trigger(path: Path) -> None:
    assert (find(json.loads(path.read_text())) is not None) == ("providers" in CASES[path.name.split(".")[0]])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Records", "eventSource", "EventSource", "detail", "x"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(anything)
def test_no_json_breaks_the_look_at_an_event(event: Any) -> None:
    assert find(event) is None


def test_a_look_at_a_request_imports_no_trigger() -> None:
    for name in ("aws_queues", "aws_streams", "aws_events", "aws_files", "aws_sinks"):
        sys.modules.pop(name, None)
    find(sample("predict"))
    assert not {"aws_queues", "aws_streams", "aws_events", "aws_files", "aws_sinks"} & {*sys.modules}


def fields(value: Any, place: str = "") -> Iterator[str]:
    """Where there are fields in an event, whatever their values, and whatever Kafka's partitions are called."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in OPTIONAL:
                name = f"{place}.{'*' if place == '.records' and isinstance(item, list) else key}"
                yield name
                yield from fields(item, name) if key not in FREE else ()
    elif isinstance(value, list):
        for item in value[:1]:
            yield from fields(item, place)


@pytest.mark.parametrize(("ours", "theirs"), [(ours, theirs) for ours, many in SHAPES.items() for theirs in many])
def test_our_samples_have_the_fields_of_authentic_events(ours: str, theirs: str) -> None:
    path = AUTHENTIC / f"{theirs}.json"
    if not path.exists():
        pytest.skip("authentic events are not beside this checkout")
    authentic, mine = ({*fields(event)} for event in (json.loads(path.read_text()), sample(ours)))
    assert mine == authentic


@pytest.mark.parametrize("path", sorted(AUTHENTIC.glob("*.json")), ids=lambda path: path.stem)
def test_every_authentic_event_finds_its_trigger_and_becomes_records(path: Path) -> None:
    event = json.loads(path.read_text())
    owner = next(OF[start] for start in sorted(OF, key=len, reverse=True) if path.stem.startswith(start))
    trigger = find(event)
    assert (trigger.name if trigger else "") == owner
    if trigger is not None:
        records = trigger.records(event, CONTEXT)
        assert bool(records) == (path.stem not in NOTHING) and all(record.id and record.fault is None for record in records)
        assert all(record.body or trigger.score for record in records)
        json.dumps([dict(record.origin) for record in records], allow_nan=False)


def test_a_notification_in_a_queue_is_what_was_published() -> None:
    first, _ = read(sample("sqs.sns"))
    assert json.loads(first.body)["island"] == "Torgersen"
    assert first.origin["topic"].endswith(":penguins")


def test_an_instance_that_only_looks_like_an_envelope_is_left_alone() -> None:
    event = sample("sqs")
    for body in ('{"TopicArn": 1}', '"TopicArn" {', '["detail-type"]', '{"Type": "Notification", "TopicArn": "x", "Message": 7}'):
        event["Records"][0]["body"] = body
        assert read(event)[0].body == body.encode()


@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
def test_a_content_type_among_the_attributes_is_the_bodys(name: str) -> None:
    event = sample("sqs")
    event["Records"][0]["messageAttributes"] = {name: {"stringValue": "text/csv", "dataType": "String"}}
    assert [record.media for record in read(event)] == ["text/csv", ""]
    event = sample("sns")
    event["Records"][0]["Sns"]["MessageAttributes"] = {name: {"Type": "String", "Value": "text/csv"}}
    assert read(event)[0].media == "text/csv"


def test_a_group_keeps_order_in_a_fifo_queue_only() -> None:
    event = sample("sqs.fifo")
    assert {record.sequence for record in read(event)} == {"torgersen"}
    for record in event["Records"]:
        record["eventSourceARN"] = record["eventSourceARN"].removesuffix(".fifo")
    assert {record.sequence for record in read(event)} == {""}


def test_a_queue_is_told_which_messages_failed_and_nothing_of_those_rejected() -> None:
    event = sample("sqs_rejected")
    failures = reply(event, "scored", "failed", "rejected", "failed")["batchItemFailures"]
    assert [failure["itemIdentifier"] for failure in failures] == [event["Records"][place]["messageId"] for place in (1, 3)]


@pytest.mark.parametrize("name", ["kinesis", "dynamodb"])
def test_a_stream_is_told_the_first_that_failed(name: str) -> None:
    event = sample(name)
    states = ["rejected", "failed", "failed"][: len(read(event))]
    numbers = [record.get(name)[{"kinesis": "sequenceNumber", "dynamodb": "SequenceNumber"}[name]] for record in event["Records"]]
    assert reply(event, *states) == {"batchItemFailures": [{"itemIdentifier": numbers[1]}]}
    assert {record.sequence for record in read(event)} != {""}


def test_an_items_features_are_its_attributes_but_for_its_key() -> None:
    first, second = read(sample("dynamodb"))
    assert json.loads(first.body)["bill_length_mm"] == 39.1
    assert (json.loads(second.body)["sex"], second.origin["keys"], second.origin["event"]) == (
        None,
        {"id": "penguin-2"},
        "MODIFY",
    )


def test_every_type_of_attribute_has_a_plain_value() -> None:
    event = sample("dynamodb")
    typed = {"L": [{"N": "1"}, {"N": "-1.5E+3"}]}
    image = {"m": {"M": {"b": {"BOOL": True}, "x": {"NULL": True}}}, "ns": {"NS": ["2"]}, "ss": {"SS": ["a"]}, "b": {"B": "AA=="}}
    event["Records"][0]["dynamodb"]["NewImage"] = {**image, "l": typed}
    expected = {"l": [1, -1500.0], "m": {"b": True, "x": None}, "ns": [2], "ss": ["a"], "b": "AA=="}
    assert json.loads(read(event)[0].body) == expected


def test_each_partition_is_a_sequence_and_a_tombstone_is_no_record() -> None:
    first, second = read(sample("kafka"))
    assert (first.id, first.sequence, first.media) == ("penguins-0-15", "penguins-0", "")
    assert (second.id, second.sequence, second.media) == ("penguins-1-7", "penguins-1", "text/csv")


@pytest.mark.parametrize("name", ["kafka", "firehose", "sns", "eventbridge", "destination", "map"])
def test_where_a_failure_has_no_words_it_is_raised(name: str) -> None:
    event = sample(name)
    with pytest.raises(ModelUnavailable):
        reply(event, *["rejected", "failed", "scored"][-len(read(event)) :][::-1] if len(read(event)) > 1 else ["failed"])


def test_data_that_is_no_base64_is_a_rejected_record_with_what_came() -> None:
    event = sample("kinesis")
    event["Records"][0]["kinesis"]["data"] = "%%%"
    first = read(event)[0]
    assert isinstance(first.fault, MalformedRequest) and first.body == b"%%%"


def test_firehose_gets_a_line_or_its_own_data_back() -> None:
    event = sample("firehose")
    ok, bad, none = reply(event, "scored", "rejected")["records"]
    assert json.loads(base64.b64decode(ok["data"])) == {"id": ok["recordId"], "n": None}
    assert (bad["result"], bad["data"], none["result"]) == ("ProcessingFailed", event["records"][1]["data"], "Dropped")


def test_answers_are_strict_json() -> None:
    assert reply(sample("map"), "scored", "scored", "rejected")[0]["n"] is None
    assert reply(sample("eventbridge"), "scored")["n"] is None


def test_a_destination_of_a_failure_scores_what_had_been_asked() -> None:
    event = sample("destination")
    event["requestContext"]["condition"], event["requestPayload"] = "RetriesExhausted", [{"sex": "male"}]
    assert json.loads(read(event)[0].body) == [{"sex": "male"}]


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    server = Moto()
    yield server
    server.close()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, moto: Moto) -> Any:
    """A bucket, for a client that finds its way by the environment."""
    import boto3

    for name, value in moto.variables(f"http://127.0.0.1:{moto.port}").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    client.create_bucket(Bucket="penguins")
    return client


def batch(*keys: str) -> Any:
    return {
        **sample("batch"),
        "tasks": [{"taskId": f"t{n}", "s3Key": key, "s3VersionId": None, "s3Bucket": "penguins"} for n, key in enumerate(keys)],
    }


def told(event: Any, model: Path) -> list[Any]:
    """What the job is told of each task."""
    trigger, service = find(event), Service(Settings(str(model)), lambda entry: None)
    assert trigger is not None
    reply = consume(service, trigger, (event, CONTEXT))
    assert (reply["invocationId"], reply["invocationSchemaVersion"]) == (event["invocationId"], "2.0")
    results: list[Any] = reply["results"]
    return results


def test_a_batch_job_is_told_of_each_object(s3: Any, penguins: Path) -> None:
    keys = ("a b.jsonl", "bad.csv", "none.csv", "an.image", "a.csv.0a1b.jsonl")
    for key in keys:
        if key != "none.csv":
            s3.put_object(Bucket="penguins", Key=key, Body=b"year\nx\n" if key == "bad.csv" else json.dumps(GENTOO).encode())
    results = told(batch("a+b.jsonl", *keys[1:]), penguins)
    assert [result["resultCode"] for result in results] == ["Succeeded", *["PermanentFailure"] * 4]
    output = results[0]["resultString"].removeprefix("s3://penguins/")
    assert output.startswith("a b.jsonl.")
    answers = s3.get_object(Bucket="penguins", Key=output)["Body"].read()
    assert json.loads(answers)["prediction"] == "Gentoo"
    assert "not there" in results[2]["resultString"] and "written" in results[4]["resultString"]


def test_a_batch_job_scores_the_version_that_a_task_names_if_it_is_the_newest(s3: Any, penguins: Path) -> None:
    s3.put_bucket_versioning(Bucket="penguins", VersioningConfiguration={"Status": "Enabled"})
    put = [s3.put_object(Bucket="penguins", Key="v.jsonl", Body=json.dumps(GENTOO).encode())["VersionId"] for _ in range(2)]
    event = batch("v.jsonl", "v.jsonl", "none.jsonl")
    for task, version in zip(event["tasks"], [*put, put[0]], strict=True):
        task["s3VersionId"] = version
    results = told(event, penguins)
    assert [result["resultCode"] for result in results] == ["PermanentFailure", "Succeeded", "PermanentFailure"]
    assert put[1] in results[0]["resultString"]


@pytest.mark.parametrize("version", [None, "1"])
def test_a_batch_job_that_cannot_reach_its_objects_tries_again(
    s3: Any, penguins: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    event = batch("a.csv")
    event["tasks"][0]["s3VersionId"] = version
    assert [result["resultCode"] for result in told(event, penguins)] == ["TemporaryFailure"]


def test_a_file_that_is_not_done_comes_again_in_its_job(s3: Any, penguins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put_object(Bucket="penguins", Key="late.csv", Body=b"year\n1\n")
    monkeypatch.setattr(CONTEXT, "get_remaining_time_in_millis", lambda: 10)
    assert [result["resultCode"] for result in told(batch("late.csv"), penguins)] == ["TemporaryFailure"]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(["scored", "rejected", "failed"]), min_size=2, max_size=2))
def test_a_reply_is_fit_for_json(states: list[str]) -> None:
    json.dumps(reply(sample("sqs"), *states), allow_nan=False)
