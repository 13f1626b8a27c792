"""Where results and dead letters go: documents with a key each go in, the keys that were not taken come out, with why.

Delivery is at least once. The key stays the same when a record comes again, and is another one for another model: a sink
that writes each key once makes the effect land exactly once.
"""

from functools import lru_cache
from hashlib import blake2b

from flyweight.errors import InvalidSetting, NotDone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from flyweight.records import Record

    Document = Mapping[str, Any]

    class Sink(Protocol):
        """Takes documents, many at a time."""

        def send(self, documents: list[tuple[str, Document]]) -> Mapping[str, str]:
            """Write each document under its key; the keys that were not taken, and why. Raising says that none was."""
            ...


class DeliveryFailed(NotDone):
    """A sink did not take the answer of a record."""


class BlockedBySequence(NotDone):
    """An earlier record of the same sequence failed."""


class LogLines:
    """Dead letters as log lines, whole: what is done where no sink is named."""

    def __init__(self, log: "Callable[[Document], None]") -> None:
        self._log = log

    def send(self, documents: "list[tuple[str, Document]]") -> "Mapping[str, str]":
        """A line of level ERROR each."""
        for _, document in documents:
            self._log({"level": "ERROR", "message": f"a record was rejected: {document['problem']['title']}", **document})
        return {}


def open_sink(address: str, openers: "Mapping[str, Callable[[str], Sink]]") -> "Sink | None":
    """The sink at an address, by its scheme; None where there is no address.

    :raises InvalidSetting: no sink has such a scheme.
    """
    if not address:
        return None
    scheme = address.partition(":")[0]
    if scheme not in openers:
        known = ", ".join(f"{name}:" for name in openers) or "none here"
        raise InvalidSetting(
            f"FLYWEIGHT_RESULTS and FLYWEIGHT_DEAD_LETTERS take addresses that begin with {known}; got {address!r}"
        )
    return openers[scheme](address)


def key_of(record: "Record", sha256: str) -> str:
    """The idempotency key of what a model makes of a record: 64 hexadecimal digits."""
    digest = _begun(record.origin.get("source", ""), sha256).copy()
    digest.update(record.id.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


@lru_cache(64)
def _begun(source: str, sha256: str) -> blake2b:
    """What all keys of a source and a model begin with; BLAKE2's state is copied in less time than SHA-256's."""
    return blake2b(f"{len(source)} {source} {sha256} ".encode("utf-8", "surrogatepass"), digest_size=32)


def dead_letter(key: str, record: "Record", problem: "Document") -> "dict[str, Any]":
    """All that is known of a record that is rejected, so that it can be mended and sent again."""
    document: dict[str, Any] = {"key": key, "id": record.id, "origin": record.origin}
    document |= {"problem": problem, "media": record.content_type}
    try:
        return {**document, "body": record.body.decode()}
    except UnicodeDecodeError:
        from binascii import b2a_base64

        return {**document, "body_base64": b2a_base64(record.body, newline=False).decode()}
