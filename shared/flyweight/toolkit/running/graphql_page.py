"""Show a page at `/graphql` to browsers, where queries can be tried; `flyweight serve` has it, and no deployment does."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from flyweight.values import Response

PAGE = Path(__file__).with_suffix(".html")


def shown(message: Any) -> Response | None:
    """Answer a browser that opens the path; None for every other request.

    :param message: as the server has parsed it.
    """
    if message.method != "GET" or not message.target.endswith("/graphql") or message.error is not None:
        return None
    if "text/html" not in message.headers.get("accept", ""):
        return None
    text = PAGE.read_text(encoding="utf-8")
    headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": policy(text)}
    return Response(200, headers, text.encode())


def policy(text: str) -> str:
    """Write the policy by which a browser runs the page's own script and no other.

    https://www.w3.org/TR/CSP3/
    """
    script = text.partition("<script>")[2].partition("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; connect-src 'self'; frame-ancestors 'none'"
    )
