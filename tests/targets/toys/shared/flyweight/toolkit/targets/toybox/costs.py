"""What the toy box costs: so much a request."""

from flyweight.toolkit.costs.options import Option, ratings
from flyweight.toolkit.costs.prices import Bill, metered
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets.costs import Costs


def function(work: Workload) -> Bill:
    """Each request."""
    return Bill((metered("requests", work.requests, "toybox.request"),))


BOX = Option(
    "Toy box",
    "toys",
    "toyland",
    function,
    ratings(scalability=(1, "one box"), security=(1, "a lid"), ease=(5, "it is a toy"), integration=(1, "none")),
    warm=False,
)
COSTS = Costs((BOX,))
