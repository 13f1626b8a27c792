"""Ask an endpoint in the words of a protocol, and show its answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from flyweight import protocols
from flyweight.models.signature import Signature
from flyweight.models.texts import value_of
from flyweight.toolkit.errors import DeployFailed, ToolkitError

if TYPE_CHECKING:
    from flyweight.protocols import InferenceProtocol
    from flyweight.toolkit.deploying.endpoint import Endpoint

LONGEST = 500  # characters of a refusal that are shown


def names() -> list[str]:
    """List the protocols that say what a request of theirs is."""
    return [name for name in protocols.names() if hasattr(protocols.find(name), "example")]


def find(name: str) -> InferenceProtocol:
    """Find a protocol by its name.

    :raises ToolkitError: no protocol has that name, or it does not say what a request of its own is.
    """
    if name not in (known := names()):
        raise ToolkitError(f"--protocol {name}: no protocol of that name can be called", f"choose one of {', '.join(known)}")
    return protocols.find(name)


def ask(
    endpoint: Endpoint, name: str, model: dict[str, Any], header: list[str], lines: Iterable[list[str]], batch: int
) -> Iterator[dict[str, Any]]:
    """Send rows in batches, and yield each request with its answer.

    :param model: the document of the endpoint's model.
    :param header: the names of the features in `lines`, which hold texts as in CSV.
    :raises DeployFailed: the endpoint refuses a request.
    """
    example: Any = find(name).example  # type: ignore[attr-defined]
    signature = Signature.of(model)
    features = {feature.name: feature for feature in signature.features if feature.kind != "unread"}
    rows = iter(lines)
    while part := [*islice(rows, batch)]:
        pairs = [[(title, cell) for title, cell in zip(header, line, strict=True) if title in features] for line in part]
        instances = [{title: value_of(cell, features[title]) for title, cell in row} for row in pairs]
        path, document = example(signature, model["name"], instances)
        body = json.dumps(document, ensure_ascii=False).encode()
        reply = endpoint.ask("POST", path, body, content_type="application/json", accept="application/json")
        text = reply.body.decode(errors="replace")
        if reply.status >= 400:
            step = f"check that the protocol is on there: `flyweight build TARGET --protocol {name}`, or FLYWEIGHT_PROTOCOLS"
            raise DeployFailed(f"{endpoint.url}{path} answered {reply.status}: {text[:LONGEST]}", step)
        yield {"request": {"method": "POST", "path": path, "body": document}, "status": reply.status, "answer": _parsed(text)}


def write(exchange: dict[str, Any], out: TextIO, as_json: bool) -> None:
    """Write an answer as indented JSON, or a request with its answer as one line of JSON."""
    if as_json:
        out.write(json.dumps(exchange, ensure_ascii=False) + "\n")
    else:
        out.write(json.dumps(exchange["answer"], ensure_ascii=False, indent=2) + "\n")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
