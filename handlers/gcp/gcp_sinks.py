"""Publish documents to a Pub/Sub topic by its REST interface, or write them to Cloud Storage.

pubsub://PROJECT/TOPIC    gs://BUCKET/PREFIX (by obstore, each key once)
Google's client for Pub/Sub is not used; docs/decisions/0014-pubsub-by-rest.md has the figures.
https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish
https://cloud.google.com/compute/docs/access/authenticate-workloads#applications
"""

import json
from binascii import b2a_base64
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic

from flyweight import settings, strict_json
from flyweight.errors import OK, InvalidSetting
from flyweight.records.sinks import batched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flyweight.records.sinks import Document, Sink

    Entry = tuple[str, dict[str, Any]]  # a key, and the message

SCHEMES = ("pubsub", "gs")
HOST = "pubsub.googleapis.com"
METADATA = "metadata.google.internal"
TOKEN = "/computeMetadata/v1/instance/service-accounts/default/token"
AT_ONCE = 1000  # messages a call takes
MAX_BYTES = 5_000_000  # of base64 in a call, well below its limit of 10 MB
TIMEOUT = 15  # seconds for one call
TOKEN_MARGIN = 60  # seconds before its end at which a token is replaced


def open_sink(address: str) -> "Sink":
    """Open the sink at an address, whose scheme is one of `SCHEMES`; no call is made yet.

    :raises InvalidSetting: the address names no topic or bucket.
    """
    scheme, _, rest = address.partition("://")
    name, _, topic = rest.partition("/")
    if not name or (scheme == "pubsub" and (not topic or "/" in topic)):
        raise InvalidSetting(f"a sink is at pubsub://PROJECT/TOPIC or gs://BUCKET/PREFIX; got {address!r}")
    if scheme == "pubsub":
        return Topic(name, topic)
    from flyweight.records.object_sink import Objects

    return Objects(address)


class NoCredential(Exception):
    """The platform gave no token."""


class Topic:
    """A sink in Pub/Sub; a subscriber may get a document twice, with the same attribute `key`."""

    def __init__(self, project: str, topic: str) -> None:
        self._address = f"pubsub://{project}/{topic}"
        self._path = f"/v1/projects/{project}/topics/{topic}:publish"
        self._emulator = settings.variable("PUBSUB_EMULATOR_HOST")  # Google's own clients read it as well
        self._token, self._token_end = "", 0.0

    def send(self, documents: "list[tuple[str, Document]]") -> "Mapping[str, str]":
        """Publish documents, many by one call; a call takes all its documents or none.

        :returns: the keys that were not taken, each with the reason.
        """
        entries = ((key, _message(key, document)) for key, document in documents)
        failures: dict[str, str] = {}
        for batch in batched(entries, AT_ONCE, MAX_BYTES, _size):
            reason = self._publish([message for _, message in batch])
            if reason:
                failures |= dict.fromkeys([key for key, _ in batch], reason)
        return failures

    def _publish(self, messages: "list[dict[str, Any]]") -> str:
        """Publish messages by one call; get the reason why they were not taken, or ""."""
        try:
            headers = {"content-type": "application/json"}
            if not self._emulator:
                headers["authorization"] = f"Bearer {self._credential()}"
            connection = HTTPConnection(self._emulator, timeout=TIMEOUT) if self._emulator else _secure()
            status, answer = _exchange(connection, "POST", self._path, json.dumps({"messages": messages}).encode(), headers)
        except NoCredential as error:
            return f"{self._address}: no credential, {error}"
        except (OSError, HTTPException, ValueError, KeyError) as error:
            return f"{self._address} was not reached: {type(error).__name__}"
        return "" if status == OK else f"{self._address} answers {status}: {answer[:200].decode(errors='replace')}"

    def _credential(self) -> str:
        """Get the token of the function's own service account from the metadata server; it is kept until shortly before its end.

        :raises NoCredential: the metadata server was not reached, or refused.
        """
        if monotonic() >= self._token_end:
            server = HTTPConnection(settings.variable("GCE_METADATA_HOST") or METADATA, timeout=TIMEOUT)
            try:
                status, answer = _exchange(server, "GET", TOKEN, None, {"metadata-flavor": "Google"})
            except (OSError, HTTPException) as error:
                raise NoCredential(f"the metadata server was not reached: {type(error).__name__}") from None
            if status != OK:
                raise NoCredential(f"the metadata server answers {status}")
            document = json.loads(answer)
            self._token, self._token_end = document["access_token"], monotonic() + document["expires_in"] - TOKEN_MARGIN
        return self._token


def _secure() -> HTTPSConnection:
    return HTTPSConnection(HOST, timeout=TIMEOUT)


def _exchange(
    connection: HTTPConnection, method: str, path: str, body: "bytes | None", headers: "Mapping[str, str]"
) -> "tuple[int, bytes]":
    """Send one request, and close the connection.

    :returns: the status and the body of the answer.
    """
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _message(key: str, document: "Document") -> "dict[str, Any]":
    """Make the message of a document; the result of a record with an ordering key has the same ordering key."""
    data = b2a_base64(strict_json.encode(document), newline=False).decode()
    message = {"data": data, "attributes": {"key": key, "content-type": "application/json"}}
    ordering_key = document["origin"].get("ordering_key")
    return {**message, **({"orderingKey": ordering_key} if ordering_key else {})}


def _size(entry: "Entry") -> int:
    return len(entry[1]["data"])
