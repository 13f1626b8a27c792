"""Join the values of headers, as a REST API and a load balancer send them."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def joined(given: "Any") -> "dict[str, str]":
    """Make names lower case, and join several values of a header, but for the content type, which is one.

    :param given: from each name to its value or the list of its values; anything else than a dict has no headers.
    """
    headers: dict[str, str] = {}
    for name, value in given.items() if isinstance(given, dict) else ():
        if isinstance(value, list):
            value = ", ".join([str(part) for part in value if part is not None])
        elif value is None:
            continue
        name = name.lower()
        if name not in headers:
            headers[name] = value if isinstance(value, str) else str(value)
        elif name != "content-type":
            headers[name] = f"{headers[name]}, {value}"
    return headers
