"""The settings of a deployment, read once from the environment; no other module reads `os.environ`."""

import os

from flyweight.errors import InvalidSetting
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

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


class Cors(Value):
    """The pages of other origins whose scripts may call the endpoint; each field is `FLYWEIGHT_` and its name in capitals."""

    cors_origins: "tuple[str, ...]" = ()  # as https://shop.example or https://*.shop.example; "*": all
    cors_headers: "tuple[str, ...]" = ("content-type", "content-encoding", "x-request-id", "x-flyweight-key")  # "*": all
    cors_credentials: bool = False  # true: with cookies, client certificates and the browser's passwords
    cors_max_age: int = 600  # seconds for which a browser remembers the answer to its question


class TrafficSplit(Value):
    """A second model and its share of the requests."""

    address: str
    share: float  # from 0 to 1


class Files(Value):
    """How files in a store are scored."""

    output: str = ""  # FLYWEIGHT_OUTPUT: the address below which answers are written; empty: beside each file
    output_form: str = "jsonl"  # FLYWEIGHT_OUTPUT_FORM: jsonl or csv
    continued: str = ""  # FLYWEIGHT_CONTINUE: "invoke": the function calls itself for the rest; empty: the event is redelivered


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
    protocols: "tuple[str, ...]" = ("native",)  # FLYWEIGHT_PROTOCOLS: by name; the first answers paths that none of them has
    base_path: str = ""  # FLYWEIGHT_BASE_PATH: what paths begin with before the paths of the protocols, as /ml
    cors: "Cors | None" = None  # None: browsers keep answers from scripts of other origins
    triggers: "tuple[str, ...]" = ()  # FLYWEIGHT_TRIGGERS: senders of records, on platforms that need one function for each


class Permissions(Value):
    """What a deployment permits to engines that run more than plain data."""

    threads: int = 1  # FLYWEIGHT_THREADS: a small function has a share of one core, and more threads only wait for each other
    max_steps: int = 100_000_000  # FLYWEIGHT_MAX_STEPS: of an instance, 10 ns each; a lower number changes nothing
    allow_pickle: bool = False  # FLYWEIGHT_ALLOW_PICKLE=1: run the code in a model file's pickle
    trusted_types: "tuple[str, ...]" = ()  # FLYWEIGHT_TRUSTED_TYPES: types that an estimator may hold beside the built-in list


class EventSenders(Value):
    """Who may send events to a function that the network can reach, and what their events may name."""

    event_senders: "tuple[str, ...]" = ()  # FLYWEIGHT_EVENT_SENDERS: "iam" and addresses of service accounts; empty: nobody
    event_audience: "tuple[str, ...]" = ()  # FLYWEIGHT_EVENT_AUDIENCE: of senders' tokens; empty: the address of the request
    event_buckets: "tuple[str, ...]" = ()  # FLYWEIGHT_EVENT_BUCKETS: the buckets whose files an event may name


class Serving(Value):
    """Where our own HTTP server listens, and what one caller may occupy; each field is `FLYWEIGHT_` and its name in capitals."""

    host: str = ""  # empty: all addresses of the machine, of IPv6 and IPv4
    port: int = 8080  # or the variable PORT, which Cloud Run and others set; 0: a free one
    workers: int = 1  # processes, which share a model that is loaded before they are forked
    connections: int = 1000  # of one process; above it the one that waits longest for its caller is closed
    head_seconds: float = 10.0  # in which the request line and the headers have to arrive
    body_seconds: float = 30.0  # in which the body has to arrive
    idle_seconds: float = 75.0  # for which a connection stays open between two requests
    write_seconds: float = 30.0  # in which the caller has to read an answer, and 1 s more for each 64 kB
    grace_seconds: float = 10.0  # after SIGTERM, for requests that have begun; platforms kill a process some seconds later


# groups of settings whose fields are variables: FLYWEIGHT_ and the field's name in capitals
GROUPS = (Settings, Limits, Caching, Verification, Files, Permissions, EventSenders, Cors, Serving)
# beside them: the field `continued`, and variables of the command line
OTHERS = ("KAFKA_PARTIAL", "CLIENT", "CONTINUE", "KEY", "ENVIRONMENTS", "PACKING_FOR", "TRACEBACK")


def misspelt(environ: "Mapping[str, str]" = os.environ) -> "list[str]":
    """List the variables that begin with `FLYWEIGHT_` and are no setting, each as a sentence that names the closest setting."""
    names = [name[10:] for name in environ if name.startswith("FLYWEIGHT_")]
    if not names:
        return []
    known = {field.upper() for group in GROUPS for field in group._fields}.union(OTHERS)
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


