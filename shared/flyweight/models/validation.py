"""Validate instances against a signature: rows of floats (NaN if missing), strings and None, in the signature's order."""

from _operator import itemgetter
from math import inf, isfinite, nan

from flyweight.errors import MAX_FAULTS, Fault, InvalidInput, MalformedRequest, TooLarge, listing, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any

    from flyweight.models.names import FeatureNames
    from flyweight.models.signature import Feature, Signature
    from flyweight.settings import Limits

FLOATS = frozenset((float,))
PLAIN = frozenset((float, int))  # and not bool, whose type is its own
FLAGS = frozenset((float, int, bool))
ABSENT = ("NAType", "NaTType")  # the types of pandas' NA and NaT


class Validator:
    """Checks instances against one signature.

    `prefers_array(count)` tells whether the engine takes that many instances as one array; `ignores` whether inputs that are no
    feature of the model are ignored, as the signature or the limits say.
    """

    def __init__(
        self, signature: "Signature", limits: "Limits", prefers_array: "Callable[[int], bool]" = lambda count: False
    ) -> None:
        self.prefers_array = prefers_array
        self.features = signature.features
        self._names = [feature.name for feature in signature.features]
        self._width = len(self._names)
        self._unread: dict[str, Any] = dict.fromkeys([feature.name for feature in signature.features if feature.kind == "unread"])
        self.limits = limits
        self.ignores = (limits.unknown_features or signature.unknown) == "ignore"
        self._by_name: Callable[[dict[str, Any]], Sequence[Any]] = itemgetter(*self._names)
        self._one = self._width == 1
        self.plain = all(feature.kind == "number" for feature in signature.features)
        self._feature_names: FeatureNames | None = None

    def rows(self, instances: "Any", by_row: bool = False) -> "list[list[Any]]":
        """Validate instances, each a list in the signature's order or an object by feature name.

        :param instances: a list, of any content.
        :param by_row: whether to check row by row in any case, since an array takes some values of NumPy that are no numbers.
        :returns: one row for each instance; an array of the same shape if the engine prefers one.
        :raises TooLarge: more instances than the limit.
        :raises InvalidInput: with the first twenty faults, not only the first.
        """
        if self.limits.any_body and isinstance(instances, list) and not instances:
            return []
        if not isinstance(instances, list) or not instances:
            raise InvalidInput(Fault("at least one instance", preview(instances)))
        if len(instances) > self.limits.max_instances:
            raise TooLarge(f"{len(instances)} instances, the limit is {self.limits.max_instances} a request")
        if not by_row and self.prefers_array(len(instances)) and (table := self.table(instances)) is not None:
            rows: list[list[Any]] = table
            return rows
        try:
            return [*map(self._row, instances)]
        except InvalidInput:  # validate once more from the start, to list all faults
            raise InvalidInput(*self._faults(instances)) from None

    def row_of_floats(self, instances: "Any") -> "list[float] | None":
        """Validate one instance for a model of numbers.

        :param instances: a list without a string, whose text has as many points as the model has features.
        :returns: None if `rows` has to look closer.
        :raises TypeError: the instance has an array or an object in it.
        """
        if type(instances) is list and len(instances) == 1:
            row: list[float] = instances[0]
            if type(row) is list and len(row) == self._width and isfinite(sum(row)):
                return row
        return None

    def table(self, instances: "Any") -> "Any | None":
        """Validate instances as one array.

        :param instances: a list, an array or a DataFrame.
        :returns: None if the engine prefers rows, or if the instances must be checked one by one.
        """
        if not self.prefers_array(len(instances)):
            return None
        from flyweight.models import arrays

        return arrays.array_of(instances, self.features, self.limits, self.ignores)

    def places(self, columns: "list[str]", line: "int | None" = None) -> "list[int | None]":
        """Find the column of each feature in the header of a table.

        :param columns: the names of the columns; blanks around a name are no part of it unless a feature has them.
        :param line: the header's line, for the message.
        :returns: for each feature in order the index of its column; None for one that is absent and that nothing reads.
        :raises MalformedRequest: two columns have the same name.
        :raises InvalidInput: a feature has no column, or a column is no feature.
        """
        known = {*self._names}
        place_of: dict[str, int] = {}
        for place, column in enumerate(columns):
            name = column if column in known else column.strip()
            if name in known and place_of.setdefault(name, place) != place:
                raise MalformedRequest(f"the header has the column name twice: {preview(name)}")
        unknown = not self.ignores and len(place_of) != len(columns)
        if unknown or any(feature.name not in place_of and feature.kind != "unread" for feature in self.features):
            names = [column if column in known else column.strip() for column in columns]
            raise InvalidInput(*[fault._replace(line=line) for fault in self._name_faults(names, columns=True)])
        return [place_of.get(name) for name in self._names]

    def _name_faults(self, names: "Collection[str]", columns: bool = False) -> "list[Fault]":
        """Name the unknown or missing features, as `FeatureNames.faults`, MAX_FAULTS at most."""
        if self._feature_names is None:
            from flyweight.models.names import FeatureNames  # imported late: only mistakes need it

            self._feature_names = FeatureNames(self.features)
        return [*self._feature_names.faults(names, self.ignores, columns)][:MAX_FAULTS]

    def _faults(self, instances: "list[Any]") -> "list[Fault]":
        """Collect the faults of all instances, MAX_FAULTS at most."""
        faults: list[Fault] = []
        lines = getattr(instances, "lines", None)
        for number, instance in enumerate(instances):
            try:
                self._row(instance)
            except InvalidInput as error:
                line = lines[number] if lines else None
                faults += [fault._replace(instance=number, line=line) for fault in error.faults]
                if len(faults) >= MAX_FAULTS:
                    break
        return faults[:MAX_FAULTS]

    def _row(self, instance: "Any") -> "list[Any]":
        """Validate one instance.

        :raises InvalidInput: with one fault for each wrong value.
        """
        values = instance if type(instance) is list and len(instance) == self._width else self._values(instance)
        # The usual case in a few calls: all values are finite numbers. If the sum is not finite, a value is not, or values are
        # huge; the loop below tells these apart, and also finds an integer beyond a double.
        if self.plain:
            if FLOATS.issuperset(map(type, values)):
                if isfinite(sum(values)):
                    return [*values]
            elif PLAIN.issuperset(map(type, values)):
                try:
                    numbers = [*map(float, values)]
                except OverflowError:
                    numbers = [inf]
                if isfinite(sum(numbers)):
                    return numbers
        row: list[Any] = []
        faults: list[Fault] = []
        for feature, value in zip(self.features, values, strict=True):
            try:
                row.append(CONVERTERS[feature.kind](value, feature, self.limits))
            except InvalidInput as error:
                faults += error.faults
        if faults:
            raise InvalidInput(*faults)
        return row

    def _values(self, instance: "Any") -> "Sequence[Any]":
        """Get an instance's values in the signature's order.

        :raises InvalidInput: not an array or object, of another width, or with other names.
        """
        if isinstance(instance, dict):
            if len(instance) == self._width:
                try:
                    values = self._by_name(instance)
                    return [values] if self._one else values
                except KeyError:
                    pass
            if self.ignores or (self._unread and len(instance) <= self._width):
                named = {**self._unread, **instance} if self._unread else instance
                if self.ignores or len(named) == self._width:
                    try:
                        values = self._by_name(named)
                        return [values] if self._one else values
                    except KeyError:
                        pass
            raise InvalidInput(*self._name_faults(instance))
        if not isinstance(instance, (list, tuple)):
            raise InvalidInput(Fault("an array of values or an object by feature name", preview(instance)))
        if len(instance) != self._width:
            raise InvalidInput(Fault(f"{self._width} values ({listing(self._names)})", f"{len(instance)} values"))
        return instance


