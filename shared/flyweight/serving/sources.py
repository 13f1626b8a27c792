"""Load models from the file beside the handler, or from a store, whose modules are imported only if an address names one."""

from time import perf_counter

from flyweight import predictor
from flyweight.models import file as model_file
from flyweight.predictor import LoadedModel, Predictor, memory_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from flyweight.models.file import ModelFile
    from flyweight.registry.source import StoreSource
    from flyweight.settings import Settings


class ModelSource:
    """Models by path or address; `log` takes log entries."""

    def __init__(self, settings: "Settings", log: "Callable[[Mapping[str, Any]], None]" = lambda entry: None) -> None:
        self._settings, self._log = settings, log
        self._stores: StoreSource | None = None

    def load(self, address: str, spent: "dict[str, float]") -> LoadedModel:
        """Load the model at a path or address.

        :param spent: the seconds that each step took are added to it.
        :raises FlyweightError: the model can't be loaded, or it is refused.
        :raises OSError: the file can't be read.
        """
        if "://" in address:
            return self._store_source().load(address, spent)
        began = perf_counter()
        if any(self._settings.verification):
            model = Predictor(self._verified(address), self._settings.limits)
        else:
            model = predictor.load(address, self._settings.limits)
        spent["load"] = spent.get("load", 0.0) + perf_counter() - began
        return LoadedModel(model, memory_of(model))

    def refresh(self, address: str, current: LoadedModel, spent: "dict[str, float]") -> LoadedModel:
        """Load the model that the address names now; `current` itself if nothing has changed.

        :raises FlyweightError: the store can't be read, or its model is refused.
        """
        return self._store_source().refresh(address, current, spent)

    def forget(self) -> None:
        """Drop connections, which survive neither a fork nor a snapshot."""
        if self._stores is not None:
            self._stores.forget()

    def _store_source(self) -> "StoreSource":
        """Get the source of models in stores; the first call imports and makes it."""
        if self._stores is None:
            from flyweight.registry.source import StoreSource

            self._stores = StoreSource(self._settings, log=self._log)
        return self._stores

    def _verified(self, path: str) -> "ModelFile":
        """Read a file, and verify its hash and its digital signature, as far as the deployment requires them, before its use.

        :raises ModelRefused: another hash, no valid digital signature by a trusted key, or not a model file.
        :raises OSError: the file or its signature can't be read.
        """
        from flyweight.registry import verification

        required, data = self._settings.verification, model_file.contents(path)
        sha256 = verification.digest(data)
        verification.check_pin(sha256, required.sha256)
        if not required.public_keys:
            return model_file.parse(data)
        return verification.signed_file(data, sha256, verification.beside(path), required.public_keys)
