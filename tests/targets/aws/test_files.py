"""S3's notifications name objects to score, in any carrier; under Lambda's runtime a file is continued until it is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import flyweight
from flyweight.errors import MalformedRequest, ModelUnavailable
from flyweight.files.records import score_files
from flyweight.records import InProgress, Outcome, Record
from flyweight.settings import Files
from flyweight.stores import open_store
from flyweight.toolkit.running import Runtime, RuntimeFailed, runtime
from tests import fitted
from tests.services.fixtures import PATIENT, Bucket, s3, servers
from tests.services.web import Handler, HttpServer
from tests.targets.aws.events import folder

__all__ = ["folder", "s3", "servers"]
CONTEXT = SimpleNamespace(aws_request_id="r", invoked_function_arn="arn:aws:lambda:us-east-1:1:function:f")
KEY = "in/a b+c/é.csv"


def trigger_of(event: Any) -> Any:
    """Find the trigger of an event."""
    from aws_triggers import find

    trigger = find(event, CONTEXT)
    assert trigger is not None and trigger.name == "files"
    return trigger


def notification(*keys: str, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    """Make a notification of S3, with the keys as S3 encodes them."""
    entry = {"eventSource": "aws:s3", "eventName": name, "eventTime": "2026-11-25T18:00:00.000Z"}
    return {"Records": [{**entry, "s3": {"bucket": {"name": "b"}, "object": {"key": key, "sequencer": "1"}}} for key in keys]}


ENCODED = notification("in/a+b%2Bc/%C3%A9.csv")
BUS = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "time": "2026-11-25T18:00:00Z",
    "detail": {"bucket": {"name": "b"}, "object": {"key": KEY, "etag": "e"}},
}
TEST = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-25T18:00:00Z", "Bucket": "b"}


def queue(*bodies: Any) -> dict[str, Any]:
    same = {"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:1:q", "attributes": {}}
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return {"Records": [{**same, "messageId": f"m{number}", "body": text} for number, text in enumerate(texts)]}


def topic(message: Any) -> dict[str, Any]:
    text = message if isinstance(message, str) else json.dumps(message)
    sent = {"TopicArn": "arn:aws:sns:us-east-1:1:t", "MessageId": "n", "Message": text}
    return {"Records": [{"EventSource": "aws:sns", "Sns": sent}]}


ENVELOPE = {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": json.dumps(ENCODED)}
CARRIED = {
    "itself": ENCODED,
    "a queue": queue(ENCODED),
    "a topic": topic(ENCODED),
    "a topic in a queue": queue(ENVELOPE),
    "a bus": BUS,
    "a bus in a queue": queue(BUS),
    "a bus in a topic in a queue": queue({**ENVELOPE, "Message": json.dumps(BUS)}),
    "a topic in a topic in a queue": queue({**ENVELOPE, "Message": json.dumps(ENVELOPE)}),
    "a queue in a pipe": queue(ENCODED)["Records"],
}


@pytest.mark.parametrize("carrier", CARRIED)
def test_the_object_is_named_by_every_carrier(carrier: str) -> None:
    (record,) = trigger_of(CARRIED[carrier]).records(CARRIED[carrier], CONTEXT)
    assert record.origin["address"] == f"s3://b/{KEY}"
    assert record.id.startswith(f"{KEY}#")


IGNORED = {
    "a test": TEST,
    "a test in a queue": queue(TEST),
    "a test in a topic": topic(TEST),
    "a deletion": notification("in/a.csv", name="ObjectRemoved:Delete"),
    "a folder": notification("in/folder/", "in/"),
    "a folder on a bus": {**BUS, "detail": {"bucket": {"name": "b"}, "object": {"key": "in/"}}},
    "answers": notification("out/a.csv.0a1b.jsonl", "out/a.csv.0a1b.rejected.jsonl"),
    "parts": queue(notification("out/a.csv.0a1b.parts/000001-00ff00ff", "out/a.csv.0a1b.progress.json")),
}


@pytest.mark.parametrize("what", IGNORED)
def test_an_event_without_an_object_to_score_is_ignored(what: str) -> None:
    assert trigger_of(IGNORED[what]).records(IGNORED[what], CONTEXT) == []


def test_a_message_that_only_looks_like_a_notification_is_an_ordinary_record() -> None:
    event = queue(ENCODED, '{"note": "aws:s3"}', "{aws:s3")
    records = trigger_of(event).records(event, CONTEXT)
    assert ["address" in record.origin for record in records] == [True, False, False]
    (record,) = trigger_of(topic('{"note": "aws:s3"}')).records(topic('{"note": "aws:s3"}'), CONTEXT)
    assert record.body == b'{"note": "aws:s3"}'


ENTRY = notification("in/a.csv")["Records"][0]
BAD_ENTRIES: list[Any] = [
    *(None, 5, {}, {"eventSource": "aws:s3"}, {**ENTRY, "s3": None}, {**ENTRY, "eventName": None}),
    {**ENTRY, "s3": {"bucket": {}, "object": {"key": "a"}}},
    {**ENTRY, "s3": {"bucket": {"name": "b"}, "object": {"key": 5}}},
]


@pytest.mark.parametrize("carried", [lambda event: event, queue, topic], ids=["itself", "a queue", "a topic"])
@pytest.mark.parametrize("bad", BAD_ENTRIES, ids=lambda bad: str(bad)[:40])
def test_a_bad_entry_of_a_notification_fails_alone(bad: Any, carried: Callable[[Any], Any]) -> None:
    event = carried({"Records": [ENTRY, bad, ENTRY]})
    records = trigger_of(event).records(event, CONTEXT)
    assert [record.fault is None for record in records] == [True, False, True]
    assert isinstance(records[1].fault, MalformedRequest) and "address" not in records[1].origin
    if carried is queue:
        assert {record.origin["message"] for record in records} == {"m0"}


@pytest.mark.parametrize(
    "detail", [None, 5, {}, {"bucket": None}, {"bucket": {"name": "b"}}, {"bucket": {"name": "b"}, "object": []}]
)
def test_an_event_of_a_bus_without_its_object_fails_alone(detail: Any) -> None:
    event = queue(ENCODED, {**BUS, "detail": detail}, ENCODED)
    assert [record.fault is None for record in trigger_of(event).records(event, CONTEXT)] == [True, False, True]


@pytest.mark.parametrize("key", ["in//a.csv", "in/a%09b.csv", "/a.csv", "in/../a.csv"])
def test_a_key_that_can_not_be_read_is_refused_for_good(key: str, penguins: Path) -> None:
    """It would be delivered again without end."""
    (record,) = trigger_of(notification(key)).records(notification(key), CONTEXT)
    (outcome,) = score_files(flyweight.load(penguins), [record], float("inf"), Files())
    assert outcome.state == "rejected" and isinstance(outcome.error, MalformedRequest)


@pytest.mark.parametrize("task", [None, 5, {}, {"taskId": "t"}, {"taskId": "t", "s3Key": None}, {"taskId": "t", "s3Key": "a"}])
def test_a_bad_task_of_a_job_has_a_result_of_its_own(task: Any) -> None:
    from aws_files import BATCH

    good = {"taskId": "g", "s3Key": "a.csv", "s3BucketArn": "arn:aws:s3:::b", "s3VersionId": None}
    event = {"invocationSchemaVersion": "2.0", "invocationId": "i", "job": None, "tasks": [task, good]}
    bad, fine = BATCH.records(event, CONTEXT)
    assert isinstance(bad.fault, MalformedRequest) and fine.fault is None
    outcomes = [Outcome(bad, None, bad.fault, True), Outcome(fine, {"output": "s3://out"}, None, True)]
    assert [one["resultCode"] for one in BATCH.reply(outcomes, event, CONTEXT)["results"]] == ["PermanentFailure", "Succeeded"]


def outcome(message: str, error: Exception | None, final: bool = False) -> Outcome:
    return Outcome(Record("k#1", b"", "", {"message": message, "address": "s3://b/k"}), {"id": "k#1"}, error, final)


def test_messages_of_unfinished_files_are_delivered_again_each_once() -> None:
    failed = [outcome("m1", InProgress("more")), outcome("m1", ModelUnavailable("no"))]
    outcomes = [outcome("m0", None), *failed, outcome("m2", None)]
    assert trigger_of(queue(ENCODED)).reply(outcomes, {}, CONTEXT) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_without_a_queue_a_failure_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLYWEIGHT_CONTINUE", raising=False)
    with pytest.raises(InProgress):
        trigger_of(ENCODED).reply([outcome("", InProgress("more"))], ENCODED, CONTEXT)
    assert trigger_of(ENCODED).reply([outcome("", None)], ENCODED, CONTEXT) == [{"id": "k#1"}]


def test_a_function_calls_itself_for_the_rest_if_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is the one that boto3 sends; a failure of another kind is raised."""
    seen: list[tuple[str, str, Any]] = []

    class Api(Handler):
        def do_POST(self) -> None:
            seen.append((self.path, self.headers["x-amz-invocation-type"], json.loads(self.read_body())))
            self.reply(202)

    with HttpServer(Api) as server:
        keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}
        for name, value in {**keys, "AWS_ENDPOINT_URL": server.url, "FLYWEIGHT_CONTINUE": "invoke"}.items():
            monkeypatch.setenv(name, value)
        reply = trigger_of(ENCODED).reply([outcome("", InProgress("more"))], ENCODED, CONTEXT)
        with pytest.raises(ModelUnavailable):
            trigger_of(ENCODED).reply([outcome("", ModelUnavailable("no"))], ENCODED, CONTEXT)
    ((path, kind, payload),) = seen
    assert "function%3Af/invocations" in path and (kind, payload) == ("Event", ENCODED)
    assert reply == {"continued": ["k#1"]}


