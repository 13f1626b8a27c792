"""A request's bytes to validated rows: floats (NaN where missing), strings and None, in the signature's order."""

import json
from math import inf, isfinite, nan
from operator import itemgetter

from flyweight.errors import Fault, InvalidInput, MalformedRequest, TooLarge, UnsupportedMediaType, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from flyweight.settings import Limits
    from flyweight.signature import Feature, Signature

MAX_FAULTS = 20
EXPECTED = 'an object {"instances": [...]} or an array of instances'


class Reader:
    """Reads instances by one signature: the checks that can be prepared are prepared once."""

    def __init__(self, signature: "Signature", limits: "Limits") -> None:
        self._features = signature.features
        self._names = [feature.name for feature in signature.features]
        self._limits = limits
        self._by_name: Callable[[dict[str, Any]], Sequence[Any]] = itemgetter(*self._names)
        self._one = len(self._names) == 1
        self._plain = all(feature.kind == "number" for feature in signature.features)

    def read(self, body: bytes, content_type: str) -> "list[list[Any]]":
        """The rows in a body of the given content type (JSON where it is empty).

        :raises MalformedRequest, UnsupportedMediaType, TooLarge, InvalidInput: in words for the caller.
        """
        if len(body) > self._limits.max_body_bytes:
            raise TooLarge(f"the body has {len(body)} bytes, the limit is {self._limits.max_body_bytes}")
        media, parameters = media_type(content_type)
        parse = PARSERS.get(media or "application/json")
        if parse is None:
            raise UnsupportedMediaType(f"content type {shown(media)} is not one of {', '.join(PARSERS)}")
        charset = parameters.get("charset", "utf-8").lower()
        if charset not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedMediaType(f"charset {shown(charset)} is not spoken here; send UTF-8")
        text = _decoded(body)
        if not text or text.isspace():
            raise MalformedRequest(f"the body is empty; expected {EXPECTED}")
        return self.rows(parse(text, self._features, parameters))

    def rows(self, instances: "Any") -> "list[list[Any]]":
        """The rows of parsed instances, each a list in the signature's order or an object by feature name.

        :raises TooLarge: more instances than the limit.
        :raises InvalidInput: with every fault up to twenty, not only the first.
        """
        if not isinstance(instances, list) or not instances:
            raise InvalidInput(Fault("at least one instance", shown(instances)))
        if len(instances) > self._limits.max_instances:
            raise TooLarge(f"{len(instances)} instances, the limit is {self._limits.max_instances} a request")
        rows: list[list[Any]] = []
        faults: list[Fault] = []
        for number, instance in enumerate(instances):
            try:
                rows.append(self._row(instance))
            except InvalidInput as error:
                faults += [fault._replace(instance=number) for fault in error.faults]  # type: ignore[attr-defined]
                if len(faults) >= MAX_FAULTS:
                    break
        if faults:
            raise InvalidInput(*faults[:MAX_FAULTS])
        return rows

    def _row(self, instance: "Any") -> "list[Any]":
        values = self._values(instance)
        # The usual case in four calls: all floats, all finite. A sum that is not finite means a value that is not, or huge
        # ones, and the slow way tells them apart.
        if self._plain and {*map(type, values)} == {float} and isfinite(sum(values)):
            return [*values]
        row: list[Any] = []
        faults: list[Fault] = []
        for feature, value in zip(self._features, values, strict=True):
            try:
                row.append(READERS[feature.kind](value, feature, self._limits))
            except InvalidInput as error:
                faults += error.faults
        if faults:
            raise InvalidInput(*faults)
        return row

    def _values(self, instance: "Any") -> "Sequence[Any]":
        """An instance's values in the signature's order."""
        if isinstance(instance, dict):
            if len(instance) == len(self._names):
                try:
                    values = self._by_name(instance)
                    return [values] if self._one else values
                except KeyError:
                    pass
            raise InvalidInput(*_misnamed(instance, self._features))
        if not isinstance(instance, (list, tuple)):
            raise InvalidInput(Fault("an array of values or an object by feature name", shown(instance)))
        if len(instance) != len(self._names):
            raise InvalidInput(Fault(f"{len(self._names)} values ({_some(self._names)})", f"{len(instance)} values"))
        return instance


