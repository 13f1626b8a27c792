"""Execute model files: one module an engine, found by the name that a model file has for it.

An engine module has a class `Engine`, made from a `ModelFile`, which refuses a file that it can't run.
"""

import sys
from time import perf_counter

from flyweight.errors import ModelRefused, preview
from flyweight.settings import variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from flyweight.models.file import ModelFile

    class Engine(Protocol):
        """A model file ready to run.

        `widths` has the columns of each output; `choices` the number of classes of each column of the output "index".

        :raises ModelRefused: the engine can't run the file.
        """

        def __init__(self, file: ModelFile) -> None: ...

        widths: dict[str, int]
        choices: list[int] | None

        def outputs(self, rows: list[list[Any]], names: tuple[str, ...]) -> list[list[list[Any]]]:
            """Compute the named outputs in their order, each as one list a row.

            :param rows: one list of values a row, in the order of the signature's features.
            :raises InvalidInput: the model refuses a row.
            """
            ...


MAX_ENGINES = 20  # as many of a file's names are tried


def find(name: str) -> "type[Engine] | None":
    """Import the engine of that name; None if this flyweight or this folder has none.

    :raises ImportError: the engine is there, but a library that it needs is not.
    """
    # an identifier can't leave this package; `_` first would be a private module
    if not (name.isidentifier() and name.isascii() and not name.startswith("_")):
        return None
    path = f"{__name__}.{name}"
    try:
        module = __import__(path, fromlist=["Engine"])
    except ModuleNotFoundError as error:
        if error.name == path:
            return None
        raise
    engine: type[Engine] | None = getattr(module, "Engine", None)
    return engine


def engine_for(file: "ModelFile") -> "Engine":
    """Make the first engine that the file names and that can run here.

    :raises ModelRefused: no named engine can run here, or the file fails the engine's checks.
    :raises ImportError: a module of flyweight's own is missing.
    """
    names, reasons, next_step = file.document.get("engines"), [], ""
    for name in names[:MAX_ENGINES] if isinstance(names, list) else []:
        if not isinstance(name, str):
            continue
        try:
            engine = find(name)
            if engine is not None:
                return engine(file)
        except ImportError as error:
            if (error.name or "").startswith("flyweight"):
                raise  # a fault of ours, and nothing that could be installed
            reasons.append(f"{name} needs {error.name or error}, which is not installed here")
            next_step = next_step or "install it here, or pack the model for an engine that needs less"
        else:
            from flyweight.ops import NOT_HERE

            next_step = NOT_HERE
            reasons.append(f"{preview(name)} is not in this folder")
    raise ModelRefused(f"the file names the engines {preview(names)}; {'; '.join(reasons) or 'none can be used'}", next_step)


# From this many rows on NumPy, once loaded, is faster on every model with batch forms that `benchmarks/batches.py` measures.
BATCH = 32
# The time that importing NumPy takes, in seconds: a request spends it only where its own rows would take longer without NumPy.
IMPORT_SECONDS = 0.1


class Batches:
    """A model's first engine for few rows, and the numpy engine for many, if the file names it and NumPy is installed.

    Where FLYWEIGHT_ARRAYS is set, it is the engine of that namespace for many.

    :raises ModelRefused: that engine refuses the file.
    """

    def __init__(self, file: "ModelFile", engine: "Engine") -> None:
        self._file, self._first, self._batch = file, engine, engine
        self._plan = getattr(engine, "plan", None)
        listed = self._plan is not None and "numpy" in file.document["engines"]
        # whether the numpy engine is worth making, and not made yet
        self._waits = listed and any([hasattr(op, "batch") and not hasattr(op, "looped") for op in self._plan.ops])  # type: ignore[union-attr]
        if variable("FLYWEIGHT_ARRAYS"):
            module = __import__("flyweight.engines._arrays", fromlist=["Engine"])
            self._batch, self._waits = module.Engine(file, self._plan), False

    def outputs(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "list[list[list[Any]]]":
        """Compute the named outputs as `Engine.outputs` does; `rows` may be an array where `takes_arrays` says so."""
        if len(rows) < BATCH:
            return self._first.outputs(rows if isinstance(rows, list) else rows.tolist(), names)
        if self._waits and ("numpy" in sys.modules or self._seconds(rows, names) > IMPORT_SECONDS):
            try:
                self._batch = __import__("flyweight.engines.numpy", fromlist=["Engine"]).Engine(self._file, self._plan)
            except ImportError:  # then the first engine serves batches too
                pass
            self._waits = False  # last: a thread that sees False must see the new engine as well
        return self._batch.outputs(rows, names)

    def takes_arrays(self, count: int) -> bool:
        """Say whether a request of `count` rows goes to the numpy engine, so that they are read as one array."""
        return count >= BATCH and "numpy" in sys.modules and (self._waits or self._batch is not self._first)

    def _seconds(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> float:
        """Estimate the first engine's time for all rows, in seconds, from its time for the first ones."""
        began = perf_counter()
        self._first.outputs(rows[:BATCH], names)
        return (perf_counter() - began) * len(rows) / BATCH
