"""Makers of candidates: one file an engine, found by listing this folder. A new engine edits no existing file.

A new engine is one file in `flyweight/engines/`, which runs model files, and one file of the same name here, which makes them.
A file here that turns estimators into what its engine runs has

- `ORDER`: an int. Engines are tried in this order, which is that of their cold starts: the lowest starts soonest.
- `candidates(model)`: a function from a `SourceModel` to an iterator of `Candidate`, the best first. It raises `EngineSkipped`
  where the engine can't run the estimator.
- `refusal(classes, functions)`, optional: a function that says why the engine runs no estimator that is made of these classes and
  functions, "" if it may run one. They are names, since `flyweight inspect` asks without having the estimator.
- `OPT_IN`, optional: a text. The engine is tried only if the caller allows it; the text says how, and what that means.
- `NARROWS`, optional: True if the engine may answer missing values otherwise than the estimator. Then parity may be proved
  again without missing values, and the file refuses them.
- `load(file)`, optional: a function from a `ModelFile` to an `Engine`, for an engine that refuses to load a file without a
  permission that the caller of `pack` has given already.

A file here whose engine runs a file format of its own, as `.onnx`, has `GRAPH_FORMAT`: a `GraphFormat`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flyweight.engines import Engine
    from flyweight.models.file import ModelFile
    from flyweight.toolkit.packing.candidate import Candidate
    from flyweight.toolkit.packing.graph import GraphFormat
    from flyweight.toolkit.packing.source_model import SourceModel


@dataclass(frozen=True)
class CandidateMaker:
    """What a file of this folder offers for one engine; the module's documentation describes each field."""

    engine: str
    order: int
    candidates: Callable[[SourceModel], Iterator[Candidate]]
    opt_in: str = ""
    narrows: bool = False
    load: Callable[[ModelFile], Engine] | None = None
    refusal: Callable[[Sequence[str], Sequence[str]], str] = lambda classes, functions: ""


@cache
def makers() -> dict[str, CandidateMaker]:
    """Find the makers of candidates.

    :returns: makers by the name of their engine, in the order in which engines are tried.
    """
    unsorted = [
        CandidateMaker(
            name,
            module.ORDER,
            module.candidates,
            getattr(module, "OPT_IN", ""),
            getattr(module, "NARROWS", False),
            getattr(module, "load", None),
            getattr(module, "refusal", CandidateMaker.refusal),
        )
        for name, module in _modules()
        if hasattr(module, "candidates")
    ]
    return {maker.engine: maker for maker in sorted(unsorted, key=lambda maker: maker.order)}


def likely(classes: Sequence[str], functions: Sequence[str]) -> tuple[str | None, dict[str, str]]:
    """Find the engine that is taken for an estimator if it answers alike, by the names of its classes and functions alone.

    :param classes: as `package.Class`.
    :param functions: what its `FunctionTransformer`s call, as `module.name`.
    :returns: the engine, None if none exists; and why not those that are tried before it.
    """
    refused: dict[str, str] = {}
    for maker in makers().values():
        reason = maker.opt_in or maker.refusal(classes, functions)
        if not reason:
            return maker.engine, refused
        refused[maker.engine] = reason
    return None, refused


def graph_formats() -> dict[str, GraphFormat]:
    """Find the file formats that engines run as they are.

    :returns: formats by the suffix of their files, with its dot.
    """
    formats = [module.GRAPH_FORMAT for _, module in _modules() if hasattr(module, "GRAPH_FORMAT")]
    return {form.suffix: form for form in formats}


def _modules() -> Iterator[tuple[str, ModuleType]]:
    """Import every public module of this folder, and yield it with its name."""
    for module in iter_modules(__path__):
        if not module.name.startswith("_"):
            yield module.name, import_module(f"{__name__}.{module.name}")
