"""Compare the measured figures of a deployment with the limits of its target.

Limits are in `toolkit/targets/NAME/limits.json`. The fields of each of its `limits`: `measure`, the measured figure to compare;
`parameter`, the parameter of `infra/` that sets the limit, if there is one; `when` and `unless`, the parameters with which it
applies; `at_once`, the requests that an instance answers concurrently (functions-framework: 4 threads per CPU; the Azure worker:
one, unless it is set otherwise); `seen`, a quotation from the `source`, or the default in flyweight's own templates. `payloads`:
the largest size of a request in bytes, by option of `flyweight advise`; `logs`: the bytes that the platform logs for each request
in addition to flyweight's line.
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

NEAR = 0.7  # the share of a limit above which it is reported as near


@dataclass(frozen=True)
class Nearness:
    """A limit, the deployment's figure, and its share of the limit."""

    what: str
    ours: float
    limit: float
    unit: str
    source: str

    @property
    def share(self) -> float:
        """The share of the limit; above 1 the limit is exceeded."""
        return self.ours / self.limit

    @property
    def verdict(self) -> str:
        """The share as a word: fine, near, or too much."""
        return "too much" if self.share > 1 else "near" if self.share >= NEAR else "fine"

    def document(self) -> dict[str, Any]:
        """Return the limit as a JSON object."""
        return {**asdict(self), "share": round(self.share, 6), "verdict": self.verdict}


def nearness(
    target: str, work: Workload, init: float, warm: float, slowest: float, settings: Mapping[str, str]
) -> list[Nearness]:
    """Compare a workload with every limit of a target that applies; its seconds are those expected at the target."""
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
    """Return the memory that a deployment's parameters give an instance; None for a target without such a limit."""
    found = next((one for one in limits(target) if one["measure"] == "memory" and _applies(one, settings)), None)
    return int(_limit(found, settings) / found["scale"]) if found else None


def payload(option: str) -> float:
    """Return the largest size of an option's request in bytes; infinite if no limit is known."""
    return float(payloads().get(option, {"limit": math.inf})["limit"])


def platform_logs(target: str) -> tuple[int, str]:
    """Return the bytes that the platform itself logs for each request, and their description."""
    logs = targets.find(target).table("limits").get("logs", {"bytes": 0, "what": "the platform's own log lines are not counted"})
    return logs["bytes"], logs["what"]


def limits(target: str) -> list[dict[str, Any]]:
    """Read the limits of a target from its table."""
    return list(targets.find(target).table("limits").get("limits", []))


@cache
def payloads() -> dict[str, dict[str, Any]]:
    """Read the largest size of a request by option from the tables."""
    return dict(tables.entries("limits", "payloads"))


def _applies(one: Mapping[str, Any], settings: Mapping[str, str]) -> bool:
    """Tell whether the limit applies with these parameters; it does if a parameter that it depends on is unknown."""
    required = all(settings.get(name, values[0]) in values for name, values in one.get("when", {}).items())
    return required and not any(settings.get(name, values[0]) in values for name, values in one.get("unless", {}).items())


def _limit(one: Mapping[str, Any], settings: Mapping[str, str]) -> float:
    """Return the value of the parameter, or of the table without one.

    :raises Unpriced: the parameter is not a number.
    """
    text = settings.get(one.get("parameter", ""), "")
    number = re.match(r"(\d+(?:\.\d+)?)(Gi|Mi|[gms])?$", text)
    if text and not number:
        raise Unpriced(f"{one['parameter']} should be a number, got {text!r}", "give a number, as in the template")
    value = float(number[1]) * (1024 if number[2] in ("Gi", "g") else 1) if number else float(one["limit"])
    return value * float(one.get("scale", 1))
