"""Find sample events by name: the files of a target, and the plain requests of `events/http` in the target's form."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from flyweight.toolkit import resources, targets
from flyweight.toolkit.errors import RuntimeFailed, ToolkitError
from flyweight.toolkit.events.instances import instances
from flyweight.toolkit.events.payloads import replaced
from flyweight.toolkit.targets.requests import is_plain

PREDICT = {"method": "POST", "path": "/predict", "headers": {"content-type": "application/json"}}


class NoSample(ToolkitError):
    """No event has this name."""


def names(target: str) -> list[str]:
    """List a target's own samples and the HTTP cases, which every target has."""
    own = targets.find(target).folder("events").glob("*.json")
    return sorted({*requests(), *(path.stem for path in own)})


def about(name: str) -> str:
    """Describe the case of an event."""
    return str(_case(name).get("about", ""))


def read(target: str, name: str) -> Any:
    """Read an event: a file, a sample of the target by its name, or an HTTP case as `CASE` or `CASE.SHAPE`.

    A plain request, of a file or a case, is wrapped in the target's form, in SHAPE if the name has one.

    :raises NoSample: no event or file has this name, or the file is not JSON.
    :raises RuntimeFailed: the target does not have this shape, or the shape can't carry this request.
    """
    case, _, shape = name.removesuffix(".json").partition(".")
    sample = targets.find(target).folder("events") / f"{name.removesuffix('.json')}.json"
    if Path(name).is_file():
        event, shape = _document(Path(name)), ""
    elif sample.is_file():
        return _document(sample)
    elif case in requests():
        event = requests()[case]
    else:
        raise NoSample(f"{name!r} is neither an event of {target} nor a file", f"choose one of {', '.join(names(target))}")
    return targets.find(target).runtime.event(event, shape) if is_plain(event) else event


@cache
def requests() -> dict[str, Any]:
    """Read the plain requests of `events/http`, by case."""
    return {path.stem: _document(path) for path in sorted((resources.folder("events") / "http").glob("*.json"))}


def shapes(target: str, request: dict[str, Any]) -> dict[str, Any]:
    """Wrap a plain request in each shape of a target that can carry it.

    :returns: events by shape; the usual one is "".
    """
    runtime = targets.find(target).runtime
    events: dict[str, Any] = {}
    for shape in runtime.SHAPES:
        with suppress(RuntimeFailed):
            events[shape] = runtime.event(request, shape)
    return events


def predicting(target: str, rows: list[Any]) -> Any:
    """Create the event of a prediction of these instances, in the target's usual form."""
    return targets.find(target).runtime.event({**PREDICT, "body": {"instances": rows}})


def fitted(target: str, name: str, document: dict[str, Any]) -> Any:
    """Read an event, and replace each penguin by an instance of another model.

    An event without an instance is the same for every model.

    :param document: the document of that model's file.
    :raises NoSample: the event does not exist.
    :raises RuntimeFailed: the target does not have this shape, or the shape can't carry this request.
    """
    return replaced(read(target, name), instances(document)[0])


def needs(name: str) -> str:
    """Name the objects that must exist in a store before an event is sent; "" if there are none."""
    return ", ".join(_case(name).get("objects", {}))


def is_trigger(name: str) -> bool:
    """Tell whether an event is not an HTTP request."""
    return "providers" in _case(name)


@cache
def cases() -> dict[str, Any]:
    """Read `events/cases.json`: the description and the expected answer of each case."""
    document: dict[str, Any] = _document(resources.folder("events") / "cases.json")
    return document


def _case(name: str) -> dict[str, Any]:
    case: dict[str, Any] = cases().get(name.partition(".")[0], {})
    return case


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise NoSample(f"{path} is not JSON: {error}", "give a file that contains one JSON document") from None
