"""Score record batches of Arrow: as many rows out as in, in their order, with the same answers wherever a batch was cut."""

# imports late: pyarrow

from pathlib import Path

from flyweight.arrow import loading, reader
from flyweight.arrow.answers import Answers, joined
from flyweight.arrow.buffers import texts
from flyweight.errors import FlyweightError, InvalidInput
from flyweight.predictor import Predictor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any


RAISE, COLUMN = "raise", "column"
ROWS = 1024  # computed at a time
AT_ONCE = 8192  # rows of a table that are read at a time
ERROR = "error"  # the name of the column with the reason why a row has no answer


class WrongScorer(FlyweightError):
    """The arguments of a scorer, or the columns of a batch, have no meaning together."""


class NoPyarrow(FlyweightError, ModuleNotFoundError):
    """Record batches are to be scored where pyarrow is not installed."""


class Scorer:
    """A model for record batches, as Spark, Ray, Dask, Beam, DuckDB and polars hand them over; it crosses processes.

    The columns of the features are found by their names, in any order; others are ignored. One engine answers batches of any
    size.

    :param model: the path of a model file, an address in a store, the bytes of a model file, or a loaded model.
    :param keep: columns of the batch that the answer begins with, unchanged.
    :param outputs: some of the model's outputs; None for predictions and a classifier's probabilities or else scores.
    :param on_error: "raise" for an error at the first batch with a row that can't be answered; "column" for a column `error` with
        the reason, null for rows that were answered. Such a row has null in all other columns of answers.
    :raises FlyweightError: the model can't be loaded or is refused, it does not have an output, or columns share a name.
    """

    def __init__(
        self,
        model: "str | Path | bytes | Predictor",
        *,
        keep: "Sequence[str]" = (),
        outputs: "Sequence[str] | None" = None,
        on_error: str = RAISE,
    ) -> None:
        if isinstance(keep, str):
            raise WrongScorer(f"keep is a list of columns, got one text: keep=[{keep!r}]")
        if on_error not in (RAISE, COLUMN):
            raise WrongScorer(f"on_error is {RAISE!r} or {COLUMN!r}, got {on_error!r}")
        self.keep, self.outputs, self.on_error = (*keep,), None if outputs is None else [*outputs], on_error
        self._answers: Answers | None = None
        if isinstance(model, Predictor):
            self._origin: str | bytes = model.file.data[:]
            loading.keep(model)
            self.sha256 = model.file.sha256
        else:
            self._origin = model if isinstance(model, bytes) else str(model)
            self.sha256 = loading.load(self._origin).file.sha256
        names = [*self.keep, *self.fields().names]
        if twice := [name for name in names if names.count(name) > 1]:
            raise WrongScorer(f"the answer would have the column {twice[0]!r} twice; keep it under another name")

    @property
    def model(self) -> Predictor:
        """Get the model, which each process loads once.

        :raises ModelRefused: the file is not the one that the scorer was made with.
        """
        return loading.load(self._origin, self.sha256)

    def fields(self) -> "Any":
        """Make the Arrow schema of the answers, without the columns that are kept.

        :raises NoPyarrow: pyarrow is not installed.
        """
        try:
            import pyarrow as pa
        except ModuleNotFoundError as error:
            if error.name != "pyarrow":
                raise
            told = (
                "a Scorer needs the Python module pyarrow, which is not installed here: install flyweight with the extra `files`"
            )
            raise NoPyarrow(told, name="pyarrow") from None

        if self._answers is None:
            made = Answers(self.model, self.outputs)
            self._fields = pa.schema([*made.schema, *([pa.field(ERROR, pa.string())] if self.on_error == COLUMN else [])])
            self._answers = made  # last: a thread that sees it must see the fields as well
        return self._fields

    def schema(self, given: "Any") -> "Any":
        """Make the Arrow schema of what `__call__` returns.

        :param given: the schema of the batches.
        :raises WrongScorer: a column that is to be kept is not there, or is there twice.
        """
        import pyarrow as pa

        self.check_kept(given.names)
        return pa.schema([*map(given.field, self.keep), *self.fields()])

    def check_kept(self, names: "Iterable[str]") -> None:
        """Check that the columns that are to be kept are there, each once.

        :param names: of the columns of a batch or a frame.
        :raises WrongScorer: one is not, or is there twice.
        """
        found = [*names]
        if absent := [name for name in self.keep if name not in found]:
            raise WrongScorer(f"the batch has no column {absent[0]!r}, which is to be kept; it has {', '.join(map(str, found))}")
        for name in self.keep:
            check_once(name, found)

    def __call__(self, batch: "Any") -> "Any":
        """Score one record batch, or a table.

        :param batch: `pyarrow.RecordBatch` or `pyarrow.Table`; one without rows has an answer without rows.
        :returns: the same kind, with as many rows.
        :raises WrongScorer: it is a table of another library.
        :raises InvalidInput: a column of a feature is missing or of another kind; and, unless faults have a column, a row that
            does not fit the signature or that the model refuses.
        """
        import pyarrow as pa

        if not isinstance(batch, (pa.RecordBatch, pa.Table)):
            functions = "flyweight.pandas.score and flyweight.polars.score take DataFrames"
            if isinstance(batch, pa.RecordBatchReader):
                functions = "`batches` scores what a reader gives"
            raise WrongScorer(f"expected a RecordBatch or a Table of pyarrow, got {named(batch)}; {functions}")
        schema = self.schema(batch.schema)
        found = self.answers(batch)
        kind = pa.Table if isinstance(batch, pa.Table) else pa.RecordBatch
        return kind.from_arrays([*map(batch.column, self.keep), *found.columns], schema=schema)

    def answers(self, batch: "Any") -> "Any":
        """Score one record batch, or a table in pieces of bounded memory, without the columns that are kept.

        :param batch: as for `__call__`, and so are the errors.
        """
        import pyarrow as pa

        if isinstance(batch, pa.Table):
            begins = range(0, batch.num_rows, AT_ONCE) or [0]
            return pa.Table.from_batches([self._piece(batch, begin) for begin in begins], self.fields())
        rows, places, faults = reader.read(batch, self.model)
        return self._answered(rows, places, faults, batch.num_rows)

    def rows(self, rows: "Sequence[dict[str, Any]]") -> "list[dict[str, Any]]":
        """Score rows that are dicts by column; values of wrong types make one row a fault, where a batch can't even be made.

        :param rows: of Python's values; what is neither a feature nor kept is ignored.
        :returns: the answers, in the order of the rows, as `__call__` would give them.
        :raises InvalidInput: unless faults have a column, a row does not fit the signature or is refused by the model.
        :raises WrongScorer: a value that is to be kept is not there.
        """
        for number, row in enumerate(rows if self.keep else ()):
            if absent := [name for name in self.keep if not hasattr(row, "__contains__") or name not in row]:
                raise WrongScorer(f"row {number} has no {absent[0]!r}, which is to be kept")
        answered = self.answers_to(rows).to_pylist()
        return [{**{name: row[name] for name in self.keep}, **found} for row, found in zip(rows, answered, strict=True)]

    def answers_to(self, rows: "Sequence[dict[str, Any]]") -> "Any":
        """Score rows that are dicts by column into one record batch, without the columns that are kept; errors as of `rows`."""
        return self._answered(*reader.read_rows(rows, self.model), len(rows))

    def batches(self, batches: "Iterable[Any]") -> "Iterable[Any]":
        """Score batches one after another, as Spark's `mapInArrow` hands them over."""
        return map(self, batches)

    def _piece(self, table: "Any", begin: int) -> "Any":
        """Score the next rows of a table, whose own batches may be tiny; faults name rows by their numbers in the table.

        :raises InvalidInput: as `__call__`.
        """
        import pyarrow as pa

        part = table.slice(begin, AT_ONCE).combine_chunks()
        columns = [column.chunk(0) if column.num_chunks else pa.array([], column.type) for column in part.columns]
        try:
            return self.answers(pa.RecordBatch.from_arrays(columns, schema=part.schema))
        except InvalidInput as error:
            faults = [
                fault if fault.instance is None else fault._replace(instance=begin + fault.instance) for fault in error.faults
            ]
            raise InvalidInput(*faults) from None

    def _answered(self, rows: "Any", places: "Sequence[int]", faults: "dict[int, InvalidInput]", count: int) -> "Any":
        """Answer the rows that fit the signature.

        :param rows: with `places` and `faults` what `reader.read` returns.
        :param count: all rows, those with faults too.
        :returns: a record batch of the answers.
        :raises InvalidInput: as `__call__`.
        """
        import pyarrow as pa

        schema = self.fields()
        assert self._answers is not None
        columns, refused = _computed(self.model, rows, self._answers.sources)
        faults.update({places[row]: error for row, error in refused.items()})
        if faults and self.on_error == RAISE:
            raise InvalidInput(*[fault for place in sorted(faults)[:20] for fault in faults[place].faults])
        if refused:
            places = [place for number, place in enumerate(places) if number not in refused]
        made = self._answers.columns(columns, places, count)
        if self.on_error == COLUMN and faults:
            made.append(texts([_reason(faults.get(place)) for place in range(count)]))
        elif self.on_error == COLUMN:
            made.append(pa.nulls(count, pa.string()))
        return pa.RecordBatch.from_arrays(made, schema=schema)

    def __reduce__(self) -> "tuple[Any, ...]":
        return _made_again, (self._origin, self.sha256, self.keep, self.outputs, self.on_error)

    def __repr__(self) -> str:
        return f"<flyweight scorer of {self.model.name} {self.model.version}>"


