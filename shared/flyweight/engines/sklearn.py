"""The engine of last resort that is still data: the estimator itself, stored by skops, its types and its trees checked."""

import zipfile
from io import BytesIO

from flyweight import settings
from flyweight.engines import _estimator, _foreign
from flyweight.engines._trees import check_ensembles, check_histogram_tree, check_tree
from flyweight.errors import ModelRefused, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from flyweight.models.file import ModelFile

MAX_BYTES = 1 << 30  # unpacked
# where classes come from that need no permission; functions and methods do, but for those that only reckon
PACKAGES = ("sklearn.", "scipy.interpolate.", "lightgbm.", "xgboost.", "catboost.")
RECKONING = ("mean", "sum", "median", "min", "max", "amin", "amax", "std", "var", "nanmean", "nanmedian", "nan_to_num", "clip")
SPARSE = [f"scipy.sparse._{form}.{form}_{kind}" for form in ("csr", "csc", "coo") for kind in ("matrix", "array")]
NAMES = frozenset(("collections.OrderedDict", "numpy.dtype", *SPARSE, *[f"numpy.{name}" for name in RECKONING]))
TREE, HISTOGRAM_TREE = "sklearn.tree._tree.Tree", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
# kinds of skops nodes: those that name a class, those that only hold values; any other (functions, methods, partials) runs code
CLASSES = frozenset(("ObjectNode", "TypeNode", "TreeNode", "LossNode"))
VALUES = frozenset(
    ("DictNode", "DefaultDictNode", "ListNode", "SetNode", "TupleNode", "BytesNode", "BytearrayNode", "SliceNode", "JsonNode")
    + ("NdArrayNode", "MaskedArrayNode", "DTypeNode", "RandomStateNode", "RandomGeneratorNode", "SparseMatrixNode", "CachedNode")
)


class Engine(_estimator.Engine):
    """Runs an estimator that skops has stored; the document's `estimator` lists the `types` that it needs."""

    BLOB = "skops"

    def __init__(self, file: "ModelFile") -> None:
        told = file.document.get(self.KEY)
        listed = told.get("types") if isinstance(told, dict) else None
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            raise ModelRefused("the file does not list the types that its estimator needs")
        super().__init__(file, restored(_foreign.blob(file, self.BLOB), listed))


def restored(data: bytes, listed: "list[str]") -> "Any":
    """The estimator in a skops archive, if it needs no other types than listed and all of them may be made here.

    :raises ModelRefused: a type that is not listed or not permitted, a tree that is none, or no skops archive at all.
    """
    nodes = [*_walk(_opened(data))]
    try:
        _check_types(nodes, listed)
        for node in nodes:
            _check_content(node)
        estimator = nodes[0].construct()
        check_ensembles([node.construct() for node in nodes if type(node).__name__ == "ObjectNode"])
    except (ModelRefused, ImportError):
        raise
    except Exception as error:  # a damaged archive can fail anywhere
        raise ModelRefused(f"the estimator in the file can't be made again: {type(error).__name__}") from error
    if not hasattr(estimator, "predict") and not hasattr(estimator, "transform"):
        raise ModelRefused(f"the file holds a {type(estimator).__name__}, which is no estimator")
    return estimator


def types_of(data: bytes) -> "list[str]":
    """The types that an archive needs beyond those that skops itself lets pass."""
    return sorted(_opened(data).get_unsafe_set())


def _opened(data: bytes) -> "Any":
    """The first of the archive's nodes, of which nothing has been made yet."""
    import skops.io  # noqa: F401, registers the kinds of nodes
    from skops.io._audit import get_tree
    from skops.io._utils import read_schema

    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise ModelRefused(f"the estimator takes more than {MAX_BYTES} bytes unpacked")
            schema, context = read_schema(archive)
            return get_tree(schema, context, trusted=None)
    except ModelRefused:
        raise
    except ImportError as error:  # not of a library that is absent, but of what the archive asks for
        raise ModelRefused(f"the estimator can't be read: {preview(str(error))}") from error
    except (Exception, RecursionError) as error:
        raise ModelRefused(f"this is no skops archive: {type(error).__name__}") from error


