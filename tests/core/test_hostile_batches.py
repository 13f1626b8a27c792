"""Real models that were damaged at random answer batches, or refuse them, as they do rows: nothing else is ever raised."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flyweight import InvalidInput, ModelRefused, model_file
from flyweight.engines.numpy import Engine
from flyweight.predictor import Predictor
from flyweight.toolkit.pack import pack
from tests.core.hostile import raw
from tests.core.test_hostile_plans import junk, leaves
from tests.parity import families

FAMILIES = families()
VICTIMS = [
    "compose/penguins",
    "scale/minmax-clip",
    "impute/indicator",
    "polynomial/degree-2",
    "bins/onehot",
    "elementwise/box-cox",
    "quantiles/normal",
    "isotonic/raise",
    "svm/svc-probability-three",
    "neighbors/classifier-distance",
    "neighbors/regressor",
    "naive-bayes/categorical",
    "naive-bayes/gaussian",
    "multiclass/one",
    "clusters/mixture",
    "clusters/mixture-diagonal",
    "clusters/bisecting",
    "clusters/k-means",
    "outliers/isolation",
    "outliers/envelope",
    "discriminant/quadratic",
    "networks/classifier",
    "processes/regressor-sum",
    "adaboost/three",
    "adaboost/values",
]
ROWS = (1.0, -1e9, 1e308, float("nan"))


@pytest.fixture(scope="module")
def packed() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    found = []
    for victim in VICTIMS:
        family, name = victim.split("/")
        estimator, sample = FAMILIES[family][name]()
        data = pack(estimator, sample=sample, edge_count=50, engine="pure").data
        found.append((model_file.parse(data).document, safetensors.numpy.load(data)))
    return found


def damaged(data: st.DataObject, original: dict[str, Any], arrays: dict[str, Any]) -> Any:
    """The model with one to three of its numbers or words changed.

    :raises ModelRefused: the change was found.
    """
    document, arrays = copy.deepcopy(original), dict(arrays)
    for _ in range(data.draw(st.integers(1, 3))):
        if arrays and data.draw(st.booleans()):
            name = data.draw(st.sampled_from(sorted(arrays)))
            array = arrays[name] = arrays[name].copy()
            limits: Any = np.finfo(array.dtype) if array.dtype.kind == "f" else np.iinfo(array.dtype)
            low, high = array.dtype.type(limits.min).item(), array.dtype.type(limits.max).item()
            if array.size:
                value = data.draw(st.one_of(st.integers(max(-3, int(low)), 9), st.sampled_from([low, high])))
                array.flat[data.draw(st.integers(0, array.size - 1))] = value
        else:
            part = document["plan"]
            path = data.draw(st.sampled_from(leaves(part)[1:]))
            for key in path[:-1]:
                part = part[key] if isinstance(part, (dict, list)) and not isinstance(part, str) else {}
            if isinstance(part, (dict, list)) and part:
                part[path[-1]] = data.draw(st.one_of(junk, st.just(10**400)))
    return Predictor(model_file.parse(raw(json.loads(json.dumps(document)), arrays)))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_model_answers_a_batch_or_refuses_it(packed: Any, data: st.DataObject) -> None:
    try:
        model = damaged(data, *data.draw(st.sampled_from(packed)))
    except ModelRefused:
        return
    engine: Any = model.engine
    batch = Engine(model.file, engine.plan)
    rows = [["x" if feature.kind == "string" else number for feature in model.signature.features] for number in ROWS]
    for names in {(name,) for name in engine.widths}:
        for part in (rows, rows[:1]):
            try:
                assert len(batch.outputs(part, names)[names[0]]) == len(part)
            except InvalidInput:
                pass
