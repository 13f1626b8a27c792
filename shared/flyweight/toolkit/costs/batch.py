"""Answers that nobody waits for at a server: on the device, or by files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import Bill, Line, metered, price
from flyweight.toolkit.costs.serverless import LAMBDA_FOLDER, flex_lines, lambda_lines, run_lines
from flyweight.toolkit.costs.workload import FULL, Workload, flex_share, lambda_share

CALL = 10.0  # seconds of a call, as the template's Timeout has it: the next goes on where it stopped
AT_ONCE = 10  # files that are scored side by side: QueueConcurrency, MAX_INSTANCES
PART = 8 * 2**20  # bytes of answers that are written at once


def edge(work: Workload) -> Bill:
    """The devices are there already, and so is their electricity."""
    return Bill((Line("devices", 0.0, "they are yours already; updates are sent as files"),))


def by_aws(work: Workload) -> Bill:
    """Files in a bucket that Lambda is told of: no gateway, one cold start for many pieces."""
    return Bill((*lambda_lines(in_pieces(work)), *files(work, "s3")))


def by_gcp(work: Workload) -> Bill:
    """Files in a bucket that a Cloud Run function is told of."""
    return Bill((*run_lines(in_pieces(work)), *files(work, "gcs")))


def by_azure(work: Workload) -> Bill:
    """Blobs that Functions are told of by Event Grid."""
    return Bill((*flex_lines(in_pieces(work)), *files(work, "blob")))


def transform(work: Workload) -> Bill:
    """SageMaker's batch transform: machines by the hour while it runs; how long they take to start is not in it."""
    hours = in_pieces(work).busy_seconds() / (2 * FULL) / 3600
    return Bill((metered("machines, hours", hours, "sagemaker.batch.hour"), *files(work, "s3")))


def job(work: Workload) -> Bill:
    """A Cloud Run job, a minute a run at the least."""
    seconds = max(in_pieces(work).busy_seconds() / FULL, 60.0 * max(work.runs, 1))
    gibibytes = work.memory_mb / 1024
    lines = [
        metered("CPU, vCPU-seconds", seconds, "run.job.vcpu_second", "run.job.free.vcpu_second"),
        metered("memory, GiB-seconds", seconds * gibibytes, "run.job.gib_second", "run.job.free.gib_second"),
    ]
    return Bill((*lines, *files(work, "gcs")))


def in_pieces(work: Workload) -> Workload:
    """The same rows from files, each call as long as its timeout lets it; at most so many start cold as work side by side."""
    runs = max(work.runs, 1)
    seconds = work.requests * work.measured.warm
    calls = max(float(runs), seconds / CALL)
    measured = replace(work.measured, warm=seconds / calls)
    return replace(work, measured=measured, requests=calls, cold_share=min(AT_ONCE * runs / calls, 1.0), warm_instances=0)


def files(work: Workload, store: str) -> list[Line]:
    """One run's files and their answers kept all month; answers are written in parts, and joined; nothing leaves the region."""
    runs = max(work.runs, 1)
    parts = max(float(runs), work.gigabytes_out * 1e9 / PART)
    moved = f"{work.gigabytes_out:,.3g} stay in the region; to the internet a GB is ${_egress(store):g}"
    return [
        metered("files kept, GB", (work.gigabytes_in + work.gigabytes_out) / runs, f"{store}.gb"),
        metered("files and parts read", 2 * parts, f"{store}.get"),
        metered("parts and answers written", 2 * parts, f"{store}.put"),
        Line("data out, GB", 0.0, moved),
    ]


def _egress(store: str) -> float:
    return price({"s3": "aws.egress.gb", "gcs": "gcp.egress.gb", "blob": "azure.egress.gb"}[store]).value


_FILES = ratings(
    scalability=(5, "files are scored side by side"),
    security=(5, "nothing listens; rights by bucket"),
    ease=(5, "one command deploys; whoever has a file puts it into a bucket"),
    integration=(4, "buckets, tables, schedules"),
)
_JOBS = ratings(
    scalability=(4, "as many machines as you ask for"),
    security=(5, "nothing listens; rights by bucket"),
    ease=(3, "a container, and something that starts the job"),
    integration=(4, "pipelines of the same platform"),
)


SIDE = "answers come when a file is done; files are scored side by side, each from front to back"


def _later(
    name: str, cloud: str, bill: Callable[[Workload], Bill], told: dict[str, tuple[int, str]], most_mb: int, at_once: int,
    share: Callable[[Workload], float] = lambda work: 1.0, most_folder: float = float("inf"),
) -> Option:  # fmt: skip
    return Option(
        name, "batch", cloud, bill, told, False, lambda work: 1 / share(work), limits=(SIDE,),
        live=False, most_mb=most_mb, at_once=at_once, most_folder=most_folder,
    )  # fmt: skip


OPTIONS = (
    Option(
        "On the device",
        "edge",
        "any",
        edge,
        ratings(
            scalability=(5, "every device brings its own CPU"),
            security=(3, "data stays on the device; the model can be copied from it"),
            ease=(2, "an app to ship, and models to update on devices that are away"),
            integration=(2, "LiteRT or ONNX Runtime inside an app; the pure engine where there is Python"),
        ),
        warm=True,
        overhead=0.0,
        limits=("LiteRT or ONNX Runtime has to take the model: flyweight pack --engine",),
    ),
    _later("Lambda by files", "aws", by_aws, _FILES, 10240, AT_ONCE, lambda work: lambda_share(work.memory_mb), LAMBDA_FOLDER),
    _later("Cloud Run by files", "gcp", by_gcp, _FILES, 32768, AT_ONCE),
    _later("Azure Functions by files", "azure", by_azure, _FILES, 4096, AT_ONCE, lambda work: flex_share(work.memory_mb)),
    _later("SageMaker batch transform", "aws", transform, _JOBS, 8192, 2),
    _later("Cloud Run job", "gcp", job, _JOBS, 4096, 1),
)
