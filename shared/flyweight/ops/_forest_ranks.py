"""Turn the values of rows into whole numbers that compare with a forest's thresholds as the values do.

A value's code is the number of its column's thresholds that lie below it, and a threshold's rank is its place among them,
counted from 1: `x > threshold` where `code >= rank`. Most codes fit one byte. A code is found without a search through all
thresholds: a grid over a column's range says how many of them lie below each of its cells, and only those of one cell are
compared. The place in the grid never goes down where values go up, however it is rounded, so that the codes are exact.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from flyweight.ops._forest_layout import Layout

    Array = np.ndarray[Any, Any]

CELLS = 2048  # of a column's grid, but 2 a threshold at least and 32 at most
MOST = 1 << 22  # cells of a column: float32 counts no further than 1 << 24
VALUES = 32_768  # at a time


class Ranks:
    """The ranks of the thresholds of trees: `rank` of each node's threshold, and `row`, which of the rows of `codes` it compares.

    A feature has two such rows where missing values go left at some of its splits, and right at others. `top` is the largest
    code.
    """

    def __init__(self, layout: "Layout") -> None:
        import numpy as np

        self._layout = layout
        inner = np.flatnonzero(~layout.is_leaf)
        column, threshold = layout.column[inner], layout.threshold[inner]
        key = 2 * column + layout.missing[inner]
        is_met = np.bincount(key) > 0
        rows, row = np.flatnonzero(is_met), np.cumsum(is_met)[key] - 1
        order = np.lexsort((threshold, column))
        column, threshold = column[order], threshold[order]
        is_first = np.append(True, column[1:] != column[:-1])[: len(order)]
        is_new = is_first | np.append(True, threshold[1:] != threshold[:-1])[: len(order)]
        columns, starts = column[is_first], np.flatnonzero(is_first[is_new])
        place = np.cumsum(is_new) - 1
        lowest = int(np.isnan(threshold).any())  # every number goes right there: such a threshold lies below all
        rank = place + 1 + lowest - np.repeat(starts, np.diff(np.append(np.flatnonzero(is_first), len(order))))
        rank[np.isnan(threshold)] = lowest
        self.top = int(rank.max(initial=1))
        self.type = np.min_scalar_type(self.top)
        self.rank, self.row = np.zeros(len(layout.child), self.type), np.zeros(len(layout.child), np.int32)
        self.rank[inner[order]], self.row[inner] = rank, row
        self.count = max(1, len(rows))
        self._features = columns[columns < layout.width]
        compared, count = rows >> 1, len(self._features)
        # of each row, among the features and behind them all categorical splits, also such as no node of a damaged tree leads to
        self._source: Array = np.where(
            compared < layout.width, np.searchsorted(self._features, compared), count + compared - layout.width
        )
        self._fill = np.where(rows & 1, 0, self.top).astype(self.type)[:, None]  # for missing values
        self._lowest = lowest
        self._lay_grids(threshold[is_new], starts, count)

    def _lay_grids(self, distinct: "Array", starts: "Array", count: int) -> None:
        """Lay a grid over the thresholds of each of the first `count` columns.

        :param distinct: the thresholds of each column, rising; those that are no number are last.
        :param starts: where each column's begin.
        """
        import numpy as np

        ends = np.append(starts, len(distinct))
        size, starts, distinct = np.diff(ends)[:count], starts[:count], distinct[: ends[count]]
        limit = np.finfo(distinct.dtype).max
        cells = np.minimum(np.clip(CELLS, 2 * size, 32 * size), MOST)
        low, high = np.clip(distinct[starts], -limit, limit), np.clip(distinct[starts + size - 1], -limit, limit)
        with np.errstate(all="ignore"):
            scale = cells.astype(distinct.dtype) / (high - low)
        scale[~np.isfinite(scale)] = 0.0
        self._grid = [values[:, None] for values in (low, scale, cells.astype(distinct.dtype))]
        first = np.cumsum(cells + 1) - cells - 1  # cell of each column
        own = np.repeat(np.arange(count), size)
        met = np.bincount(first[own] + self._cells(distinct[:, None], own)[:, 0], minlength=int((cells + 1).sum()))
        most = np.maximum.reduceat(met, first) if count else first
        self._steps = np.array([int(number).bit_length() for number in most], dtype=int)
        pads = 1 << self._steps  # a search may look beyond the last threshold, but not into the next column
        shift = np.cumsum(pads) - pads
        self._first, self._begin = first[:, None], (starts + shift)[:, None]
        self._below = np.cumsum(met) - met + np.repeat(shift, cells + 1)
        self._distinct = np.full(len(distinct) + int(pads.sum()), np.inf, dtype=distinct.dtype)
        self._distinct[np.arange(len(distinct)) + shift[own]] = distinct

    def _cells(self, values: "Array", columns: "Array") -> "Array":
        """Return the cell of each value in the grid of its column, of shape (columns, rows)."""
        import numpy as np

        low, scale, cells = [part[columns] for part in self._grid]
        with np.errstate(all="ignore"):
            place = values - low
            place *= scale
        np.fmax(place, 0.0, out=place)  # also in place of NaN
        np.minimum(place, cells, out=place)
        return place.astype(np.intp)

    def codes(self, x: "Array") -> "Array":
        """Return the codes of these rows of values, of shape (`count`, rows)."""
        import numpy as np

        codes = np.zeros((self.count, len(x)), dtype=self.type)
        if not len(self._source):  # no tree has a split
            return codes
        features = len(self._features)
        values = np.ascontiguousarray(x.take(self._features, axis=1).T, dtype=self._layout.dtype)
        found = np.empty((features + self._layout.splits, len(x)), dtype=self.type)
        at_once = max(1, VALUES // len(x))
        for steps in np.unique(self._steps).tolist():
            columns = np.flatnonzero(self._steps == steps)
            for part in [columns[at : at + at_once] for at in range(0, len(columns), at_once)]:
                found[part] = self._search(values[part], part, steps)
        if self._layout.splits:
            found[features:] = self._layout.rights(x)
            found[features:] += self.type.type(self._lowest)
        found.take(self._source, axis=0, out=codes, mode="clip")
        is_missing = np.isnan(values)
        if is_missing.any():
            numeric = np.flatnonzero(self._source < features)
            for row, column in zip(numeric.tolist(), self._source[numeric].tolist(), strict=True):
                codes[row, is_missing[column]] = self._fill[row]
        return codes

    def _search(self, values: "Array", columns: "Array", steps: int) -> "Array":
        """Return the codes of values of these columns, in whose cells lie less than `1 << steps` thresholds."""
        import numpy as np

        cell = self._cells(values, columns)
        cell += self._first[columns]
        place: Array = self._below.take(cell, mode="wrap")
        for step in range(steps - 1, -1, -1):
            is_below = self._distinct.take(place + ((1 << step) - 1) if step else place, mode="wrap") < values
            place += np.left_shift(is_below, step, dtype=np.intp) if step else is_below
        place -= self._begin[columns] - self._lowest
        return place
