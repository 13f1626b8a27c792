"""The engines that run no plan: what they refuse before any request, and how they refuse a row."""

from __future__ import annotations

import copy
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from scipy.special import j0
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.tree import DecisionTreeRegressor

from flyweight import model_file
from flyweight.engines import ENGINES, onnx
from flyweight.engines._estimator import one_job
from flyweight.engines._protobuf import refuse_outside_data
from flyweight.engines.sklearn import restored, types_of
from flyweight.errors import InvalidInput, ModelRefused
from flyweight.model_file import ModelFile
from flyweight.predictor import Predictor
from flyweight.toolkit import model_writer
from flyweight.toolkit.pack import pack
from tests import graphs

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
y = X @ [1.0, -2.0, 0.5]
LABELS = np.array(["no", "yes"])[(y > 0).astype(int)]


def file_of(document: dict[str, Any], **blobs: bytes) -> ModelFile:
    """A model file of three numbers with this document and these foreign models."""
    feature = {"kind": "number", "nullable": True}
    head = {
        "name": "m",
        "version": "1",
        "signature": {"task": "regression", "features": [{"name": name, **feature} for name in "abc"], "outputs": 1},
    }
    arrays = {name: np.frombuffer(data, np.uint8) for name, data in blobs.items()}
    return model_file.parse(model_writer.to_bytes({**head, **document}, arrays))


def onnx_file(data: bytes, **changed: Any) -> ModelFile:
    told = {"inputs": {"x": [0, 1, 2]}, "outputs": {"values": {"name": "y", "width": 1}}, **changed}
    return file_of({"engines": ["onnx"], "onnx": told}, onnx=data)


def packed(estimator: Any, engine: str, **options: Any) -> ModelFile:
    return model_file.parse(pack(estimator, sample=X, edge_count=60, engine=engine, **options).data)


def changed(file: ModelFile, change: Callable[[dict[str, Any]], object], **blobs: bytes) -> ModelFile:
    """The same file with another document, and other foreign models where they are given."""
    document = copy.deepcopy(file.document)
    change(document)
    arrays = {name: np.frombuffer(bytes(tensor.values), np.uint8) for name, tensor in file.tensors.items()}
    arrays.update({name: np.frombuffer(data, np.uint8) for name, data in blobs.items()})
    return model_file.parse(model_writer.to_bytes(document, arrays))


GOOD = graphs.onnx_affine([[1.0], [2.0], [3.0]])

ONNX: dict[str, tuple[ModelFile, str]] = {
    "no bytes": (file_of({"engines": ["onnx"], "onnx": {"inputs": {"x": [0]}, "outputs": {"values": 1}}}), "no bytes of an onnx"),
    "no graph": (onnx_file(b"\0" * 64), "does not take the graph"),
    "truncated": (onnx_file(GOOD[:-20]), "does not take the graph"),
    "another form of onnxruntime's": (onnx_file(b"\x18\0\0\0ORTM" + GOOD), "does not take the graph"),
    "weights in a file": (onnx_file(graphs.onnx_affine([[1.0], [2.0], [3.0]], "secret.bin")), "outside of the file"),
    "a feature too far": (onnx_file(GOOD, inputs={"x": [0, 1, 3]}), "takes no table of features"),
    "a negative feature": (onnx_file(GOOD, inputs={"x": [0, 1, -1]}), "takes no table of features"),
    "too few features": (onnx_file(GOOD, inputs={"x": [0, 1]}), "do not fit the graph's input"),
    "another input": (onnx_file(GOOD, inputs={"z": [0, 1, 2]}), "from which features"),
    "no inputs": (onnx_file(GOOD, inputs=None), "from which features"),
    "another output": (onnx_file(GOOD, outputs={"values": {"name": "z", "width": 1}}), "does not give the outputs"),
    "no name": (onnx_file(GOOD, outputs={"values": {"width": 1}}), "does not give the outputs"),
    "an unknown output": (onnx_file(GOOD, outputs={"else": {"name": "y", "width": 1}}), "does not say what"),
    "no outputs": (onnx_file(GOOD, outputs={}), "does not say what"),
    "a width that is none": (onnx_file(GOOD, outputs={"values": {"name": "y", "width": True}}), "does not say what"),
    "a width that it does not give": (
        onnx_file(GOOD, outputs={"values": {"name": "y", "width": 2}}),
        r"shape \(1, 1\), not \(1, 2\)",
    ),
    "a width that is not the signature's": (
        onnx_file(graphs.onnx_affine(np.ones((3, 2))), outputs={"values": {"name": "y", "width": 2}}),
        "not what the signature promises",
    ),
}


