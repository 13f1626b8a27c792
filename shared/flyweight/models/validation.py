"""Validate instances against a signature: rows of floats (NaN if missing), strings and None, in the signature's order."""

from math import inf, isfinite, nan
from operator import itemgetter

from flyweight.errors import Fault, InvalidInput, TooLarge, listing, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from flyweight.models.signature import Feature, Signature
    from flyweight.settings import Limits

MAX_FAULTS = 20
FLOATS = frozenset((float,))
PLAIN = frozenset((float, int))  # and not bool, whose type is its own


class Validator:
    """Checks instances against one signature.

    `prefers_array(count)` tells whether the engine takes that many instances as one array.
    """

    def __init__(
        self, signature: "Signature", limits: "Limits", prefers_array: "Callable[[int], bool]" = lambda count: False
    ) -> None:
        self.prefers_array = prefers_array
        self.features = signature.features
        self._names = [feature.name for feature in signature.features]
        self._width = len(self._names)
        self.limits = limits
        self._by_name: Callable[[dict[str, Any]], Sequence[Any]] = itemgetter(*self._names)
        self._one = self._width == 1
        self._plain = all(feature.kind == "number" for feature in signature.features)

    def rows(self, instances: "Any") -> "list[list[Any]]":
        """Validate instances, each a list in the signature's order or an object by feature name.

        :param instances: a list, of any content.
        :returns: one row for each instance; an array of the same shape if the engine prefers one.
        :raises TooLarge: more instances than the limit.
        :raises InvalidInput: with the first twenty faults, not only the first.
        """
        if not isinstance(instances, list) or not instances:
            raise InvalidInput(Fault("at least one instance", preview(instances)))
        if len(instances) > self.limits.max_instances:
            raise TooLarge(f"{len(instances)} instances, the limit is {self.limits.max_instances} a request")
        if self.prefers_array(len(instances)) and (table := self.table(instances)) is not None:
            rows: list[list[Any]] = table
            return rows
        try:
            return [*map(self._row, instances)]
        except InvalidInput:  # validate once more from the start, to list all faults
            raise InvalidInput(*self._faults(instances)) from None

    def table(self, instances: "Any") -> "Any | None":
        """Validate instances as one array.

        :param instances: a list, an array or a DataFrame.
        :returns: None if the engine prefers rows, or if the instances must be checked one by one.
        """
        if not self.prefers_array(len(instances)):
            return None
        from flyweight.models import arrays

        return arrays.array_of(instances, self.features, self.limits)

    def _faults(self, instances: "list[Any]") -> "list[Fault]":
        """Collect the faults of all instances, MAX_FAULTS at most."""
        faults: list[Fault] = []
        for number, instance in enumerate(instances):
            try:
                self._row(instance)
            except InvalidInput as error:
                faults += [fault._replace(instance=number) for fault in error.faults]
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
        if self._plain:
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
            raise InvalidInput(*name_faults(instance, self.features))
        if not isinstance(instance, (list, tuple)):
            raise InvalidInput(Fault("an array of values or an object by feature name", preview(instance)))
        if len(instance) != self._width:
            raise InvalidInput(Fault(f"{self._width} values ({listing(self._names)})", f"{len(instance)} values"))
        return instance


def name_faults(names: "Iterable[str]", features: "list[Feature]") -> "Iterable[Fault]":
    """Make one fault for each missing or unknown feature; for an unknown one with the name that was probably meant.

    :param names: the keys of an instance, or the columns of a file.
    """
    present = {*names}
    missing = {feature.name: feature for feature in features if feature.name not in present}
    known = {feature.name: feature for feature in features}
    for name in names:
        if name not in known:
            from difflib import get_close_matches  # imported late: it takes 5 ms, and only mistakes need it

            meant = get_close_matches(str(name), [*missing] or [*known], n=1)
            hint = f"did you mean {meant[0]!r}?" if meant else f"the features are {listing([*known])}"
            missing.pop(meant[0] if meant else "", None)
            yield Fault("a feature of this model", "an unknown feature", feature=preview(str(name)).strip("'"), hint=hint)
    for name, feature in missing.items():
        null = "send null if its value is not known" if feature.nullable else None
        yield Fault(_kind(feature), "no such feature in the instance", feature=name, hint=null)


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
        value = None
    if value is None and feature.nullable:
        return nan
    raise _wrong_kind(value, feature)


def _boolean(value: "Any", feature: "Feature", limits: "Limits") -> float:
    """Convert true or 1 to 1.0, false or 0 to 0.0, and a missing value to NaN.

    :raises InvalidInput: another value, or missing if the feature is not nullable.
    """
    if value in (0, 1):  # true and false are 1 and 0 to Python
        return float(value)
    if (value is None or value != value) and feature.nullable:
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
    if (value is None or value != value) and feature.nullable:
        return None
    raise _wrong_kind(value, feature)


CONVERTERS: "dict[str, Callable[[Any, Feature, Limits], Any]]" = {"number": _number, "boolean": _boolean, "string": _string}


def _wrong_kind(value: "Any", feature: "Feature") -> InvalidInput:
    """Make the error of a value of another kind."""
    return InvalidInput(Fault(_kind(feature), preview(None if value != value else value), feature=feature.name))


def _kind(feature: "Feature") -> str:
    """Describe the values that a feature takes."""
    return f"a {feature.kind} or null" if feature.nullable else f"a {feature.kind}"
