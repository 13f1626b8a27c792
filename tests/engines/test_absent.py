"""Engines whose package is absent say so; the file is made by the standard library alone."""

from __future__ import annotations

from flyweight.errors import ModelRefused
from flyweight.models.file import ModelFile, Tensor


def file(engine: str) -> ModelFile:
    """Return a file that names this engine, with a foreign model of one byte."""
    outputs = {"values": {"name": "y", "width": 1}}
    spec = {"inputs": {"x": [0]}, "outputs": outputs, "types": []}
    document = {
        "engines": [engine],
        "signature": {"task": "regression", "features": [{"name": "x", "kind": "number", "nullable": True}], "outputs": 1},
        **dict.fromkeys(("onnx", "litert", "estimator"), spec),
    }
    blob = Tensor("U8", (1,), memoryview(b"x"))
    return ModelFile(b"", document, dict.fromkeys(("onnx", "tflite", "skops", "pickle"), blob))


def test_the_file_is_refused_for_its_content_where_the_packages_are_installed() -> None:
    from flyweight.engines import engine_for

    for engine in ("onnx", "litert", "sklearn"):
        try:
            engine_for(file(engine))
        except ModelRefused as refused:
            assert "installed" not in str(refused)
        else:
            raise AssertionError(f"{engine} ran one byte")