@pytest.mark.parametrize(("file", "words"), ONNX.values(), ids=ONNX.keys())
def test_a_hostile_graph_is_refused_when_it_is_loaded(file: ModelFile, words: str) -> None:
    with pytest.raises(ModelRefused, match=words):
        Predictor(file)


def test_data_outside_is_found_wherever_a_tensor_can_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from onnx import ModelProto, helper

    monkeypatch.chdir(tmp_path)
    Path("secret.bin").write_bytes(np.arange(3.0).tobytes())
    outside = ModelProto.FromString(graphs.onnx_affine([[1.0], [2.0], [3.0]], "secret.bin")).graph.initializer[0]
    constant = helper.make_node("Constant", [], ["w"])
    constant.attribute.append(helper.make_attribute("value", outside))
    data = graphs.onnx_graph([constant, helper.make_node("MatMul", ["x", "w"], ["y"])], 3, 1)
    with pytest.raises(ModelRefused, match="outside of the file"):
        Predictor(onnx_file(data))
    nested = helper.make_graph([constant], "inner", [], [helper.make_tensor_value_info("w", 11, [3, 1])])
    branch = helper.make_node("If", ["c"], ["w"])
    branch.attribute.extend([helper.make_attribute("then_branch", nested), helper.make_attribute("else_branch", nested)])
    with pytest.raises(ModelRefused, match="outside of the file"):
        onnx.session(graphs.onnx_graph([branch, helper.make_node("MatMul", ["x", "w"], ["y"])], 3, 1))


def test_a_tag_that_others_read_as_another_field_is_refused() -> None:
    """Onnxruntime's protobuf cuts tags to 32 bits: 2**32 more than `graph` is `graph` to it, and was unknown to this walk."""
    data = bytearray(graphs.onnx_affine([[1.0], [2.0], [3.0]], "secret.bin"))
    at = data.index(b"\x3a")  # ModelProto.graph
    data[at : at + 1] = b"\xba\x80\x80\x80\x10"
    with pytest.raises(ModelRefused, match="no ONNX model"):
        refuse_outside_data(bytes(data))


def test_damaged_graphs_are_refused_or_answer() -> None:
    """Bytes changed at random: whatever comes of it is an answer or a refusal in words."""
    rng = np.random.default_rng(1)
    outcomes = set()
    for _ in range(150):
        data = bytearray(GOOD)
        for place in rng.integers(0, len(data), 2):
            data[place] = rng.integers(256)
        try:
            Predictor(onnx_file(bytes(data))).predict([[1.0, 2.0, 3.0]])
            outcomes.add("answered")
        except (ModelRefused, InvalidInput):
            outcomes.add("refused")
    assert "refused" in outcomes


def test_a_graph_answers_and_refuses_by_the_row() -> None:
    from onnx import TensorProto, helper

    predictor = Predictor(onnx_file(GOOD))
    assert predictor.predict([[1.0, 1.0, 1.0], [0.0, 0.0, 2.0]]).predictions == [6.0, 6.0]
    nodes = [
        helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT64),
        helper.make_node("Constant", [], ["s"], value=helper.make_tensor("s", TensorProto.DOUBLE, [2, 1], [5.0, 7.0])),
        helper.make_node("Slice", ["i", "from", "to", "axis"], ["first"]),
        helper.make_node("Squeeze", ["first", "axis"], ["flat"]),
        helper.make_node("Gather", ["s", "flat"], ["y"], axis=0),
    ]
    bounds = [helper.make_tensor(name, TensorProto.INT64, [1], [value]) for name, value in (("from", 0), ("to", 1), ("axis", 1))]
    gather = Predictor(onnx_file(graphs.onnx_graph(nodes, 3, 1, bounds)))
    assert gather.predict([[0, 0, 0], [1, 0, 0]]).predictions == [5.0, 7.0]
    with pytest.raises(InvalidInput, match="instance 3: expected a row that the model takes") as refused:
        gather.predict([[0, 0, 0], [1, 0, 0], [1, 0, 0], [9, 0, 0], [0, 0, 0]])
    assert "onnxruntime" not in str(refused.value)


