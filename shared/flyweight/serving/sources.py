"""Where a model comes from: the file beside the handler, or a store, whose part is imported only where one is named."""

from time import perf_counter

from flyweight import predictor
from flyweight.errors import ModelRefused
from flyweight.values import frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.predictor import Predictor
    from flyweight.registry.releases import Release
    from flyweight.registry.source import StoredModels
    from flyweight.settings import Settings


@frozen
class LoadedModel:
    """A model that is ready to answer."""

    predictor: "Predictor"
    weight: int = 0  # bytes of memory, roughly
    release: "Release | None" = None  # what the store said of it; None of a file that comes with the handler
    age: float = 0.0  # seconds since the store said so
    trouble: str = ""  # why the store could not be asked, where this is the last good model from the disk
    may_change: bool = False  # whether its address may name another model by and by


class ModelSource:
    """Models by their addresses: a path, or what has a scheme."""

    def __init__(self, deployment: "Settings") -> None:
        self._deployment = deployment
        self._stored: StoredModels | None = None

    def load(self, address: str, spent: "dict[str, float]") -> LoadedModel:
        """The model at an address; the seconds of each step are added to `spent`.

        :raises FlyweightError: it can't be had, or it is refused.
        :raises OSError: a file that can't be read.
        """
        if "://" in address:
            return self._store().load(address, spent)
        began = perf_counter()
        model = predictor.load(address, self._deployment.limits)
        if any(self._deployment.trust):  # type: ignore[arg-type]  # a frozen value is a tuple
            self._check_trust(address, model)
        spent["load"] = spent.get("load", 0.0) + perf_counter() - began
        return LoadedModel(model, weight_of(model))

    def refreshed(self, address: str, current: LoadedModel, spent: "dict[str, float]") -> LoadedModel:
        """The model that is there by now; `current` itself where nothing has changed."""
        return self._store().refreshed(address, current, spent)

    def forget(self) -> None:
        """Drop connections, which neither a fork nor a snapshot survives."""
        if self._stored is not None:
            self._stored.forget()

    def _store(self) -> "StoredModels":
        if self._stored is None:
            from flyweight.registry.source import StoredModels

            self._stored = StoredModels(self._deployment)
        return self._stored

    def _check_trust(self, path: str, model: "Predictor") -> None:
        """The file is the one that the deployment names, and is signed, where it says so."""
        from flyweight.registry import verification

        trust, sha256 = self._deployment.trust, model.file.sha256
        if trust.sha256 not in ("", sha256):
            raise ModelRefused(f"the model's sha256 is {sha256}, this deployment takes {trust.sha256} only")
        if trust.public_keys:
            verification.check(sha256, model.name, model.version, verification.beside(path), trust.public_keys)


# Bytes of memory for one byte of a model file, at most: measured by `benchmarks/memory.py`.
EXPANSION = 10


def weight_of(model: "Predictor") -> int:
    """What a model weighs in the cache: its file, and the lists and tuples that are made of it."""
    return EXPANSION * len(model.file.data)
