"""A loaded model: validated instances in, a Prediction out."""

import sys

from flyweight.engines import Batches, engine_for
from flyweight.errors import Fault, FlyweightError, InvalidInput, ModelRefused, preview
from flyweight.models import file as model_file
from flyweight.models.signature import Signature
from flyweight.models.validation import Reader
from flyweight.settings import Limits
from flyweight.values import Prediction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.engines import Engine
    from flyweight.models.file import ModelFile

    Reading = Callable[[list[list[Any]]], list[Any]]
    Asked = tuple[tuple[str, ...], list[tuple[int, Reading | None]]]

# what an answer may hold, as Prediction has it
ANSWERS = ("predictions", "probabilities", "scores", "score_samples", "transformed")
UNLIMITED = Limits(max_instances=sys.maxsize)  # a program's own data needs no guard against the program


def load(path: str, limits: Limits = UNLIMITED) -> "Predictor":
    """The model at `path`, checked and ready.

    :raises ModelRefused: the file fails a check.
    :raises OSError: it can't be read.
    """
    return Predictor(model_file.read(path), limits)


class Predictor:
    """One model file with the engine that runs it."""

    def __init__(self, file: "ModelFile", limits: Limits = UNLIMITED, engine: "Engine | None" = None) -> None:
        self.file = file
        self.signature = Signature.of(file.document)
        self.name, self.version = (_word(file.document, key) for key in ("name", "version"))
        self.engine = engine or engine_for(file)
        self._batches = Batches(file, self.engine)
        self.reader = Reader(self.signature, limits, self._batches.takes_arrays)
        self._check_outputs()
        main = "values" if self.signature.classes is None else "index"
        self._sources = {"predictions": main, **{name: name for name in ANSWERS[1:] if name in self.engine.widths}}
        # a caller who asks for nothing in particular gets a classifier's probabilities, or its scores where it has none
        beside = [name for name in ("probabilities", "scores") if name in self._sources and self.signature.classes is not None]
        self._usual = self._asked(["predictions", *beside[:1]])
        classes = self.signature.classes
        self._classes = classes[0] if classes and len(classes) == 1 else classes

    @property
    def output_names(self) -> "list[str]":
        """What a caller may ask for, `predictions` first."""
        return [*self._sources]

    def predict(self, instances: "Any", outputs: "list[str] | None" = None) -> Prediction:
        """Answer instances: a list of lists in the signature's order, or of objects by feature name.

        NumPy arrays and DataFrames are taken as well; None and NaN are missing values.

        :param outputs: some of `output_names`; without it predictions, with probabilities or else scores of a classifier.
        :raises InvalidInput: instances that do not fit the signature, or outputs that the model does not have.
        """
        if type(instances) is not list and (hasattr(instances, "to_dict") or hasattr(instances, "tolist")):
            table = self.reader.table(instances)
            if table is not None:
                return self.answer(table, outputs)
            instances = instances.to_dict(orient="records") if hasattr(instances, "to_dict") else instances.tolist()
        return self.answer(self.reader.rows(instances if isinstance(instances, list) else list(instances)), outputs)

    def answer(self, rows: "list[list[Any]]", outputs: "list[str] | None" = None) -> Prediction:
        """Answer rows that are validated: floats (NaN where missing), strings and None, in the signature's order."""
        sources, fields = self._usual if outputs is None else self._asked(self._checked(outputs))
        given = self._batches.outputs(rows, sources)
        answers: list[Any] = [None, None, None, None, None, self._classes]  # by position, which costs a third of names
        for values, (place, read) in zip(given, fields):  # noqa: B905 - as many, and `strict` takes its time
            answers[place] = values if read is None else read(values)
        made: Prediction = Prediction._make((*answers,))  # type: ignore[attr-defined]
        return made

    def passes_self_test(self) -> bool:
        """Whether the sample that was recorded at packing answers as it did then; a file without one has nothing to prove."""
        sample = self.file.document.get("sample")
        if sample is None:
            return True
        try:
            answered, recorded = self.predict(sample["instances"]).predictions or [], sample["predictions"]
            return len(answered) == len(recorded) and all(map(_alike, answered, recorded))
        except (FlyweightError, LookupError, TypeError, ValueError, OverflowError):  # a sample that is none, too
            return False

    def metadata(self) -> "dict[str, Any]":
        """What the file says of itself, but for its plan, with its hash and size."""
        document = {key: value for key, value in self.file.document.items() if key != "plan"}
        return {**document, "sha256": self.file.sha256, "bytes": len(self.file.data)}

    def _checked(self, outputs: "Any") -> "list[str]":
        """The outputs that a caller names, if the model has them all."""
        listed = isinstance(outputs, list) and outputs and all(isinstance(name, str) for name in outputs)
        unknown = [name for name in outputs if name not in self._sources] if listed else [outputs]
        if unknown:
            raise InvalidInput(Fault(f"a list of outputs among {', '.join(self.output_names)}", preview(unknown[0])))
        return [*dict.fromkeys(outputs)]

    def _asked(self, names: "list[str]") -> "Asked":
        """The plan's outputs that answer these names; and where each stands in a Prediction, with what makes it readable."""
        sources = tuple([self._sources[name] for name in names])
        return sources, [(ANSWERS.index(name), self._reading(name)) for name in names]

    def _reading(self, name: str) -> "Reading | None":
        """From an output's values to what people read: labels for indices, one number for a list of one, a list an output."""
        signature = self.signature
        classes = signature.classes
        if name == "score_samples" or (name == "predictions" and signature.task == "regression" and signature.outputs == 1):
            return _flat
        if classes is None or name == "transformed":
            return None
        if name == "predictions":
            return _labelled(classes[0]) if len(classes) == 1 else lambda indices: _labels(indices, classes)
        return None if len(classes) == 1 else lambda values: _grouped(values, classes)

    def _check_outputs(self) -> None:
        """The plan gives what the signature promises."""
        widths, signature = self.engine.widths, self.signature
        if signature.classes is None:
            expected: dict[str, tuple[int, ...]] = {"values": (signature.outputs,), "scores": (1,)}
        else:
            labels = sum(map(len, signature.classes))
            # two classes may share one score, the decision value of the second; and pairs of classes may have one each
            scores = (labels, labels - 1, 1, labels * (labels - 1) // 2)
            expected = {"index": (signature.outputs,), "probabilities": (labels,), "scores": scores}
        first = next(iter(expected))
        # of any width, and for clusters and mixtures the probabilities as well
        beside = ("transformed",) if signature.classes else ("transformed", "probabilities")
        expected.update({"score_samples": (1,), **{output: (widths.get(output, 0),) for output in beside}})
        if first not in widths or any(width not in expected.get(output, ()) for output, width in widths.items()):
            raise ModelRefused(f"the plan gives outputs {preview(str(widths))}, which is not what the signature promises")
        # an index that no class answers to must be impossible, not merely unlikely
        if signature.classes is not None and self.engine.choices != [len(labels) for labels in signature.classes]:
            raise ModelRefused("the plan chooses among another number of classes than the signature lists")

    def __repr__(self) -> str:
        return f"<flyweight model {self.name} {self.version}, {self.signature.task}, {len(self.signature.features)} features>"


def _flat(values: "list[list[Any]]") -> "list[Any]":
    return [value for (value,) in values]


def _labelled(labels: "list[Any]") -> "Reading":
    return lambda indices: [labels[int(index)] for (index,) in indices]


def _labels(indices: "list[list[int]]", classes: "list[list[Any]]") -> "list[Any]":
    return [[labels[int(index)] for index, labels in zip(row, classes, strict=True)] for row in indices]


def _grouped(values: "list[list[Any]]", classes: "list[list[Any]]") -> "list[Any]":
    """Each instance's values side by side, parted into one list an output."""
    ends = [sum(map(len, classes[: position + 1])) for position in range(len(classes))]
    spans = [slice(end - len(labels), end) for end, labels in zip(ends, classes, strict=True)]
    return [[row[span] for span in spans] for row in values]


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
        raise ModelRefused(f"the model's {key} is {preview(value)}, expected at most 100 letters, digits, '.', '_', '-' or '+'")
    if not all(character.isalnum() or character in "._-+" for character in value):
        raise ModelRefused(f"the model's {key} is {preview(value)}, expected letters, digits, '.', '_', '-' or '+' only")
    return value
