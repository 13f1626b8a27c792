"""A page for people at `GET /docs`: a form made from the signature, the answer, and lines to copy.

It is one document without anything of another host. Its policy, https://www.w3.org/TR/CSP3/, allows this script and this style
only, by their hashes. The form asks native's `/predict` beside the page.
"""

from flyweight import protocols
from flyweight.protocols import Answer, native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.protocols import Context, Operation
    from flyweight.values import Request

PATHS = ["GET /docs"]
PATH = "/docs"
parse, render, error = native.parse, native.render, native.error


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the page of the default model, or of the one below whose path it is.

    :raises MethodNotAllowed: the path takes GET.
    """
    model = path[len(native.MODELS) : -len(PATH)] if path.startswith(native.MODELS) else ""
    if path != PATH and not (model and "/" not in model and path.endswith(PATH)):
        return None
    return protocols.operation_for({"GET": docs}, method, path), model


def docs(context: "Context", request: "Request", name: str) -> Answer:
    """Write the page of a model."""
    from flyweight.protocols import _page_document, _page_script, _page_style  # imported late: only people read it
    from flyweight.protocols.openapi import name_of

    on = {name_of(protocol): [*protocol.PATHS] for protocol in protocols.Protocols(context.settings.protocols)}
    up = "../" if request.path.endswith("/") else ""  # so that links lead to what is beside the page
    style, script = _page_style.STYLE, _page_script.SCRIPT
    text = _page_document.write(context.predictor(name), on, up, f"<style>{style}</style>", f"<script>{script}</script>")
    return Answer(text.encode("utf-8", "replace"), "text/html; charset=utf-8", headers=_headers(style, script))


def _headers(style: str, script: str) -> "dict[str, str]":
    """Make the headers that keep a browser from running or loading anything but this style and this script."""
    policy = {
        "default-src": "'none'",
        "style-src": _hash(style),
        "script-src": _hash(script),
        "connect-src": "'self'",
        "img-src": "data:",
        **dict.fromkeys(("base-uri", "form-action", "frame-ancestors"), "'none'"),
        "require-trusted-types-for": "'script'",
    }
    return {
        "content-security-policy": "; ".join([" ".join(pair) for pair in policy.items()]),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }


def _hash(text: str) -> str:
    """Name a text by its hash, as a policy does."""
    from binascii import b2a_base64
    from hashlib import sha256

    return f"'sha256-{b2a_base64(sha256(text.encode()).digest(), newline=False).decode()}'"
