"""Read objects of S3 by a client of our own, which a function loads in a few milliseconds; the rest is left to obstore.

obstore writes, lists and deletes. It also reads where this client can't: by credentials that are neither in the environment nor
at an address of this machine (web identities, the metadata of a virtual machine), through a proxy, from a directory bucket, and
from an access point that is named by its ARN.
"""

from time import monotonic, sleep, time

from flyweight import stores
from flyweight.errors import ModelRefused, ObjectNotFound, PreconditionFailed, StoreFailed
from flyweight.settings import variable
from flyweight.stores import ObjectMeta, is_plain, joined, s3_credentials
from flyweight.stores.connection import Connection, Place, Timer
from flyweight.stores.s3_signing import encoded, signed

try:
    import posix as os  # what `os` itself imports takes longer than all modules of ours
except ImportError:  # Windows
    import os  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flyweight.stores import Store, Timeouts

# for which a connection waits for the next request: S3 closes idle ones, which a process that was frozen meanwhile does not see
KEPT_SECONDS = 4.0
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")
HOST_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")  # of buckets that may be the first part of a host's name
DIRECTORY = "--x-s3"  # ends the name of a directory bucket, which has sessions instead of signatures
PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def open_root(root: str, timeouts: "Timeouts") -> "Store":
    """Open the store at `s3://bucket/prefix`.

    :raises StoreFailed: a setting has no meaning; or only obstore could open the store, and it is not installed.
    """
    bucket, _, prefix = root.removeprefix("s3://").partition("/")
    reason = _beyond(bucket)
    return _by_library(root, timeouts, reason) if reason else S3Store(root, bucket, prefix, timeouts)


def _by_library(root: str, timeouts: "Timeouts", reason: str) -> "Store":
    from flyweight.stores import objects  # imported late: loading obstore takes longer than loading a model

    return objects.open_root(root, timeouts, f" {reason}")


def _beyond(bucket: str) -> str:
    """Say for what a bucket needs obstore; "" if this client can read it."""
    if not s3_credentials.are_near():
        return "where the environment has no credentials"
    if any([variable(name) for name in PROXIES]):
        return "behind a proxy"
    if not LETTERS.issuperset(bucket) or bucket.endswith(DIRECTORY):
        return "for directory buckets and ARNs"
    return ""


