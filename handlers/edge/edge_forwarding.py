"""Send batches and reports to a store or to an HTTP endpoint: a batch has one name and the same bytes whenever it is sent.

A store gets DEVICE/STORE/FIRST.jsonl once, by a condition; an object that is there with the same bytes is the one that was sent
before. An endpoint gets the name in the header Idempotency-Key
(https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/); it answers 2xx, or 409 for a batch that it has.
"""

from flyweight.errors import ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.stores import Timeouts, is_plain, open_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPConnection

    from edge_answers import Batch

    from flyweight.stores import Store

LINES, DOCUMENT = "application/x-ndjson", "application/json"
MOST = 64 << 20  # bytes of an object that is compared
KNOWN = ("200", "201", "202", "204", "409")
TOLD = 512  # bytes of an answer that are read


class Copied(StoreFailed):
    """Another device forwards under the same name: a copy of this one's disk."""


def destination(address: str, token: str, seconds: float) -> "Endpoint | Objects":
    """Open what gets the answers.

    :param token: a bearer token for an endpoint; "": none.
    :param seconds: for one operation.
    :raises StoreFailed: the address has no meaning, or is plain http to another machine.
    """
    if address.partition("://")[0] in ("http", "https"):
        return Endpoint(address, token, seconds)
    root = address.rstrip("/")
    if root.startswith("s3://"):
        from edge_s3 import open_s3  # imported late: what signs is needed for S3 alone

        return Objects(open_s3(root, Timeouts(seconds=seconds)))
    return Objects(open_store(root, Timeouts(seconds=seconds)))


def name_of(device: str, batch: "Batch") -> str:
    """Return the name of a batch."""
    return f"{device}/{batch.store}/{batch.first:020d}"


class Objects:
    """A store that gets an object for each batch, and one for the device's state."""

    def __init__(self, store: "Store") -> None:
        self._store = store

    def send(self, device: str, batch: "Batch") -> None:
        """Write a batch; nothing happens if it is there.

        :raises Copied: another object is there.
        :raises StoreFailed: the store can't be reached.
        """
        key = f"{name_of(device, batch)}.jsonl"
        try:
            self._store.put(key, batch.body, None)
        except PreconditionFailed:
            there, _ = self._store.get(key, MOST)
            if there != batch.body:
                raise Copied(f"{key} was written by another device of this name: give each a FLYWEIGHT_EDGE_DEVICE") from None

    def report(self, device: str, body: bytes) -> None:
        """Write the device's state over the one before.

        :raises StoreFailed: the store can't be reached.
        """
        key, meta = f"{device}/status.json", None
        try:
            meta = self._store.head(key)
        except ObjectNotFound:
            pass
        self._store.put(key, body, meta.tag if meta else None)


class Endpoint:
    """An HTTP endpoint that gets a POST for each batch, and one for the device's state.

    :raises StoreFailed: plain http to another machine.
    """

    def __init__(self, url: str, token: str, seconds: float) -> None:
        is_plain(url)
        self._url, self._seconds = url, seconds
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    def send(self, device: str, batch: "Batch") -> None:
        """Send a batch.

        :raises StoreFailed: the endpoint can't be reached, or does not take it.
        """
        name = f"{name_of(device, batch)}-{batch.last}"
        self._post(batch.body, {"content-type": LINES, "idempotency-key": f'"{name}"', "x-flyweight-device": device})

    def report(self, device: str, body: bytes) -> None:
        """Send the device's state.

        :raises StoreFailed: the endpoint can't be reached, or does not take it.
        """
        self._post(body, {"content-type": DOCUMENT, "x-flyweight-device": device, "x-flyweight-kind": "status"})

    def _post(self, body: bytes, headers: "Mapping[str, str]") -> None:
        status, _ = sent("POST", self._url, body, {**self._headers, **headers}, self._seconds)
        if status not in KNOWN:
            raise StoreFailed(f"the endpoint answers {status}", transient=status[0] == "5" or status in ("408", "429"))


def sent(
    method: str,
    url: str,
    body: bytes,
    headers: "Mapping[str, str]",
    seconds: float,
    most: int = TOLD,
    whole: bool = False,
) -> "tuple[str, bytes]":
    """Send a request with a body, and read its answer; no redirect is followed.

    :param seconds: without a byte, after which the request is given up.
    :param most: bytes of the answer that are read.
    :param whole: whether the answer has to be there as a whole in those seconds.
    :returns: the status and the body.
    :raises StoreFailed: no answer came.
    """
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # imported late: a start needs no client
    from threading import Timer
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    timer = Timer(seconds, _cut, (connection,))
    timer.daemon = True
    if whole:
        timer.start()
    try:
        connection.request(method, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, dict(headers))
        answer = connection.getresponse()
        return str(answer.status), answer.read(most)
    except (OSError, HTTPException, ValueError) as error:
        raise StoreFailed(f"{parts.hostname} can't be reached ({type(error).__name__})", transient=True) from None
    finally:
        timer.cancel()
        connection.close()


def _cut(connection: "HTTPConnection") -> None:
    """End a connection whose time is over: a server that sends a byte now and then would keep it for ever."""
    from socket import SHUT_RDWR

    try:
        connection.sock.shutdown(SHUT_RDWR)
    except (OSError, AttributeError):  # it has ended already, or not begun
        pass
