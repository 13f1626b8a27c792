"""Read a fitted estimator from what people keep it in: a pickle, an archive of skops, a booster's own file, a model of MLflow.

A file is looked at first, as data: its form, and the versions of the libraries that fitted the estimator. Only then it is loaded,
and only if these versions are installed here, since elsewhere an estimator may mean something else.
"""

from __future__ import annotations

import re
import sys
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from flyweight.toolkit import installation, pickles
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.packing import boosters, file_forms, mlflow_models
from flyweight.toolkit.packing.guard import STOPS, first_line
from flyweight.toolkit.packing.origins import VersionMismatch
from flyweight.toolkit.pickles import names
from flyweight.toolkit.pickles.versions import Difference, differences

_MAIN = re.compile(r"Can't get attribute '([^']+)' on <module '([^']+)'")
_ADDRESS = re.compile(r"(models|runs):/")
# in the newest versions that the others allow: then what an older NumPy wrote can be read as well
_BROUGHT = ("flyweight", "joblib", "numpy", "pandas", "scipy", "skops", "cloudpickle", "threadpoolctl")
_MAX_SCHEMA = 256 * 2**20  # bytes


class FileRefused(ToolkitError):
    """A file from which no fitted estimator can be read; the message says what it is, or what is missing."""


@dataclass(frozen=True)
class EstimatorFile:
    """A file or folder that holds an estimator, which is not loaded yet.

    :param path: where it lies on this machine.
    :param recorded: the libraries that fitted the estimator with their versions, as far as the file tells.
    :param distributions: the libraries that loading it needs.
    :param runs_code: whether loading it runs code that is in it.
    :param load_estimator: loads it.
    :param model: what MLflow says about it; None for other files.
    """

    path: Path
    recorded: tuple[tuple[str, str], ...]
    distributions: tuple[str, ...]
    runs_code: bool
    load_estimator: Callable[[], Any]
    model: mlflow_models.MlflowModel | None = None

    @property
    def differences(self) -> list[Difference]:
        """The libraries that are installed here in another version than the one that fitted the estimator."""
        return differences(self.recorded)

    @property
    def requirements(self) -> list[str]:
        """The requirements of an environment that has the versions which fitted the estimator, beside what flyweight brings."""
        exact: dict[str, str] = {}
        for name, fitted in self.recorded:
            if name not in _BROUGHT:
                exact.setdefault(name, Difference(name, fitted, None).requirement)
        return [exact.get(name, name) for name in dict.fromkeys([*exact, *self.distributions]) if name not in _BROUGHT]

    @property
    def sample(self) -> Any:
        """The rows that the file itself brings, as a table; None if it has none."""
        return None if self.model is None else self.model.sample()

    def load(self) -> Any:
        """Load the estimator.

        :raises FileRefused: it can't be loaded here, or is no estimator.
        """
        _find_modules_beside(self.path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what versions mean was looked at before
            try:
                loaded = self.load_estimator()
            except (ToolkitError, *STOPS):
                raise
            except BaseException as error:  # a pickle can raise anything
                raise _not_loaded(self.path, error) from error
        return _checked(loaded, self.path)


def find(place: str | Path) -> EstimatorFile:
    """Look at a file, a folder or an address of MLflow (`models:/name/version`), without running anything in it.

    :raises ToolkitError: there is nothing, or it is no estimator; the message says what it is.
    """
    path = mlflow_models.download(str(place)) if _ADDRESS.match(str(place)) else Path(place)
    if path.is_dir():
        if mlflow_models.is_model(path):
            return _of_mlflow(mlflow_models.read(path))
        raise FileRefused(
            f"{path} is a folder without the file MLmodel", "give the file of an estimator, or a model's folder of MLflow"
        )
    try:
        return _of_file(path)
    except OSError as error:
        raise FileRefused(f"{path} can't be read: {error.strerror}", "give the path of a file that you may read") from None


def read(place: str | Path) -> tuple[Any, Any]:
    """Read a fitted estimator from a file, a folder or an address of MLflow; code in a pickle runs.

    :returns: the estimator, and the sample that the file brings; None without one.
    :raises VersionMismatch: versions that are not installed here fitted it.
    :raises ToolkitError: it can't be read.
    """
    file = find(place)
    if other := file.differences:
        raise mismatch(file.path, other)
    return file.load(), file.sample


def mismatch(path: Path, other: list[Difference]) -> VersionMismatch:
    """Build the error for a file whose estimator was fitted by other versions than those installed here."""
    step = f"`flyweight pack {path}` packs it in an environment that has these versions"
    return VersionMismatch(f"{path} was fitted with {', '.join(map(str, other))}: here it may mean something else", step)


def _of_mlflow(model: mlflow_models.MlflowModel) -> EstimatorFile:
    """Look at a model of MLflow, and at its file."""
    cls = str(model.settings.get("model_class") or model.settings.get("model_type") or "")
    if model.flavor == "xgboost" and not cls.endswith("Booster"):
        load = partial(_by_class, "xgboost", cls.rpartition(".")[2], model.file, {})
    elif model.flavor == "catboost":
        load = partial(_by_class, "catboost", cls, model.file, {"format": model.settings.get("save_format") or "cbm"})
    else:
        file = _of_file(model.file)
        # what the file itself records is the truth: a model can be logged by another version than the one that fitted it
        recorded = file.recorded or (tuple(model.recorded()) if file.distributions else ())
        return EstimatorFile(model.folder, recorded, file.distributions, file.runs_code, file.load_estimator, model)
    # XGBoost and CatBoost promise that later versions read their own files as they were meant
    return EstimatorFile(model.folder, (), (model.flavor, "scikit-learn"), False, load, model)


def _of_file(path: Path) -> EstimatorFile:
    """Look at a file.

    :raises FileRefused: it is not meant to be an estimator.
    :raises OSError: it can't be read.
    """
    if boosters.is_saved(path):
        return EstimatorFile(path, (), (), False, partial(boosters.load, path))
    if file_forms.is_archive(path):
        try:
            versions = tuple(_versions_of_skops(path))
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
            step = "copy the file again, or dump the estimator again with skops"
            raise FileRefused(f"{path} is a damaged archive: {first_line(error)}", step) from None
        return EstimatorFile(path, versions, ("skops", "scikit-learn"), False, partial(_skops, path))
    if what := file_forms.describe(path):
        raise FileRefused(f"{path} is {what[0]}, and not a pickle of an estimator", what[1])
    try:
        contents = pickles.read(path)
    except pickles.PickleRefused as refused:
        damaged = re.search("truncated|damaged|a pickle that can be read", str(refused))
        if damaged:
            raise FileRefused(f"{path}: {refused}", "copy the file again, or dump the estimator again with joblib.dump") from None
        return EstimatorFile(path, (), (), True, partial(_unpickle, path, ()))
    load = partial(_unpickle, path, contents.custom)
    return EstimatorFile(path, tuple(contents.recorded()), tuple(contents.distributions), True, load)


def _unpickle(path: Path, custom: tuple[str, ...]) -> Any:
    """Load a pickle, whose code runs. Classes of `__main__` may come from the user's modules that are imported already."""
    import joblib

    _lend_to_main(custom)
    return joblib.load(path)


def _lend_to_main(custom: tuple[str, ...]) -> None:
    """Give `__main__` the names that a pickle wants of it, from imported modules of the current folder (`--import`)."""
    here, main = Path.cwd(), sys.modules["__main__"]
    own = [m for m in [*sys.modules.values()] if Path(getattr(m, "__file__", None) or "/").parent == here and m is not main]
    for module, _, name in (one.rpartition(".") for one in custom):
        if module == "__main__" and not hasattr(main, name):
            giver = next((one for one in own if hasattr(one, name)), None)
            if giver is not None:
                setattr(main, name, getattr(giver, name))


def _skops(path: Path) -> Any:
    """Load an archive of skops, if all types in it are known or permitted."""
    try:
        from flyweight.engines.sklearn import restore, types_of
    except ImportError:
        raise FileRefused(f"{path} is an archive of skops, which is not installed", installation.command("sklearn")) from None
    from flyweight.errors import ModelRefused

    data = path.read_bytes()
    try:
        return restore(data, types_of(data))
    except ModelRefused as refused:
        raise FileRefused(f"{path}: {refused}", getattr(refused, "next_step", "")) from None


def _versions_of_skops(path: Path) -> Iterator[tuple[str, str]]:
    """Find the versions of scikit-learn that the states in an archive record, each once."""
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo("schema.json").file_size > _MAX_SCHEMA:
            raise FileRefused(f"{path}: its schema is too large", "dump the estimator with joblib.dump")
        text = archive.read("schema.json").decode("utf-8", "replace")
    states = re.findall(r'"_sklearn_version":\s*\{[^{}]*"content":\s*"\\"([0-9][0-9A-Za-z.+]*)\\""', text)
    yield from (("scikit-learn", version) for version in dict.fromkeys(states))


def _by_class(package: str, name: str, path: Path, options: dict[str, Any]) -> Any:
    """Load a booster's own file into an estimator class of its library."""
    from importlib import import_module

    cls = getattr(import_module(package), name or "CatBoost")
    loaded = cls()
    loaded.load_model(str(path), **options)
    return loaded


def _find_modules_beside(path: Path) -> None:
    """Let the modules of the current folder, and of the folder of a file, be imported; they come after all others.

    They stay on the path, since an estimator may import later, too.
    """
    folder = path if path.is_dir() else path.parent
    folders = [str(Path.cwd()), str(folder.resolve()), *([str(folder.resolve() / "code")] if path.is_dir() else [])]
    sys.path += [one for one in dict.fromkeys(folders) if one not in sys.path]


def _not_loaded(path: Path, error: BaseException) -> FileRefused:
    """Build the error for a pickle that can't be loaded, with what would help."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        distribution = names.DISTRIBUTIONS.get(package)
        if distribution:
            return FileRefused(f"{path} needs {distribution}, which is not installed here", f"pip install {distribution}")
        step = f"run it in the folder that has {package}.py, or install the package that has it"
        return FileRefused(f"{path} needs your module {error.name}, which is not found here", step)
    if match := _MAIN.search(str(error)):
        name, module = match.groups()
        if module.rpartition(".")[2] == "__main__":
            step = f"put {name} into a module of this folder, say steps.py, and name it: `flyweight pack --import steps {path}`"
            return FileRefused(f"{path} needs {name}, which was defined in a script or notebook and is not in the file", step)
        return FileRefused(
            f"{path} needs {name} of the module {module}, which has no such name here",
            f"give {module} the version that it had, or name the module that has {name} with --import",
        )
    step = "install the packages that it needs, or dump the estimator again with joblib.dump"
    return FileRefused(f"{path} can't be loaded: {first_line(error)}", step)


def _checked(loaded: Any, path: Path) -> Any:
    """Return what was loaded, if it is not a container of other things.

    :raises FileRefused: it is one, as the dict in which people keep a model with its columns.
    """
    if not isinstance(loaded, (dict, list, tuple)):
        return loaded
    entries = loaded.items() if isinstance(loaded, dict) else enumerate(loaded)
    inside = [f"{key!r} is a {type(value).__name__}" for key, value in entries if hasattr(value, "get_params")]
    told = f"; in it {', '.join(inside[:3])}" if inside else ""
    step = "dump the estimator alone: joblib.dump(loaded[...], 'model.joblib')" if inside else "dump the fitted estimator itself"
    raise FileRefused(f"{path} holds a {type(loaded).__name__} and not an estimator{told}", step)
