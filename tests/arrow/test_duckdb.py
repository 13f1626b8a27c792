"""A model as a function of DuckDB answers each row of a query as the model does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression

import flyweight
from flyweight.arrow.scorer import Scorer
from tests import fitted

duckdb = pytest.importorskip("duckdb")
BIRDS = pa.Table.from_pandas(fitted.penguins()[1], preserve_index=False)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Any]:
    """A connection with a view `birds` of a Parquet file with an id for each row."""
    pq.write_table(BIRDS.append_column("id", pa.array(range(BIRDS.num_rows))), tmp_path / "birds.parquet")
    with duckdb.connect() as connection:
        connection.execute(f"create view birds as select * from '{tmp_path}/birds.parquet'")
        yield connection


def test_a_query_over_parquet_has_the_scorers_answers(connection: Any, penguins: Path) -> None:
    call = flyweight.duckdb.register(connection, penguins)
    answered = connection.sql(f"select id, unnest({call}) from birds order by id").to_arrow_table()
    expected = Scorer(penguins)(BIRDS)
    assert answered.column("id").to_pylist() == [*range(BIRDS.num_rows)]
    assert answered.select(["prediction", "probabilities"]).to_pydict() == expected.to_pydict()
    counted = connection.sql(f"select {call}.prediction as species, count(*) from birds group by species order by species")
    assert sum(count for _, count in counted.fetchall()) == BIRDS.num_rows


def test_fields_are_matched_by_name_and_a_row_may_be_the_argument(connection: Any, penguins: Path) -> None:
    flyweight.duckdb.register(connection, str(penguins), "species_of", outputs=["predictions"])
    names = ", ".join(reversed(BIRDS.column_names))
    answered = connection.sql(f"select species_of(bird).prediction from (select {names} from birds order by id) bird").fetchall()
    assert [label for (label,) in answered] == Scorer(penguins)(BIRDS).column("prediction").to_pylist()


def test_a_null_row_has_no_answer_and_a_null_value_is_missing(connection: Any, penguins: Path) -> None:
    call = flyweight.duckdb.register(connection, penguins)
    assert connection.sql("select predict(null)").fetchall() == [(None,)]
    rows = f"select case when id % 2 = 0 then {call} end as answer from birds order by id limit 4"
    assert [row is None for (row,) in connection.sql(rows).fetchall()] == [False, True, False, True]
    missing = BIRDS.slice(0, 1).to_pylist()[0] | {"bill_length_mm": None}
    expected = flyweight.load(str(penguins)).predict([missing]).predictions
    assert [connection.sql(f"select {call}.prediction from (select * replace (null as bill_length_mm) from birds where id = 0)")
            .fetchall()[0][0]] == expected  # fmt: skip


def test_faults_end_the_query_or_stand_in_a_field(connection: Any, penguins: Path) -> None:
    call = flyweight.duckdb.register(connection, penguins)
    broken = "(select * replace (case id when 3 then 'infinity'::double else bill_length_mm end as bill_length_mm) from birds)"
    with pytest.raises(duckdb.Error, match="feature 'bill_length_mm'"):
        connection.sql(f"select {call} from {broken}").fetchall()
    flyweight.duckdb.register(connection, penguins, "checked", on_error="column")
    rows = connection.sql(f"select id, {call.replace('predict(', 'checked(')}.error from {broken} order by id").fetchall()
    assert [number for number, error in rows if error] == [3] and "bill_length_mm" in dict(rows)[3]


def test_names_of_any_letters_can_be_asked(tmp_path: Path) -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=['it\'s "x"', "größe"])
    model = LogisticRegression().fit(frame, frame["größe"] > 0)
    flyweight.pack(model, tmp_path / "m.safetensors", sample=frame, name="m")
    with duckdb.connect() as connection:
        call = flyweight.duckdb.register(connection, tmp_path / "m.safetensors", "the model")
        answered = connection.sql(f"select {call}.prediction from frame").fetchall()
    assert [label for (label,) in answered] == model.predict(frame).tolist()