def _walk(node: "Any") -> "Iterator[Any]":
    """A node and all below it, each once."""
    waiting, seen = [node], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        children = [child for child in node.children.values() if child is not None]
        children += [node.cached] if type(node).__name__ == "CachedNode" else []
        for child in children:
            parts = child if isinstance(child, list) else [*child.values()] if isinstance(child, dict) else [child]
            waiting += [part for part in parts if hasattr(part, "children")]


def _check_types(nodes: "list[Any]", listed: "list[str]") -> None:
    """No type that is not listed; of those that skops does not let pass by itself, only what is known here or permitted.

    :raises ModelRefused: another one; FLYWEIGHT_TRUSTED_TYPES would permit it.
    """
    if any(type(node).__module__.startswith("skops.io.old") for node in nodes):
        raise ModelRefused("the estimator is stored in an older form of skops; pack it again")
    unsafe = {*nodes[0].get_unsafe_set()}
    unlisted = sorted(unsafe - {*listed})
    if unlisted:
        raise ModelRefused(f"the estimator needs {', '.join(unlisted)}, which the file does not list")
    named = [(type(node).__name__, f"{node.module_name}.{node.class_name}") for node in nodes]
    classes = {name for kind, name in named if kind in CLASSES}
    running = {name for kind, name in named if kind not in CLASSES | VALUES}
    why = {name: _why_not(name, classes, running) for name in sorted(unsafe - {*settings.permissions().trusted_types})}
    refused = {name: reason for name, reason in why.items() if reason}
    if refused:
        told = "; ".join(f"{name}, {reason}" for name, reason in refused.items())
        setting = f"FLYWEIGHT_TRUSTED_TYPES={','.join(refused)}"
        trust = f"set {setting} if you trust who made the file"
        raise ModelRefused(f"the estimator needs {told}: only if you trust who made this file, set {setting}", trust)


def _why_not(name: str, classes: "set[str]", running: "set[str]") -> str:
    """Why this type may not be made without permission; empty where it may."""
    if name in NAMES:
        return ""
    if not name.startswith(PACKAGES):
        return "of a package that is not known here"
    if name in running or name not in classes:
        return "which is code"
    if name not in (TREE, HISTOGRAM_TREE) and not _is_plain_class(name):
        return "whose compiled code follows indices that nothing checks"
    return ""


def _is_plain_class(name: str) -> bool:
    """Whether the class and all its bases are written in Python, or are Python's own containers."""
    module, _, attribute = name.rpartition(".")
    found = getattr(__import__(module, fromlist=[attribute]), attribute, None)
    bases = found.__mro__ if isinstance(found, type) else (int,)
    return isinstance(found, type) and all(
        base.__flags__ & (1 << 9) or base.__module__ in ("builtins", "collections") for base in bases
    )


def _check_content(node: "Any") -> None:
    """A tree's arrays, and a sparse matrix's indices, before compiled code follows them.

    :raises ModelRefused: they are no tree.
    :raises ValueError: they are no matrix.
    """
    name = f"{node.module_name}.{node.class_name}"
    kind = type(node).__name__
    if kind == "TreeNode":
        check_tree(node.args.construct(), node.attrs.construct())
    elif kind == "ObjectNode" and name == TREE:
        raise ModelRefused("a tree is stored in a form that is not known here")
    elif kind == "SparseMatrixNode":
        matrix = node.construct()
        if hasattr(matrix, "check_format"):  # others check as they are made
            matrix.check_format(full_check=True)
    elif kind == "ObjectNode" and name == HISTOGRAM_TREE:
        check_histogram_tree(node.attrs.construct() if node.attrs is not None else None)
