"""Random typed tables, random estimators over them, and the four forms of file in which their rows come to a model.

A table is fitted on, half of it is packed with, and the other half is written by pandas and read by the model's own readers: each
label has to be the estimator's answer to the table itself. The sample is the table, or the CSV file that pandas makes of it.
"""

from __future__ import annotations

import io
import json
import random
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, CatBoostError  # type: ignore[import-untyped]
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeClassifier

from flyweight.errors import FlyweightError
from flyweight.files.reader import text_batches
from flyweight.formats import csv as csv_format
from flyweight.formats import json as json_format
from flyweight.formats.parquet import parquet_batches
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.packing.pack import pack
from flyweight.toolkit.packing.tables import read_table

ROWS = 48
WORDS = {
    "codes": ["01234", "00501", "90210", "1234", "007", "7"],
    "digits": ["1", "2", "10", "-3", "1.0", "1e5", "+4"],
    "booleans": ["True", "False", "true", "yes"],
    "nulls": ["NA", "None", "nan", "null", "N/A", "<NA>", "x"],
    "empty": ["", "a", "NULL", "-nan"],
    "dates": ["2024-02-29", "2023-12-31", "1999-01-01T00:00:00", "20240229"],
    "unicode": ["é", "e\u0301", "中文", "😀", "ß", "İ", "\u00a0x", "\u200b"],
    "blanks": [" a", "a ", "a", " ", "\ta", " 1", "1 "],
    "quotes": ['say "a"', "a,b", "a\nb", "a\r\nb", "'", ";", "a\\b", '"'],
    "long": ["9007199254740993", "9007199254740992", "00000000000000000001", "1" * 40],
    "hex": ["0x1F", "1_000", "inf", "Infinity", "NaN", "1d", "٣"],
}


@dataclass
class Outcome:
    """What became of one table."""

    labels: int = 0
    different: list[str] = field(default_factory=list)
    refused: str = ""


def strings(rng: random.Random, rows: int) -> pd.Series[Any]:
    """Make a column of strings of one sort, some of them missing in one way."""
    known = WORDS[rng.choice([*WORDS])]
    known = rng.sample(known, rng.randint(2, len(known)))
    share = rng.choice((0.0, 0.0, 0.15))
    marker = rng.choice((None, np.nan))
    values = [marker if rng.random() < share else rng.choice(known) for _ in range(rows)]
    made = pd.Series(values, dtype=rng.choice((object, object, "str")))
    return made


def numbers(rng: random.Random, rows: int) -> pd.Series[Any]:
    """Make a column of numbers: whole, of double or single precision, booleans, or empty."""
    gauss = np.array([rng.gauss(0, 1) for _ in range(rows)])
    whole = np.array([rng.randrange(-3, 5) for _ in range(rows)])
    made = rng.choice((gauss, gauss * 1e9, np.round(gauss, 1), whole, whole * 1.0, whole * 10**14, gauss > 0, -0.0 * whole))
    column = pd.Series(made)
    if made.dtype.kind == "f" and rng.random() < 0.3:
        column[[rng.random() < 0.2 for _ in range(rows)]] = np.nan
    if made.dtype.kind == "f" and rng.random() < 0.1:
        column = pd.Series([np.nan] * rows)
    return column


