"""The verbs of the command line as functions, for notebooks and programs: the same work with the same defaults.

A model is the path of a model file, its address in a store, or what `flyweight.pack` returned for a path.
"""

from __future__ import annotations

import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyweight.toolkit.errors import BuildFailed, ToolkitError, naming_extras

if TYPE_CHECKING:
    from flyweight.toolkit.building import Built
    from flyweight.toolkit.packing.pack import Packed
    from flyweight.toolkit.publishing.registry import Pushed
    from flyweight.toolkit.running.batch import Scored
    from flyweight.toolkit.running.measure import Figures
    from flyweight.toolkit.running.server import Server

Progress = Callable[[str, int, int], None]  # stage, done, total

ALIASES = ("latest",)


class NotAFile(ToolkitError):
    """A packed model that was not written to a file."""


@naming_extras
def build(
    target: str,
    model: str | Path | Packed,
    out: str | Path | None = None,
    *,
    python: str = "3.13",
    arch: str | None = None,
    form: str = "folder",
    install: bool = True,
    constraint: str | Path | None = None,
    handler: str | Path | None = None,
    every_op: bool = False,
    keys: Sequence[str] = (),
    protocols: Sequence[str] = (),
    base: str = "",
    with_bytecode: bool = True,
    progress: Progress = lambda stage, done, total: None,
) -> Built:
    """Build the folder that a target's own tool deploys, as `flyweight build` does.

    :param target: aws, gcp or azure.
    :param out: the folder to build; None for build/TARGET.
    :param python: the Python version of the function.
    :param arch: `x86_64` or `arm64`; None for the target's first.
    :param form: `folder`; `zip` or `layer`, written next to it; `image`, with a Dockerfile in it; `oci`, an image's
        layout next to it.
    :param install: whether to install the engine's packages into the folder.
    :param constraint: a file with versions of packages to use.
    :param handler: the folder of your own handler.
    :param every_op: whether to include every op, for models that the function loads from elsewhere.
    :param keys: public keys, by one of which the model must be signed.
    :param protocols: names of protocols to include beside the target's own; `all` for each that exists.
    :param base: the OCI layout of the image below that of the form `oci`, or the image that the Dockerfile begins from.
    :param with_bytecode: whether to include bytecode; without it each cold start compiles the sources.
    :raises ModelRefused: the model file fails a check.
    :raises ToolkitError: the target does not exist, or can't be built.
    """
    from flyweight.toolkit import building

    return building.build(
        target, _path_of(model), out or Path("build") / target, python=python, with_bytecode=with_bytecode, arch=arch, form=form,
        install=install, constraint=_optional(constraint), handler=_optional(handler), every_op=every_op, keys=tuple(keys),
        protocols=tuple(protocols), base=base, advance=progress,
    )  # fmt: skip


@naming_extras
def invoke(
    target: str,
    *,
    model: str | Path | Packed | None = None,
    folder: str | Path | None = None,
    event: Any = "predict",
    runs: int = 1,
    repeat: int = 0,
    python: str = sys.executable,
    environ: Mapping[str, str] = {},
    client: str = "platform",
) -> Figures:
    """Run a function on an event in its target's real runtime on this machine, as `flyweight invoke` does.

    :param target: aws, gcp or azure.
    :param model: a model, which is built into a temporary folder; or else
    :param folder: the folder to run, from `build` or your own.
    :param event: the event itself, a file that holds it, or a name of `flyweight events ls`, which gets a row of the model.
    :param runs: fresh processes to start, for the median cold start.
    :param repeat: further calls of the last process.
    :param python: the Python interpreter to use.
    :param environ: environment variables of the function.
    :param client: what runs the function: `platform`, or `own` for flyweight's own client on AWS.
    :returns: the answer, its times and the peak memory.
    :raises NoSample: no event has this name.
    :raises RuntimeFailed: the runtime is not installed, or the function does not answer.
    :raises ToolkitError: the folder was built for another target, or has packages for another Python or processor.
    """
    from flyweight.toolkit import building, targets
    from flyweight.toolkit.building.bytecode import version_of
    from flyweight.toolkit.running.measure import measure

    _check_source(target, model, folder, python)
    place = None if model is None else _path_of(model)
    content = _event(target, event, place, folder) if isinstance(event, (str, Path)) else event
    kind = targets.find(target).runtime
    variables = {**kind.settings(content), **kind.client(client), **environ}
    with tempfile.TemporaryDirectory() as temporary:
        if place is not None:
            folder = building.build(target, place, Path(temporary) / target, python=version_of(python)).folder
        return measure(target, Path(folder or ""), content, runs=runs, repeat=repeat, python=python, environ=variables)


