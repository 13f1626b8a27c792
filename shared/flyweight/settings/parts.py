"""The settings of parts that few functions have, read when a part is first used."""

from flyweight.errors import InvalidSetting
from flyweight.settings.edge import Edge
from flyweight.settings.variables import VARIABLES, count_of, located, redacted, text_of, with_numbers, words_of
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


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


class Permissions(Value):
    """What a deployment permits to engines that run more than plain data."""

    threads: int = 1  # FLYWEIGHT_THREADS: a small function has a share of one core, and more threads only wait for each other
    max_steps: int = 100_000_000  # FLYWEIGHT_MAX_STEPS: of an instance, 10 ns each; a lower number changes nothing
    allow_pickle: bool = False  # FLYWEIGHT_ALLOW_PICKLE=1: run the code in a model file's pickle
    trusted_types: "tuple[str, ...]" = ()  # FLYWEIGHT_TRUSTED_TYPES: types that an estimator may hold beside the built-in list


class Accelerators(Value):
    """What runs models beside the processor, or faster on it; each field is `FLYWEIGHT_` and its name in capitals."""

    arrays: str = ""  # the namespace of batches, NAME or NAME:DEVICE, as torch, torch:cuda, cupy, jax:tpu; empty: NumPy
    onnx_providers: "tuple[str, ...]" = ("cpu",)  # of onnxruntime, in the order of preference: tensorrt, cuda, cpu, ...
    onnx_options: "tuple[str, ...]" = ()  # NAME=VALUE, as trt_fp16_enable=1: those that begin with trt_ are TensorRT's
    xgboost_device: str = "cpu"  # or cuda, or cuda:1


class EventSenders(Value):
    """Who may send events to a function that the network can reach, and what their events may name."""

    event_senders: "tuple[str, ...]" = ()  # FLYWEIGHT_EVENT_SENDERS: "iam" and addresses of service accounts; empty: nobody
    event_audience: "tuple[str, ...]" = ()  # FLYWEIGHT_EVENT_AUDIENCE: of senders' tokens; empty: the address of the request
    event_buckets: "tuple[str, ...]" = ()  # FLYWEIGHT_EVENT_BUCKETS: the buckets whose files an event may name


class Serving(Value):
    """Where our own HTTP server listens, and what one caller may occupy; each field is `FLYWEIGHT_` and its name in capitals."""

    host: str = ""  # empty: all addresses of the machine, of IPv6 and IPv4
    port: int = 8080  # or the variable PORT, or one that ends in _BIND_TO_PORT, which platforms set; 0: a free one
    workers: int = 1  # processes, which share a model that is loaded before they are forked
    connections: int = 1000  # of one process; above it the one that waits longest for its caller is closed
    head_seconds: float = 10.0  # in which the request line and the headers have to arrive
    body_seconds: float = 30.0  # in which the body has to arrive
    idle_seconds: float = 75.0  # for which a connection stays open between two requests
    write_seconds: float = 30.0  # in which the caller has to read an answer, and 1 s more for each 64 kB
    grace_seconds: float = 10.0  # after SIGTERM, for requests that have begun; platforms kill a process some seconds later
    grpc_port: "int | None" = None  # FLYWEIGHT_GRPC_PORT: answers the Open Inference Protocol over gRPC; empty: no gRPC
    metrics: bool = False  # true: GET /metrics answers what Prometheus asks for


# groups of settings whose fields are variables: FLYWEIGHT_ and the field's name in capitals
GROUPS = (Files, Permissions, Accelerators, EventSenders, Cors, Serving, Edge)


