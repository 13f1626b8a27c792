"""A file lands in each store, and its event comes to the built function: answers and rejected rows are written once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flyweight.stores import open_store
from flyweight.toolkit.running import Runtime, runtime
from tests import fitted
from tests.services.fixtures import PATIENT, Bucket, bucket, servers

__all__ = ["bucket", "servers"]
EVENTS = Path(__file__).resolve().parents[2] / "events"
# a store -> its provider, its sample event, and what that names
SENDERS = {
    "s3": ("aws", "s3_queued", "penguins-in", "2026/palmer+penguins.csv"),
    "gs": ("gcp", "storage", "penguins-in", "2026/palmer.csv"),
    "az": ("azure", "blob", "incoming", "2026/palmer.csv"),
}
KEY = "2026/large.csv"
ROWS = fitted.penguins()[1].to_csv(index=False).splitlines()
BAD = {4: "Dream,?,17.9,192,3500,female,2007", 9: "Dream,46.5", 31: 'Dream,"46.5'}
LINES = [BAD.get(number, line) for number, line in enumerate(ROWS, 1)]


def replaced(event: Any, before: str, after: str) -> Any:
    """Replace a text in all texts of an event."""
    if isinstance(event, dict):
        return {key: replaced(value, before, after) for key, value in event.items()}
    if isinstance(event, list):
        return [replaced(value, before, after) for value in event]
    return event.replace(before, after) if isinstance(event, str) else event


def test_a_file_that_lands_is_scored_once(bucket: Bucket, built: Callable[[str], Path]) -> None:
    scheme, _, place = bucket.root.partition("://")
    place = place.partition("/")[0]
    provider, name, named_place, named_key = SENDERS[scheme]
    event = replaced(json.loads((EVENTS / provider / f"{name}.json").read_text()), named_key, KEY)
    where = f"net/{named_place}/" if scheme == "az" else named_place
    event = replaced(event, where, where.replace(named_place, place))
    store = open_store(f"{scheme}://{place}", PATIENT)
    store.put(KEY, "\n".join(LINES).encode(), None)
    environ = {**runtime(provider).settings(event), **bucket.variables, "FLYWEIGHT_OUTPUT": f"{scheme}://{place}/out"}
    function: Runtime = runtime(provider)(built(provider), environ=environ)
    try:
        first = function.invoke(event)
        landed = {key: store.head(key) for key in store.keys("out")}
        again = function.invoke(event)
    finally:
        function.close()
    assert first.status == again.status == 200, function.log()
    assert {key: store.head(key) for key in store.keys("out")} == landed, "a rerun changes nothing"
    texts = {key.rpartition(f"{KEY}.")[2].partition(".")[2]: store.get(key, 1 << 20)[0] for key in landed}
    assert {*texts} == {"jsonl", "rejected.jsonl", "progress.json"}
    answers, rejected = ([json.loads(line) for line in texts[end].splitlines()] for end in ("jsonl", "rejected.jsonl"))
    assert [answer["line"] for answer in answers] == [line for line in range(2, len(LINES) + 1) if line not in BAD]
    assert {line["line"]: line["row"] for line in rejected} == BAD
    assert json.loads(texts["progress.json"])["state"] == "done"
    assert again.body == first.body
