"""What flyweight's own client saves, where a target has one beside the platform's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flyweight.toolkit.costs.options import Option
from flyweight.toolkit.costs.workload import Measured, Workload
from flyweight.toolkit.targets import Target

PLATFORM, OWN = "platform", "own"


@dataclass(frozen=True)
class ClientSaving:
    """The same month under both clients.

    `platform`, `own`: the measured cold starts in seconds; `dollars`: what the own client costs less.
    """

    platform: float
    own: float
    cold_starts: float
    dollars: float

    def document(self) -> dict[str, Any]:
        """Return it as a JSON object, with times in milliseconds."""
        cold = {"platform_cold_ms": round(1000 * self.platform, 3), "own_cold_ms": round(1000 * self.own, 3)}
        return {**cold, "cold_starts": self.cold_starts, "dollars_a_month": round(self.dollars, 4)}


def chosen(target: Target, parameters: tuple[str, ...]) -> str:
    """Name the client that a deployment's parameters, as NAME=VALUE, choose."""
    clients = target.runtime.CLIENTS if target.has("runtime") else {}
    return OWN if OWN in clients and target.deployer.choose_client(OWN) in parameters else PLATFORM


def saving(option: Option, work: Workload, platform: Measured, own: Measured) -> ClientSaving:
    """Price a workload under both clients, whose warm answers count alike.

    :param option: the target, as it is priced.
    :param platform: the model under the platform's client; all but its cold start is taken for both.
    :param own: the model under flyweight's client.
    """
    quick = replace(platform, cold=own.cold)
    bills = [option.bill(replace(work, measured=measured)).total for measured in (platform, quick)]
    return ClientSaving(platform.cold, own.cold, work.cold_starts, bills[0] - bills[1])
