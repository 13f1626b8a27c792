"""The inputs and outputs of a model, as its file states them; `protocols/openapi.py` makes JSON Schema and OpenAPI from them."""

from flyweight.errors import ModelRefused, preview
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KINDS = ("number", "boolean", "string", "datetime", "unread")
ZONES = ("none", "UTC")
POLICIES = ("error", "ignore")
TASKS = ("classification", "regression", "transformation")
MAX_FEATURES = 100_000
MAX_MISSING = 1000  # texts in one list
UNRECORDED = frozenset(("", "NA", "NaN", "nan", "null", "None"))  # the texts that mean null where a file does not list them


class Feature(Value):
    """One input: its name, its kind, and whether it may be missing (null).

    A `datetime` is a number to the plan: the microseconds since 1970-01-01T00:00:00. An `unread` feature is a column that the
    estimator was fitted with and that nothing reads: its value may be anything or absent, and is NaN to the plan.
    """

    name: str
    kind: str
    nullable: bool
    categories: "list[Any] | None" = None  # those seen in training, for people and OpenAPI; the plan may accept others
    range: "list[float] | None" = None  # the smallest and largest number seen in training, likewise
    missing: "frozenset[str]" = UNRECORDED  # the texts that mean null in CSV
    zone: str = "none"  # of a datetime: "none", without a time zone, or "UTC", with one, from which it is converted


class Signature(Value):
    """The inputs of a model in order, and the form of its answers.

    `classes`: for each output the list of its classes (classification only); `outputs`: the count of numbers or labels in an
    answer; `unknown`: what happens to inputs that are no feature of the model, "error" or "ignore".
    """

    task: str
    features: "list[Feature]"
    outputs: int
    classes: "list[list[Any]] | None" = None
    unknown: str = "error"

    @property
    def kinds(self) -> str:
        """One letter for each feature, as plans have them: "s" for a string, "n" for all others."""
        return "".join("s" if feature.kind == "string" else "n" for feature in self.features)

    @classmethod
    def of(cls, document: "dict[str, Any]") -> "Signature":
        """Check the signature of a model file's document.

        :param document: the document of a model file, with the signature under its key `signature`.
        :raises ModelRefused: the signature is malformed.
        """
        raw = document.get("signature")
        raw = raw if isinstance(raw, dict) else {}
        task, features, outputs, classes = (raw.get(key) for key in ("task", "features", "outputs", "classes"))
        if task not in TASKS or type(outputs) is not int or not 1 <= outputs <= MAX_FEATURES:
            raise ModelRefused(f"the signature has the task {preview(task)} and {preview(outputs)} outputs, which is not valid")
        if not isinstance(features, list) or not 1 <= len(features) <= MAX_FEATURES:
            raise ModelRefused(f"the signature should have 1 to {MAX_FEATURES} features")
        missing, unknown = _missing(raw.get("missing"), "the signature", UNRECORDED), raw.get("unknown", "error")
        if unknown not in POLICIES:
            raise ModelRefused(f"the signature says {preview(unknown)} for unknown features, expected error or ignore")
        checked = [_feature(feature, missing) for feature in features]
        if len({feature.name for feature in checked}) != len(checked):
            raise ModelRefused("two features have the same name")
        if task == "classification":
            _check_classes(classes, outputs)
        return cls(task, checked, outputs, classes if task == "classification" else None, unknown)


def _feature(raw: "Any", missing: "frozenset[str]") -> Feature:
    """Check one feature of a signature.

    :param missing: the signature's texts that mean null, for a feature without a list of its own.
    :raises ModelRefused: the feature is malformed.
    """
    raw = raw if isinstance(raw, dict) else {}
    name, kind, nullable = raw.get("name"), raw.get("kind"), raw.get("nullable")
    if not isinstance(name, str) or kind not in KINDS or not isinstance(nullable, bool):
        raise ModelRefused(f"feature {preview(name)} of the signature is malformed")
    categories, span = raw.get("categories"), raw.get("range")
    if categories is not None and not isinstance(categories, list):
        raise ModelRefused(f"the categories of feature {preview(name)} are not a list")
    if span is not None and not (isinstance(span, list) and [type(v) in (int, float) for v in span] == [True, True]):
        raise ModelRefused(f"the range of feature {preview(name)} is not two numbers")
    zone = raw.get("zone", "none")
    if zone not in ZONES or (zone != "none" and kind != "datetime"):
        raise ModelRefused(f"feature {preview(name)} has the zone {preview(zone)}, expected none, or UTC for a datetime")
    if raw.get("missing") is not None:
        missing = _missing(raw["missing"], f"feature {preview(name)}", missing)
    return Feature._make((name, kind, nullable or kind == "unread", categories, span, missing, zone))


def _missing(texts: "Any", owner: str, default: "frozenset[str]") -> "frozenset[str]":
    """Check a list of the texts that mean null.

    :param owner: what has the list, for the message.
    :param default: the texts if there is no list.
    :raises ModelRefused: not a list of texts, or a long one.
    """
    if texts is None:
        return default
    if not isinstance(texts, list) or len(texts) > MAX_MISSING or any(type(text) is not str for text in texts):
        raise ModelRefused(f"the texts that mean missing of {owner} are not a list of at most {MAX_MISSING} texts")
    return frozenset(texts)


def _check_classes(classes: "Any", outputs: int) -> None:
    """Check the classes of a classification.

    :raises ModelRefused: not one list of labels for each output.
    """
    sound = isinstance(classes, list) and len(classes) == outputs
    sound = sound and all(isinstance(labels, list) and labels for labels in classes)
    if not sound or any(type(label) not in (str, int, float, bool) for labels in classes for label in labels):
        raise ModelRefused("the signature's classes are not one list of labels for each output")
