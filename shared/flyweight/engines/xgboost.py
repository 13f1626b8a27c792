"""Run XGBoost models in XGBoost itself, on the processor or on a GPU, from the bytes in which XGBoost saves a model."""

import json

import numpy as np
import xgboost

from flyweight import settings
from flyweight.engines import _foreign
from flyweight.errors import ModelRefused, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.file import ModelFile


class Engine(_foreign.Engine):
    """The engine that runs a booster, whose own answer is a table of probabilities or values.

    The document's entry `xgboost` has the width of each of its `outputs`, the number of `rounds` that answer, 0 for all, and
    `missing`, the number that stands for a missing value, or null for NaN.

    :raises ModelRefused: XGBoost does not load the bytes, the entry does not fit them, or FLYWEIGHT_XGBOOST_DEVICE is not here.
    """

    KEY = BLOB = "xgboost"
    REFUSALS = (xgboost.core.XGBoostError, ValueError)

    def __init__(self, file: "ModelFile") -> None:
        super().__init__(file)
        device = settings.accelerators().xgboost_device
        self._booster = booster(_foreign.blob(file, self.BLOB), device)
        rounds, missing = self.spec.get("rounds"), self.spec.get("missing")
        if type(rounds) is not int or rounds < 0 or not isinstance(missing, (int, float, type(None))):
            raise ModelRefused("the file does not say which rounds of its XGBoost model answer, or what is missing to it")
        if self._booster.num_features() != len(self.signature.features) or "s" in self.signature.kinds:
            raise ModelRefused(f"the XGBoost model takes {self._booster.num_features()} numbers, not the file's features")
        self._rounds, self._missing = (0, rounds), np.nan if missing is None else float(missing)
        if device != "cpu":
            self.precision = 2.0**-20  # a GPU's `exp` of a float32 differs from the processor's in the last places
        self.try_out(file)

    def answers(self, rows: "list[list[Any]]", names: "tuple[str, ...]") -> "dict[str, Any]":
        """Return the named outputs as tables."""
        with np.errstate(over="ignore"):
            table = np.array(rows, dtype=float).astype(np.float32)
        matrix = xgboost.DMatrix(table, missing=self._missing)
        answer = self._booster.predict(matrix, iteration_range=self._rounds, validate_features=False)
        if "index" not in names:
            return dict.fromkeys(names, self._complete(answer))
        labels = (self.signature.classes or [[]])[0]
        return {name: _foreign.likeliest(answer, labels) if name == "index" else self._complete(answer) for name in names}

    def _complete(self, answer: "Any") -> "Any":
        """Return one probability a class where the model gives that of the second of two classes; other answers as they are."""
        return answer if self.signature.classes is None else _foreign.with_complement(answer, 1, self.widths["probabilities"])


def booster(data: bytes, device: str) -> "xgboost.Booster":
    """Load a booster on a device.

    XGBoost without CUDA, or without a GPU, goes on by the processor with a warning, so it is asked where it is.
    Source: https://xgboost.readthedocs.io/en/stable/gpu/index.html

    :raises ModelRefused: XGBoost refuses the bytes or the device, or runs on another one.
    """
    if device != "cpu" and not xgboost.build_info().get("USE_CUDA"):
        what = f"FLYWEIGHT_XGBOOST_DEVICE asks for {preview(device)}, and the installed XGBoost is built without CUDA"
        raise ModelRefused(what, "install xgboost instead of xgboost-cpu, or ask for cpu")
    loaded = xgboost.Booster()
    try:
        with xgboost.config_context(verbosity=0):
            loaded.load_model(bytearray(data))
            loaded.set_param({"device": device, "nthread": settings.permissions().threads})
            configured = json.loads(loaded.save_config())["learner"]["generic_param"]["device"]
    except xgboost.core.XGBoostError as error:
        first = (str(error).strip().splitlines() or [""])[0]
        raise ModelRefused(f"XGBoost refuses the model on {preview(device)}: {preview(first, 200)}") from error
    if configured.partition(":")[0] != device.partition(":")[0]:
        what = f"FLYWEIGHT_XGBOOST_DEVICE asks for {preview(device)}, and XGBoost runs on {configured}"
        raise ModelRefused(what, "give the machine a GPU that XGBoost sees, or ask for cpu")
    return loaded
