"""Missing values: filled, or told."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class Fill:
    """Each missing value replaced by the column's `fill` (SimpleImputer).

    Missing is null (NaN among numbers), and also the value `missing` where that is not null.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = node.only_input()
        self._fill = node.list("fill", (int, float, str), len(self.kinds))
        for kind, fill in zip(self.kinds, self._fill, strict=True):
            node.expect((kind == "s") == isinstance(fill, str), "'fill' has a string among numbers, or a number among strings")
        self._missing = node.list("missing", (int, float, str, type(None)), 1)[0]

    def row(self, x: "list[Any]") -> "list[Any]":
        """The values, none missing."""
        missing = self._missing
        if missing is None:
            return [f if v is None or v != v else v for v, f in zip(x, self._fill, strict=True)]
        return [f if v is None or v != v or v == missing else v for v, f in zip(x, self._fill, strict=True)]


class Flag:
    """1.0 where the value at one of `columns` is missing, 0.0 elsewhere (SimpleImputer's indicator)."""

    exact = True

    def __init__(self, node: "Node") -> None:
        self._columns = node.positions("columns", len(node.only_input()))
        self.kinds = "n" * len(self._columns)
        self._missing = node.list("missing", (int, float, str, type(None)), 1)[0]

    def row(self, x: "list[Any]") -> "list[float]":
        """The flags."""
        missing = self._missing
        picked = [x[column] for column in self._columns]
        return [1.0 if v is None or v != v or (missing is not None and v == missing) else 0.0 for v in picked]


OPS = {"fill": Fill, "flag": Flag}
