"""The Open Inference Protocol v2 of KServe, Triton and MLServer: tensors in JSON or binary, below `/v2`.

https://github.com/kserve/open-inference-protocol and its binary tensor data extension; the repository's index and a model's
configuration are Triton's extensions. Every fault of a request is answered 400 with `{"error": TEXT}`.
"""

from flyweight import protocols, strict_json
from flyweight.errors import NotFound
from flyweight.formats import json as json_format
from flyweight.protocols import Answer, Query, _documents, _inference_requests, _models, _signatures, _tensors, native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.signature import Signature
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation
    from flyweight.values import Prediction, Request

EXTENSIONS = ["binary_tensor_data", "model_repository", "model_configuration"]
PLATFORM = "flyweight"
error = _documents.error


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation of a path below /v2, and `M` or `M/versions/V`, which names the model.

    :raises NotFound, MethodNotAllowed: no such path, or it takes another method.
    """
    if path != "/v2" and not path.startswith("/v2/"):
        return None
    operations, named = OF_THE_SERVER.get(path[3:]), ""
    if operations is None and path.startswith("/v2/models/"):
        name, *rest = path[len("/v2/models/") :].split("/")
        named = name
        if rest[:1] == [_models.VERSIONS] and len(rest) > 1:
            named, rest = "/".join((name, *rest[:2])), rest[2:]
        operations = OF_A_MODEL.get("/".join(rest))
    if operations is None:
        raise NotFound(f"nothing is at {path[:200]!r}; the paths of this protocol are {', '.join(PATHS)}")
    operation = protocols.operation_for(operations, method, path)
    return (infer_version if operation is infer and "/" in named else operation), named


def parse(request: "Request", predictor: "Predictor") -> Query:
    """Read tensors, and the outputs that are asked for with the form of each.

    :raises FlyweightError: as `_inference_requests.read` and `_signatures.instances_of`.
    """
    asked = _inference_requests.read(request, predictor.validator)
    instances = _signatures.instances_of(asked.tensors, predictor.validator)
    if asked.parse_text or predictor.validator.limits.parse_text:
        instances = json_format.read_texts(instances, predictor.validator)
    fields = {tensor.name: tensor.output for tensor in _signatures.outputs_of(predictor)}
    outputs = [*dict.fromkeys([fields.get(name, name) for name in asked.outputs])] or None
    return Query(instances, outputs, options={"asked": asked, "count": len(instances)})


def render(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
    """Write the tensors that are asked for, all that the prediction has if none is; binary ones follow the JSON."""
    asked, outputs, pieces = query.options["asked"], [], list[bytes]()
    for tensor in _signatures.answers_of(prediction, predictor, query.options["count"], asked.outputs):
        described: dict[str, Any] = {"name": tensor.name, "shape": tensor.shape, "datatype": tensor.datatype}
        output = tensor.name if tensor.name in asked.outputs else tensor.name.rpartition("_")[0]
        if asked.outputs.get(output, asked.binary):
            pieces.append(_tensors.to_bytes(tensor))
            outputs.append({**described, "parameters": {"binary_data_size": len(pieces[-1])}})
        else:
            outputs.append({**described, "data": tensor.values})
    document = {"model_name": query.options.get("model", predictor.name), "model_version": predictor.version}
    document |= {} if asked.request_id is None else {"id": asked.request_id}
    text = strict_json.encode({**document, "outputs": outputs})
    if not pieces:
        return Answer(text, _documents.JSON)
    length = {_inference_requests.LENGTH: str(len(text))}
    return Answer(b"".join((text, *pieces)), "application/octet-stream", headers=length)


def infer(context: "Context", request: "Request", name: str) -> Answer:
    """Predict the tensors of a request."""
    model, key = _models.find(context, name)

    def named(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
        return render(prediction, query._replace(options={**query.options, "model": model}), predictor)

    return protocols.infer(context, request, key, parse, named)


def infer_version(context: "Context", request: "Request", name: str) -> Answer:
    """Predict with the version that the path names, and never with a canary."""
    return infer(context, request, name)


def server(context: "Context", request: "Request", name: str) -> Answer:
    """Name the server, its version and the extensions of the protocol."""
    from flyweight import __version__

    return _documents.answer({"name": PLATFORM, "version": __version__, "extensions": EXTENSIONS})


def live(context: "Context", request: "Request", name: str) -> Answer:
    """Report that the process is alive."""
    return _documents.answer({"live": True})


def ready(context: "Context", request: "Request", name: str) -> Answer:
    """Report that the default model answers its own sample as recorded.

    :raises ModelUnavailable: it does not, or the process is about to end.
    """
    native.ready(context, request, "")
    return _documents.answer({"ready": True})


def model_ready(context: "Context", request: "Request", name: str) -> Answer:
    """Report that one model answers its own sample as recorded.

    :raises ModelUnavailable: it does not, or the process is about to end.
    """
    model, key = _models.find(context, name)
    native.ready(context, request, key)
    return _documents.answer({"name": model, "ready": True})


def models(context: "Context", request: "Request", name: str) -> Answer:
    """List the names of the models."""
    return _documents.answer({"models": _models.names(context)})


def index(context: "Context", request: "Request", name: str) -> Answer:
    """List the models with their versions; a model without one can't be loaded."""
    rows = []
    for model in _models.names(context):
        versions: list[str] = _models.versions(context, model)
        rows += [{"name": model, "version": version, "state": "READY", "reason": ""} for version in versions]
        rows += [] if versions else [{"name": model, "version": "", "state": "UNAVAILABLE", "reason": "the log has the reason"}]
    return _documents.answer(rows)