def event_senders(environ: "Mapping[str, str]" = os.environ) -> EventSenders:
    """Read who may send events.

    :param environ: the environment variables.
    :raises InvalidSetting: a sender is neither `iam` nor an address of an account.
    """
    senders = _words("EVENT_SENDERS", environ)
    wrong = [word for word in senders if word != "iam" and "@" not in word]
    if wrong:
        raise InvalidSetting(
            f"FLYWEIGHT_EVENT_SENDERS should hold iam or addresses of service accounts, as "
            f"'trigger@project.iam.gserviceaccount.com', got {wrong[0][:80]!r}"
        )
    return EventSenders(senders, _words("EVENT_AUDIENCE", environ), _words("EVENT_BUCKETS", environ))


def permissions(environ: "Mapping[str, str]" = os.environ) -> Permissions:
    """Read the permissions of this deployment.

    :param environ: the environment variables.
    :raises InvalidSetting: the number of threads or of steps is not a whole number above zero.
    """
    allowed = environ.get("FLYWEIGHT_ALLOW_PICKLE", "").strip().lower() in ("1", "true", "yes")
    usual = Permissions()
    return Permissions(
        threads=_count("threads", usual.threads, environ),
        max_steps=_count("max_steps", usual.max_steps, environ),
        allow_pickle=allowed,
        trusted_types=_words("TRUSTED_TYPES", environ),
    )


def serving(environ: "Mapping[str, str]" = os.environ) -> Serving:
    """Read where our own HTTP server listens, and what one caller may occupy.

    :param environ: the environment variables.
    :raises InvalidSetting: a number is not one, or the port is above 65535.
    """
    port = _text("PORT", environ) or environ.get("PORT", "").strip() or str(Serving().port)
    if not (port.isascii() and port.isdecimal()) or int(port[:6]) > 65535:
        raise InvalidSetting(f"FLYWEIGHT_PORT or PORT should be a port from 0 to 65535, got {port[:80]!r}")
    numbers = {name: text for name, text in environ.items() if name != "FLYWEIGHT_PORT"}
    read: Serving = _numbers(Serving(), numbers)
    return read._replace(host=_text("HOST", environ), port=int(port))


def files(environ: "Mapping[str, str]" = os.environ) -> Files:
    """Read the settings of files in stores.

    :param environ: the environment variables.
    :raises InvalidSetting: the output is not an address, or another variable has a value that is not in its list.
    """
    output, form, continued = _text("OUTPUT", environ), _text("OUTPUT_FORM", environ) or "jsonl", _text("CONTINUE", environ)
    if output and "://" not in output:
        raise InvalidSetting(f"FLYWEIGHT_OUTPUT should be SCHEME://PLACE/PREFIX, as 's3://bucket/answers', got {output[:80]!r}")
    if form not in ("jsonl", "csv"):
        raise InvalidSetting(f"FLYWEIGHT_OUTPUT_FORM should be jsonl or csv, got {form[:80]!r}")
    if continued not in ("", "invoke"):
        raise InvalidSetting(f"FLYWEIGHT_CONTINUE should be invoke or empty, got {continued[:80]!r}")
    return Files(output, form, continued)


def read(folder: str, environ: "Mapping[str, str]" = os.environ) -> Settings:
    """Read the settings of a deployment.

    :param folder: the handler's folder, where the model file is unless `FLYWEIGHT_MODEL` names another, and where relative
        paths start.
    :param environ: the environment variables.
    :raises InvalidSetting: a variable has a value with no meaning; the message names it and what was expected.
    """
    files(environ)  # so that a wrong value is an error when the function starts, and not at its first file
    event_senders(environ)  # nor at its first event
    models = _models(folder, environ)
    preload = _words("PRELOAD", environ)
    unknown = [name for name in preload if name not in models]
    if unknown:
        raise InvalidSetting(f"FLYWEIGHT_PRELOAD names {unknown[0]!r}; FLYWEIGHT_MODELS has {', '.join(models) or 'none'}")
    return Settings(
        model=_located(_text("MODEL", environ) or _built_address(folder) or "model.safetensors", folder),
        observability=environ.get("FLYWEIGHT_OBSERVABILITY", ""),
        limits=_limits(environ),
        caching=_numbers(Caching(cache_dir=_text("CACHE_DIR", environ) or Caching().cache_dir), environ),
        verification=Verification(_hash(environ), _words("PUBLIC_KEYS", environ)),
        models=models,
        preload=preload,
        canary=_traffic_split("CANARY", folder, environ),
        shadow=_traffic_split("SHADOW", folder, environ),
        results=_text("RESULTS", environ),
        dead_letters=_text("DEAD_LETTERS", environ),
        protocols=_words("PROTOCOLS", environ) or ("native",),
        base_path=_text("BASE_PATH", environ),
        cors=_cors(environ),
        triggers=_words("TRIGGERS", environ),
    )


