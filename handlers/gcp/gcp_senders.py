"""Check who sent an event: anyone who reaches the function's address can post a body that looks like one.

Pub/Sub, Eventarc, Cloud Tasks and Cloud Scheduler sign each request by a token of a service account:
https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken
Where Cloud Run has checked the token itself, it removes the signature:
https://docs.cloud.google.com/run/docs/troubleshooting#signature-removed
"""

# imports late: cryptography

import json
from binascii import a2b_base64
from time import monotonic, time

from flyweight import settings
from flyweight.errors import OK, Forbidden, ModelUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ISSUERS = ("https://accounts.google.com", "accounts.google.com")
KEYS_HOST, KEYS_PATH = "www.googleapis.com", "/oauth2/v3/certs"
REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"
IAM = "iam"  # in the setting: Cloud Run lets nobody in whose token it has not checked
SKEW = 60  # seconds by which clocks may differ
KEYS_SECONDS, RETRY_SECONDS = 3600.0, 60.0  # for which keys are kept; before which an unknown key is not looked for again
TIMEOUT = 10  # seconds to fetch the keys
MAX_TOKEN = 16_384  # characters


class Keys:
    """Google's public keys by their ids, fetched when one is needed that is not here yet."""

    def __init__(self) -> None:
        self._keys: dict[str, dict[str, str]] = {}
        self._fetched = -KEYS_SECONDS

    def get(self, identity: "Any") -> "dict[str, str] | None":
        """Get a key in JSON Web Key form; None if Google has no such key.

        :raises ModelUnavailable: Google's keys can't be fetched.
        """
        age = monotonic() - self._fetched
        if age >= KEYS_SECONDS or (identity not in self._keys and age >= RETRY_SECONDS):
            self._keys = {key["kid"]: key for key in fetch_keys()}
            self._fetched = monotonic()
        return self._keys.get(identity)


KEYS = Keys()


def check(request: "Any") -> None:
    """Check that a request comes from a sender that the settings name.

    :raises Forbidden: it does not, or the settings name no sender.
    :raises ModelUnavailable: the token can't be checked now.
    """
    allowed = settings.event_senders()
    if not allowed.event_senders:
        raise Forbidden("events are not served here, only requests: FLYWEIGHT_EVENT_SENDERS names nobody who may send them")
    accounts = [sender for sender in allowed.event_senders if sender != IAM]
    if not accounts:
        return
    claims = _claims(request, trusted=IAM in allowed.event_senders, audiences=allowed.event_audience)
    email = claims.get("email")
    if email not in accounts or claims.get("email_verified") is not True:
        raise Forbidden(f"{str(email)[:100]!r} is not in FLYWEIGHT_EVENT_SENDERS")


def _claims(request: "Any", trusted: bool, audiences: "tuple[str, ...]") -> "dict[str, Any]":
    """Read the claims of a request's token, and verify them unless Cloud Run has done so.

    :param trusted: whether Cloud Run has checked all callers, so that a token without its signature counts.
    :param audiences: those that a token may be for; empty: the address of the request.
    :raises Forbidden: no token, or one that is malformed, outdated, for somebody else, or not signed by Google.
    """
    # Cloud Run checks the first of them if there are both
    header = request.headers.get("x-serverless-authorization") or request.headers.get("authorization", "")
    kind, _, token = header.partition(" ")
    parts = token.strip().split(".")
    if kind.lower() != "bearer" or len(parts) != 3 or len(token) > MAX_TOKEN:
        raise Forbidden("an event needs the header 'authorization: Bearer TOKEN', with the identity token of its sender")
    head, claims = _object(parts[0]), _object(parts[1])
    if trusted and parts[2] == REMOVED:
        return claims
    if not _is_current(claims.get("iat"), claims.get("exp")):
        raise Forbidden("the sender's token is not valid now")
    if claims.get("iss") not in ISSUERS:
        raise Forbidden("the sender's token is not issued by Google")
    if claims.get("aud") not in (audiences or _addresses(request)):
        raise Forbidden(f"the sender's token is for {str(claims.get('aud'))[:200]!r}; FLYWEIGHT_EVENT_AUDIENCE names others")
    if head.get("alg") != "RS256" or not _is_signed(f"{parts[0]}.{parts[1]}", parts[2], head.get("kid")):
        raise Forbidden("the sender's token is not signed by Google")
    return claims


def _is_current(issued: "Any", expires: "Any") -> bool:
    """Tell whether now is between two times, in seconds since 1970."""
    numbers = isinstance(issued, (int, float)) and isinstance(expires, (int, float))
    return numbers and issued - SKEW <= time() <= expires + SKEW


def _addresses(request: "Any") -> "tuple[str, ...]":
    """List the addresses under which this request may have been sent, without and with its path."""
    root = f"https://{request.headers.get('host', '')}"
    return (root, f"{root}/", f"{root}{request.path}", f"{root}{request.target}")


def _is_signed(signed: str, signature: str, identity: "Any") -> bool:
    """Tell whether a text is signed by one of Google's keys.

    :raises ModelUnavailable: the keys can't be fetched, or cryptography is not installed.
    """
    key = KEYS.get(identity) if isinstance(identity, str) else None
    if key is None:
        return False
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
        from cryptography.hazmat.primitives.hashes import SHA256
    except ImportError:
        raise ModelUnavailable("a sender's token can't be checked: add cryptography to requirements.txt") from None
    exponent, modulus = (int.from_bytes(_bytes(key[name])) for name in ("e", "n"))
    try:
        RSAPublicNumbers(exponent, modulus).public_key().verify(_bytes(signature), signed.encode(), PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def fetch_keys() -> "list[dict[str, str]]":
    """Fetch Google's public keys.

    :raises ModelUnavailable: they can't be fetched.
    """
    from http.client import HTTPException, HTTPSConnection

    connection = HTTPSConnection(KEYS_HOST, timeout=TIMEOUT)
    try:
        connection.request("GET", KEYS_PATH)
        answer = connection.getresponse()
        if answer.status != OK:
            raise ModelUnavailable(f"a sender's token can't be checked: {KEYS_HOST} answers {answer.status}")
        keys: list[dict[str, str]] = json.loads(answer.read())["keys"]
        return keys
    except (OSError, HTTPException, ValueError, KeyError) as error:
        reason = f"{KEYS_HOST} was not reached ({type(error).__name__})"
        raise ModelUnavailable(f"a sender's token can't be checked: {reason}") from None
    finally:
        connection.close()


def _object(part: str) -> "dict[str, Any]":
    """Read a part of a token.

    :raises Forbidden: it is not base64 of a JSON object.
    """
    try:
        value = json.loads(_bytes(part))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Forbidden("the sender's token is malformed")
    return value


def _bytes(text: str) -> bytes:
    """Decode base64url without padding.

    :raises Forbidden: the text is something else.
    """
    try:
        return a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        raise Forbidden("the sender's token is malformed") from None
