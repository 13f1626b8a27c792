"""The inputs and outputs of a model, as its file states them; `protocols/openapi.py` makes JSON Schema and OpenAPI from them."""

from flyweight.errors import ModelRefused, preview
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KINDS = ("number", "boolean", "string")
TASKS = ("classification", "regression", "transformation")
MAX_FEATURES = 100_000


class Feature(Value):
    """One input: its name, its kind, and whether it may be missing (null)."""

    name: str
    kind: str
    nullable: bool
    categories: "list[Any] | None" = None  # those seen in training, for people and OpenAPI; the plan may accept others
    range: "list[float] | None" = None  # the smallest and largest number seen in training, likewise


class Signature(Value):
    """The inputs of a model in order, and the form of its answers.

    `classes`: for each output the list of its classes (classification only); `outputs`: the count of numbers or labels in an
    answer.
    """

    task: str
    features: "list[Feature]"
    outputs: int
    classes: "list[list[Any]] | None" = None

    @property
    def kinds(self) -> str:
        """One letter for each feature, as plans have them: "s" for a string, "n" for a number or a boolean."""
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
        checked = [_feature(feature) for feature in features]
        if len({feature.name for feature in checked}) != len(checked):
            raise ModelRefused("two features have the same name")
        if task == "classification":
            _check_classes(classes, outputs)
        return cls(task, checked, outputs, classes if task == "classification" else None)


def _feature(raw: "Any") -> Feature:
    """Check one feature of a signature.

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
    return Feature(name, kind, nullable, categories, span)


def _check_classes(classes: "Any", outputs: int) -> None:
    """Check the classes of a classification.

    :raises ModelRefused: not one list of labels for each output.
    """
    sound = isinstance(classes, list) and len(classes) == outputs
    sound = sound and all(isinstance(labels, list) and labels for labels in classes)
    if not sound or any(type(label) not in (str, int, float, bool) for labels in classes for label in labels):
        raise ModelRefused("the signature's classes are not one list of labels for each output")