def _cors(environ: "Mapping[str, str]") -> "Cors | None":
    """Read which origins may call the endpoint from scripts; None if the variable is not set.

    :raises InvalidSetting: an origin is not one, a word is not in its list, or credentials are allowed to all origins.
    """
    origins = tuple([origin.lower() for origin in _words("CORS_ORIGINS", environ)])
    if not origins:
        return None
    credentials = _text("CORS_CREDENTIALS", environ)
    wrong = [word for word in origins if word not in ("*", "null") and not _is_origin(word)]
    if wrong:
        raise InvalidSetting(f"FLYWEIGHT_CORS_ORIGINS should hold origins, as https://shop.example, or *, got {wrong[0][:80]!r}")
    if credentials not in ("", "true", "false"):
        raise InvalidSetting(f"FLYWEIGHT_CORS_CREDENTIALS should be true or false, got {credentials[:80]!r}")
    if credentials == "true" and "*" in origins:
        raise InvalidSetting("FLYWEIGHT_CORS_ORIGINS should name the origins that may send credentials, got '*'")
    headers = tuple([name.lower() for name in _words("CORS_HEADERS", environ)]) or Cors().cors_headers
    age = _text("CORS_MAX_AGE", environ) or str(Cors().cors_max_age)
    if not age.isdecimal():
        raise InvalidSetting(f"FLYWEIGHT_CORS_MAX_AGE should be a whole number of seconds, got {age[:80]!r}")
    return Cors(origins, headers, credentials == "true", int(age))


def _is_origin(text: str) -> bool:
    """Tell whether a text is SCHEME://HOST or SCHEME://HOST:PORT, where the host may begin with `*.`."""
    scheme, colon, host = text.partition("://")
    return bool(scheme and colon and host) and "/" not in host and "*" not in scheme + host.removeprefix("*.")


def _limits(environ: "Mapping[str, str]") -> Limits:
    """Read what one request may carry.

    :raises InvalidSetting: a number is not one, or a word is not in its list.
    """
    unknown, parse_text = _text("UNKNOWN_FEATURES", environ), _text("PARSE_TEXT", environ)
    if unknown not in ("", "error", "ignore"):
        raise InvalidSetting(f"FLYWEIGHT_UNKNOWN_FEATURES should be error or ignore, got {unknown[:80]!r}")
    if parse_text not in ("", "true", "false"):
        raise InvalidSetting(f"FLYWEIGHT_PARSE_TEXT should be true or false, got {parse_text[:80]!r}")
    any_body, content_type = _text("ANY_BODY", environ), _text("CONTENT_TYPE", environ)
    if any_body not in ("", "true", "false"):
        raise InvalidSetting(f"FLYWEIGHT_ANY_BODY should be true or false, got {any_body[:80]!r}")
    if content_type and "/" not in content_type:
        raise InvalidSetting(f"FLYWEIGHT_CONTENT_TYPE should be a media type, as 'text/csv', got {content_type[:80]!r}")
    words = Limits(
        unknown_features=unknown, parse_text=parse_text == "true", any_body=any_body == "true", content_type=content_type
    )
    limits: Limits = _numbers(words, environ)
    return limits


def _located(text: str, folder: str) -> str:
    """Make a relative path start at the handler's folder; an address stays as it is."""
    return text if "://" in text else os.path.join(folder, text)


def _built_address(folder: str) -> str:
    """Read the address that `flyweight build` wrote for a model that stays in its store; "" if the folder holds the model."""
    try:
        with open(os.path.join(folder, ADDRESS_FILE), encoding="utf-8") as file:
            return file.read(4096).strip()
    except OSError:
        return ""


