"""Hold documents for output bindings, which the host writes when the function has returned, or write them to Blob Storage.

queue:NAME[@CONNECTION]    servicebus:QUEUE[@CONNECTION]    eventhub:NAME[@CONNECTION]    az://CONTAINER/PREFIX (by obstore)
If a function raises, the host drops its outputs and delivers its records again.
"""

from threading import local

from flyweight import strict_json
from flyweight.errors import InvalidSetting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyweight.records.sinks import Document, Sink

# the largest message in bytes: a queue takes 64 KiB of base64, the others are limited by their cheapest tiers
LIMITS = {"queue": 48 * 1024, "servicebus": 250_000, "eventhub": 250_000}
SCHEMES = (*LIMITS, "az")


class _Held(local):
    """The documents that the invocation in this thread has sent so far, by address."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}


HELD = _Held()


class Binding:
    """A sink that holds documents until the function sets its output binding."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._limit = LIMITS[address.partition(":")[0]]

    def send(self, documents: "list[tuple[str, Document]]") -> "Mapping[str, str]":
        """Hold each document that fits into a message.

        :returns: the keys of those that do not fit, each with the reason.
        """
        too_large = {}
        for key, document in documents:
            data = strict_json.encode(document)
            if len(data) > self._limit:
                too_large[key] = f"the document has {len(data)} bytes, a message takes {self._limit}"
            else:
                HELD.texts.setdefault(self._address, []).append(data.decode())
        return too_large


def take_held() -> "dict[str, list[str]]":
    """Take the documents that this thread holds, by address."""
    held, HELD.texts = HELD.texts, {}
    return held


def open_sink(address: str) -> "Sink":
    """Open the sink at an address, whose scheme is one of `SCHEMES`; no call is made yet.

    :raises InvalidSetting: the address names no queue, topic, event hub or container.
    """
    scheme, _, name = address.partition(":")
    if not name.partition("@")[0].strip("/"):
        raise InvalidSetting(f"{address!r} names no {scheme} sink; see docs/triggers.md")
    if scheme == "az":
        from flyweight.records.object_sink import Objects

        return Objects(address)
    return Binding(address)
