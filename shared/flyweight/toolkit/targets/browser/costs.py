"""The costs of a page that answers in the visitor's browser: its files on Pages, S3, Cloud Storage or Azure.

A request is taken as a visit that loads the page, and every later request of it is free: the most that it can cost.
"""

from __future__ import annotations

from collections.abc import Callable

from flyweight.toolkit.costs.options import PAGE, Option, ratings
from flyweight.toolkit.costs.prices import Bill, Line, metered
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets.costs import Costs, Made

FILES = 12  # of a page with Pyodide beside it, at most
PYTHON_GB = 0.0135  # what a first visit loads of Pyodide: docs/providers/browser.md
# https://developers.cloudflare.com/pages/functions/pricing/#static-asset-requests
FREE = "requests to static assets are free and unlimited"
LIMITS = ("only a person with a browser can ask it", "models of the engine `pure` alone", "each visitor loads 13.5 MB once")
RATED = ratings(
    scalability=(5, "each visitor's own machine answers"),
    security=(4, "rows never leave the visitor's machine; the model's file is public"),
    ease=(5, "one command copies a folder; nothing to maintain"),
    integration=(2, "a page, and a module for scripts of your own"),
)


def stored(store: str, cloud: str) -> Callable[[Workload], Bill]:
    """Return the function that prices the files in a bucket, which each visit loads."""

    def bill(work: Workload) -> Bill:
        gigabytes = PYTHON_GB + work.measured.folder / 1e9
        lines = [
            metered("files kept, GB", gigabytes, f"{store}.gb"),
            metered("files loaded", FILES * work.requests, f"{store}.get"),
            metered("data out, GB", gigabytes * work.requests, f"{cloud}.egress.gb", f"{cloud}.free.egress.gb"),
        ]
        return Bill(tuple(lines))

    return bill


def pages(work: Workload) -> Bill:
    """Price Cloudflare Pages, which takes nothing for files."""
    return Bill((Line("files and requests", 0.0, FREE),))


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """Price nothing more."""
    return [], ["each request is counted as a visit that loads the whole page; those that follow are answered for nothing"]


def _page(name: str, cloud: str, bill: Callable[[Workload], Bill], platform: str) -> Option:
    return Option(name, PAGE, cloud, bill, RATED, False, overhead=0.0, limits=LIMITS, platform=platform, on_device=True)


COSTS = Costs(
    (
        _page("Page on Cloudflare Pages", "cloudflare", pages, "pages"),
        _page("Page on S3", "aws", stored("s3", "aws"), "s3"),
        _page("Page on Cloud Storage", "gcp", stored("gcs", "gcp"), "gcs"),
        _page("Page on Azure", "azure", stored("blob", "azure"), "azure"),
    ),
    resources=resources,
)
