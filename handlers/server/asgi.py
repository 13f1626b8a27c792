"""The model as an ASGI application, for servers of your own choice: `uvicorn --factory asgi:application`."""

from server_http import Message
from server_mount import path_below

from flyweight.errors import TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any

    from server_loop import Answer

    Event = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Event]]
    Send = Callable[[Event], Awaitable[None]]
    Application = Callable[[Event, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES = 64 * 1024 * 1024  # larger than any model's limit, which the service enforces and explains
AT_ONCE_BYTES = 16 * 1024  # of a body that is answered in the loop's own thread; a larger one would keep other requests waiting


def application(answer: "Answer | None" = None) -> "Application":
    """Make an ASGI application.

    :param answer: answers one request; None for that of the folder, which loads its model now.
    """
    from asyncio import to_thread

    chosen: Answer = answer or __import__("server_main").answer

    async def respond(scope: "Event", receive: "Receive", send: "Send") -> None:
        if scope["type"] == "lifespan":
            return await _live(receive, send)
        if scope["type"] != "http":  # a server refuses a WebSocket whose application raises
            raise ValueError(f"{scope['type']} is not served")
        message = await _message(scope, receive)
        if message is None:
            return None
        response = chosen(message) if len(message.body) <= AT_ONCE_BYTES else await to_thread(chosen, message)
        headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in response.headers.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        blocks = response.blocks
        await send({"type": "http.response.body", "body": response.body, "more_body": blocks is not None})
        while blocks is not None:
            if (block := await to_thread(lambda rest: next(rest, None), blocks)) is None:
                blocks = None
            await send({"type": "http.response.body", "body": block or b"", "more_body": blocks is not None})

    return respond


async def _message(scope: "Event", receive: "Receive") -> "Message | None":
    """Convert a request, and read its body; None if the caller has gone."""
    headers: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name, text = raw.decode("latin-1"), value.decode("latin-1")
        headers[name] = f"{headers[name]}{'; ' if name == 'cookie' else ', '}{text}" if name in headers else text
    query = scope.get("query_string", b"").decode("latin-1")
    target = path_below(*_path_and_base(scope), headers)
    message = Message(scope["method"], f"{target}?{query}" if query else target, headers)
    body, more = bytearray(), True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        body += event.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            message.error = TooLarge(f"the body has more than {MAX_BODY_BYTES} bytes", headers)
            return message
        more = event.get("more_body", False)
    message.body = bytes(body)
    return message


def _path_and_base(scope: "Event") -> "tuple[str, str]":
    """Divide a path into that below the mount and that of the mount: servers and frameworks give both in `path`, some the first.

    https://asgi.readthedocs.io/en/latest/specs/www.html#http-connection-scope has `root_path`.
    """
    path, base = scope["path"], scope.get("root_path", "").rstrip("/")
    return (path[len(base) :] if f"{path}/".startswith(f"{base}/") else path), base


async def _live(receive: "Receive", send: "Send") -> None:
    """Answer the server's messages about its start and its end; the model is loaded already."""
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return
