"""Where a model comes from: the file beside the handler, or a store, whose part is imported only where one is named."""

from time import perf_counter

from flyweight import predictor
from flyweight.errors import ModelRefused
from flyweight.predictor import LoadedModel, memory_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.predictor import Predictor
    from flyweight.registry.source import StoredModels
    from flyweight.settings import Settings


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
        if any(self._deployment.verification):
            self._check_trust(address, model)
        spent["load"] = spent.get("load", 0.0) + perf_counter() - began
        return LoadedModel(model, memory_of(model))

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

        wanted, sha256 = self._deployment.verification, model.file.sha256
        if wanted.sha256 not in ("", sha256):
            raise ModelRefused(f"the model's sha256 is {sha256}, this deployment takes {wanted.sha256} only")
        if wanted.public_keys:
            verification.check(sha256, model.name, model.version, verification.beside(path), wanted.public_keys)
