"""Read a line of a split: the fields of its key, and the instance."""

import csv

from flyweight import strict_json
from flyweight.errors import Fault, InvalidInput, MalformedRequest
from flyweight.files.lines import check_size, decoded
from flyweight.formats.json import parse_strictly
from flyweight.models.texts import value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.models.validation import Validator

    Row = tuple[list[str], Any]  # the fields of the key, and the instance, not validated yet

FORMATS = ("jsonl", "csv", "tsv")
NULL = "\\N"  # a missing value in Hive's text files
# https://cwiki.apache.org/confluence/display/Hive/LanguageManual+DDL#LanguageManualDDL-RowFormats&SerDe


def reader(
    name: str, columns: "list[str]", keys: "list[str]", separator: str, validator: "Validator"
) -> "Callable[[bytes], Row]":
    """Make the function that reads a line; each line is a row by itself, because splits begin at any line.

    :param name: of the format, among FORMATS.
    :param columns: of a line of CSV or TSV, in their order; of an array in JSON, [] for the features in theirs.
    :param keys: the names of the fields that make the key.
    :param separator: of the fields of the key, which none of them may contain.
    :returns: raises MalformedRequest or TooLarge for a line that is no row, or whose key can't be written.
    :raises InvalidInput: the columns lack a feature, or a field of the key.
    """
    lacking = [key for key in keys if key not in columns] if columns else []
    if lacking:
        raise InvalidInput(Fault("a column for each field of --key", f"no column {lacking[0]!r}"))
    if name == "jsonl":
        return lambda line: _of_json(line, columns, keys, separator, validator)
    return _table_reader(name, columns, keys, separator, validator)


def _table_reader(
    name: str, columns: "list[str]", keys: "list[str]", separator: str, validator: "Validator"
) -> "Callable[[bytes], Row]":
    """Make the function that reads a line of CSV, or of TSV without quotes.

    :raises InvalidInput: the columns lack a feature.
    """
    known = {feature.name for feature in validator.features}
    places = validator.places([column for column in columns if column in known])  # also checks that none is missing
    features = [
        (feature, columns.index(feature.name))
        for feature, place in zip(validator.features, places, strict=True)
        if place is not None
    ]
    key_places = [columns.index(key) for key in keys]

    def read(line: bytes) -> "Row":
        check_size(line)
        text = decoded(line).rstrip("\r")
        values = text.split("\t") if name == "tsv" else _of_csv(text)
        if len(values) != len(columns):
            raise MalformedRequest(f"the row has {len(values)} values, --columns has {len(columns)}")
        key = [_key_field(values[place], separator) for place in key_places]
        return key, {one.name: None if values[place] == NULL else value_of(values[place], one) for one, place in features}

    return read


def _of_csv(text: str) -> "list[str]":
    """Split a line of CSV.

    :raises MalformedRequest: it is not CSV, or its quoted value goes on in the next line.
    """
    try:
        rows = [*csv.reader([text], strict=True)]
    except csv.Error as error:
        raise MalformedRequest(f"the row is not CSV: {error}; a row is one line here") from None
    return rows[0] if rows else []


def _of_json(line: bytes, columns: "list[str]", keys: "list[str]", separator: str, validator: "Validator") -> "Row":
    """Read an object by names, or an array in the order of the columns.

    :raises MalformedRequest: the line is not strict JSON, or lacks a field of the key.
    """
    check_size(line)
    document = parse_strictly(decoded(line), "the row")
    if isinstance(document, list) and columns:
        if len(document) != len(columns):
            raise MalformedRequest(f"the row has {len(document)} values, --columns has {len(columns)}")
        document = dict(zip(columns, document, strict=True))
    if not isinstance(document, dict):
        if keys:
            raise MalformedRequest("a row is an object where --key names fields")
        return [], document
    lacking = [key for key in keys if key not in document]
    if lacking:
        raise MalformedRequest(f"the row has no field {lacking[0]!r}, which --key names")
    key = [_key_field(document[name], separator) for name in keys]
    return key, {feature.name: document[feature.name] for feature in validator.features if feature.name in document}


def _key_field(value: "Any", separator: str) -> str:
    """Write a field of a key; "" for a missing one.

    :raises MalformedRequest: its text has the separator, a tab or a line end in it, or can't be written as UTF-8.
    """
    text = "" if value is None else value if isinstance(value, str) else strict_json.encode(value).decode()
    if not text.isascii() and any(["\ud800" <= letter <= "\udfff" for letter in text]):
        raise MalformedRequest("a field of the key holds half a character, a surrogate that is alone")
    if separator in text or not {"\t", "\n", "\r"}.isdisjoint(text):
        raise MalformedRequest(f"a field of the key has a tab, a line end or {separator!r} in it")
    return text
