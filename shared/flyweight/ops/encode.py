"""Encode categories as numbers: one table a column, looked up by value."""

from _operator import getitem

from flyweight.errors import Fault, InvalidInput, preview
from flyweight.ops import MAX_WIDTH, rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from flyweight.ops import Node

REFUSE = "refuse"
HUGE = 2.0**1023


class _Tables:
    """The tables of an encoder: for each column its categories, their codes, and the codes of missing and unseen values.

    A code is a number, "nan" for NaN, which JSON can't hold, or "refuse" to refuse the row.

    :raises ModelRefused: the lists differ in length, or a category or code has another type.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        width = len(node.only_input())
        categories = node.items("categories", (list,), width)
        codes = node.items("codes", (list,), width)
        self._names = node.items("names", (str,), width)
        node.takes_usual(0)
        node.takes(512 * width)  # to read the tables of a column
        self._columns: list[tuple[dict[Any, Any], Any, Any]] = []
        self._known: list[dict[Any, Any]] = []  # the tables alone, for each subclass to fill
        unseen, missing = (node.items(key, (int, float, str), width) for key in ("unseen", "missing"))
        for seen, numbers, other, absent in zip(categories, codes, unseen, missing, strict=True):
            node.expect(len(seen) == len(numbers), "a column has more categories than codes, or fewer")
            node.expect(all(type(c) in (str, int, float) for c in seen), "a category is neither a string nor a number")
            node.expect(all(type(n) in (int, float) for n in numbers), "a code is not a number")
            for code in (other, absent):
                if isinstance(code, str) and code not in ("nan", REFUSE):
                    raise node.refuse(f"{preview(code)} is not a code")
            self._columns.append((dict(zip(seen, numbers, strict=True)), _number(other), _number(absent)))

    def codes(self, x: "list[Any]") -> "list[Any]":
        """Return each value's code.

        :raises InvalidInput: a value is missing or unseen, and its column refuses such values.
        """
        try:
            return [*map(getitem, self._known, x)]
        except KeyError:  # a value is missing or unseen
            return self._all_codes(x)

    def _all_codes(self, x: "list[Any]") -> "list[Any]":
        codes = []
        for position, (value, (table, unseen, missing)) in enumerate(zip(x, self._columns, strict=True)):
            code = table.get(value)
            if code is None:
                code = missing if value is None or value != value else unseen
                if code is REFUSE:
                    self._refuse(position, value)
            codes.append(code)
        return codes

    def batch_codes(self, x: "Any") -> "list[list[Any]]":
        """Return a list of codes a column, for all rows of an array.

        :raises InvalidInput: a value is missing or unseen, and its column refuses such values.
        """
        columns = []
        for values, (table, unseen, missing) in zip(x.T.tolist(), self._columns, strict=True):
            others = {*values} - table.keys()
            codes = {value: missing if value is None or value != value else unseen for value in others}
            if REFUSE in codes.values():
                raise InvalidInput
            columns.append([*map({**table, **codes}.__getitem__ if others else table.__getitem__, values)])
        return columns

    def _refuse(self, position: int, value: "Any") -> "NoReturn":
        """Refuse a value that its column does not know.

        :raises InvalidInput: always; the fault lists the known categories.
        """
        categories = [*self._columns[position][0]]
        expected = ", ".join(preview(category) for category in categories[:10])
        more = f" and {len(categories) - 10} more" if len(categories) > 10 else ""
        shown = preview(None if value is None or value != value else value)
        raise InvalidInput(Fault(f"one of {expected}{more}", shown, feature=self._names[position]))


def _number(code: "Any") -> "Any":
    return REFUSE if code == REFUSE else float("nan") if code == "nan" else code


class Ordinal(_Tables):
    """One code a column (OrdinalEncoder).

    :raises ModelRefused: a table is not valid, or a code is too large for a double.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        for position, (table, *others) in enumerate(self._columns):
            codes = [*table.values(), *others]
            node.expect(all(code is REFUSE or not abs(code) > HUGE for code in codes), "a code is too large for a double")
            floats = [code if code is REFUSE else float(code) for code in codes]
            self._columns[position] = (dict(zip(table, floats, strict=False)), floats[-2], floats[-1])
        self._known = [table for table, _, _ in self._columns]
        self.kinds = "n" * len(self._columns)

    def row(self, x: "list[Any]") -> "list[float]":
        """Return one code a column.

        :raises InvalidInput: a value is missing or unseen, and its column refuses such values.
        """
        return self.codes(x)

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        return np.array(self.batch_codes(x), dtype=float).reshape(x.shape[1], len(x)).T


