"""Make a model a function of DuckDB's SQL."""

# imports late: pyarrow

from flyweight.arrow import structs
from flyweight.arrow.scorer import RAISE, Scorer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from flyweight.models.signature import Feature
    from flyweight.predictor import Predictor

TYPES = {"number": "DOUBLE", "boolean": "BOOLEAN", "string": "VARCHAR"}


def register(
    connection: "Any",
    model: "str | Path | bytes | Predictor",
    name: str = "predict",
    *,
    outputs: "Sequence[str] | None" = None,
    on_error: str = RAISE,
) -> str:
    """Make a model a function of one argument, a struct with a field for each feature, which returns a struct of outputs.

    DuckDB matches the fields by their names. A null struct has a null answer, and a null field is a missing value.

    :param connection: of DuckDB.
    :param model: as for `Scorer`, and so are `outputs` and `on_error`.
    :param name: of the function.
    :returns: the SQL that calls it with columns of the features' names: `predict({'age': "age", ...})`.
    :raises FlyweightError: the model can't be loaded or is refused, or does not have an output.
    """
    scorer = Scorer(model, outputs=outputs, on_error=on_error)
    features = [feature for feature in scorer.model.signature.features if feature.kind != "unread"]
    names, fields = [feature.name for feature in features], scorer.fields()
    argument = f"STRUCT({', '.join(f'{_quoted(feature.name)} {_type_of(feature)}' for feature in features)})"
    returned = f"STRUCT({', '.join(f'{_quoted(field.name)} {_sql_type(field.type)}' for field in fields)})"
    # `special`: a function is asked for nulls as well; by default DuckDB answers null for a null argument without asking
    # and it reads the annotations of a function, which a lambda does not have
    answer = lambda column: structs.scored(scorer, column)  # noqa: E731
    connection.create_function(name, answer, [argument], returned, type="arrow", null_handling="special")
    pairs = ", ".join(f"'{field.replace(chr(39), 2 * chr(39))}': {_quoted(field)}" for field in names)
    return f"{_quoted(name) if not name.isidentifier() else name}({{{pairs}}})"


def _type_of(feature: "Feature") -> str:
    """Choose the SQL type of a feature."""
    if feature.kind == "datetime":
        return "TIMESTAMPTZ" if feature.zone == "UTC" else "TIMESTAMP"
    return TYPES[feature.kind]


def _sql_type(kind: "Any") -> str:
    """Write the SQL type of an Arrow type of answers."""
    import pyarrow as pa

    if pa.types.is_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
    return {"string": "VARCHAR", "double": "DOUBLE", "bool": "BOOLEAN", "int64": "BIGINT"}[str(kind)]


def _quoted(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'
