"""Describe a model's signature as JSON Schema, and its endpoint as OpenAPI 3.1."""

from flyweight import protocols

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from flyweight.models.signature import Feature, Signature
    from flyweight.predictor import Predictor
    from flyweight.protocols import InferenceProtocol

PROBLEM: "dict[str, Any]" = {
    "description": "a problem document (RFC 9457)",
    "content": {"application/problem+json": {"schema": {"type": "object"}}},
}
OBJECT: "dict[str, Any]" = {"type": "object"}
ROWS: "dict[str, Any]" = {"type": "array", "description": "one entry for each instance"}
# what stands in the paths of protocols, and its name here
PARAMETERS = {"M": "model", "E": "endpoint", "D": "deployed_model"}


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


def describe(predictor: "Predictor", on: "Iterable[InferenceProtocol]" = ()) -> "dict[str, Any]":
    """Make the OpenAPI document of the endpoint that serves this model.

    :param on: the protocols that are on, first those that are asked first; () for native alone.
    """
    named = {name_of(protocol): protocol for protocol in on}
    asked = [*named.values()]
    document = _native(predictor) if not named or "native" in named else _document(predictor, {})
    for name, protocol in named.items():
        for path, operations in ({} if name == "native" else of_protocol(name, protocol, predictor, asked)).items():
            known = document["paths"].setdefault(path, {})
            known.update({method: operation for method, operation in operations.items() if method not in known})
    return document


def operation(body: "dict[str, Any]", answer: "dict[str, Any]", *content_types: str) -> "dict[str, Any]":
    """Describe an operation that predicts, for a protocol's member `openapi`.

    :param body: the JSON Schema of a request.
    :param answer: the JSON Schema of an answer.
    :param content_types: of requests and answers beside JSON.
    """
    texts = {content_type: {"schema": {"type": "string"}} for content_type in content_types}
    content = {"application/json": {"schema": body}, **texts}
    return {"requestBody": {"required": True, "content": content}, "responses": {"200": _ok(answer, texts)}}


def of_protocol(
    name: str, protocol: "InferenceProtocol", predictor: "Predictor", on: "list[InferenceProtocol]"
) -> "dict[str, Any]":
    """Describe the paths of a protocol: what its member `openapi` says of each, and the request of its member `example`.

    :param on: the protocols that are on. A path that one of them takes or refuses before this protocol is asked is left out.
    """
    told, asks = getattr(protocol, "openapi", None), getattr(protocol, "example", None)
    operations = {} if told is None else told(predictor)
    paths: dict[str, Any] = {}
    for known in dict.fromkeys([*protocol.PATHS, *operations]):
        method, path = known.split(" ", 1)
        if protocols.route(on, method, path)[0] is not protocol:
            continue
        template, parameters = _template(path, predictor)
        described: dict[str, Any] = {"operationId": f"{name}_{method.lower()}{_plain(path)}", "tags": [name]}
        described |= {"parameters": parameters} if parameters else {}
        own = operations.get(known, {})
        refused = {"description": "an error in the protocol's own form"}
        described |= {**own, "responses": {"200": {"description": "OK"}, **own.get("responses", {}), "default": refused}}
        paths.setdefault(template, {})[method.lower()] = described
    if asks is not None and (instances := _sample(predictor)):
        path, document = asks(predictor.signature, predictor.name, instances)
        for template, methods in paths.items():
            body = methods.get("post", {}).get("requestBody")
            if body and template.format(**{place: predictor.name for place in PARAMETERS.values()}) == path:
                body["content"]["application/json"]["example"] = document
    return paths


def name_of(protocol: "InferenceProtocol") -> str:
    """Get the name of a protocol, which is that of its module."""
    return str(getattr(protocol, "__name__", "")).rpartition(".")[2]


def _plain(path: str) -> str:
    """Write a path as a part of an identifier."""
    return "".join([letter if letter.isalnum() else "_" for letter in path]).rstrip("_")


def _template(path: str, predictor: "Predictor") -> "tuple[str, list[dict[str, Any]]]":
    """Turn a path of a protocol into OpenAPI's form, and describe its parameters."""
    segments, parameters = [], []
    for segment in path.split("/"):
        place, colon, verb = segment.partition(":")
        if place in PARAMETERS:
            only = {"enum": [predictor.name]} if place == "M" else {"minLength": 1}
            schema = {"type": "string", **only}
            parameters.append({"name": PARAMETERS[place], "in": "path", "required": True, "schema": schema})
            place = f"{{{PARAMETERS[place]}}}"
        segments.append(f"{place}{colon}{verb}")
    return "/".join(segments), parameters


def _sample(predictor: "Predictor") -> "list[dict[str, Any]]":
    """Get an instance of the model's own sample, by name and without what the model does not read; [] if none exists."""
    sample = predictor.file.document.get("sample")
    kept = sample.get("instances") if isinstance(sample, dict) else None
    features = predictor.signature.features
    if not isinstance(kept, list) or not kept or not isinstance(kept[0], (list, dict)):
        return []
    row = kept[0] if isinstance(kept[0], dict) else dict(zip([one.name for one in features], kept[0], strict=False))
    return [{feature.name: row.get(feature.name) for feature in features if feature.kind != "unread"}]


def _native(predictor: "Predictor") -> "dict[str, Any]":
    """Make the document of native's paths."""
    reads = {
        "/": ("health_at_root", {"type": "object"}),
        "/health": ("health", {"type": "object"}),
        "/ready": ("ready", {"type": "object"}),
        "/model": ("model", {"type": "object"}),
        "/openapi.json": ("openapi", {"type": "object"}),
        "/models": ("models", {"type": "object"}),
    }
    predict = _predict(predictor)
    paths: dict[str, Any] = {"/predict": {"post": predict}, "/": {"post": {**predict, "operationId": "predict_at_root"}}}
    for path, (name, schema) in reads.items():
        paths.setdefault(path, {})["get"] = {"operationId": name, "responses": {"200": _ok(schema, {}), "503": PROBLEM}}
    return _document(predictor, paths)


def _document(predictor: "Predictor", paths: "dict[str, Any]") -> "dict[str, Any]":
    """Make a document of paths, with the schemas of an instance and of native's answer."""
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
    outputs = {"type": ["array", "null"], "minItems": 1, "items": {"enum": predictor.output_names}}
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
