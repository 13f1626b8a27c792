"""Answer calls of SQL engines: rows of arguments in the signature's order, and one value for each row.

A call asks for one output, `predictions` unless it names another. The name of the engine's function may end in that of an output,
and before it in that of a model: `churn_eu_probabilities` asks the model `churn-eu` of FLYWEIGHT_MODELS for probabilities.
An argument that is NULL is a missing value. A text is read as a number where the feature is a number, because engines write some
numbers as texts: those that a double does not hold, and NaN.
"""

from flyweight.errors import InvalidInput, MalformedRequest, MethodNotAllowed, listing, preview, status_of
from flyweight.models.texts import value_of
from flyweight.predictor import OUTPUTS
from flyweight.protocols import NOTHING, Answer, Query, _documents, _models, methods
from flyweight.values import Prediction, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from flyweight.models.signature import Feature, Signature
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context, Operation
    from flyweight.settings import Limits
    from flyweight.values import Request

    Reader = Callable[[dict[str, Any], Request, Iterable[str]], "Call"]
    Writer = Callable[[Prediction, Query, Predictor], Answer]

WRITTEN = ("number", "boolean", "unread")  # kinds of features whose values an engine may write as texts
BLANKS = b" \t\r\n"


class Call(Value):
    """A call of a function: the arguments of its rows, an output and a model.

    `rows`: a list for each row, None for a row whose answer is null; `model`: "" for the default one; `options`: what the
    protocol's `render` uses.
    """

    rows: "list[Any]"
    output: str = OUTPUTS[0]
    model: str = ""
    options: "Mapping[str, Any]" = NOTHING


class _Sizes(Value):
    """What the check of a body's size asks of a validator."""

    limits: "Limits"


def route(method: str, path: str, predict: "Operation") -> "tuple[Operation, str] | None":
    """Find the operation of a path that all engines call, where native does not answer it.

    :raises MethodNotAllowed: the path takes another method.
    """
    if path == "/predict" and method != "POST":
        raise MethodNotAllowed(f"/predict takes POST, got {method[:20]!r}", methods("POST"))
    return (predict, "") if method == "POST" and path in ("/", "/predict") else None


def has_keys(body: bytes, *keys: str) -> bool:
    """Tell whether a body of JSON has all these keys, at any depth, and none called `instances`."""
    return all([_has_key(body, key) for key in keys]) and not _has_key(body, "instances")


def document_of(request: "Request", limits: "Limits", expected: str) -> "dict[str, Any]":
    """Read a body that is one JSON object, before it is known which model answers.

    :param expected: what the object should be, for messages.
    :raises FlyweightError: as `_documents.read`.
    """
    sizes: Any = _Sizes(limits)
    return _documents.read(request.body, request, sizes, expected)


def infer(context: "Context", request: "Request", expected: str, read: "Reader", render: "Writer") -> Answer:
    """Answer a call.

    :param read: finds the call in a document.
    :param render: the protocol's own; the options of its query have `rows`, the count of rows, and `places`, the place of each
        row that has an answer.
    :raises FlyweightError: the call is at fault, or no model can answer.
    """
    call = read(document_of(request, context.settings.limits, expected), request, context.settings.models)
    key = _models.find(context, call.model)[1] if call.model else ""
    predictor = context.predictor(key)
    query = query_of(call, predictor)
    context.log_fields["instances"] = len(query.instances)
    prediction = Prediction()
    if query.instances:
        rows = _validated(query, predictor)
        prediction = predictor.answer(rows, query.outputs)
        if not key:
            context.compare(request, predictor, prediction, rows)
    return render(prediction, query, predictor)


def query_of(call: Call, predictor: "Predictor") -> Query:
    """Make the query of a call.

    :raises MalformedRequest: a row is no array, or has another number of arguments than the model.
    """
    features = predictor.validator.features
    places = [place for place, row in enumerate(call.rows) if row is not None]
    instances = [_instance(call.rows[place], place, features) for place in places]
    return Query(instances, [call.output], options={**call.options, "rows": len(call.rows), "places": places})


def example(signature: "Signature", instances: "list[dict[str, Any]]") -> "list[list[Any]]":
    """Write instances, objects by feature name, as rows of arguments."""
    read = [feature.name for feature in signature.features if feature.kind != "unread"]
    return [[row.get(name) for name in read] for row in instances]


