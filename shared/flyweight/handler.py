"""Bind a decoder and an encoder to the service: the callable that a platform invokes."""

from sys import modules
from time import perf_counter

from flyweight import IMPORT_BEGAN, settings
from flyweight.errors import InvalidSetting
from flyweight.serving.service import Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from flyweight.records import Trigger
    from flyweight.serving.delivery import Carrier
    from flyweight.serving.logs import Log
    from flyweight.values import Request


def bind(
    decode: "Callable[..., Request]",
    encode: "Callable[..., Any]",
    *,
    folder: str,
    model: str = "",
    logs: "Mapping[str, Callable[[], Log]]",
    after_fork: bool = False,
    refresh_wait_seconds: float = 0.0,
    hooks: "Callable[[Service], None]" = lambda service: None,
    triggers: "Callable[..., Trigger | None]" = lambda *event: None,
    sinks: str = "",
) -> "Callable[..., Any]":
    """Make the callable that a platform invokes with its own event, and that answers in the platform's own form.

    :param decode: `decode(*event)` makes a Request.
    :param encode: `encode(response, *event)` makes the platform's answer. If it has the attribute `carriers`, that is the name of
        a module whose `carrier(*event)` says what carries the answer and how much of it; it is imported for large answers only.
    :param folder: the handler's folder, where the model file is unless FLYWEIGHT_MODEL names another.
    :param model: the path of the model file that the platform has put outside of the folder; "" without one.
    :param logs: for each value of FLYWEIGHT_OBSERVABILITY a function that makes the log; only the chosen one is called.
    :param after_fork: whether to load models in each child process instead of now, for platforms that fork after the import.
    :param refresh_wait_seconds: how long a request waits for the check of a model that it starts; 0 if threads go on between
        requests.
    :param hooks: called once with the service; registers the platform's lifecycle callbacks.
    :param triggers: `triggers(*event)` finds the trigger of an event; None for a request.
    :param sinks: the name of the handler's module of sinks, see `records.sinks.open_sink`; it is imported only if one is set.
    :raises InvalidSetting: an environment variable has a value with no meaning.
    """
    deployment = settings.read(folder, model=model)
    service = Service(deployment, _log(deployment.observability, logs), refresh_wait_seconds, _carrier(encode), _streams(encode))
    for warning in settings.misspelt():
        service.log({"level": "WARNING", "message": warning})
    results = dead_letters = None
    if deployment.results or deployment.dead_letters:
        from flyweight.records.sinks import open_sink

        results, dead_letters = open_sink(deployment.results, sinks), open_sink(deployment.dead_letters, sinks)
    if after_fork:
        __import__("os").register_at_fork(after_in_child=service.preload)
    else:
        service.preload()
    hooks(service)
    service.cold["init"] = perf_counter() - IMPORT_BEGAN - service.models.spent_seconds

    def answer_event(*event: "Any") -> "Any":
        if (trigger := triggers(*event)) is not None:
            from flyweight.records.consumer import consume  # imported late: no request needs it

            return consume(service, trigger, event, results, dead_letters)
        return encode(service.respond(decode, event), *event)

    return answer_event


def _log(observability: str, logs: "Mapping[str, Callable[[], Log]]") -> "Log":
    """Make the log that a deployment has chosen.

    :raises InvalidSetting: the handler has no log of that name.
    """
    if observability not in logs:
        known = ", ".join([repr(name) for name in logs])
        raise InvalidSetting(f"FLYWEIGHT_OBSERVABILITY should be one of {known}, got {observability!r}")
    return logs[observability]()


def _streams(encode: "Any") -> "Callable[..., bool] | None":
    """Find the function that tells whether an answer may be sent while it is made; None if no answer may.

    The attribute `streams` of `encode` names a module with `carries(*event)`, which what runs the function imports if it carries
    streams.
    """
    module = modules.get(getattr(encode, "streams", ""))
    return None if module is None else module.carries


def _carrier(encode: "Any") -> "Callable[..., Carrier] | None":
    """Find the function that says what carries an answer, which it imports when it is called; None if there is no limit."""
    carriers: str = getattr(encode, "carriers", "")
    return (lambda *event: __import__(carriers).carrier(*event)) if carriers else None
