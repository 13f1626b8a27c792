"""The settings of a deployment, read once from the environment.

`variables` reads it; no other module reads `os.environ`. `parts` has the settings that few functions have, and is imported when
one of them is set or asked for.
"""

from flyweight.errors import InvalidSetting
from flyweight.settings.variables import VARIABLES, joined, located, redacted, text_of, variable, with_numbers, words_of
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyweight.settings.parts import (
        Accelerators,
        Cors,
        EventSenders,
        Files,
        Permissions,
        Serving,
        TrafficSplit,
        accelerators,
        event_senders,
        files,
        permissions,
        serving,
    )

__all__ = [
    "ADDRESS_FILE",
    "VARIABLES",
    "Accelerators",
    "Caching",
    "Cors",
    "EventSenders",
    "Files",
    "Limits",
    "Permissions",
    "Serving",
    "Settings",
    "TrafficSplit",
    "Verification",
    "accelerators",
    "event_senders",
    "files",
    "kafka_partial",
    "memory_megabytes",
    "misspelt",
    "permissions",
    "read",
    "serving",
    "variable",
]
ADDRESS_FILE = "model.address"
NO_MODELS: "Mapping[str, str]" = {}


class Limits(Value):
    """What one request may carry; each field is `FLYWEIGHT_` and its name in capitals."""

    max_body_bytes: int = 6 * 1024 * 1024  # the smallest of the providers' own limits: a synchronous Lambda payload
    max_instances: int = 10_000
    max_string_length: int = 10_000
    unknown_features: str = ""  # error, or ignore: inputs that are no feature of the model; empty: as its signature says
    parse_text: bool = False  # true: JSON's strings are read as CSV's texts are, so that "39.1" is a number
    any_body: bool = False  # true: one bare instance and an empty array are answered as well
    content_type: str = ""  # of bodies whose sender names none, or only application/octet-stream; empty: application/json


class Caching(Value):
    """The caches of models, and how long they stay valid; each field is `FLYWEIGHT_` and its name in capitals."""

    ttl_seconds: float = 60.0  # how long the store's answer, which release an alias names, stays valid
    store_seconds: float = 10.0  # for one operation on the store, its retries included: INIT may take ten on some platforms
    cache_bytes: int = 256 * 1024 * 1024  # of memory for all models; the least recently used is evicted
    disk_bytes: int = 256 * 1024 * 1024  # on the disk for all models; half of what some platforms give
    cache_dir: str = "/tmp/flyweight"  # "off": nothing is written to the disk


class Verification(Value):
    """The conditions that a model file must meet beside the checks of its structure."""

    sha256: str = ""  # FLYWEIGHT_SHA256: the only file that is accepted
    public_keys: "tuple[str, ...]" = ()  # FLYWEIGHT_PUBLIC_KEYS: the digital signature must be by one of these keys


class Settings(Value):
    """The settings of one deployment."""

    model: str  # FLYWEIGHT_MODEL: the path or address of the model
    observability: str = ""  # FLYWEIGHT_OBSERVABILITY
    limits: Limits = Limits()
    caching: Caching = Caching()
    verification: Verification = Verification()
    models: "Mapping[str, str]" = NO_MODELS  # FLYWEIGHT_MODELS: more models: from the name in a path to the path or address
    preload: "tuple[str, ...]" = ()  # FLYWEIGHT_PRELOAD: names of models to load before the first request
    canary: "TrafficSplit | None" = None  # FLYWEIGHT_CANARY: a model that answers a share of the requests
    shadow: "TrafficSplit | None" = None  # FLYWEIGHT_SHADOW: a model whose answers are only compared and logged
    results: str = ""  # FLYWEIGHT_RESULTS: the sink of the answers to records; empty: the function's return value
    dead_letters: str = ""  # FLYWEIGHT_DEAD_LETTERS: the sink of rejected records; empty: the log
    protocols: "tuple[str, ...]" = ()  # FLYWEIGHT_PROTOCOLS: names; (): native and all others; the first has unknown paths
    base_path: str = ""  # FLYWEIGHT_BASE_PATH: what paths begin with before the paths of the protocols, as /ml
    cors: "Cors | None" = None  # None: browsers keep answers from scripts of other origins
    triggers: "tuple[str, ...]" = ()  # FLYWEIGHT_TRIGGERS: senders of records, on platforms that need one function for each


