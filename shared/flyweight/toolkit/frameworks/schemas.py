"""Make models of Pydantic from a signature: they describe requests and answers, which the core validates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from flyweight.protocols.openapi import feature_schema

if TYPE_CHECKING:
    from flyweight.models.signature import Feature, Signature
    from flyweight.predictor import Predictor

TYPES = {"number": float, "boolean": bool, "string": str, "datetime": str}
KEPT = ("description", "examples")  # of a feature's JSON Schema; Pydantic writes the rest


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str


class ModelName(BaseModel):
    """The model that answered."""

    name: str
    version: str


def of(predictor: Predictor) -> tuple[type[BaseModel], type[BaseModel]]:
    """Make the models of a request and of its answer, with names that begin with the model's."""
    name = "".join(word.capitalize() for word in _words(predictor.name)) or "Model"
    return _asked(predictor, name), _answered(predictor, name)


def _asked(predictor: Predictor, name: str) -> type[BaseModel]:
    """Make the model of a request, with an example from the model's own sample."""
    features: dict[str, Any] = {f"feature_{place}": _field(one) for place, one in enumerate(predictor.signature.features)}
    config = ConfigDict(extra="allow" if predictor.validator.ignores else "forbid")
    instance = create_model(f"{name}Instance", __config__=config, **features)
    sample = predictor.file.document.get("sample")
    rows = sample.get("instances", [])[:1] if isinstance(sample, dict) else []
    names = [feature.name for feature in predictor.signature.features]
    named: Any = [row if isinstance(row, dict) else dict(zip(names, row, strict=False)) for row in rows]
    config = ConfigDict(json_schema_extra={"examples": [{"instances": named}]} if named else None)
    output: Any = Literal[tuple(predictor.output_names)]
    reads = predictor.validator.limits.parse_text
    fields: dict[str, Any] = {
        "instances": (list[instance], Field(min_length=1)),  # type: ignore[valid-type]
        "outputs": (list[output] | None, Field(None, min_length=1, description="those of the answer; null: the usual ones")),
        "parse_text": (bool, Field(reads, description="whether strings are read as in CSV")),
    }
    return create_model(f"{name}Request", __config__=config, **fields)


def _field(feature: Feature) -> tuple[Any, Any]:
    """Make the type and the description of a feature; any text may be its name, and so it is an alias."""
    known = {key: value for key, value in feature_schema(feature).items() if key in KEPT}
    kind: Any = TYPES.get(feature.kind, Any)
    if feature.kind == "unread":
        return kind, Field(None, alias=feature.name, title=feature.name, **known)
    return (kind | None if feature.nullable else kind), Field(alias=feature.name, title=feature.name, **known)


def _answered(predictor: Predictor, name: str) -> type[BaseModel]:
    """Make the model of an answer."""
    fields: dict[str, Any] = {output: (list[Any] | None, None) for output in predictor.output_names}
    if "predictions" in fields:
        one: Any = _prediction(predictor.signature)
        fields["predictions"] = (list[one] | None, None)
    if predictor.signature.classes is not None:
        fields["classes"] = (list[Any] | None, None)
    return create_model(f"{name}Answer", **fields, model=(ModelName, ...))


def _prediction(signature: Signature) -> Any:
    """Choose the type of one entry of `predictions`."""
    if signature.classes is not None:
        labels = signature.classes[0]
        named = all(type(label) in (str, int, bool) for label in labels)
        return (Literal[tuple(labels)] if named else Any) if signature.outputs == 1 else list[Any]
    return list[float | str | None] if signature.outputs > 1 or signature.task == "transformation" else float


def _words(text: str) -> list[str]:
    """Divide a model's name where it has other signs than letters and digits."""
    return "".join(sign if sign.isascii() and sign.isalnum() else " " for sign in text).split()
