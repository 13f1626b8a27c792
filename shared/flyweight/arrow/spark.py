"""Score data frames of Spark, in batches and in streams, and make a model a function of its SQL."""

# imports late: pyarrow, pyspark

from functools import cache

from flyweight.arrow import loading, structs
from flyweight.arrow.scorer import COLUMN, ERROR, RAISE, Scorer, WrongScorer
from flyweight.errors import FlyweightError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from typing import Any

    from flyweight.predictor import Predictor

ARROW, PANDAS = "arrow", "pandas"


class LostRows(FlyweightError):
    """A batch was answered by another number of rows."""


def score(
    frame: "Any",
    model: "str | Path | bytes | Predictor",
    *,
    keep: "Sequence[str]" = (),
    outputs: "Sequence[str] | None" = None,
    on_error: str = RAISE,
    by: str = ARROW,
    observation: "Any" = None,
) -> "Any":
    """Score a data frame, of a table or of a stream, with Spark's `mapInArrow`.

    The columns of the features are found by their names; others are not read. Spark itself takes the columns that come back by
    their positions, so that the schema is made from the model.

    :param frame: of Spark, also of Spark Connect.
    :param model: as for `Scorer`, and so are `keep`, `outputs` and `on_error`. A file is sent to the workers once; what is at an
        address is loaded by each of them.
    :param by: "arrow", or "pandas" for `mapInPandas`.
    :param observation: `pyspark.sql.Observation`, or for a stream the name of one, which gets the numbers of `rows` and of
        `failed` ones; None for none.
    :returns: a data frame with the kept columns and the answers.
    :raises WrongScorer: a column is not there.
    :raises FlyweightError: the model can't be loaded or is refused, or does not have an output.
    """
    from pyspark.sql import functions
    from pyspark.sql.types import StructType

    if by not in (ARROW, PANDAS):
        raise WrongScorer(f"`by` is {ARROW!r} or {PANDAS!r}, got {by!r}")
    scorer = Scorer(model, keep=keep, outputs=outputs, on_error=on_error)
    worker = _sent(frame.sparkSession, model, scorer, frame.isStreaming)
    wanted = [feature.name for feature in scorer.model.signature.features if feature.kind != "unread"]
    for name in (*wanted, *keep):
        if name not in frame.columns:
            raise WrongScorer(f"the data frame has no column {name!r}; it has {', '.join(frame.columns)}")
    read = frame.select(*[_quoted(name) for name in dict.fromkeys((*keep, *wanted))])
    schema = StructType([*[read.schema[name] for name in keep], *_fields(scorer)])
    answers = read.mapInArrow(_of_batches(worker), schema) if by == ARROW else read.mapInPandas(_of_frames(worker), schema)
    if observation is None:
        return answers
    rows = functions.count(functions.lit(1))
    failed = functions.count(functions.col(ERROR) if on_error == COLUMN else functions.lit(None))
    return answers.observe(observation, rows.alias("rows"), failed.alias("failed"))


def udf(
    session: "Any",
    model: "str | Path | bytes | Predictor",
    *,
    outputs: "Sequence[str] | None" = None,
    on_error: str = RAISE,
    by: str = ARROW,
) -> "Any":
    """Make a model a function of one column: a struct with a field for each feature, found by name, which becomes a struct.

    :param session: of Spark, also of Spark Connect.
    :param model: as for `score`, and so are `outputs` and `on_error`.
    :param by: "arrow" for `arrow_udf`, which Spark has since 4.1; "pandas" for `pandas_udf`, which takes structs as frames.
    :raises FlyweightError: the model can't be loaded or is refused, or does not have an output.
    """
    from pyspark.sql import functions
    from pyspark.sql.types import StructType

    if by not in (ARROW, PANDAS):
        raise WrongScorer(f"`by` is {ARROW!r} or {PANDAS!r}, got {by!r}")
    scorer = Scorer(model, outputs=outputs, on_error=on_error)
    worker, returned = _sent(session, model, scorer), StructType(_fields(scorer))
    if by == ARROW:
        return functions.arrow_udf(_of_structs(worker), returned, functions.ArrowUDFType.SCALAR_ITER)
    return functions.pandas_udf(_of_frames(worker), returned, functions.PandasUDFType.SCALAR_ITER)


def register(session: "Any", model: "str | Path | bytes | Predictor", name: str = "predict", **options: "Any") -> str:
    """Make a model a function of Spark's SQL, of one struct: `select predict(struct(*)) from birds`.

    :param options: of `udf`.
    :returns: the SQL that calls it with the columns of the features' names.
    :raises FlyweightError: the model can't be loaded or is refused, or does not have an output.
    """
    session.udf.register(name, udf(session, model, **options))
    features = Scorer(model).model.signature.features
    return f"{name}(struct({', '.join(_quoted(feature.name) for feature in features if feature.kind != 'unread')}))"