def _models(folder: str, environ: "Mapping[str, str]") -> "dict[str, str]":
    """Read FLYWEIGHT_MODELS: from each name to the path or address of its model.

    :raises InvalidSetting: an item is not NAME=ADDRESS, or a name is used twice.
    """
    models = {}
    for item in _words("MODELS", environ):
        name, equals, address = item.partition("=")
        sound = name.isascii() and all(character.isalnum() or character in "._-+" for character in name)
        if not (name and equals and address and sound) or name in models:
            raise InvalidSetting(f"FLYWEIGHT_MODELS should be NAME=ADDRESS, each name once, got {_redacted(item)!r}")
        models[name] = _located(address, folder)
    return models


def _traffic_split(name: str, folder: str, environ: "Mapping[str, str]") -> "TrafficSplit | None":
    """Read ADDRESS and a share, a number from 0 to 1 or a percentage, from a variable; None if it is not set.

    :raises InvalidSetting: the variable holds something else.
    """
    text = _text(name, environ)
    if not text:
        return None
    address, _, share = text.rpartition(" ")
    try:
        number = float(share.removesuffix("%")) / (100.0 if share.endswith("%") else 1.0)
    except ValueError:
        number = -1.0
    if not address or not 0.0 <= number <= 1.0:
        raise InvalidSetting(
            f"FLYWEIGHT_{name} should be ADDRESS and a share, as 's3://bucket/models/cancer@next 5%', got {_redacted(text)!r}"
        )
    return TrafficSplit(_located(address.strip(), folder), number)


def _redacted(text: str) -> str:
    """Shorten the text of a wrong setting for a message, without what may be a secret in it: a user, a password, a query."""
    start, scheme, rest = text.partition("?")[0].partition("://")
    host, slash, path = rest.partition("/")
    return f"{start}{scheme}{host.rpartition('@')[2]}{slash}{path}"[:80]


def _hash(environ: "Mapping[str, str]") -> str:
    """Read FLYWEIGHT_SHA256 in lower case; "" if it is not set.

    :raises InvalidSetting: it is not a sha256.
    """
    text = _text("SHA256", environ).lower()
    if text and (len(text) != 64 or not set(text) <= set("0123456789abcdef")):
        raise InvalidSetting(f"FLYWEIGHT_SHA256 should be 64 hexadecimal digits, got {text[:80]!r}")
    return text


def _text(name: str, environ: "Mapping[str, str]") -> str:
    return environ.get(f"FLYWEIGHT_{name}", "").strip()


def _words(name: str, environ: "Mapping[str, str]") -> "tuple[str, ...]":
    return tuple(_text(name, environ).replace(",", " ").split())


def _numbers(defaults: "Any", environ: "Mapping[str, str]") -> "Any":
    """Replace each number of a frozen value by that of the variable with its name, if that is set.

    :raises InvalidSetting: as `_count` and `_seconds`.
    """
    readers = {int: _count, float: _seconds}
    numbers = {k: readers[type(v)](k, v, environ) for k, v in defaults._asdict().items() if type(v) in readers}
    return defaults._replace(**numbers)


def _count(name: str, default: int, environ: "Mapping[str, str]") -> int:
    """Read a whole number.

    :raises InvalidSetting: it is not a whole number above zero.
    """
    text = _text(name.upper(), environ) or str(default)
    if not text.isdecimal() or int(text) == 0:
        raise InvalidSetting(f"FLYWEIGHT_{name.upper()} should be a whole number above zero, got {text!r}")
    return int(text)


def _seconds(name: str, default: float, environ: "Mapping[str, str]") -> float:
    """Read a number of seconds.

    :raises InvalidSetting: it is not a number above zero and below 1e9.
    """
    text = _text(name.upper(), environ) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number < 1e9:
        raise InvalidSetting(f"FLYWEIGHT_{name.upper()} should be a number of seconds above zero, got {text!r}")
    return number


def kafka_partial(environ: "Mapping[str, str]" = os.environ) -> bool:
    """Tell whether Kafka's event source mapping takes replies that name the failed records.

    :param environ: the environment variables.
    """
    return _text("KAFKA_PARTIAL", environ).lower() in ("1", "true", "yes")


def variable(name: str) -> str:
    """Read a variable that is not flyweight's own: one of the platform, or one that a store's library reads as well."""
    return os.environ.get(name, "").strip()


def memory_megabytes(environ: "Mapping[str, str]" = os.environ) -> int:
    """Read how many megabytes of memory the platform gives this process, by the variable of its own; 0 if it has none.

    AWS sets AWS_LAMBDA_FUNCTION_MEMORY_SIZE: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return next((int(text) for name, text in environ.items() if name.endswith("_FUNCTION_MEMORY_SIZE") and text.isdecimal()), 0)
