"""Load a model and predict: instances in, a Prediction out."""

import sys

from flyweight import errors  # for rare errors, which are made when they are asked for
from flyweight.engines import Batches, engine_for
from flyweight.errors import Fault, FlyweightError, InvalidInput, ModelRefused, preview
from flyweight.models import file as model_file
from flyweight.models.validation import Validator
from flyweight.settings import Limits
from flyweight.values import Prediction, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeVar

    from flyweight.engines import Engine
    from flyweight.models.file import ModelFile
    from flyweight.models.isolation import Answers, GroupFault
    from flyweight.values import Release

    Reader = Callable[[list[list[Any]]], list[Any]]  # from an output's values, one row an instance, to answers for people
    # the outputs of the plan, and for each its position in a Prediction and its reader; None: the values are answers already
    Selection = tuple[tuple[str, ...], list[tuple[int, Reader | None]]]
    Method = TypeVar("Method", bound=Callable[..., Any])

ROWS = frozenset((list, dict))
# the outputs of models, in the order of Prediction's fields
OUTPUTS = ("predictions", "probabilities", "scores", "score_samples", "transformed")
UNLIMITED = Limits(max_instances=sys.maxsize)  # for a program's own data


def load(path: str, limits: Limits = UNLIMITED) -> "Predictor":
    """Load the model file at `path` and check it.

    :raises ModelRefused: the file fails a check.
    :raises OSError: the file can't be read.
    """
    return Predictor(model_file.read(path), limits)


class _Method:
    """A method of models that have an output; others do not have the method, so that `hasattr` is false for it."""

    def __init__(self, output: str, method: "Callable[..., Any]") -> None:
        self._output, self._method = output, method
        self.__doc__ = method.__doc__

    def __get__(self, model: "Predictor | None", owner: type) -> "Any":
        if model is None:
            return self._method
        if model.method_output(self._output) is None:
            raise errors.NoSuchOutput(f"this {model.signature.task} model has no {self._method.__name__}; {model.method_names()}")
        return self._method.__get__(model, owner)


def _where(output: str) -> "Callable[[Method], Method]":
    """Make a method of models that have an output."""
    return lambda method: _Method(output, method)  # type: ignore[return-value]


