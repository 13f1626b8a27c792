"""A sample event to the same event with a model's own instance for payload: wherever a penguin stands, in whatever wrapping."""

import base64
import json
from typing import Any

from flyweight.errors import FlyweightError
from flyweight.predictor import load
from flyweight.toolkit import resources

PENGUIN = {"island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year"}


class NoSample(FlyweightError):
    """There is no such event, or nothing in it, or in the model, to make one of."""


def names(provider: str) -> list[str]:
    """The events of a provider."""
    return sorted(path.stem for path in (resources.folder("events") / provider).glob("*.json"))


def about(name: str) -> str:
    """What a case is about."""
    cases = json.loads((resources.folder("events") / "cases.json").read_text())
    return str(cases.get(name.partition(".")[0], {}).get("about", ""))


def read(provider: str, name: str) -> Any:
    """The event of that name.

    :raises NoSample: there is none.
    """
    if name not in names(provider):
        raise NoSample(f"{provider} has no event {name!r}; it has {', '.join(names(provider))}")
    return json.loads(resources.event(provider, name).read_text())


def fitted(provider: str, name: str, model: str) -> Any:
    """The event with the first instance that a model keeps to prove itself by, in place of each penguin.

    :raises NoSample: the model keeps none, or the event has no payload that is a penguin.
    """
    event = read(provider, name)
    document = load(model).file.document
    kept = (document.get("sample") or {}).get("instances") or []
    if not kept:
        raise NoSample(f"{model} keeps no sample to make an event of")
    features = [feature["name"] for feature in document["signature"]["features"]]
    instance = kept[0] if isinstance(kept[0], dict) else dict(zip(features, kept[0], strict=True))
    changed = _replaced(event, instance)
    if changed == event:
        raise NoSample(f"the event {name!r} of {provider} carries no instance to put the model's own in place of")
    return changed


def _replaced(value: Any, instance: dict[str, Any]) -> Any:
    """The same with the instance in place of each penguin: an object, a DynamoDB item, or text or base64 that holds one."""
    if isinstance(value, dict):
        if len(PENGUIN & {*value}) > 3:
            typed = isinstance(value[next(iter(PENGUIN & {*value}))], dict)
            rest = {key: item for key, item in value.items() if key not in PENGUIN}
            return {**rest, **({key: _typed(item) for key, item in instance.items()} if typed else instance)}
        return {key: _replaced(item, instance) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, instance) for item in value]
    return _text(value, instance) if isinstance(value, str) else value


def _text(value: str, instance: dict[str, Any]) -> str:
    for decode, encode in ((str, str), (_from_base64, _to_base64)):
        try:
            document = json.loads(decode(value))
        except (ValueError, UnicodeDecodeError):
            continue
        changed = _replaced(document, instance) if isinstance(document, (dict, list)) else document
        return value if changed == document else encode(json.dumps(changed))
    return value


def _from_base64(text: str) -> str:
    return base64.b64decode(text, validate=True).decode()


def _to_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _typed(value: Any) -> dict[str, Any]:
    """A value as DynamoDB's streams write it."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"S": value} if isinstance(value, str) else {"N": repr(value)}