def values(prediction: Prediction, query: Query, predictor: "Predictor") -> "list[Any]":
    """List the value of each row: a label or number, an object by class, or a list; None for a row without an answer."""
    output = (query.outputs or [""])[0]
    if not query.options["places"]:
        return [None] * query.options["rows"]
    found = getattr(prediction, output)
    classes = predictor.labels if predictor.signature.outputs == 1 else None
    answers: list[Any] = [None] * query.options["rows"]
    for place, value in zip(query.options["places"], found, strict=True):
        if output != OUTPUTS[0] and isinstance(value, list):
            if classes is not None and output != "transformed" and len(value) == len(classes):
                value = {_text(label): share for label, share in zip(classes, value, strict=True)}
            elif len(value) == 1:
                value = value[0]
        answers[place] = value
    return answers


def scalars(answers: "list[Any]") -> "list[Any]":
    """Turn objects and lists into texts of JSON, for engines whose functions return one scalar."""
    from flyweight.strict_json import encode  # imported late: most answers are scalars

    return [encode(value).decode() if isinstance(value, (dict, list)) else value for value in answers]


def asked_by(function: "Any", models: "Iterable[str]") -> "tuple[str, str]":
    """Find the output and the model that the name of a function ends in.

    :param function: with or without the names of its schema, in letters of any case.
    :param models: the names of FLYWEIGHT_MODELS.
    :returns: the output, and the model's name or "".
    """
    word = _plain(function[-1000:].rpartition(".")[2]) if isinstance(function, str) else ""
    output = next((name for name in OUTPUTS[::-1] if word.endswith(f"_{name}")), "")
    word = word.removesuffix(f"_{output}") if output else word
    ends = [name for name in models if f"_{word}".endswith(f"_{_plain(name)}")]
    return output or OUTPUTS[0], max(ends, key=len, default="")


def text_of(value: "Any", name: str, default: str = "") -> str:
    """Check that a value is a text; the default stands for an absent one.

    :raises MalformedRequest: it is something else.
    """
    if value is None:
        return default
    if not isinstance(value, str):
        raise MalformedRequest(f"{name} should be a text, got {preview(value)}")
    return value


def rows_of(value: "Any", name: str) -> "list[Any]":
    """Check that a value is an array.

    :raises MalformedRequest: it is something else.
    """
    if not isinstance(value, list):
        raise MalformedRequest(f"{name} should be an array with the arguments of each row, got {preview(value)}")
    return value


def status_for(error: Exception) -> int:
    """Choose the status of an error: engines try 429 and 5xx again, and no other status."""
    return MalformedRequest.status if isinstance(error, InvalidInput) else status_of(error)


def _validated(query: Query, predictor: "Predictor") -> "list[list[Any]]":
    """Validate the instances of a call; faults name the rows as the engine counts them.

    :raises FlyweightError: as `Validator.rows`.
    """
    try:
        return predictor.validator.rows(query.instances)
    except InvalidInput as error:
        places = query.options["places"]
        faults = [
            fault._replace(instance=places[fault.instance]) if fault.instance is not None else fault for fault in error.faults
        ]
        raise InvalidInput(*faults) from None


def _instance(row: "Any", place: int, features: "list[Feature]") -> "list[Any]":
    """Make an instance of the arguments of a row: one for each feature, or for each that the model reads."""
    read = [feature for feature in features if feature.kind != "unread"]
    if not isinstance(row, list):
        raise MalformedRequest(f"row {place} should be an array of arguments, got {preview(row)}")
    if len(row) not in (len(features), len(read)):
        names = listing([feature.name for feature in read])
        raise MalformedRequest(f"row {place} should have {len(read)} arguments ({names}), got {len(row)}")
    if len(row) == len(features):
        return [argument(value, feature) for value, feature in zip(row, features, strict=True)]
    given = iter(row)
    return [None if feature.kind == "unread" else argument(next(given), feature) for feature in features]


def argument(value: "Any", feature: "Feature") -> "Any":
    """Read the text of a number or a boolean; any other value stays as it is."""
    if not isinstance(value, str) or feature.kind not in WRITTEN:
        return value
    return None if value.lower() == "nan" else value_of(value, feature)


def _has_key(body: bytes, key: str) -> bool:
    """Find a key and its colon; in a text of JSON a backslash would stand before the second mark."""
    quoted, place = f'"{key}"'.encode(), -1
    while (place := body.find(quoted, place + 1)) >= 0:
        end = place + len(quoted)
        if body[end : end + 40].lstrip(BLANKS)[:1] == b":":
            return True
    return False


def _plain(name: str) -> str:
    """Write a name as identifiers of SQL are written: in small letters, with `_` for all that is neither a letter nor a digit."""
    return "".join([letter if letter.isalnum() else "_" for letter in name.strip('"`[] ').lower()])


def _text(label: "Any") -> str:
    return label if isinstance(label, str) else str(label).lower() if isinstance(label, bool) else str(label)
