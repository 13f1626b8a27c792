"""Models in stores: from an address to a checked model, by way of the disk, and never back to an older one.

What the store says (a release) is remembered in memory and on the disk. A process that starts within the time to live of what
another one noted does not ask the store at all; one that starts while the store is down answers by the last good model.
"""

from time import perf_counter, time

from flyweight.errors import FlyweightError, ModelRefused, StoreFailed
from flyweight.models import file as model_file
from flyweight.predictor import LoadedModel, Predictor, memory_of
from flyweight.registry import addresses, releases, verification
from flyweight.registry.disk_cache import DiskCache
from flyweight.stores import Timeouts, open_store
from flyweight.values import Release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.registry.addresses import Address
    from flyweight.settings import Settings
    from flyweight.stores import Store


class StoredModels:
    """What the stores of one deployment hold, as far as this process has asked."""

    def __init__(self, deployment: "Settings", clock: "Callable[[], float]" = time) -> None:
        self._deployment = deployment
        self._clock = clock  # the wall's, since processes share what is noted by it
        caching = deployment.caching
        self.disk = None if caching.cache_dir == "off" else DiskCache(caching.cache_dir, caching.disk_bytes)
        self._stores: dict[str, Store] = {}
        self._latest: dict[str, Release] = {}  # by address, what was last served

    def load(self, text: str, spent: "dict[str, float]") -> LoadedModel:
        """The model at an address, for the first time in this process, or again after it had to make room.

        :raises FlyweightError: there is none, and no last good one either.
        """
        address = self._address(text)
        known, age = self._noted(address)
        last: Predictor | None = None
        if known is not None:
            try:
                last = self._from_disk(self._disk(address), known, spent)
            except ModelRefused:  # it is not trusted any more; the store may have a better one
                pass
            if last is not None and 0.0 <= age < self._deployment.caching.ttl_seconds:
                return self._served(address, last, known, age)
        began = perf_counter()
        try:
            release = self._resolved(address, known)
            _add(spent, "fetch", began)
            return self._opened(address, release, spent)
        except FlyweightError as error:
            if last is None or known is None:
                raise
            return self._served(address, last, known, max(0.0, age), str(error))

    def refreshed(self, text: str, current: LoadedModel, spent: "dict[str, float]") -> LoadedModel:
        """The model that the address names by now; `current` itself where it is the same.

        :raises FlyweightError: the store can't be asked, or what it has is refused: then `current` is to stay.
        """
        address = self._address(text)
        known = current.release
        release = self._resolved(address, known)
        if known is not None and _same(release, known):
            self._note(address, release)
            return current
        return self._opened(address, release, spent, proven=True)

    def forget(self) -> None:
        """Drop the connections."""
        self._stores = {}

    def _resolved(self, address: "Address", known: "Release | None") -> "Release":
        """What the store says; a hash that it has no word for is the known one's, where the tag is the same."""
        release = releases.resolve(self._open(address), address)
        if known is not None and _older(release, known):
            raise StoreFailed(f"the store answered with an older state ({_told(release)}) than it had before ({_told(known)})")
        if known is not None and not release.sha256 and release.tag == known.tag:
            return known
        return release

    def _opened(self, address: "Address", release: "Release", spent: "dict[str, float]", proven: bool = False) -> LoadedModel:
        """The model of a release, loaded, verified, noted."""
        disk = self._disk(address)
        found = self._from_disk(disk, release, spent)
        if found is None:
            self._check_pin(release.sha256)
            began, store = perf_counter(), self._open(address)
            data = releases.received(store, release)
            _add(spent, "fetch", began)
            release = self._proved(store, release, data, spent)
            found = self._parsed(data, release, spent)
            if disk is not None:
                disk.write(release.sha256, data)
        if proven and not found.passes_self_test():
            raise ModelRefused(f"{_told(release)} does not answer its own sample as it was recorded")
        self._note(address, release)
        return self._served(address, found, release)

    def _from_disk(self, disk: "DiskCache | None", release: "Release", spent: "dict[str, float]") -> "Predictor | None":
        """The model of a release that lies on the disk, verified; None where it doesn't."""
        if disk is None or not release.sha256:
            return None
        began = perf_counter()
        data = disk.read(release.sha256)
        _add(spent, "verify", began)
        if data is None:
            return None
        self._check_trust(release)
        return self._parsed(data, release, spent)

    def _proved(self, store: "Store", release: "Release", data: bytes, spent: "dict[str, float]") -> "Release":
        """The release with the hash of its bytes, trusted; of a plain object, with the signature that lies beside it."""
        began = perf_counter()
        release = release._replace(sha256=releases.verify(data, release))
        if self._deployment.verification.public_keys and not release.name:
            release = release._replace(signature=releases.signature(store, release._replace(sha256="")))
        _add(spent, "verify", began)
        self._check_trust(release)
        return release

    def _parsed(self, data: "Any", release: "Release", spent: "dict[str, float]") -> Predictor:
        """A predictor over bytes that are verified."""
        began = perf_counter()
        model = Predictor(model_file.parse(data), self._deployment.limits)
        if release.name and (model.name, model.version) != (release.name, release.version):
            raise ModelRefused(f"the file calls itself {model.name}/{model.version}, the store {_told(release)}")
        if not release.name and self._deployment.verification.public_keys:
            verification.check(
                release.sha256, model.name, model.version, release.signature, self._deployment.verification.public_keys
            )
        _add(spent, "load", began)
        return model

    def _check_trust(self, release: "Release") -> None:
        self._check_pin(release.sha256)
        keys = self._deployment.verification.public_keys
        if keys and release.name:  # a plain object's name is known only when it is read
            verification.check(release.sha256, release.name, release.version, release.signature, keys)

    def _check_pin(self, digest: str) -> None:
        pin = self._deployment.verification.sha256
        if pin and digest and digest != pin:
            raise ModelRefused(f"the model's sha256 is {digest}, this deployment takes {pin} only")

    def _served(
        self, address: "Address", model: Predictor, release: "Release", age: float = 0.0, trouble: str = ""
    ) -> LoadedModel:
        self._latest[address.text] = release
        return LoadedModel(model, memory_of(model), release, age, trouble, may_change=address.kind != "version")

    def _noted(self, address: "Address") -> "tuple[Release | None, float]":
        """The release that was last served here or by another process, and how many seconds ago the store named it."""
        disk = self._disk(address)
        note = disk.noted(address.text) if disk is not None else {}
        ours = self._latest.get(address.text)
        try:
            release = _checked(Release(**note["release"]))
            age = self._clock() - float(note["checked"])
        except (KeyError, TypeError, ValueError):
            return ours, -1.0
        return (ours, -1.0) if ours is not None and _older(release, ours) else (release, age)

    def _note(self, address: "Address", release: "Release") -> None:
        disk = self._disk(address)
        if disk is not None:
            disk.note(address.text, {"release": release._asdict(), "checked": self._clock()})

    def _disk(self, address: "Address") -> "DiskCache | None":
        """The disk's cache, but for what lies on a disk anyway."""
        return None if address.root.startswith("file:") else self.disk

    def _open(self, address: "Address") -> "Store":
        store = self._stores.get(address.root)
        if store is None:
            store = self._stores[address.root] = open_store(
                address.root, Timeouts(seconds=self._deployment.caching.store_seconds)
            )
        return store

    def _address(self, text: str) -> "Address":
        try:
            return addresses.parse(text)
        except ValueError as error:
            raise ModelRefused(str(error)) from None


def _checked(release: "Release") -> "Release":
    """A release that was read from a note.

    :raises TypeError, ValueError: it is none.
    """
    texts = (release.name, release.version, release.sha256, release.key, release.tag)
    numbers = (release.size, release.serial, release.modified)
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(value, (int, float)) for value in numbers):
        raise TypeError
    if len(release.sha256) != 64 or not releases.HEX.issuperset(release.sha256):
        raise ValueError
    return release


def _same(release: "Release", known: "Release") -> bool:
    return release.sha256 == known.sha256 and release.sha256 != ""


def _older(release: "Release", known: "Release") -> bool:
    """Whether an alias went back to a smaller serial, which only a stale replica or a replay does, or an object in time."""
    if release.serial or known.serial:
        return release.serial < known.serial
    return release.tag != known.tag and release.modified < known.modified


def _told(release: "Release") -> str:
    version = f"{release.name}/{release.version}" if release.name else f"the object of {release.modified:.0f}"
    return f"{version}, change {release.serial}" if release.serial else version


def _add(spent: "dict[str, float]", step: str, began: float) -> None:
    spent[step] = spent.get(step, 0.0) + perf_counter() - began
