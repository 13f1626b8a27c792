"""A Worker's request to a Request, and a Response to a Worker's response: https://developers.cloudflare.com/workers/runtime-apis/."""

from js import Object  # type: ignore[import-not-found]  # modules of Pyodide
from js import Response as JsResponse
from pyodide.ffi import to_js  # type: ignore[import-not-found]

from flyweight.values import Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cloudflare_message import Message


def decode(message: "Message") -> Request:
    """Decode a request, whose id is that of Cloudflare's network: https://developers.cloudflare.com/fundamentals/reference/cloudflare-ray-id/."""
    address, _, query = message.url.partition("?")
    path = "/" + address.partition("://")[2].partition("/")[2]
    return Request(message.method, path, message.headers, message.body, message.headers.get("cf-ray", ""), query)


def encode(response: Response, message: "Message") -> "Any":
    """Make a response of JavaScript, without a body if it is empty, as some statuses must be.

    Without `encodeBody` a body that is compressed already would be compressed again:
    https://developers.cloudflare.com/workers/runtime-apis/response/#parameters.
    """
    body = to_js(response.body) if response.body else None
    headers = Object.fromEntries(to_js([*response.headers.items()]))
    return JsResponse.new(body, status=response.status, headers=headers, encodeBody="manual")
