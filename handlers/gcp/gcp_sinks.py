"""Documents to a Pub/Sub topic, by its REST interface, and to Cloud Storage; the keys that were not taken come out.

pubsub://PROJECT/TOPIC    gs://BUCKET/PREFIX (by obstore, each key once)
Google's client for Pub/Sub is not used: docs/decisions/0014-pubsub-by-rest.md has the figures.
https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish
https://cloud.google.com/compute/docs/access/authenticate-workloads#applications
"""

import json
from binascii import b2a_base64
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic

from flyweight import settings, strict_json
from flyweight.errors import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from flyweight.records.sinks import Document, Sink

HOST = "pubsub.googleapis.com"
METADATA = "metadata.google.internal"
TOKEN = "/computeMetadata/v1/instance/service-accounts/default/token"
AT_ONCE = 1000  # messages a call takes
BYTES = 5_000_000  # of base64 a call, well below the 10 MB that it takes
SECONDS = 15  # for one call
SPARE = 60  # seconds of a token's life that are not used


def open_sink(address: str) -> "Sink":
    """The sink at an address; nothing is asked of it yet.

    :raises ValueError: the address names nothing.
    """
    scheme, _, rest = address.partition("://")
    name, _, topic = rest.partition("/")
    if not name or (scheme == "pubsub" and (not topic or "/" in topic)):
        raise ValueError(f"a sink is at pubsub://PROJECT/TOPIC or gs://BUCKET/PREFIX; got {address!r}")
    if scheme == "pubsub":
        return Topic(name, topic)
    from flyweight.records.object_sink import Objects

    return Objects(address)


class NoCredential(Exception):
    """The platform gave none."""


class Topic:
    """A sink in Pub/Sub; a subscriber may get a document twice, with the same `key` among its attributes."""

    def __init__(self, project: str, topic: str) -> None:
        self._address = f"pubsub://{project}/{topic}"
        self._path = f"/v1/projects/{project}/topics/{topic}:publish"
        self._emulator = settings.variable("PUBSUB_EMULATOR_HOST")  # as Google's own clients know it
        self._token, self._until = "", 0.0

    def send(self, documents: "list[tuple[str, Document]]") -> "Mapping[str, str]":
        """Publish many documents a call; of a call all are taken, or none."""
        left: dict[str, str] = {}
        for chunk in _chunks(documents):
            why = self._published([message for _, message in chunk])
            if why:
                left |= dict.fromkeys([key for key, _ in chunk], why)
        return left

    def _published(self, messages: "list[dict[str, Any]]") -> str:
        """Why not, or nothing."""
        try:
            headers = {"content-type": "application/json"}
            if not self._emulator:
                headers["authorization"] = f"Bearer {self._credential()}"
            connection = HTTPConnection(self._emulator, timeout=SECONDS) if self._emulator else _secure()
            status, answer = _exchange(connection, "POST", self._path, json.dumps({"messages": messages}).encode(), headers)
        except NoCredential as error:
            return f"{self._address}: no credential, {error}"
        except (OSError, HTTPException, ValueError, KeyError) as error:
            return f"{self._address} was not reached: {type(error).__name__}"
        return "" if status == OK else f"{self._address} answers {status}: {answer[:200].decode(errors='replace')}"

    def _credential(self) -> str:
        """The token of the function's own service account, from the metadata server, until it is about to end."""
        if monotonic() >= self._until:
            server = HTTPConnection(settings.variable("GCE_METADATA_HOST") or METADATA, timeout=SECONDS)
            try:
                status, answer = _exchange(server, "GET", TOKEN, None, {"metadata-flavor": "Google"})
            except (OSError, HTTPException) as error:
                raise NoCredential(f"the metadata server was not reached: {type(error).__name__}") from None
            if status != OK:
                raise NoCredential(f"the metadata server answers {status}")
            told = json.loads(answer)
            self._token, self._until = told["access_token"], monotonic() + told["expires_in"] - SPARE
        return self._token


def _secure() -> HTTPSConnection:
    return HTTPSConnection(HOST, timeout=SECONDS)


def _exchange(
    connection: HTTPConnection, method: str, path: str, body: "bytes | None", headers: "Mapping[str, str]"
) -> "tuple[int, bytes]":
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _chunks(documents: "list[tuple[str, Document]]") -> "Iterator[list[tuple[str, dict[str, Any]]]]":
    """Messages with their keys, so many a call and so many bytes; an ordering key goes on from the record to its result."""
    chunk: list[tuple[str, dict[str, Any]]] = []
    size = 0
    for key, document in documents:
        data = b2a_base64(strict_json.encode(document), newline=False).decode()
        if chunk and (len(chunk) == AT_ONCE or size + len(data) > BYTES):
            yield chunk
            chunk, size = [], 0
        message = {"data": data, "attributes": {"key": key, "content-type": "application/json"}}
        order = document["origin"].get("ordering_key")
        chunk.append((key, {**message, **({"orderingKey": order} if order else {})}))
        size += len(data)
    if chunk:
        yield chunk
