"""The layout of a Worker's folder: Python and data as modules, and wrangler's configuration."""

from pathlib import Path

from flyweight.toolkit.targets import pyodide
from flyweight.toolkit.targets.package import MIB, Limit, PackageSpec

# "Worker size" of https://developers.cloudflare.com/workers/platform/limits/, after compression: 3 MB and 10 MB by that page for
# years; its newest copies say 64 MiB for both plans
MORE = "ask Cloudflare for the newer limit of 64 MiB, or take another target"
LIMITS = (
    Limit("Worker on the free plan, gzip", 3 * MIB, "take the paid plan, or pack a smaller model", zipped=True),
    Limit("Worker on the paid plan, gzip", 10 * MIB, MORE, zipped=True),
)


def refuse_unfit(folder: Path) -> None:
    """Check that a Worker can run the model.

    :raises BuildFailed: the model needs packages, or comes from a store.
    """
    pyodide.refuse_unfit(folder, "a Worker")


PACKAGE = PackageSpec(limits=LIMITS, reads=(), alone=True, check=refuse_unfit)
