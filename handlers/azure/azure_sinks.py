"""Documents to output bindings, which the host writes once the function has returned, or to Blob Storage by obstore.

queue:NAME[@CONNECTION]    servicebus:QUEUE[@CONNECTION]    eventhub:NAME[@CONNECTION]    az://CONTAINER/PREFIX
A function that raises has sent nothing: the host drops its outputs, and delivers its records again.
"""

from threading import local

from flyweight import strict_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyweight.records.sinks import Document, Sink

# bytes of a message that a service takes: a queue 64 KiB of base64, the others in their cheapest tiers
LIMITS = {"queue": 48 * 1024, "servicebus": 250_000, "eventhub": 250_000}


class _Held(local):
    """What this thread's invocation has sent so far, by address."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}


HELD = _Held()


class Bound:
    """A sink that holds documents until the function sets its output binding."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._limit = LIMITS[address.partition(":")[0]]

    def send(self, documents: "list[tuple[str, Document]]") -> "Mapping[str, str]":
        """Hold each document that one message can carry."""
        left = {}
        for key, document in documents:
            data = strict_json.encode(document)
            if len(data) > self._limit:
                left[key] = f"a document of {len(data)} bytes, where a message takes {self._limit}"
            else:
                HELD.texts.setdefault(self._address, []).append(data.decode())
        return left


def taken() -> "dict[str, list[str]]":
    """What was held by this thread, which then holds nothing."""
    held, HELD.texts = HELD.texts, {}
    return held


def open_sink(address: str) -> "Sink":
    """The sink at an address; nothing is asked of it yet.

    :raises ValueError: the address names nothing.
    """
    scheme, _, name = address.partition(":")
    if not name.partition("@")[0].strip("/"):
        raise ValueError(f"{address!r} names no {scheme} sink; see docs/triggers.md")
    if scheme == "az":
        from flyweight.records.object_sink import Objects

        return Objects(address)
    return Bound(address)
