"""Describe a model's signature as JSON Schema, and its endpoint as OpenAPI 3.1."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.signature import Feature, Signature
    from flyweight.predictor import Predictor

PROBLEM: "dict[str, Any]" = {
    "description": "a problem document (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"type": "object"}}},
}


def feature_schema(feature: "Feature") -> "dict[str, Any]":
    """Make the JSON Schema of one feature; values seen in training are examples and not constraints."""
    if feature.kind == "unread":
        return {"description": "the model does not read it: any value, or none"}
    kind = "string" if feature.kind == "datetime" else feature.kind
    schema: dict[str, Any] = {"type": [kind, "null"] if feature.nullable else kind}
    if feature.kind == "datetime":
        return {**schema, **_datetime_schema(feature)}
    if feature.categories:
        schema["examples"] = feature.categories[:20]
        schema["description"] = f"seen in training: {', '.join(map(str, feature.categories[:20]))}"
    if feature.range:
        low, high = feature.range
        schema["examples"] = [low, high]
        schema["description"] = f"seen in training: {low:g} to {high:g}"
    return schema


def _datetime_schema(feature: "Feature") -> "dict[str, Any]":
    """Make what the JSON Schema of a datetime has beside its type."""
    from flyweight.models.datetimes import EXAMPLES, iso  # imported late: most models have no such feature

    zone = "with an offset" if feature.zone == "UTC" else "without an offset"
    low, high = [iso(number, feature.zone) for number in feature.range or ()] or (None, None)
    seen = f"; seen in training: {low} to {high}" if low else ""
    # JSON Schema's own format for one without an offset does not exist
    named = {"format": "date-time"} if feature.zone == "UTC" else {}
    return {**named, "description": f"ISO 8601, {zone}{seen}", "examples": [low, high] if low else [EXAMPLES[feature.zone]]}


def instance_schema(signature: "Signature", ignores: bool = False) -> "dict[str, Any]":
    """Make the JSON Schema of one instance: an object by feature name, or an array in the features' order.

    :param ignores: whether an object may have more keys, which are ignored.
    """
    schemas = {feature.name: feature_schema(feature) for feature in signature.features}
    required = [feature.name for feature in signature.features if feature.kind != "unread"]
    by_name = {"type": "object", "properties": schemas, "required": required, "additionalProperties": ignores}
    in_order = {"type": "array", "prefixItems": [*schemas.values()], "minItems": len(schemas), "maxItems": len(schemas)}
    return {"oneOf": [by_name, in_order]}


def answer_schema(signature: "Signature", output_names: "list[str]") -> "dict[str, Any]":
    """Make the JSON Schema of the answer to one request."""
    one: dict[str, Any] = {"type": "number"}
    if signature.classes is not None:
        one = {"enum": signature.classes[0]} if signature.outputs == 1 else {"type": "array"}
    elif signature.outputs > 1 or signature.task == "transformation":
        one = {"type": "array", "items": {"type": ["number", "string", "null"]}}
    properties: dict[str, Any] = {name: {"type": "array"} for name in output_names}
    properties.update({"predictions": {"type": "array", "items": one}, "model": {"type": "object"}})
    if signature.classes is not None:
        properties["classes"] = {"type": "array"}
    return {"type": "object", "required": ["model"], "properties": properties}


def describe(predictor: "Predictor") -> "dict[str, Any]":
    """Make the OpenAPI document of the endpoint that serves this model."""
    reads = {
        "/health": ("health", {"type": "object"}),
        "/ready": ("ready", {"type": "object"}),
        "/model": ("model", {"type": "object"}),
        "/openapi.json": ("openapi", {"type": "object"}),
    }
    paths: dict[str, Any] = {"/predict": {"post": _predict(predictor)}}
    for path, (name, schema) in reads.items():
        paths[path] = {"get": {"operationId": name, "responses": {"200": _ok(schema, {}), "503": PROBLEM}}}
    instance = instance_schema(predictor.signature, predictor.validator.ignores)
    answer = answer_schema(predictor.signature, predictor.output_names)
    return {
        "openapi": "3.1.0",
        "info": {"title": predictor.name, "version": predictor.version},
        "paths": paths,
        "components": {"schemas": {"Instance": instance, "Answer": answer}},
    }


def _predict(predictor: "Predictor") -> "dict[str, Any]":
    """Make the operation that predicts."""
    instances = {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Instance"}}
    outputs = {"type": "array", "minItems": 1, "items": {"enum": predictor.output_names}}
    reads = predictor.validator.limits.parse_text
    parse_text = {"type": "boolean", "default": reads, "description": "whether strings are read as values are in CSV"}
    properties = {"instances": instances, "outputs": outputs, "parse_text": parse_text}
    body = {"oneOf": [{"type": "object", "required": ["instances"], "properties": properties}, instances]}
    sample = predictor.file.document.get("sample")
    example = {"example": {"instances": sample["instances"]}} if isinstance(sample, dict) and "instances" in sample else {}
    texts = {content_type: {"schema": {"type": "string"}} for content_type in ("text/csv", "application/x-ndjson")}
    refused = {status: PROBLEM for status in ("400", "406", "413", "415", "422", "500", "503")}
    return {
        "operationId": "predict",
        "requestBody": {"required": True, "content": {"application/json": {"schema": body, **example}, **texts}},
        "responses": {"200": _ok({"$ref": "#/components/schemas/Answer"}, texts), **refused},
    }


def _ok(schema: "dict[str, Any]", more: "dict[str, Any]") -> "dict[str, Any]":
    return {"description": "OK", "content": {"application/json": {"schema": schema}, **more}}
