"""Which version of scikit-learn fitted an estimator in memory; one of another version is refused.

scikit-learn drops the version that a pickle records when it loads the pickle, and its warning may be hidden. Three signs remain:

- Once this module is imported, the version of every estimator that is loaded is kept (`_watch`).
- `__init__` writes an estimator's attributes in its own order, and a pickle keeps that order. Parameters come and go with the
  versions, so that the first attributes of an estimator of another version differ.
- Python notes which warnings it has shown, and so the classes that were loaded before this module was imported.
"""

from __future__ import annotations

import inspect
import re
import sys
import warnings
from collections.abc import Iterator
from functools import cache, wraps
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import sklearn
from sklearn.base import BaseEstimator

from flyweight.toolkit.errors import ToolkitError

_loaded: WeakKeyDictionary[Any, str] = WeakKeyDictionary()  # estimators, with the version that their pickles name
_SHOWN = re.compile(r"estimator (\w+) from version (\S+) when using version")
_SCALARS = (str, bytes, int, float, complex, type(None), type, np.generic)


class VersionMismatch(ToolkitError):
    """An estimator that another version of its library fitted: here its attributes may mean something else, or be missing."""

    next_step = (
        "give the file that it was read from: `flyweight pack FILE` packs it with the version that fitted it; "
        "or fit it again here, as sklearn.base.clone(estimator).fit(...)"
    )


def _watch() -> None:
    """Have scikit-learn keep the version that a pickle records of an estimator, from now on."""
    original = BaseEstimator.__setstate__
    if hasattr(original, "__wrapped__"):
        return

    @wraps(original)
    def setstate(self: Any, state: Any) -> None:
        version = state.get("_sklearn_version") if isinstance(state, dict) else None
        original(self, state)
        if version is not None:
            _loaded[self] = str(version)

    BaseEstimator.__setstate__ = setstate


def check(estimator: Any) -> None:
    """Check that no part of an estimator shows that another version of scikit-learn fitted it.

    :raises VersionMismatch: a part does; the message names the part and both versions.
    """
    here = sklearn.__version__
    shown, parts = dict(_shown()), [*_parts(estimator)]
    for part in parts:
        if (version := _loaded.get(part, here)) != here:
            raise VersionMismatch(f"scikit-learn {version} fitted this {_name(part)}, and scikit-learn {here} is installed here")
    for part in parts:
        if strange := _strange(part):
            raise VersionMismatch(
                f"another version of scikit-learn than {here}, which is installed here, made this {_name(part)}: {strange}"
            )
    for part in parts:
        if part not in _loaded and (version := shown.get(_name(part), here)) != here:
            raise VersionMismatch(
                f"a {_name(part)} that scikit-learn {version} fitted was loaded here, under scikit-learn {here}, "
                "and this may be it",
                f"{VersionMismatch.next_step}. If it is another one, fitted here, write it by joblib.dump and pack that file",
            )


def _parts(root: Any) -> Iterator[Any]:
    """Find scikit-learn's own estimators inside, each once."""
    seen, waiting = dict[int, Any](), [root]
    while waiting:
        one = waiting.pop()
        if isinstance(one, _SCALARS) or id(one) in seen:
            continue
        seen[id(one)] = one  # also keeps it alive, so that no other object gets its id
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, (list, tuple)):
            waiting.extend(one)
        elif isinstance(one, np.ndarray):
            waiting.extend(one.ravel().tolist() if one.dtype == object else ())
        elif isinstance(one, BaseEstimator):
            waiting.extend(vars(one).values())
            if type(one).__module__.startswith("sklearn."):
                yield one
        elif type(one).__module__.startswith("sklearn.") and hasattr(one, "__dict__"):
            waiting.extend(vars(one).values())


def _strange(part: Any) -> str:
    """Compare an estimator's first attributes with those that the installed version's `__init__` writes.

    :returns: what differs; empty if nothing does.
    """
    cls: type = part.__class__
    expected = _written(cls)
    attributes = [*vars(part)]
    if expected is None or attributes[: len(expected)] == expected:
        return ""
    missing = [name for name in expected if name not in attributes]
    first = attributes[: len(expected)]
    added = [name for name in first if name not in expected and not name.endswith("_") and not name.startswith("_")]
    told = [f"it lacks {', '.join(missing)}"] if missing else []
    told += [f"it has {', '.join(added)}, which this version does not know"] if added else []
    return " and ".join(told) or "its attributes are in another order"


@cache
def _written(cls: type) -> list[str] | None:
    """List the attributes that a class writes when it is made, in their order; None if it can't be made without values."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    try:
        parameters = inspect.signature(cls).parameters.values()
        required = [one.name for one in parameters if one.default is one.empty and one.kind in kinds]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a class may be deprecated
            return [*vars(cls(**dict.fromkeys(required)))]
    except Exception:  # it computes with its parameters
        return None


def _shown() -> Iterator[tuple[str, str]]:
    """Find the classes for which Python has shown scikit-learn's warning about versions, with the version of the pickle."""
    registry = getattr(sys.modules.get("sklearn.base"), "__warningregistry__", {})
    for key in [*registry]:
        if isinstance(key, tuple) and (match := _SHOWN.search(str(key[0]))):
            yield match[1], match[2]


def _name(part: Any) -> str:
    return type(part).__name__


_watch()
