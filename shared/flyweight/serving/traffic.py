"""Two models behind one path: a canary answers a share of the requests, a shadow is asked as well and only compared."""

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

KEY = "x-flyweight-key"  # a caller's header: requests of one key go one way; without it, those of one body do


class Traffic:
    """Which model a request goes to."""

    def __init__(self, deployment: "Settings", models: "ModelCache") -> None:
        self._primary, self._canary, self._shadow = deployment.model, deployment.canary, deployment.shadow
        self._models = models

    def choose(self, request: "Request", log_fields: "LogFields") -> "CacheEntry":
        """The model that answers; the primary one where the canary can't be loaded."""
        log_fields["variant"] = "primary"
        if self._canary is not None and place(request, "canary") < self._canary.share:
            try:
                kept = self._models.get(self._canary.address)
            except FlyweightError as error:
                log_fields["canary"] = f"not loaded: {error}"
            else:
                log_fields["variant"] = "canary"
                return kept
        return self._models.get(self._primary)

    def compare(
        self, request: "Request", answered: "Predictor", prediction: "Prediction", rows: "list[list[Any]]"
    ) -> "LogFields":
        """Ask the shadow too, for its share of requests, and tell how its answers differ; nothing that it does is answered."""
        if self._shadow is None or place(request, "shadow") >= self._shadow.share:
            return {}
        try:
            shadow = self._models.get(self._shadow.address).model.predictor
            # by name, and read anew: the shadow may have other features, or take other values
            names = [feature.name for feature in answered.signature.features]
            other = shadow.predict([dict(zip(names, row, strict=True)) for row in rows], outputs_of(prediction))
        except Exception as error:
            return {"shadow": {"error": f"{type(error).__name__}: {error}"[:300]}}
        return {"shadow": {"model": f"{shadow.name}/{shadow.version}", **differences(prediction, other)}}


def place(request: "Request", purpose: str) -> float:
    """Where a request stands between 0 and 1: the same for the same key on every machine, and another for each purpose."""
    key = request.headers.get(KEY)
    # no checksum: by one of these, a request's places for two purposes would depend on each other
    digest = sha256(f"{purpose}\n".encode() + (request.body if key is None else key.encode("utf-8", "replace"))).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def outputs_of(prediction: "Prediction") -> "list[str]":
    """The outputs that were asked for."""
    return [name for name in OUTPUTS if getattr(prediction, name) is not None]


def differences(one: "Prediction", other: "Prediction") -> "dict[str, Any]":
    """Of how many instances the predictions differ, and the largest difference of any number in any output."""
    both = [(getattr(one, name), getattr(other, name)) for name in outputs_of(one)]
    mine, theirs = both[0]
    apart = sum([a != b and (a == a or b == b) for a, b in zip(mine, theirs, strict=True)])
    return {"instances": len(mine), "differ": apart, "largest": max([_farthest(a, b) for a, b in both])}


def _farthest(a: "Any", b: "Any") -> float:
    """The largest difference of two numbers at the same place."""
    if isinstance(a, list) and isinstance(b, list):
        return max(map(_farthest, a, b), default=0.0)
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return float(abs(a - b)) if a == a and b == b else 0.0
    return 0.0
