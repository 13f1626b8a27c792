"""What encoders of category_encoders and skrub's vectorizers tell about their columns, so that CSV has the kinds of training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import category_encoders
import numpy as np
import pandas as pd
import pytest
import skrub
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline

from flyweight.toolkit.packing.evidence import told_by
from flyweight.toolkit.packing.pack import pack
from flyweight.toolkit.packing.tables import read_table

# category_encoders sets an option of pandas that is to be removed
pytestmark = pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated")
ROWS = 60
RNG = np.random.default_rng(0)
SIZE = RNG.normal(size=ROWS)
X = pd.DataFrame({"zip": RNG.choice(["01234", "00501", "90210"], ROWS), "size": SIZE})
DATED = X.assign(zip=X["zip"] + "x", day=pd.date_range("2024", periods=ROWS), flag=SIZE > 0)
Y = (SIZE + 2 * (X["zip"] == "01234") > 1).astype(int)


def forest() -> Any:
    return RandomForestClassifier(3, random_state=0)


def kinds(estimator: Any, frame: pd.DataFrame) -> dict[str, str | None]:
    names = [*frame.columns]
    return {name: told.kind for name, told in zip(names, told_by(estimator, names), strict=True)}


@pytest.mark.parametrize(
    "name", ["TargetEncoder", "OneHotEncoder", "OrdinalEncoder", "CountEncoder", "BinaryEncoder", "WOEEncoder"]
)
def test_an_encoder_tells_its_categories_and_hands_on_the_other_columns(name: str) -> None:
    encoder = getattr(category_encoders, name)(cols=["zip"])
    assert kinds(make_pipeline(encoder, forest()).fit(X, Y), X) == {"zip": "string", "size": "number"}


def test_an_encoder_inside_a_column_transformer_tells_the_same() -> None:
    columns = make_column_transformer((category_encoders.OrdinalEncoder(), ["zip"]), remainder="passthrough")
    assert kinds(make_pipeline(columns, forest()).fit(X, Y), X) == {"zip": "string", "size": "number"}


def test_an_encoder_that_keeps_no_categories_tells_no_kind() -> None:
    encoder = category_encoders.HashingEncoder(cols=["zip"], max_process=1)
    assert kinds(make_pipeline(encoder, forest()).fit(X, Y), X)["zip"] is None


def test_a_vectorizer_of_tables_tells_every_column() -> None:
    pipe = make_pipeline(skrub.TableVectorizer(), forest()).fit(DATED, Y)
    assert kinds(pipe, DATED) == {"zip": "string", "size": "number", "day": "datetime", "flag": "number"}


@pytest.mark.parametrize(
    ("estimator", "frame"),
    [(category_encoders.TargetEncoder(cols=["zip"]), X), (skrub.TableVectorizer(), DATED)],
    ids=["category_encoders", "skrub"],
)
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_sample_without_types_packs_as_the_table_of_training(
    estimator: Any, frame: pd.DataFrame, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"rows.{suffix}"
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_json(path, orient="records", lines=True, date_format="iso")
    made = pack(make_pipeline(estimator, forest()).fit(frame, Y), sample=read_table(path), edge_count=20)
    assert made.parity.label_differences == 0 and made.read_back["CSV"] == ROWS
