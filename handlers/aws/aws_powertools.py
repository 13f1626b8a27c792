"""Log by Powertools: one line of its Logger an entry, and metrics in CloudWatch's embedded format."""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.serving.logs import Entry, Log

# Powertools' own variables take precedence: POWERTOOLS_SERVICE_NAME and POWERTOOLS_METRICS_NAMESPACE.
NAMESPACE = "flyweight"


def log() -> "Log":
    """Make a log that also counts Requests, Faults (status 500 and above), Instances, ColdStarts, StaleChecks, ShadowDifferences.

    For records it counts Batches, and how many records were Scored, Rejected and Failed; a batch with a failed record is a fault.
    """
    logger = Logger(location=None)  # the place of the call would always be this file
    metrics = Metrics()
    metrics.provider.namespace = metrics.provider.namespace or NAMESPACE

    def write(entry: "Entry") -> None:
        fields = {field: value for field, value in entry.items() if field not in ("level", "message")}
        getattr(logger, entry["level"].lower())(entry["message"], extra=fields)
        if "status" in entry or "records" in entry:
            _count(metrics, entry)

    return write


def _count(metrics: Metrics, entry: "Entry") -> None:
    """Count the entry of a request or a batch, and write its metrics."""
    metrics.add_dimension("operation", entry.get("operation", "none"))
    metrics.add_metric("Batches" if "records" in entry else "Requests", MetricUnit.Count, 1)
    for state in ("scored", "rejected", "failed") if "records" in entry else ():
        metrics.add_metric(state.capitalize(), MetricUnit.Count, entry[state])
    metrics.add_metric("Faults", MetricUnit.Count, int(entry["level"] == "ERROR"))
    metrics.add_metric("ColdStarts", MetricUnit.Count, int(entry["cold"]))
    metrics.add_metric("Duration", MetricUnit.Milliseconds, entry["duration_ms"])
    if "variant" in entry:  # the figures of a canary are kept apart from those of the main model
        metrics.add_dimension("variant", entry["variant"])
    if "stale" in entry:
        metrics.add_metric("StaleChecks", MetricUnit.Count, 1)
    if "differ" in entry.get("shadow", {}):
        metrics.add_metric("ShadowInstances", MetricUnit.Count, entry["shadow"]["instances"])
        metrics.add_metric("ShadowDifferences", MetricUnit.Count, entry["shadow"]["differ"])
    if "instances" in entry:
        metrics.add_metric("Instances", MetricUnit.Count, entry["instances"])
    metrics.flush_metrics()