def run_job(
    target: str,
    *,
    model: str | Path | Packed | None = None,
    folder: str | Path | None = None,
    python: str = sys.executable,
    environ: Mapping[str, str] = {},
) -> Scored:
    """Score a model's own sample with the job of a target that answers no requests, as `flyweight invoke` does for it.

    The parameters are those of `invoke`.

    :returns: the predictions, and whether they are the recorded ones.
    :raises RuntimeFailed: the engine is not installed, or the job fails.
    :raises ToolkitError: the folder was built for another target, or has packages for another Python or processor.
    """
    from flyweight.toolkit import building
    from flyweight.toolkit.building.bytecode import version_of
    from flyweight.toolkit.running.batch import score

    _check_source(target, model, folder, python)
    with tempfile.TemporaryDirectory() as temporary:
        if model is not None:
            folder = building.build(target, _path_of(model), Path(temporary) / target, python=version_of(python)).folder
        return score(target, Path(folder or ""), python=python, environ=environ)


@naming_extras
def serve(model: str | Path | Packed, host: str = "127.0.0.1", port: int = 8080, *, background: bool = False) -> Server:
    """Serve a model over HTTP until Ctrl-C, as `flyweight serve` does, or in the background until `close`.

    In a notebook: `with flyweight.serve(model, port=0, background=True) as server: ...server.url...`

    :param port: 0 chooses a free one.
    :param background: whether to return at once, while a thread answers.
    :raises ModelRefused: the model file fails a check.
    :raises ModelUnavailable: it can't be read.
    """
    from flyweight.toolkit.running.server import Server

    server = Server(_path_of(model), host, port)
    if background:
        server.start()
        return server
    try:
        server.run()
    finally:
        server.close()
    return server


@naming_extras
def push(
    model: str | Path | Packed,
    store: str | Path,
    *,
    aliases: Sequence[str] = ALIASES,
    key: str | Path | None = None,
    yes: bool = False,
    progress: Progress = lambda stage, done, total: None,
) -> Pushed:
    """Check a model file and add it to the registry at a store, as `flyweight push` does.

    :param store: s3://, gs:// or az:// with a bucket and a folder, or a local folder.
    :param aliases: what is pointed to this version.
    :param key: a PEM file with the private key to sign with.
    :param yes: whether to go on if callers of an alias will meet another signature.
    :raises SchemaChanged: they would, and `yes` is false; nothing is written.
    :raises ModelRefused: the file can't be loaded.
    :raises RegistryRefused: the version exists with other bytes, or a name is not valid.
    :raises ToolkitError: the packages of the extra `toolkit` are not installed.
    """
    try:
        from flyweight.toolkit.cli import _agreement
    except SystemExit:  # the command line's own answer to that, which would end the caller's program
        from flyweight.toolkit import installation

        step = installation.command("toolkit")
        raise ToolkitError(f"flyweight.push needs more than the core: {step}", step) from None
    from flyweight.toolkit.publishing import registry
    from flyweight.toolkit.publishing.catalogue import file_at
    from flyweight.toolkit.publishing.signature_changes import SchemaChanged

    path, place = Path(_path_of(model)), registry.at(str(store))
    document = file_at(str(path)).document
    for alias in aliases:
        try:
            _agreement.ask_for_alias(place, alias, document, yes, as_json=True)
        except SchemaChanged as changed:
            raise SchemaChanged(str(changed), "read the changes, tell the callers, and give yes=True to go on") from None
    return place.push(path, aliases, _optional(key), progress)


def _check_source(target: str, model: str | Path | Packed | None, folder: str | Path | None, python: str) -> None:
    """Check that there is either a model or a folder, and that the folder is for this use.

    :raises ToolkitError: there are both or neither, or the folder is for another use, or holds no program.
    """
    from flyweight.toolkit.building.bytecode import version_of
    from flyweight.toolkit.targets.package import MARKER, unfit

    if (folder is None) == (model is None):
        raise ToolkitError("expected either a model or a folder to run", "give one of both: model= or folder=")
    if folder is not None and (fault := unfit(Path(folder), target, version_of(python), platform.machine())):
        raise ToolkitError(fault, f"build it for this use: flyweight build {target} --model FILE")
    if folder is not None and not (Path(folder) / MARKER).is_file() and not any(Path(folder).glob("*.py")):
        step = f"build one: flyweight build {target} --model FILE -o FOLDER; or give a folder with a handler of your own"
        raise ToolkitError(f"{folder} is not a built folder, and has no Python file to run", step)


def _event(target: str, event: str | Path, model: str | None, folder: str | Path | None) -> Any:
    """Read an event. One of a name carries an instance of the model; a file is taken as it is.

    :raises NoSample: no event has this name.
    """
    from flyweight.toolkit.building.folder import model_of
    from flyweight.toolkit.events import samples
    from flyweight.toolkit.publishing.catalogue import file_at

    if Path(event).is_file():
        return samples.read(target, str(event))
    try:
        place = model or model_of(Path(folder or ""))
    except BuildFailed:  # a folder of the user's own: only its handler knows what it takes
        return samples.read(target, str(event))
    return samples.fitted(target, str(event), file_at(place).document)


def _path_of(model: str | Path | Packed) -> str:
    """Get the path or the address of a model.

    :raises NotAFile: it was packed without a path.
    """
    if isinstance(model, (str, Path)):
        return str(model)
    if model.path is None:
        raise NotAFile(f"the model {model.name} was packed without a path, so that there is no file", "give `pack` a path")
    return str(model.path)


def _optional(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
