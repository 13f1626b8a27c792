"""The costs of SageMaker: a serverless endpoint, a real-time one, and batch transform."""

from __future__ import annotations

import math
from dataclasses import replace

from flyweight.toolkit.costs.batch import JOBS, files, in_pieces, later
from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import Bill, Line, metered
from flyweight.toolkit.costs.serverless import NO_SERVER, OVERHEAD, egress
from flyweight.toolkit.costs.servers import ENDPOINT, TWO, Machine, fleet
from flyweight.toolkit.costs.workload import FULL, Workload
from flyweight.toolkit.targets.aws.costs import lambda_share, watching
from flyweight.toolkit.targets.costs import Costs, Made, Settings

CALLED = "called through AWS's SDKs, which sign; a public address needs a gateway, which is not priced"
LARGEST = 6  # GB of a serverless endpoint: API_ProductionVariantServerlessConfig, "1024 MB, ... or 6144 MB"
MACHINES = (
    Machine("ml.t2.medium", "sagemaker.t2.medium.hour", 2, 4096),
    Machine("ml.m5.large", "sagemaker.m5.large.hour", 2, 8192),
)


def serverless_gb(memory_mb: float) -> int:
    """Return the gigabytes of the least serverless endpoint with this memory."""
    return min(max(math.ceil(memory_mb / 1024), 1), LARGEST)


def serverless_share(work: Workload) -> float:
    """Estimate the share of one CPU that it has: AWS documents none, and Lambda's share is taken."""
    return lambda_share(1024 * serverless_gb(work.memory_mb))


def serverless(work: Workload) -> Bill:
    """Price GB-seconds of answers, by the millisecond, and the data that they process."""
    seconds = work.requests * max(work.measured.warm / serverless_share(work), 0.001)
    compute = metered("compute, GB-seconds", seconds * serverless_gb(work.memory_mb), "sagemaker.serverless.gb_second")
    return Bill((compute, _moved(work), egress(work, "aws")))


def realtime(work: Workload) -> Bill:
    """Price at least two instances by the hour, and the data that they process."""
    return Bill((fleet(work, MACHINES, "instances"), _moved(work), egress(work, "aws")))


def transform(work: Workload) -> Bill:
    """Price batch transform: machines of two CPUs by the hour while it runs, without the time that they take to start."""
    hours = in_pieces(work).busy_seconds() / (2 * FULL) / 3600
    return Bill((metered("machines, hours", hours, "sagemaker.m5.large.hour"), *files(work, "s3", "aws.egress.gb")))


def shape(work: Workload, settings: Settings) -> Workload:
    """Adapt the workload to the template's parameters."""
    least = int(settings.get("MinInstances") or 1)
    return replace(work, machine=settings.get("InstanceType", ""), instances=least, warm_instances=0)


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """Price what the template makes around the endpoint: logs and alarms, the image, the model's archive."""
    lines = [*watching(made), metered("image kept, GB", made.work.measured.folder / 1e9, "ecr.gb")]
    if made.has("ModelData"):
        lines.append(metered("model kept, GB", made.model, "s3.gb"))
    notes = ["roles, policies and scaling rules are free", "not counted: the layers of the image's base, the disks of instances"]
    if made.has("ProvisionedConcurrency"):
        notes.append("not counted: instances kept started (ProvisionedConcurrency), of which no price is recorded")
    if made.has("CapturePath"):
        notes.append("not counted: requests and answers that are captured, at the price of the bucket")
    return lines, notes


def _moved(work: Workload) -> Line:
    return metered("data in and out, GB", work.gigabytes_in + work.gigabytes_out, "sagemaker.processed.gb")


SERVERLESS = Option(
    "SageMaker serverless",
    "serverless",
    "aws",
    serverless,
    ratings(
        scalability=(4, "from zero to 200 instances, automatically"),
        security=NO_SERVER,
        ease=(4, "an image to push, then one command; nothing to maintain"),
        integration=(5, "registry, monitoring and pipelines of the same platform"),
    ),
    warm=False,
    slowed=lambda work: 1 / serverless_share(work),
    overhead=OVERHEAD,
    limits=("60 s an answer", CALLED, "its CPU is taken as Lambda's with the same memory: AWS does not document it"),
    most_mb=1024 * LARGEST,
    keeps_ready=False,
    settings={"Kind": "serverless"},
)
REALTIME = Option(
    "SageMaker endpoint", "managed endpoint", "aws", realtime, ENDPOINT, True, limits=(TWO, "60 s an answer", CALLED),
    most_mb=MACHINES[0].memory_mb, settings={"Kind": "realtime", "InstanceType": MACHINES[0].name, "MinInstances": "2"},
)  # fmt: skip
TRANSFORM = later("SageMaker batch transform", "aws", transform, JOBS, 8192, 2, Kind="transform")
COSTS = Costs((REALTIME, SERVERLESS, TRANSFORM), shape, resources)  # other kinds have instances, as the first
