"""Write objects to S3 by the standard library, with a condition that the store checks.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from time import monotonic, time

from edge_forwarding import sent

from flyweight.errors import PreconditionFailed, StoreFailed
from flyweight.stores import TRY, ObjectMeta, joined, open_store, s3_credentials
from flyweight.stores.connection import Timer
from flyweight.stores.s3 import S3Store
from flyweight.stores.s3_signing import encoded, signed
from flyweight.stores.sha256 import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.stores import Store, Timeouts

BUSY = ("408", "409", "429")  # answers that the next request may not get


def open_s3(root: str, timeouts: "Timeouts") -> "Store":
    """Open the store at `s3://bucket/prefix`; where our own client can't read, obstore writes as well.

    :raises StoreFailed: as `open_store`.
    """
    store = open_store(root, timeouts)
    if type(store) is not S3Store:
        return store
    bucket, _, prefix = root.removeprefix("s3://").partition("/")
    return S3Writer(root, bucket, prefix, timeouts)


class S3Writer(S3Store):
    """Objects below a prefix of a bucket, which are written in one piece."""

    def put(self, key: str, data: bytes, expected: "str | None") -> ObjectMeta:
        """Write an object, if the one before is the expected one.

        :raises PreconditionFailed: another object is there.
        :raises StoreFailed: as `Store`.
        """
        place, path = self._place, encoded(f"{self._base}/{joined(self._prefix, key)}")
        condition = {"if-none-match": "*"} if expected is None else {"if-match": expected}
        seconds = self._timeouts.seconds
        try:
            found = s3_credentials.find(Timer(self._timeouts.connect, seconds * TRY, monotonic() + seconds))
        except OSError:
            raise StoreFailed("the service of credentials can't be reached", transient=True) from None
        headers = signed("PUT", place.authority, path, condition, found, self._region, time(), sha256(data).hexdigest())
        url = f"{'https' if place.secure else 'http'}://{place.authority}{path}"
        status, _ = sent("PUT", url, data, headers, seconds * TRY)
        if status == "412":
            raise PreconditionFailed(f"{self._name}: {key} is not the expected object")
        if status[0] != "2":
            raise StoreFailed(f"{self._name}: {key}: the store answers {status}", transient=status[0] == "5" or status in BUSY)
        return ObjectMeta("", len(data), 0.0)
