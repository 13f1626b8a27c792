"""Categories as the numbers that a hash gives them."""

from flyweight.errors import Fault, InvalidInput, preview
from flyweight.ops._city import city_hash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class City:
    """CityHash64's lower 32 bits of each category's text, as CatBoost takes it; a whole number's text has no decimal point."""

    exact = True

    def __init__(self, node: "Node") -> None:
        self._names = node.items("names", (str,), len(node.only_input()))
        self.kinds = "n" * len(self._names)

    def row(self, x: "list[Any]") -> "list[float]":
        """The hashes.

        :raises InvalidInput: a category is missing or broken, which CatBoost refuses as well.
        """
        return [float(city_hash(v if isinstance(v, str) else self._text(v, p))) for p, v in enumerate(x)]

    def _text(self, v: "Any", position: int) -> str:
        if v is None or not -1e18 < v < 1e18 or v != int(v):
            given = preview(None if v is None or v != v else v)
            raise InvalidInput(Fault("a string or a whole number", given, feature=self._names[position]))
        return str(int(v))


OPS = {"city": City}