def event_senders(environ: "Mapping[str, str]" = VARIABLES) -> EventSenders:
    """Read who may send events.

    :param environ: the environment variables.
    :raises InvalidSetting: a sender is neither `iam` nor an address of an account.
    """
    senders = words_of("EVENT_SENDERS", environ)
    wrong = [word for word in senders if word != "iam" and "@" not in word]
    if wrong:
        raise InvalidSetting(
            f"FLYWEIGHT_EVENT_SENDERS should hold iam or addresses of service accounts, as "
            f"'trigger@project.iam.gserviceaccount.com', got {wrong[0][:80]!r}"
        )
    return EventSenders(senders, words_of("EVENT_AUDIENCE", environ), words_of("EVENT_BUCKETS", environ))


def permissions(environ: "Mapping[str, str]" = VARIABLES) -> Permissions:
    """Read the permissions of this deployment.

    :param environ: the environment variables.
    :raises InvalidSetting: the number of threads or of steps is not a whole number above zero.
    """
    allowed = environ.get("FLYWEIGHT_ALLOW_PICKLE", "").strip().lower() in ("1", "true", "yes")
    usual = Permissions()
    return Permissions(
        threads=count_of("threads", usual.threads, environ),
        max_steps=count_of("max_steps", usual.max_steps, environ),
        allow_pickle=allowed,
        trusted_types=words_of("TRUSTED_TYPES", environ),
    )


def accelerators(environ: "Mapping[str, str]" = VARIABLES) -> Accelerators:
    """Read which accelerators run this deployment's models.

    :param environ: the environment variables.
    :raises InvalidSetting: an option is not NAME=VALUE, or several processes would be forked from one that has an accelerator.
    """
    usual, options = Accelerators(), words_of("ONNX_OPTIONS", environ)
    wrong = [option for option in options if not all(option.partition("="))]
    if wrong:
        raise InvalidSetting(f"FLYWEIGHT_ONNX_OPTIONS should hold NAME=VALUE, as 'trt_fp16_enable=1', got {wrong[0][:80]!r}")
    read = Accelerators(
        arrays=text_of("ARRAYS", environ),
        onnx_providers=words_of("ONNX_PROVIDERS", environ) or usual.onnx_providers,
        onnx_options=options,
        xgboost_device=text_of("XGBOOST_DEVICE", environ) or usual.xgboost_device,
    )
    workers = text_of("WORKERS", environ) or "1"
    # https://docs.pytorch.org/docs/stable/notes/multiprocessing.html#cuda-in-multiprocessing
    if read != usual and workers != "1":
        raise InvalidSetting(f"FLYWEIGHT_WORKERS should be 1 with an accelerator, which no fork survives, got {workers[:80]!r}")
    return read


def serving(environ: "Mapping[str, str]" = VARIABLES) -> Serving:
    """Read where our own HTTP server listens, and what one caller may occupy.

    :param environ: the environment variables.
    :raises InvalidSetting: a number is not one, a port is above 65535, or FLYWEIGHT_METRICS is neither true nor false.
    """
    told = next((text for name, text in environ.items() if name.endswith("_BIND_TO_PORT")), "")
    port = text_of("PORT", environ) or told.strip() or environ.get("PORT", "").strip() or str(Serving().port)
    numbers = {name: text for name, text in environ.items() if name != "FLYWEIGHT_PORT"}
    read: Serving = with_numbers(Serving(), numbers)
    grpc = text_of("GRPC_PORT", environ)
    grpc_port = _port(grpc, "FLYWEIGHT_GRPC_PORT", 1) if grpc else None
    metrics = text_of("METRICS", environ)
    if metrics not in ("", "true", "false"):
        raise InvalidSetting(f"FLYWEIGHT_METRICS should be true or false, got {metrics[:80]!r}")
    own = {"host": text_of("HOST", environ), "port": _port(port, "FLYWEIGHT_PORT or PORT"), "grpc_port": grpc_port}
    return read._replace(**own, metrics=metrics == "true")