class S3Store:
    """Objects below a prefix of a bucket.

    :raises StoreFailed: the region or the endpoint in the environment has no meaning.
    """

    def __init__(self, root: str, bucket: str, prefix: str, timeouts: "Timeouts") -> None:
        self._kept: list[tuple[Connection, float, int]] = []  # connections that wait, since when, and of which process
        self._root, self._name, self._prefix, self._timeouts = root, f"s3://{bucket}", prefix, timeouts
        self._region = variable("AWS_REGION") or variable("AWS_DEFAULT_REGION") or "us-east-1"
        if not HOST_LETTERS.issuperset(self._region):
            raise StoreFailed("AWS_REGION should be a region such as eu-central-1, got other characters than a-z, 0-9 and '-'")
        endpoint = variable("AWS_ENDPOINT_URL_S3") or variable("AWS_ENDPOINT_URL")
        is_plain(endpoint)
        in_host = not endpoint and HOST_LETTERS.issuperset(bucket)  # a name with a dot does not fit Amazon's certificates
        domain = "amazonaws.com.cn" if self._region.startswith("cn-") else "amazonaws.com"
        usual = f"https://{bucket + '.' if in_host else ''}s3.{self._region}.{domain}"
        try:
            self._place = Place(endpoint or usual)
        except ValueError as error:
            raise StoreFailed(f"AWS_ENDPOINT_URL: {error}") from None
        self._base = self._place.path + ("" if in_host else f"/{bucket}")
        self._library: Store | None = None

    def __del__(self) -> None:
        """End the connections that wait."""
        for connection, *_ in self._kept:
            connection.close()

    def head(self, key: str) -> ObjectMeta:
        """Get the tag, size and time of an object.

        :raises StoreFailed: as `Store`.
        """
        return self._asked("HEAD", key, {}, 0)[1]

    def get(self, key: str, limit: int) -> "tuple[bytes, ObjectMeta]":
        """Read a whole object, with its tag, size and time.

        :raises ModelRefused: the object is larger than `limit` bytes; nothing was read.
        :raises StoreFailed: as `Store`.
        """
        return self._asked("GET", key, {}, limit)

    def read(self, key: str, meta: ObjectMeta, start: int, size: int) -> bytes:
        """Read `size` bytes of an object from byte `start` on, fewer if the object ends.

        :raises PreconditionFailed: the object was replaced since `meta` was read.
        :raises StoreFailed: as `Store`.
        """
        end = min(start + size, meta.size)
        if end <= start:
            return b""
        data, now = self._asked("GET", key, {"if-match": meta.tag, "range": f"bytes={start}-{end - 1}"}, meta.size)
        if now.tag != meta.tag:
            raise PreconditionFailed(f"{key} was replaced while it was read")
        if len(data) == meta.size:  # a store may ignore the range
            return data[start:end]
        if len(data) != end - start:
            raise StoreFailed(f"{key} broke off after {len(data)} of {end - start} bytes", transient=True)
        return data

    def put(self, key: str, data: bytes, expected: "str | None") -> ObjectMeta:
        """Write an object in one request, by obstore.

        :raises StoreFailed: as `Store.put`, or obstore is not installed.
        """
        return self._writer().put(key, data, expected)

    def put_stream(self, key: str, chunks: "Iterable[bytes]") -> ObjectMeta:
        """Write an object of any size, by obstore.

        :raises StoreFailed: as `Store`, or obstore is not installed.
        """
        return self._writer().put_stream(key, chunks)

    def keys(self, prefix: str) -> "list[str]":
        """List all keys below a folder, by obstore.

        :raises StoreFailed: as `Store`, or obstore is not installed.
        """
        return self._writer().keys(prefix)

    def delete(self, key: str) -> None:
        """Delete an object, by obstore.

        :raises StoreFailed: as `Store`, or obstore is not installed.
        """
        self._writer().delete(key)

    def _writer(self) -> "Store":
        if self._library is None:
            self._library = _by_library(self._root, self._timeouts, "for all but reading")
        return self._library

    def _asked(self, method: str, key: str, headers: "Mapping[str, str]", limit: int) -> "tuple[bytes, ObjectMeta]":
        """Send a request, again where a fault may pass, and read its answer in time.

        :raises ModelRefused: the object is larger than `limit` bytes.
        :raises StoreFailed: as `Store`.
        """
        path = encoded(f"{self._base}/{joined(self._prefix, key)}")
        began, whole = monotonic(), self._timeouts.seconds
        for attempt in range(self._timeouts.retries + 1):
            timer = Timer(self._timeouts.connect, whole * stores.SILENCE, monotonic() + whole * stores.TRY)
            try:
                return self._once(method, path, key, headers, limit, timer)
            except StoreFailed as error:
                wait = whole * min(stores.LAST_WAIT, stores.FIRST_WAIT * 2**attempt)
                late = monotonic() + wait > began + whole * stores.RETRYING
                if not error.transient or attempt == self._timeouts.retries or late:
                    raise
                sleep(wait)
        raise AssertionError("the last attempt answers or raises")

    def _once(
        self, method: str, path: str, key: str, headers: "Mapping[str, str]", limit: int, timer: Timer
    ) -> "tuple[bytes, ObjectMeta]":
        """Send a request once.

        :raises ModelRefused: the object is larger than `limit` bytes.
        :raises StoreFailed: as `Store`.
        """
        connection: Connection | None = None
        place = f"{self._name}: {key}"
        try:
            credentials = s3_credentials.find(timer)
            every = signed(method, self._place.authority, path, headers, credentials, self._region, time())
            connection = self._connection(timer)
            status, answered = connection.ask(method, path, every, timer)
            if status not in ("200", "206"):
                raise _refusal(place, status, answered) from None
            meta, length = _object_meta(answered)
            data = b""
            if method == "GET":
                if length > limit:
                    raise ModelRefused(f"{key} has {length} bytes, the limit is {limit}")
                data = connection.body(length, timer)
                if len(data) != length:
                    raise StoreFailed(f"{key} broke off after {len(data)} of {length} bytes", transient=True)
        except (OSError, ValueError) as error:
            _close(connection)
            if isinstance(error, ValueError):
                raise StoreFailed(f"{place} can't be requested: {error}") from None
            raise StoreFailed(f"{place} can't be reached, or not read whole in time", transient=True) from None
        except BaseException:
            _close(connection)
            raise
        self._keep(connection, answered)
        return data, meta

    def _connection(self, timer: Timer) -> Connection:
        """Take the connection that waits, or make another.

        :raises OSError: the store can't be reached.
        :raises StoreFailed: as `Connection`.
        """
        while self._kept:
            try:
                connection, since, process = self._kept.pop()
            except IndexError:  # another thread was faster
                break
            if process == os.getpid() and 0.0 <= time() - since < KEPT_SECONDS and connection.is_open():
                return connection
            connection.close()
        return Connection(self._place, timer)

    def _keep(self, connection: Connection, answered: "Mapping[str, str]") -> None:
        """Let a connection wait for the next request, unless the store or another one has no use for it."""
        if self._kept or answered.get("connection", "").lower() == "close":
            connection.close()
        else:
            self._kept.append((connection, time(), os.getpid()))