def __getattr__(name: str) -> object:
    """Get a setting of a part, whose module is then imported."""
    if name not in __all__:
        raise AttributeError(f"module 'flyweight.settings' has no attribute {name!r}")
    import flyweight.settings.parts as parts

    return getattr(parts, name)


# groups of settings whose fields are variables: FLYWEIGHT_ and the field's name in capitals; `parts` has the other groups
GROUPS = (Settings, Limits, Caching, Verification)
# beside them: the field `continued`, and variables of the command line
OTHERS = ("KAFKA_PARTIAL", "CLIENT", "CONTINUE", "KEY", "ENVIRONMENTS", "PACKING_FOR", "STREAMING", "TRACEBACK")


def misspelt(environ: "Mapping[str, str]" = VARIABLES) -> "list[str]":
    """List the variables that begin with `FLYWEIGHT_` and are no setting, each as a sentence that names the closest setting."""
    names = [name[10:] for name in environ if name.startswith("FLYWEIGHT_")]
    if not names:
        return []
    known = {field.upper() for group in GROUPS for field in group._fields}.union(OTHERS)
    if known.issuperset(names):
        return []
    from flyweight.settings.parts import GROUPS as rare_groups

    known.update([field.upper() for group in rare_groups for field in group._fields])
    unknown = [name for name in names if name not in known]
    if not unknown:
        return []
    from difflib import get_close_matches

    found = []
    for name in sorted(unknown):
        close = get_close_matches(name.upper(), known, 1)
        hint = f"; did you mean FLYWEIGHT_{close[0]}?" if close else ""
        found.append(f"FLYWEIGHT_{name[:80]} is not a setting and has no effect{hint}")
    return found


# the variables of parts that are checked when a function starts
OF_PARTS = ("OUTPUT", "OUTPUT_FORM", "CONTINUE", "EVENT_SENDERS", "CORS_ORIGINS", "CANARY", "SHADOW")


def read(folder: str, environ: "Mapping[str, str]" = VARIABLES, model: str = "") -> Settings:
    """Read the settings of a deployment.

    :param folder: the handler's folder, where the model file is unless `FLYWEIGHT_MODEL` names another, and where relative
        paths start.
    :param environ: the environment variables.
    :param model: the path of the model file that the platform has put outside of the folder; "" without one.
    :raises InvalidSetting: a variable has a value with no meaning; the message names it and what was expected.
    """
    cors = canary = shadow = None
    if any([text_of(name, environ) for name in OF_PARTS]):
        import flyweight.settings.parts as parts

        parts.files(environ)  # so that a wrong value is an error when the function starts, and not at its first file
        parts.event_senders(environ)  # nor at its first event
        cors = parts.cors(environ)
        canary, shadow = (parts.traffic_split(name, folder, environ) for name in ("CANARY", "SHADOW"))
    models = _models(folder, environ)
    preload = words_of("PRELOAD", environ)
    unknown = [name for name in preload if name not in models]
    if unknown:
        raise InvalidSetting(f"FLYWEIGHT_PRELOAD names {unknown[0]!r}; FLYWEIGHT_MODELS has {', '.join(models) or 'none'}")
    return Settings(
        model=located(text_of("MODEL", environ) or model or _built_address(folder) or "model.safetensors", folder),
        observability=environ.get("FLYWEIGHT_OBSERVABILITY", ""),
        limits=_limits(environ),
        caching=with_numbers(Caching(cache_dir=text_of("CACHE_DIR", environ) or Caching().cache_dir), environ),
        verification=Verification(_hash(environ), _public_keys(environ)),
        models=models,
        preload=preload,
        canary=canary,
        shadow=shadow,
        results=text_of("RESULTS", environ),
        dead_letters=text_of("DEAD_LETTERS", environ),
        protocols=words_of("PROTOCOLS", environ),
        base_path=text_of("BASE_PATH", environ),
        cors=cors,
        triggers=words_of("TRIGGERS", environ),
    )


