"""The toy protocol: `POST /toy` with rows, answered with labels."""

from flyweight import strict_json
from flyweight.errors import FlyweightError, MalformedRequest, MethodNotAllowed, status_of
from flyweight.protocols import Answer, Query, infer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation
    from flyweight.values import Prediction, Request

JSON = "application/json"
PATHS = ["POST /toy"]


def route(method: str, path: str) -> "tuple[Operation, str] | None":
    """Find the one operation.

    :raises MethodNotAllowed: it is not asked for by POST.
    """
    if path != "/toy":
        return None
    if method != "POST":
        raise MethodNotAllowed("/toy takes POST", allow="POST")
    return predict, ""


def predict(context: "Context", request: "Request", name: str) -> Answer:
    """Predict the rows of a request."""
    return infer(context, request, name, parse, render)


def parse(request: "Request", predictor: "Predictor") -> Query:
    """Read `{"rows": [...]}`.

    :raises MalformedRequest: the body is something else.
    """
    try:
        return Query(strict_json.parse(request.body)["rows"], ["predictions"])
    except (strict_json.NotStrictJSON, LookupError, TypeError):
        raise MalformedRequest('the body should be {"rows": [...]}') from None


def render(prediction: "Prediction", query: Query, predictor: "Predictor") -> Answer:
    """Write `{"labels": [...]}`."""
    return Answer(strict_json.encode({"labels": prediction.predictions}), JSON)


def error(error: Exception, request_id: str) -> Answer:
    """Write `{"oops": CODE}`."""
    code = error.code if isinstance(error, FlyweightError) else FlyweightError.code
    return Answer(strict_json.encode({"oops": code}), JSON, status_of(error))
