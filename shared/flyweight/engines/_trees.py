"""Check scikit-learn's stored trees: its compiled code follows their indices without a check of its own."""

import numpy as np

from flyweight.errors import ModelRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeGuard

    Array = np.ndarray[Any, Any]

# ensembles that call their members without checking the width of the input
UNCHECKED = ("sklearn.ensemble._forest", "sklearn.ensemble._gb", "sklearn.ensemble._iforest")
HISTOGRAMS = "sklearn.ensemble._hist_gradient_boosting."
MAX_NODES = 1 << 31


def check_tree(arguments: "Any", state: "Any") -> None:
    """Check a `sklearn.tree._tree.Tree`: children stand behind their parent, so that no walk goes round in a circle.

    :param arguments: its constructor's arguments: (features, classes of each output, outputs).
    :param state: its state.
    :raises ModelRefused: a child stands before its parent, or an index is outside of its array.
    """
    _require(isinstance(arguments, tuple) and len(arguments) == 3 and isinstance(state, dict))
    features, classes, outputs = arguments
    nodes: Any = state.get("nodes")
    values: Any = state.get("values")
    _require(_is_count(features) and _is_count(outputs) and isinstance(classes, np.ndarray) and classes.shape == (outputs,))
    _require(classes.dtype.kind in "iu" and bool((classes >= 1).all()) and isinstance(nodes, np.ndarray))
    _require({"left_child", "right_child", "feature"} <= {*(nodes.dtype.names or ())} and nodes.ndim == 1 and len(nodes) >= 1)
    _require(type(state.get("node_count")) is int and state["node_count"] == len(nodes) < MAX_NODES)
    shape = (len(nodes), outputs, int(classes.max()))
    _require(isinstance(values, np.ndarray) and values.dtype == np.float64 and values.shape == shape)
    left, right = nodes["left_child"], nodes["right_child"]
    leaf = left == -1
    _require(bool((right[leaf] == -1).all()))
    _check_walk(left[~leaf], right[~leaf], nodes["feature"][~leaf], np.flatnonzero(~leaf), len(nodes), features)


def check_histogram_tree(state: "Any") -> None:
    """Check the state of histogram boosting's `TreePredictor`; `check_ensembles` compares its features with the model's.

    :raises ModelRefused: an index points backwards, or outside of its array.
    """
    nodes: Any = state.get("nodes") if isinstance(state, dict) else None
    _require(isinstance(nodes, np.ndarray) and nodes.ndim == 1 and 1 <= len(nodes) < MAX_NODES)
    _require({"left", "right", "feature_idx", "is_leaf", "is_categorical", "bitset_idx"} <= {*(nodes.dtype.names or ())})
    sets = [state.get(f"{which}_left_cat_bitsets") for which in ("raw", "binned")]
    _require(all(isinstance(one, np.ndarray) and one.ndim == 2 and one.shape[1] == 8 and one.dtype == np.uint32 for one in sets))
    inner = nodes[nodes["is_leaf"] == 0]
    places = np.flatnonzero(nodes["is_leaf"] == 0)
    _check_walk(inner["left"], inner["right"], inner["feature_idx"], places, len(nodes), MAX_NODES)
    _require(bool((inner["bitset_idx"][inner["is_categorical"] != 0] < min(map(len, sets))).all()))


def check_ensembles(parts: "list[Any]") -> None:
    """Check that trees get at least as many features as they read, where their owner does not check it.

    :raises ModelRefused: a tree would read beyond its row.
    """
    for part in parts:
        tree, width = getattr(part, "tree_", None), vars(part).get("n_features_in_") if hasattr(part, "__dict__") else None
        if tree is not None:
            _require(_is_count(width) and tree.n_features <= width)
        module = type(part).__module__
        if module.startswith(UNCHECKED):
            for number, member in enumerate(np.ravel(np.asarray(getattr(part, "estimators_", []), dtype=object)).tolist()):
                features = vars(part).get("estimators_features_")
                own = width if features is None else len(features[number])
                _require(_is_count(width) and _is_count(own) and own <= width and member.n_features_in_ == own)
        elif module.startswith(HISTOGRAMS) and hasattr(part, "_predictors"):
            _check_histogram_model(part, width)


def _check_histogram_model(model: "Any", width: "Any") -> None:
    _require(_is_count(width))
    categorical = getattr(getattr(model, "_bin_mapper", None), "is_categorical_", None)
    known = categorical if isinstance(categorical, np.ndarray) and categorical.shape == (width,) else np.zeros(width, bool)
    for stage in model._predictors:
        for predictor in stage:
            inner = predictor.nodes[predictor.nodes["is_leaf"] == 0]
            _require(bool((inner["feature_idx"] < width).all()))
            _require(bool(known[inner["feature_idx"][inner["is_categorical"] != 0]].all()))


def _check_walk(left: "Array", right: "Array", feature: "Array", places: "Array", count: int, features: int) -> None:
    ahead = all(bool(((side > places) & (side < count)).all()) for side in (left, right))
    _require(ahead and bool(((feature >= 0) & (feature < features)).all()))


def _is_count(value: "Any") -> "TypeGuard[int]":
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(1 <= value < MAX_NODES)


def _require(holds: bool) -> None:
    """Check a condition of a valid tree.

    :raises ModelRefused: it does not hold.
    """
    if not holds:
        raise ModelRefused("a tree of the estimator is damaged: an index or a size points outside of it, or in a circle")