class Predictor:
    """One model file with the engine that runs it.

    :raises ModelRefused: the document is malformed, or the plan does not give the outputs of the signature.
    """

    def __init__(self, file: "ModelFile", limits: Limits = UNLIMITED, engine: "Engine | None" = None) -> None:
        self.file = file
        self.signature = file.signature
        self.name, self.version = (identifier(file.document, key) for key in ("name", "version"))
        self.engine = engine or engine_for(file)
        if hasattr(self.engine, "plan") and limits.max_instances < sys.maxsize:
            self.engine.plan.check_request(limits)
        self._batches = Batches(file, self.engine)
        self.validator = Validator(self.signature, limits, self._batches.takes_arrays)
        self._check_outputs()
        main = "values" if self.signature.classes is None else "index"
        self._sources = {"predictions": main, **{name: name for name in OUTPUTS[1:] if name in self.engine.widths}}
        # the default outputs of a classifier include its probabilities or, if it has none, its scores
        beside = [name for name in ("probabilities", "scores") if name in self._sources and self.signature.classes is not None]
        self._default = self._select(["predictions", *beside[:1]])
        classes = self.signature.classes
        self._classes = classes[0] if classes and len(classes) == 1 else classes

    @property
    def output_names(self) -> "list[str]":
        """List the outputs that a caller may ask for, `predictions` first."""
        return [*self._sources]

    @property
    def usual_fields(self) -> "list[tuple[int, str]]":
        """List the default outputs, each with its position in a Prediction and what it is for one instance.

        That is a "label" of one output, a "number", a "row" of numbers, or "" for anything else.
        """
        readers: dict[Any, str] = {_flatten: "number", None: "row"}
        one = self.signature.classes is not None and len(self.signature.classes) == 1
        return [(place, "label" if one and place == 0 else readers.get(read, "")) for place, read in self._default[1]]

    @property
    def labels(self) -> "list[Any] | None":
        """Get the classes as a Prediction has them, the same in each."""
        return self._classes

    def predict(self, instances: "Any", outputs: "list[str] | None" = None) -> Prediction:
        """Predict instances.

        :param instances: lists in the signature's order or dicts by feature name; a DataFrame of pandas or polars, an Arrow
            table, a dict of columns, a NumPy array, or a sparse matrix; one row as a Series or a dict by feature name; for a
            model of one feature also its values alone. None, NaN, and the NA of a library are missing values.
        :param outputs: some of `output_names`; by default predictions, and a classifier's probabilities or else scores.
        :raises InvalidInput: instances that do not fit the signature, or outputs that the model does not have.
        :raises TooLarge: more instances than the limit.
        """
        if type(instances) is list and ROWS.issuperset(map(type, instances)):
            return self.answer(self._rows(instances), outputs)
        from flyweight.models import tables  # imported late: no request needs it

        blocks = tables.blocks_of(instances, self.signature.features, self.validator.ignores, self.validator.limits.max_instances)
        whole: Prediction = tables.joined(lambda block: self.answer(self._rows(block), outputs), blocks)
        return whole

    @_where("probabilities")
    def predict_proba(self, instances: "Any") -> "Any":
        """Get the probability of each class, shaped as the estimator's own: an array where NumPy is loaded, else nested lists.

        :param instances: as for `predict`.
        :raises InvalidInput: instances that do not fit the signature.
        """
        return self._shaped("probabilities", instances)

    @_where("scores")
    def decision_function(self, instances: "Any") -> "Any":
        """Get the scores of the classes, or of how normal a row is, shaped as `predict_proba`; a single one is a plain number.

        :param instances: as for `predict`.
        :raises InvalidInput: instances that do not fit the signature.
        """
        return self._shaped("scores", instances)

    @_where("score_samples")
    def score_samples(self, instances: "Any") -> "Any":
        """Get one score a row, such as the logarithm of its density.

        :param instances: as for `predict`.
        :raises InvalidInput: instances that do not fit the signature.
        """
        return self._shaped("score_samples", instances)

    @_where("transformed")
    def transform(self, instances: "Any") -> "Any":
        """Get the transformed rows, as a table even where the estimator gives a sparse matrix.

        :param instances: as for `predict`.
        :raises InvalidInput: instances that do not fit the signature.
        """
        return self._shaped("transformed", instances)

    def answer(self, rows: "list[list[Any]]", outputs: "list[str] | None" = None) -> Prediction:
        """Predict validated rows: floats (NaN if missing), strings and None, in the signature's order.

        :param rows: of shape (instances, features), a list or an array.
        :param outputs: some of `output_names`; None: the default ones.
        :raises InvalidInput: outputs that the model does not have, or a row that the model itself refuses.
        """
        sources, fields = self.selection(outputs)
        answers: list[Any] = [None, None, None, None, None, self._classes]  # by position, which costs a third of names
        if not len(rows):  # as FLYWEIGHT_ANY_BODY permits
            for position, _ in fields:
                answers[position] = []
            return Prediction._make((*answers,))
        columns = self._batches.outputs(rows, sources)
        for values, (position, read) in zip(columns, fields):  # noqa: B905 - of equal length, and `strict` takes time
            answers[position] = values if read is None else read(values)
        return Prediction._make((*answers,))

    def selection(self, outputs: "list[str] | None") -> "Selection":
        """Find the plan's outputs that answer these names, and the position in a Prediction and the reader of each.

        :param outputs: some of `output_names`; None: the default ones.
        :raises InvalidInput: outputs that the model does not have.
        """
        return self._default if outputs is None else self._select(self._checked_names(outputs))

    def compiled(self) -> "Callable[[list[Any]], list[list[Any]]] | None":
        """Make a function from a validated row to the default outputs, before they are read as labels or numbers.

        :returns: None if the engine has no such function. The function raises InvalidInput if the model refuses the row.
        """
        make = getattr(self.engine, "compiled", None)
        function: Callable[[list[Any]], list[list[Any]]] | None = make(self._default[0]) if make is not None else None
        return function

    def predict_each(
        self,
        instances: "Any",
        outputs: "list[str] | None" = None,
        sizes: "Sequence[int] | None" = None,
        exceptions_by_row: "Mapping[int, Any] | None" = None,
    ) -> "tuple[list[Answers], list[GroupFault]]":
        """Predict many groups of instances at once, so that a bad group fails alone.

        :param instances: a list, an array of numbers, or columns; the instances of all groups one after another.
        :param outputs: some of `output_names`; None: the default ones.
        :param sizes: the number of instances of each group; None: each instance is a group.
        :param exceptions_by_row: instances with values that an array of numbers can't hold, by their row.
        :returns: answers in the order of the groups, and the faults of the other groups.
        """
        from flyweight.models.isolation import predict_each  # imported late: no single request needs it

        return predict_each(self, instances, outputs, sizes, exceptions_by_row or {})

    def passes_self_test(self) -> bool:
        """Tell whether the model answers its own sample as recorded when it was packed; True for a file without a sample."""
        sample = self.file.document.get("sample")
        if sample is None:
            return True
        try:
            answered, recorded = self.predict(sample["instances"]).predictions or [], sample["predictions"]
            precision = getattr(self.engine, "precision", PRECISION)
            return _alike([*answered], recorded, precision)
        except (FlyweightError, LookupError, TypeError, ValueError, OverflowError):  # also a malformed sample
            return False

    def metadata(self) -> "dict[str, Any]":
        """Describe the model: the file's document without its plan, its hash and its size in bytes."""
        document = {key: value for key, value in self.file.document.items() if key != "plan"}
        return {**document, "sha256": self.file.sha256, "bytes": len(self.file.data)}

    def method_output(self, output: str) -> "str | None":
        """Find the output that answers for `output`: itself, or a transformer's predictions; None if the model has none."""
        if output == "transformed" and self.signature.task == "transformation":
            return "predictions"
        return output if output in self._sources else None

    def method_names(self) -> str:
        """Say which methods the model has."""
        from flyweight.models.answers import METHODS

        return f"it has {', '.join(['predict', *[METHODS[name] for name in METHODS if self.method_output(name)]])}"

    def _shaped(self, output: str, instances: "Any") -> "Any":
        """Answer one output, shaped as the estimator's method does."""
        from flyweight.models.answers import flat, shaped

        source = self.method_output(output) or output
        values: list[Any] = [*self.predict(instances, [source])][OUTPUTS.index(source)]
        several = self.signature.classes is not None and len(self.signature.classes) > 1 and output in ("probabilities", "scores")
        shapes = self.file.document.get("shapes")
        shape = shapes.get(output) if isinstance(shapes, dict) else None
        return shaped(flat(values) if output == "scores" else values, several, shape)

    def _rows(self, instances: "Any") -> "list[list[Any]]":
        """Validate a list of instances, or a table by columns or as an array.

        :raises InvalidInput: instances that do not fit the signature.
        :raises TooLarge: more instances than the limit.
        """
        if isinstance(instances, list) and self.validator.prefers_array(len(instances)):
            from flyweight.models.tables import by_column

            instances = by_column(instances, self.signature.features)
        by_row = not isinstance(instances, list)
        if by_row:
            table: list[list[Any]] | None = self.validator.table(instances)
            if table is not None:
                return table
            instances = instances.tolist()
        try:
            return self.validator.rows(instances, by_row)
        except (InvalidInput, TypeError, ValueError):
            from flyweight.models import tables

            return self.validator.rows(tables.cleaned(instances), by_row)  # values of other libraries in the rows

    def _checked_names(self, outputs: "Any") -> "list[str]":
        """Check the outputs that a caller names, and drop repeated ones.

        :raises InvalidInput: not a list, an empty one, or a name that is not in `output_names`.
        """
        listed = isinstance(outputs, list) and outputs and all(isinstance(name, str) for name in outputs)
        unknown = [name for name in outputs if name not in self._sources] if listed else [outputs]
        if unknown:
            raise InvalidInput(Fault(f"a list of outputs among {', '.join(self.output_names)}", preview(unknown[0])))
        return [*dict.fromkeys(outputs)]

    def _select(self, names: "list[str]") -> "Selection":
        sources = tuple([self._sources[name] for name in names])
        return sources, [(OUTPUTS.index(name), self._reader(name)) for name in names]

    def _reader(self, name: str) -> "Reader | None":
        """Choose the reader of an output: labels for indices, a number for a list of one, one list for each output."""
        signature = self.signature
        classes = signature.classes
        if name == "score_samples" or (name == "predictions" and signature.task == "regression" and signature.outputs == 1):
            return _flatten
        if classes is None or name == "transformed":
            return None
        if name == "predictions":
            return _label_reader(classes[0]) if len(classes) == 1 else lambda indices: _read_labels(indices, classes)
        return None if len(classes) == 1 else lambda values: _split(values, classes)

    def _check_outputs(self) -> None:
        """Check that the plan gives the outputs that the signature promises.

        :raises ModelRefused: an output is missing, has another width, or chooses among another number of classes.
        """
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
        # an index beyond the classes must be impossible, not merely unlikely
        if signature.classes is not None and self.engine.choices != [len(labels) for labels in signature.classes]:
            raise ModelRefused("the plan chooses among another number of classes than the signature lists")

    def __reduce__(self) -> "tuple[Any, ...]":
        return _loaded, (self.file.data[:], self.validator.limits)

    def _repr_html_(self) -> str:
        from flyweight.models.card import model_card

        return model_card(self.file, self.signature, self.name, self.version)

    def __repr__(self) -> str:
        return f"<flyweight model {self.name} {self.version}, {self.signature.task}, {len(self.signature.features)} features>"


