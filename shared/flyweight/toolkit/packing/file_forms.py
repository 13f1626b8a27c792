"""What a file is that is no estimator, told by its first bytes, and what to do with it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from flyweight.toolkit.pickles.source import looks_like_pickle

_HEAD = 512
_DUMP = "give the file that joblib.dump or pickle.dump wrote of a fitted estimator"
_REPORTS = "give the model itself, and not a document about it"

# first bytes -> what such a file is, and the next step
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF document", _REPORTS),
    (b"\x89PNG", "a picture (PNG)", _REPORTS),
    (b"\xff\xd8\xff", "a picture (JPEG)", _REPORTS),
    (b"\x89HDF", "an HDF5 file, such as Keras writes", "convert it to LiteRT (.tflite) or ONNX, and pack that file"),
    (b"PAR1", "a Parquet table", "give the estimator here, and the table as --sample"),
    (b"ARROW1", "an Arrow table", "give the estimator here, and the table as --sample"),
    (b"\x93NUMPY", "an array of NumPy", _DUMP),
    (b"GGUF", "a language model (GGUF)", "flyweight packs estimators of scikit-learn and its kind, and graphs (.onnx, .tflite)"),
    (b"\x7fELF", "a program", _DUMP),
    (b"SQLite format 3", "an SQLite database", _DUMP),
    (b"version https://git-lfs", "a pointer of Git LFS, and not the model", "fetch the model: git lfs pull"),
    (b"<!doctype html", "a web page, perhaps of a download that failed", "download the model again"),
    (b"<html", "a web page, perhaps of a download that failed", "download the model again"),
    (b"<?xml", "an XML document", "flyweight reads no PMML: dump the estimator itself with joblib.dump"),
    (b"RDX", "a file of R", "flyweight packs estimators of Python, and graphs (.onnx, .tflite)"),
)


def describe(path: Path) -> tuple[str, str] | None:
    """Tell what a file is that is meant to be no pickle.

    :returns: what it is, and the next step; None if it may be a pickle.
    :raises OSError: the file can't be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(max(path.stat().st_size - 1, 0))
        last = file.read(1)
    if not head:
        return "an empty file", _DUMP
    for start, what, step in _STARTS:
        if head.lstrip()[: len(start)].lower() == start.lower():
            return what, step
    if head.startswith(b"PK"):
        return _archive(path)
    if head[4:8] == b"TFL3":
        return "a graph of LiteRT", "rename it to end in .tflite"
    if path.suffix == ".py" or head.startswith(b"#!"):
        return "a script", "run it, and give the file that it dumps"
    if looks_like_pickle(head[:16], last):
        return None
    if head[8:9] == b"{" and head[4:8] == bytes(4):
        return _tensors(path)
    if b"onnx" in head[:200].lower() or (head[:1] == b"\x08" and head[2:3] == b"\x12"):  # the graph's version, its producer
        return "a graph of ONNX", "rename it to end in .onnx"
    return _text(head)


def is_archive(path: Path) -> bool:
    """Check whether a file is an archive that skops wrote."""
    if path.is_dir():
        return False
    with path.open("rb") as file:
        begins = file.read(2) == b"PK"  # `is_zipfile` looks at the end, and a model file may end with an archive
    if not begins or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "schema.json" in archive.namelist()


def _archive(path: Path) -> tuple[str, str]:
    """Tell what a ZIP archive holds, by the names in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return "a damaged ZIP archive", "write or download it again"
    if "[Content_Types].xml" in names:
        return "a document of an office program", "give the estimator here; save a table as CSV and give it as --sample"
    if any(name.endswith("data.pkl") for name in names):
        return "a model of PyTorch", "convert it to ONNX (torch.onnx.export), and pack that file"
    if any(name.endswith("weights.h5") for name in names):
        return "a model of Keras", "convert it to LiteRT (.tflite) or ONNX, and pack that file"
    if all(name.endswith(".npy") for name in names):
        return "arrays of NumPy", _DUMP
    if any(Path(name).name == "MLmodel" for name in names):
        return "a packed MLflow model", "unpack it, and give its folder"
    return "a ZIP archive", f"unpack it; {_DUMP}"


def _tensors(path: Path) -> tuple[str, str]:
    """Tell a model file of ours from other safetensors files."""
    from flyweight.errors import ModelRefused
    from flyweight.models import file as model_file

    try:
        model_file.parse(path.read_bytes())
    except ModelRefused:
        return "a file of tensors (safetensors), and not a model of ours", _DUMP
    return "a model that is packed already", "use it: see `flyweight inspect` and `flyweight predict`"


def _text(head: bytes) -> tuple[str, str]:
    """Tell text from other bytes."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not just a character that the cut splits
            return "no file that is known here", _DUMP
        text = head[: error.start].decode()
    if text.lstrip()[:1] in ("{", "["):
        return "a JSON document", f"{_DUMP}; rows are given as --sample"
    if all(character.isprintable() or character in "\r\n\t" for character in text):
        return "text, such as a table", f"{_DUMP}; rows are given as --sample"
    return "no file that is known here", _DUMP
