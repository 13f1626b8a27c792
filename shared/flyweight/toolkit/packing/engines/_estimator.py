"""What a model file says of an estimator that is stored whole: its input, its outputs, and the packages that it needs."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flyweight.toolkit.packing.source_model import SourceModel


def estimator_document(model: SourceModel) -> dict[str, Any]:
    """Build the document's `estimator`: how its input is made, the width of each output, the scikit-learn that made it."""
    import sklearn

    return {"input": model.shape.document(), "outputs": model.widths, "scikit-learn": sklearn.__version__}


def packages_of(model: SourceModel, modules: set[str]) -> list[str]:
    """List the distributions of these top-level modules, and pandas where the estimator takes a DataFrame or pandas' NA."""
    distributions = metadata.packages_distributions()
    names = [name for module in sorted(modules) for name in distributions.get(module, [])[:1]]
    needs_pandas = model.shape.framed or any(marker == "na" for marker in model.shape.document()["markers"])
    return [*dict.fromkeys(names + ["pandas"] * needs_pandas)]


def modules_of(estimator: Any) -> set[str]:
    """Collect the top-level modules of the classes and functions that an estimator is made of."""
    from flyweight.toolkit.convert import class_name

    modules: set[str] = set()
    waiting, seen = [estimator], set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        modules.add(class_name(part).partition(".")[0])
        modules.add(str(getattr(part, "__module__", None) or "builtins").partition(".")[0])
        if isinstance(part, (list, tuple, set)):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
        else:
            waiting += getattr(part, "__dict__", {}).values()
    return modules
