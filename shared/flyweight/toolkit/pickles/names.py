"""What the names in a pickle show: the distribution that each belongs to, and which could run code when it is loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions

from flyweight.toolkit.pickles.nodes import Global

# import name -> distribution, of the packages that estimators are made of, for those that are not installed here
DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "imblearn": "imbalanced-learn",
    "category_encoders": "category-encoders",
    "feature_engine": "feature-engine",
    "sklearn_pandas": "sklearn-pandas",
    "sksurv": "scikit-survival",
    "umap": "umap-learn",
    **{
        name: name
        for name in (
            "catboost cloudpickle dill gensim hdbscan imodels interpret joblib keras lifelines lightgbm mapie mlxtend ngboost"
            " nltk numpy optbinning pandas polars pyarrow pyod scipy skops skorch skrub spacy statsmodels threadpoolctl torch"
            " tslearn xgboost"
        ).split()
    },
}

# modules whose classes derive from scikit-learn's, in libraries that do not require scikit-learn
ON_SKLEARN = ("xgboost.sklearn", "lightgbm.sklearn")

# classes and functions of the standard library that pickles of estimators hold, and that only make data
_HARMLESS = {
    "_codecs": "encode",
    "array": "array _array_reconstructor",
    "builtins": "object list dict set frozenset tuple int float complex bool str bytes bytearray slice range type NoneType"
    " Ellipsis NotImplemented abs all any divmod hash len max min pow round sorted sum zip enumerate reversed iter",
    "collections": "OrderedDict defaultdict deque Counter ChainMap namedtuple",
    "copyreg": "_reconstructor __newobj__ __newobj_ex__",
    "datetime": "date datetime time timedelta timezone tzinfo",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "functools": "partial",
    "operator": "add sub mul truediv floordiv neg pos abs mod pow eq ne lt le gt ge",
    "re": "_compile compile Pattern",
    "types": "SimpleNamespace NoneType",
    "uuid": "UUID",
    "zoneinfo": "ZoneInfo._unpickle",
}
_HARMLESS_MODULES = {"math", "cmath", "statistics", "string", "numbers"}  # all their functions only compute
# packages and functions that rebuild functions from their code, or load another pickle or library
_LOADERS = {"cloudpickle", "dill", "marshal"}
_LOADING = {("joblib.numpy_pickle", "load"), ("joblib", "load"), ("numpy", "load"), ("pandas", "read_pickle"), ("torch", "load")}


def is_standard(name: Global) -> bool:
    """Check whether a name belongs to Python's standard library."""
    return name.package in sys.stdlib_module_names and name.package != "__main__"


def distribution(package: str) -> str | None:
    """Find the distribution of a top-level package: the one installed here, else a known one, else None."""
    owners = _installed().get(package)
    return owners[0] if owners else DISTRIBUTIONS.get(package)


@cache
def _installed() -> dict[str, list[str]]:
    return {name: sorted(set(owners)) for name, owners in packages_distributions().items()}


def custom(names: Iterable[Global]) -> list[Global]:
    """Select the names that belong to no distribution: those of the user's own modules, notebooks and scripts."""
    return [name for name in names if not is_standard(name) and distribution(name.package) is None]


def dangerous(names: Iterable[Global]) -> list[Global]:
    """Select the names by which loading could run any code: of the standard library all but the harmless ones; and loaders.

    An empty list proves nothing: a class may run code when it is made, and the classes of other libraries are not judged.
    """
    return [name for name in names if _could_run_code(name)]


def _could_run_code(name: Global) -> bool:
    if is_standard(name):
        computes = name.module in _HARMLESS_MODULES and "." not in name.name  # `statistics` has `random`, which has `_os`
        return not computes and name.name not in _HARMLESS.get(name.module, "").split()
    return name.package in _LOADERS or (name.module, name.name) in _LOADING
