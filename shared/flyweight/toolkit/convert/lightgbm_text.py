"""Read the text in which LightGBM saves a model (`Booster.model_to_string`, `GBDT::SaveModelToString`)."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from flyweight.ops.boosted import NEAR_ZERO
from flyweight.toolkit.convert.trees import Array

NO_MISSING, ZERO_MISSING, NAN_MISSING = 0, 1, 2


@dataclass(frozen=True)
class SavedTree:
    """One tree: its splits come first, then its leaves; children by position, leaves below zero as `~leaf`."""

    lines: dict[str, str]

    def numbers(self, key: str) -> Array:
        """Return a line of numbers."""
        return np.array([float(word) for word in self.lines.get(key, "").split()])

    def whole(self, key: str) -> Array:
        """Return a line of whole numbers."""
        return np.array([int(word) for word in self.lines.get(key, "").split()], dtype=np.int64)

    @cached_property
    def feature(self) -> Array:
        """The feature of each split."""
        return self.whole("split_feature")

    @cached_property
    def categorical(self) -> Array:
        """Whether each split is by category."""
        return (self.whole("decision_type") & 1).astype(bool)

    @cached_property
    def missing_type(self) -> Array:
        """The missing value of each split: none, zero or NaN."""
        return (self.whole("decision_type") >> 2) & 3

    @property
    def is_linear(self) -> bool:
        """Whether the leaves are linear."""
        return self.lines.get("is_linear", "0") == "1"

    def missing_goes_left(self) -> Array:
        """Say for each split whether NaN goes left.

        NaN counts as 0.0 in a split that takes nothing for missing; a categorical split sends it right.
        """
        default = (self.whole("decision_type") & 2).astype(bool)
        left = np.where(self.missing_type == NO_MISSING, self.numbers("threshold") >= 0.0, default)
        return left & ~self.categorical

    def thresholds(self) -> Array:
        """Return the thresholds, moved so that every number near zero goes where zero goes, since LightGBM reads it as zero."""
        thresholds = np.where(self.categorical, 0.0, self.numbers("threshold"))
        near = (-NEAR_ZERO <= thresholds) & (thresholds < NEAR_ZERO) & ~self.categorical
        return np.where(near, np.where(thresholds >= 0.0, NEAR_ZERO, math.nextafter(-NEAR_ZERO, -math.inf)), thresholds)

    def categories(self, split: int) -> list[int]:
        """Return the categories that go left at this split."""
        places, bounds, words = self._category_lines
        place = int(places[split])
        own = words[bounds[place] : bounds[place + 1]].astype("<u4")
        return [int(bit) for bit in np.flatnonzero(np.unpackbits(own.view(np.uint8), bitorder="little"))]

    @cached_property
    def _category_lines(self) -> tuple[Array, Array, Array]:
        return self.numbers("threshold"), self.whole("cat_boundaries"), self.whole("cat_threshold")


@dataclass(frozen=True)
class Saved:
    """A model's text: the header's lines, its trees, the training's parameters and pandas' categories."""

    header: dict[str, str]
    trees: list[SavedTree]
    parameters: dict[str, str]
    pandas: list[list[Any]]

    @classmethod
    def of(cls, text: str) -> Saved:
        """Parse a model's text."""
        body, _, rest = text.partition("\nend of trees")
        header, *trees = body.split("\nTree=")
        listed = [line[1:-1].partition(": ") for line in rest.splitlines() if line.startswith("[")]
        last = rest.rpartition("\npandas_categorical:")[2].splitlines()
        pandas = json.loads(last[0]) if "\npandas_categorical:" in rest else None
        parameters = {key: value for key, _, value in listed}
        return cls(_pairs(header), [SavedTree(_pairs(tree)) for tree in trees], parameters, pandas or [])

    @property
    def width(self) -> int:
        """The number of trees of each iteration, one an output."""
        return int(self.header["num_tree_per_iteration"])

    @property
    def averages(self) -> bool:
        """Whether the answer is the iterations' mean (boosting_type='rf')."""
        return "average_output" in self.header

    @property
    def declared(self) -> list[int]:
        """The features that training took for categories."""
        listed = self.parameters.get("categorical_feature", "")
        return sorted(int(position) for position in listed.split(",")) if listed else []

    def splits(self, *, categorical: bool) -> dict[int, set[int]]:
        """Return the features with such splits, by category or not, each with the missing types of these splits."""
        types: dict[int, set[int]] = {}
        for tree in self.trees:
            for feature, by_category, kind in zip(tree.feature, tree.categorical, tree.missing_type, strict=True):
                if by_category == categorical:
                    types.setdefault(int(feature), set()).add(int(kind))
        return types

    def seen(self, feature: int) -> list[int]:
        """Return the categories of a feature in training; [] if the header does not list them."""
        info = self.header["feature_infos"].split()[feature]
        return [int(part) for part in info.split(":") if int(part) >= 0] if info[0] in "-0123456789" else []


def _pairs(lines: str) -> dict[str, str]:
    return {key: value for key, _, value in (line.partition("=") for line in lines.splitlines())}
