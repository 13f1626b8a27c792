"""The writer of model files: a document and arrays become one safetensors file, through the safetensors library."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from flyweight.models import file as model_file


def to_bytes(document: dict[str, Any], arrays: dict[str, np.ndarray[Any, Any]]) -> bytes:
    """Make the bytes of a model file; the same input gives the same bytes.

    :param document: what the file says of the model; `format` is added.
    :param arrays: the file's arrays by name.
    :raises flyweight.ModelRefused: our own reader refuses the file.
    """
    whole = {"format": model_file.FORMAT, **document, "digested": True}
    text = json.dumps(whole, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    data = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata={"flyweight": text})
    data = with_digest(data)
    model_file.parse(data)
    return data


def with_digest(data: bytes) -> bytes:
    """Put the digest at the beginning of the header, where it is found without parsing anything.

    :param data: a safetensors file with metadata; one that has a digest gets a new one.
    """
    end = 8 + int.from_bytes(data[:8], "little")
    begin = 8 + len(model_file.DIGEST_PREFIX)
    if data[8:begin] != model_file.DIGEST_PREFIX:
        header = data[8:end].removeprefix(b'{"__metadata__":{').rstrip(b" ")
        header = model_file.DIGEST_PREFIX + model_file.DIGEST_BLANK + b'",' + header
        header += b" " * (-len(header) % 8)  # the arrays begin at a multiple of 8
        data = len(header).to_bytes(8, "little") + header + data[end:]
    return data[:begin] + model_file.digest(data) + data[begin + len(model_file.DIGEST_BLANK) :]


def check_place(path: str | Path) -> None:
    """Check that nothing is in a file's place that a file can't replace.

    :raises OSError: a folder is there, or one of the folders above is a file.
    """
    path = Path(path)
    above = next((place for place in path.parents if place.exists()), path.parent)
    if not above.is_dir():  # `mkdir` would say that it exists
        raise NotADirectoryError(errno.ENOTDIR, f"{above} is a file, not a folder")
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def write(path: str | Path, data: bytes) -> None:
    """Write a model file completely or not at all.

    :raises OSError: the folder can't be made or written to.
    """
    path = Path(path)
    check_place(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
