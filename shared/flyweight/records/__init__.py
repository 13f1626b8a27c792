"""What queues, streams and schedules send: an event becomes records, each gets its outcome, a trigger knows both forms."""

from flyweight.errors import FlyweightError
from flyweight.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

NOTHING: "Mapping[str, Any]" = {}


@frozen
class Record:
    """One thing to score, and what names it; `origin["source"]` and `id` name it among all others."""

    id: str  # the platform's own name for it
    body: bytes  # one instance, or what a request may have for a body
    media: str = ""  # a content type; JSON where it is empty
    origin: "Mapping[str, Any]" = NOTHING  # what else is known of it, small and fit for JSON: queue, topic, key, time
    sequence: str = ""  # records of one sequence are taken in order: behind one that fails, none is taken
    fault: "Exception | None" = None  # why its body could not be had


class InProgress(FlyweightError):
    """What a record names is done in part; the record has to come again, and the rest is done then."""

    code = "not_done"


@frozen
class Outcome:
    """What became of a record: it is scored, rejected for good, or failed for now and to be delivered again.

    One that is unfinished is delivered again as well, though nothing is wrong with it.
    """

    record: Record
    answer: "Mapping[str, Any] | None" = None  # what HTTP would answer, and the record's id; a problem document on an error
    error: "Exception | None" = None
    final: bool = False  # whether another try would end the same

    @property
    def state(self) -> str:
        """The outcome in a word."""
        if self.error is None or self.final:
            return "scored" if self.error is None else "rejected"
        return "unfinished" if isinstance(self.error, InProgress) else "failed"


@frozen
class Trigger:
    """What sends records, by what it can say; each function takes the event as the platform's callable gets it."""

    name: str  # in the log
    records: "Callable[..., list[Record]]"
    reply: "Callable[..., Any]"  # (outcomes, *event), in the order of the records; raises where that is how to say a failure
    request_id: "Callable[..., str]"
    answers: bool = False  # whether the reply holds the answers, which otherwise need a sink
    # (predictor, records, *event): for records that are no more than names of what is to be scored
    score: "Callable[..., list[Outcome]] | None" = None


def failed(outcomes: "Sequence[Outcome]") -> "list[Outcome]":
    """Those that the platform should deliver again, be they failed or unfinished."""
    return [outcome for outcome in outcomes if outcome.error is not None and not outcome.final]
