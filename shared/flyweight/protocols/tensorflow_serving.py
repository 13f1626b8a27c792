"""The REST API of TensorFlow Serving: below `/v1/models/M`, with versions and labels, and `:predict`, `:classify`, `:regress`.

https://www.tensorflow.org/tfx/serving/api_rest. A label is the alias in the address of a model. Version 0 is the usual one,
because the client of OpenVINO asks for it so. NaN and Infinity are read and written as tokens.
"""

from flyweight import protocols
from flyweight.errors import MalformedRequest, MethodNotAllowed, NotFound, preview
from flyweight.protocols import Answer, Query, _documents, _instances, _models, _signatures, methods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.signature import Signature
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation
    from flyweight.protocols._signatures import Described
    from flyweight.values import Prediction, Request

MODELS = "/v1/models/"
PATHS = ["GET /v1/models/M", "GET /v1/models/M/metadata", "POST /v1/models/M:predict", "POST /v1/models/M:classify"]
EXAMPLES = '{"examples": [{NAME: VALUE}, ...], "context": {NAME: VALUE}}'
# https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/types.proto
TYPES = {"FP64": "DT_DOUBLE", "INT64": "DT_INT64", "BOOL": "DT_BOOL", "BYTES": "DT_STRING"}
parse, error, status = _instances.parse, _documents.error, _instances.status


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation of a path below /v1/models/, and `M`, `M/versions/V` or `M/labels/L`, which names the model.

    :raises NotFound, MethodNotAllowed: no such path, or it takes another method.
    """
    if not path.startswith(MODELS):
        return None
    rest, _, verb = path[len(MODELS) :].partition(":")
    name, *parts = rest.split("/")
    operation: Operation | None = VERBS.get(verb.lower())
    if not verb and parts[-1:] == ["metadata"]:
        operation, parts = metadata, parts[:-1]
    if parts and (len(parts) != 2 or parts[0] not in (_models.VERSIONS, _models.LABELS)):
        operation = None
    if operation is None:
        raise NotFound(f"nothing is at {path[:200]!r}; the paths of this protocol are {', '.join(PATHS)}")
    allowed = "POST" if verb else "GET"
    if method != allowed:
        raise MethodNotAllowed(f"{path[:200]} takes {allowed}, got {method[:20]!r}", methods(allowed))
    named = [name, *parts] if parts and parts != [_models.VERSIONS, "0"] else [name]
    return (infer_version if operation is infer and len(named) > 1 else operation), "/".join(named)


def render(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
    """Write predictions for rows, and outputs for columns."""
    return _instances.render(prediction, query, predictor, tokens=True)


def infer(context: "Context", request: "Request", name: str) -> Answer:
    """Predict the rows or columns of a request."""
    return protocols.infer(context, request, _models.find(context, name)[1], parse, render)


def infer_version(context: "Context", request: "Request", name: str) -> Answer:
    """Predict with the version or the label that the path names, and never with a canary."""
    return infer(context, request, name)


def classify(context: "Context", request: "Request", name: str) -> Answer:
    """Classify examples: for each a list of pairs, a class and its score, in the order of the classes."""
    return protocols.infer(context, request, _models.find(context, name)[1], _classified, _pairs)


def regress(context: "Context", request: "Request", name: str) -> Answer:
    """Predict one number for each example."""
    return protocols.infer(context, request, _models.find(context, name)[1], _regressed, _numbers)


def metadata(context: "Context", request: "Request", name: str) -> Answer:
    """Describe the inputs and outputs of a model's signatures."""
    model, key = _models.find(context, name)
    predictor = context.predictor(key)
    inputs, outputs = _signatures.inputs_of(predictor), _signatures.outputs_of(predictor)
    names = {_instances.USUAL: ["predictions"], **{name: [name] for name in predictor.output_names}}
    names[_instances.ALL] = predictor.output_names
    signatures = {
        signature: {
            "inputs": {tensor.name: _information(tensor) for tensor in inputs},
            "outputs": {tensor.name: _information(tensor) for tensor in outputs if tensor.output in chosen},
            "method_name": "tensorflow/serving/predict",
        }
        for signature, chosen in names.items()
    }
    spec = {"name": model, "signature_name": "", "version": predictor.version}
    return _documents.answer({"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}})


def _information(tensor: "Described") -> "dict[str, Any]":
    """Describe a tensor as TensorFlow's TensorInfo."""
    dimensions = [{"size": str(size), "name": ""} for size in tensor.shape]
    shape = {"dim": dimensions, "unknown_rank": False}
    return {"dtype": TYPES[tensor.datatype], "tensor_shape": shape, "name": tensor.name}


def _examples(request: "Request", predictor: "Predictor") -> "list[Any]":
    """Read examples, each with the features that the context gives for all.

    :raises MalformedRequest: the body is something else.
    :raises TooLarge: the context makes too much of the examples.
    """
    document = _documents.read(request.body, request, predictor.validator, EXAMPLES)
    examples, context = document.get("examples"), _documents.members(document.get("context") or {}, "context")
    if not isinstance(examples, list):
        raise MalformedRequest(f"expected {EXAMPLES}, got {preview(examples)} for examples")
    if context:
        from flyweight.formats import bounds  # imported late: few requests have a context

        bounds.check_made(len(examples) * len(context), len(request.body))
    wholes = [{**context, **_documents.members(example, f"examples[{place}]")} for place, example in enumerate(examples)]
    return _instances.rows(wholes, predictor.validator)


def _classified(request: "Request", predictor: "Predictor") -> Query:
    """Read the examples of a classification, which is answered by probabilities, else by scores or labels.

    :raises MalformedRequest: the body is something else, or the model is no classification of one output.
    """
    classes = predictor.signature.classes
    if classes is None or len(classes) > 1:
        raise MalformedRequest(f"the model {predictor.name} is no classification of one output; send its rows to :predict")
    usual = predictor.engine.widths.get("scores") == len(classes[0])
    scored = "probabilities" if "probabilities" in predictor.output_names else "scores" if usual else "predictions"
    return Query(_examples(request, predictor), [scored])


def _pairs(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
    """Write the classes with their scores; a class without a score has 1 if it is the label and else 0."""
    classes = (predictor.signature.classes or [[]])[0]
    rows = prediction.probabilities or prediction.scores
    if rows is None:
        rows = [[float(label == name) for name in classes] for label in prediction.predictions or []]
    labels = [name if isinstance(name, str) else str(name) for name in classes]
    return _instances.written({"result": [[*zip(labels, row, strict=True)] for row in rows]})


def _regressed(request: "Request", predictor: "Predictor") -> Query:
    """Read the examples of a regression.

    :raises MalformedRequest: the body is something else, or the model is no regression of one output.
    """
    if predictor.signature.task != "regression" or predictor.signature.outputs > 1:
        raise MalformedRequest(f"the model {predictor.name} is no regression of one output; send its rows to :predict")
    return Query(_examples(request, predictor), ["predictions"])


def _numbers(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
    return _instances.written({"result": prediction.predictions})


def example(signature: "Signature", name: str, instances: "list[dict[str, Any]]") -> "tuple[str, Any]":
    """Say instances in this protocol's words: the path and the document of a request."""
    return f"/v1/models/{name}:predict", {"instances": instances}


def openapi(predictor: "Predictor") -> "dict[str, Any]":
    """Describe the operation that predicts."""
    from flyweight.protocols.openapi import OBJECT, operation  # imported late: no prediction needs it

    return {"POST /v1/models/M:predict": operation(_instances.BODY, OBJECT)}


VERBS: "dict[str, Operation]" = {"": status, "predict": infer, "classify": classify, "regress": regress}