@pytest.mark.parametrize("rows", [1, 4])
def test_a_graph_of_a_fixed_number_of_rows(rows: int) -> None:
    from onnx import ModelProto

    model = ModelProto.FromString(GOOD)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = rows
    file = onnx_file(model.SerializeToString())
    if rows == 1:
        assert Predictor(file).predict([[1.0, 1.0, 1.0], [0.0, 0.0, 2.0]]).predictions == [6.0, 6.0]
    else:
        with pytest.raises(ModelRefused, match="takes 4 rows at a time"):
            Predictor(file)


@pytest.mark.parametrize(
    "sample", [{"instances": [{"a": 10**400}]}, {"instances": [[1]]}, {"instances": 3}, [], {"instances": [{}]}]
)
def test_a_malformed_sample_is_no_reason_to_fail(sample: Any) -> None:
    told = {"inputs": {"x": [0, 1, 2]}, "outputs": {"values": {"name": "y", "width": 1}}}
    predictor = Predictor(file_of({"engines": ["onnx"], "onnx": told, "sample": sample}, onnx=GOOD))
    assert predictor.predict([[1.0, 1.0, 1.0]]).predictions == [6.0]


def test_a_graph_that_gives_something_else_later_is_no_answer() -> None:
    """Shapes that depend on the rows are found out by the request that meets them, in words that are foreseen."""
    from onnx import helper

    unique = [helper.make_node("Unique", ["x"], ["u"], axis=0), helper.make_node("ReduceSum", ["u", "one"], ["y"], keepdims=1)]
    axis = helper.make_tensor("one", 7, [1], [1])
    predictor = Predictor(onnx_file(graphs.onnx_graph(unique, 3, 1, [axis])))
    assert predictor.predict([[1, 2, 3], [4, 5, 6]]).predictions == [6.0, 15.0]
    with pytest.raises(ModelRefused, match=r"gives values of shape \(1, 1\), not \(2, 1\)"):
        predictor.predict([[1, 2, 3], [1, 2, 3]])


def test_a_graph_runs_on_one_thread_unless_the_deployment_has_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert onnx.session(GOOD).get_session_options().intra_op_num_threads == 1
    monkeypatch.setenv("FLYWEIGHT_THREADS", "2")
    assert onnx.session(GOOD).get_session_options().intra_op_num_threads == 2


FOREST = RandomForestClassifier(3, random_state=0).fit(X, LABELS)
TREES: dict[str, Any] = {
    "forest": FOREST,
    "tree": DecisionTreeRegressor(random_state=0).fit(X, y),
    "boosting": GradientBoostingRegressor(n_estimators=3).fit(X, y),
    "isolation": IsolationForest(n_estimators=3, max_features=2, random_state=0).fit(X),
    "histogram": HistGradientBoostingRegressor(max_iter=3).fit(X, y),
    "two outputs": RandomForestRegressor(3, random_state=0).fit(X, np.c_[y, y]),
}


@pytest.mark.parametrize("name", TREES)
def test_sound_trees_are_made_again(name: str) -> None:
    data = skops.io.dumps(TREES[name])
    assert np.array_equal(restored(data, types_of(data)).predict(X), TREES[name].predict(X))


