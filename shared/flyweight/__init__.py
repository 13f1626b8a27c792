"""Fitted lightweight models as serverless functions that start as fast as an empty one."""

from time import perf_counter

IMPORT_BEGAN = perf_counter()

__version__ = "0.1.0"

# Public names are found on first use, so that a function that only predicts imports nothing else.
_PUBLIC = {
    "load": "flyweight.predictor",
    "Prediction": "flyweight.messages",
    "FlyweightError": "flyweight.errors",
    "Fault": "flyweight.errors",
    "InvalidInput": "flyweight.errors",
    "ModelRefused": "flyweight.errors",
    "pack": "flyweight.toolkit.pack",
}
__all__ = [*_PUBLIC]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'flyweight' has no attribute {name!r}")
    module = __import__(_PUBLIC[name], fromlist=[name])
    return getattr(module, name)