def _limits(environ: "Mapping[str, str]") -> Limits:
    """Read what one request may carry.

    :raises InvalidSetting: a number is not one, or a word is not in its list.
    """
    unknown, parse_text = text_of("UNKNOWN_FEATURES", environ), text_of("PARSE_TEXT", environ)
    if unknown not in ("", "error", "ignore"):
        raise InvalidSetting(f"FLYWEIGHT_UNKNOWN_FEATURES should be error or ignore, got {unknown[:80]!r}")
    if parse_text not in ("", "true", "false"):
        raise InvalidSetting(f"FLYWEIGHT_PARSE_TEXT should be true or false, got {parse_text[:80]!r}")
    any_body, content_type = text_of("ANY_BODY", environ), text_of("CONTENT_TYPE", environ)
    if any_body not in ("", "true", "false"):
        raise InvalidSetting(f"FLYWEIGHT_ANY_BODY should be true or false, got {any_body[:80]!r}")
    if content_type and "/" not in content_type:
        raise InvalidSetting(f"FLYWEIGHT_CONTENT_TYPE should be a media type, as 'text/csv', got {content_type[:80]!r}")
    words = Limits(
        unknown_features=unknown, parse_text=parse_text == "true", any_body=any_body == "true", content_type=content_type
    )
    limits: Limits = with_numbers(words, environ)
    return limits


def _built_address(folder: str) -> str:
    """Read the address that `flyweight build` wrote for a model that stays in its store; "" if the folder holds the model."""
    try:
        with open(joined(folder, ADDRESS_FILE), encoding="utf-8") as file:
            return file.read(4096).strip()
    except OSError:
        return ""


def _models(folder: str, environ: "Mapping[str, str]") -> "dict[str, str]":
    """Read FLYWEIGHT_MODELS: from each name to the path or address of its model.

    :raises InvalidSetting: an item is not NAME=ADDRESS, or a name is used twice.
    """
    models = {}
    for item in words_of("MODELS", environ):
        name, equals, address = item.partition("=")
        sound = name.isascii() and all(character.isalnum() or character in "._-+" for character in name)
        if not (name and equals and address and sound) or name in models:
            raise InvalidSetting(f"FLYWEIGHT_MODELS should be NAME=ADDRESS, each name once, got {redacted(item)!r}")
        models[name] = located(address, folder)
    return models


def _hash(environ: "Mapping[str, str]") -> str:
    """Read FLYWEIGHT_SHA256 in lower case; "" if it is not set.

    :raises InvalidSetting: it is set to anything but a sha256, also to a variable that is missing.
    """
    text = text_of("SHA256", environ).lower()
    given = environ.get("FLYWEIGHT_SHA256", "")
    if given and (len(text) != 64 or not set(text) <= set("0123456789abcdef")):
        raise InvalidSetting(f"FLYWEIGHT_SHA256 should be 64 hexadecimal digits, got {(text or given)[:80]!r}")
    return text


def _public_keys(environ: "Mapping[str, str]") -> "tuple[str, ...]":
    """Read FLYWEIGHT_PUBLIC_KEYS.

    :raises InvalidSetting: it is set and names no key: the lack of a secret must not turn the check off.
    """
    keys = words_of("PUBLIC_KEYS", environ)
    if not keys and (text := environ.get("FLYWEIGHT_PUBLIC_KEYS")):
        raise InvalidSetting(f"FLYWEIGHT_PUBLIC_KEYS should be one or more public keys, got {text[:80]!r}, which names none")
    return keys


def kafka_partial(environ: "Mapping[str, str]" = VARIABLES) -> bool:
    """Tell whether Kafka's event source mapping takes replies that name the failed records.

    :param environ: the environment variables.
    """
    return text_of("KAFKA_PARTIAL", environ).lower() in ("1", "true", "yes")


def memory_megabytes(environ: "Mapping[str, str]" = VARIABLES) -> int:
    """Read how many megabytes of memory the platform gives this process, by the variable of its own; 0 if it has none.

    AWS sets AWS_LAMBDA_FUNCTION_MEMORY_SIZE: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return next((int(text) for name, text in environ.items() if name.endswith("_FUNCTION_MEMORY_SIZE") and text.isdecimal()), 0)
