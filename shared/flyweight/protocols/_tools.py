"""Offer models as tools: their descriptions from signatures, their arguments as one instance, their results.

The tool `predict` is the default model, and `predict_NAME` is one of FLYWEIGHT_MODELS.
"""

from flyweight import strict_json
from flyweight.errors import MalformedRequest, preview
from flyweight.protocols import Query, _sql
from flyweight.values import Prediction, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.protocols import Context

PREDICT = "predict"


class Tool(Value):
    """A tool: its name, and the key of its model."""

    name: str
    key: str


def tools_of(context: "Context") -> "list[Tool]":
    """List the tools of a deployment."""
    return [Tool(PREDICT, ""), *[Tool(f"{PREDICT}_{name}", name) for name in context.settings.models]]


def described(name: str, predictor: "Predictor") -> "dict[str, Any]":
    """Describe a tool by the signature of its model."""
    from flyweight.protocols.openapi import feature_schema  # imported late: no call needs it

    signature = predictor.signature
    properties = {feature.name: feature_schema(feature) for feature in signature.features if feature.kind != "unread"}
    required = [feature.name for feature in signature.features if not feature.nullable]
    what = f"Predict with the model {predictor.name} {predictor.version} ({signature.task}), from its {len(properties)} features"
    classes = signature.classes if signature.classes is not None and signature.outputs == 1 else None
    what += f", one of: {', '.join(map(str, classes[0][:20]))}." if classes else "."
    inputs = {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": predictor.validator.ignores,
    }
    answers = {
        "type": "object",
        "properties": {"prediction": {}, "model": {"type": "object"}},
        "required": ["prediction", "model"],
    }
    hints = {"readOnlyHint": True, "idempotentHint": True, "openWorldHint": False}
    return {"name": name, "description": what, "inputSchema": inputs, "outputSchema": answers, "annotations": hints}


def query_of(parameters: "dict[str, Any]", predictor: "Predictor") -> Query:
    """Make an instance of arguments; texts for numbers are read, and what may be missing may be absent.

    :raises MalformedRequest: the arguments are no object.
    """
    given = parameters.get("arguments")
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise MalformedRequest(f"arguments should be an object by feature name, got {preview(given)}")
    features = {feature.name: feature for feature in predictor.validator.features}
    instance = {name: _sql.argument(value, features[name]) if name in features else value for name, value in given.items()}
    for feature in features.values():
        if feature.nullable and feature.name not in instance:
            instance[feature.name] = None
    return Query([instance])


def result_of(prediction: "Prediction", predictor: "Predictor") -> "dict[str, Any]":
    """Make the result of a call."""
    document: dict[str, Any] = {}
    for output in predictor.output_names:
        if getattr(prediction, output) is not None:
            query = Query([], [output], options={"rows": 1, "places": [0]})
            document["prediction" if output == "predictions" else output] = _sql.values(prediction, query, predictor)[0]
    document["model"] = {"name": predictor.name, "version": predictor.version}
    data = strict_json.encode(document)
    return {"content": [{"type": "text", "text": data.decode()}], "structuredContent": strict_json.parse(data), "isError": False}
