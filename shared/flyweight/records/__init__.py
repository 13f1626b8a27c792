"""Records of queues, streams and schedules: an event becomes records, each gets an outcome, a trigger replies to the platform."""

from flyweight.errors import NotDone
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

NOTHING: "Mapping[str, Any]" = {}


class Record(Value):
    """One body to score; `origin["source"]` and `id` together are unique."""

    id: str  # as the platform names it
    body: bytes  # one instance, or the body of a request
    content_type: str = ""  # JSON if empty
    origin: "Mapping[str, Any]" = NOTHING  # where it comes from, fit for JSON: queue, topic, key, time
    sequence: str = ""  # if a record fails, those that follow it in its sequence fail as well; "": no sequence
    fault: "Exception | None" = None  # why the body could not be read


class InProgress(NotDone):
    """Only a part of the work that a record names is done; the record must be delivered again for the rest."""


class Outcome(Value):
    """The result of one record: scored, rejected for good, or failed (or in progress) and to be delivered again."""

    record: Record
    answer: "Mapping[str, Any] | None" = None  # the answer of HTTP and the record's id; a problem document after an error
    error: "Exception | None" = None
    final: bool = False  # whether a retry would fail as well

    @property
    def state(self) -> str:
        """Name the outcome: scored, rejected, unfinished or failed."""
        if self.error is None or self.final:
            return "scored" if self.error is None else "rejected"
        return "unfinished" if isinstance(self.error, InProgress) else "failed"


class Trigger(Value):
    """A sender of records; `*event` stands for the arguments of the platform's callable."""

    name: str  # for the log
    records: "Callable[..., list[Record]]"  # (*event)
    reply: "Callable[..., Any]"  # (outcomes, *event), outcomes in the order of the records; raises if the platform expects it
    request_id: "Callable[..., str]"  # (*event)
    answers: bool = False  # whether the reply holds the answers; otherwise they need a sink
    # (predictor, records, *event): scores records that name a file instead of holding a body
    score: "Callable[..., list[Outcome]] | None" = None


def failed(outcomes: "Sequence[Outcome]") -> "list[Outcome]":
    """List the outcomes whose records the platform should deliver again: failed and unfinished ones."""
    return [outcome for outcome in outcomes if outcome.error is not None and not outcome.final]


def raise_failed(outcomes: "Sequence[Outcome]", *event: "Any") -> None:
    """Raise the first failure: the reply of triggers whose platform delivers the whole event again.

    :raises Exception: the error of the first outcome that is not final.
    """
    for outcome in failed(outcomes):
        if outcome.error is not None:
            raise outcome.error


def content_type_of(attributes: "Iterable[tuple[str, Any]]") -> str:
    """Find the content type among the attributes of a message, in upper or lower case; "" if it is absent.

    :param attributes: pairs of a name and its value.
    """
    return next((str(value or "") for name, value in attributes if name.lower() == "content-type"), "")
