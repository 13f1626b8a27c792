"""Sinks: the places that take results and dead letters, each document under its own key.

Delivery is at least once. The key stays the same when a record is delivered again, and differs between models: a sink that
writes each key once makes the effect land exactly once.
"""

from functools import lru_cache
from hashlib import blake2b

from flyweight.errors import InvalidSetting, NotDone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, Protocol, TypeVar

    from flyweight.records import Record

    T = TypeVar("T")
    Document = Mapping[str, Any]

    class Sink(Protocol):
        """Takes documents, many at a time."""

        def send(self, documents: list[tuple[str, Document]]) -> Mapping[str, str]:
            """Write each document under its key.

            :returns: the keys that were not taken, each with the reason.
            :raises Exception: nothing was taken.
            """
            ...


class DeliveryFailed(NotDone):
    """A sink did not take the answer of a record."""


class BlockedBySequence(NotDone):
    """An earlier record of the same sequence failed."""


class LogLines:
    """A sink that writes dead letters to the log; it is used when no other sink is set.

    :param write: writes one log entry; it raises if the line could not be written.
    """

    def __init__(self, write: "Callable[[Document], None]") -> None:
        self._write = write

    def send(self, documents: "list[tuple[str, Document]]") -> "Mapping[str, str]":
        """Write one line of level ERROR a document, with the whole document.

        :returns: the keys of the lines that could not be written, each with the reason.
        """
        lost = {}
        for key, document in documents:
            try:
                self._write({"level": "ERROR", "message": f"a record was rejected: {document['problem']['title']}", **document})
            except Exception as error:
                lost[key] = f"the log can't be written: {type(error).__name__}: {error}"[:300]
        return lost


def send_all(sink: "Sink", documents: "list[tuple[str, Document]]") -> "Mapping[str, str]":
    """Send documents to a sink; if it raises, send each half by itself, so that a document that it can't take fails alone.

    A store that is away is not asked again and again: after a failure of the system or of a connection, or when the sink has
    raised for as many times in a row as halving needs to find one document, the rest fails.

    :returns: the keys that were not taken, each with the reason.
    :raises Exception: as the sink raises, if there is one document or if it took none of them.
    """
    try:
        return sink.send(documents)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        if len(documents) < 2:
            raise
        refused: dict[str, str] = {}
        waiting, in_a_row, most = _halves(documents), 1, len(documents).bit_length() + 2
        while waiting and in_a_row <= most:
            part = waiting.pop()
            try:
                refused |= sink.send(part)
                in_a_row = 0
            except Exception as reason:
                in_a_row += 1
                if len(part) > 1 and not isinstance(reason, (OSError, MemoryError)):
                    waiting += _halves(part)
                else:
                    refused |= dict.fromkeys([key for key, _ in part], f"{type(reason).__name__}: {reason}"[:300])
        left = [key for part in waiting for key, _ in part]
        if len(left) + len(refused) == len(documents):
            raise
        return {**refused, **dict.fromkeys(left, f"{type(error).__name__}: {error}"[:300])}


def _halves(documents: "list[tuple[str, Document]]") -> "list[list[tuple[str, Document]]]":
    half = len(documents) // 2
    return [documents[half:], documents[:half]]  # the first half is taken first, from the end of a list


def open_sink(address: str, module: str) -> "Sink | None":
    """Open the sink at an address; None if the address is empty.

    :param module: the name of the handler's module of sinks, imported only if there is an address. It has `SCHEMES`, the
        schemes of its addresses, and `open_sink(address)`. "": the handler has no sinks.
    :raises InvalidSetting: the handler has no sink with this scheme, or the rest of the address names nothing.
    """
    if not address:
        return None
    sinks: Any = __import__(module) if module else None
    schemes = sinks.SCHEMES if module else ()
    if address.partition(":")[0] not in schemes:
        known = " or ".join(f"{scheme}:" for scheme in schemes)
        expected = f"begin with {known}" if known else "be empty, because this handler has no sinks"
        raise InvalidSetting(f"FLYWEIGHT_RESULTS and FLYWEIGHT_DEAD_LETTERS should {expected}; got {address!r}")
    sink: Sink = sinks.open_sink(address)
    return sink


def batched(items: "Iterable[T]", max_items: int, max_bytes: int, size_of: "Callable[[T], int]") -> "Iterator[list[T]]":
    """Split items into batches, in their order, each small enough for one call of a service.

    :param size_of: gives the bytes of an item; an item of more than `max_bytes` becomes a batch of its own.
    """
    batch: list[T] = []
    total = 0
    for item in items:
        size = size_of(item)
        if batch and (len(batch) == max_items or total + size > max_bytes):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += size
    if batch:
        yield batch


def key_of(record: "Record", sha256: str) -> str:
    """Make the idempotency key of a record and a model: 64 hexadecimal digits.

    :param sha256: the digest of the model file.
    """
    digest = _source_digest(record.origin.get("source", ""), sha256).copy()
    digest.update(record.id.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


@lru_cache(64)
def _source_digest(source: str, sha256: str) -> blake2b:
    """Digest what all keys of a source and a model begin with; BLAKE2's state is copied in less time than SHA-256's."""
    return blake2b(f"{len(source)} {source} {sha256} ".encode("utf-8", "surrogatepass"), digest_size=32)


def dead_letter(key: str, record: "Record", problem: "Document") -> "dict[str, Any]":
    """Make the dead letter of a rejected record: everything needed to correct it and send it again.

    :param problem: the problem document that says why it was rejected.
    """
    document: dict[str, Any] = {"key": key, "id": record.id, "origin": record.origin}
    document |= {"problem": problem, "media": record.content_type}
    try:
        return {**document, "body": record.body.decode()}
    except UnicodeDecodeError:
        from binascii import b2a_base64

        return {**document, "body_base64": b2a_base64(record.body, newline=False).decode()}
