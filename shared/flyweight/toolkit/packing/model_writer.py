"""A document and arrays to one model file, through the safetensors library."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from flyweight.models import file as model_file


def to_bytes(document: dict[str, Any], arrays: dict[str, np.ndarray[Any, Any]]) -> bytes:
    """The bytes of a model file; the same input gives the same bytes.

    :raises flyweight.ModelRefused: our own reader would not take it.
    """
    text = json.dumps({"format": model_file.FORMAT, **document}, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    data = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata={"flyweight": text})
    model_file.parse(data)
    return data


def write(path: str | Path, data: bytes) -> None:
    """Put a model file at `path`, whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
