"""Make the GraphQL schema of a model from its signature, with what answers its fields.

The names of features become names of GraphQL, with `_` for letters that those can't have. A feature with categories is an enum of
them, numbers have the range seen in training in their description, and a feature that the model does not read is left out.
"""

# imports late: graphql
from math import isfinite

from flyweight.errors import FlyweightError, NotFound, TooLarge
from flyweight.formats import bounds
from flyweight.formats.json import RECORD_FIELDS
from flyweight.protocols import Query, _models, _sql
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from graphql import GraphQLOutputType, GraphQLSchema

    from flyweight.models.signature import Feature, Signature
    from flyweight.predictor import Predictor
    from flyweight.protocols import Context
    from flyweight.values import Request

MOST_CATEGORIES = 200  # of an enum; with more a feature is a text


class Asked(Value):
    """What the fields of one request are answered from; `counts` has the instances of each prediction so far."""

    context: "Context"
    request: "Request"
    key: str
    predictor: "Predictor"
    outputs: "list[str]"
    counts: "list[int]"


def made(predictor: "Predictor") -> "GraphQLSchema":
    """Make the schema of one model."""
    import graphql as g

    several = g.GraphQLList(g.GraphQLNonNull(_instance(predictor)))
    takes = {"instances": g.GraphQLArgument(g.GraphQLNonNull(several), description="none, one or several instances")}
    answers = g.GraphQLNonNull(g.GraphQLList(g.GraphQLNonNull(_prediction(predictor))))
    model = _model()
    named = {"name": g.GraphQLArgument(g.GraphQLString, description="one of `models`; the usual model without it")}
    listed = g.GraphQLNonNull(g.GraphQLList(g.GraphQLNonNull(model)))
    fields = {
        "predict": g.GraphQLField(
            answers, args=takes, resolve=_predict, description="one prediction for each instance, in order"
        ),
        "model": g.GraphQLField(model, args=named, resolve=_model_named, description="a model by its name, or null"),
        "models": g.GraphQLField(listed, resolve=_all_models, description="the models of this deployment that can be loaded"),
    }
    schema = g.GraphQLSchema(g.GraphQLObjectType("Query", fields))
    g.type.assert_valid_schema(schema)
    return schema


def names(words: "Iterable[str]") -> "list[str]":
    """Make a name of GraphQL of each word, no two alike."""
    found: dict[str, None] = {}
    for word in words:
        name = "".join([letter if letter.isascii() and letter.isalnum() else "_" for letter in word])
        name = f"_{name}" if not name or name[0].isdigit() else name
        name = f"f{name}" if name.startswith("__") or name == "_" else name  # two `_` begin GraphQL's own names
        unique, number = f"{name}_" if name in ("true", "false", "null") else name, 2
        while unique in found:
            unique, number = f"{name}_{number}", number + 1
        found[unique] = None
    return [*found]


def variables(signature: "Signature", instances: "list[dict[str, Any]]") -> "dict[str, Any]":
    """Say instances as the variable `i` of a query, in the schema's names."""
    features = [feature for feature in signature.features if feature.kind != "unread"]
    fields = zip(names(feature.name for feature in features), features, strict=True)
    field_of = {feature.name: (name, _words_of(feature)) for name, feature in fields}
    rows = [[(field_of[name], value) for name, value in instance.items()] for instance in instances]
    return {"i": [{field: words.get(value, value) for (field, words), value in row} for row in rows]}


def _words_of(feature: "Feature") -> "dict[Any, str]":
    """Map the categories of an enum to its words; {} for a feature of another type."""
    return dict(zip(feature.categories or [], names(feature.categories or []), strict=True)) if _is_enum(feature) else {}


def _is_enum(feature: "Feature") -> bool:
    """Tell whether a feature has few categories, all of them texts."""
    texts = feature.categories or []
    return feature.kind == "string" and 0 < len(texts) <= MOST_CATEGORIES and all([isinstance(text, str) for text in texts])


def _instance(predictor: "Predictor") -> "Any":
    """Make the type of an instance: an object with a field for each feature that the model reads."""
    import graphql as g

    features = [feature for feature in predictor.validator.features if feature.kind != "unread"]
    fields = {}
    for name, feature in zip(names(feature.name for feature in features), features, strict=True):
        kind: Any = _input(feature, name)
        kind = kind if feature.nullable else g.GraphQLNonNull(kind)
        fields[name] = g.GraphQLInputField(kind, description=_described(feature, name), out_name=feature.name)
    return g.GraphQLInputObjectType("Instance", fields, description="the values of one instance")


def _input(feature: "Feature", name: str) -> "Any":
    """Choose the type of a feature."""
    import graphql as g

    if _is_enum(feature):
        words = _words_of(feature).items()
        values = {word: g.GraphQLEnumValue(text, description=None if word == text else repr(text)) for text, word in words}
        return g.GraphQLEnumType(f"Category_{name}", values, description=f"the categories of {feature.name} seen in training")
    return {"number": g.GraphQLFloat, "boolean": g.GraphQLBoolean}.get(feature.kind, g.GraphQLString)


def _described(feature: "Feature", name: str) -> str:
    """Describe a feature as OpenAPI does, with its own name if GraphQL can't have it."""
    from flyweight.protocols.openapi import feature_schema

    seen = str(feature_schema(feature).get("description", ""))
    return "; ".join(filter(None, ("" if name == feature.name else f"the feature {feature.name!r}", seen)))


