"""Records of queues, streams and schedules: an event becomes records, each gets an outcome, a trigger replies to the platform."""

from flyweight import strict_json
from flyweight.errors import FlyweightError, MalformedRequest, NotDone
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

NOTHING: "Mapping[str, Any]" = {}
MAX_SHOWN = 1000  # characters of an item or an error in a message


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
    # (error, request_id, *event): the reply to an event that `records` refuses; None: the error is raised
    refuse: "Callable[..., Any] | None" = None


def records_of(
    items: "Iterable[Any]", make: "Callable[[Any], Iterable[Record]]", unreadable: "Callable[[Any, Exception], Record]"
) -> "list[Record]":
    """Make the records of the items of a batch; an item that can't be read becomes one record with its fault.

    :param make: makes the records of one item; an exception is the fault of that item alone.
    :param unreadable: makes the record of an item that can't be read; see the function of that name.
    """
    records: list[Record] = []
    for item in items:
        try:
            records += make(item)
        except MemoryError:
            raise
        except Exception as error:
            records.append(unreadable(item, error))
    return records


def unreadable(
    item: "Any", error: Exception, what: str = "record", source: "Any" = "", identity: "Any" = None, sequence: str = ""
) -> Record:
    """Make the record of an item that can't be read: it fails alone, and its dead letter holds the whole item.

    :param item: as the event has it: bytes, or anything else, which is written as JSON or in Python's words.
    :param what: the word for the item in the message of the fault.
    :param identity: as the event names it; without a text the id is made of the contents.
    """
    from hashlib import sha256

    if not isinstance(item, bytes):
        item = _written(item)
    if isinstance(error, FlyweightError):
        fault: Exception = error
    else:
        fault = MalformedRequest(f"the {what} can't be read: {_reason(error)}"[:MAX_SHOWN])
    identity = identity if isinstance(identity, str) and identity else sha256(item).hexdigest()
    return Record(identity, item, "", {"source": source if isinstance(source, str) else ""}, sequence, fault)


def _written(item: "Any") -> bytes:
    """Write an item as JSON, or in Python's words if it is nothing that JSON can hold."""
    try:
        return strict_json.encode(item)
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return repr(item)[:MAX_SHOWN].encode("utf-8", "replace")
    except Exception:  # nested too deeply as well, or not ours
        return f"an item of the type {type(item).__name__} that can't be shown".encode()


def _reason(error: Exception) -> str:
    """Say why an item can't be read, for the message of its fault."""
    if isinstance(error, KeyError):
        return f"the field {error} is missing"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return f"it is not JSON: {error}" if type(error).__name__ == "JSONDecodeError" else f"{type(error).__name__}: {error}"


def sound(records: "list[Record]") -> "list[Record]":
    """Replace each record whose fields have other types than they should have by one that fails alone."""
    return [record if _is_sound(record) else _refused(record) for record in records]


def _is_sound(record: Record) -> bool:
    identity, body, content_type, origin, sequence, _ = record
    return (
        type(identity) is str
        and type(body) is bytes
        and type(content_type) is str
        and type(sequence) is str
        and isinstance(origin, dict)
        and type(origin.get("source", "")) is str
    )


def _refused(record: Record) -> Record:
    """Make a record of sound fields that holds all that another one holds, and its fault."""
    wrong = TypeError("its id, source, body, content type or sequence is no text")
    whole: dict[str, Any] = {k: v.decode(errors="replace") if isinstance(v, bytes) else v for k, v in record._asdict().items()}
    fault: Exception | None = whole.pop("fault")
    source = record.origin.get("source") if isinstance(record.origin, dict) else ""
    sequence = record.sequence if isinstance(record.sequence, str) else ""
    return unreadable(whole, fault or wrong, source=source, identity=record.id, sequence=sequence)


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
    return next((str(value or "") for name, value in attributes if isinstance(name, str) and name.lower() == "content-type"), "")
