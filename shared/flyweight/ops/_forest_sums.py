"""Add the values of the leaves that masks find, in the order of the trees; made when a forest has become masks."""

from _operator import mul
from itertools import chain
from math import copysign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.ops._forest_masks import Masks

    Added = Callable[[list[float], bool], list[float]]  # takes a row, and whether no value is missing

FEW = 32  # different leaves of a forest, such as the classes of trees whose leaves are pure
LINES = 200  # of code; 2 ms to compile them on Python 3.13


def made(masks: "Masks", columns: "list[Any]", base: "list[float]", targets: "list[int] | None") -> "Added | None":
    """Make what adds the leaves of a row to `base`, bit for bit as one addition after the other does.

    :param columns: the values of the leaves, one column an output or one for all.
    :param targets: the output of each tree, if there is one column.
    :returns: None if plain loops are as fast.
    """
    trees = len(masks.numbers)
    if targets is None and masks.leaf_count <= FEW and _whole(columns, base):
        return _counted(masks, columns, base)
    if trees * (1 if targets is not None else len(columns)) <= LINES:
        return _compiled(masks, columns, base, targets)
    return None


def _whole(columns: "list[Any]", base: "list[float]") -> bool:
    """Tell whether all values are small whole numbers, whose sums are exact in any order and never -0.0."""
    small = all([value.is_integer() and abs(value) < 2**31 for value in chain(base, *columns)])
    return small and all([value != 0.0 or copysign(1.0, value) > 0.0 for value in base])


def _counted(masks: "Masks", columns: "list[Any]", base: "list[float]") -> "Added":
    """Multiply the values of each different leaf by the number of trees that end in it."""
    pairs = [*zip(columns, base, strict=True)]

    def added(x: "list[float]", finite: bool) -> "list[float]":
        votes = masks.votes(x, finite)
        return [first + sum(map(mul, column, votes)) for column, first in pairs]

    return added


def _compiled(masks: "Masks", columns: "list[Any]", base: "list[float]", targets: "list[int] | None") -> "Added":
    """Write the additions as code, one a line; the code consists of numbered names alone (docs/decisions/0032)."""
    scope: dict[str, Any] = {}
    lines = []
    for tree, numbers in enumerate(masks.numbers):
        for output, column in enumerate(columns):
            scope[f"t{tree}_{output}"] = [column[number] for number in numbers]
            lines.append(f"    y{output if targets is None else targets[tree]} += t{tree}_{output}[p{tree}]")
    places = "".join([f"p{tree}, " for tree in range(len(masks.numbers))])
    sums = "".join([f"y{output}, " for output in range(len(base))])
    code = "\n".join(["def add(places, base):", f"    {places}= places", f"    {sums}= base", *lines, f"    return [{sums}]"])
    exec(compile(code, "<trees>", "exec"), scope)
    add = scope["add"]

    def added(x: "list[float]", finite: bool) -> "list[float]":
        return add(masks.places(x, finite), base)  # type: ignore[no-any-return]

    return added
