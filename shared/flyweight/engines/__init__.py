"""The engines, one file each, and the table that finds one by the name that a model file gives.

An engine module offers `Engine(file: ModelFile)`, which refuses a file that it can't run, and `Engine.outputs(rows)`.
"""

from flyweight.errors import ModelRefused, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from flyweight.model_file import ModelFile

    class Engine(Protocol):
        """What executes a model file."""

        widths: dict[str, int]  # output -> its columns
        choices: list[int] | None  # among how many classes each column of the output "index" chooses

        def outputs(self, rows: list[list[Any]]) -> list[dict[str, list[Any]]]:
            """Per row, each output of the plan by name."""
            ...


ENGINES = {"pure": "flyweight.engines.pure"}


def engine_for(file: "ModelFile") -> "Engine":
    """The first engine that the file names and that is here.

    :raises ModelRefused: none is, or the file fails the engine's checks.
    """
    names = file.document.get("engines")
    for name in names if isinstance(names, list) else []:
        if isinstance(name, str) and name in ENGINES:
            engine: Engine = __import__(ENGINES[name], fromlist=["Engine"]).Engine(file)
            return engine
    raise ModelRefused(f"the file names the engines {shown(names)}; this flyweight has {', '.join(ENGINES)}")
