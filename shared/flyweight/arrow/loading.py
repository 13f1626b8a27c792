"""Load models once a process, by their sha256, from a path, an address in a store, or bytes."""

from flyweight import predictor
from flyweight.errors import ModelRefused
from flyweight.models import file as model_file
from flyweight.predictor import UNLIMITED, Predictor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.engines import Engine

MOST = 8  # models that a process keeps
LOADED: dict[str, Predictor] = {}  # by sha256
ENGINES: "dict[str, Engine]" = {}


def load(origin: "str | bytes", sha256: str = "") -> Predictor:
    """Load a model, or get the one that this process has.

    :param origin: the path of a file, an address in a store, or a file's bytes.
    :param sha256: that of the file that is expected; "" for any.
    :raises ModelRefused: the file is another one, or fails a check.
    :raises FlyweightError: the store can't be read.
    :raises OSError: the file can't be read.
    """
    if sha256 in LOADED:
        return LOADED[sha256]
    model = _loaded(origin)
    if sha256 not in ("", model.file.sha256):
        named = "the model" if isinstance(origin, bytes) else origin
        words = f"{named} has changed: expected the sha256 {sha256[:12]}..., got {model.file.sha256[:12]}..."
        raise ModelRefused(words, "name a release that stays, such as NAME/VERSION in a registry, or start the job again")
    return keep(model)


def keep(model: Predictor) -> Predictor:
    """Keep a model for this process; the one that was kept first stays."""
    while len(LOADED) >= MOST and model.file.sha256 not in LOADED:
        oldest = next(iter(LOADED))
        LOADED.pop(oldest), ENGINES.pop(oldest, None)
    return LOADED.setdefault(model.file.sha256, model)


def engine_of(model: Predictor) -> "Engine":
    """Choose the engine that answers batches of any size: the numpy one if the file names it and NumPy is installed."""
    sha256 = model.file.sha256
    if sha256 not in ENGINES:
        ENGINES[sha256] = model.engine
        if hasattr(model.engine, "plan") and "numpy" in model.file.document["engines"]:
            try:
                module = __import__("flyweight.engines.numpy", fromlist=["Engine"])
            except ImportError:  # without NumPy the first engine answers
                return model.engine
            ENGINES[sha256] = module.Engine(model.file, model.engine.plan)
    return ENGINES[sha256]


def _loaded(origin: "str | bytes") -> Predictor:
    if isinstance(origin, bytes):
        return Predictor(model_file.parse(origin), UNLIMITED)
    if "://" not in origin:
        return predictor.load(origin)
    from flyweight.serving.sources import ModelSource
    from flyweight.settings import Caching, Settings

    found: Predictor = (
        ModelSource(Settings(origin, limits=UNLIMITED, caching=Caching(cache_dir="off"))).load(origin, {}).predictor
    )
    return found
