"""The instances to call a model with: those of its recorded sample, or one that is made from its signature."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from flyweight.models.signature import Feature, Signature

MOMENT = "2024-01-31T00:00:00"  # a datetime for a feature whose own are unknown


def instances(document: dict[str, Any], most: int = 1) -> list[dict[str, Any]]:
    """List instances that a model accepts, as objects by feature name.

    :param document: the document of a model file.
    :param most: how many at most; there is only one if the file contains no sample.
    :raises ModelRefused: its signature is malformed.
    """
    features = Signature.of(document).features
    sample = document.get("sample")
    kept = sample.get("instances") if isinstance(sample, dict) else None
    if not isinstance(kept, list) or not kept:
        return [{feature.name: _made(feature) for feature in features}]
    names = [feature.name for feature in features]
    return [one if isinstance(one, dict) else dict(zip(names, one, strict=True)) for one in kept[:most]]


def body(document: dict[str, Any], most: int = 1) -> str:
    """Write the JSON body of a request for the predictions of these instances."""
    return json.dumps({"instances": instances(document, most)}, ensure_ascii=False)


def table(document: dict[str, Any], most: int = 1) -> tuple[list[str], list[list[str]]]:
    """Write these instances as the header and the lines of a CSV file, which are read as the same values."""
    features = Signature.of(document).features
    rows = instances(document, most)
    return [feature.name for feature in features], [[_cell(row.get(one.name), one) for one in features] for row in rows]


def text(document: dict[str, Any], most: int = 1) -> str:
    """Write these instances as a CSV file."""
    names, lines = table(document, most)
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([names, *lines])
    return file.getvalue()


def _made(feature: Feature) -> Any:
    """Make a value for a feature: one that was seen in training, if the signature tells one."""
    if feature.categories:
        return feature.categories[0]
    if feature.kind == "number":
        low, high = feature.range or (0, 0)
        return (low + high) / 2
    return {"boolean": False, "string": "a", "datetime": _moment(feature)}.get(feature.kind)


def _moment(feature: Feature) -> str:
    """Write a datetime as text, with an offset if the feature wants one."""
    return MOMENT + ("Z" if feature.zone == "UTC" else "")


def _cell(value: Any, feature: Feature) -> str:
    if value is None:
        return "" if "" in feature.missing else min(feature.missing, default="")
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else repr(value)
