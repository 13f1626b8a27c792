"""Tell browsers which scripts of other origins may read an answer (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyweight.settings import Cors
    from flyweight.values import Request

PREFLIGHT = "access-control-request-method"  # in OPTIONS, by which a browser asks before it sends a request


def add(headers: "dict[str, str]", cors: "Cors", request: "Request") -> None:
    """Add to the headers of an answer what a browser has to know, errors among the answers.

    :param headers: of the answer; they are changed in place.
    :param request: an origin that may not call gets no header, and its browser then refuses the answer.
    """
    if cors.cors_origins != ("*",):
        _vary(headers, "origin")
    origin = request.headers.get("origin", "")
    if not origin or not any([_matches(origin, pattern) for pattern in cors.cors_origins]):
        return
    headers["access-control-allow-origin"] = "*" if cors.cors_origins == ("*",) else origin
    if cors.cors_credentials:
        headers["access-control-allow-credentials"] = "true"
    if request.method.upper() == "OPTIONS" and PREFLIGHT in request.headers:
        _allow(headers, cors, request.headers)
    else:
        own = [name for name in headers if name.startswith("x-") or name in ("server-timing", "allow")]
        headers["access-control-expose-headers"] = ", ".join(own)


def _allow(headers: "dict[str, str]", cors: "Cors", asked: "Mapping[str, str]") -> None:
    """Answer the question of a browser: which methods and headers it may send, and for how long it may remember that."""
    allowed = ", ".join(cors.cors_headers)
    if "*" in cors.cors_headers:  # names, because browsers do not take `*` for all: not with credentials, nor for a token
        names = asked.get("access-control-request-headers", "")
        allowed = names if all([letter.isalnum() or letter in "-_, " for letter in names]) and names.isascii() else ""
        _vary(headers, "access-control-request-headers")
    headers["access-control-allow-methods"] = headers.get("allow", "")
    headers["access-control-allow-headers"] = allowed
    headers["access-control-max-age"] = str(cors.cors_max_age)


def _matches(origin: str, pattern: str) -> bool:
    """Tell whether an origin is one that the setting names: the same, any for `*`, a subdomain for `https://*.example`."""
    if "*" not in pattern or pattern == "*":
        return pattern in ("*", origin)
    scheme, _, domain = pattern.partition("://*.")
    name = origin.removeprefix(scheme + "://").removesuffix("." + domain)
    # what stands for `*` has the letters of a host's name alone, so that no slash or port is read as a part of it
    whole = f"{scheme}://{name}.{domain}" == origin
    return bool(whole and name) and all([letter.isalnum() or letter in "-." for letter in name])


def _vary(headers: "dict[str, str]", name: str) -> None:
    """Tell caches that the answer depends on a header of the request."""
    headers["vary"] = f"{headers['vary']}, {name}" if "vary" in headers else name