def nobody_reads(rng: random.Random, rows: int) -> pd.Series[Any]:
    """Make a column that only a table in training has."""
    kinds: list[Any] = [pd.date_range("2020", periods=rows, freq="h"), [1, "x"] * (rows // 2), [None] * rows, ["z"] * rows]
    return pd.Series(rng.choice(kinds))


def table(rng: random.Random) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Make a table, and say which of its columns are strings, numbers, and read by nobody."""
    columns: dict[str, pd.Series[Any]] = {}
    roles: dict[str, list[str]] = {"string": [], "number": [], "unread": []}
    names = rng.sample(["a", "Zip Code", "größe", "x,y", 'say "b"', "c d", "1", "NA", "price", "n", "flag", "weight"], 8)
    makers: list[tuple[str, Callable[..., Any], int]] = [
        ("string", strings, rng.randint(0, 3)),
        ("number", numbers, rng.randint(1, 3)),
        ("unread", nobody_reads, rng.randint(0, 1)),
    ]
    for role, make, count in makers:
        for _ in range(count):
            roles[role].append(names.pop())
            columns[roles[role][-1]] = make(rng, ROWS)
    order = [*columns]
    rng.shuffle(order)
    return pd.DataFrame({name: columns[name] for name in order}), roles


def target(frame: pd.DataFrame, rng: random.Random) -> Any:
    """Make labels that depend on every column, so that a column that is read wrongly shows."""
    total = np.zeros(len(frame))
    for name in frame.columns:
        codes = pd.factorize(frame[name].astype(str))[0]
        total += rng.choice((1.0, 2.0, 3.0)) * (codes % 3)
    labels = rng.choice((["no", "yes", "maybe"], [0, 1, 2], [False, True, True]))
    bins = np.digitize(total, np.quantile(total, (0.4, 0.75)))
    made = np.array([labels[place] for place in bins])
    return made if len(set(made.tolist())) > 1 else np.arange(len(frame)) % 2


def pipeline(roles: dict[str, list[str]], rng: random.Random) -> Any:
    """Build a pipeline of encoders and scalers with a linear model or trees."""
    parts: list[Any] = []
    if roles["string"]:
        encoder = rng.choice(
            (
                OneHotEncoder(handle_unknown="ignore"),
                OneHotEncoder(handle_unknown="ignore", min_frequency=5),
                OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
                TargetEncoder(cv=2, random_state=0),
            )
        )
        fill = rng.choice((None, None, "most_frequent", "constant"))
        if fill is not None:
            value = {"fill_value": rng.choice(("NA", "missing", ""))} if fill == "constant" else {}
            encoder = make_pipeline(SimpleImputer(strategy=fill, **value), encoder)
        parts.append(("words", encoder, roles["string"]))
    scalers = (
        StandardScaler(),
        RobustScaler(),
        FunctionTransformer(),
        KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"),
    )
    numeric = make_pipeline(SimpleImputer(strategy=rng.choice(("mean", "median")), keep_empty_features=True), rng.choice(scalers))
    parts.append(("numbers", numeric, roles["number"]))
    rng.shuffle(parts)
    models = (LogisticRegression(max_iter=50), DecisionTreeClassifier(random_state=0), RandomForestClassifier(3, random_state=0))
    return make_pipeline(ColumnTransformer(parts, sparse_threshold=0.0), rng.choice(models))


def booster(frame: pd.DataFrame, roles: dict[str, list[str]], rng: random.Random) -> tuple[Any, pd.DataFrame]:
    """Build a booster that reads categories itself, and the table as it takes it."""
    frame = frame.drop(columns=roles["unread"]).rename(
        columns=lambda name: name.replace(",", "_").replace('"', "_")
    )  # LightGBM's
    roles = {role: [name.replace(",", "_").replace('"', "_") for name in named] for role, named in roles.items()}
    name = rng.choice(("lightgbm", "histogram", "catboost"))
    if name == "catboost":
        words = {column: frame[column].where(frame[column].notna(), "gone").astype(object) for column in roles["string"]}
        model = CatBoostClassifier(
            iterations=5, verbose=0, allow_writing_files=False, cat_features=roles["string"], thread_count=1, random_seed=0
        )
        return model, frame.assign(**words)
    framed = frame.assign(**{column: frame[column].astype("category") for column in roles["string"]})
    if name == "lightgbm":
        return LGBMClassifier(n_estimators=5, min_child_samples=2, min_data_per_group=1, verbose=-1, n_jobs=1), framed
    return HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=3, categorical_features="from_dtype"), framed


def read_csv(frame: pd.DataFrame, model: Predictor) -> Any:
    """Read CSV that pandas writes, as the body of a request."""
    return csv_format.parse(frame.to_csv(index=False), model.validator)


def read_csv_file(frame: pd.DataFrame, model: Predictor) -> Any:
    """Read CSV that pandas writes, as a file in a bucket."""
    data = frame.to_csv(index=False).encode()
    batches = text_batches(iter([data]), "csv", model.validator, {}, len(frame), 1 << 30)
    made: list[Any] = []
    for batch in batches:
        assert not batch.faults, batch.faults
        rows = [list(row) for row in batch.instances]
        for place, row in batch.exceptions_by_row.items():
            rows[place] = row
        made += rows
    return made


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """List the rows as JSON has them."""
    columns = {name: [_plain(value) for value in frame[name].tolist()] for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    if value is None or value is pd.NA or value != value:
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else value


def read_json(frame: pd.DataFrame, model: Predictor) -> Any:
    """Read one JSON document."""
    return json_format.parse(json.dumps({"instances": records(frame)}), model.validator, {})[0]


def read_ndjson(frame: pd.DataFrame, model: Predictor) -> Any:
    """Read NDJSON."""
    text = "\n".join(json.dumps(record, ensure_ascii=False) for record in records(frame))
    return json_format.parse_lines(text, model.validator, {})[0]


def read_parquet(frame: pd.DataFrame, model: Predictor) -> Any:
    """Read Parquet that pandas writes; columns that Parquet can't hold are left out."""
    known = {feature.name for feature in model.signature.features if feature.kind != "unread"}
    sink = io.BytesIO()
    frame[[name for name in frame.columns if name in known]].to_parquet(sink, index=False)
    data = sink.getvalue()
    batches = parquet_batches(lambda start, size: data[start : start + size], len(data), model.validator, {}, len(frame))
    return [instance for batch in batches for instance in batch.instances]


FORMS = {"CSV": read_csv, "CSV file": read_csv_file, "JSON": read_json, "NDJSON": read_ndjson, "Parquet": read_parquet}


def ambiguous(frame: pd.DataFrame, strings_: list[str]) -> bool:
    """Check whether CSV as pandas writes it can't tell a missing string from an empty one."""
    return any(frame[name].isna().any() and (frame[name].astype(object) == "").any() for name in strings_)


def attempt(seed: int) -> Outcome:
    """Make one table and one estimator, pack, and compare the labels of the other half in each form."""
    rng, outcome = random.Random(seed), Outcome()
    frame, roles = table(rng)
    estimator = pipeline(roles, rng)
    if rng.random() < 0.4:
        estimator, frame = booster(frame, roles, rng)
        roles = {**roles, "string": [name.replace(",", "_").replace('"', "_") for name in roles["string"]]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labels = target(frame, rng)
        try:
            estimator.fit(frame, labels)
        except (ValueError, CatBoostError) as error:
            return Outcome(refused=f"not fitted: {str(error)[:60]}")
        expected = np.ravel(estimator.predict(frame)).tolist()
        sample: Any = frame.iloc[: ROWS // 2]
        try:
            if rng.random() < 0.4 and not ambiguous(frame, roles["string"]):
                sample = _as_csv(frame.iloc[: ROWS // 2])
            packed = pack(estimator, sample=sample, edge_count=20)
        except FlyweightError as error:
            return Outcome(refused=f"{type(error).__name__}: {error}")
        model = Predictor(model_file.parse(packed.data))
        for form, read in FORMS.items():
            if form.startswith("CSV") and ambiguous(frame, roles["string"]):
                continue
            try:
                answered = model.predict(read(frame, model)).predictions or []
            except FlyweightError as error:
                outcome.different.append(f"{form}: {error}")
                continue
            outcome.labels += len(answered)
            wrong = [row for row, pair in enumerate(zip(answered, expected, strict=True)) if pair[0] != pair[1]]
            if wrong:
                outcome.different.append(f"{form}: {len(wrong)} labels, first in row {wrong[0]}: {records(frame)[wrong[0]]}")
    return outcome


def _as_csv(frame: pd.DataFrame) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        frame.to_csv(path, index=False)
        return read_table(path)
