"""Run ONNX graphs in onnxruntime, from the graph's bytes alone, by the providers that the deployment asks for."""

import math

import numpy as np
import onnxruntime

from flyweight import settings
from flyweight.engines import _foreign, _providers
from flyweight.engines._protobuf import refuse_outside_data
from flyweight.errors import Fault, InvalidInput, ModelRefused, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.file import ModelFile

    Array = np.ndarray[Any, Any]

# onnxruntime's name of an input's type -> (NumPy's name, whether it takes strings)
TYPES = {
    "tensor(float)": ("float32", False),
    "tensor(double)": ("float64", False),
    "tensor(int64)": ("int64", False),
    "tensor(int32)": ("int32", False),
    "tensor(bool)": ("bool", False),
    "tensor(string)": ("object", True),
}


class Engine(_foreign.Engine):
    """The engine that runs a graph whose inputs are tables of features.

    The document's entry `onnx` has `inputs`, for each input of the graph the positions of the features that it takes, and
    `outputs`, for each output of ours its `width` and the graph's `name` for it. An `index` without a name is the place of the
    largest probability.

    :raises ModelRefused: onnxruntime refuses the graph, the graph names data outside of it, or the entry does not fit it.
    """

    KEY = BLOB = "onnx"

    def __init__(self, file: "ModelFile") -> None:
        super().__init__(file)
        self._session = session(_foreign.blob(file, self.BLOB))
        inputs = self.spec.get("inputs")
        takes = {value.name: value for value in self._session.get_inputs()}
        if not isinstance(inputs, dict) or {*inputs} != {*takes} or not takes:
            raise ModelRefused(f"the graph takes {preview(', '.join(takes))}, and the file does not say from which features")
        self._inputs = [(takes[name], self._checked(takes[name], positions)) for name, positions in inputs.items()]
        self._one_by_one = any(value.shape and value.shape[0] == 1 for value in takes.values())
        self._names = self.named_outputs()
        known = {value.name for value in self._session.get_outputs()}
        derived = {*self.widths} - {*self._names}
        if not known >= {*self._names.values()} or derived - {"index"} or (derived and "probabilities" not in self._names):
            raise ModelRefused("the graph does not give the outputs that the file names")
        self.REFUSALS = _failures()
        if self._session.get_providers()[0] != "CPUExecutionProvider":
            self.precision = 2.0**-20  # float32 sums in another order than the processor's
        self.try_out(file)

    def answers(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "dict[str, Any]":
        """Return the named outputs as tables."""
        outputs = [*dict.fromkeys(self._names.get(name) or self._names["probabilities"] for name in names)]
        if self._one_by_one:
            values = [
                _joined(parts) for parts in zip(*[self._session.run(outputs, self._fed([row])) for row in rows], strict=True)
            ]
        else:
            values = self._session.run(outputs, self._fed(rows))
        by_name = dict(zip(outputs, values, strict=True))
        return {name: self._read(name, by_name) for name in names}

    def _checked(self, value: "Any", positions: "Any") -> "list[int]":
        """Check one input of the graph against the features that the file names for it.

        :raises ModelRefused: it is not a table of these features, or takes a fixed number of rows above 1.
        """
        kinds = self.signature.kinds
        dtype, strings = TYPES.get(value.type, ("", False))
        rank = len(value.shape or [])
        valid = isinstance(positions, list) and all(type(p) is int and 0 <= p < len(kinds) for p in positions)
        if not dtype or not valid or not positions or rank not in (1, 2) or (rank == 1 and len(positions) != 1):
            raise ModelRefused(
                f"the graph's input {preview(value.name)}, {value.type} of rank {rank}, takes no table of features"
            )
        if isinstance(value.shape[0], int) and value.shape[0] != 1:
            raise ModelRefused(
                f"the graph's input {preview(value.name)} takes exactly {value.shape[0]} rows at a time, not any number"
            )
        width = value.shape[1] if rank == 2 else 1
        if (isinstance(width, int) and width != len(positions)) or any((kinds[p] == "s") != strings for p in positions):
            raise ModelRefused(f"the features do not fit the graph's input {preview(value.name)}")
        return [*positions]

    def _fed(self, rows: "list[list[Any]]") -> "dict[str, Array]":
        """Return the graph's inputs for these rows, by name."""
        fed = {}
        for value, positions in self._inputs:
            dtype, strings = TYPES[value.type]
            whole = positions == [*range(len(self.signature.kinds))]
            cells = rows if whole else [[row[position] for position in positions] for row in rows]
            if strings:
                cells = [["" if cell is None else cell for cell in row] for row in cells]
            elif dtype.startswith("int"):
                cells = [[self._whole(cell, n, p) for cell, p in zip(row, positions, strict=True)] for n, row in enumerate(cells)]
            with np.errstate(over="ignore"):
                array = np.array(cells, dtype=float if dtype == "float32" else dtype).astype(dtype)
            fed[value.name] = array.reshape(-1) if len(value.shape) == 1 else array
        return fed

    def _whole(self, cell: float, instance: int, position: int) -> int:
        """Return a cell as a whole number.

        :raises InvalidInput: it is not whole, or too large.
        """
        if not (math.isfinite(cell) and cell.is_integer() and abs(cell) < 2**31):
            name = self.signature.features[position].name
            raise InvalidInput(Fault("a whole number below 2**31", preview(cell), instance, name))
        return int(cell)

    def _read(self, name: str, values: "dict[str, Any]") -> "Any":
        """Return an output as a table; labels for `index`."""
        labels = (self.signature.classes or [[]])[0]
        table = _by_label(values[self._names.get(name) or self._names["probabilities"]], labels)
        if name == "index" and name not in self._names:
            return _foreign.likeliest(table, labels)
        return _foreign.with_complement(table, 1, self.widths[name]) if name == "probabilities" else table


def session(data: bytes) -> "onnxruntime.InferenceSession":
    """Make a session of a graph, with the deployment's number of threads and its providers.

    :raises ModelRefused: onnxruntime refuses the graph or runs it by another provider, or the graph names data outside of it.
    """
    refuse_outside_data(data)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = settings.permissions().threads, 1
    options.log_severity_level = 4  # errors are raised as well
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = _providers.chosen(settings.accelerators())
    _providers.refuse_fallback(providers, onnxruntime.get_available_providers())
    try:
        made = onnxruntime.InferenceSession(data, options, providers=providers, enable_fallback=0)
    except Exception as error:  # its errors have no base of their own
        names = ", ".join([name for name, _ in providers])
        raise ModelRefused(f"onnxruntime refuses the graph for {names}: {type(error).__name__}") from error
    _providers.refuse_fallback(providers, made.get_providers())
    _providers.report(providers, data)
    return made


def _joined(parts: "tuple[Any, ...]") -> "Any":
    """Join one output of several calls, as if it came from one call."""
    return np.concatenate(parts) if hasattr(parts[0], "dtype") else [row for part in parts for row in part]


def _by_label(value: "Any", labels: "list[Any]") -> "Any":
    """Return maps from labels (ONNX's ZipMap), one a row, as a table in the order of the classes; other values as they are.

    :raises ModelRefused: the graph has other classes than the file.
    """
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return value
    if any({*row} != {*labels} for row in value):
        raise ModelRefused("the graph names other classes than the file")
    return np.array([[row[label] for label in labels] for row in value], dtype=float)


def _failures() -> "tuple[type[Exception], ...]":
    """Return the errors that onnxruntime raises for rows; they have no base class of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("Fail", "InvalidArgument", "RuntimeException", "EPFail")
    return tuple(getattr(state, name) for name in names if hasattr(state, name))
