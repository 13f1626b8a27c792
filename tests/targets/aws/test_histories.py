"""Lambda's own events in random histories, with pollers that read the replies: nothing is lost or done twice."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.test_consumer import Deployed, Killed, consume, items
from tests.records.test_histories import PROPERTY, QUIET, assert_all_is_done, bodies, histories, strike
from tests.targets.aws.events import CONTEXT, find, folder, sample

__all__ = ["folder"]
Sent = list[dict[str, Any]]


def messages(sent: Sent) -> Any:
    """Make an SQS event; of a FIFO queue if there are groups."""
    first = sample("sqs")["Records"][0]
    records = []
    for item in sent:
        record = {**copy.deepcopy(first), "messageId": item["id"], "body": item["body"]}
        if item["sequence"]:
            record["eventSourceARN"] += ".fifo"
            record["attributes"]["MessageGroupId"] = item["sequence"]
        records.append(record)
    return {"Records": records}


def shard(sent: Sent) -> Any:
    first = sample("kinesis")["Records"][0]
    encoded = [(item["id"], base64.b64encode(item["body"].encode()).decode()) for item in sent]
    changed = [{**first, "kinesis": {**first["kinesis"], "sequenceNumber": name, "data": data}} for name, data in encoded]
    return {"Records": changed}


def partition(sent: Sent) -> Any:
    event = sample("kafka")
    first = next(iter(event["records"].values()))[0]
    encoded = [(int(item["id"][1:]), base64.b64encode(item["body"].encode()).decode()) for item in sent]
    return {**event, "records": {"p-0": [{**first, "offset": offset, "value": value} for offset, value in encoded]}}


def replied(deployed: Deployed, event: Any, faults: list[Any]) -> Any:
    """Get the reply to an event; None without a reply, after which the whole event comes again."""
    strike(deployed, faults)
    trigger = find(event)
    assert trigger is not None
    try:
        reply = consume(deployed, trigger, (event, CONTEXT)) or {}
    except (Killed, Exception):
        return None
    return None if ("unheard",) in faults else reply


def names(reply: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in reply["batchItemFailures"]]


@PROPERTY
@given(st.lists(st.tuples(bodies, st.sampled_from("abc")), min_size=1, max_size=12), histories, st.booleans())
def test_a_queues_poller_deletes_what_the_reply_leaves_out(
    penguins: Path, sent: list[tuple[str, str]], history: list[Any], fifo: bool
) -> None:
    """Of a FIFO queue it holds back a group after a message that is not deleted."""
    deployed = Deployed(penguins)
    bare = items(*[body for body, _ in sent])
    every = [{**item, "sequence": group if fifo else ""} for item, (_, group) in zip(bare, sent, strict=True)]
    waiting = [*every]
    for size, happens in [*history, *[QUIET] * len(every)]:
        batch = waiting[:size]
        if not batch:
            break
        reply = replied(deployed, messages(batch), happens)
        again = [item["id"] for item in batch] if reply is None else names(reply)
        for group in "abc" if fifo else "":
            of_group = [item["id"] for item in batch if item["sequence"] == group]
            left = [name for name in of_group if name in again]
            assert left == of_group[len(of_group) - len(left) :]
        waiting = [item for item in waiting if item not in batch or item["id"] in again]
    assert not waiting
    assert_all_is_done(deployed, every)


def _from_first(reply: Any, batch: Sent) -> int:
    """Count the records that are done: those before the first that failed."""
    numbers = [item["id"] for item in batch]
    return min((numbers.index(name) for name in names(reply)), default=len(batch))


# how a poller makes an event of records in their order, and reads in the reply how many are done
ORDERED: dict[str, tuple[Callable[[Sent], Any], Callable[[Any, Sent], int]]] = {
    "kinesis": (shard, _from_first),
    "kafka": (partition, lambda reply, batch: len(batch)),
}


@pytest.mark.parametrize("kind", ORDERED)
@PROPERTY
@given(sent=st.lists(bodies, min_size=1, max_size=12), history=histories)
def test_a_streams_poller_goes_on_from_the_first_that_failed(
    penguins: Path, kind: str, sent: list[str], history: list[Any]
) -> None:
    deployed = Deployed(penguins)
    every, position = items(*sent), 0
    event, done = ORDERED[kind]
    for size, happens in [*history, *[QUIET] * len(sent)]:
        batch = every[position : position + size]
        if not batch:
            break
        reply = replied(deployed, event(batch), happens)
        position += 0 if reply is None else done(reply, batch)
    assert position == len(every)
    if kind == "kafka":
        every = [{**item, "id": f"p-0-{item['id'][1:]}"} for item in every]
    assert_all_is_done(deployed, every)
