"""Sample events by their names: what each is about, the event itself, and the same with a model's own instance for payload."""

import json
from functools import cache
from typing import Any

from flyweight.errors import FlyweightError
from flyweight.predictor import load
from flyweight.toolkit import resources
from flyweight.toolkit.events.payloads import replaced


class NoSample(FlyweightError):
    """There is no such event, or nothing in the model to make one of."""


def names(provider: str) -> list[str]:
    """The events of a provider."""
    return sorted(path.stem for path in (resources.folder("events") / provider).glob("*.json"))


def about(name: str) -> str:
    """What a case is about."""
    return str(_case(name).get("about", ""))


def read(provider: str, name: str) -> Any:
    """The event of that name.

    :raises NoSample: there is none.
    """
    if name not in names(provider):
        raise NoSample(f"{provider} has no event {name!r}; it has {', '.join(names(provider))}")
    return json.loads(resources.event(provider, name).read_text())


def fitted(provider: str, name: str, model: str) -> Any:
    """The event with the first instance that a model keeps to prove itself by, in place of each penguin.

    An event that carries none is the same for every model.

    :raises NoSample: there is no such event, or the model keeps no instance.
    """
    event = read(provider, name)
    document = load(model).file.document
    kept = (document.get("sample") or {}).get("instances") or []
    if not kept:
        raise NoSample(f"{model} keeps no sample to make an event of")
    features = [feature["name"] for feature in document["signature"]["features"]]
    row = [kept[0][feature] for feature in features] if isinstance(kept[0], dict) else kept[0]
    return replaced(event, dict(zip(features, row, strict=True)))


def needs(name: str) -> str:
    """What has to be there for an event to be answered as its case says; "" for nothing."""
    return ", ".join(_case(name).get("objects", {}))


def is_trigger(name: str) -> bool:
    """Whether it is no HTTP request."""
    return "providers" in _case(name)


@cache
def _cases() -> Any:
    return json.loads((resources.folder("events") / "cases.json").read_text())


def _case(name: str) -> Any:
    return _cases().get(name.partition(".")[0], {})