def _port(text: str, name: str, lowest: int = 0) -> int:
    """Read the number of a port.

    :param name: of the variable, for the message.
    :raises InvalidSetting: it is not a whole number from `lowest` to 65535.
    """
    if not (text.isascii() and text.isdecimal()) or not lowest <= int(text[:6]) <= 65535:
        raise InvalidSetting(f"{name} should be a port from {lowest} to 65535, got {text[:80]!r}")
    return int(text)


def files(environ: "Mapping[str, str]" = VARIABLES) -> Files:
    """Read the settings of files in stores.

    :param environ: the environment variables.
    :raises InvalidSetting: the output is not an address, or another variable has a value that is not in its list.
    """
    output, form, continued = text_of("OUTPUT", environ), text_of("OUTPUT_FORM", environ) or "jsonl", text_of("CONTINUE", environ)
    if output and "://" not in output:
        raise InvalidSetting(f"FLYWEIGHT_OUTPUT should be SCHEME://PLACE/PREFIX, as 's3://bucket/answers', got {output[:80]!r}")
    if form not in ("jsonl", "csv"):
        raise InvalidSetting(f"FLYWEIGHT_OUTPUT_FORM should be jsonl or csv, got {form[:80]!r}")
    if continued not in ("", "invoke"):
        raise InvalidSetting(f"FLYWEIGHT_CONTINUE should be invoke or empty, got {continued[:80]!r}")
    return Files(output, form, continued)


def cors(environ: "Mapping[str, str]") -> "Cors | None":
    """Read which origins may call the endpoint from scripts; None if the variable is not set.

    :raises InvalidSetting: an origin is not one, a word is not in its list, or credentials are allowed to all origins.
    """
    origins = tuple([origin.lower() for origin in words_of("CORS_ORIGINS", environ)])
    if not origins:
        return None
    credentials = text_of("CORS_CREDENTIALS", environ)
    wrong = [word for word in origins if word not in ("*", "null") and not _is_origin(word)]
    if wrong:
        raise InvalidSetting(f"FLYWEIGHT_CORS_ORIGINS should hold origins, as https://shop.example, or *, got {wrong[0][:80]!r}")
    if credentials not in ("", "true", "false"):
        raise InvalidSetting(f"FLYWEIGHT_CORS_CREDENTIALS should be true or false, got {credentials[:80]!r}")
    if credentials == "true" and "*" in origins:
        raise InvalidSetting("FLYWEIGHT_CORS_ORIGINS should name the origins that may send credentials, got '*'")
    headers = tuple([name.lower() for name in words_of("CORS_HEADERS", environ)]) or Cors().cors_headers
    age = text_of("CORS_MAX_AGE", environ) or str(Cors().cors_max_age)
    if not age.isdecimal():
        raise InvalidSetting(f"FLYWEIGHT_CORS_MAX_AGE should be a whole number of seconds, got {age[:80]!r}")
    return Cors(origins, headers, credentials == "true", int(age))


def _is_origin(text: str) -> bool:
    """Tell whether a text is SCHEME://HOST or SCHEME://HOST:PORT, where the host may begin with `*.`."""
    scheme, colon, host = text.partition("://")
    return bool(scheme and colon and host) and "/" not in host and "*" not in scheme + host.removeprefix("*.")


def traffic_split(name: str, folder: str, environ: "Mapping[str, str]") -> "TrafficSplit | None":
    """Read ADDRESS and a share, a number from 0 to 1 or a percentage, from a variable; None if it is not set.

    :raises InvalidSetting: the variable holds something else.
    """
    text = text_of(name, environ)
    if not text:
        return None
    address, _, share = text.rpartition(" ")
    try:
        number = float(share.removesuffix("%")) / (100.0 if share.endswith("%") else 1.0)
    except ValueError:
        number = -1.0
    if not address or not 0.0 <= number <= 1.0:
        raise InvalidSetting(
            f"FLYWEIGHT_{name} should be ADDRESS and a share, as 's3://bucket/models/cancer@next 5%', got {redacted(text)!r}"
        )
    return TrafficSplit(located(address.strip(), folder), number)
