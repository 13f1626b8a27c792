"""Mount a model in a web application: as an ASGI or WSGI application, a router of FastAPI, a blueprint of Flask, URLs of Django.

The web framework is imported when one of these functions is called: none of them needs more than its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyweight.toolkit.errors import naming_extras

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from django.urls import URLPattern
    from fastapi import APIRouter
    from flask import Blueprint
    from starlette.types import ASGIApp

    from flyweight.serving.logs import Log


@naming_extras
def asgi(model: str | Path, *, protocols: Sequence[str] = (), log: Log | None = None) -> ASGIApp:
    """Make an ASGI application that answers with a model, to be mounted or to be run by a server.

    :param model: the path of a model file, or its address in a store. All other settings are environment variables.
    :param protocols: names of the protocols that are answered, () for all.
    :param log: writes the log entry of each request; None for the logger "flyweight" of Python's `logging`.
    :raises ModelRefused: the model file fails a check.
    :raises ModelUnavailable: it can't be read.
    """
    from flyweight.toolkit.frameworks import mounting

    made: ASGIApp = mounting.carrier("asgi").application(mounting.answers(mounting.service(model, protocols, log)))
    return made


@naming_extras
def wsgi(model: str | Path, *, protocols: Sequence[str] = (), log: Log | None = None) -> WSGIApplication:
    """Make a WSGI application that answers with a model, to be mounted or to be run by a server; parameters as of `asgi`.

    :raises ModelRefused: the model file fails a check.
    :raises ModelUnavailable: it can't be read.
    """
    from flyweight.toolkit.frameworks import mounting

    return mounting.wsgi(mounting.service(model, protocols, log))


@naming_extras
def router(model: str | Path, *, log: Log | None = None) -> APIRouter:
    """Make a router of FastAPI with `/predict`, `/health`, `/ready` and `/model`, described in the application's own OpenAPI.

    Give `include_router` a prefix, and the dependencies that decide who may call. Parameters are as of `asgi`.

    :raises ModelRefused: the model file fails a check.
    :raises ModelUnavailable: it can't be read.
    """
    from flyweight.toolkit.frameworks.fastapi import router as made

    return made(model, log)


@naming_extras
def blueprint(model: str | Path, *, name: str = "", protocols: Sequence[str] = (), log: Log | None = None) -> Blueprint:
    """Make a blueprint of Flask that answers with a model below the `url_prefix` that `register_blueprint` gets.

    :param name: of the blueprint; "" for the model's. The other parameters are as of `asgi`.
    :raises ModelRefused: the model file fails a check.
    :raises ModelUnavailable: it can't be read.
    """
    from flyweight.toolkit.frameworks.flask import blueprint as made

    return made(model, name, protocols, log)


@naming_extras
def urls(
    model: str | Path,
    *,
    decorator: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda view: view,
    protocols: Sequence[str] = (),
    log: Log | None = None,
) -> list[URLPattern]:
    """Make URL patterns of Django, for `include`; `manage.py check` reports a model that can't be loaded.

    Such a model raises no error here: its view answers 503 with the reason. It takes requests without a CSRF token, as callers
    who are no browsers have none.

    :param decorator: wraps the view, as `login_required` does. The other parameters are as of `asgi`.
    """
    from flyweight.toolkit.frameworks.django import urls as made

    return made(model, decorator, protocols, log)
