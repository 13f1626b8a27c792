"""The environment, read once into a frozen value; no other module reads `os.environ`."""

import os

from flyweight.errors import InvalidSetting
from flyweight.values import Value, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


ADDRESS_FILE = "model.address"
NONE: "Mapping[str, str]" = {}


@frozen
class Limits(Value):
    """How much one request may carry; each field is `FLYWEIGHT_` and its name in capitals."""

    max_body_bytes: int = 6 * 1024 * 1024  # the smallest of the providers' own limits: a synchronous Lambda payload
    max_instances: int = 10_000
    max_string_length: int = 10_000


@frozen
class Caching(Value):
    """How models are kept, and how fresh they are; each field is `FLYWEIGHT_` and its name in capitals."""

    ttl_seconds: float = 60.0  # so long an answer of the store holds: which version an alias names
    store_seconds: float = 10.0  # for one operation on the store, its retries included: INIT may take ten on some platforms
    cache_bytes: int = 256 * 1024 * 1024  # of memory for all models; the least recently used goes
    disk_bytes: int = 256 * 1024 * 1024  # of the disk for all models; half of what some platforms give
    cache_dir: str = "/tmp/flyweight"  # "off" keeps nothing on the disk


@frozen
class Verification(Value):
    """What a model has to be, beside sound."""

    sha256: str = ""  # FLYWEIGHT_SHA256: this file and no other
    public_keys: "tuple[str, ...]" = ()  # FLYWEIGHT_PUBLIC_KEYS: signed by one of these


@frozen
class TrafficSplit(Value):
    """A second model, and the share of requests that it gets."""

    address: str
    share: float  # from 0 to 1


@frozen
class Files(Value):
    """What becomes of files that land in a store."""

    output: str = ""  # FLYWEIGHT_OUTPUT: the address that answers are written below; empty: beside each file
    output_form: str = "jsonl"  # FLYWEIGHT_OUTPUT_FORM: jsonl or csv
    continued: str = ""  # FLYWEIGHT_CONTINUE: "invoke" has the function call itself for the rest; empty: the event comes again


@frozen
class Settings(Value):
    """What a deployment may set."""

    model: str  # FLYWEIGHT_MODEL: where the model is
    observability: str = ""  # FLYWEIGHT_OBSERVABILITY
    limits: Limits = Limits()
    caching: Caching = Caching()
    verification: Verification = Verification()
    models: "Mapping[str, str]" = NONE  # FLYWEIGHT_MODELS: more models, from the name in a path to where each is
    preload: "tuple[str, ...]" = ()  # FLYWEIGHT_PRELOAD: those to be loaded ahead of the first request
    canary: "TrafficSplit | None" = None  # FLYWEIGHT_CANARY: answers a share of the requests
    shadow: "TrafficSplit | None" = None  # FLYWEIGHT_SHADOW: is asked as well, and its differences are logged
    results: str = ""  # FLYWEIGHT_RESULTS: the sink of what records are answered with; empty: the function's return value
    dead_letters: str = ""  # FLYWEIGHT_DEAD_LETTERS: the sink of records that are rejected; empty: the log
    protocols: "tuple[str, ...]" = ("native",)  # FLYWEIGHT_PROTOCOLS: what paths and bodies mean, the first for all other paths
    triggers: "tuple[str, ...]" = ()  # FLYWEIGHT_TRIGGERS: what sends records, where a function has to be declared for it


@frozen
class Permissions(Value):
    """What a deployment lets engines do that run more than plain data."""

    threads: int = 1  # FLYWEIGHT_THREADS: a small function has a share of one core, and more threads only wait for each other
    allow_pickle: bool = False  # FLYWEIGHT_ALLOW_PICKLE=1: run the code in a model file's pickle
    trusted_types: "tuple[str, ...]" = ()  # FLYWEIGHT_TRUSTED_TYPES: what an estimator may be made of beyond what is known here


def permissions(environ: "Mapping[str, str]" = os.environ) -> Permissions:
    """What this deployment permits.

    :raises InvalidSetting: a number of threads that is not a whole number above zero.
    """
    allowed = environ.get("FLYWEIGHT_ALLOW_PICKLE", "").strip().lower() in ("1", "true", "yes")
    return Permissions(_count("threads", 1, environ), allowed, _words("TRUSTED_TYPES", environ))


def files(environ: "Mapping[str, str]" = os.environ) -> Files:
    """What becomes of files that land.

    :raises InvalidSetting: an address that is none, another form, or another way to go on.
    """
    output, form, continued = _text("OUTPUT", environ), _text("OUTPUT_FORM", environ) or "jsonl", _text("CONTINUE", environ)
    if output and "://" not in output:
        raise InvalidSetting(f"FLYWEIGHT_OUTPUT should be SCHEME://PLACE/PREFIX, as 's3://bucket/answers', got {output[:80]!r}")
    if form not in ("jsonl", "csv"):
        raise InvalidSetting(f"FLYWEIGHT_OUTPUT_FORM should be jsonl or csv, got {form[:80]!r}")
    if continued not in ("", "invoke"):
        raise InvalidSetting(f"FLYWEIGHT_CONTINUE should be invoke or empty, got {continued[:80]!r}")
    return Files(output, form, continued)


