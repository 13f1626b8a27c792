"""Read the JSON in which XGBoost saves a model (`doc/model.schema`)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from flyweight.toolkit.convert.trees import Array

# a tree of one leaf, whose value is zero
LEAF: dict[str, Any] = {
    **{key: [0] for key in ("default_left", "split_indices", "split_type")},
    **{key: [0.0] for key in ("base_weights", "loss_changes", "split_conditions")},
    **{key: [] for key in ("categories", "categories_nodes", "categories_segments", "categories_sizes")},
    **{key: [-1] for key in ("left_children", "right_children")},
    "parents": [2147483647],
    "sum_hessian": [1.0],
    "tree_param": {"num_deleted": "0", "num_nodes": "1", "size_leaf_vector": "1"},
}


class Saved:
    """A model's JSON, with its trees up to the best iteration."""

    def __init__(self, document: dict[str, Any], best_iteration: int | None) -> None:
        self.document = document
        self.learner = learner = document["learner"]
        self.booster = learner["gradient_booster"]
        self.objective: str = learner["objective"]["name"]
        self.features = int(learner["learner_model_param"]["num_feature"])
        self.base: Array = np.zeros(1)
        self.missing = float("nan")
        model = _model(self.booster)
        every = model.get("trees", [])
        rounds = model.get("iteration_indptr", [0])
        last = len(every) if best_iteration is None else rounds[best_iteration + 1]
        self.trees: list[dict[str, Any]] = every[:last]
        self.targets: list[int] = model.get("tree_info", [])[:last]
        self.weights: list[float] | None = model.get("weight_drop") or self.booster.get("weight_drop")
        self.categories = _categories(model)

    @property
    def outputs(self) -> int:
        """The number of sums."""
        return len(self.base)

    def refusal(self) -> str | None:
        """Return why the model can't be converted, and what would help; None if it can."""
        if self.booster["name"] == "gblinear":
            return "booster='gblinear' is deprecated; fit a linear model of scikit-learn"
        if not self.trees:
            return "it has no tree; fit it on more data"
        version = ".".join(map(str, self.document["version"]))
        if self.document["version"] < [3, 4] and any(isinstance(one, str) for known in self.categories.values() for one in known):
            return (
                f"XGBoost {version} confuses a category with another that it begins with ('female?' counts as 'female'); "
                "use XGBoost 3.4 or later, or an OrdinalEncoder before it"
            )
        return None

    def without_splits(self) -> dict[str, Any]:
        """Return the document of a model that adds nothing to its base score: one leaf of zero an output."""
        document = {**self.document, "learner": dict(self.document["learner"])}
        document["learner"].update(feature_names=[], feature_types=[])
        model = {key: value for key, value in _model(self.booster).items() if key not in ("trees", "cats", "weight_drop")}
        outputs = max(1, *(int(self.learner["learner_model_param"][key]) for key in ("num_class", "num_target")))
        parameters = {**LEAF["tree_param"], "num_feature": str(self.features)}
        trees = [{**LEAF, "id": number, "tree_param": parameters} for number in range(outputs)]
        model.update(trees=trees, tree_info=[*range(outputs)], iteration_indptr=[0, outputs])
        model["cats"] = {"enc": [], "feature_segments": [], "sorted_idx": []}
        model["gbtree_model_param"] = {"num_parallel_tree": "1", "num_trees": str(outputs)}
        document["learner"]["gradient_booster"] = {"name": "gbtree", "model": model}
        return document

    def leaf_values(self, tree: dict[str, Any], number: int) -> Array:
        """Return each node's values, one an output of the tree, with dropout's weight; only those of leaves have a meaning.

        :param number: the tree's number in the model.
        """
        left = np.array(tree["left_children"])
        if int(tree["tree_param"]["size_leaf_vector"]) > 1:
            rows = np.array(tree["leaf_weights"], dtype=np.float32).reshape(-1, int(tree["tree_param"]["size_leaf_vector"]))
            values = rows[np.where(left < 0, np.array(tree["right_children"]), 0)]
        else:
            values = np.array(tree["split_conditions"], dtype=np.float32).reshape(-1, 1)
        if self.weights is not None:
            if self.booster["name"] == "dart":  # until 3.3 each tree was evaluated alone, with the base score
                base = self.base.astype(np.float32)[self.targets[number]]
                values = (values + base) - base
            values = np.float32(self.weights[number]) * values
        return values.astype(float)

    @staticmethod
    def node_categories(tree: dict[str, Any]) -> dict[int, list[int]]:
        """Return for each categorical split the categories that go right."""
        listed = zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True)
        return {node: tree["categories"][start : start + size] for node, start, size in listed}

    def split_categories(self) -> dict[int, set[int]]:
        """Return for each feature the categories that its splits name."""
        categories_of: dict[int, set[int]] = {}
        for tree in self.trees:
            for node, categories in self.node_categories(tree).items():
                categories_of.setdefault(tree["split_indices"][node], set()).update(categories)
        return categories_of


def _model(booster: dict[str, Any]) -> dict[str, Any]:
    model: dict[str, Any] = booster.get("gbtree", booster)["model"]
    return model


def _categories(model: dict[str, Any]) -> dict[int, list[Any]]:
    """Return for each feature the categories that the model knows by name, in the order of their numbers; since 3.1."""
    categories: dict[int, list[Any]] = {}
    for feature, encoded in enumerate(model.get("cats", {}).get("enc", [])):
        if "type" in encoded:
            categories[feature] = encoded["values"]
        elif len(encoded["offsets"]) > 1:
            text, ends = bytes(byte % 256 for byte in encoded["values"]), encoded["offsets"]
            categories[feature] = [text[a:b].decode() for a, b in pairwise(ends)]
    return categories
