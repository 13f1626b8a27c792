"""Answers that no caller waits for: files in a bucket that are scored as they come, or by a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import Bill, Line, metered, price
from flyweight.toolkit.costs.workload import Workload

CALL = 10.0  # seconds of a call, as the template's Timeout has it: the next goes on where it stopped
AT_ONCE = 10  # files that are scored side by side: QueueConcurrency, MAX_INSTANCES
PART = 8 * 2**20  # bytes of answers that are written at once
SIDE = "answers come when a file is done; files are scored side by side, each from front to back"

FILES = ratings(
    scalability=(5, "files are scored side by side"),
    security=(5, "nothing listens; rights by bucket"),
    ease=(5, "one command deploys; files are put into a bucket"),
    integration=(4, "buckets, tables, schedules"),
)
JOBS = ratings(
    scalability=(4, "as many machines as you ask for"),
    security=(5, "nothing listens; rights by bucket"),
    ease=(3, "a container, and something that starts the job"),
    integration=(4, "pipelines of the same platform"),
)


def later(
    name: str, cloud: str, bill: Callable[[Workload], Bill], rated: dict[str, tuple[int, str]], most_mb: int, at_once: int,
    share: Callable[[Workload], float] = lambda work: 1.0, most_folder: float = float("inf"),
) -> Option:  # fmt: skip
    """An option whose answers come in files.

    :param most_mb: the memory of the largest instance that is priced.
    :param at_once: files that are scored side by side.
    :param share: the share of one CPU that an instance has.
    :param most_folder: the bytes that the built folder may have.
    """
    return Option(
        name, "batch", cloud, bill, rated, False, lambda work: 1 / share(work), limits=(SIDE,),
        live=False, most_mb=most_mb, at_once=at_once, most_folder=most_folder,
    )  # fmt: skip


def in_pieces(work: Workload) -> Workload:
    """The same rows from files, each call as long as its timeout lets it; at most `AT_ONCE` calls of a run start cold."""
    runs = max(work.runs, 1)
    seconds = work.requests * work.measured.warm
    calls = max(float(runs), seconds / CALL)
    measured = replace(work.measured, warm=seconds / calls)
    return replace(work, measured=measured, requests=calls, cold_share=min(AT_ONCE * runs / calls, 1.0), warm_instances=0)


def files(work: Workload, store: str, egress: str) -> list[Line]:
    """One run's files and their answers kept all month; answers are written in parts, and joined; nothing leaves the region.

    :param store: the store's name in prices.
    :param egress: the price of a gigabyte to the internet, by name.
    """
    runs = max(work.runs, 1)
    parts = max(float(runs), work.gigabytes_out * 1e9 / PART)
    moved = f"{work.gigabytes_out:,.3g} stay in the region; to the internet a GB is ${price(egress).value:g}"
    return [
        metered("files kept, GB", (work.gigabytes_in + work.gigabytes_out) / runs, f"{store}.gb"),
        metered("files and parts read", 2 * parts, f"{store}.get"),
        metered("parts and answers written", 2 * parts, f"{store}.put"),
        Line("data out, GB", 0.0, moved),
    ]
