"""Sign requests that have no query for S3, by Signature Version 4.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from time import gmtime, strftime

from flyweight.stores.sha256 import hmac_sha256, sha256
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

NO_BODY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # the sha256 of nothing
ALGORITHM = "AWS4-HMAC-SHA256"
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


class Credentials(Value):
    """The keys of an identity; `token` is "" for keys that don't expire."""

    key: str
    secret: str
    token: str


def signed(
    method: str,
    host: str,
    path: str,
    headers: "Mapping[str, str]",
    credentials: Credentials,
    region: str,
    now: float,
    body_sha256: str = NO_BODY,
) -> "dict[str, str]":
    """Add the host, the time and the signature to the headers of a request; all of them are signed.

    :param path: the encoded path.
    :param headers: names in lower case; values without blanks at their ends or twice in a row.
    :param now: seconds since 1970.
    :param body_sha256: of the body, in hexadecimal.
    """
    stamp = strftime("%Y%m%dT%H%M%SZ", gmtime(now))
    every = {**headers, "host": host, "x-amz-content-sha256": body_sha256, "x-amz-date": stamp}
    if credentials.token:
        every["x-amz-security-token"] = credentials.token
    names = sorted(every)
    lines = [method, path, "", *[f"{name}:{every[name]}" for name in names], "", ";".join(names), body_sha256]
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    text = "\n".join([ALGORITHM, stamp, scope, sha256("\n".join(lines).encode()).hexdigest()])
    key = f"AWS4{credentials.secret}".encode()
    for part in (*scope.split("/"), text):
        key = hmac_sha256(key, part)
    authority = f"Credential={credentials.key}/{scope}, SignedHeaders={';'.join(names)}, Signature={key.hex()}"
    return {**every, "authorization": f"{ALGORITHM} {authority}"}


def encoded(path: str) -> str:
    """Percent-encode a path, once, as the signature of S3 has it; slashes stay."""
    return "".join([chr(byte) if byte in UNRESERVED else f"%{byte:02X}" for byte in path.encode("utf-8", "surrogatepass")])