def _number(value: "Any", feature: "Feature", limits: "Limits") -> float:
    """Convert a number, with NaN for a missing value.

    :raises InvalidInput: not a finite number, or missing if the feature is not nullable.
    """
    if isinstance(value, (float, int)) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = inf
        if isfinite(number):
            return number
        if number == number:
            raise InvalidInput(Fault("a finite number", "a number too large for a double", feature=feature.name))
    value = _plain(value)
    if type(value) in PLAIN:
        return _number(value, feature, limits)
    if value is None and feature.nullable:
        return nan
    raise _wrong_kind(value, feature)


def _boolean(value: "Any", feature: "Feature", limits: "Limits") -> float:
    """Convert true or 1 to 1.0, false or 0 to 0.0, and a missing value to NaN.

    :raises InvalidInput: another value, or missing if the feature is not nullable.
    """
    if type(value) in FLAGS and value in (0, 1):  # true and false are 1 and 0 to Python
        return float(value)
    value = _plain(value)
    if type(value) in FLAGS and value in (0, 1):
        return float(value)
    if value is None and feature.nullable:
        return nan
    raise _wrong_kind(value, feature)


def _string(value: "Any", feature: "Feature", limits: "Limits") -> "str | None":
    """Check a string; a missing value becomes None.

    :raises InvalidInput: not a string, too long, or missing if the feature is not nullable.
    """
    if isinstance(value, str):
        if len(value) > limits.max_string_length:
            expected = f"at most {limits.max_string_length} characters"
            raise InvalidInput(Fault(expected, f"{len(value)} characters", feature=feature.name))
        return value
    value = _plain(value)
    if value is None and feature.nullable:
        return None
    raise _wrong_kind(value, feature)


