"""A loaded model: validated instances in, a Prediction out."""

import sys

from flyweight import model_file
from flyweight.engines import engine_for
from flyweight.errors import FlyweightError, ModelRefused, shown
from flyweight.inputs import Reader
from flyweight.messages import Prediction
from flyweight.settings import Limits
from flyweight.signature import Signature

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.model_file import ModelFile


UNLIMITED = Limits(max_instances=sys.maxsize)  # a program's own data needs no guard against the program


def load(path: str, limits: Limits = UNLIMITED) -> "Predictor":
    """The model at `path`, checked and ready.

    :raises ModelRefused: the file fails a check.
    :raises OSError: it can't be read.
    """
    return Predictor(model_file.read(path), limits)


class Predictor:
    """One model file with the engine that runs it."""

    def __init__(self, file: "ModelFile", limits: Limits = UNLIMITED) -> None:
        self.file = file
        self.signature = Signature.of(file.document)
        self.name, self.version = (_word(file.document, key) for key in ("name", "version"))
        self.reader = Reader(self.signature, limits)
        self.engine = engine_for(file)
        self._check_outputs()

    def predict(self, instances: "Any") -> Prediction:
        """Answer instances: a list of lists in the signature's order, or of objects by feature name.

        NumPy arrays and DataFrames are taken as well; None and NaN are missing values.

        :raises InvalidInput: instances that do not fit the signature.
        """
        if hasattr(instances, "to_dict"):
            instances = instances.to_dict(orient="records")
        elif hasattr(instances, "tolist"):
            instances = instances.tolist()
        return self.answer(self.reader.rows(instances if isinstance(instances, list) else list(instances)))

    def answer(self, rows: "list[list[Any]]") -> Prediction:
        """Answer rows that are validated: floats (NaN where missing), strings and None, in the signature's order."""
        outputs = self.engine.outputs(rows)
        classes = self.signature.classes
        if classes is None:
            flat = self.signature.outputs == 1 and self.signature.task == "regression"
            values = [output["values"] for output in outputs]
            return Prediction([value[0] for value in values] if flat else values, None, None, None)
        return Prediction(
            [_labels(output["index"], classes) for output in outputs],
            self._grouped(outputs, "probabilities"),
            None if "probabilities" in self.engine.widths else self._grouped(outputs, "scores"),
            classes[0] if len(classes) == 1 else classes,
        )

    def proves_itself(self) -> bool:
        """Whether the sample that was recorded at packing answers as it did then; a file without one has nothing to prove."""
        sample = self.file.document.get("sample")
        if sample is None:
            return True
        try:
            answered, recorded = self.predict(sample["instances"]).predictions, sample["predictions"]
            return len(answered) == len(recorded) and all(map(_alike, answered, recorded))
        except (FlyweightError, LookupError, TypeError, ValueError):  # a sample that is none, too
            return False

    def metadata(self) -> "dict[str, Any]":
        """What the file says of itself, but for its plan, with its hash and size."""
        document = {key: value for key, value in self.file.document.items() if key != "plan"}
        return {**document, "sha256": self.file.sha256, "bytes": len(self.file.data)}

    def _grouped(self, outputs: "list[dict[str, list[Any]]]", name: str) -> "list[Any] | None":
        """One list an instance; a list of lists where the model has several outputs."""
        if name not in self.engine.widths:
            return None
        classes = self.signature.classes or []
        if len(classes) == 1:
            return [output[name] for output in outputs]
        ends = [sum(map(len, classes[: position + 1])) for position in range(len(classes))]
        spans = [slice(end - len(labels), end) for end, labels in zip(ends, classes, strict=True)]
        return [[output[name][span] for span in spans] for output in outputs]

    def _check_outputs(self) -> None:
        """The plan gives what the signature promises."""
        widths, signature = self.engine.widths, self.signature
        if signature.classes is None:
            expected: dict[str, tuple[int, ...]] = {"values": (signature.outputs,)}
        else:
            labels = sum(map(len, signature.classes))
            # two classes may share one score, the decision value of the second
            expected = {"index": (signature.outputs,), "probabilities": (labels,), "scores": (labels, labels - 1, 1)}
        first = next(iter(expected))
        if first not in widths or any(width not in expected.get(output, ()) for output, width in widths.items()):
            raise ModelRefused(f"the plan gives outputs {shown(str(widths))}, which is not what the signature promises")
        # an index that no class answers to must be impossible, not merely unlikely
        if signature.classes is not None and self.engine.choices != [len(labels) for labels in signature.classes]:
            raise ModelRefused("the plan chooses among another number of classes than the signature lists")

    def __repr__(self) -> str:
        return f"<flyweight model {self.name} {self.version}, {self.signature.task}, {len(self.signature.features)} features>"


def _labels(index: "list[int]", classes: "list[list[Any]]") -> "Any":
    if len(classes) == 1:
        return classes[0][int(index[0])]
    return [of_output[int(position)] for position, of_output in zip(index, classes, strict=True)]


def _alike(answered: "Any", recorded: "Any") -> bool:
    """Equal, or numbers that differ by no more than the rounding of another Python's sums; NaN was recorded as null."""
    if recorded is None:
        return answered is None or answered != answered
    if isinstance(answered, float) and isinstance(recorded, (int, float)):
        return abs(answered - recorded) <= 1e-9 * max(1.0, abs(recorded))
    if isinstance(answered, list) and isinstance(recorded, list):
        return len(answered) == len(recorded) and all(map(_alike, answered, recorded))
    return type(answered) is type(recorded) and bool(answered == recorded)


def _word(document: "dict[str, Any]", key: str) -> str:
    """A name or version, which also stands in a header and in file names."""
    value = document.get(key)
    if not isinstance(value, str) or not 1 <= len(value) <= 100 or not value.isascii():
        raise ModelRefused(f"the model's {key} is {shown(value)}, expected at most 100 letters, digits, '.', '_', '-' or '+'")
    if not all(character.isalnum() or character in "._-+" for character in value):
        raise ModelRefused(f"the model's {key} is {shown(value)}, expected letters, digits, '.', '_', '-' or '+' only")
    return value
