"""Instances of a text with their lines, for messages: of NDJSON and CSV, and not of one JSON document."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Numbered(list):  # type: ignore[type-arg]
    """Instances of a text; `lines` has the number of the line on which each begins."""

    lines: "Sequence[int]" = ()
