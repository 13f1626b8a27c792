"""The engine of `.tflite` files: the LiteRT interpreter, one table of float32 in, tables of float32 out."""

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
    """Runs a flatbuffer whose inputs are tables of numbers.

    The document's `litert`: `inputs`, per input of the model the positions of the features that it takes; `outputs`, per output
    of ours its `width` and the model's `name` for it. An `index` is the place of the largest probability.
    """

    KEY, BLOB = "litert", "tflite"
    REFUSALS = (ValueError, RuntimeError)

    def __init__(self, file: "ModelFile") -> None:
        super().__init__(file)
        self._interpreter = interpreter(_foreign.blob(file, self.BLOB))
        self._lock, self._rows = Lock(), 0
        given = {detail["name"]: detail for detail in self._interpreter.get_input_details()}
        gives = {detail["name"]: detail for detail in self._interpreter.get_output_details()}
        inputs = self.spec.get("inputs")
        if "s" in self.signature.kinds or not isinstance(inputs, dict) or {*inputs} != {*given}:
            raise ModelRefused(f"the model takes {preview(', '.join(given))}, and the file does not say from which features")
        self._inputs = [(given[name], self._checked(given[name], positions)) for name, positions in inputs.items()]
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
        """Each of these outputs; one call at a time, as an interpreter holds its tensors."""
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
            given = {name: self._interpreter.get_tensor(place) for name, place in self._places.items()}
        return {name: self._read(name, given) for name in names}

    def _checked(self, detail: "Any", positions: "Any") -> "list[int]":
        shape = detail["shape"].tolist()
        sound = isinstance(positions, list) and all(type(p) is int and 0 <= p < len(self.signature.kinds) for p in positions)
        if detail["dtype"] is not np.float32 or not sound or len(shape) != 2 or shape[1] != len(positions):
            raise ModelRefused(f"the model's input {preview(detail['name'])} of shape {shape} takes no table of float32 features")
        return [*positions]

    def _read(self, name: str, given: "dict[str, Any]") -> "Any":
        if name == "index":
            return _foreign.likeliest(given["probabilities"], (self.signature.classes or [[]])[0])
        return _foreign.with_complement(given[name], 1, self.widths[name]) if name == "probabilities" else given[name]


def interpreter(data: bytes) -> "Interpreter":
    """The model, ready to run, with as many threads as the deployment has.

    :raises ModelRefused: LiteRT does not take it.
    """
    try:
        ready = Interpreter(model_content=data, num_threads=settings.permissions().threads)
        ready.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelRefused(f"LiteRT does not take the model: {type(error).__name__}") from error
    return ready
