"""A model file and a provider's name to a folder: handler, core, model and bytecode, the same bytes each time."""

import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import flyweight
from flyweight import predictor, settings
from flyweight.errors import FlyweightError
from flyweight.model_source import ModelSource
from flyweight.ops.own import MODULE
from flyweight.toolkit import resources, steps
from flyweight.toolkit.build import bytecode, requirements

MARKER = "flyweight.json"  # says what a folder was built from, and that `build` may replace it
MODEL = "model.safetensors"
# The second day that a zip file can hold (the first is 1979 west of Greenwich): archives then differ only where files do.
MOMENT = 315619200
# Left out of the core's copy: what never runs in a function, and bytecode of whatever Python has run here.
LEFT_OUT = shutil.ignore_patterns("toolkit", "__pycache__", "*.pyc", ".*_cache")


class BuildFailed(FlyweightError):
    """A folder that can't be built; nothing was changed, and `next_step` says what to do."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step


@dataclass(frozen=True)
class Built:
    """A built folder, and what it was built from.

    `python`: the version its bytecode is for, None without bytecode; `size`: the bytes of all its files; `requires`: what the
    model's engine needs beside them, as its requirements.txt lists it.
    """

    provider: str
    folder: Path
    model: str
    version: str
    sha256: str
    python: str | None
    files: int
    size: int
    requires: list[str]


def build(provider: str, model: str | Path, out: str | Path, *, python: str = "3.13", with_bytecode: bool = True) -> Built:
    """Make the folder `out`, which `sam deploy`, `gcloud functions deploy` or `func azure functionapp publish` takes as it is.

    :param model: a model file, or an address in a store, where the model then stays; the function needs obstore for most.
    :param python: the Python that the function will run on, as `3.13`.
    :param with_bytecode: whether to ship bytecode; without it each cold start compiles anew.
    :raises ModelRefused: the model file fails a check.
    :raises BuildFailed: no such provider, no such Python here, or `out` holds something else.
    :raises OSError: the model can't be read, or `out` can't be written.
    """
    if provider not in resources.providers():
        raise BuildFailed(f"there is no provider {provider!r}", next_step=f"choose one of {', '.join(resources.providers())}")
    out = Path(out).resolve()
    _check_replaceable(out)
    address = str(model) if "://" in str(model) else ""
    loaded = stored(address) if address else predictor.load(str(model))
    interpreter = bytecode.interpreter(python) if with_bytecode else None
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        shutil.copytree(resources.folder("handlers") / provider, draft, ignore=LEFT_OUT, dirs_exist_ok=True)
        shutil.copytree(Path(flyweight.__file__).parent, draft / "flyweight", ignore=LEFT_OUT)
        if address:
            (draft / settings.ADDRESS_FILE).write_text(f"{address}\n")
        else:
            (draft / MODEL).write_bytes(loaded.file.data)  # what was checked, and not what may lie there by now
        requires = requirements.add(draft / "requirements.txt", loaded.file.document, address)
        own = steps.source()
        if own is not None:
            shutil.copyfile(own, draft / f"{MODULE}.py")
        source = {"model": loaded.name, "version": loaded.version, "sha256": loaded.file.sha256}
        made_by = {"flyweight": flyweight.__version__, "provider": provider, "python": python if interpreter else None}
        (draft / MARKER).write_text(json.dumps({**made_by, **source}, indent=2) + "\n")
        if interpreter:
            bytecode.compile_tree(draft, interpreter)
        files, size = _settle(draft)
        _put_in_place(draft, out)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return Built(provider, out, python=made_by["python"], files=files, size=size, requires=requires, **source)


def stored(address: str) -> predictor.Predictor:
    """The model at an address in a store, as it is now.

    :raises FlyweightError: it can't be had, or it is refused.
    """
    deployment = settings.Settings(address, caching=settings.Caching(cache_dir="off"))
    return ModelSource(deployment).load(address, {}).predictor


def document(built: Built) -> dict[str, object]:
    """What was built, for JSON."""
    return {**asdict(built), "folder": str(built.folder)}


def _check_replaceable(out: Path) -> None:
    if out.is_dir() and (not any(out.iterdir()) or (out / MARKER).is_file()):
        return
    if out.exists():
        reason = f"{out} is there already, and flyweight did not build it"
        raise BuildFailed(reason, next_step="choose another folder, or remove it yourself")


def _settle(draft: Path) -> tuple[int, int]:
    """Give every file one moment and the rights that a function's user needs, whatever the builder's umask; count them."""
    files, size = 0, 0
    for path in [*draft.rglob("*"), draft]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (MOMENT, MOMENT))
        if path.is_file():
            files, size = files + 1, size + path.stat().st_size
    return files, size


def _put_in_place(draft: Path, out: Path) -> None:
    """Rename the draft to `out`; what was there goes aside first and is removed last, so that no moment holds half a folder."""
    if not out.exists():
        draft.rename(out)
        return
    aside = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.old."))
    out.rename(aside / out.name)
    try:
        draft.rename(out)
    except OSError:
        (aside / out.name).rename(out)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