def into(folder: str, form: str = "parquet") -> "Callable[[Any, int], None]":
    """Return what writes each batch of a stream into a folder of its own, for `foreachBatch`.

    A batch that Spark hands over again, after a driver ended between writing it and noting so, replaces what it wrote.

    :param folder: where the folders `batch=0`, `batch=1`... are.
    :param form: of the files, by Spark's name.
    """

    def write(frame: "Any", batch: int) -> None:
        frame.write.format(form).mode("overwrite").save(f"{folder}/batch={batch}")

    return write


class _Sent:
    """A scorer on its way to the workers, each of which makes it once a process.

    `file`: the name of a file that Spark brings, an address, or the model itself.
    """

    def __init__(self, file: "str | bytes", scorer: Scorer) -> None:
        self.file, self.sha256, self.keep, self.on_error = file, scorer.sha256, scorer.keep, scorer.on_error
        self.outputs = None if scorer.outputs is None else (*scorer.outputs,)

    def scorer(self) -> Scorer:
        """Make the scorer, or get the one that this process has."""
        return _scorer(self.file, self.sha256, self.keep, self.outputs, self.on_error)


@cache
def _scorer(
    file: "str | bytes", sha256: str, keep: "tuple[str, ...]", outputs: "tuple[str, ...] | None", on_error: str
) -> Scorer:
    """Make a scorer from a file that Spark brought here, or from an address.

    :raises ModelRefused: the model is not the one that the job was started with.
    """
    from pyspark import SparkFiles

    origin = file if isinstance(file, bytes) or "://" in file else SparkFiles.get(file)
    loading.load(origin, sha256)
    return Scorer(origin, keep=keep, outputs=outputs, on_error=on_error)


def _sent(session: "Any", model: "str | Path | bytes | Predictor", scorer: Scorer, streams: bool = False) -> _Sent:
    """Send the file of a model to the workers, under the name of its sha256; a model at an address stays where it is.

    A stream runs in a session of its own, which does not have the files that a client of Spark Connect sent: it gets the model
    with its function.
    """
    import tempfile
    from pathlib import Path

    if isinstance(model, str) and "://" in model:
        return _Sent(model, scorer)
    name = f"flyweight-{scorer.sha256}.safetensors"
    path = Path(tempfile.gettempdir(), name)
    if not path.is_file() or path.stat().st_size != len(scorer.model.file.data):
        draft = path.with_name(f"{name}.{id(scorer)}")
        draft.write_bytes(scorer.model.file.data)
        draft.replace(path)
    try:
        context = session.sparkContext
    except Exception:  # Spark Connect has no context, and says so by an error of its own
        if streams:
            return _Sent(bytes(scorer.model.file.data), scorer)
        session.addArtifacts(str(path), file=True)
    else:
        context.addFile(str(path))
    return _Sent(name, scorer)


def _of_batches(sent: _Sent) -> "Callable[[Iterable[Any]], Iterable[Any]]":
    def score_batches(batches: "Iterable[Any]") -> "Iterable[Any]":
        scorer = sent.scorer()
        for batch in batches:
            yield _whole(scorer(batch), batch.num_rows)

    return score_batches


def _of_frames(sent: _Sent) -> "Callable[[Iterable[Any]], Iterable[Any]]":
    def score_frames(frames: "Iterable[Any]") -> "Iterable[Any]":
        import pyarrow as pa

        scorer = sent.scorer()
        for frame in frames:
            batch = pa.Table.from_pandas(frame, preserve_index=False).combine_chunks()
            yield _whole(scorer(batch), len(frame)).to_pandas()

    return score_frames


def _of_structs(sent: _Sent) -> "Callable[[Iterable[Any]], Iterable[Any]]":
    def score_structs(columns: "Iterable[Any]") -> "Iterable[Any]":
        scorer = sent.scorer()
        for column in columns:
            yield structs.scored(scorer, column)

    return score_structs


def _whole(answers: "Any", rows: int) -> "Any":
    """Check that each row is answered: Spark would take fewer in silence.

    :raises LostRows: there are more or fewer.
    """
    if answers.num_rows != rows:
        raise LostRows(f"{rows} rows were answered by {answers.num_rows}; report this as an error of flyweight")
    return answers


def _fields(scorer: Scorer) -> "list[Any]":
    """Make the fields of the answers, as Spark describes them."""
    from pyspark.sql import types

    return [types.StructField(field.name, _type_of(field.type)) for field in scorer.fields()]


def _type_of(kind: "Any") -> "Any":
    """Choose Spark's type for an Arrow type of answers."""
    import pyarrow as pa
    from pyspark.sql import types

    if pa.types.is_list(kind):
        return types.ArrayType(_type_of(kind.value_type))
    named = {"string": types.StringType, "double": types.DoubleType, "bool": types.BooleanType, "int64": types.LongType}
    return named[str(kind)]()


def _quoted(name: str) -> str:
    """Quote a name for Spark, for which a dot is a way into a struct."""
    return "`" + name.replace("`", "``") + "`"
