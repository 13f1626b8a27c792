"""Fill missing values, or flag them."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

HUGE = 2.0**1023


class Fill:
    """Each missing value replaced by the column's `fill` (SimpleImputer).

    Null (NaN among numbers) is missing in the columns that `nulls` marks; the value `missing`, unless it is null, in all.

    :raises ModelRefused: `fill`, `nulls` or `missing` has a wrong length or type, or a number too large for a double.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = node.only_input()
        fills = node.items("fill", (int, float, str), len(self.kinds))
        for kind, fill in zip(self.kinds, fills, strict=True):
            node.expect((kind == "s") == isinstance(fill, str), "'fill' has a string among numbers, or a number among strings")
            node.expect(isinstance(fill, str) or abs(fill) < HUGE, "'fill' has a number too large for a double")
        self._fill = [fill if isinstance(fill, str) else float(fill) for fill in fills]
        self._nulls = node.items("nulls", (bool,), len(self.kinds))
        self._missing = _marker(node)
        self._usual = all(self._nulls) and self._missing is None
        self._numbers = "s" not in self.kinds

    def row(self, x: "list[Any]") -> "list[Any]":
        """Return the values, filled."""
        if self._usual:
            if self._numbers and (whole := sum(x)) == whole:  # with a NaN among them the sum is NaN
                return [*x]
            return [f if v != v or v is None else v for v, f in zip(x, self._fill)]  # noqa: B905 - strict=True takes a third longer
        flags = _missing(x, self._nulls, self._missing)
        return [f if flag else v for v, f, flag in zip(x, self._fill, flags, strict=True)]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        return np.where(_all_missing(x, self._nulls, self._missing), np.array(self._fill, dtype=x.dtype), x)

    @property
    def arrays(self) -> "tuple[Any, ...]":
        """Get the numbers to fill in, and the columns where null is missing."""
        import numpy as np

        return np.array(self._fill, dtype=float), np.array(self._nulls, dtype=bool)

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows of numbers in the namespace `xp`."""
        fill, nulls = arrays
        return xp.where(_absent(x, nulls, self._missing), fill, x)


class Flag:
    """1.0 where the value at one of `positions` is missing, else 0.0 (SimpleImputer's indicator).

    :raises ModelRefused: a position is out of range, or `nulls` or `missing` has a wrong length or type.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self._columns = node.positions("positions", len(node.only_input()))
        self.kinds = "n" * len(self._columns)
        self._nulls = node.items("nulls", (bool,), len(self._columns))
        self._missing = _marker(node)
        self._usual = all(self._nulls) and self._missing is None

    def row(self, x: "list[Any]") -> "list[float]":
        """Return one flag a position."""
        picked = [x[column] for column in self._columns]
        if self._usual:
            return [1.0 if v != v or v is None else 0.0 for v in picked]
        return [1.0 if flag else 0.0 for flag in _missing(picked, self._nulls, self._missing)]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        return _all_missing(x[:, self._columns], self._nulls, self._missing).astype(float)

    @property
    def arrays(self) -> "tuple[Any, ...]":
        """Get the positions, and the columns where null is missing."""
        import numpy as np

        return np.array(self._columns, dtype=np.int64), np.array(self._nulls, dtype=bool)

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows of numbers in the namespace `xp`."""
        columns, nulls = arrays
        return xp.astype(_absent(xp.take(x, columns, axis=1), nulls, self._missing), xp.float64)


def _marker(node: "Node") -> "Any":
    """Return the value that stands for a missing one; None where only null does.

    :raises ModelRefused: it is not one number, string or null, or too large for a double.
    """
    (marker,) = node.items("missing", (int, float, str, type(None)), 1)
    node.expect(not isinstance(marker, int) or abs(marker) < HUGE, "'missing' is a number too large for a double")
    return marker


def _missing(x: "list[Any]", nulls: "list[bool]", missing: "Any") -> "list[bool]":
    """Return one flag a value: whether it is missing."""
    return [null if v is None or v != v else missing is not None and v == missing for v, null in zip(x, nulls, strict=True)]


def _all_missing(x: "Any", nulls: "list[bool]", missing: "Any") -> "Any":
    """Return the flags of all rows of an array."""
    import numpy as np

    absent = x != x if x.dtype == float else (x != x) | np.equal(x, None)
    return (absent & np.array(nulls, dtype=bool)) | (False if missing is None else x == missing)


def _absent(x: "Any", nulls: "Any", missing: "Any") -> "Any":
    """Return the flags of all rows of an array of numbers, in the array's own namespace."""
    flags = (x != x) & nulls
    return flags | (x == float(missing)) if isinstance(missing, (int, float)) else flags


OPS = {"fill": Fill, "flag": Flag}
