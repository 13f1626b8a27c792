"""Options for which no caller waits: files in a bucket that are scored when they arrive, or by a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flyweight.toolkit.costs.options import HARDWARE, Option, ratings
from flyweight.toolkit.costs.prices import Bill, Line, metered, price
from flyweight.toolkit.costs.servers import OWN_HARDWARE
from flyweight.toolkit.costs.workload import FULL, Workload
from flyweight.toolkit.targets import ANY

CALL = 10.0  # seconds of a call, the template's Timeout: the next call continues where it stopped
AT_ONCE = 10  # files scored concurrently: QueueConcurrency, MAX_INSTANCES
PART = 8 * 2**20  # bytes of answers per write
LEAST = 60.0  # billed seconds of a run on a service that starts machines for it
SIDE = "answers are complete when a file is done; files are scored concurrently, each one sequentially"

FILES = ratings(
    scalability=(5, "files are scored concurrently"),
    security=(5, "no open endpoint; permissions per bucket"),
    ease=(5, "one command to deploy; files are copied to a bucket"),
    integration=(4, "buckets, tables, schedules"),
)
JOBS = ratings(
    scalability=(4, "as many machines as you request"),
    security=(5, "no open endpoint; permissions per bucket"),
    ease=(3, "a container, and a schedule or program that starts the job"),
    integration=(4, "pipelines of the same platform"),
)


def later(
    name: str, cloud: str, bill: Callable[[Workload], Bill], rated: dict[str, tuple[int, str]], most_mb: int, at_once: int,
    share: Callable[[Workload], float] = lambda work: 1.0, most_folder: float = float("inf"), **settings: str,
) -> Option:  # fmt: skip
    """Create an option whose answers are written to files.

    :param most_mb: the memory of the largest priced instance.
    :param at_once: the number of files that are scored concurrently.
    :param share: the share of one CPU that an instance has.
    :param most_folder: the largest size of the built folder in bytes.
    :param settings: the parameters of a deployment that choose it.
    """
    return Option(
        name, "batch", cloud, bill, rated, False, lambda work: 1 / share(work), limits=(SIDE,),
        live=False, most_mb=most_mb, at_once=at_once, most_folder=most_folder, settings=settings,
    )  # fmt: skip


def in_pieces(work: Workload) -> Workload:
    """Convert a workload to calls on files, each as long as its timeout; at most `AT_ONCE` calls of a run start cold."""
    runs = max(work.runs, 1)
    seconds = work.requests * work.measured.warm
    calls = max(float(runs), seconds / CALL)
    measured = replace(work.measured, warm=seconds / calls)
    return replace(work, measured=measured, requests=calls, cold_share=min(AT_ONCE * runs / calls, 1.0), warm_instances=0)


def files(work: Workload, store: str, egress: str) -> list[Line]:
    """Price the files and answers of one run, stored all month; answers are written in parts and joined, within the region.

    :param store: the name of the store in the prices.
    :param egress: the name of the price of a gigabyte to the internet.
    """
    runs = max(work.runs, 1)
    parts = max(float(runs), work.gigabytes_out * 1e9 / PART)
    moved = f"{work.gigabytes_out:,.3g} stay in the region; a GB to the internet costs ${price(egress).value:g}"
    return [
        metered("files kept, GB", (work.gigabytes_in + work.gigabytes_out) / runs, f"{store}.gb"),
        metered("files and parts read", 2 * parts, f"{store}.get"),
        metered("parts and answers written", 2 * parts, f"{store}.put"),
        Line("data out, GB", 0.0, moved),
    ]


def job(
    name: str, cloud: str, bill: Callable[[Workload], Bill], rated: dict[str, tuple[int, str]], platform: str,
    most_mb: float, at_once: int, *limits: str, **settings: str,
) -> Option:  # fmt: skip
    """Create an option that a scheduler or a cluster runs on one of its target's platforms, over all rows at once.

    :param most_mb: the memory of a process.
    :param at_once: the processes, each on a processor of its own.
    :param limits: what to note.
    :param settings: the parameters of a deployment that choose it.
    """
    return Option(
        name, "batch", cloud, bill, rated, False, overhead=0.0, limits=limits, live=False, most_mb=most_mb, at_once=at_once,
        platform=platform, settings=settings,
    )  # fmt: skip


def own_job(name: str, rated: dict[str, tuple[int, str]], platform: str = "", **settings: str) -> Option:
    """Create an option of a job on the user's own hardware, for which no cloud sends a bill."""
    bill = Bill((Line("hardware", 0.0, OWN_HARDWARE),))
    return Option(
        name, HARDWARE, ANY, lambda work: bill, rated, False, overhead=0.0, live=False, platform=platform, settings=settings
    )


def processor_hours(work: Workload) -> float:
    """Compute the hours of all processors together that a month's runs take at the utilization `FULL`, started once each."""
    runs = max(work.runs, 1)
    return (work.requests * work.measured.warm + runs * work.measured.cold) / FULL / 3600


def hours(work: Workload, processors: int) -> float:
    """Compute the hours for which a month's runs have machines with this number of processors, at least `LEAST` for each run."""
    return max(processor_hours(work) / processors, max(work.runs, 1) * LEAST / 3600)
