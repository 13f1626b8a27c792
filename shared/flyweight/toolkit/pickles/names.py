"""What the names in a pickle tell: whose they are, and which of them would do more than make data when it is loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions

from flyweight.toolkit.pickles.records import Global

# import name -> distribution, for what estimators are made of; what is installed here is looked up, this is for what is not
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

# modules whose classes derive from scikit-learn's, of libraries that do not require it
ON_SKLEARN = ("xgboost.sklearn", "lightgbm.sklearn")

# The standard library's classes and functions that pickles of estimators hold, and that make data and nothing else.
_HARMLESS = {
    "_codecs": "encode",
    "array": "array _array_reconstructor",
    "builtins": "object list dict set frozenset tuple int float complex bool str bytes bytearray slice range type NoneType"
    " Ellipsis NotImplemented abs all any divmod hash len max min pow round sorted sum zip enumerate map filter reversed iter",
    "collections": "OrderedDict defaultdict deque Counter ChainMap namedtuple",
    "copyreg": "_reconstructor __newobj__ __newobj_ex__",
    "datetime": "date datetime time timedelta timezone tzinfo",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "functools": "partial",
    "operator": "itemgetter attrgetter add sub mul truediv floordiv neg pos abs mod pow eq ne lt le gt ge",
    "re": "_compile compile Pattern",
    "types": "SimpleNamespace NoneType",
    "uuid": "UUID",
    "zoneinfo": "ZoneInfo._unpickle",
}
_WHOLE = {"math", "cmath", "statistics", "string", "numbers"}  # modules whose functions only reckon
# They rebuild functions from their code, or load another pickle or library
_LOADERS = {"cloudpickle", "dill", "marshal"}
_LOADING = {("joblib.numpy_pickle", "load"), ("joblib", "load"), ("numpy", "load"), ("pandas", "read_pickle"), ("torch", "load")}


def is_standard(name: Global) -> bool:
    """Whether it is of Python's own library."""
    return name.package in sys.stdlib_module_names and name.package != "__main__"


def distribution(package: str) -> str | None:
    """The distribution that an import name comes with: as installed here, else as known, else None."""
    owners = _installed().get(package)
    return owners[0] if owners else DISTRIBUTIONS.get(package)


@cache
def _installed() -> dict[str, list[str]]:
    return {name: sorted(set(owners)) for name, owners in packages_distributions().items()}


def custom(names: Iterable[Global]) -> list[Global]:
    """The names that belong to no distribution: the user's own modules, and what was defined in a notebook or script."""
    return [name for name in names if not is_standard(name) and distribution(name.package) is None]


def dangerous(names: Iterable[Global]) -> list[Global]:
    """The names by which loading could do anything: all of the standard library but a list of what is harmless, and loaders.

    An empty list is no proof: any class may act when it is made, and those of other libraries are not judged.
    """
    return [name for name in names if _acts(name)]


def _acts(name: Global) -> bool:
    if is_standard(name):
        return name.module not in _WHOLE and name.name not in _HARMLESS.get(name.module, "").split()
    return name.package in _LOADERS or (name.module, name.name) in _LOADING
