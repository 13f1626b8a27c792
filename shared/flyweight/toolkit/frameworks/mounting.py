"""Make the service behind a mount, and the carriers of `handlers/server` in front of it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyweight import settings, strict_json
from flyweight.serving.service import Service
from flyweight.toolkit import resources

if TYPE_CHECKING:
    from types import ModuleType
    from wsgiref.types import WSGIApplication

    from flyweight.serving.logs import Entry, Log

FOLDER = resources.folder("handlers") / "server"
LOGGER = "flyweight"


def service(model: str | Path, protocols: Sequence[str] = (), log: Log | None = None, *, load: bool = True) -> Service:
    """Make a service whose settings are those of a function, and load its model.

    :param load: False to have a failure logged, and answered with 503, instead of raised.
    :raises ModelRefused: the file fails a check.
    :raises ModelUnavailable: it can't be read.
    :raises InvalidSetting: a variable has a value with no meaning, or a protocol does not exist.
    """
    address = str(model) if "://" in str(model) else str(Path(model).resolve())
    deployment = settings.read(os.path.dirname(address))
    deployment = deployment._replace(model=address, protocols=tuple(protocols) or deployment.protocols)
    made = Service(deployment, log or logged, streams=lambda message: True)
    for warning in settings.misspelt():
        made.log({"level": "WARNING", "message": warning})
    if load:
        made.models.get(address)
    made.preload()
    return made


def logged(entry: Entry) -> None:
    """Log an entry as one line of JSON, through the logger "flyweight"."""
    logger, level = logging.getLogger(LOGGER), logging.getLevelNamesMapping()[entry["level"]]
    if logger.isEnabledFor(level):
        logger.log(level, strict_json.encode(entry).decode())


def answers(made: Service) -> Callable[[Any], Any]:
    """Bind the adapter of `handlers/server` to a service."""
    adapter = carrier("server_request")
    return lambda message: adapter.encode(made.respond(adapter.decode, (message,)), message)


def wsgi(made: Service) -> WSGIApplication:
    """Make the WSGI application of a service."""
    application: WSGIApplication = carrier("wsgi").application(answers(made))
    return application


@cache
def carrier(name: str) -> ModuleType:
    """Import a module of `handlers/server` under a name of its own: an application's own `wsgi.py` may be called the same."""
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))  # where the module finds those that it imports
    spec = spec_from_file_location(f"flyweight_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
