"""How near a deployment is to what its target takes: measured figures and a deployment's parameters in, shares out.

Limits stand in `toolkit/targets/NAME/limits.json`. The fields of one of its `limits`: `measure`, the figure of ours that is held
against it; `parameter`, the parameter of `infra/` that sets it, if one does; `when` and `unless`, the parameters with which it
applies; `at_once`, the requests that an instance answers side by side (functions-framework: 4 threads a CPU; the Azure worker:
one, unless it is set otherwise); `seen`, what was read at the `source`, of our own templates the default. `payloads`: the bytes
that a request may have, by the option that `flyweight advise` compares; `logs`: what the platform writes into the log for each
request besides our line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from flyweight.toolkit import targets
from flyweight.toolkit.costs import tables
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.errors import Unpriced

NEAR = 0.7  # from this share of a limit on, one should know


@dataclass(frozen=True)
class Nearness:
    """One limit, what we have, and how much of the limit that is."""

    what: str
    ours: float
    limit: float
    unit: str
    source: str

    @property
    def share(self) -> float:
        """Of the limit; above 1 it is broken."""
        return self.ours / self.limit

    @property
    def verdict(self) -> str:
        """In a word."""
        return "too much" if self.share > 1 else "near" if self.share >= NEAR else "fine"

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "share": round(self.share, 6), "verdict": self.verdict}


def nearness(
    target: str, work: Workload, init: float, warm: float, slowest: float, settings: Mapping[str, str]
) -> list[Nearness]:
    """Every limit of a target that applies, held against a workload; the seconds are as the target would take them."""
    listed = [one for one in limits(target) if _applies(one, settings)]
    side_by_side = next((one.get("at_once", 1) for one in listed if one["measure"] == "concurrency"), 1)
    busy = work.peak_rate * (warm + work.cold_share * slowest) / side_by_side
    ours = {
        "sent": float(work.sent), "received": float(work.received), "slowest": slowest, "init": init,
        "memory": float(work.measured.memory), "folder": float(work.measured.folder),
        "concurrency": float(max(1, math.ceil(busy))), "rate": work.peak_rate, "daily": work.requests / 365 * 12,
    }  # fmt: skip
    return [Nearness(one["what"], ours[one["measure"]], _limit(one, settings), one["unit"], one["source"]) for one in listed]


def memory_mb(target: str, settings: Mapping[str, str]) -> int | None:
    """The memory that a deployment's parameters give an instance; None for a target that limits none."""
    found = next((one for one in limits(target) if one["measure"] == "memory"), None)
    return int(_limit(found, settings) / found["scale"]) if found else None


def payload(option: str) -> float:
    """The bytes that a request may have where it is sent to an option; endless where no limit is known."""
    return float(payloads().get(option, {"limit": math.inf})["limit"])


def platform_logs(target: str) -> tuple[int, str]:
    """The bytes that the platform logs for each request besides the function's own, and what they are."""
    logs = targets.find(target).table("limits").get("logs", {"bytes": 0, "what": "what the platform logs itself is not counted"})
    return logs["bytes"], logs["what"]


def limits(target: str) -> list[dict[str, Any]]:
    """The limits of a target, as its table has them."""
    return list(targets.find(target).table("limits").get("limits", []))


@cache
def payloads() -> dict[str, dict[str, Any]]:
    """What a request may weigh, by option, as the tables have it."""
    return dict(tables.entries("limits", "payloads"))


def _applies(one: Mapping[str, Any], settings: Mapping[str, str]) -> bool:
    """Whether the limit applies with these parameters; it does where a parameter that it depends on is not known."""
    wanted = all(settings.get(name, values[0]) in values for name, values in one.get("when", {}).items())
    return wanted and not any(settings.get(name, values[0]) in values for name, values in one.get("unless", {}).items())


def _limit(one: Mapping[str, Any], settings: Mapping[str, str]) -> float:
    """What the parameter says, else the table.

    :raises Unpriced: the parameter is no number.
    """
    text = settings.get(one.get("parameter", ""), "")
    number = re.match(r"(\d+(?:\.\d+)?)(Gi|Mi|s)?$", text)
    if text and not number:
        raise Unpriced(f"{one['parameter']} should be a number, got {text!r}", "give a number, as the template has it")
    value = float(number[1]) * (1024 if number[2] == "Gi" else 1) if number else float(one["limit"])
    return value * float(one.get("scale", 1))
