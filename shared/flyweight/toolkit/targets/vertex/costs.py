"""The costs of Vertex AI: an online endpoint."""

from __future__ import annotations

from dataclasses import replace

from flyweight.toolkit.costs.prices import Line, metered
from flyweight.toolkit.costs.servers import Machine, endpoint
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets.costs import Costs, Made, Settings

MACHINES = (Machine("e2-standard-2", "vertex.e2.hour", 2, 8192), Machine("n1-standard-2", "vertex.n1.hour", 2, 7680))


def shape(work: Workload, settings: Settings) -> Workload:
    """Adapt the workload to the script's variables."""
    return replace(work, machine=settings.get("MACHINE_TYPE", ""), instances=int(settings.get("MIN_REPLICAS") or 1))


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """Price what is kept beside the endpoint: log and image."""
    lines = [
        metered("log taken in, GB", made.logs, "gcp.logs.gb", "gcp.free.logs.gb"),
        metered("image kept, GB", made.work.measured.folder / 1e9, "artifacts.gb"),
    ]
    notes = ["identities and permissions are free", "not counted: the layers of the image's base"]
    notes.append("the version before the live one keeps its machines until the next deployment, which is not counted")
    if made.has("ACCELERATOR"):
        notes.append("not counted: the accelerator, of which no price is recorded")
    return lines, notes


ENDPOINT = endpoint("Vertex AI endpoint", "gcp", MACHINES, {"MACHINE_TYPE": MACHINES[0].name, "MIN_REPLICAS": "2"})
COSTS = Costs((ENDPOINT,), shape, resources)
