"""An estimator is read from any file that people keep one in; any other file is told by name, with what to do."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
import skops.io
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from xgboost import XGBClassifier

import flyweight
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.packing import estimator_files
from flyweight.toolkit.packing.estimator_files import read
from flyweight.toolkit.packing.origins import VersionMismatch

X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
Y = (X.a > 0).astype(int)
OTHER = "1.0.2"


def pipeline() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)


def answers_alike(read_again: Any, estimator: Any) -> bool:
    return bool((np.ravel(read_again.predict(X)) == np.ravel(estimator.predict(X))).all())


def describe_model(folder: Path, flavor: str, settings: dict[str, Any], example: dict[str, Any] | None = None) -> Path:
    """Write the description of a model of MLflow, as MLflow 3 does."""
    document: dict[str, Any] = {
        "flavors": {"python_function": {"loader_module": f"mlflow.{flavor}"}, flavor: settings},
        "signature": {"inputs": json.dumps([{"type": "double", "name": "a"}, {"type": "double", "name": "b"}])},
    }
    if example is not None:
        (folder / "input_example.json").write_text(json.dumps(example))
        document["saved_input_example_info"] = {
            "artifact_path": "input_example.json",
            "type": "dataframe",
            "pandas_orient": "split",
        }
    (folder / "MLmodel").write_text(json.dumps(document))  # JSON is YAML
    return folder


# --- what is read


@pytest.mark.parametrize("dump", [joblib.dump, lambda one, path: Path(path).write_bytes(pickle.dumps(one))])
def test_a_pickle_and_a_joblib_file_are_read(tmp_path: Path, dump: Callable[[Any, Path], Any]) -> None:
    dump(pipeline(), tmp_path / "model")
    found, sample = read(tmp_path / "model")
    assert answers_alike(found, pipeline()) and sample is None


def test_an_archive_of_skops_is_read_and_runs_no_code(tmp_path: Path) -> None:
    skops.io.dump(pipeline(), tmp_path / "model.skops")
    file = estimator_files.find(tmp_path / "model.skops")
    assert not file.runs_code and file.recorded == (("scikit-learn", sklearn.__version__),)
    assert answers_alike(file.load(), pipeline())


def test_an_archive_with_a_type_that_is_not_trusted_names_the_setting(tmp_path: Path) -> None:
    skops.io.dump(FunctionTransformer(np.save), tmp_path / "m")
    with pytest.raises(ToolkitError, match="save") as refused:
        read(tmp_path / "m")
    assert "FLYWEIGHT_TRUSTED_TYPES" in refused.value.next_step


@pytest.mark.parametrize(
    "make",
    [
        lambda path: LGBMClassifier(n_estimators=3, verbose=-1).fit(X, Y).booster_.save_model(path),
        lambda path: XGBClassifier(n_estimators=3).fit(X, Y).save_model(f"{path}.ubj") or Path(f"{path}.ubj").rename(path),
        lambda path: CatBoostClassifier(iterations=3, verbose=0, allow_writing_files=False).fit(X, Y).save_model(str(path)),
    ],
    ids=["lightgbm", "xgboost", "catboost"],
)
def test_a_boosters_own_file_is_read(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    make(tmp_path / "booster")
    found, _ = read(tmp_path / "booster")
    assert flyweight.pack(found, sample=X, edge_count=50)


def test_a_model_of_mlflow_brings_its_example_as_the_sample(tmp_path: Path) -> None:
    joblib.dump(pipeline(), tmp_path / "model.pkl")
    settings = {"pickled_model": "model.pkl", "sklearn_version": sklearn.__version__, "serialization_format": "cloudpickle"}
    example = {"columns": ["a", "b"], "data": [[0, 1.5], [2, -1.0]]}
    found, sample = read(describe_model(tmp_path, "sklearn", settings, example))
    assert answers_alike(found, pipeline())
    assert sample.to_dict("list") == {"a": [0.0, 2.0], "b": [1.5, -1.0]}
    assert {str(dtype) for dtype in sample.dtypes} == {"float64"}


def test_a_booster_that_mlflow_saved_keeps_its_class(tmp_path: Path) -> None:
    estimator = XGBClassifier(n_estimators=3).fit(X, Y)
    estimator.save_model(tmp_path / "model.ubj")
    settings = {
        "data": "model.ubj",
        "model_class": "xgboost.sklearn.XGBClassifier",
        "xgb_version": __import__("xgboost").__version__,
    }
    found, _ = read(describe_model(tmp_path, "xgboost", settings))
    assert isinstance(found, XGBClassifier) and answers_alike(found, estimator)


def test_a_class_of_a_module_beside_the_pickle_is_found(tmp_path: Path) -> None:
    """The estimator is fitted by one script, and packed from another folder."""
    (tmp_path / "own_scaler_beside.py").write_text(
        "from sklearn.preprocessing import StandardScaler\nclass Own(StandardScaler): pass\n"
    )
    code = "import joblib, numpy as np, own_scaler_beside; joblib.dump(own_scaler_beside.Own().fit(np.eye(3)), 'model.joblib')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    path = [*sys.path]
    try:
        assert type(read(tmp_path / "model.joblib")[0]).__name__ == "Own"
    finally:
        sys.path[:] = path


SCRIPT = """
import joblib, numpy as np
from sklearn.preprocessing import StandardScaler
class Own(StandardScaler): pass
joblib.dump(Own().fit(np.eye(3)), "model.joblib")
"""


def test_a_class_of_a_script_is_taken_from_the_module_that_the_user_imports(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=tmp_path, check=True)
    with pytest.raises(ToolkitError, match="needs Own, which was defined in a script") as refused:
        read(tmp_path / "model.joblib")
    assert "--import" in refused.value.next_step
    (tmp_path / "steps.py").write_text("from sklearn.preprocessing import StandardScaler\nclass Own(StandardScaler): pass\n")
    code = "import steps; from flyweight.toolkit.packing.estimator_files import read; print(type(read('model.joblib')[0]))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert "steps.Own" in ran.stdout, ran.stderr


# --- what is refused


def test_a_file_of_another_version_is_refused_before_any_of_its_code_runs(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    hostile = type("Hostile", (), {"__reduce__": lambda self: (Path.touch, (mark,))})
    scaler = StandardScaler().fit(X)
    scaler.note = hostile()
    data = pickle.dumps(scaler, 0).replace(sklearn.__version__.encode(), OTHER.encode())
    (tmp_path / "model.pkl").write_bytes(data)
    with pytest.raises(VersionMismatch, match=f"scikit-learn {OTHER} .here: {sklearn.__version__}"):
        read(tmp_path / "model.pkl")
    assert not mark.exists()


def test_the_version_of_a_booster_in_a_pickle_is_read(tmp_path: Path) -> None:
    data = pickle.dumps(CatBoostClassifier(iterations=3, verbose=0, allow_writing_files=False).fit(X, Y))
    old = data.replace(b"tags/v1.", b"tags/v0.")
    assert old != data
    (tmp_path / "model.pkl").write_bytes(old)
    with pytest.raises(VersionMismatch, match="catboost 0"):
        read(tmp_path / "model.pkl")


def test_a_container_names_the_estimators_in_it(tmp_path: Path) -> None:
    joblib.dump({"model": pipeline(), "columns": ["a"]}, tmp_path / "model.joblib")
    with pytest.raises(ToolkitError, match="holds a dict and not an estimator; in it 'model' is a Pipeline"):
        read(tmp_path / "model.joblib")


def test_a_missing_library_is_named_as_it_is_installed(tmp_path: Path) -> None:
    data = pickle.dumps(StandardScaler(), 0).replace(b"sklearn.preprocessing._data\n", b"sksurv.linear_model\n")
    (tmp_path / "model.pkl").write_bytes(data)
    with pytest.raises(ToolkitError, match="needs scikit-survival, which is not installed") as refused:
        read(tmp_path / "model.pkl")
    assert refused.value.next_step == "pip install scikit-survival"


def archive(*names: str) -> bytes:
    import io

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in names:
            made.writestr(name, b"")
    return file.getvalue()


FORMS = {
    "empty": (b"", "an empty file"),
    "pdf": (b"%PDF-1.7\n...", "a PDF document"),
    "page": (b"<!DOCTYPE html><html>404</html>", "a web page"),
    "git lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "a pointer of Git LFS"),
    "keras": (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    "keras 3": (archive("config.json", "model.weights.h5"), "a model of Keras"),
    "torch": (archive("model/data.pkl"), "a model of PyTorch"),
    "excel": (archive("[Content_Types].xml"), "an office program"),
    "zip": (archive("a.txt"), "a ZIP archive"),
    "numpy": (b"\x93NUMPY\x01\x00", "an array of NumPy"),
    "csv": (b"a,b\n1,2\n", "text"),
    "json": (b'{"a": 1}', "a JSON document"),
    "onnx": (b"\x08\x08\x12\x08skl2onnx\x1a", "a graph of ONNX"),
    "tflite": (b"\x1c\x00\x00\x00TFL3", "a graph of LiteRT"),
    "noise": (bytes(range(200, 256)) * 3, "no file that is known here"),
    "cut": (pickle.dumps(StandardScaler())[:-9], "truncated"),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_file_that_is_no_estimator_is_named(tmp_path: Path, name: str) -> None:
    data, what = FORMS[name]
    (tmp_path / "model.bin").write_bytes(data)
    with pytest.raises(ToolkitError, match=what) as refused:
        read(tmp_path / "model.bin")
    assert refused.value.next_step


def test_a_model_file_of_ours_is_named(tmp_path: Path) -> None:
    flyweight.pack(pipeline(), tmp_path / "m.safetensors", sample=X, edge_count=20)
    with pytest.raises(ToolkitError, match="packed already"):
        read(tmp_path / "m.safetensors")


def test_places_without_an_estimator_are_named(tmp_path: Path) -> None:
    for place, said in (
        (tmp_path, "without the file MLmodel"),
        (tmp_path / "nothing", "No such file"),
        ("models:/m/1", "MLflow"),
    ):
        with pytest.raises(ToolkitError, match=said) as refused:
            read(place)
        assert refused.value.next_step


def test_a_flavor_that_is_not_packed_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="of the kind keras"):
        read(describe_model(tmp_path, "keras", {"data": "data"}))


def test_a_description_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    joblib.dump(pipeline(), tmp_path / "model.pkl")
    with pytest.raises(ToolkitError, match="not in this folder"):
        read(describe_model(folder, "sklearn", {"pickled_model": "../model.pkl"}))
