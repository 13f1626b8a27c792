"""A model as a blueprint of Flask: the application's own extensions, hooks and error pages are around it."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from flyweight.errors import NO_CONTENT
from flyweight.toolkit.frameworks import mounting

if TYPE_CHECKING:
    from flyweight.serving.logs import Log

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def blueprint(model: str | Path, name: str, protocols: Sequence[str], log: Log | None) -> Blueprint:
    """Make the blueprint; `flyweight.blueprint` describes the parameters."""
    service = mounting.service(model, protocols, log)
    application, most = mounting.wsgi(service), mounting.carrier("wsgi").MAX_BODY_BYTES
    own_name = name or service.models.get(service.settings.model).model.predictor.name
    made = Blueprint(own_name.replace(".", "_"), __name__)

    def answer(path: str = "") -> Response:
        """Answer with the model, below the blueprint's prefix."""
        request.max_content_length = request.max_content_length or most
        body = request.get_data()  # which a hook may have read before
        environ = {**request.environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        whole, below = environ.get("PATH_INFO", ""), "/" + path.encode().decode("latin-1")  # as PEP 3333 has paths
        environ.update({"SCRIPT_NAME": environ.get("SCRIPT_NAME", "") + whole.removesuffix(below), "PATH_INFO": below})
        response: Response = Response.from_app(application, environ)  # type: ignore[assignment]
        if response.status_code == NO_CONTENT:
            response.headers.remove("content-type")  # Flask's own
        return response

    for rule in ("/", "/<path:path>"):
        made.add_url_rule(rule, "answer", answer, methods=METHODS)
    return made
