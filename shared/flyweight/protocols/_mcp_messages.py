"""Check messages of the Model Context Protocol: their versions, their headers, and the pages that send them."""

from flyweight.errors import FlyweightError, Forbidden, MalformedRequest, NotFound, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.protocols import Context
    from flyweight.values import Request

# of a connection that begins with `initialize`, the newest last; and those whose requests each stand alone
VERSIONS, ALONE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"), ("2026-07-28",)
VERSION, METHOD, NAME = "mcp-protocol-version", "mcp-method", "mcp-name"  # headers
META, CAPABILITIES = "io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientCapabilities"
# JSON-RPC's own codes, and two of this protocol
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32601, -32602, -32603
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022


class Refused(FlyweightError):
    """A message that is answered with an error of JSON-RPC."""

    status = MalformedRequest.status

    def __init__(self, number: int, message: str, data: "Any" = None) -> None:
        super().__init__(message)
        self.number, self.data = number, data
        self.status = NotFound.status if number == METHOD_NOT_FOUND else MalformedRequest.status


def stands_alone(request: "Request", called: str, parameters: "dict[str, Any]") -> bool:
    """Tell whether a message is of a version without `initialize`, and check what such a message carries.

    :raises Refused: its version is not known, or its headers say something else than its body.
    """
    version, meta = request.headers.get(VERSION), parameters.get("_meta")
    meta = meta if isinstance(meta, dict) else {}
    if META not in meta:
        if version is not None and version not in (*VERSIONS, *ALONE):
            raise _unsupported(version)
        return False
    asked = meta[META]
    headers = {VERSION: asked, METHOD: called, **({NAME: parameters.get("name")} if called == "tools/call" else {})}
    for header, value in headers.items():
        if request.headers.get(header, value) != value:
            raise Refused(
                HEADER_MISMATCH, f"the header {header} says {preview(request.headers[header])}, the body {preview(value)}"
            )
    if asked not in ALONE:
        raise _unsupported(asked)
    if CAPABILITIES not in meta:
        raise Refused(INVALID_PARAMS, f"params._meta should have {CAPABILITIES!r}")
    return True


def _unsupported(version: "Any") -> Refused:
    supported = [*VERSIONS, *ALONE]
    words = f"the version {preview(version)} is not supported; the versions are {', '.join(supported)}"
    return Refused(UNSUPPORTED_VERSION, words, {"supported": supported, "requested": version})


def check_origin(origin: str, context: "Context") -> None:
    """Check where a page of a browser is from, so that no page can reach a server on its visitor's machine.

    https://modelcontextprotocol.io/specification/2025-06-18/basic/transports#security-warning

    :raises Forbidden: it is from elsewhere than this machine, and the settings do not name it.
    """
    host = origin.partition("://")[2].rpartition(":")[0] or origin.partition("://")[2]
    if not origin or host in ("localhost", "127.0.0.1", "[::1]"):
        return
    known = context.settings.cors.cors_origins if context.settings.cors is not None else ()
    for pattern in known:
        begin, star, end = pattern.partition("*")
        if origin == pattern or (star and origin.startswith(begin) and origin.endswith(end)):
            return
    raise Forbidden(f"pages of {preview(origin)} may not call tools here; FLYWEIGHT_CORS_ORIGINS names those that may")