def _made_again(
    origin: "str | bytes", sha256: str, keep: "tuple[str, ...]", outputs: "list[str] | None", on_error: str
) -> Scorer:
    """Make a pickled scorer again; its model is loaded when it is first asked for."""
    scorer = Scorer.__new__(Scorer)
    scorer._origin, scorer.sha256 = origin, sha256
    scorer.keep, scorer.outputs, scorer.on_error = keep, outputs, on_error
    scorer._answers = None
    return scorer


def check_once(name: str, columns: "Sequence[str]") -> None:
    """Check that a column that is to be kept has its name for itself.

    :raises WrongScorer: several columns have it.
    """
    if (count := [*columns].count(name)) > 1:
        raise WrongScorer(f"{count} columns are named {name!r}, which is to be kept: give each a name of its own")


def _computed(model: Predictor, rows: "Any", sources: "tuple[str, ...]") -> "tuple[list[Any], dict[int, InvalidInput]]":
    """Compute outputs, a fixed number of rows at a time: the last digits of products of matrices differ with that number.

    :param rows: of shape (rows, features), a list or an array.
    :returns: for each source one list or array, of the rows that have answers; and the errors of the others by their number.
    """
    parts: list[list[Any]] = []
    refused: dict[int, InvalidInput] = {}
    for begin in range(0, len(rows), ROWS):
        piece = rows[begin : begin + ROWS]
        try:
            parts.append(_padded(model, piece, sources))
        except InvalidInput:
            errors = _refusals(model, piece, sources)
            refused.update({begin + place: error for place, error in errors.items()})
            left = [place for place in range(len(piece)) if place not in errors]
            if left:
                parts.append(_padded(model, piece[left] if not isinstance(piece, list) else [piece[at] for at in left], sources))
    return [joined(values) for values in zip(*parts, strict=True)], refused


