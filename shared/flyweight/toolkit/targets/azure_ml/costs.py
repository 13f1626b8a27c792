"""The costs of Azure Machine Learning: online and batch endpoints; the service adds nothing to the price of its machines."""

from __future__ import annotations

from dataclasses import replace

from flyweight.toolkit.costs.batch import JOBS, files, in_pieces, later
from flyweight.toolkit.costs.prices import Bill, Line, metered
from flyweight.toolkit.costs.servers import Machine, endpoint
from flyweight.toolkit.costs.workload import FULL, Workload
from flyweight.toolkit.targets.costs import Costs, Made, Settings

MACHINES = (Machine("Standard_DS2_v2", "azureml.hour", 2, 7168),)


def batch(work: Workload) -> Bill:
    """Price a batch endpoint: machines of two CPUs by the hour while it runs, without the time that they take to start."""
    hours = in_pieces(work).busy_seconds() / (2 * FULL) / 3600
    return Bill((metered("machines, hours", hours, "azureml.hour"), *files(work, "blob", "azure.egress.gb")))


def shape(work: Workload, settings: Settings) -> Workload:
    """Adapt the workload to the script's variables."""
    return replace(work, machine=settings.get("INSTANCE_TYPE", ""), instances=int(settings.get("INSTANCE_COUNT") or 1))


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """Price what is kept beside the endpoint: log, folder, and the registry of the environment or the image."""
    lines = [
        metered("log taken in, GB", made.logs, "azure.logs.gb", "azure.free.logs.gb"),
        metered("folder kept, GB", made.work.measured.folder / 1e9, "blob.gb"),
        metered("registry of images, Basic", 1, "acr.month"),
    ]
    notes = [
        "identities and roles are free",
        "not counted: the workspace's vault, and the minutes in which an environment is built",
    ]
    return lines, [*notes, "the release before the live one keeps its instances until the next deployment, which is not counted"]


ENDPOINT = endpoint("Azure ML endpoint", "azure", MACHINES, {"INSTANCE_COUNT": "2"})
BATCH = replace(
    later("Azure ML batch endpoint", "azure", batch, JOBS, MACHINES[0].memory_mb, 2),
    deploy="az ml batch-deployment create --file infra/azure_ml/batch-deployment.yml --set-default",
)
COSTS = Costs((ENDPOINT, BATCH), shape, resources)
