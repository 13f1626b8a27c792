"""A sink of objects: each document goes to PREFIX/KEY.json of any store, written once however often it comes."""

from flyweight import strict_json
from flyweight.errors import PreconditionFailed, StoreFailed
from flyweight.stores import Timeouts, open_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyweight.records.sinks import Document
    from flyweight.stores import Store

WORKERS = 8  # writes on their way at the same time


class Objects:
    """A sink below an address such as `gs://bucket/prefix`; the store is opened with the first document, after any fork."""

    def __init__(self, address: str, patience: "Timeouts | None" = None) -> None:
        self._address, self._patience = address.rstrip("/"), patience
        self._store: Store | None = None

    def send(self, documents: "list[tuple[str, Document]]") -> "Mapping[str, str]":
        """Write what is not there yet; the keys that were not taken, and why."""
        try:
            store = self._store = self._store or open_store(self._address, self._patience)
        except StoreFailed as error:  # what it needs is not installed, or not set
            return dict.fromkeys([key for key, _ in documents], str(error))

        def write(entry: "tuple[str, Document]") -> str:
            try:
                store.put(f"{entry[0]}.json", strict_json.encode(entry[1]), None)
            except PreconditionFailed:  # it is there: the key names the record and the model
                return ""
            except StoreFailed as error:
                return str(error)
            return ""

        if len(documents) == 1:
            said = [write(documents[0])]
        else:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(WORKERS) as pool:
                said = [*pool.map(write, documents)]
        return {key: why for (key, _), why in zip(documents, said, strict=True) if why}