def read(home: str, environ: "Mapping[str, str]" = os.environ) -> Settings:
    """Settings for a handler whose folder is `home`, where the model file lies unless `FLYWEIGHT_MODEL` names another.

    :raises InvalidSetting: a setting that means nothing; the message says which, and what was expected.
    """
    files(environ)  # what makes no sense is told when the function starts, and not when the first file lands
    models = _models(home, environ)
    preload = _words("PRELOAD", environ)
    unknown = [name for name in preload if name not in models]
    if unknown:
        raise InvalidSetting(f"FLYWEIGHT_PRELOAD names {unknown[0]!r}; FLYWEIGHT_MODELS has {', '.join(models) or 'none'}")
    return Settings(
        model=_place(home, _text("MODEL", environ) or _built_address(home) or "model.safetensors"),
        observability=environ.get("FLYWEIGHT_OBSERVABILITY", ""),
        limits=_numbers(Limits(), environ),
        caching=_numbers(Caching(cache_dir=_text("CACHE_DIR", environ) or Caching().cache_dir), environ),
        verification=Verification(_hash(environ), _words("PUBLIC_KEYS", environ)),
        models=models,
        preload=preload,
        canary=_share("CANARY", home, environ),
        shadow=_share("SHADOW", home, environ),
        results=_text("RESULTS", environ),
        dead_letters=_text("DEAD_LETTERS", environ),
        protocols=_words("PROTOCOLS", environ) or ("native",),
        triggers=_words("TRIGGERS", environ),
    )


def _place(home: str, text: str) -> str:
    """An address as it is, a path from the handler's folder on."""
    return text if "://" in text else os.path.join(home, text)


def _built_address(home: str) -> str:
    """The address that `flyweight build` left in the folder, of a model that stays in its store; "" where it left a model."""
    try:
        with open(os.path.join(home, ADDRESS_FILE), encoding="utf-8") as file:
            return file.read(4096).strip()
    except OSError:
        return ""


def _models(home: str, environ: "Mapping[str, str]") -> "dict[str, str]":
    models = {}
    for item in _words("MODELS", environ):
        name, equals, place = item.partition("=")
        sound = name.isascii() and all(character.isalnum() or character in "._-+" for character in name)
        if not (name and equals and place and sound) or name in models:
            raise InvalidSetting(f"FLYWEIGHT_MODELS should be NAME=ADDRESS, each name once, got {item!r}")
        models[name] = _place(home, place)
    return models


def _share(name: str, home: str, environ: "Mapping[str, str]") -> "TrafficSplit | None":
    text = _text(name, environ)
    if not text:
        return None
    place, _, share = text.rpartition(" ")
    try:
        number = float(share.removesuffix("%")) / (100.0 if share.endswith("%") else 1.0)
    except ValueError:
        number = -1.0
    if not place or not 0.0 <= number <= 1.0:
        raise InvalidSetting(
            f"FLYWEIGHT_{name} should be ADDRESS and a share, as 's3://bucket/models/cancer@next 5%', got {text!r}"
        )
    return TrafficSplit(_place(home, place.strip()), number)


def _hash(environ: "Mapping[str, str]") -> str:
    text = _text("SHA256", environ).lower()
    if text and (len(text) != 64 or not set(text) <= set("0123456789abcdef")):
        raise InvalidSetting(f"FLYWEIGHT_SHA256 should be 64 hexadecimal digits, got {text[:80]!r}")
    return text


def _text(name: str, environ: "Mapping[str, str]") -> str:
    return environ.get(f"FLYWEIGHT_{name}", "").strip()


def _words(name: str, environ: "Mapping[str, str]") -> "tuple[str, ...]":
    return tuple(_text(name, environ).replace(",", " ").split())


def _numbers(defaults: "Any", environ: "Mapping[str, str]") -> "Any":
    """The same with each number that a variable of its name gives."""
    readers = {int: _count, float: _seconds}
    given = {k: readers[type(v)](k, v, environ) for k, v in defaults._asdict().items() if type(v) in readers}
    return defaults._replace(**given)


def _count(name: str, default: int, environ: "Mapping[str, str]") -> int:
    text = _text(name.upper(), environ) or str(default)
    if not text.isdecimal() or int(text) == 0:
        raise InvalidSetting(f"FLYWEIGHT_{name.upper()} should be a whole number above zero, got {text!r}")
    return int(text)


def _seconds(name: str, default: float, environ: "Mapping[str, str]") -> float:
    text = _text(name.upper(), environ) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number < 1e9:
        raise InvalidSetting(f"FLYWEIGHT_{name.upper()} should be a number of seconds above zero, got {text!r}")
    return number


def variable(name: str) -> str:
    """A variable that is not flyweight's own: what a platform says of itself, or what a store's library reads as well."""
    return os.environ.get(name, "").strip()
