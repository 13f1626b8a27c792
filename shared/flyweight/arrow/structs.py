"""Score columns of structs, as functions of SQL get them: a field for each feature."""

# imports late: pyarrow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.arrow.scorer import Scorer


def scored(scorer: "Scorer", column: "Any") -> "Any":
    """Answer a column of structs by a column of structs, with null for null.

    :param column: an array of Arrow, whose fields are found by their names.
    :raises InvalidInput: as the scorer does.
    """
    import pyarrow as pa

    structs = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    names, valid = [field.name for field in structs.type], structs.is_valid() if structs.null_count else None
    given = structs if valid is None else structs.filter(valid)
    found = scorer(pa.RecordBatch.from_arrays(given.flatten(), names=names))
    answers = pa.StructArray.from_arrays(found.columns, fields=[*found.schema])
    if valid is None:
        return answers
    places = iter(range(len(answers)))
    return answers.take(pa.array([next(places) if there else None for there in valid.to_pylist()], pa.int64()))