def _close(connection: "Connection | None") -> None:
    if connection is not None:
        connection.close()


def _refusal(place: str, status: str, answered: "Mapping[str, str]") -> StoreFailed:
    """Return the error for a status that is no success; the answer's text, which may repeat the request, is not read."""
    if status == "404":
        return ObjectNotFound(f"{place} is not there")
    if status == "412":
        return PreconditionFailed(f"{place} was replaced while it was read")
    if status in ("401", "403"):
        return StoreFailed(f"{place} is forbidden to this deployment's credentials")
    region = answered.get("x-amz-bucket-region", "")
    if status[0] == "3" and region and HOST_LETTERS.issuperset(region):
        return StoreFailed(f"{place}: the store answers {status}: the bucket is in the region {region[:40]}, not in AWS_REGION")
    # an error of the request is one of the next request too, unless it is "too many" or "too slow"
    return StoreFailed(f"{place}: the store answers {status}", transient=status[0] == "5" or status in ("408", "429"))


def _object_meta(answered: "Mapping[str, str]") -> "tuple[ObjectMeta, int]":
    """Read the tag, the whole size and the time of an object, and the length of the body.

    :raises ConnectionError: the answer has no length, or a malformed one.
    """
    length = answered.get("content-length", "")
    whole = answered.get("content-range", "").rpartition("/")[2] or length
    if not length.isdecimal() or not whole.isdecimal() or not length.isascii() or "transfer-encoding" in answered:
        raise ConnectionError
    return ObjectMeta(answered.get("etag", ""), int(whole), _seconds(answered.get("last-modified", ""))), int(length)


def _seconds(text: str) -> float:
    """Read a time such as `Sun, 06 Nov 1994 08:49:37 GMT`, in seconds since 1970; 0.0 for any other text.

    https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
    """
    try:
        _, day, month, year, clock, _ = text.split(" ")
        hours, minutes, seconds = map(int, clock.split(":"))
        # days since 1970 of the Gregorian calendar, whose year begins in March here, so that a leap day is the last one
        number = MONTHS.index(month)
        years = int(year) - (number < 2)
        days = (
            years * 365 + years // 4 - years // 100 + years // 100 // 4 + ((number + 10) % 12 * 153 + 2) // 5 + int(day) - 719469
        )
    except ValueError:
        return 0.0
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
