"""A model as URL patterns of Django, with a system check: the project's own middleware is around its view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core import checks
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern
from django.urls.resolvers import RoutePattern
from django.views.decorators.csrf import csrf_exempt

from flyweight.errors import with_next_step
from flyweight.toolkit.frameworks import mounting

if TYPE_CHECKING:
    from flyweight.serving.logs import Log
    from flyweight.serving.service import Service

    View = Callable[..., HttpResponseBase]


def urls(model: str | Path, decorator: Callable[[View], View], protocols: Sequence[str], log: Log | None) -> list[URLPattern]:
    """Make the patterns; `flyweight.urls` describes the parameters."""
    service = mounting.service(model, protocols, log, load=False)
    shown = csrf_exempt(decorator(view(service)))
    return [URLPattern(RoutePattern("", is_endpoint=True), shown), Checked(service, shown)]


def view(service: Service) -> View:
    """Make a view that answers the part `path` of a URL."""
    application = mounting.wsgi(service)

    def answer(request: HttpRequest, path: str = "") -> HttpResponseBase:
        """Answer with the model, below the path at which the patterns are included."""
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], failure: Any = None, /) -> Any:
            started.extend([status, headers])

        body = application(_environ(request, path), start)
        status, headers = int(started[0].partition(" ")[0]), dict(started[1])
        whole = isinstance(body, list)
        response = (HttpResponse if whole else StreamingHttpResponse)(body, status=status, headers=headers)
        if "content-type" not in headers:
            del response["content-type"]
        return response

    return answer


def _environ(request: HttpRequest, path: str) -> dict[str, Any]:
    """Make the variables of WSGI for a request below a mount; a request that came by ASGI has most of them as well."""
    whole, below = request.path, "/" + path
    environ = {**request.META, "SCRIPT_NAME": whole.removesuffix(below), "PATH_INFO": below}
    if "HTTP_TRANSFER_ENCODING" in environ and "wsgi.input" in environ:
        return environ  # Django reads no body in chunks from a WSGI server
    return {**environ, "wsgi.input": request, "wsgi.input_terminated": True}


class Checked(URLPattern):  # type: ignore[misc]
    """The pattern of all paths below the mount; Django's check of URLs asks it whether its model answers."""

    def __init__(self, service: Service, shown: View) -> None:
        super().__init__(RoutePattern("<path:path>", is_endpoint=True), shown)
        self.service = service

    def check(self) -> list[checks.CheckMessage]:
        """List what is wrong with the pattern and with its model."""
        return [*super().check(), *_faults(self.service)]


def _faults(service: Service) -> list[checks.CheckMessage]:
    """Load the model, and compare its answers to its own sample with those at packing."""
    place = service.settings.model
    try:
        sound = service.models.get(place).model.predictor.passes_self_test()
    except Exception as error:
        return [checks.Error(f"flyweight has no model: {with_next_step(error)}", obj=place, id="flyweight.E001")]
    words = "the model does not answer its own sample as it did when it was packed"
    return [] if sound else [checks.Error(words, "pack it again, or restore the file", obj=place, id="flyweight.E002")]
