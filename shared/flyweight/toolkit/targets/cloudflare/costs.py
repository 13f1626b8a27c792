"""The costs of a Python Worker on Cloudflare's paid plan."""

from __future__ import annotations

from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import Bill, Line, metered
from flyweight.toolkit.costs.serverless import ONE_COMMAND, OVERHEAD
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets.costs import Costs, Made


def worker(work: Workload) -> Bill:
    """Price the plan, requests, and milliseconds of CPU, to which the start of Python is added; data out is free."""
    milliseconds = 1000 * work.busy_seconds()
    return Bill(
        (
            metered("paid plan", 1, "workers.month"),
            metered("requests", work.requests, "workers.request", "workers.free.request"),
            metered("CPU, milliseconds", milliseconds, "workers.cpu_ms", "workers.free.cpu_ms"),
        )
    )


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """Price nothing more: the domain's zone is there already, and the log is part of the plan."""
    notes = ["on the free plan a Worker has 100,000 requests a day of 10 ms each"]
    return [], [*notes, "not counted: the domain, and logs beyond the plan's"]


WORKER = Option(
    "Cloudflare Workers",
    "serverless",
    "cloudflare",
    worker,
    ratings(
        scalability=(5, "on Cloudflare's whole network, automatically"),
        security=(3, "no system to patch; callers are checked by rules of your zone, which are yours to write"),
        ease=ONE_COMMAND,
        integration=(3, "HTTP, and other Workers"),
    ),
    warm=False,
    overhead=OVERHEAD,
    limits=(
        "models of the engine `pure` alone, from no store",
        "10 MB after compression, 128 MB of memory with Python's own",
        "its cold start is Pyodide's in node: Cloudflare restores a snapshot, which is not measured here",
    ),
)
COSTS = Costs((WORKER,), resources=resources)