def media_type(text: str) -> "tuple[str, dict[str, str]]":
    """A Content-Type or one entry of an Accept header: the media type in lower case, and its parameters."""
    media, *rest = text.split(";")
    pairs = [part.partition("=") for part in rest]
    return media.strip().lower(), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _misnamed(instance: "dict[str, Any]", features: "list[Feature]") -> "Iterable[Fault]":
    """One fault a feature that is missing or unknown, an unknown one with the name that was probably meant."""
    missing = {feature.name: feature for feature in features if feature.name not in instance}
    known = {feature.name: feature for feature in features}
    for name in instance:
        if name not in known:
            from difflib import get_close_matches  # 5 ms, and only for a mistake

            meant = get_close_matches(str(name), [*missing] or [*known], n=1)
            hint = f"did you mean {meant[0]!r}?" if meant else f"known are {_some([*known])}"
            missing.pop(meant[0] if meant else "", None)
            yield Fault("a feature of this model", "an unknown feature", feature=shown(str(name)).strip("'"), hint=hint)
    for name, feature in missing.items():
        unknown = "send null if its value is not known" if feature.nullable else None
        yield Fault(_kind(feature), "no such feature in the instance", feature=name, hint=unknown)


def _number(value: "Any", feature: "Feature", limits: "Limits") -> float:
    if isinstance(value, (float, int)) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = inf
        if isfinite(number):
            return number
        if number == number:
            raise InvalidInput(Fault("a finite number", "a number too large for a double", feature=feature.name))
        value = None
    if value is None and feature.nullable:
        return nan
    raise _wrong_kind(value, feature)


def _boolean(value: "Any", feature: "Feature", limits: "Limits") -> float:
    if value is True or value is False:
        return float(value)
    if value in (0, 1):
        return float(value)
    if (value is None or value != value) and feature.nullable:
        return nan
    raise _wrong_kind(value, feature)


def _string(value: "Any", feature: "Feature", limits: "Limits") -> "str | None":
    if isinstance(value, str):
        if len(value) > limits.max_string_length:
            expected = f"at most {limits.max_string_length} characters"
            raise InvalidInput(Fault(expected, f"{len(value)} characters", feature=feature.name))
        return value
    if (value is None or value != value) and feature.nullable:
        return None
    raise _wrong_kind(value, feature)


READERS: "dict[str, Callable[[Any, Feature, Limits], Any]]" = {"number": _number, "boolean": _boolean, "string": _string}


def _wrong_kind(value: "Any", feature: "Feature") -> InvalidInput:
    return InvalidInput(Fault(_kind(feature), shown(None if value != value else value), feature=feature.name))


def _kind(feature: "Feature") -> str:
    return f"a {feature.kind} or null" if feature.nullable else f"a {feature.kind}"


def _some(names: "list[str]") -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more


def _decoded(body: bytes) -> str:
    try:
        return (body[3:] if body.startswith(b"\xef\xbb\xbf") else body).decode()
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"the body is not UTF-8: byte {error.start} is {body[error.start]:#04x}") from None


def _unique(pairs: "list[tuple[str, Any]]") -> "dict[str, Any]":
    unique = dict(pairs)
    if len(unique) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedRequest(f"the key {shown(twice)} stands twice in one object")
    return unique


def _no_constant(token: str) -> None:
    raise MalformedRequest(f"{token} is not JSON; send null for a missing value")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def parse_json(text: str, where: str = "the body") -> "Any":
    """Strict JSON: no NaN, no duplicate keys, no nesting beyond what the interpreter's stack takes.

    :raises MalformedRequest: with the line and column.
    """
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedRequest(f"{where} is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise MalformedRequest(f"{where} is nested too deeply") from None
    except ValueError:  # more digits than Python converts
        raise MalformedRequest(f"{where} holds a number of too many digits") from None


def _json_instances(text: str, features: "list[Feature]", parameters: "dict[str, str]") -> "Any":
    document = parse_json(text)
    if isinstance(document, dict):
        if "instances" not in document:
            names = [feature.name for feature in features]
            hint = "wrap the instance: {\"instances\": [{...}]}" if names[0] in document else None
            raise InvalidInput(Fault(EXPECTED, f"an object with the keys {_some([*document])}", hint=hint))
        if len(document) > 1:
            extra = [key for key in document if key != "instances"]
            raise InvalidInput(Fault("no other key beside 'instances'", _some(extra)))
        document = document["instances"]
    if not isinstance(document, list):
        raise InvalidInput(Fault(EXPECTED, shown(document)))
    return document


def _ndjson_instances(text: str, features: "list[Feature]", parameters: "dict[str, str]") -> "Any":
    lines = text.split("\n")
    return [parse_json(line, f"line {number}") for number, line in enumerate(lines, 1) if line and not line.isspace()]


def _csv_instances(text: str, features: "list[Feature]", parameters: "dict[str, str]") -> "Any":
    from flyweight.csv_form import instances  # csv is imported for those who send it

    return instances(text, features, header=parameters.get("header") != "absent")


PARSERS: "dict[str, Callable[[str, list[Feature], dict[str, str]], Any]]" = {
    "application/json": _json_instances,
    "text/csv": _csv_instances,
    "application/x-ndjson": _ndjson_instances,
}
