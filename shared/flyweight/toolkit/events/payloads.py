"""Replace each penguin in a sample event by an instance of another model, also inside text and base64.

A penguin with a fault, in a sample of rejected input, is replaced by an instance with the same fault.
"""

import base64
import csv
import gzip
import io
import json
from collections.abc import Iterable
from math import isfinite, isnan
from typing import Any

KINDS: dict[str, tuple[type, ...]] = {
    "island": (str,),
    "bill_length_mm": (int, float),
    "bill_depth_mm": (int, float),
    "flipper_length_mm": (int, float),
    "body_mass_g": (int, float),
    "sex": (str,),
    "year": (int, float),
}
NAMES = [*KINDS]
GZIP = b"\x1f\x8b"  # the first bytes of what gzip has packed


def replaced(value: Any, instance: dict[str, Any]) -> Any:
    """Replace each penguin by the instance: an object, an array, a DynamoDB item, or the text or base64 of one."""
    if isinstance(value, dict):
        known = {*KINDS} & {*value}
        if len(known) > 3 or value.keys() == {"sex", "year"}:
            return _typed_item(value, instance) if isinstance(value[next(iter(known))], dict) else _object(value, instance)
        return {key: replaced(item, instance) for key, item in value.items()}
    if isinstance(value, list):
        if 1 < len(value) <= len(NAMES) and value[0] in ("Torgersen", "Biscoe", "Dream"):
            return _array(value, instance)
        return [replaced(item, instance) for item in value]
    return _text(value, instance) if isinstance(value, str) else value


def _object(value: dict[str, Any], instance: dict[str, Any]) -> dict[str, Any]:
    first = next(iter(instance))
    unknown, missing = {*value} - {*KINDS}, {*KINDS} - {*value}
    if unknown and missing:  # a misspelt name
        return {(f"{name}_" if name == first else name): item for name, item in instance.items()}
    if missing:
        return {name: item for name, item in instance.items() if name != first}
    if unknown:
        return {**instance, **{name: value[name] for name in unknown - {*instance}}}
    if all(_fits(*pair) for pair in value.items()):
        return instance
    if all(_written(*pair) for pair in value.items()):
        return {name: "" if item is None else str(item) for name, item in instance.items()}
    return {**instance, first: _wrong(value.values())}


def _array(value: list[Any], instance: dict[str, Any]) -> list[Any]:
    whole = [*instance.values()]
    if len(value) < len(NAMES):
        return whole[:-1]
    return whole if all(map(_fits, NAMES, value)) else [_wrong(value), *whole[1:]]


def _wrong(values: Iterable[Any]) -> Any:
    """Choose an invalid value: NaN, which is not JSON, if the penguin has it, else an array, which no feature accepts."""
    return next((value for value in values if isinstance(value, float) and isnan(value)), [])


def _fits(name: str, value: Any) -> bool:
    if isinstance(value, float):
        return isfinite(value) and float in KINDS[name]
    return value is None or (isinstance(value, KINDS[name]) and not isinstance(value, bool) and len(str(value)) < 100)


def _written(name: str, value: Any) -> bool:
    """Check whether a value is a text that stands for a valid one, as in CSV."""
    try:
        return isinstance(value, str) and (str in KINDS[name] or isfinite(float(value)))
    except ValueError:
        return False


def _typed_item(value: dict[str, Any], instance: dict[str, Any]) -> dict[str, Any]:
    """Replace the features in a DynamoDB item and keep its key."""
    rest = {key: item for key, item in value.items() if key not in KINDS}
    return {**rest, **{key: _typed(item) for key, item in instance.items()}}


def _typed(value: Any) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    return {"S": value} if isinstance(value, str) else {"N": repr(value)}


def _text(value: str, instance: dict[str, Any]) -> str:
    """Replace penguins in JSON, lines of JSON, CSV, or the base64 of one of these, plain or packed by gzip."""
    if (changed := _plain(value, instance)) is not None:
        return changed
    try:
        data = base64.b64decode(value, validate=True)
        packed = data.startswith(GZIP)
        inner = (gzip.decompress(data) if packed else data).decode()
    except (ValueError, EOFError, OSError):
        return value
    changed = _plain(inner, instance)
    if changed in (inner, None):
        return value
    sent = str(changed).encode()
    return base64.b64encode(gzip.compress(sent, mtime=0) if packed else sent).decode()


def _plain(text: str, instance: dict[str, Any]) -> str | None:
    return next((changed for read in (_json, _json_lines, _csv) if (changed := read(text, instance)) is not None), None)


def _json(text: str, instance: dict[str, Any]) -> str | None:
    """Replace penguins in a JSON text; None if the text is not a JSON object or array."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, (dict, list)):
        return None
    changed = replaced(document, instance)
    return text if changed == document else json.dumps(changed)


def _json_lines(text: str, instance: dict[str, Any]) -> str | None:
    lines = [_json(line, instance) if line else line for line in text.split("\n")]
    return None if len(lines) < 2 or None in lines else "\n".join(line for line in lines if line is not None)


def _csv(text: str, instance: dict[str, Any]) -> str | None:
    """Replace rows of penguins, with or without a header; None if the text is not CSV of penguins. A short row stays short."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except csv.Error:
        return None
    header = bool(rows) and len({*rows[0]} & {*NAMES}) > 3
    if not rows or (not header and ({*map(len, rows)} != {len(NAMES)} or rows[0][0] not in ("Torgersen", "Biscoe", "Dream"))):
        return None
    if max(map(len, rows)) > len(NAMES):
        return None
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    if header:
        misspelt = "" if {*rows[0]} == {*NAMES} else "_"
        writer.writerow([f"{name}{misspelt}" for name in instance])
    cells = [str(item).lower() if isinstance(item, bool) else item for item in instance.values()]
    short = cells[:-1] or [*cells, *cells]  # of a model with one feature no row is too short, but one may be too long
    writer.writerows([cells if len(row) == len(NAMES) else short for row in rows[header:]])
    return file.getvalue()