def with_nodes(estimator: Any, change: Callable[[Any], object]) -> bytes:
    """The estimator as skops stores it, with the nodes of its first tree changed: what no scikit-learn would write."""
    source = zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator)))
    buffer, done = io.BytesIO(), False
    with zipfile.ZipFile(buffer, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename.endswith(".npy") and not done:
                array = np.load(io.BytesIO(data))
                if array.dtype.names and len(array) > 1:
                    change(array)
                    done = True
                    out = io.BytesIO()
                    np.save(out, array)
                    data = out.getvalue()
            target.writestr(entry.filename, data)
    assert done
    return buffer.getvalue()


def setting(column: str, value: int) -> Callable[[Any], object]:
    return lambda nodes: nodes.__setitem__(0, tuple(value if name == column else nodes[0][name] for name in nodes.dtype.names))


DAMAGE = {
    "a loop": ("left_child", 0),
    "outside": ("left_child", 1 << 40),
    "behind": ("right_child", -2),
    "half a leaf": ("left_child", -1),
    "no such feature": ("feature", 3),
    "a negative feature": ("feature", -5),
}


@pytest.mark.parametrize(("column", "value"), DAMAGE.values(), ids=DAMAGE.keys())
@pytest.mark.parametrize("name", ["forest", "tree", "boosting", "isolation"])
def test_a_tree_that_points_outside_or_in_a_circle_is_refused(name: str, column: str, value: int) -> None:
    data = with_nodes(TREES[name], setting(column, value))
    with pytest.raises(ModelRefused, match="a tree of the estimator is damaged"):
        restored(data, types_of(data))


@pytest.mark.parametrize(
    ("column", "value"), [("left", 0), ("right", 4_000_000), ("feature_idx", 3), ("feature_idx", -1), ("is_categorical", 1)]
)
def test_a_histogram_tree_is_checked_as_well(column: str, value: int) -> None:
    data = with_nodes(TREES["histogram"], setting(column, value))
    with pytest.raises(ModelRefused, match="a tree of the estimator is damaged"):
        restored(data, types_of(data))


def with_schema(data: bytes, change: Callable[[str], str]) -> bytes:
    source, buffer = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            target.writestr(entry.filename, change(content.decode()).encode() if entry.filename == "schema.json" else content)
    return buffer.getvalue()


def test_a_forest_that_claims_fewer_features_than_its_trees_read_is_refused() -> None:
    def narrower(schema: str) -> str:
        document = json.loads(schema)
        width = document["content"]["content"]["n_features_in_"]
        width["content"] = "1"
        del width["__id__"]  # or it would be the same number as another
        return json.dumps(document)

    data = with_schema(skops.io.dumps(FOREST), narrower)
    with pytest.raises(ModelRefused, match="a tree of the estimator is damaged"):
        restored(data, types_of(data))


class Mine(FunctionTransformer):
    """A type that no package has."""


SKOPS: dict[str, tuple[Any, str]] = {
    "of no known package": (
        make_pipeline(Mine(), Ridge()).fit(X, y),
        r"Mine, of a package .* set FLYWEIGHT_TRUSTED_TYPES=\S*Mine",
    ),
    "compiled": (KNeighborsRegressor().fit(X, y), "KDTree, whose compiled code follows indices"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", ["of no known package", "compiled"])
def test_types_that_are_not_known_are_refused_with_the_setting_that_permits_them(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator, words = SKOPS[case]
    data = skops.io.dumps(estimator)
    types = types_of(data)
    with pytest.raises(ModelRefused, match=words):
        restored(data, types)
    monkeypatch.setenv("FLYWEIGHT_TRUSTED_TYPES", ",".join(types))
    assert np.allclose(restored(data, types).predict(X), estimator.predict(X))
    with pytest.raises(ModelRefused, match="which the file does not list"):
        restored(data, [])


@pytest.mark.parametrize(
    ("module", "name"), [("os", "system"), ("builtins", "eval"), ("numpy.testing", "runstring"), ("sklearn.utils", "check_array")]
)
def test_code_is_never_taken_for_a_type(module: str, name: str) -> None:
    """A function in place of numpy's: even of a known package, and even where the file lists it."""

    def hostile(schema: str) -> str:
        document = json.loads(schema)
        place = document["content"]["content"]["func"]
        assert place["__loader__"] == "FunctionNode"
        place.update({"__class__": name, "__module__": module, "content": {"module_path": module, "function": name}})
        return json.dumps(document)

    data = with_schema(skops.io.dumps(FunctionTransformer(np.log1p).fit(X)), hostile)
    with pytest.raises(ModelRefused, match=f"{module}.{name}, (which is code|of a package)"):
        restored(data, [f"{module}.{name}"])


def test_a_sparse_matrix_that_points_outside_is_refused() -> None:
    from scipy import sparse

    model = KNeighborsRegressor(algorithm="brute").fit(sparse.csr_matrix(X), y)
    sound = skops.io.dumps(model)
    assert np.allclose(restored(sound, types_of(sound)).predict(X), model.predict(X))
    source, buffer = zipfile.ZipFile(io.BytesIO(sound)), io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename.endswith(".npz"):
                parts = dict(np.load(io.BytesIO(data)))
                parts["indices"] = parts["indices"] + 1_000_000
                out = io.BytesIO()
                np.savez(out, **parts)
                data = out.getvalue()
            target.writestr(entry.filename, data)
    with pytest.raises(ModelRefused, match="can't be made again: ValueError"):
        restored(buffer.getvalue(), types_of(sound))


@pytest.mark.parametrize("data", [b"", b"PK\3\4junk", b"\0" * 100], ids=["empty", "junk", "zeros"])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(ModelRefused, match="no skops archive"):
        restored(data, [])


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flyweight.engines.sklearn.MAX_BYTES", 1000)
    with pytest.raises(ModelRefused, match="more than 1000 bytes unpacked"):
        restored(skops.io.dumps(FOREST), [])


def test_damaged_archives_are_refused_or_answer() -> None:
    """In a process of its own, since a crash is what this is about."""
    program = "import sys; from tests.core.test_engines import survive; survive(); print('survived')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.endswith("survived\n"), done.stderr[-2000:]


def survive() -> None:
    """Damage trees at random; whatever is made again has to answer."""
    import warnings

    warnings.simplefilter("ignore")
    rng = np.random.default_rng(2)
    made = 0
    for name in TREES:
        for _ in range(25):

            def scramble(nodes: Any) -> None:
                raw = nodes.view(np.uint8)
                raw[rng.integers(0, len(raw), 3)] = rng.integers(0, 256, 3)

            data = with_nodes(TREES[name], scramble)
            try:
                restored(data, types_of(data)).predict(X)
                made += 1
            except (ModelRefused, ValueError):
                pass
    assert made, "every damage was refused: the test tells nothing of those that are not"


@pytest.fixture(scope="module")
def estimator_file() -> ModelFile:
    return packed(make_pipeline(FunctionTransformer(j0), LogisticRegression()).fit(X, LABELS), "sklearn")


ESTIMATOR: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another release": (lambda d: d["estimator"].update({"scikit-learn": "1.2.0"}), "is of scikit-learn '1.2.0', here is"),
    "no release": (lambda d: d["estimator"].pop("scikit-learn"), "is of scikit-learn null"),
    "types that are none": (lambda d: d["estimator"].update(types="all"), "does not list the types"),
    "no input": (lambda d: d["estimator"].pop("input"), "how the estimator wants its input"),
    "an unknown form": (lambda d: d["estimator"]["input"].update(form="cube"), "how the estimator wants its input"),
    "a form of one text": (lambda d: d["estimator"]["input"].update(form="texts"), "takes one string"),
    "a type too few": (lambda d: d["estimator"]["input"]["types"].pop(), "how the estimator wants its input"),
    "an unknown type": (lambda d: d["estimator"]["input"]["types"].__setitem__(0, "complex"), "which is not known here"),
    "categories that are none": (lambda d: d["estimator"]["input"]["types"].__setitem__(0, {"categories": 3}), "no list"),
    "equal categories": (
        lambda d: d["estimator"]["input"]["types"].__setitem__(0, {"categories": [1, 1]}),
        "categories are none",
    ),
    "an output that it lacks": (lambda d: d["estimator"]["outputs"].update(transformed=3), "has no transform"),
    "another main output": (lambda d: d["estimator"]["outputs"].update(values=1), "not what the signature promises"),
    "a width that it does not give": (
        lambda d: d["estimator"]["outputs"].update(probabilities=5),
        r"shape \(3, 2\), not \(3, 5\)",
    ),
    "other classes": (lambda d: d["signature"].update(classes=[["no", "maybe"]]), "answers .* which the file does not list"),
    "a class too many": (lambda d: d["signature"].update(classes=[["no", "yes", "maybe"]]), "not what the signature promises"),
    "a feature too many": (
        lambda d: d["signature"]["features"].append({"name": "z", "kind": "number", "nullable": False}),
        "input",
    ),
}


@pytest.mark.parametrize(("change", "words"), ESTIMATOR.values(), ids=ESTIMATOR.keys())
def test_an_estimator_that_is_not_what_the_file_says_is_refused(
    change: Callable[[dict[str, Any]], object], words: str, estimator_file: ModelFile
) -> None:
    assert Predictor(estimator_file).proves_itself()
    with pytest.raises(ModelRefused, match=words):
        Predictor(changed(estimator_file, change))


def test_an_estimator_refuses_by_the_row_in_its_own_words() -> None:
    import pandas as pd

    frame = pd.DataFrame({"color": ["red", "blue"] * 40})
    made = pack(make_pipeline(OneHotEncoder(), Ridge()).fit(frame, y), sample=frame, edge_count=20, engine="sklearn")
    predictor = Predictor(model_file.parse(made.data))
    with pytest.raises(InvalidInput, match=r"instance 2: expected a row that the model takes.*Found unknown categories"):
        predictor.predict([["red"], ["blue"], ["pink"], ["red"]])


def test_an_estimator_works_on_one_job(monkeypatch: pytest.MonkeyPatch) -> None:
    forest = make_pipeline(FunctionTransformer(j0), RandomForestClassifier(3, n_jobs=2, random_state=0)).fit(X, LABELS)
    predictor: Any = Predictor(packed(forest, "sklearn"))
    assert predictor.engine._methods["index"].__self__[-1].n_jobs == 1
    assert forest[-1].n_jobs == 2


def test_every_member_works_on_one_job() -> None:
    """However deep, and whichever list that was made on the way stood where an earlier one had been in memory."""
    bag = BaggingClassifier(RandomForestClassifier(2, n_jobs=2), 2, n_jobs=2)
    voting = VotingClassifier([(f"m{n}", make_pipeline(OneHotEncoder(), bag)) for n in range(5)]).fit(X.round(), LABELS)
    one_job(voting, set())
    jobs = {est.n_jobs for whole in voting.estimators_ for est in (whole[-1], *whole[-1].estimators_)}
    given = {est.n_jobs for _, whole in voting.estimators for est in (whole[-1], whole[-1].estimator)}
    assert jobs == given == {1}


def test_a_pickle_is_refused_unless_the_deployment_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    file = packed(Ridge().fit(X, y), "pickle")
    with pytest.raises(ModelRefused, match=r"runs whatever code is in it.*FLYWEIGHT_ALLOW_PICKLE=1"):
        Predictor(file)
    monkeypatch.setenv("FLYWEIGHT_ALLOW_PICKLE", "0")
    with pytest.raises(ModelRefused, match="FLYWEIGHT_ALLOW_PICKLE"):
        Predictor(file)
    monkeypatch.setenv("FLYWEIGHT_ALLOW_PICKLE", "1")
    assert Predictor(file).proves_itself()
    with pytest.raises(ModelRefused, match="the pickle can't be read"):
        Predictor(changed(file, lambda document: None, pickle=b"junk"))


class Bomb:
    """A pickle that would leave a trace if it were read."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


def test_a_refused_pickle_is_not_read_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer, trace = io.BytesIO(), tmp_path / "trace"
    joblib.dump(Bomb(trace), buffer)
    file = changed(packed(Ridge().fit(X, y), "pickle"), lambda document: None, pickle=buffer.getvalue())
    with pytest.raises(ModelRefused):
        Predictor(file)
    assert not trace.exists()
    monkeypatch.setenv("FLYWEIGHT_ALLOW_PICKLE", "1")
    with pytest.raises(ModelRefused):
        Predictor(file)
    assert trace.exists(), "the pickle above tells nothing: it does nothing when it is read"


LITERT: dict[str, tuple[dict[str, Any], bytes, str]] = {
    "no flatbuffer": ({}, b"\0" * 64, "does not take the model"),
    "a feature too far": ({"inputs": {"x": [0, 1, 7]}}, b"", "takes no table"),
    "another input": ({"inputs": {"z": [0, 1, 2]}}, b"", "from which features"),
    "another output": ({"outputs": {"values": {"name": "z", "width": 1}}}, b"", "does not give the outputs"),
    "another width": ({"outputs": {"values": {"name": "y", "width": 2}}}, b"", r"shape \(1, 1\), not \(1, 2\)"),
}


@pytest.mark.parametrize(("told", "data", "words"), LITERT.values(), ids=LITERT.keys())
def test_a_hostile_tflite_file_is_refused(told: dict[str, Any], data: bytes, words: str) -> None:
    spec = {"inputs": {"x": [0, 1, 2]}, "outputs": {"values": {"name": "y", "width": 1}}, **told}
    good = graphs.tflite_logistic([[1.0, 2.0, 3.0]], [0.5])
    with pytest.raises(ModelRefused, match=words):
        Predictor(file_of({"engines": ["litert"], "litert": spec}, tflite=data or good))


@pytest.mark.parametrize(
    ("engine", "package"),
    [("onnx", "onnxruntime"), ("litert", "ai_edge_litert"), ("sklearn", "skops"), ("pickle", "joblib"), ("numpy", "numpy")],
)
def test_a_package_that_is_absent_is_named(engine: str, package: str) -> None:
    """In an interpreter of its own, where that package can't be imported."""
    program = (
        f"import sys; sys.modules[{package!r}] = None; sys.path.insert(0, 'shared')\n"
        "from flyweight.engines import engine_for\n"
        "from flyweight.errors import ModelRefused\n"
        "from tests.core.test_engines_absent import file\n"
        f"try: engine_for(file({engine!r}))\n"
        "except ModelRefused as refused: print(refused)\n"
    )
    environ = {"FLYWEIGHT_ALLOW_PICKLE": "1", "PATH": "/usr/bin"}
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root, env=environ)
    assert f"{engine} needs {package}" in done.stdout, done.stderr[-1500:]


def test_every_engine_is_a_file_of_its_own_and_a_row_of_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "engines.md").read_text()
    for name, module in ENGINES.items():
        assert module == f"flyweight.engines.{name}"
        assert f"\n| `{name}` |" in page
        assert hasattr(__import__(module, fromlist=["Engine"]), "Engine")


JUNK = [None, True, -1, 10**400, 3.5, "x", [], {}, [None], {"width": 10**9}, ["x", -1], "\ud800"]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, child in inner for place in places(child, (*path, key))]


