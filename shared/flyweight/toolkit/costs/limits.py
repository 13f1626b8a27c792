"""How near a deployment is to what its provider takes: measured figures and a place's parameters in, shares out."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flyweight.toolkit.costs.prices import Unpriced
from flyweight.toolkit.costs.workload import Workload

TABLE = Path(__file__).with_name("limits.json")
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
    listed = [one for one in table()[target] if _applies(one, settings)]
    side_by_side = next((one.get("at_once", 1) for one in listed if one["measure"] == "concurrency"), 1)
    busy = work.peak_rate * (warm + work.cold_share * slowest) / side_by_side
    ours = {
        "sent": float(work.sent), "received": float(work.received), "slowest": slowest, "init": init,
        "memory": float(work.measured.memory), "folder": float(work.measured.folder),
        "concurrency": float(max(1, math.ceil(busy))), "rate": work.peak_rate, "daily": work.requests / 365 * 12,
    }  # fmt: skip
    return [Nearness(one["what"], ours[one["measure"]], _limit(one, settings), one["unit"], one["source"]) for one in listed]


def memory_mb(target: str, settings: Mapping[str, str]) -> int:
    """The memory that a place's parameters give an instance."""
    (found,) = [one for one in table()[target] if one["measure"] == "memory"]
    return int(_limit(found, settings) / found["scale"])


def payload(option: str) -> float:
    """The bytes that a request may have where it is sent to an option; endless where no limit is known."""
    return float(table()["payloads"].get(option, {"limit": math.inf})["limit"])


def platform_logs(target: str) -> tuple[int, str]:
    """The bytes that the platform logs for each request besides the function's own, and what they are."""
    told = table()["logs"][target]
    return told["bytes"], told["what"]


@cache
def table() -> dict[str, Any]:
    """The whole file."""
    read: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return read


def _applies(one: Mapping[str, Any], settings: Mapping[str, str]) -> bool:
    """Whether the parameters are such that there is this limit; what is not told is as the limit wants it."""
    wanted = all(settings.get(name, values[0]) in values for name, values in one.get("when", {}).items())
    return wanted and not any(settings.get(name, values[0]) in values for name, values in one.get("unless", {}).items())


def _limit(one: Mapping[str, Any], settings: Mapping[str, str]) -> float:
    """What the parameter says, else the table.

    :raises Unpriced: the parameter is no number.
    """
    given = settings.get(one.get("parameter", ""), "")
    told = re.match(r"(\d+(?:\.\d+)?)(Gi|Mi|s)?$", given)
    if given and not told:
        raise Unpriced(f"{one['parameter']} should be a number, got {given!r}")
    value = float(told[1]) * (1024 if told[2] == "Gi" else 1) if told else float(one["limit"])
    return value * float(one.get("scale", 1))
