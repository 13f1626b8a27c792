"""Round numbers to float32, in which some libraries compare and add.

Python's `array` does that in one call, but its import takes a fifth of a forest's cold start: it imports `collections`.
"""

from _struct import pack, unpack


def rounded(values: "list[float]") -> "list[float]":
    """Round each number to float32; one beyond its range becomes infinite."""
    form = f"{len(values)}f"
    try:
        return [*unpack(form, pack(form, *values))]
    except OverflowError:  # from Python 3.14 on, of a number beyond the range
        from array import array

        return array("f", values).tolist()
