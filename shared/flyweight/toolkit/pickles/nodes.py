"""Stand-ins for the values of a pickle that is read without being run: they hold texts and lists, and no code."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_MAX_AXES = 64  # of numpy's arrays
_MAX_ATTRIBUTES = 200  # that are read of one object, since many objects may share one large state


def printable(text: str) -> str:
    """Escape the characters of a text that a terminal would obey or can't encode."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


@dataclass(frozen=True, slots=True)
class Global:
    """The name of a class or function in a pickle: module and name, which are never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return printable(f"{self.module}.{self.name}")

    @property
    def package(self) -> str:
        """The top-level package of the module."""
        return self.module.partition(".")[0]


class Node:
    """A container, an array, or an object that `pickle` would make.

    :param kind: list, tuple, dict, set, frozenset, object or array.
    :param items: the items of a container; of a dict its keys and values in turns.
    :param cls: the class or function that would make the object; None if it is unknown.
    :param args: the arguments of that call; of an array its shape.

    `state` is what the object would be filled with.
    """

    __slots__ = ("args", "cls", "items", "kind", "state")

    def __init__(self, kind: str, items: list[Any] | None = None, cls: Global | None = None, args: Any = None) -> None:
        self.kind, self.items, self.cls, self.args = kind, items, cls, args
        self.state: Any = None

    def attributes(self) -> dict[str, Any]:
        """Read the parts of the object's state that have names, slots included."""
        states = (self.state.items or [])[:2] if isinstance(self.state, Node) and self.state.kind == "tuple" else [self.state]
        attributes: dict[str, Any] = {}
        for state in states:
            if isinstance(state, Node) and state.kind == "dict" and state.items:
                items = state.items[: 2 * _MAX_ATTRIBUTES]
                attributes.update((k, v) for k, v in zip(items[::2], items[1::2], strict=False) if type(k) is str)
        return attributes

    def inside(self) -> Iterator[Any]:
        """Iterate over everything that it holds, one level down."""
        yield from self.items or ()
        yield from (self.args, self.state)


_MAKERS = {("copyreg", "_reconstructor"), ("copyreg", "__newobj__"), ("copyreg", "__newobj_ex__")}


def class_of(node: Any) -> Global | None:
    """Find the class of an object, also if a function of `copyreg` or of Cython would make it; None if it is unknown."""
    if not isinstance(node, Node) or node.kind != "object" or node.cls is None:
        return None
    if (node.cls.module, node.cls.name) in _MAKERS or node.cls.name.startswith("__pyx_unpickle_"):
        first = node.args.items[0] if isinstance(node.args, Node) and node.args.items else None
        return first if isinstance(first, Global) else None
    return node.cls


def item_size(dtype: Any) -> tuple[int, bool]:
    """Read a dtype of numpy.

    numpy pickles a dtype as a call of `numpy.dtype` with its letter and size, and as its state (version, order, subdtype, names,
    fields, size or -1, alignment, flags, ...), see `arraydescr_reduce` in its descriptor.c.

    :returns: the size of an item in bytes, and whether items are objects.
    :raises ValueError, TypeError: it is not a dtype that is pickled in this way.
    """
    if not isinstance(dtype, Node) or str(dtype.cls) != "numpy.dtype":
        raise ValueError("an array is of a dtype that only numpy itself can read")
    text: str = dtype.args.items[0]
    state: list[Any] = (dtype.state.items or []) if isinstance(dtype.state, Node) else []
    size, flags = state[5:6], state[7:8]
    if text[0] == "O" or (flags and flags[0] & 1):  # NPY_ITEM_REFCOUNT
        return 0, True
    if size and size[0] >= 0:
        return int(size[0]), False
    return int(text[1:]), False


def item_count(shape: list[Any]) -> int:
    """Count the items of an array of this shape.

    :raises ValueError: it is not a shape that numpy knows.
    """
    if len(shape) > _MAX_AXES or not all(type(size) is int and 0 <= size < 2**63 for size in shape):
        raise ValueError("an array has a shape that numpy does not know")
    return math.prod(shape)
