"""What stands in for the values of a pickle that is read without being run: texts and lists, and nothing that can act."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_MOST_AXES = 64  # of numpy's arrays
_MOST_NAMES = 200  # of one object's attributes, so that a state that many objects share is not read over and over


def printable(text: str) -> str:
    """A text of the file as it may be shown: what a terminal would obey, or can't encode, is spelt out."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


@dataclass(frozen=True, slots=True)
class Global:
    """A class or function that the pickle names: two texts, and nothing behind them."""

    module: str
    name: str

    def __str__(self) -> str:
        return printable(f"{self.module}.{self.name}")

    @property
    def package(self) -> str:
        """The module's first part."""
        return self.module.partition(".")[0]


class Node:
    """A container, an array, or an object that was to be made: kind, class, arguments, items (of a dict: key, value, ...), state.

    Kinds: list, tuple, dict, set, frozenset, object, array. The arguments of an array are its shape.
    """

    __slots__ = ("args", "cls", "items", "kind", "state")

    def __init__(self, kind: str, items: list[Any] | None = None, cls: Global | None = None, args: Any = None) -> None:
        self.kind, self.items, self.cls, self.args = kind, items, cls, args
        self.state: Any = None

    def attributes(self) -> dict[str, Any]:
        """The object's state by name, as far as it has names; that of slots included."""
        states = (self.state.items or [])[:2] if isinstance(self.state, Node) and self.state.kind == "tuple" else [self.state]
        found: dict[str, Any] = {}
        for state in states:
            if isinstance(state, Node) and state.kind == "dict" and state.items:
                items = state.items[: 2 * _MOST_NAMES]
                found.update((k, v) for k, v in zip(items[::2], items[1::2], strict=False) if type(k) is str)
        return found

    def inside(self) -> Iterator[Any]:
        """All that it holds, one level down."""
        yield from self.items or ()
        yield from (self.args, self.state)


_MAKERS = {("copyreg", "_reconstructor"), ("copyreg", "__newobj__"), ("copyreg", "__newobj_ex__")}


def class_of(node: Any) -> Global | None:
    """The class of an object, also where a function of `copyreg` or of Cython was to make it of its class; None if unknown."""
    if not isinstance(node, Node) or node.kind != "object" or node.cls is None:
        return None
    if (node.cls.module, node.cls.name) in _MAKERS or node.cls.name.startswith("__pyx_unpickle_"):
        first = node.args.items[0] if isinstance(node.args, Node) and node.args.items else None
        return first if isinstance(first, Global) else None
    return node.cls


def item(dtype: Any) -> tuple[int, bool]:
    """The size in bytes of an item of this dtype, and whether items are objects.

    numpy pickles a dtype as a call of `numpy.dtype` with its letter and size, and as its state (version, order, subdtype, names,
    fields, size or -1, alignment, flags, ...), see `arraydescr_reduce` in its descriptor.c.

    :raises ValueError, TypeError: it is no such thing.
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


def count(shape: list[Any]) -> int:
    """The number of items of an array of this shape.

    :raises ValueError: numpy has no such shape.
    """
    if len(shape) > _MOST_AXES or not all(type(size) is int and 0 <= size < 2**63 for size in shape):
        raise ValueError("an array has a shape that numpy does not know")
    return math.prod(shape)
