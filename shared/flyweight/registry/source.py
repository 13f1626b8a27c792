"""Load models from a store through the disk cache. A release older than the last one served is refused.

The last release of each address is remembered in memory and on the disk. A process that starts within the time to live of another
one's note does not ask the store at all. One that starts while the store is down answers with the last good model.
"""

from time import perf_counter, time

from flyweight.errors import FlyweightError, ModelRefused, StoreFailed, preview
from flyweight.models import file as model_file
from flyweight.predictor import LoadedModel, Predictor, memory_of
from flyweight.registry import addresses, releases, verification
from flyweight.registry.disk_cache import DiskCache
from flyweight.stores import Timeouts, open_store
from flyweight.values import Release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from flyweight.registry.addresses import Address
    from flyweight.settings import Settings
    from flyweight.stores import Store


class StoreSource:
    """The models in the stores of one deployment.

    `clock`: the time in seconds since 1970, since processes share the times in notes. `log` takes log entries.
    """

    def __init__(
        self,
        settings: "Settings",
        clock: "Callable[[], float]" = time,
        log: "Callable[[Mapping[str, Any]], None]" = lambda entry: None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        caching = settings.caching
        self.disk = None if caching.cache_dir == "off" else DiskCache(caching.cache_dir, caching.disk_bytes, log)
        self._stores: dict[str, Store] = {}
        self._latest: dict[str, Release] = {}  # the release that was last served, by address

    def load(self, text: str, spent: "dict[str, float]") -> LoadedModel:
        """Load the model at an address.

        :param text: the address.
        :param spent: the seconds that each step took are added to it.
        :raises FlyweightError: the store can't be read or its model is refused, and there is no last good model either.
        """
        address = self._address(text)
        known, age = self._read_note(address)
        last: Predictor | None = None
        if known is not None:
            try:
                last = self._from_disk(self._disk(address), known, spent)
            except ModelRefused:  # it is no longer trusted; the store may have another one
                pass
            if last is not None and 0.0 <= age < self._settings.caching.ttl_seconds:
                return self._served(address, last, known, age)
        began = perf_counter()
        try:
            release = self._resolve(address, known)
            _add(spent, "fetch", began)
            return self._open(address, release, spent)
        except FlyweightError as error:
            if last is None or known is None:
                raise
            return self._served(address, last, known, max(0.0, age), str(error))

    def refresh(self, text: str, current: LoadedModel, spent: "dict[str, float]") -> LoadedModel:
        """Load the model that the address names now; `current` itself if it is the same.

        :param text: the address.
        :param spent: the seconds that each step took are added to it.
        :raises FlyweightError: the store can't be read, or its model is refused; `current` stays.
        """
        address = self._address(text)
        known = current.release
        release = self._resolve(address, known)
        if known is not None and _same(release, known):
            self._write_note(address, release)
            return current
        return self._open(address, release, spent, self_test=True)

    def forget(self) -> None:
        """Drop the connections."""
        self._stores = {}

    def _resolve(self, address: "Address", known: "Release | None") -> "Release":
        """Ask the store for the current release; if an object's tag is unchanged, it is the known release with its hash.

        :raises StoreFailed: the store can't be read, or its answer is older than the known release.
        :raises ModelRefused: as `releases.resolve`.
        """
        release = releases.resolve(self._store(address), address)
        if known is not None and _older(release, known):
            raise StoreFailed(
                f"the store answered with an older state ({_described(release)}) than it had before ({_described(known)})"
            )
        if known is not None and not release.sha256 and release.tag == known.tag:
            return known
        return release

    def _open(self, address: "Address", release: "Release", spent: "dict[str, float]", self_test: bool = False) -> LoadedModel:
        """Load and verify the model of a release, from the disk or the store, and write the note.

        :param self_test: whether the model must answer its own sample as recorded.
        :raises ModelRefused: the model fails a check.
        :raises StoreFailed: as `releases.fetch`.
        """
        disk = self._disk(address)
        model = self._from_disk(disk, release, spent)
        if model is None:
            verification.check_pin(release.sha256, self._settings.verification.sha256)
            began, store = perf_counter(), self._store(address)
            data = releases.download(store, release)
            _add(spent, "fetch", began)
            release = self._verified(store, release, data, spent)
            model = self._parsed(data, release, spent)
            if disk is not None:
                disk.write(release.sha256, data)
        if self_test and not model.passes_self_test():
            raise ModelRefused(f"{_described(release)} does not answer its own sample as recorded")
        self._write_note(address, release)
        return self._served(address, model, release)

    def _from_disk(self, disk: "DiskCache | None", release: "Release", spent: "dict[str, float]") -> "Predictor | None":
        """Load the model of a release from the disk, and verify it; None if it is not there.

        :raises ModelRefused: the model is not trusted.
        """
        if disk is None or not release.sha256:
            return None
        began = perf_counter()
        data = disk.read(release.sha256)
        _add(spent, "verify", began)
        if data is None:
            return None
        self._verify(release)
        return self._parsed(data, release, spent)

    def _verified(self, store: "Store", release: "Release", data: bytes, spent: "dict[str, float]") -> "Release":
        """Verify downloaded bytes, and complete the release by their hash; for a plain object also by its digital signature.

        :raises ModelRefused: altered bytes, or a release that is not trusted.
        :raises StoreFailed: the digital signature can't be read.
        """
        began = perf_counter()
        release = release._replace(sha256=releases.verify(data, release))
        if self._settings.verification.public_keys and not release.name:
            value = releases.digital_signature(store, release._replace(sha256=""))
            release = release._replace(digital_signature=value)
        _add(spent, "verify", began)
        self._verify(release)
        return release

    def _parsed(self, data: "Any", release: "Release", spent: "dict[str, float]") -> Predictor:
        """Make a predictor of verified bytes.

        :raises ModelRefused: a check of the file fails, or its name is not the release's.
        """
        began = perf_counter()
        keys = self._settings.verification.public_keys
        if keys and not release.name:
            file = verification.signed_file(data, release.sha256, release.digital_signature, keys)
        else:
            file = model_file.parse(data)
        names = tuple(file.document.get(field) for field in ("name", "version"))
        if release.name and names != (release.name, release.version):
            raise ModelRefused(f"the file calls itself {preview('/'.join(map(str, names)))}, the store {_described(release)}")
        model = Predictor(file, self._settings.limits)
        _add(spent, "load", began)
        return model

    def _verify(self, release: "Release") -> None:
        """Verify the hash and the digital signature of a release, as far as the deployment requires them.

        :raises ModelRefused: another hash, or no valid digital signature by a trusted key.
        """
        verification.check_pin(release.sha256, self._settings.verification.sha256)
        keys = self._settings.verification.public_keys
        if keys and release.name:  # the name of a plain object is in its file: see `_parsed`
            verification.check(release.sha256, release.name, release.version, release.digital_signature, keys)

    def _served(
        self, address: "Address", model: Predictor, release: "Release", age: float = 0.0, trouble: str = ""
    ) -> LoadedModel:
        """Remember the release that is served, and make its LoadedModel."""
        self._latest[address.text] = release
        return LoadedModel(model, memory_of(model), release, age, trouble, may_change=address.kind != "version")

    def _read_note(self, address: "Address") -> "tuple[Release | None, float]":
        """Find the release that this or another process served last, and the seconds since the store named it (-1: unknown)."""
        disk = self._disk(address)
        note = disk.read_note(address.text) if disk is not None else {}
        ours = self._latest.get(address.text)
        try:
            release = _checked(Release(**note["release"]))
            age = self._clock() - float(note["checked"])
        except (KeyError, TypeError, ValueError):
            return ours, -1.0
        return (ours, -1.0) if ours is not None and _older(release, ours) else (release, age)

    def _write_note(self, address: "Address", release: "Release") -> None:
        disk = self._disk(address)
        if disk is not None:
            disk.write_note(address.text, {"release": release._asdict(), "checked": self._clock()})

    def _disk(self, address: "Address") -> "DiskCache | None":
        """Get the disk cache; None if it is off, or if the store is a folder."""
        return None if address.root.startswith("file:") else self.disk

    def _store(self, address: "Address") -> "Store":
        """Get the store of an address; the first call opens it.

        :raises StoreFailed: the store can't be opened.
        """
        store = self._stores.get(address.root)
        if store is None:
            timeouts = Timeouts(seconds=self._settings.caching.store_seconds)
            store = self._stores[address.root] = open_store(address.root, timeouts)
        return store

    def _address(self, text: str) -> "Address":
        """Parse an address.

        :raises ModelRefused: the text is not an address.
        """
        try:
            return addresses.parse(text)
        except ValueError as error:
            raise ModelRefused(str(error)) from None


def _checked(release: "Release") -> "Release":
    """Check a release that was read from a note.

    :raises TypeError: a field has another type.
    :raises ValueError: the hash is malformed.
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
    """Tell whether an alias went back to a smaller serial, as with a stale replica or a replay, or an object to an older time."""
    if release.serial or known.serial:
        return release.serial < known.serial
    return release.tag != known.tag and release.modified < known.modified


def _described(release: "Release") -> str:
    """Describe a release in a message: its name and version, or an object's time, and an alias's serial."""
    version = f"{release.name}/{release.version}" if release.name else f"the object of {release.modified:.0f}"
    return f"{version}, change {release.serial}" if release.serial else version


def _add(spent: "dict[str, float]", step: str, began: float) -> None:
    """Add the seconds since `began` to a step."""
    spent[step] = spent.get(step, 0.0) + perf_counter() - began
