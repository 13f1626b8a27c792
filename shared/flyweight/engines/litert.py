"""Run `.tflite` files in the LiteRT interpreter: tables of float32 in, tables of float32 out."""

from threading import Lock

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from flyweight import settings
from flyweight.engines import _foreign
from flyweight.errors import ModelRefused, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.file import ModelFile


class Engine(_foreign.Engine):
    """The engine that runs a flatbuffer whose inputs are tables of numbers.

    The document's entry `litert` has `inputs`, for each input of the model the positions of the features that it takes, and
    `outputs`, for each output of ours its `width` and the model's `name` for it. `index` is the place of the largest probability.

    :raises ModelRefused: LiteRT refuses the model, or the entry does not fit it.
    """

    KEY, BLOB = "litert", "tflite"
    REFUSALS = (ValueError, RuntimeError)

    def __init__(self, file: "ModelFile") -> None:
        super().__init__(file)
        self._interpreter = interpreter(_foreign.blob(file, self.BLOB))
        self._lock, self._rows = Lock(), 0
        takes = {detail["name"]: detail for detail in self._interpreter.get_input_details()}
        gives = {detail["name"]: detail for detail in self._interpreter.get_output_details()}
        inputs = self.spec.get("inputs")
        if "s" in self.signature.kinds or not isinstance(inputs, dict) or {*inputs} != {*takes}:
            raise ModelRefused(f"the model takes {preview(', '.join(takes))}, and the file does not say from which features")
        self._inputs = [(takes[name], self._checked(takes[name], positions)) for name, positions in inputs.items()]
        self._names = self.named_outputs()
        if (
            not {*gives} >= {*self._names.values()}
            or {*self.widths} - {*self._names} - {"index"}
            or "index" in self._names
            or ("index" in self.widths and "probabilities" not in self._names)
        ):
            raise ModelRefused("the model does not give the outputs that the file names")
        self._places = {name: gives[place]["index"] for name, place in self._names.items()}
        self.try_out(file)

    def answers(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "dict[str, Any]":
        """Return the named outputs as arrays; one call at a time, since an interpreter holds its tensors."""
        tables = []
        for detail, positions in self._inputs:
            with np.errstate(over="ignore"):
                cells = np.array([[row[position] for position in positions] for row in rows], dtype=float).astype("float32")
            tables.append((detail["index"], cells))
        with self._lock:
            if len(rows) != self._rows:
                self._rows = 0  # until all are resized
                for index, cells in tables:
                    self._interpreter.resize_tensor_input(index, cells.shape)
                self._interpreter.allocate_tensors()
                self._rows = len(rows)
            for index, cells in tables:
                self._interpreter.set_tensor(index, cells)
            self._interpreter.invoke()
            tensors = {name: self._interpreter.get_tensor(place) for name, place in self._places.items()}
        return {name: self._read(name, tensors) for name in names}

    def _checked(self, detail: "Any", positions: "Any") -> "list[int]":
        """Check one input of the model against the features that the file names for it.

        :raises ModelRefused: it is not a table of float32 of that width.
        """
        shape = detail["shape"].tolist()
        valid = isinstance(positions, list) and all(type(p) is int and 0 <= p < len(self.signature.kinds) for p in positions)
        if detail["dtype"] is not np.float32 or not valid or len(shape) != 2 or shape[1] != len(positions):
            raise ModelRefused(f"the model's input {preview(detail['name'])} of shape {shape} takes no table of float32 features")
        return [*positions]

    def _read(self, name: str, tensors: "dict[str, Any]") -> "Any":
        """Return an output as an array; labels for `index`."""
        if name == "index":
            return _foreign.likeliest(tensors["probabilities"], (self.signature.classes or [[]])[0])
        return _foreign.with_complement(tensors[name], 1, self.widths[name]) if name == "probabilities" else tensors[name]


def interpreter(data: bytes) -> "Interpreter":
    """Make an interpreter of a model, with the deployment's number of threads.

    :raises ModelRefused: LiteRT refuses the model.
    """
    try:
        ready = Interpreter(model_content=data, num_threads=settings.permissions().threads)
        ready.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelRefused(f"LiteRT refuses the model: {type(error).__name__}") from error
    return ready
