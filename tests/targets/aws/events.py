"""Lambda's events as samples, their records, and the replies to them, for the tests of AWS's modules."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flyweight.errors import MalformedRequest, ModelUnavailable
from flyweight.records import Outcome, Record, Trigger
from tests.targets.paths import on_path

ROOT = Path(__file__).resolve().parents[3]
EVENTS = ROOT / "events" / "aws"
CONTEXT = SimpleNamespace(aws_request_id="1f0e", get_remaining_time_in_millis=lambda: 60_000)


folder = on_path("aws")


def find(event: Any) -> Trigger | None:
    from aws_triggers import find

    trigger: Trigger | None = find(event, CONTEXT)
    return trigger


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