class OneHot(_Tables):
    """A block of zeros a column, with 1.0 at the category's code; the code -1 leaves the block all zeros (OneHotEncoder).

    :raises ModelRefused: a table is not valid, a code is out of its block, or the blocks are too wide.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        widths = node.positions("widths", MAX_WIDTH)
        node.expect(len(widths) == len(self._columns), "'widths' and the columns differ in number")
        start, self._blocks = 0, []
        for position, (width, (table, unseen, missing)) in enumerate(zip(widths, self._columns, strict=True)):
            for code in (*table.values(), unseen, missing):
                if not (code is REFUSE or (type(code) is int and -1 <= code < width)):
                    raise node.refuse(f"code {preview(code)} is out of its block")
            shifted = {category: _shift(code, start) for category, code in table.items()}
            self._columns[position] = (shifted, _shift(unseen, start), _shift(missing, start))
            self._blocks.append((start, start + width))
            start += width
        node.expect(start <= MAX_WIDTH, f"wider than {MAX_WIDTH} columns")
        self._known = [table for table, _, _ in self._columns]
        self.kinds = "n" * start
        self._zeros = [0.0] * start

    def row(self, x: "list[Any]") -> "list[float]":
        """Return the blocks, one after the other.

        :raises InvalidInput: a value is missing or unseen, and its column refuses such values.
        """
        y = self._zeros.copy()
        for code in self.codes(x):
            if code >= 0:
                y[code] = 1.0
        return y

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        y, rows = np.zeros((len(x), len(self.kinds))), np.arange(len(x))
        for column in self.batch_codes(x):
            codes = np.array(column)
            known = codes >= 0
            y[rows[known], codes[known]] = 1.0
        return y

    arrays = ()

    def prepared(self, x: "Any") -> "Any":
        """Return the codes of all rows, one column a column, each the number of an output or -1."""
        import numpy as np

        return np.array(self.batch_codes(x), dtype=np.int64).reshape(x.shape[1], len(x)).T

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", codes: "Any") -> "Any":
        """Answer all rows of codes in the namespace `xp`."""
        parts = [codes[:, c : c + 1] == xp.arange(start, end)[None, :] for c, (start, end) in enumerate(self._blocks)]
        return xp.astype(xp.concat(parts, axis=1), xp.float64)


def _shift(code: "Any", start: int) -> "Any":
    return code + start if type(code) is int and code >= 0 else code


class Rows(_Tables):
    """A block of numbers a column: the row of its table at the category's code.

    `values` has the rows of all tables, one after the other: `heights` rows of `widths` numbers for each column.

    :raises ModelRefused: a table is not valid, a code is not one of its rows, or the blocks are too wide.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        widths, heights = node.positions("widths", MAX_WIDTH), node.positions("heights", MAX_WIDTH)
        node.expect(len(widths) == len(heights) == len(self._columns), "'widths' or 'heights' and the columns differ in number")
        node.expect(sum(widths) <= MAX_WIDTH, f"wider than {MAX_WIDTH} columns")
        sizes = [width * height for width, height in zip(widths, heights, strict=True)]
        values, start = node.floats("values", sum(sizes)), 0
        for position, (table, unseen, missing) in enumerate(self._columns):
            for code in (*table.values(), unseen, missing):
                if not (code is REFUSE or (type(code) is int and 0 <= code < heights[position])):
                    raise node.refuse(f"code {preview(code)} is not a row of its table")
            end = start + sizes[position]
            rows: dict[Any, Any] = dict(enumerate(rows_of(values[start:end], heights[position], widths[position])))
            rows[REFUSE] = REFUSE
            known = {category: rows[code] for category, code in table.items()}
            self._columns[position] = (known, rows[unseen], rows[missing])
            start = end
        self._known = [table for table, _, _ in self._columns]
        self._widths = widths
        self.kinds = "n" * sum(widths)

    def row(self, x: "list[Any]") -> "list[float]":
        """Return the blocks, one after the other.

        :raises InvalidInput: a value is missing or unseen, and its column refuses such values.
        """
        return [value for block in self.codes(x) for value in block]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        columns = zip(self.batch_codes(x), self._widths, strict=True)
        blocks = [np.array(column, dtype=float).reshape(len(x), width) for column, width in columns]
        return np.concatenate([np.empty((len(x), 0)), *blocks], axis=1)


OPS = {"ordinal": Ordinal, "one_hot": OneHot, "rows": Rows}
