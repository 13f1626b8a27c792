"""Find the array namespace that a deployment asks for, and its device: torch, CuPy or JAX, by the array API standard.

JAX follows the standard itself (https://docs.jax.dev/en/latest/jax.numpy.html#python-array-api-standard); for torch and CuPy
array-api-compat has the standard's names (https://data-apis.org/array-api-compat/).
"""

from contextlib import ExitStack, nullcontext

import numpy as np

from flyweight.errors import ModelRefused, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any


class Namespace:
    """An array namespace on one device, where every number is a float64.

    `xp`: the functions; `device`: in words; `put` makes an array of NumPy's one on the device, `get` the contrary; `compiled`
    makes a function of arrays faster; `here()` is a context in which new arrays are made on the device. `whole`: whether a
    function is compiled once for each number of rows.
    """

    def __init__(self, xp: "Any", device: str, put: "Callable[[Any], Any]", get: "Callable[[Any], Any]") -> None:
        self.xp, self.device, self.put, self.get = xp, device, put, get
        self.compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda function: function
        self.here: Callable[[], AbstractContextManager[Any]] = nullcontext
        self.whole = False


def torch(device: str) -> Namespace:
    """Take torch, on its GPU if it has one and no other device is asked for."""
    import torch
    from array_api_compat import torch as xp

    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    named = torch.cuda.get_device_name(place) if place.type == "cuda" else place.type
    namespace = Namespace(xp, named, lambda array: torch.tensor(array, device=place), lambda array: array.cpu().numpy())
    namespace.here = lambda: torch.device(place)
    return namespace


def cupy(device: str) -> Namespace:
    """Take CuPy, on its first GPU if no other number is asked for."""
    import cupy
    from array_api_compat import cupy as xp

    place = cupy.cuda.Device(int(device.rpartition(":")[2] or 0) if device not in ("", "cuda") else 0)
    named = cupy.cuda.runtime.getDeviceProperties(place.id)["name"].decode()
    namespace = Namespace(xp, named, cupy.asarray, cupy.asnumpy)
    namespace.here = lambda: cupy.cuda.Device(place.id)
    return namespace


def jax(device: str) -> Namespace:
    """Take JAX, on its TPU or GPU if it has one and no other platform is asked for; functions are compiled by XLA."""
    import jax

    place = jax.devices(*([device] if device else []))[0]
    namespace = Namespace(jax.numpy, str(place), lambda array: jax.device_put(array, place), np.asarray)
    namespace.compiled, namespace.whole = jax.jit, True

    def here() -> "AbstractContextManager[Any]":
        # without x64 JAX makes a float32 of every float64; by default a TPU multiplies matrices in bfloat16
        stack = ExitStack()
        for context in (jax.enable_x64(True), jax.default_matmul_precision("highest"), jax.default_device(place)):
            stack.enter_context(context)
        return stack

    namespace.here = here
    return namespace


NAMESPACES = {"torch": torch, "cupy": cupy, "jax": jax}


def namespace_of(asked: str) -> Namespace:
    """Find the namespace and device of FLYWEIGHT_ARRAYS: `NAME` or `NAME:DEVICE`, as `torch:cuda`.

    :raises ModelRefused: there is no such namespace, its library or its device is not here, or it has no float64.
    """
    name, _, device = asked.partition(":")
    if name not in NAMESPACES:
        raise ModelRefused(f"FLYWEIGHT_ARRAYS is {preview(asked)}", f"choose one of {', '.join(NAMESPACES)}, or empty for NumPy")
    try:
        namespace = NAMESPACES[name](device)
        with namespace.here():
            third = namespace.get(namespace.put(np.array([1.0])) / 3.0)
    except ImportError as error:
        what = f"FLYWEIGHT_ARRAYS asks for {name}, and {error.name or error} is not installed here"
        raise ModelRefused(what, "install it, as docs/accelerators.md shows, or unset FLYWEIGHT_ARRAYS") from error
    except Exception as error:  # each library has errors of its own for a device that is not there
        reason = str(error).strip().splitlines() or [type(error).__name__]
        what = f"FLYWEIGHT_ARRAYS asks for {preview(asked)}, which does not work here: {reason[0][:200]}"
        raise ModelRefused(what, f"ask for a device that {name} sees, or unset FLYWEIGHT_ARRAYS") from error
    if third.dtype != np.float64 or third[0] != 1.0 / 3.0:
        raise ModelRefused(f"{name} on {namespace.device} does not compute in float64", "unset FLYWEIGHT_ARRAYS")
    return namespace
