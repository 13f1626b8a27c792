"""Read a Parquet file in batches, a row group at a time, with pyarrow if it is installed."""

# imports late: pyarrow

import io

from flyweight.errors import FlyweightError, MalformedRequest, UnsupportedMediaType
from flyweight.files.batches import Batch, order_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from flyweight.files.batches import Position
    from flyweight.models.signature import Feature

READ_AHEAD = 1 << 20  # bytes that are read at least at a time


def parquet_batches(
    read: "Callable[[int, int], bytes]", length: int, features: "list[Feature]", position: "Position", rows: int
) -> "Iterator[Batch]":
    """Read batches of instances in the signature's order; a row's line is its number, from 1.

    A row group is read from its start; the batches before the position are skipped.

    :param read: `read(start, size)` gets bytes of the file.
    :param length: of the file, in bytes.
    :param position: where the first batch begins.
    :param rows: how many rows a batch has at most.
    :raises UnsupportedMediaType: pyarrow is not installed.
    :raises MalformedRequest: the file is not Parquet.
    :raises InvalidInput: the columns are not the features of the signature.
    """
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise UnsupportedMediaType("Parquet needs pyarrow, which is not installed here") from None
    raw = _RangeFile(read, length)
    try:
        file = ParquetFile(raw, pre_buffer=False)
        order = order_of(file.schema_arrow.names, features)
        line = position.get("line", 1)
        for group in range(position.get("group", 0), file.num_row_groups):
            done = position.get("done", 0) if group == position.get("group") else 0
            for number, batch in enumerate(file.iter_batches(batch_size=rows, row_groups=[group], use_threads=False)):
                if number < done:
                    continue
                instances = [*map(list, zip(*[batch.column(index).to_pylist() for index, _ in order], strict=True))]
                lines = [*range(line, line + len(instances))]
                line += len(instances)
                yield Batch(instances, lines, [], [], {"group": group, "done": number + 1, "line": line}, {})
    except (ArrowException, OSError) as error:
        if raw.error is not None:
            raise raw.error from None
        raise MalformedRequest(f"the file is not Parquet: {str(error)[:200]}") from None


class _RangeFile(io.RawIOBase):
    """A file that gets its bytes by a function; `error` is what that function raised."""

    def __init__(self, read: "Callable[[int, int], bytes]", length: int) -> None:
        self._read, self._length = read, length
        self._place, self._start, self._data = 0, 0, b""
        self.error: Exception | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = offset + (0, self._place, self._length)[whence]
        return self._place

    def readinto(self, buffer: "Any") -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, or all that are left.

        :raises OSError: the bytes can't be got; pyarrow passes on no other kind of error.
        """
        size = self._length - self._place if size < 0 else max(min(size, self._length - self._place), 0)
        begin = self._place - self._start
        if begin < 0 or begin + size > len(self._data):
            try:
                self._data = self._read_all(self._place, max(size, READ_AHEAD))
            except FlyweightError as error:
                self.error = error
                raise OSError(str(error)) from None
            except Exception as error:
                self.error = error
                raise OSError("stopped") from None
            self._start, begin = self._place, 0
        self._place += size
        return self._data[begin : begin + size]

    def _read_all(self, start: int, size: int) -> bytes:
        """Read `size` bytes, or all up to the end of the file, by as many calls as that takes."""
        pieces: list[bytes] = []
        end = min(start + size, self._length)
        while start < end:
            pieces.append(self._read(start, end - start))
            start += len(pieces[-1])
        return b"".join(pieces)
