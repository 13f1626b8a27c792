"""A sink of objects: each document becomes PREFIX/KEY.json in any store, and is written once even if it comes again."""

from flyweight import strict_json
from flyweight.errors import PreconditionFailed, StoreFailed
from flyweight.stores import Timeouts, open_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyweight.records.sinks import Document
    from flyweight.stores import Store

WORKERS = 8  # writes at the same time


class Objects:
    """A sink below an address such as `gs://bucket/prefix`; the store is opened with the first document, after any fork."""

    def __init__(self, address: str, timeouts: "Timeouts | None" = None) -> None:
        self._address, self._timeouts = address.rstrip("/"), timeouts
        self._store: Store | None = None

    def send(self, documents: "list[tuple[str, Document]]") -> "Mapping[str, str]":
        """Write the documents whose keys are not in the store yet.

        :returns: the keys that were not taken, each with the reason.
        """
        try:
            store = self._store = self._store or open_store(self._address, self._timeouts)
        except StoreFailed as error:  # a library or a setting is missing
            return dict.fromkeys([key for key, _ in documents], str(error))

        def write(entry: "tuple[str, Document]") -> str:
            try:
                store.put(f"{entry[0]}.json", strict_json.encode(entry[1]), None)
            except PreconditionFailed:  # the object exists: its key names the record and the model
                return ""
            except StoreFailed as error:
                return str(error)
            return ""

        if len(documents) == 1:
            reasons = [write(documents[0])]
        else:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(WORKERS) as pool:
                reasons = [*pool.map(write, documents)]
        return {key: reason for (key, _), reason in zip(documents, reasons, strict=True) if reason}
