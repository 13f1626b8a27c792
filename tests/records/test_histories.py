"""Records in random histories: bad records, throttled and broken sinks, a process killed at any moment, duplicates.

In the end each valid record's effect is there once, each bad record is a dead letter with its reason, and no record is lost.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight.records import Trigger
from tests.records.test_consumer import BAD, BREAKS, GOOD, PARTIAL, RAISING, STRAINS, Deployed, Killed, consume, items
from tests.serving.test_service import GENTOO

ADELIE = dict(zip(GENTOO, ["Torgersen", 39.1, 18.7, 181, 3750, "male", 2007], strict=True))
MANY = json.dumps([ADELIE, GENTOO])
ANSWERS = {GOOD: ["Gentoo"], STRAINS: ["Gentoo"], json.dumps(ADELIE): ["Adelie"], MANY: ["Adelie", "Gentoo"]}
REASONS = {BAD: "invalid_input", "{": "malformed_request", BREAKS: "internal"}

bodies = st.sampled_from([GOOD, *ANSWERS, *REASONS])
sinks = st.sampled_from(["results", "dead_letters"])
moments = st.sampled_from(["before", "half", "after"])
faults = st.one_of(
    st.just(("away",)),  # the model
    st.just(("scarce",)),  # memory: some records fail alone, and for now
    st.just(("unheard",)),  # it is killed when all is done, before its reply is heard
    st.tuples(st.just("throttled"), sinks, st.sets(st.integers(0, 5), min_size=1)),
    st.tuples(st.sampled_from(["dies", "breaks"]), sinks, moments),
)
steps = st.tuples(st.integers(1, 6), st.lists(faults, max_size=2))
QUIET: tuple[int, list[Any]] = (6, [])
histories = st.lists(steps, max_size=10)
PROPERTY = settings(deadline=None, max_examples=150)


def strike(deployed: Deployed, faults: list[Any]) -> None:
    """Have faults happen to the next call."""
    deployed.away, deployed.scarce = ("away",) in faults, ("scarce",) in faults
    for name in ("results", "dead_letters"):
        sink = getattr(deployed, name)
        sink.throttled, sink.dies, sink.breaks = set(), "", ""
        for fault in faults:
            if fault[1:2] == (name,):
                setattr(sink, fault[0], fault[2])


def consumed(deployed: Deployed, trigger: Trigger, batch: list[dict[str, Any]], faults: list[Any]) -> list[str] | None:
    """Consume a batch, and get the ids to deliver again; None without a reply, after which the whole batch comes again."""
    strike(deployed, faults)
    try:
        again: list[str] = consume(deployed, trigger, (batch,)) or []
    except (Killed, Exception):
        return None
    return None if ("unheard",) in faults else again


def assert_all_is_done(deployed: Deployed, sent: list[dict[str, Any]]) -> None:
    results, letters = deployed.results, deployed.dead_letters
    bad = {item["id"]: item["body"] for item in sent if item["body"] in REASONS}
    good = {item["id"]: item["body"] for item in sent if item["id"] not in bad}
    assert sorted(results.order) == sorted(good), "each valid record's effect lands exactly once"
    assert sorted(letters.order) == sorted(bad), "each bad one is a dead letter, once"
    for result in results.kept.values():
        assert result["predictions"] == ANSWERS[good[result["id"]]], "a neighbour's answer"
    for letter in letters.kept.values():
        body = bad[letter["id"]]
        assert (letter["body"], letter["problem"]["type"].rpartition(":")[2]) == (body, REASONS[body])


@pytest.mark.slow
@PROPERTY
@given(st.lists(bodies, min_size=1, max_size=12), histories, st.randoms(use_true_random=False))
def test_a_queue_loses_nothing_in_any_history(penguins: Path, sent: list[str], history: list[Any], random: Any) -> None:
    """Messages come in any order, in any company, and more than once; what was not acknowledged comes again."""
    deployed = Deployed(penguins)
    waiting = items(*sent)
    for size, happens in [*history, *[QUIET] * len(sent)]:
        if not waiting:
            break
        batch = random.sample(waiting, min(size, len(waiting)))
        batch += random.sample(items(*sent), 1) if random.random() < 0.3 else []  # delivered though it was acknowledged
        random.shuffle(batch)
        again = consumed(deployed, PARTIAL, batch, happens)
        if again is None:
            continue
        assert {*again} <= {item["id"] for item in batch}
        done = {item["id"] for item in batch} - {*again}
        waiting = [item for item in waiting if item["id"] not in done]
    assert not waiting
    assert_all_is_done(deployed, items(*sent))


@PROPERTY
@given(st.lists(bodies, min_size=1, max_size=12), histories, st.sampled_from([PARTIAL, RAISING]))
def test_a_stream_loses_nothing_in_any_history(penguins: Path, sent: list[str], history: list[Any], trigger: Trigger) -> None:
    """Lambda's way with a shard: on from the first that failed; all again after an error."""
    deployed = Deployed(penguins)
    shard, position = items(*sent, sequence="shard"), 0
    for size, happens in [*history, *[QUIET] * len(sent)]:
        batch = shard[position : position + size]
        if not batch:
            break
        again = consumed(deployed, trigger, batch, happens)
        if again is None:
            continue
        assert again == [item["id"] for item in batch[len(batch) - len(again) :]], "all that follows the first has to come again"
        position += len(batch) - len(again)
    assert position == len(shard)
    assert_all_is_done(deployed, shard)


@pytest.mark.slow
@PROPERTY
@given(st.lists(st.tuples(bodies, st.sampled_from("abc")), min_size=1, max_size=12), histories)
def test_groups_keep_their_order_and_lose_nothing(penguins: Path, sent: list[tuple[str, str]], history: list[Any]) -> None:
    """A FIFO queue's way: the oldest of each group first, and nothing of a group behind one that is not done."""
    deployed = Deployed(penguins)
    all_sent = [{**item, "sequence": group} for item, (_, group) in zip(items(*[body for body, _ in sent]), sent, strict=True)]
    waiting = [*all_sent]
    for size, happens in [*history, *[QUIET] * len(sent)]:
        if not waiting:
            break
        batch = waiting[:size]
        again = consumed(deployed, PARTIAL, batch, happens)
        if again is None:
            continue
        for group in "abc":
            of_group = [item["id"] for item in batch if item["sequence"] == group]
            failed = [name for name in of_group if name in again]
            assert failed == of_group[len(of_group) - len(failed) :], "one that is done stands behind one that is not"
        waiting = [item for item in waiting if item not in batch or item["id"] in again]
    assert not waiting
    assert_all_is_done(deployed, all_sent)


@pytest.mark.parametrize("body", REASONS)
@pytest.mark.parametrize("place", range(9))
def test_a_bad_record_fails_alone_at_any_place(penguins: Path, body: str, place: int) -> None:
    deployed = Deployed(penguins)
    sent = [*ANSWERS] * 2
    sent.insert(place, body)
    assert consumed(deployed, PARTIAL, items(*sent), []) == []
    assert_all_is_done(deployed, items(*sent))
