"""Pack the cases of tests/parity with whatever versions are installed here, and print what came of each as one line of JSON.

Run it with the Python of an environment of other versions: `python -m tests.toolkit.versions.cases_here --families trees,linear`.
Without `--families` it runs them all.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import pkgutil
import sys
import traceback
import warnings
from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import sklearn
from sklearn.utils import all_estimators

from flyweight.errors import FlyweightError
from flyweight.toolkit.packing.pack import ParityFailed, pack
from tests import parity

# classes that came after scikit-learn 1.3, by their module
NEWER = {
    "sklearn.frozen": ("FrozenEstimator",),
    "sklearn.model_selection": ("FixedThresholdClassifier", "TunedThresholdClassifierCV"),
}
# what a version that lacks a class, a parameter or a library raises while a case is made
ABSENT = (ImportError, TypeError, AttributeError, ValueError)


def take_any_parameter(cls: type) -> None:
    """Have a class take parameters that this version lacks, since cases are listed before any is made; it remembers them."""
    original = cls.__init__  # type: ignore[misc]
    known = inspect.signature(original).parameters

    @wraps(original)
    def init(self: Any, *args: Any, **given: Any) -> None:
        original(self, *args, **{name: value for name, value in given.items() if name in known})
        if lacking := given.keys() - known.keys():
            self.lacking_ = sorted(lacking)

    cls.__init__ = init  # type: ignore[misc]


class Newer:
    """Stands for an estimator of a newer version; it can't be fitted."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take what the class itself takes."""

    def fit(self, *_: Any) -> None:
        """Refuse.

        :raises ImportError: always.
        """
        raise ImportError("this version has no such class")


def lend_newer_classes() -> None:
    """Have the classes that older versions lack, under their names: only the cases that make one are left out then."""
    for name, classes in NEWER.items():
        module = importlib.import_module(name) if find_spec(name) else ModuleType(name)
        for cls in classes:
            vars(module).setdefault(cls, Newer)
        sys.modules[name] = module


def lacking(estimator: Any) -> list[str]:
    """List the parameters that a case sets and this version does not have."""
    parts = [estimator, *estimator.get_params().values()] if hasattr(estimator, "get_params") else [estimator]
    return [name for part in parts for name in getattr(part, "lacking_", [])]


def cases(said: Callable[[dict[str, Any]], None]) -> dict[str, dict[str, Callable[[], Any]]]:
    """Import the modules of cases that can be imported here; the others are told."""
    found: dict[str, dict[str, Callable[[], Any]]] = {}
    for module in pkgutil.iter_modules(parity.__path__):
        if module.name.startswith("cases"):
            try:
                found |= importlib.import_module(f"{parity.__name__}.{module.name}").FAMILIES
            except ABSENT as error:
                said({"case": module.name, "result": "absent", "why": f"{type(error).__name__}: {error}"[:300]})
    return found


def attempt(make: Callable[[], Any], edges: int) -> tuple[str, str]:
    """Pack one case.

    :returns: "packed", "absent" (this version has no such estimator), "refused", "differs" or "raised", and why.
    """
    try:
        estimator, sample = make()
    except ABSENT as error:
        return "absent", f"{type(error).__name__}: {error}"[:300]
    if names := lacking(estimator):
        return "absent", f"no parameter {', '.join(names)}"
    try:
        packed = pack(estimator, sample=sample, edge_count=edges, engine="pure")
    except ParityFailed as error:
        return "differs", str(error)[:600]
    except FlyweightError as error:
        return "refused", f"{type(error).__name__}: {error}"[:600]
    except Exception:
        return "raised", traceback.format_exc()[-1500:]
    return ("differs", "labels") if packed.parity.label_differences else ("packed", "")


def main() -> None:
    """Pack the cases of some families."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", default="", help="names, separated by commas")
    parser.add_argument("--most", type=int, default=10_000, help="the most cases of a family")
    parser.add_argument("--edges", type=int, default=200, help="rows to make for each case")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for _, cls in all_estimators():
        take_any_parameter(cls)
    lend_newer_classes()

    def said(line: dict[str, Any]) -> None:
        print(json.dumps(line), flush=True)

    chosen = options.families.split(",") if options.families else None
    said({"scikit-learn": sklearn.__version__, "python": sys.version.split()[0]})
    for family, made in cases(said).items():
        if chosen is None or family in chosen:
            for name in [*made][: options.most]:
                result, why = attempt(made[name], options.edges)
                said({"case": f"{family}/{name}", "result": result, "why": why})


if __name__ == "__main__":
    main()
