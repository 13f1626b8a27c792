"""What a Worker is given by JavaScript: a request, and the bindings of its environment."""

from js import Object  # type: ignore[import-not-found]  # a module of Pyodide

from flyweight import settings
from flyweight.settings import parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Message:
    """A request whose body has arrived."""

    __slots__ = ("body", "headers", "method", "url")

    def __init__(self, method: str, url: str, headers: "dict[str, str]", body: bytes) -> None:
        self.method, self.url, self.headers, self.body = method, url, headers, body


async def read(request: "Any") -> Message:
    """Read a request of JavaScript, or one of the runtime's SDK, which holds that of JavaScript."""
    request = getattr(request, "js_object", request)
    headers = Object.fromEntries(request.headers).to_py()
    return Message(request.method, request.url, headers, (await request.arrayBuffer()).to_bytes())


def settings_of(environment: "Any") -> "dict[str, str]":
    """Read the settings among the bindings of a worker, each of which is an attribute: variables and secrets are texts."""
    groups = (*settings.GROUPS, *parts.GROUPS)
    names = [f"FLYWEIGHT_{field.upper()}" for group in groups for field in group._fields]
    found = {name: getattr(environment, name, None) for name in names}
    return {name: value for name, value in found.items() if isinstance(value, str)}