def _prediction(predictor: "Predictor") -> "Any":
    """Make the type of the answer for one instance: a field for each output of the model."""
    import graphql as g

    signature, one, numbers = predictor.signature, predictor.signature.outputs == 1, g.GraphQLList(g.GraphQLFloat)
    document = g.GraphQLScalarType("JSON", description="any value of JSON")
    share_fields = {"label": g.GraphQLField(g.GraphQLNonNull(g.GraphQLString)), "value": g.GraphQLField(g.GraphQLFloat)}
    share = g.GraphQLObjectType("Share", share_fields, description="a class, and its probability")
    shares = g.GraphQLList(g.GraphQLNonNull(share))
    types: dict[str, GraphQLOutputType] = {
        "predictions": _label(predictor) if one and signature.task != "transformation" else document,
        "probabilities": shares if one and signature.classes is not None else document,
        "scores": numbers if one else document,
        "score_samples": g.GraphQLFloat,
        "transformed": numbers,
    }
    fields = {RECORD_FIELDS[output]: g.GraphQLField(types[output]) for output in predictor.output_names}
    return g.GraphQLObjectType("Prediction", fields, description=f"an answer of {predictor.name} {predictor.version}")


def _label(predictor: "Predictor") -> "Any":
    """Choose the type of a label or number of a model with one output."""
    import graphql as g

    kinds = {type(label) for label in (predictor.labels or [0.0])}
    if kinds == {bool}:
        return g.GraphQLBoolean
    return g.GraphQLFloat if kinds <= {int, float} else g.GraphQLString


def _model() -> "Any":
    """Make the type that describes a model."""
    import graphql as g

    text: Any
    texts: Any
    text, texts = g.GraphQLNonNull(g.GraphQLString), g.GraphQLList(g.GraphQLNonNull(g.GraphQLString))
    numbers, flag = g.GraphQLList(g.GraphQLFloat), g.GraphQLNonNull(g.GraphQLBoolean)
    kinds: dict[str, Any] = {"name": text, "kind": text, "nullable": flag, "categories": texts, "range": numbers}
    feature = g.GraphQLObjectType("Feature", {name: g.GraphQLField(kind) for name, kind in kinds.items()})
    features = g.GraphQLNonNull(g.GraphQLList(g.GraphQLNonNull(feature)))
    parts: dict[str, Any] = {
        "name": text,
        "version": text,
        "task": text,
        "outputs": texts,
        "classes": texts,
        "features": features,
    }
    return g.GraphQLObjectType("Model", {name: g.GraphQLField(kind) for name, kind in parts.items()})


def _predict(root: Asked, info: "Any", instances: "list[dict[str, Any]]") -> "list[dict[str, Any]]":
    """Answer `predict`.

    :raises FlyweightError: as for any request; also if all predictions of a request have too many instances together, or leave
        too many values out.
    """
    predictor, most = root.predictor, root.predictor.validator.limits.max_instances
    root.counts.append(len(instances))
    if sum(root.counts) > most:
        raise TooLarge(f"{sum(root.counts)} instances, the limit is {most} a request")
    if not instances:
        return []
    bounds.check_made(len(instances) * len(predictor.validator.features), len(root.request.body))
    optional = dict.fromkeys([feature.name for feature in predictor.validator.features if feature.nullable])
    rows = predictor.validator.rows([{**optional, **instance} for instance in instances])
    prediction = predictor.answer(rows, root.outputs)
    root.context.log_fields["instances"] = sum(root.counts)
    if not root.key:
        root.context.compare(root.request, predictor, prediction, rows)
    options = {"rows": len(rows), "places": range(len(rows))}
    columns = {
        RECORD_FIELDS[output]: [_written(value) for value in _column(prediction, output, options, predictor)]
        for output in root.outputs
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _column(prediction: "Any", output: str, options: "dict[str, Any]", predictor: "Predictor") -> "list[Any]":
    """List the answers of one output; probabilities of classes become pairs."""
    if output == "probabilities" and predictor.signature.outputs == 1 and predictor.signature.classes is not None:
        rows = _sql.values(prediction, Query([], [output], options=options), predictor)
        return [[{"label": label, "value": share} for label, share in row.items()] for row in rows]
    found: list[Any] = getattr(prediction, output)
    return found


def _written(value: "Any") -> "Any":
    """Put null in place of numbers that are not finite."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {name: _written(item) for name, item in value.items()}
    return [*map(_written, value)] if isinstance(value, list) else value


def _model_named(root: Asked, info: "Any", name: "str | None" = None) -> "dict[str, Any] | None":
    """Answer `model`; None if no model has that name."""
    if name is None:
        return _facts(root.predictor)
    try:
        return _facts(root.context.predictor(_models.find(root.context, name)[1]))
    except NotFound:
        return None


def _all_models(root: Asked, info: "Any") -> "list[dict[str, Any]]":
    """Answer `models`."""
    found = []
    for name in _models.names(root.context):
        try:
            found.append(_facts(root.context.predictor(_models.find(root.context, name)[1])))
        except FlyweightError:  # it can't be loaded
            continue
    return found


def _facts(predictor: "Predictor") -> "dict[str, Any]":
    """Describe a model."""
    features = [
        {**feature._asdict(), "categories": None if feature.categories is None else [*map(str, feature.categories)]}
        for feature in predictor.signature.features
    ]
    facts = {"name": predictor.name, "version": predictor.version, "task": predictor.signature.task, "features": features}
    labels = predictor.labels if predictor.signature.outputs == 1 else None
    return {**facts, "outputs": predictor.output_names, "classes": None if labels is None else [*map(str, labels)]}