def _datetime(value: "Any", feature: "Feature", limits: "Limits") -> float:
    """Convert a datetime to microseconds since 1970-01-01T00:00:00, and a missing value to NaN.

    :raises InvalidInput: no datetime in the feature's form, or missing if the feature is not nullable.
    """
    from flyweight.models.datetimes import NotDatetime, microseconds  # imported late: most models have no such feature

    if value is not None and type(value).__name__ not in ABSENT:
        try:
            number = microseconds(value, feature.zone)
        except NotDatetime as error:
            value = _plain(value)
            if value is not None:
                from flyweight.models.names import described  # imported late: only mistakes need it

                raise InvalidInput(Fault(described(feature), str(error), feature=feature.name)) from None
        else:
            if number == number:
                return number
    if feature.nullable:
        return nan
    raise _wrong_kind(None, feature)


def _unread(value: "Any", feature: "Feature", limits: "Limits") -> float:
    return nan


CONVERTERS: "dict[str, Callable[[Any, Feature, Limits], Any]]" = {
    "number": _number,
    "boolean": _boolean,
    "string": _string,
    "datetime": _datetime,
    "unread": _unread,
}


def _plain(value: "Any") -> "Any":
    """Turn a scalar of NumPy into Python's own, and what stands for a missing value, NaN or pandas' NA or NaT, into None."""
    if type(value).__name__ in ABSENT:
        return None
    dtype = getattr(value, "dtype", None)
    if dtype is not None and getattr(value, "ndim", None) == 0 and dtype.kind in "fiub":
        value = value.item()
    return None if isinstance(value, float) and value != value else value


def _wrong_kind(value: "Any", feature: "Feature") -> InvalidInput:
    """Make the error of a value of another kind."""
    from flyweight.models import texts  # imported late: only mistakes need them
    from flyweight.models.names import described

    hint = None
    if isinstance(value, str) and not isinstance(texts.value_of(value, feature), str):
        hint = 'send it without quotes, or ask for texts to be read as in CSV: "parse_text": true beside "instances"'
    return InvalidInput(Fault(described(feature), preview(value), feature=feature.name, hint=hint))
