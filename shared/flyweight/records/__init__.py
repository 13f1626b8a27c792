"""Records of queues, streams and schedules: an event becomes records, each gets an outcome, a trigger replies to the platform."""

from flyweight.errors import NotDone
from flyweight.values import Value, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

NOTHING: "Mapping[str, Any]" = {}


@frozen
class Record(Value):
    """One body to score; `origin["source"]` and `id` together are unique."""

    id: str  # the platform's own name for it
    body: bytes  # one instance, or the body of a request
    content_type: str = ""  # JSON if empty
    origin: "Mapping[str, Any]" = NOTHING  # small facts fit for JSON: queue, topic, key, time
    sequence: str = ""  # records of one sequence are scored in order; after one that fails, none is
    fault: "Exception | None" = None  # why its body could not be read


class InProgress(NotDone):
    """The work that a record names is done in part; the record must be delivered again for the rest."""


@frozen
class Outcome(Value):
    """The result of one record: scored, rejected for good, or failed (or in progress) and to be delivered again."""

    record: Record
    answer: "Mapping[str, Any] | None" = None  # what HTTP would answer, and the record's id; a problem document on an error
    error: "Exception | None" = None
    final: bool = False  # whether a retry would fail as well

    @property
    def state(self) -> str:
        """Name the outcome: scored, rejected, unfinished or failed."""
        if self.error is None or self.final:
            return "scored" if self.error is None else "rejected"
        return "unfinished" if isinstance(self.error, InProgress) else "failed"


@frozen
class Trigger(Value):
    """A sender of records; each function takes the event as the platform's callable gets it."""

    name: str  # in the log
    records: "Callable[..., list[Record]]"
    reply: "Callable[..., Any]"  # (outcomes, *event), in the order of the records; raises if the platform wants a failure raised
    request_id: "Callable[..., str]"
    answers: bool = False  # whether the reply holds the answers; otherwise they need a sink
    # (predictor, records, *event): scores records that only name what is to be scored
    score: "Callable[..., list[Outcome]] | None" = None


def failed(outcomes: "Sequence[Outcome]") -> "list[Outcome]":
    """List the outcomes that the platform should deliver again: failed and unfinished ones."""
    return [outcome for outcome in outcomes if outcome.error is not None and not outcome.final]


def raise_failed(outcomes: "Sequence[Outcome]") -> None:
    """Raise the first failure, for platforms that deliver the whole event again.

    :raises Exception: the error of the first outcome that is not final.
    """
    for outcome in failed(outcomes):
        if outcome.error is not None:
            raise outcome.error


def content_type_of(attributes: "Iterable[tuple[str, Any]]") -> str:
    """Find the content type among the attributes of a message, in any case; "" if there is none.

    :param attributes: pairs of a name and its value.
    """
    return next((str(value or "") for name, value in attributes if name.lower() == "content-type"), "")