def test_each_file_of_a_batch_has_its_own_outcome(penguins: Path, tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/in", PATIENT)
    store.put("a.csv", fitted.penguins()[1].to_csv(index=False).encode(), None)
    store.put("b.csv", b"island\nBiscoe\n", None)
    addresses = [f"file://{tmp_path}/in/{name}" for name in ("a.csv", "b.csv", "c.csv", "d.txt")]
    records = [Record(address, b"", "", {"address": address}) for address in [*addresses, "nowhere"]]
    files = Files(f"file://{tmp_path}/out", "csv")
    outcomes = score_files(flyweight.load(penguins), records, float("inf"), files)
    assert [outcome.state for outcome in outcomes] == ["scored", "rejected", "rejected", "rejected", "rejected"]
    answer = outcomes[0].answer or {}
    assert answer["rows"] == len(fitted.penguins()[1]) and answer["model"] == {"name": "penguins", "version": "1.0.0"}
    assert Path(answer["output"].removeprefix("file://")).read_text().startswith("line,prediction,")
    (late,) = score_files(flyweight.load(penguins), records[:1], 0.0, files)
    assert late.state == "unfinished" and isinstance(late.error, InProgress)


def test_under_lambdas_runtime_a_file_is_continued_until_it_is_done(built: Callable[[str], Path], s3: Bucket) -> None:
    """The first deadlines are short; a call that misses its deadline counts as one that Lambda ended."""
    block = fitted.penguins()[1].to_csv(index=False, header=False).encode()
    header = ",".join(fitted.penguins()[1].columns).encode()
    lines = [header, b"bad", *(block * 1200).splitlines()]
    place = s3.root.removeprefix("s3://").partition("/")[0]
    store = open_store(f"s3://{place}", PATIENT)
    store.put("in/large.csv", b"\n".join(lines), None)
    event = queue({"Records": [{**notification("in/large.csv")["Records"][0]}]})
    event["Records"][0]["body"] = event["Records"][0]["body"].replace('"name": "b"', f'"name": "{place}"')
    environ = {**s3.variables, "FLYWEIGHT_OUTPUT": f"s3://{place}/out"}
    function: Runtime | None = None
    calls = 0
    again: Any = True
    try:
        while again:
            calls += 1
            assert calls < 60, function and function.log()[-3000:]
            if function is None:
                function = runtime("aws")(built("aws"), environ=environ)
            function._api.seconds_to_live = 1.0 + calls / 2  # type: ignore[attr-defined]
            try:
                again = json.loads(function.invoke(event).body)["batchItemFailures"]
            except RuntimeFailed:
                function.close()
                function = None
    finally:
        if function is not None:
            function.close()
    assert calls > 1
    (output,) = [key for key in store.keys("out/in") if key.endswith(".jsonl") and ".rejected." not in key]
    (rejects,) = [key for key in store.keys("out/in") if key.endswith(".rejected.jsonl")]
    answers = store.get(output, 1 << 28)[0].splitlines()
    assert [json.loads(answer)["line"] for answer in answers] == [*range(3, len(lines) + 1)]
    assert [json.loads(line)["line"] for line in store.get(rejects, 1 << 20)[0].splitlines()] == [2]
    assert not [key for key in store.keys("out") if ".parts/" in key]
