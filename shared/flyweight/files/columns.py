"""Columns of a batch, as they stand in a file, to whoever wants a table; rows only for who has to look at them one by one."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class _Names(list):  # type: ignore[type-arg]
    def tolist(self) -> "list[str]":
        """The same, as who reads a DataFrame's asks for it."""
        return [*self]


class Columns:
    """Values by a feature's name, of one length; what is read of a DataFrame is read of these as well."""

    def __init__(self, names: "list[str]", values: "list[list[Any]]") -> None:
        self._names, self._values = names, values
        self._by_name = dict(zip(names, values, strict=True))

    @property
    def columns(self) -> "_Names":
        """The names."""
        return _Names(self._names)

    def __getitem__(self, name: str) -> "list[Any]":
        return self._by_name[name]

    def __len__(self) -> int:
        return len(self._values[0])

    def __iter__(self) -> "Iterator[list[Any]]":
        return map(list, zip(*self._values, strict=True))

    def tolist(self) -> "list[list[Any]]":
        """The rows."""
        return [*self]