@pytest.mark.parametrize("engine", ["onnx", "litert", "sklearn"])
def test_a_document_with_junk_anywhere_is_refused_or_answers(engine: str, estimator_file: ModelFile) -> None:
    told = {"inputs": {"x": [0, 1, 2]}, "outputs": {"values": {"name": "y", "width": 1}}}
    sample = {"instances": [{"a": 1.0, "b": 2.0, "c": None}], "predictions": [1.0]}
    file = {
        "onnx": file_of({"engines": ["onnx"], "onnx": told, "sample": sample}, onnx=GOOD),
        "litert": file_of({"engines": ["litert"], "litert": told}, tflite=graphs.tflite_logistic([[1.0, 2.0, 3.0]], [0.5])),
        "sklearn": estimator_file,
    }[engine]
    rng = np.random.default_rng(3)
    keys = ("signature", "engines", "onnx", "litert", "estimator", "sample", "requires")
    found = [place for place in places({key: file.document[key] for key in keys if key in file.document})]
    cases = [(place, junk) for place in found for junk in JUNK]
    refused = 0
    for number in rng.permutation(len(cases))[:2500]:
        (*path, last), junk = cases[number]
        document = copy.deepcopy(file.document)
        parent = document
        for key in path:
            parent = parent[key]
        parent[last] = junk
        try:
            predictor = Predictor(ModelFile(file.data, document, file.tensors))
            predictor.proves_itself()
            predictor.predict([[1.0] * len(predictor.signature.features)])
        except (ModelRefused, InvalidInput):
            refused += 1
    assert 50 < refused
