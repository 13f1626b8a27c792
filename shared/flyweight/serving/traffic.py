"""Two models behind one path: a canary answers a share of the requests; a shadow's answers are only compared."""

from hashlib import sha256

from flyweight.errors import FlyweightError
from flyweight.predictor import OUTPUTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.predictor import Predictor
    from flyweight.serving.cache import CacheEntry, ModelCache
    from flyweight.settings import Settings
    from flyweight.values import LogFields, Prediction, Request

KEY = "x-flyweight-key"  # a header: requests with the same key go to the same model; without it, those with the same body


class Traffic:
    """Chooses the model that answers a request, and compares the answers of a shadow."""

    def __init__(self, settings: "Settings", models: "ModelCache") -> None:
        self._primary, self._canary, self._shadow = settings.model, settings.canary, settings.shadow
        self._models = models

    def choose(self, request: "Request", log_fields: "LogFields") -> "CacheEntry":
        """Choose the model that answers, the primary one if the canary can't be loaded.

        :param log_fields: the variant is added to them.
        :raises FlyweightError: the primary model can't be loaded.
        """
        log_fields["variant"] = "primary"
        if self._canary is not None and position(request, "canary") < self._canary.share:
            try:
                entry = self._models.get(self._canary.address)
            except FlyweightError as error:
                log_fields["canary"] = f"not loaded: {error}"
            else:
                log_fields["variant"] = "canary"
                return entry
        return self._models.get(self._primary)

    def compare(
        self, request: "Request", predictor: "Predictor", prediction: "Prediction", rows: "list[list[Any]]"
    ) -> "LogFields":
        """Ask the shadow for its share of requests, and measure how its answers differ.

        :param predictor: the model that answered.
        :param rows: the validated instances, of shape (instances, features).
        :returns: the log fields of the comparison, or of the shadow's error; {} if the request is not in its share.
        """
        if self._shadow is None or position(request, "shadow") >= self._shadow.share:
            return {}
        try:
            shadow = self._models.get(self._shadow.address).model.predictor
            # by name, and validated again: the shadow may have other features, or take other values
            names = [feature.name for feature in predictor.signature.features]
            other = shadow.predict([dict(zip(names, row, strict=True)) for row in rows], outputs_of(prediction))
        except Exception as error:
            return {"shadow": {"error": f"{type(error).__name__}: {error}"[:300]}}
        return {"shadow": {"model": f"{shadow.name}/{shadow.version}", **differences(prediction, other)}}


def position(request: "Request", purpose: str) -> float:
    """Map a request to a number in [0, 1): the same for the same key on every machine, and another one for each purpose."""
    key = request.headers.get(KEY)
    # a checksum would not do: with one, the numbers of a request for two purposes would depend on each other
    digest = sha256(f"{purpose}\n".encode() + (request.body if key is None else key.encode("utf-8", "replace"))).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def outputs_of(prediction: "Prediction") -> "list[str]":
    """List the outputs that a prediction has."""
    return [name for name in OUTPUTS if getattr(prediction, name) is not None]


def differences(one: "Prediction", other: "Prediction") -> "dict[str, Any]":
    """Count the instances whose predictions differ, and find the largest difference of any number in any output."""
    pairs = [(getattr(one, name), getattr(other, name)) for name in outputs_of(one)]
    first, second = pairs[0]
    differ = sum([a != b and (a == a or b == b) for a, b in zip(first, second, strict=True)])
    return {"instances": len(first), "differ": differ, "largest": max([_largest_difference(a, b) for a, b in pairs])}


def _largest_difference(a: "Any", b: "Any") -> float:
    """Find the largest difference of two numbers at the same position of nested lists."""
    if isinstance(a, list) and isinstance(b, list):
        return max(map(_largest_difference, a, b), default=0.0)
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return float(abs(a - b)) if a == a and b == b else 0.0
    return 0.0
