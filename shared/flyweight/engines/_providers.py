"""Choose onnxruntime's execution providers, and refuse a session that fell back to another one.

onnxruntime skips a provider that can't start, and runs the graph by the next one, with a message in its log alone
(https://onnxruntime.ai/docs/execution-providers/). So a session is asked which providers it has.
"""

import sys

import onnxruntime

from flyweight.engines._protobuf import operators
from flyweight.errors import ModelRefused, preview
from flyweight.settings import Caching, variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.settings import Accelerators

    Chosen = list[tuple[str, dict[str, str]]]

SUFFIX = "ExecutionProvider"
# The operators of classical models: trees, linear models, scalers. They have kernels on the processor alone.
# https://github.com/microsoft/onnxruntime/blob/main/docs/OperatorKernels.md
CLASSICAL = "ai.onnx.ml"


def chosen(accelerators: "Accelerators") -> "Chosen":
    """List the providers that a deployment asks for, each with its options, as `InferenceSession` takes them.

    An option that begins with `trt_` goes to TensorRT, any other to each provider but the processor.

    :raises ModelRefused: onnxruntime does not know a provider, or no provider takes an option.
    """
    known = {name.removesuffix(SUFFIX).lower(): name for name in onnxruntime.get_all_providers()}
    words = [word.lower() for word in accelerators.onnx_providers]
    unknown = [word for word in words if word not in known]
    if unknown:
        what = f"FLYWEIGHT_ONNX_PROVIDERS names {preview(unknown[0])}, which onnxruntime does not know"
        raise ModelRefused(what, f"choose among {', '.join(known)}")
    options = dict([option.split("=", 1) for option in accelerators.onnx_options])
    taken = {word: {k: v for k, v in options.items() if _takes(word, k)} for word in words}
    unused = {*options}.difference(*taken.values())
    if unused:
        what = f"FLYWEIGHT_ONNX_OPTIONS has {preview(min(unused))}, which none of {', '.join(words)} takes"
        raise ModelRefused(what, "name its provider in FLYWEIGHT_ONNX_PROVIDERS, or drop the option")
    if "tensorrt" in taken:
        taken["tensorrt"] = _with_cache(taken["tensorrt"])
    if "cuda" in taken:  # by default CUDA multiplies float32 in TF32, with 10 bits of a fraction
        taken["cuda"] = {"use_tf32": "0", **taken["cuda"]}
    return [(known[word], options) for word, options in taken.items()]


def _takes(word: str, option: str) -> bool:
    """Say whether a provider takes an option."""
    return word != "cpu" and (word == "tensorrt" or not option.startswith("trt_"))


def _with_cache(options: "dict[str, str]") -> "dict[str, str]":
    """Add TensorRT's caches, below FLYWEIGHT_CACHE_DIR unless an option names a folder, and make that folder.

    Without them each process builds its engine anew, which takes seconds to minutes.
    Source: https://onnxruntime.ai/docs/execution-providers/TensorRT-ExecutionProvider.html

    :raises ModelRefused: the folder can't be written to.
    """
    kept = variable("FLYWEIGHT_CACHE_DIR") or Caching().cache_dir
    usual = {"trt_engine_cache_enable": "1", "trt_timing_cache_enable": "1", "trt_engine_cache_path": f"{kept}/tensorrt"}
    whole = options if kept == "off" else {**usual, **options}
    folder = whole.get("trt_engine_cache_path", "")
    if folder and whole.get("trt_engine_cache_enable") not in ("0", "False", "false"):
        import os

        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
        except OSError as error:
            what = f"TensorRT's cache {preview(folder)} can't be made: {error.strerror}"
            raise ModelRefused(
                what, "set trt_engine_cache_path in FLYWEIGHT_ONNX_OPTIONS to a folder that can be written"
            ) from error
        if not os.access(folder, os.W_OK):
            what = f"TensorRT's cache {preview(folder)} can't be written to"
            raise ModelRefused(what, "set trt_engine_cache_path in FLYWEIGHT_ONNX_OPTIONS to a folder that can be written")
    return whole


def refuse_fallback(asked: "Chosen", got: "list[str]") -> None:
    """Check that a session has every provider that was asked for.

    :param got: the session's own list.
    :raises ModelRefused: a provider is missing.
    """
    missing = [name for name, _ in asked if name not in got]
    if missing:
        raise ModelRefused(
            f"FLYWEIGHT_ONNX_PROVIDERS asks for {', '.join([name for name, _ in asked])}, and onnxruntime gives {', '.join(got)}",
            f"install an onnxruntime that has {missing[0]}, with the GPU libraries that it needs, or ask for cpu",
        )


def report(asked: "Chosen", data: bytes) -> None:
    """Say which providers run a graph, and which of its operators stay on the processor, where another one was asked for."""
    names = [name.removesuffix(SUFFIX) for name, _ in asked]
    if names == ["CPU"]:
        return
    stays = sorted({name for domain, name in operators(data) if domain == CLASSICAL})
    rest = f"; on the processor, which alone has kernels for them: {', '.join(stays)}" if stays else ""
    print(f"flyweight: the graph runs by {', '.join(names)}{rest}", file=sys.stderr)
