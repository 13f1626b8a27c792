"""Documents are found in envelopes of SNS and EventBridge, one inside the other, and the work is in proportion to the text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.targets.aws.events import folder, read, sample

__all__ = ["folder"]

PENGUIN = {"island": "Torgersen"}


def notification(message: Any, **attributes: Any) -> dict[str, Any]:
    text = message if isinstance(message, str) else json.dumps(message)
    return {"Type": "Notification", "MessageId": "n", "TopicArn": "arn:aws:sns:r:1:t", "Message": text, **attributes}


def on_bus(detail: Any) -> dict[str, Any]:
    return {"version": "0", "id": "e", "detail-type": "measured", "source": "app", "detail": detail}


def queued(body: Any) -> Any:
    event = sample("sqs")
    del event["Records"][1]
    event["Records"][0]["body"] = body if isinstance(body, str) else json.dumps(body)
    return event


NESTED = {
    "a bus in a topic": notification(on_bus(PENGUIN)),
    "a topic on a bus": on_bus(notification(PENGUIN)),
    "a topic in a topic": notification(notification(PENGUIN)),
    "a bus on a bus": on_bus(on_bus(on_bus(PENGUIN))),
    "five deep": notification(on_bus(notification(on_bus(notification(PENGUIN))))),
    "a detail that is a text": on_bus(json.dumps(PENGUIN)),
}


@pytest.mark.parametrize("what", NESTED)
def test_a_document_is_taken_out_of_all_its_envelopes(what: str) -> None:
    (record,) = read(queued(NESTED[what]))
    assert json.loads(record.body) == PENGUIN and record.fault is None
    event = sample("sns")
    event["Records"][0]["Sns"]["Message"] = json.dumps(NESTED[what])
    (record,) = read(event)
    assert json.loads(record.body) == PENGUIN and record.fault is None


def test_the_content_type_is_that_of_the_innermost_envelope() -> None:
    csv = {"content-type": {"Type": "String", "Value": "text/csv"}}
    json_lines = {"content-type": {"Type": "String", "Value": "application/x-ndjson"}}
    inner = notification("a\n1", MessageAttributes=csv)
    (record,) = read(queued(notification(inner, MessageAttributes=json_lines)))
    assert (record.content_type, record.body) == ("text/csv", b"a\n1")


@pytest.mark.parametrize("attributes", [5, [5], "content-type", None, {"content-type": 5}, {"content-type": {"Value": [1]}}])
def test_odd_attributes_are_no_content_type(attributes: Any) -> None:
    (record,) = read(queued(notification(PENGUIN, MessageAttributes=attributes)))
    assert (record.content_type, json.loads(record.body)) == ("", PENGUIN)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.builds(on_bus, inner)
            | st.builds(notification, inner)
            | st.dictionaries(st.sampled_from(["Type", "TopicArn", "detail-type", "detail", "Message"]), inner)
        ),
        max_leaves=8,
    )
)
def test_no_envelope_breaks_the_reading(body: Any) -> None:
    (record,) = read(queued(body))
    assert isinstance(record.body, bytes)


def test_deep_envelopes_are_parsed_once() -> None:
    """A text is parsed once a level of texts; objects in it are not written and parsed again."""
    import aws_envelopes

    parsed: list[int] = []
    whole = json.dumps(on_bus(notification(on_bus(on_bus(on_bus(notification(PENGUIN)))))))

    class Counting:
        @staticmethod
        def loads(text: str) -> Any:
            parsed.append(len(text))
            return json.loads(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws_envelopes, "json", Counting)
        document, _ = aws_envelopes.unwrapped(whole, "", {})
    assert json.loads(document) == PENGUIN
    assert sum(parsed) < 3 * len(whole)
