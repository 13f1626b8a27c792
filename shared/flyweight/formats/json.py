"""A Prediction to bytes, in the form that the caller accepts; strict JSON, so that no NaN ever leaves."""

import json
from math import isfinite

from flyweight.errors import NotAcceptable, preview
from flyweight.formats import media_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.values import Prediction


def _make_dumps() -> "Callable[[Any], str]":
    """The standard library's encoder, kept: `encode` would make its C half anew each time, at a third of the answer's cost."""
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        # what `JSONEncoder.iterencode` does in CPython 3.11 to 3.13; wherever that changes, its own way is taken
        chunks = json.encoder.c_make_encoder(  # type: ignore[attr-defined]
            None, encoder.default, json.encoder.encode_basestring, None, ":", ",", False, False, False
        )
        return lambda value: "".join(chunks(value, 0))
    except (AttributeError, TypeError):
        return encoder.encode


_dumps = _make_dumps()


def json_bytes(value: "Any") -> bytes:
    """Strict, compact JSON in UTF-8; a number that is not finite becomes null."""
    try:
        text = _dumps(value)
    except ValueError:
        text = _dumps(_finite(value))
    # A lone surrogate, which JSON's \\u can smuggle in, is no character, and a runtime that parses it out of an answer dies.
    return text.encode("utf-8", "replace")


def _finite(value: "Any") -> "Any":
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value


def form(accept: str) -> str:
    """The media type to answer in, by an Accept header; JSON where the caller doesn't mind.

    :raises NotAcceptable: none of those accepted is spoken here.
    """
    if not accept or accept == "*/*":
        return "application/json"
    wanted = []
    for position, entry in enumerate(accept.split(",")):
        media, parameters = media_type(entry)
        weight = _weight(parameters.get("q", "1"))
        wanted.append((-weight, position, media))
    for weight, _, media in sorted(wanted):
        found = FORMS.get(media) or (ANY.get(media) if weight else None)
        if found and weight:
            return media if media in FORMS else ANY[media]
    raise NotAcceptable(f"none of {preview(accept)} is spoken here; {', '.join(FORMS)} are")


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def encode(prediction: "Prediction", media: str, model: "dict[str, str]") -> bytes:
    """The answer's body in one of `FORMS`."""
    return FORMS[media](prediction, model)


def _json(prediction: "Prediction", model: "dict[str, str]") -> bytes:
    answer = {name: value for name, value in zip(ANSWER, prediction, strict=True) if value is not None}  # type: ignore[call-overload]
    answer["model"] = model
    return json_bytes(answer)


def _records(prediction: "Prediction") -> "list[dict[str, Any]]":
    """One flat record an instance, for the forms of one line an instance."""
    named = [(ONE[name], values) for name, values in zip(ANSWER, prediction, strict=True) if name in ONE and values is not None]  # type: ignore[call-overload]
    names = [name for name, _ in named]
    return [dict(zip(names, record, strict=True)) for record in zip(*[values for _, values in named], strict=True)]


def _ndjson(prediction: "Prediction", model: "dict[str, str]") -> bytes:
    return b"".join(json_bytes(record) + b"\n" for record in _records(prediction))


def _csv(prediction: "Prediction", model: "dict[str, str]") -> bytes:
    from flyweight.formats.csv import answer  # csv is imported for those who ask for it

    return answer(prediction).encode("utf-8", "replace")


FORMS: "dict[str, Callable[[Prediction, dict[str, str]], bytes]]" = {
    "application/json": _json,
    "text/csv": _csv,
    "application/x-ndjson": _ndjson,
}
ANSWER = ("predictions", "probabilities", "scores", "score_samples", "transformed", "classes")  # as Prediction has them
# the same of one instance, in a record of its own
ONE = {
    "predictions": "prediction",
    "probabilities": "probabilities",
    "scores": "scores",
    "score_samples": "score_sample",
    "transformed": "transformed",
}
ANY = {"*/*": "application/json", "application/*": "application/json", "text/*": "text/csv"}