def _loaded(data: bytes, limits: Limits) -> Predictor:
    """Load a pickled model: its file, which is checked again."""
    return Predictor(model_file.parse(data), limits)


def _flatten(values: "list[list[Any]]") -> "list[Any]":
    return [value for (value,) in values]


def _label_reader(labels: "list[Any]") -> "Reader":
    return lambda indices: [labels[int(index)] for (index,) in indices]


def _read_labels(indices: "list[list[int]]", classes: "list[list[Any]]") -> "list[Any]":
    return [[labels[int(index)] for index, labels in zip(row, classes, strict=True)] for row in indices]


def _split(values: "list[list[Any]]", classes: "list[list[Any]]") -> "list[Any]":
    """Split each instance's row of values into one list for each output."""
    spans, end = [], 0
    for labels in classes:
        spans.append(slice(end, end + len(labels)))
        end += len(labels)
    return [[row[span] for span in spans] for row in values]


# how far an answer may lie from the recorded one, relative to it: the rounding of another Python's sums; an engine that computes
# in float32 on an accelerator has a `precision` of its own
PRECISION = 1e-9


def _alike(answered: "Any", recorded: "Any", precision: float) -> bool:
    """Compare two answers; numbers may differ by `precision`, and NaN was recorded as null."""
    if recorded is None:
        return answered is None or answered != answered
    if isinstance(answered, float) and isinstance(recorded, (int, float)):
        return abs(answered - recorded) <= precision * max(1.0, abs(recorded))
    if isinstance(answered, list) and isinstance(recorded, list):
        return len(answered) == len(recorded) and all([_alike(a, b, precision) for a, b in zip(answered, recorded, strict=True)])
    return type(answered) is type(recorded) and bool(answered == recorded)


