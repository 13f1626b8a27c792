"""Read the JSON in which CatBoost saves a model (`save_model(format="json")`)."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from flyweight.toolkit.convert.trees import Array, Tree

EMPTY = (1 << 64) - 1  # the key of an empty place of the hash table


@dataclass(frozen=True)
class Question:
    """A split's question of one column: is it above the border, or equal to it; `missing` is the answer for NaN."""

    column: int
    border: float
    equal: bool = False
    missing: bool = False


@dataclass
class Saved:
    """A model's JSON; its columns are the float features, the hashes of the categorical ones, then the statistics."""

    document: dict[str, Any]
    questions: dict[Question, int] = field(default_factory=dict)  # each with its place, in the order of the splits

    @classmethod
    def of(cls, model: Any) -> Saved:
        """Read a model's JSON, by way of a file, since CatBoost has no other."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.json"
            model.save_model(str(path), format="json")
            return cls(json.loads(path.read_text(encoding="utf-8")))

    def features(self, kind: str) -> list[dict[str, Any]]:
        """Return the features of a kind (`float_features`, `categorical_features`, `ctrs`...)."""
        features: list[dict[str, Any]] = self.document["features_info"].get(kind) or []
        return features

    @property
    def statistics_start(self) -> int:
        """The column of the first statistic."""
        return len(self.features("float_features")) + len(self.features("categorical_features"))

    @property
    def scale(self) -> float:
        """The factor of the sums."""
        return float(self.document["scale_and_bias"][0])

    @property
    def bias(self) -> Array:
        """The offset of the sums, added after the factor, one number an output."""
        return np.ravel(np.asarray(self.document["scale_and_bias"][1], dtype=float))

    @property
    def is_oblivious(self) -> bool:
        """Whether the trees ask the same question in all nodes of a level."""
        return "oblivious_trees" in self.document

    @property
    def trees(self) -> list[dict[str, Any]]:
        """The trees, oblivious or not."""
        trees: list[dict[str, Any]] = self.document.get("oblivious_trees") or self.document.get("trees") or []
        return trees

    @property
    def loss(self) -> str:
        """The loss that training minimised."""
        return str(self.document["model_info"].get("params", {}).get("loss_function", {}).get("type", ""))

    def question(self, split: dict[str, Any]) -> Question:
        """Return the question of a split.

        :raises ValueError: the split is of an unknown type.
        """
        kind = split["split_type"]
        if kind == "FloatFeature":
            column = split["float_feature_index"]
            missing = self.features("float_features")[column]["nan_value_treatment"] == "AsTrue"
            return Question(column, float(np.float32(split["border"])), missing=missing)
        if kind == "OneHotFeature":
            column = len(self.features("float_features")) + split["cat_feature_index"]
            return Question(column, float(split["value"]), equal=True)
        if kind == "OnlineCtr":
            return Question(self.statistics_start + self._statistic(split["split_index"]), float(np.float32(split["border"])))
        raise ValueError(f"splits of type {kind} are not known; leave text and embedding features out")

    def _statistic(self, index: int) -> int:
        """Return the number of the statistic that a split asks about.

        Splits are numbered: the borders of float features, then the values of categories, then the borders of statistics.

        :raises ValueError: there is no such statistic.
        """
        index -= sum(len(feature.get("borders") or []) for feature in self.features("float_features"))
        index -= sum(len(feature.get("values") or []) for feature in self.features("categorical_features"))
        for number, statistic in enumerate(self.features("ctrs")):
            index -= len(statistic["borders"])
            if index < 0:
                return number
        raise ValueError("a split by a statistic that is not there")

    def place(self, split: dict[str, Any]) -> int:
        """Return the place of a split's question among all questions."""
        return self.questions.setdefault(self.question(split), len(self.questions))

    def tables(self, statistic: dict[str, Any]) -> tuple[Array, Array, float]:
        """Return the tables of one statistic.

        :returns: the hashes as pairs of int32, the higher half first; the counts of each hash; the sum of all counters.
        """
        table = self.document["ctr_data"][statistic["identifier"]]
        rows = np.array(table["hash_map"], dtype=object).reshape(-1, table["hash_stride"])
        rows = rows[[int(row[0]) != EMPTY for row in rows]]
        keys = np.array([int(row[0]) for row in rows], dtype="<u8").view("<i4").reshape(-1, 2)[:, ::-1]
        return keys, rows[:, 1:].astype(float), float(table["counter_denominator"])

    def plain_tree(self, root: dict[str, Any], equals: dict[Question, int]) -> Tree:
        """Return a tree that is not oblivious; `equals` has the column of the answer to each question for equality."""
        rows: list[tuple[int, int, int, float, bool, Any]] = []
        width = len(self.bias)

        def grow(node: dict[str, Any]) -> int:
            place = len(rows)
            if "split" not in node:
                rows.append((-1, -1, -1, 0.0, False, np.ravel(node["value"])))
                return place
            question = self.question(node["split"])
            column, border = (equals[question], 0.5) if question.equal else (question.column, question.border)
            rows.append((0, 0, 0, 0.0, False, None))
            left, right = grow(node["left"]), grow(node["right"])
            rows[place] = (left, right, column, border, not question.missing, np.zeros(width))
            return place

        grow(root)
        left, right, feature, threshold, missing, value = zip(*rows, strict=True)
        children, splits = (np.array(left), np.array(right)), (np.array(feature), np.array(threshold))
        return Tree(*children, *splits, np.array(missing), np.array(value, dtype=float))
