"""A graph that was made elsewhere (`.onnx`, `.tflite`): what it takes and gives, and the file formats of graphs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Port:
    """An input or output of a graph: its name, the kind of its values as a signature names it, and its number of columns."""

    name: str
    kind: str
    width: int


@dataclass(frozen=True)
class Graph:
    """What a graph takes and gives.

    :param inputs: the inputs, in the graph's order.
    :param label: the output that holds labels, if there is one.
    :param numbers: the outputs that hold numbers.
    :param labels: the labels of a classifier in the order of its probabilities, if the graph names them.
    """

    inputs: list[Port]
    label: Port | None
    numbers: list[Port]
    labels: list[Any] | None


@dataclass(frozen=True)
class GraphFormat:
    """One file format of graphs.

    :param suffix: the suffix of its files, with the dot.
    :param engine: the engine that runs it.
    :param blob: the name under which a model file keeps the graph's bytes.
    :param package: the package that the engine needs in a function.
    :param read: a function from the graph's bytes, and one row of the sample by column or None, to its description.
    """

    suffix: str
    engine: str
    blob: str
    package: str
    read: Callable[[bytes, dict[str, Any] | None], Graph]
