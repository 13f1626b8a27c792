"""Storage queues by Azurite, and the part of Azure's host that delivers, deletes, redelivers and gives up their messages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import xml.etree.ElementTree as xml
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit
from xml.sax.saxutils import escape

import pytest

from flyweight.toolkit.running import Runtime
from tests.conftest import missing
from tests.services.servers import ACCOUNT, ACCOUNT_KEY, AZURITE, Server

QUEUES = AZURITE.parents[1] / "queue" / "main.js"
VERSION = "2021-08-06"


@dataclass
class Message:
    """A message as a queue delivers it."""

    id: str
    body: bytes
    receipt: str
    count: int
    inserted: str


class Queues(Server):
    """Azurite's queue service, which checks signatures."""

    def command(self) -> Sequence[str]:
        """The queue service alone."""
        if not QUEUES.exists():
            pytest.skip(missing("azurite"))
        options = ["--silent", "--skipApiVersionCheck", "--inMemoryPersistence", "--disableTelemetry"]
        return ["node", str(QUEUES), *options, "--queueHost", "127.0.0.1", "--queuePort", str(self.port)]

    def make(self, *names: str) -> None:
        """Create queues."""
        for name in names:
            self.call("PUT", name)

    def send(self, queue: str, body: bytes) -> str:
        """Put a message in base64, as the host's extension expects it, and get its id."""
        text = f"<QueueMessage><MessageText>{escape(base64.b64encode(body).decode())}</MessageText></QueueMessage>"
        (message,) = xml.fromstring(self.call("POST", f"{queue}/messages", text.encode()))
        return message.findtext("MessageId") or ""

    def receive(self, queue: str, hidden: int = 30) -> list[Message]:
        """Take up to 16 messages, which are hidden from others for `hidden` seconds."""
        messages = xml.fromstring(self.call("GET", f"{queue}/messages?numofmessages=16&visibilitytimeout={hidden}"))
        names = ("MessageId", "MessageText", "PopReceipt", "DequeueCount", "InsertionTime")
        rows = [[message.findtext(name) or "" for name in names] for message in messages]
        return [Message(one, base64.b64decode(text), receipt, int(count), time) for one, text, receipt, count, time in rows]

    def delete(self, queue: str, message: Message) -> None:
        """Delete a message."""
        self.call("DELETE", f"{queue}/messages/{message.id}?popreceipt={quote(message.receipt, safe='')}")

    def release(self, queue: str, message: Message) -> None:
        """Show a message to others again, at once."""
        place = f"{queue}/messages/{message.id}?popreceipt={quote(message.receipt, safe='')}&visibilitytimeout=0"
        self.call("PUT", place)

    def call(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Send one signed request (https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key)."""
        url = urlsplit(path)
        now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        length, kind = (str(len(body)), "application/xml") if body else ("", "")
        query = "".join(f"\n{name}:{value}" for name, value in sorted(parse_qsl(url.query)))
        head = f"{method}\n\n\n{length}\n\n{kind}\n\n\n\n\n\n\nx-ms-date:{now}\nx-ms-version:{VERSION}\n"
        signed = f"{head}/{ACCOUNT}/{ACCOUNT}/{url.path}{query}"
        digest = hmac.new(base64.b64decode(ACCOUNT_KEY), signed.encode(), hashlib.sha256).digest()
        headers = {"Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}", "x-ms-date": now}
        headers |= {"x-ms-version": VERSION, **({"Content-Type": kind} if kind else {})}
        return self.ask(method, f"/{ACCOUNT}/{path}", headers, body or None)


class Host:
    """The part of Azure's host that a queue's trigger needs.

    It delivers each message, writes the outputs of an invocation that succeeded before it deletes the message, lets one that
    failed be seen again, and moves it to NAME-poison after five deliveries.
    """

    MOST = 5

    def __init__(self, queues: Queues, queue: str, function: str, process: Runtime, settings: dict[str, str]) -> None:
        self.queues, self.queue, self.function = queues, queue, function
        self.process, self.outputs = process, settings

    def poll(self) -> int:
        """Deliver the waiting messages, and get their number."""
        received = self.queues.receive(self.queue)
        for message in received:
            answer = self.process.invoke(self.event(message))
            if answer.status == 200:
                self.write(json.loads(answer.body)["outputs"])
                self.queues.delete(self.queue, message)
            elif message.count >= self.MOST:
                self.queues.send(f"{self.queue}-poison", message.body)
                self.queues.delete(self.queue, message)
            else:
                self.queues.release(self.queue, message)
        return len(received)

    def write(self, outputs: dict[str, Any]) -> None:
        """Send each document of an output binding as a message to its queue."""
        for name, documents in outputs.items():
            for document in documents:
                self.queues.send(self.outputs[name], json.dumps(document).encode())

    def event(self, message: Message) -> dict[str, Any]:
        """Make the event that the host sends the worker."""
        fields = {"Id": message.id, "DequeueCount": str(message.count), "PopReceipt": message.receipt}
        body = {"bytes": base64.b64encode(message.body).decode()}
        metadata = {name: {"string": value} for name, value in fields.items()}
        return {"function": self.function, "inputData": [{"name": "sent", "data": body}], "triggerMetadata": metadata}