def _padded(model: Predictor, piece: "Any", sources: "tuple[str, ...]") -> "list[Any]":
    """Compute the outputs of a piece as if it had all `ROWS`: its last row is repeated.

    :raises InvalidInput: the model refuses a row.
    """
    engine, count = loading.engine_of(model), len(piece)
    if isinstance(piece, list):
        rows: Any = piece + piece[-1:] * (ROWS - count)
    else:
        rows = piece if count == ROWS else piece.take([*range(count), *[count - 1] * (ROWS - count)], axis=0)
    computed: list[Any] = getattr(engine, "arrays", engine.outputs)(rows, sources)
    return [values[:count] for values in computed]


def _refusals(model: Predictor, piece: "Any", sources: "tuple[str, ...]") -> "dict[int, InvalidInput]":
    """Find the rows that the model refuses, with their errors."""
    errors = {}
    for place, row in enumerate(piece if isinstance(piece, list) else piece.tolist()):
        try:
            model.engine.outputs([row], sources)
        except InvalidInput as error:
            errors[place] = error
    return errors


def named(table: "Any") -> str:
    """Name the type of what was given in the place of a table, with its library."""
    return f"{type(table).__module__.partition('.')[0]}.{type(table).__name__}".removeprefix("builtins.")


def _reason(error: "InvalidInput | None") -> "str | None":
    return None if error is None else "; ".join([str(fault._replace(instance=None)) for fault in error.faults])
