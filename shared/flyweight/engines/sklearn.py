"""Run the estimator itself from a skops archive, which is data: its types and its trees are checked first."""

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
# classes of these packages need no permission; functions and methods do, except those that only compute
PACKAGES = ("sklearn.", "scipy.interpolate.", "lightgbm.", "xgboost.", "catboost.")
COMPUTING = ("mean", "sum", "median", "min", "max", "amin", "amax", "std", "var", "nanmean", "nanmedian", "nan_to_num", "clip")
SPARSE = [f"scipy.sparse._{form}.{form}_{kind}" for form in ("csr", "csc", "coo") for kind in ("matrix", "array")]
NAMES = frozenset(("collections.OrderedDict", "numpy.dtype", *SPARSE, *[f"numpy.{name}" for name in COMPUTING]))
TREE, HISTOGRAM_TREE = "sklearn.tree._tree.Tree", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
# kinds of skops nodes: those that name a class, and those that only hold values; any other (function, method, partial) runs code
CLASSES = frozenset(("ObjectNode", "TypeNode", "TreeNode", "LossNode"))
VALUES = frozenset(
    ("DictNode", "DefaultDictNode", "ListNode", "SetNode", "TupleNode", "BytesNode", "BytearrayNode", "SliceNode", "JsonNode")
    + ("NdArrayNode", "MaskedArrayNode", "DTypeNode", "RandomStateNode", "RandomGeneratorNode", "SparseMatrixNode", "CachedNode")
)


class Engine(_estimator.Engine):
    """The engine that runs an estimator stored by skops; the document's entry `estimator` lists the `types` that it needs.

    :raises ModelRefused: the entry is not valid, the archive needs a type without permission, or the estimator fails its trial.
    """

    BLOB = "skops"

    def __init__(self, file: "ModelFile") -> None:
        spec = file.document.get(self.KEY)
        listed = spec.get("types") if isinstance(spec, dict) else None
        if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
            raise ModelRefused("the file does not list the types that its estimator needs")
        super().__init__(file, restore(_foreign.blob(file, self.BLOB), listed))


def restore(data: bytes, listed: "list[str]") -> "Any":
    """Make the estimator in a skops archive, if it needs listed types only and all of them are permitted here.

    :raises ModelRefused: a type is not listed or not permitted, a tree is damaged, some texts could take a token pattern very
        long, or the bytes are not a skops archive.
    :raises ImportError: the estimator needs a library that is not installed.
    """
    nodes = [*_walk(_opened(data))]
    try:
        _check_types(nodes, listed)
        for node in nodes:
            _check_content(node)
        estimator = nodes[0].construct()
        objects = [node.construct() for node in nodes if type(node).__name__ == "ObjectNode"]
        check_ensembles(objects)
        _check_patterns(objects)
    except (ModelRefused, ImportError):
        raise
    except Exception as error:  # a damaged archive can fail anywhere
        raise ModelRefused(f"the estimator in the file can't be restored: {type(error).__name__}") from error
    if not hasattr(estimator, "predict") and not hasattr(estimator, "transform"):
        raise ModelRefused(f"the file holds a {type(estimator).__name__}, which is not an estimator")
    return estimator


def types_of(data: bytes) -> "list[str]":
    """Return the types that an archive needs, without those that skops itself trusts."""
    return sorted(_opened(data).get_unsafe_set())


def _opened(data: bytes) -> "Any":
    """Return the root of the archive's nodes; nothing has been made of them yet.

    :raises ModelRefused: the bytes are not a skops archive, or it is too large, or a name in it can't be imported.
    """
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
    except ImportError as error:  # a name in the archive can't be imported; skops itself could
        raise ModelRefused(f"the estimator can't be read: {preview(str(error))}") from error
    except (Exception, RecursionError) as error:
        raise ModelRefused(f"this is not a skops archive: {type(error).__name__}") from error


def _walk(node: "Any") -> "Iterator[Any]":
    """Yield a node and all nodes below it, each once."""
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
    """Check that every type is listed, and trusted by skops, known here, or permitted by the deployment's settings.

    :raises ModelRefused: a type is not; the next step names the setting that would permit it.
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
        listing = "; ".join(f"{name}, {reason}" for name, reason in refused.items())
        setting = f"FLYWEIGHT_TRUSTED_TYPES={','.join(refused)}"
        next_step = f"set {setting} if you trust the maker of the file"
        raise ModelRefused(f"the estimator needs {listing}: only if you trust the maker of this file, set {setting}", next_step)


def _why_not(name: str, classes: "set[str]", running: "set[str]") -> str:
    """Return why this type may not be made without permission; "" if it may."""
    if name in NAMES:
        return ""
    if not name.startswith(PACKAGES):
        return "of a package that is not known here"
    if name in running or name not in classes:
        return "which is code"
    if name not in (TREE, HISTOGRAM_TREE) and not _is_plain_class(name):
        return "whose compiled code follows indices without checking them"
    return ""


def _is_plain_class(name: str) -> bool:
    """Say whether the class and all its bases are written in Python, or are Python's own containers."""
    module, _, attribute = name.rpartition(".")
    cls = getattr(__import__(module, fromlist=[attribute]), attribute, None)
    bases = cls.__mro__ if isinstance(cls, type) else (int,)
    return isinstance(cls, type) and all(
        base.__flags__ & (1 << 9) or base.__module__ in ("builtins", "collections") for base in bases
    )


def _check_patterns(objects: "list[Any]") -> None:
    """Check the token patterns of vectorizers, as a plan's are checked.

    :raises ModelRefused: a pattern is not proved to read a text once.
    """
    for each in objects:
        pattern = getattr(each, "token_pattern", None)
        if isinstance(pattern, str) and getattr(each, "analyzer", "word") == "word":
            from flyweight.ops._words import pattern_steps

            try:
                pattern_steps(pattern)
            except ValueError as error:
                reason = f"the token_pattern {preview(pattern)} of {type(each).__name__} {error}"
                raise ModelRefused(f"{reason}, so that some texts could take very long") from None


def _check_content(node: "Any") -> None:
    """Check a tree's arrays, or a sparse matrix's indices, before compiled code follows them.

    :raises ModelRefused: the tree is damaged, or stored in an unknown form.
    :raises ValueError: the matrix is damaged.
    """
    name = f"{node.module_name}.{node.class_name}"
    kind = type(node).__name__
    if kind == "TreeNode":
        check_tree(node.args.construct(), node.attrs.construct())
    elif kind == "ObjectNode" and name == TREE:
        raise ModelRefused("a tree is stored in a form that is not known here")
    elif kind == "SparseMatrixNode":
        matrix = node.construct()
        if hasattr(matrix, "check_format"):  # other forms are checked when they are made
            matrix.check_format(full_check=True)
    elif kind == "ObjectNode" and name == HISTOGRAM_TREE:
        check_histogram_tree(node.attrs.construct() if node.attrs is not None else None)
