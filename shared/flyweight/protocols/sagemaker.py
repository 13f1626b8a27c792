"""The containers of Amazon SageMaker: `GET /ping`, `POST /invocations`, `GET /execution-parameters`.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html. Bodies are JSON, CSV without a header, JSON
lines, npy or npz; an answer has one line for each of the request's, as batch transform needs it. The custom attributes
`outputs=predictions,probabilities` ask for outputs, and those of the answer name the model. `X-Amzn-SageMaker-Target-Model` names
one of FLYWEIGHT_MODELS.
"""

from flyweight import protocols, settings
from flyweight.protocols import Answer, _documents, _invocations, native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.signature import Signature
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation, Query
    from flyweight.values import Prediction, Request

PATHS = ["GET /ping", "POST /invocations", "GET /execution-parameters"]
MEGABYTE = 1 << 20
parse, error = _invocations.parse, _documents.error


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the operation of a path.

    :raises MethodNotAllowed: the path takes another method.
    """
    operations = ROUTES.get(path)
    return None if operations is None else (protocols.operation_for(operations, method, path), "")


def render(prediction: "Prediction", query: "Query", predictor: "Predictor") -> Answer:
    """Write the answers, and name the model in the custom attributes."""
    answer = _invocations.render(prediction, query, predictor)
    return answer._replace(headers={_invocations.ATTRIBUTES: f"model={predictor.name}/{predictor.version}"})


def infer(context: "Context", request: "Request", name: str) -> Answer:
    """Predict the instances of a request."""
    return protocols.infer(context, request, _invocations.model_of(request), parse, render)


def ping(context: "Context", request: "Request", name: str) -> Answer:
    """Report by the status alone that the model is loaded and answers its own sample as recorded.

    :raises ModelUnavailable: it is not, or the process is about to end.
    """
    native.ready(context, request, name)
    return Answer(b"", "")


def execution_parameters(context: "Context", request: "Request", name: str) -> Answer:
    """Tell batch transform how large a request may be, and how many come at once; it chooses how lines are batched itself.

    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html
    """
    megabytes = max(context.settings.limits.max_body_bytes // MEGABYTE, 1)
    return _documents.answer({"MaxConcurrentTransforms": settings.serving().workers, "MaxPayloadInMB": megabytes})


def example(signature: "Signature", name: str, instances: "list[dict[str, Any]]") -> "tuple[str, Any]":
    """Say instances in this protocol's words: the path and the document of a request."""
    return "/invocations", {"instances": instances}


def openapi(predictor: "Predictor") -> "dict[str, Any]":
    """Describe the operation that predicts."""
    from flyweight.protocols.openapi import OBJECT, operation  # imported late: no prediction needs it

    return {"POST /invocations": operation(_invocations.BODY, OBJECT, "text/csv")}


ROUTES: "dict[str, dict[str, Operation]]" = {
    "/invocations": {"POST": infer},
    "/ping": {"GET": ping},
    "/execution-parameters": {"GET": execution_parameters},
}
