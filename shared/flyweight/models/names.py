"""Compare the names of an instance, or of a table's columns, with those of a model's features, and say what is wrong.

The work grows with the names that are given, and not with their product with the features: the features are sorted by their
pieces once a model.
"""

from itertools import islice, pairwise

from flyweight.errors import MAX_FAULTS, Fault, listing, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from flyweight.models.signature import Feature

MAX_LENGTH = 100  # characters of a name for which a similar one is sought
MAX_SHARED = 24  # features; a piece that more of them have tells nothing
CANDIDATES = 3  # features with the rarest pieces in common, of which the most similar is chosen
SIMILAR = 0.5  # the share of common pieces, from 0 to 1


class FeatureNames:
    """The names of a model's features."""

    def __init__(self, features: "list[Feature]") -> None:
        self.known = {feature.name: feature for feature in features}
        self._listed = listing([*self.known])
        self._by_piece: dict[str, list[str]] | None = None

    def faults(self, names: "Collection[str]", ignores: bool = False, columns: bool = False) -> "Iterator[Fault]":
        """Make one fault for each unknown or missing feature; for an unknown one with the name that was probably meant.

        :param names: an instance by name, or the names of the columns of a file.
        :param ignores: whether unknown names are no fault.
        :param columns: whether the names are those of columns, for the message.
        :returns: the first faults of each of the two kinds.
        """
        known = self.known
        present = names if isinstance(names, dict) else {name for name in names if name in known}
        lacking = (name for name, feature in known.items() if name not in present and feature.kind != "unread")
        missing = dict.fromkeys(islice(lacking, 2 * MAX_FAULTS))
        unknown = [*islice((name for name in names if name not in known), MAX_FAULTS)]
        if missing or not ignores:
            sought = [(name, self._meant(str(name), present if missing else ())) for name in unknown]
            meant = {name: similar for name, similar in sought if similar}
        else:
            meant = {}
        for name in [] if ignores else unknown:
            hint = f"did you mean {meant[name]!r}?" if name in meant else f"the features are {self._listed}"
            if str(name) == "":
                hint = "a column without a name is often the index of a table: write it without the index"
            missing.pop(meant.get(name, ""), None)
            yield Fault("a feature of this model", "an unknown feature", feature=preview(str(name)).strip("'"), hint=hint)
        found = {similar: name for name, similar in meant.items()}
        absent = "no such column" if columns else "no such feature in the instance"
        null = "add the column, with no values if they are not known" if columns else "send null if its value is not known"
        for name in missing:
            hint = null if known[name].nullable else ""
            if name in found:
                hint = f"there is {found[name]!r}, which this model does not know"
            yield Fault(described(known[name]), absent, feature=name, hint=hint or None)

    def _meant(self, name: str, present: "Collection[str]") -> "str | None":
        """Find the feature whose name is most similar to an unknown one; None if no name is.

        :param present: names that are not meant, since they are there.
        """
        if len(name) > MAX_LENGTH:
            return None
        if self._by_piece is None:
            self._by_piece = _by_piece(self.known)
        weights: dict[str, float] = {}
        own = _pieces(name)
        for piece in own:
            sharing = self._by_piece.get(piece, ())
            if len(sharing) <= MAX_SHARED:
                for feature in sharing:
                    weights[feature] = weights.get(feature, 0.0) + 1.0 / len(sharing)
        rated = []
        for feature in sorted(weights, key=lambda feature: -weights[feature]):
            if feature not in present:
                pieces = _pieces(feature)
                rated.append((2 * len(own & pieces) / (len(own) + len(pieces)), feature))
                if len(rated) == CANDIDATES:
                    break
        similarity, best = max(rated, key=lambda pair: pair[0], default=(0.0, ""))
        return best if similarity >= SIMILAR else None


def described(feature: "Feature") -> str:
    """Describe the values that a feature takes, for a message."""
    if feature.kind == "unread":
        return "anything"
    one = f"a {feature.kind}"
    if feature.kind == "datetime":
        from flyweight.models.datetimes import EXAMPLES

        zone = "without" if feature.zone == "none" else "with"
        one = f"a datetime {zone} an offset, such as {EXAMPLES[feature.zone]!r},"
    return f"{one} or null" if feature.nullable else one.rstrip(",")


def _by_piece(names: "Collection[str]") -> "dict[str, list[str]]":
    """Sort names by their pieces; of a piece that many names have, one name too many is kept."""
    by_piece: dict[str, list[str]] = {}
    for name in names:
        if len(name) <= MAX_LENGTH:
            for piece in _pieces(name):
                sharing = by_piece.setdefault(piece, [])
                if len(sharing) <= MAX_SHARED:
                    sharing.append(name)
    return by_piece


def _pieces(name: str) -> "set[str]":
    """Split a name into its letters, its pairs of letters and its words, in lower case; its ends count as letters."""
    folded = name.casefold()
    framed = f"\n{folded}\n"
    words = "".join([letter if letter.isalnum() else " " for letter in folded]).split()
    return {*folded, *map("".join, pairwise(framed)), *[f" {word}" for word in words]}
