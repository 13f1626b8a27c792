"""Pull models from a registry or a store, piece by piece, and keep the last ones that answered their own samples.

`models.json` in the folder names the model that answers and the one before; it is replaced as a whole, after the model's own file
is on the disk. A download goes on where it was cut, also in another process. A model during whose trial the process ended three
times is not tried again.
"""

import os

from flyweight import strict_json
from flyweight.errors import ModelRefused, StoreFailed
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.registry import addresses, releases, verification
from flyweight.stores import Timeouts, open_store
from flyweight.stores.sha256 import sha256 as digest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.settings import Settings
    from flyweight.stores import Store
    from flyweight.values import Release

PIECE = 256 * 1024  # bytes fetched at a time, which a slow line carries in time
MODEL, PART = ".safetensors", ".part"
TRIALS = 3
STATE = "models.json"


class Models:
    """The models of one device.

    :param folder: is made.
    :param address: of the model that is followed; "": none.
    """

    def __init__(self, folder: str, address: str) -> None:
        self._folder, self.address = folder, address
        self._store: Store | None = None
        self.trouble = ""

    def state(self) -> "dict[str, Any]":
        """Read which models there are: `current` and `previous` (releases), `refused` (from a hash to a reason), `trial`."""
        try:
            with open(f"{self._folder}/{STATE}", "rb") as file:
                state = strict_json.parse(file.read())
        except (OSError, ValueError):
            state = {}
        found = state if isinstance(state, dict) and state.get("address") == self.address else {}
        return {"address": self.address, "current": {}, "previous": {}, "refused": {}, "trial": {}, **found}

    def newest(self) -> str:
        """Return the path of the last model that answered its own sample and is whole; "" if none exists."""
        if not self.address:
            return ""
        state = self.state()
        for release in (state["current"], state["previous"]):
            path = self._path(release.get("sha256", ""))
            try:
                if release and verification.digest(model_file.contents(path)) == release["sha256"]:
                    return path
            except OSError:
                continue
        return ""

    def pull(self, settings: "Settings", goes_on: "Callable[[], bool]" = lambda: True) -> str:
        """Fetch the model that the address names now, and try it.

        :param settings: the limits of models and the signatures that they need.
        :param goes_on: is asked before each piece; the download stops where it says no.
        :returns: the path of a new model that answered its own sample; "" if nothing has changed, or the download is not over.
        :raises StoreFailed: the store can't be read, or answers with an older state.
        :raises ModelRefused: the model is refused, or does not answer its own sample; it is not fetched again.
        :raises OSError: the disk fails.
        """
        address, store = addresses.parse(self.address), self._opened(settings)
        release = releases.resolve(store, address)
        state = self.state()
        current = state["current"]
        if release.serial < current.get("serial", 0):
            raise StoreFailed(f"the store answered with change {release.serial}, an older state than {current['serial']}")
        mark = release.sha256 or digest_of(release.tag.encode()).hexdigest()
        if mark in state["refused"]:
            raise ModelRefused(state["refused"][mark])
        if mark == current.get("mark"):
            if release.serial != current["serial"]:
                self._write({**state, "current": {**current, "serial": release.serial}})
            return ""
        part = self._path(mark, PART)
        sha256 = release.sha256 or (state["previous"].get("sha256", "") if state["previous"].get("mark") == mark else "")
        source = self._path(sha256) if sha256 and os.path.exists(self._path(sha256)) else part
        if source == part and not self._fetched(store, release, part, goes_on):
            return ""
        self._begin_trial(state, mark)
        try:
            release = self._tried(store, release, source, settings)
        except (StoreFailed, OSError):
            raise
        except Exception as error:
            self._refuse(mark, str(error) or type(error).__name__, source)
            raise
        return self._commit(release, mark, source)

    def _opened(self, settings: "Settings") -> "Store":
        """Open the store; it is opened once."""
        if self._store is None:
            timeouts = Timeouts(seconds=settings.caching.store_seconds)
            self._store = open_store(addresses.parse(self.address).root, timeouts)
        return self._store

    def _fetched(self, store: "Store", release: "Release", part: str, goes_on: "Callable[[], bool]") -> bool:
        """Continue a download, and tell whether it is over.

        :raises StoreFailed: the line is cut, or the object was replaced.
        """
        os.makedirs(self._folder, 0o700, exist_ok=True)
        for name in os.listdir(self._folder):
            if name.endswith(PART) and f"{self._folder}/{name}" != part:
                os.unlink(f"{self._folder}/{name}")
        meta = store.head(release.key)
        if meta.size != release.size or meta.size > model_file.MAX_FILE_BYTES:
            raise ModelRefused(f"{release.key} has {meta.size} bytes, expected {release.size}")
        with open(part, "ab") as file:
            if file.tell() > meta.size:
                file.truncate(0)
            while file.tell() < meta.size:
                if not goes_on():
                    return False
                file.write(store.read(release.key, meta, file.tell(), PIECE))
                file.flush()
            os.fsync(file.fileno())
        return True

    def _begin_trial(self, state: "dict[str, Any]", mark: str) -> None:
        """Note that a model is about to be tried.

        :raises ModelRefused: it was tried too often without a result.
        """
        tries = state["trial"].get("tries", 0) if state["trial"].get("mark") == mark else 0
        if tries >= TRIALS:
            reason = f"{tries} trials of the model had no end: the process was ended, or the bytes were altered"
            self._refuse(mark, reason, self._path(mark, PART))
            raise ModelRefused(reason)
        self._write({**state, "trial": {"mark": mark, "tries": tries + 1}})

    def _tried(self, store: "Store", release: "Release", path: str, settings: "Settings") -> "Release":
        """Verify a model's bytes and its signature, and let it answer its own sample.

        :returns: the release with its hash and its signature.
        :raises ModelRefused: it fails.
        :raises StoreFailed: the bytes are not those that the store promised, or the signature can't be read.
        """
        data, verified = model_file.contents(path), settings.verification
        try:
            release = release._replace(sha256=releases.verify(data, release))  # type: ignore[arg-type]  # a map of bytes, as good as bytes
        except (
            ModelRefused
        ) as error:  # the disk or the line may have altered it: it is fetched again, as often as it may be tried
            os.unlink(path)
            raise StoreFailed(f"{error}; it is fetched again", transient=True) from None
        verification.check_pin(release.sha256, verified.sha256)
        told: Any = release.digital_signature
        if verified.public_keys:
            told = told if release.name else releases.digital_signature(store, release._replace(sha256=""))
            told = {**told, "name": release.name, "version": release.version} if told and release.name else told
            file = verification.signed_file(data, release.sha256, told, verified.public_keys)
        else:
            file = model_file.parse(data)
        names = tuple(str(file.document.get(field)) for field in ("name", "version"))
        if release.name and names != (release.name, release.version):
            raise ModelRefused(f"the file calls itself {'/'.join(names)}, the store {release.name}/{release.version}")
        if not Predictor(file, settings.limits).passes_self_test():
            raise ModelRefused(f"{'/'.join(names)} does not answer its own sample as recorded")
        return release._replace(name=names[0], version=names[1], digital_signature=told)

    def _commit(self, release: "Release", mark: str, source: str) -> str:
        """Let a model be the one that answers, from now on and after each start; remove those that nothing names.

        :returns: its path.
        """
        path = self._path(release.sha256)
        if release.digital_signature:
            _write_whole(f"{path}.sig", strict_json.encode(release.digital_signature))
        if source != path:
            os.replace(source, path)
            _synchronise(self._folder)
        state = self.state()
        current = {field: getattr(release, field) for field in ("name", "version", "sha256", "serial", "size")} | {"mark": mark}
        kept = {"current": current, "previous": state["current"], "trial": {}}
        self._write({**state, **kept})
        names = {one.get("sha256", "") for one in (current, state["current"])}
        for name in os.listdir(self._folder):
            if name.partition(".")[0] not in names and (MODEL in name or name.endswith(PART)):
                os.unlink(f"{self._folder}/{name}")
        return path

    def _refuse(self, mark: str, reason: str, path: str) -> None:
        """Remember that a model is not to be fetched again, and remove it."""
        state = self.state()
        refused = dict([*state["refused"].items(), (mark, reason)][-20:])
        self._write({**state, "refused": refused, "trial": {}})
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass

    def _write(self, state: "dict[str, Any]") -> None:
        os.makedirs(self._folder, 0o700, exist_ok=True)
        _write_whole(f"{self._folder}/{STATE}", strict_json.encode(state))

    def _path(self, name: str, end: str = MODEL) -> str:
        return f"{self._folder}/{name}{end}"


def _write_whole(path: str, data: bytes) -> None:
    """Write a file that is there as a whole or not at all, also after a loss of power."""
    draft = f"{path}.new"
    with open(draft, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    _synchronise(os.path.dirname(path))


def _synchronise(folder: str) -> None:
    """Write a folder's entries to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
