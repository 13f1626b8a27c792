"""Values of texts: CSV, and JSON of a caller who asks for it, are read by the signature alone, and everywhere in the same way."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.signature import Feature

BOOLEANS = {
    **{"true": True, "True": True, "TRUE": True, "1": True, "1.0": True},
    **{"false": False, "False": False, "FALSE": False, "0": False, "0.0": False},
}


def value_of(text: str, feature: "Feature") -> "Any":
    """Convert a text to a value of a feature; None for a text that means missing.

    A string is taken as it is, with its blanks, so that no category is lost. A text that can't be converted stays a text;
    validation then names it.
    """
    kind = feature.kind
    if kind == "string":
        return None if text in feature.missing else text
    stripped = text.strip()
    if stripped in feature.missing or kind == "unread":
        return None
    if kind == "number":
        return _number(text)
    return BOOLEANS.get(stripped, text) if kind == "boolean" else stripped


def _number(text: str) -> "float | str":
    """Convert a number. `float` also accepts 1_000, digits of other scripts and words for NaN, which are no numbers here."""
    if "_" in text or not text.isascii():
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return number if number == number else text
