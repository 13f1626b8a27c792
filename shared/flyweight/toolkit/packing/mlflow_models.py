"""Models of MLflow: a folder whose file `MLmodel` names the library, the model's file and an example of its input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.pickles import names

DESCRIPTION = "MLmodel"
_FILE_KEYS = ("pickled_model", "data", "model_data")
# flavor -> the library's package, and the key of its version
_VERSION_KEYS = {
    "sklearn": ("sklearn", "sklearn_version"),
    "lightgbm": ("lightgbm", "lgb_version"),
    "xgboost": ("xgboost", "xgb_version"),
    "catboost": ("catboost", "catboost_version"),
}


class MlflowRefused(ToolkitError):
    """A folder or an address that gives no model of MLflow which can be packed."""

    next_step = "give the folder that has the file MLmodel, or the file of the estimator in it"


@dataclass(frozen=True)
class MlflowModel:
    """What a folder of MLflow holds.

    :param flavor: the library: sklearn, lightgbm, xgboost or catboost.
    :param file: the model's own file.
    :param settings: what MLmodel says about this flavor.
    :param example: what MLmodel says about the example of an input; empty if none exists.
    :param columns: the types of the input's columns by name, as far as the model has a signature.
    """

    folder: Path
    flavor: str
    file: Path
    settings: dict[str, Any]
    example: dict[str, Any]
    columns: dict[str, str]

    def recorded(self) -> Iterator[tuple[str, str]]:
        """Yield the library that fitted the model with its version, by the name of its distribution."""
        package, key = _VERSION_KEYS[self.flavor]
        if isinstance(self.settings.get(key), str):
            yield str(names.distribution(package)), self.settings[key]

    def sample(self) -> Any:
        """Read the example of an input.

        :returns: a table or an array; None if none exists, or it is of another form.
        :raises MlflowRefused: the example is damaged.
        """
        if not self.example or self.example.get("type") not in ("dataframe", "ndarray"):
            return None
        path = _inside(self.folder, self.example.get("artifact_path"))
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if self.example["type"] == "ndarray":
                return np.asarray(document["inputs"] if isinstance(document, dict) else document)
            if isinstance(document, dict) and isinstance(document.get("data"), list):
                frame = pd.DataFrame(document["data"], columns=document.get("columns"))
            else:
                frame = pd.DataFrame(document)
            return _typed(frame, self.columns)
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise MlflowRefused(f"the example of an input, {path}, can't be read: {error}", "give rows as --sample") from None


def is_model(path: Path) -> bool:
    """Check whether this is a folder of a model of MLflow."""
    return (path / DESCRIPTION).is_file()


def download(address: str) -> Path:
    """Fetch a model from MLflow's registry or its tracking server, as `models:/name/version`.

    :returns: the folder that it lies in here.
    :raises MlflowRefused: MLflow is not installed, or has no such model.
    """
    try:
        from mlflow.artifacts import download_artifacts  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        step = "pip install mlflow, or give the folder of the model, which has the file MLmodel"
        raise MlflowRefused(f"{address} is an address of MLflow, which is not installed here", step) from None
    try:
        return Path(download_artifacts(artifact_uri=address))
    except Exception as error:  # MLflow's stores raise what they like
        told = (str(error).strip().splitlines() or [type(error).__name__])[0]
        step = "see that the name and the version exist, and that MLFLOW_TRACKING_URI names the server that has them"
        raise MlflowRefused(f"MLflow does not give {address}: {told}", step) from None


def read(folder: Path) -> MlflowModel:
    """Read the description of a model.

    :raises MlflowRefused: the description is damaged, or the model is of no library that is packed.
    """
    import yaml

    try:
        document = yaml.safe_load((folder / DESCRIPTION).read_text(encoding="utf-8"))
        flavors = {str(name): settings for name, settings in document["flavors"].items() if isinstance(settings, dict)}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise MlflowRefused(f"{folder / DESCRIPTION} can't be read: {type(error).__name__}") from None
    # a booster's own flavor goes first: scikit-learn's may stand beside it
    flavor = next((name for name in ("lightgbm", "xgboost", "catboost", "sklearn") if name in flavors), None)
    if flavor is None:
        found = ", ".join(name for name in flavors if name != "python_function") or "python_function"
        step = "log the estimator itself, as by mlflow.sklearn.log_model, or pack its own file; a graph is packed as .onnx"
        raise MlflowRefused(f"{folder} holds a model of the kind {found}, and only {', '.join(_VERSION_KEYS)} are packed", step)
    settings = flavors[flavor]
    name = next((settings[key] for key in _FILE_KEYS if isinstance(settings.get(key), str)), "model.cb")
    example = document.get("saved_input_example_info")
    columns = _columns(document.get("signature"))
    example = example if isinstance(example, dict) else {}
    return MlflowModel(folder, flavor, _inside(folder, name), settings, example, columns)


def _inside(folder: Path, name: Any) -> Path:
    """Find a file of the folder.

    :raises MlflowRefused: it is not there, or lies elsewhere.
    """
    path = folder / str(name)
    if not path.resolve().is_relative_to(folder.resolve()) or not path.exists():
        raise MlflowRefused(f"{folder / DESCRIPTION} names the file {name}, which is not in this folder")
    return path


def _columns(signature: Any) -> dict[str, str]:
    """Read the types of the input's columns by name; empty if the signature has none."""
    try:
        inputs = json.loads(signature["inputs"])
        return {str(column["name"]): str(column["type"]) for column in inputs if "name" in column}
    except (ValueError, LookupError, TypeError):
        return {}


def _typed(frame: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """Give columns the types that JSON does not keep.

    :raises ValueError: a value is not of its column's type.
    """
    for name, kind in columns.items():
        if name in frame and kind in ("double", "float"):
            frame[name] = frame[name].astype(float)
        elif name in frame and kind == "datetime":
            frame[name] = pd.to_datetime(frame[name])
    return frame
