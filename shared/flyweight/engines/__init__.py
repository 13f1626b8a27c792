"""The engines, one file each, and the table that finds one by the name that a model file gives.

An engine module offers `Engine(file: ModelFile)`, which refuses a file that it can't run, and `Engine.outputs(rows, names)`.
"""

import sys

from flyweight.errors import ModelRefused, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from flyweight.model_file import ModelFile

    class Engine(Protocol):
        """What executes a model file."""

        widths: dict[str, int]  # output -> its columns
        choices: list[int] | None  # among how many classes each column of the output "index" chooses

        def outputs(self, rows: list[list[Any]], names: tuple[str, ...]) -> dict[str, list[list[Any]]]:
            """Each of these outputs by name, one list an instance."""
            ...


ENGINES = {"pure": "flyweight.engines.pure", "numpy": "flyweight.engines.numpy"}


def engine_for(file: "ModelFile") -> "Engine":
    """The first engine that the file names and that is here.

    :raises ModelRefused: none is, or the file fails the engine's checks.
    """
    names, absent = file.document.get("engines"), []
    for name in names if isinstance(names, list) else []:
        if isinstance(name, str) and name in ENGINES:
            try:
                engine: Engine = __import__(ENGINES[name], fromlist=["Engine"]).Engine(file)
            except ImportError as error:
                absent.append(f"{name} needs {error.name}, which is not installed here")
            else:
                return engine
    known = "; ".join(absent) or f"this flyweight has {', '.join(ENGINES)}"
    raise ModelRefused(f"the file names the engines {shown(names)}; {known}")


class Batches:
    """Which of a model's requests go to the numpy engine: those of so many rows that it gains more than it costs.

    The file tells from how many, as measured when it was packed: `from` where NumPy is loaded, `from_cold` where this
    request would have to import it. A file without that, or a machine without NumPy, has no such requests.
    """

    def __init__(self, file: "ModelFile", engine: "Engine") -> None:
        self._file, self._plan = file, getattr(engine, "plan", None)
        self._engine: Engine | None = None
        told = file.document.get("batch")
        told = told if isinstance(told, dict) and self._plan is not None else {}
        self._warm, self._cold = (
            count if type(count) is int and count > 0 else sys.maxsize for count in (told.get("from"), told.get("from_cold"))
        )

    def engine(self, rows: int) -> "Engine | None":
        """The engine for a request of so many rows; None for the file's first engine."""
        if rows < self._warm or (rows < self._cold and "numpy" not in sys.modules):
            return None
        if self._engine is None:
            try:
                self._engine = __import__("flyweight.engines.numpy", fromlist=["Engine"]).Engine(self._file, self._plan)
            except ImportError:
                self._warm = sys.maxsize
        return self._engine
