"""Send the operations of WebHDFS: one request to the name node, and one to a data node where bytes are read or written.

https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html
"""

import json
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import SHUT_RDWR
from threading import Timer
from time import monotonic, sleep, time
from urllib.parse import quote, urlencode, urlsplit

from flyweight import stores
from flyweight.errors import ObjectNotFound, StoreFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

API = "/webhdfs/v1/"
MOST = 64 << 20  # bytes of a document
ASCII = "".join(map(chr, range(33, 127)))
# the names of exceptions: https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html#Error_Responses
EXISTS = ("FileAlreadyExistsException", "AlreadyBeingCreatedException", "RecoveryInProgressException")
PASSING = ("StandbyException", "RetriableException", "SafeModeException", "ServerTooBusyException", "LeaseExpiredException")


class FileExists(StoreFailed):
    """The name node has a file of that name already."""


class Client:
    """The operations of one name node.

    `name`: the store's, for messages; `now`: the name node's clock when it last answered, in seconds since 1970.
    """

    def __init__(self, place: str, name: str, identity: "Mapping[str, str]", timeouts: "stores.Timeouts") -> None:
        self._place, self.name, self._identity, self._timeouts = place, name, dict(identity), timeouts
        self.now = time()

    def ask(self, method: str, operation: str, path: str, parameters: "Mapping[str, str]", key: str) -> "dict[str, Any]":
        """Send an operation to the name node, again where a fault may pass.

        :param key: for messages.
        :raises StoreFailed: as `Store`.
        """
        body = self._again(lambda end: self._once(method, self._url(operation, path, parameters), b"", key, end, MOST))
        return self._document(body, key)

    def read(self, path: str, start: int, size: int, key: str) -> bytes:
        """Read bytes from a data node.

        :raises StoreFailed: as `Store`.
        """

        def once(end: float) -> bytes:
            place = self._data_node("GET", "OPEN", path, {"offset": str(start), "length": str(size)}, key, end)
            return self._once("GET", place, b"", key, end, size)

        return self._again(once)

    def create(self, path: str, data: bytes, key: str, overwrite: bool = True) -> None:
        """Write a file in one request to a data node, and the folders above it.

        :raises FileExists: the file is there, and must not be overwritten.
        :raises StoreFailed: as `Store`.
        """

        def once(end: float) -> bytes:
            place = self._data_node("PUT", "CREATE", path, {"overwrite": str(overwrite).lower()}, key, end)
            return self._once("PUT", place, data, key, end, MOST)

        if overwrite:
            self._again(once)
        else:  # sent again, it would find the file that it has made
            once(monotonic() + self._timeouts.seconds)

    def append(self, path: str, data: bytes, key: str) -> None:
        """Append to a file; it is not sent again, because it may have been done.

        :raises StoreFailed: as `Store`.
        """
        end = monotonic() + self._timeouts.seconds
        self._once("POST", self._data_node("POST", "APPEND", path, {}, key, end), data, key, end, MOST)

    def rename(self, path: str, goal: str, overwrite: bool, key: str) -> None:
        """Rename a file in one step.

        :raises FileExists: the goal is there, and must not be overwritten.
        :raises StoreFailed: as `Store`.
        """
        parameters = {"destination": f"/{goal}", "renameoptions": "OVERWRITE" if overwrite else "NONE"}
        url = self._url("RENAME", path, parameters)
        self._once("PUT", url, b"", key, monotonic() + self._timeouts.seconds, MOST)

    def delete(self, path: str, key: str) -> None:
        """Delete a file; nothing happens if none exists.

        :raises StoreFailed: as `Store`.
        """
        self.ask("DELETE", "DELETE", path, {"recursive": "false"}, key)

    def _url(self, operation: str, path: str, parameters: "Mapping[str, str]") -> str:
        query = urlencode({"op": operation, **parameters, **self._identity}, quote_via=quote, safe="/")
        return f"{self._place}{API}{quote(path)}?{query}"

    def _data_node(self, method: str, operation: str, path: str, parameters: "Mapping[str, str]", key: str, end: float) -> str:
        """Ask the name node which data node does an operation.

        :returns: the data node's URL for it, which may hold a token.
        :raises StoreFailed: as `Store`; or the URL is of another kind.
        """
        url = self._url(operation, path, {**parameters, "noredirect": "true"})
        place = str(self._document(self._once(method, url, b"", key, end, MOST), key).get("Location", ""))
        named, own = urlsplit(place), urlsplit(self._place)
        if named.scheme != own.scheme or not named.hostname or not named.path.startswith(API):
            raise StoreFailed(f"{self.name} names a data node by another scheme or path, which is not followed")
        return quote(place, safe=ASCII)  # a name node leaves other letters of a path as they are

    def _document(self, body: bytes, key: str) -> "dict[str, Any]":
        """Parse an answer; {} for an empty one.

        :raises StoreFailed: it is no object in JSON.
        """
        try:
            document = json.loads(body) if body else {}
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise StoreFailed(f"{self.name}: {key or 'the list of keys'}: the answer is not one of WebHDFS", transient=True)
        return document

    def _again(self, once: "Any") -> bytes:
        """Try until an answer comes, as often and as long as the timeouts permit.

        :raises StoreFailed: as `Store`.
        """
        began, whole = monotonic(), self._timeouts.seconds
        for attempt in range(self._timeouts.retries + 1):
            try:
                body: bytes = once(monotonic() + whole * stores.TRY)
                return body
            except StoreFailed as error:
                wait = whole * min(stores.LAST_WAIT, stores.FIRST_WAIT * 2**attempt)
                late = monotonic() + wait > began + whole * stores.RETRYING
                if not error.transient or attempt == self._timeouts.retries or late:
                    raise
                sleep(wait)
        raise AssertionError("the last attempt answers or raises")

    def _once(self, method: str, url: str, body: bytes, key: str, end: float, limit: int) -> bytes:
        """Send a request once, and read at most `limit` bytes of its answer.

        :raises StoreFailed: as `Store`.
        """
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self._timeouts.seconds * stores.SILENCE)
        timer = Timer(max(0.01, end - monotonic()), _cut, (connection,))
        timer.daemon = True
        timer.start()
        headers = {"Content-Type": "application/octet-stream"} if body or method != "GET" else {}
        try:
            connection.request(method, f"{parts.path}?{parts.query}", body or None, headers)
            answer = connection.getresponse()
            status, date = str(answer.status), answer.headers.get("Date")
            data = answer.read(limit + 1 if status[0] == "2" else MOST)
            self.now = parsedate_to_datetime(date).timestamp() if date else time()
        except (OSError, HTTPException, ValueError):  # the library's message may repeat the address
            words = f"{self.name}: {key or 'the list of keys'} can't be reached, or not read whole in time"
            raise StoreFailed(words, transient=True) from None
        finally:
            timer.cancel()
            connection.close()
        if status[0] != "2":
            raise self._failure(status, data, key)
        return data

    def _failure(self, status: str, data: bytes, key: str) -> StoreFailed:
        """Return the error for a status that is no success, without the server's text."""
        place = f"{self.name}: {key or 'the list of keys'}"
        try:
            kind = str(json.loads(data)["RemoteException"]["exception"])
        except (ValueError, LookupError, TypeError):
            kind = ""
        if kind in EXISTS:
            return FileExists(f"{place} is there already")
        if kind == "FileNotFoundException" or (status == "404" and not kind):
            return ObjectNotFound(f"{place} is not there")
        if kind in PASSING or status[0] == "5" or status in ("408", "429"):
            return StoreFailed(f"{place}: the name node or a data node answers {status} {kind}".rstrip(), transient=True)
        if kind in ("AccessControlException", "SecurityException", "AuthorizationException") or status in ("401", "403"):
            return StoreFailed(f"{place} is forbidden to this deployment")
        return StoreFailed(f"{place}: the name node or a data node answers {status} {kind}".rstrip())


def _cut(connection: HTTPConnection) -> None:
    """End a connection whose time is over: a server that sends a byte now and then would keep it for ever."""
    try:
        connection.sock.shutdown(SHUT_RDWR)
    except (OSError, AttributeError):  # it has ended already, or not begun
        pass