def metadata(context: "Context", request: "Request", name: str) -> Answer:
    """Describe the tensors of a model."""
    model, key = _models.find(context, name)
    predictor = context.predictor(key)
    sides = {"inputs": _signatures.inputs_of(predictor), "outputs": _signatures.outputs_of(predictor)}
    tensors = {side: [{"name": t.name, "datatype": t.datatype, "shape": t.shape} for t in found] for side, found in sides.items()}
    versions = [*dict.fromkeys([predictor.version, *_models.versions(context, model)])]
    return _documents.answer({"name": model, "versions": versions, "platform": PLATFORM, **tensors})


def config(context: "Context", request: "Request", name: str) -> Answer:
    """Describe a model as Triton's configuration does, in which no shape has the number of instances."""
    model, key = _models.find(context, name)
    predictor = context.predictor(key)
    sides = {"input": _signatures.inputs_of(predictor), "output": _signatures.outputs_of(predictor)}
    tensors = {
        side: [
            {"name": t.name, "data_type": TYPES.get(t.datatype, f"TYPE_{t.datatype}"), "dims": t.shape[1:] or [1]} for t in found
        ]
        for side, found in sides.items()
    }
    most = predictor.validator.limits.max_instances
    return _documents.answer({"name": model, "platform": PLATFORM, "backend": PLATFORM, "max_batch_size": most, **tensors})


def example(signature: "Signature", name: str, instances: "list[dict[str, Any]]") -> "tuple[str, Any]":
    """Say instances in this protocol's words: the path and the document of a request."""
    return f"/v2/models/{name}/infer", {"inputs": _signatures.example(signature, instances)}


def openapi(predictor: "Predictor") -> "dict[str, Any]":
    """Describe the operation that predicts."""
    from flyweight.protocols.openapi import operation  # imported late: no prediction needs it

    return {"POST /v2/models/M/infer": operation(_signatures.BODY, _signatures.ANSWER)}


TYPES = {"BYTES": "TYPE_STRING"}  # Triton's names, where they are others
OF_THE_SERVER: "dict[str, dict[str, Operation]]" = {
    "": {"GET": server},
    "/health/live": {"GET": live},
    "/health/ready": {"GET": ready},
    "/models": {"GET": models},
    "/repository/index": {"POST": index},
}
OF_A_MODEL: "dict[str, dict[str, Operation]]" = {
    "": {"GET": metadata},
    "ready": {"GET": model_ready},
    "infer": {"POST": infer},
    "config": {"GET": config},
}
PATHS = ["GET /v2", "GET /v2/health/ready", "GET /v2/models", "GET /v2/models/M", "POST /v2/models/M/infer"]
