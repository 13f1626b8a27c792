"""How near a deployment is to what its provider takes: measured figures and a place's parameters in, shares out."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
    """Every limit of a target, held against a workload; the seconds are as the target would take them."""
    listed = json.loads(TABLE.read_text(encoding="utf-8"))[target]
    side_by_side = next((one.get("at_once", 1) for one in listed if one["measure"] == "concurrency"), 1)
    busy = work.peak_rate * (warm + work.cold_share * slowest) / side_by_side
    ours = {
        "sent": float(work.sent), "received": float(work.received), "slowest": slowest, "init": init,
        "memory": float(work.measured.memory), "folder": float(work.measured.folder),
        "concurrency": float(max(1, math.ceil(busy))), "rate": work.peak_rate,
    }  # fmt: skip
    return [Nearness(one["what"], ours[one["measure"]], _limit(one, settings), one["unit"], one["source"]) for one in listed]


def memory_mb(target: str, settings: Mapping[str, str]) -> int:
    """The memory that a place's parameters give an instance."""
    listed = json.loads(TABLE.read_text(encoding="utf-8"))[target]
    (found,) = [one for one in listed if one["measure"] == "memory"]
    return int(_limit(found, settings) / found["scale"])


def _limit(one: Mapping[str, Any], settings: Mapping[str, str]) -> float:
    """What the parameter says, else the table."""
    told = re.match(r"([0-9.]+)(Gi)?", settings.get(one.get("parameter", ""), ""))
    value = float(told[1]) * (1024 if told[2] else 1) if told else float(one["limit"])
    return value * float(one.get("scale", 1))
