"""Follow a transformer that takes a DataFrame and changes, adds and drops columns by their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NoReturn

from flyweight.toolkit.convert import class_name
from flyweight.toolkit.convert.draft import Column, ConversionRefused, Draft, Outputs, Value


class Frame:
    """The columns of a table by name, in their order, as a DataFrame has them while a transformer works on it.

    :param names: the names of the columns of `x`.
    :raises ConversionRefused: the names are not those of `x`, or two are the same.
    """

    def __init__(self, estimator: Any, x: Value, draft: Draft, names: Sequence[Any] | None = None) -> None:
        names = list(estimator.feature_names_in_ if names is None else names)
        self.cls, self.draft = class_name(estimator), draft
        if len(names) != len(x.columns):
            self.refuse(f"it was fitted on {len(names)} columns, and gets {len(x.columns)} here")
        if len({*names}) != len(names):
            self.refuse("two of its columns have the same name; rename one")
        self._cells: dict[Any, tuple[Value, int]] = {name: (x, position) for position, name in enumerate(names)}

    @property
    def names(self) -> list[Any]:
        """The names of the columns."""
        return list(self._cells)

    def refuse(self, helps: str) -> NoReturn:
        """Refuse to convert.

        :raises ConversionRefused: always.
        """
        raise ConversionRefused(self.draft.path, self.cls.partition(".")[2], helps)

    def kind_of(self, name: Any) -> str | None:
        """Return the kind of a column, as far as it is known."""
        value, position = self._cells[name]
        return self.draft.kind_of(value, position)

    def of(self, names: Sequence[Any]) -> Value:
        """Return the columns with these names as one value.

        :raises ConversionRefused: there is no name.
        """
        parts: list[tuple[Value, list[int]]] = []
        for name in names:
            value, position = self._cells[name]
            if parts and parts[-1][0] is value:
                parts[-1][1].append(position)
            else:
                parts.append((value, [position]))
        return self.draft.join([self.draft.take(self.draft.spread(value), positions) for value, positions in parts])

    def checked(self, names: Sequence[Any]) -> Value:
        """Return the columns with these names, which the estimator takes only if all are finite numbers.

        Features of the input need no check: whether they may be missing is in the signature.
        """
        value = self.of(names)
        if all(column.source is not None for column in value.columns):
            return value
        return self.draft.add("elementwise.accept", value, columns=value.columns, takes="finite", names=value.names)

    def put(self, names: Sequence[Any], value: Value) -> None:
        """Put the columns of a value in place of those with these names, or behind all others where a name is new."""
        columns = [replace(column, name=str(name)) for name, column in zip(names, value.columns, strict=True)]
        named = Value(value.name, tuple(columns), value.sparse)
        self._cells |= {name: (named, position) for position, name in enumerate(names)}

    def add(self, op: str, read: Value, labels: Sequence[Any], /, **parameters: Any) -> None:
        """Add an op, and put its columns under these labels."""
        self.put(labels, self.draft.add(op, read, columns=[Column(str(label)) for label in labels], **parameters))

    def drop(self, names: Sequence[Any]) -> None:
        """Drop the columns with these names."""
        self._cells = {name: cell for name, cell in self._cells.items() if name not in {*names}}

    def outputs(self) -> Outputs:
        """Return all columns as the transformer's answer.

        :raises ConversionRefused: no column is left.
        """
        return {"transform": self.of(self.names)}