def identifier(document: "dict[str, Any]", key: str) -> str:
    """Read the model's name or version, which is also part of a header and of file names.

    :raises ModelRefused: it is absent, too long, or has other characters.
    """
    value = document.get(key)
    if not isinstance(value, str) or not 1 <= len(value) <= 100 or not value.isascii():
        raise ModelRefused(f"the model's {key} is {preview(value)}, expected at most 100 letters, digits, '.', '_', '-' or '+'")
    if not all(character.isalnum() or character in "._-+" for character in value):
        raise ModelRefused(f"the model's {key} is {preview(value)}, expected letters, digits, '.', '_', '-' or '+' only")
    return value


EXPANSION = 10  # bytes of memory for one byte of a model file, at most: measured by `benchmarks/memory.py`


class LoadedModel(Value):
    """A model that can answer, and its state in its store."""

    predictor: "Predictor"
    weight: int = 0  # bytes of memory, roughly
    release: "Release | None" = None  # None: the file came with the handler
    age: float = 0.0  # seconds since the store confirmed the release
    trouble: str = ""  # why the store could not be asked; then this is the last good model from the disk
    may_change: bool = False  # whether its address may name another model later


def memory_of(model: Predictor) -> int:
    """Estimate the bytes of memory that a model takes: its file, what is made from it, and what its ops make later."""
    plan = getattr(model.engine, "plan", None)
    grows = sum([getattr(op, "grows", 0) for op in plan.ops]) if plan is not None else 0
    return EXPANSION * len(model.file.data) + grows
