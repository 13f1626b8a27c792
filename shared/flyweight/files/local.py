"""Score a file of this machine, and give its answers as lines, for platforms that collect what a program returns."""

import os

from flyweight import strict_json
from flyweight.files import scoring
from flyweight.files.reader import File
from flyweight.files.results import score_batch
from flyweight.stores import open_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flyweight.predictor import Predictor


def scored_lines(predictor: "Predictor", path: str) -> "Iterator[str]":
    """Score a file in CSV, JSON lines or Parquet, batch by batch.

    :param path: absolute, or from the working directory.
    :returns: one JSON object a row: `file`, `line` and the answer; a rejected row has `file`, `line`, `problem` and `row`, and
        comes after the answers of its batch.
    :raises MalformedRequest: the file is not what its name says.
    :raises InvalidInput: its columns are not the model's features.
    :raises UnsupportedMediaType: its format is not supported.
    :raises StoreFailed: it can't be read; ObjectNotFound if it does not exist.
    """
    folder, name = os.path.split(os.path.abspath(path))
    store = open_store(f"file://{folder}")
    meta = store.head(name)
    scoring.settle_engine(meta.size)
    rows = min(scoring.BATCH_ROWS, predictor.validator.limits.max_instances)
    begin = f'{{"file":{strict_json.encode(name).decode()},'
    for batch in File(store, name, meta, lambda: None).batches(predictor.validator, {}, rows, scoring.BATCH_BYTES):
        answers, rejected, _, _ = score_batch(predictor, batch, "jsonl", False)
        for line in (answers + rejected).split(b"\n")[:-1]:
            yield begin + line.decode()[1:]
