"""The settings of the agent at the edge, which only its handler reads."""

from flyweight.errors import InvalidSetting
from flyweight.settings.variables import VARIABLES, text_of, variable, with_numbers
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = ("127.0.0.1", "::1", "localhost")
POLICIES = ("answer", "refuse")


class Edge(Value):
    """What the agent follows, keeps and forwards; each field is `FLYWEIGHT_` and its name in capitals."""

    edge_model: str = ""  # the address whose model is pulled; empty: the model of the folder answers for ever
    edge_state: str = "/var/lib/flyweight"  # the folder of models and answers; systemd's STATE_DIRECTORY comes before it
    edge_device: str = ""  # the device's name in keys and reports; empty: the host's name
    edge_forward: str = ""  # the store or the HTTP endpoint that gets the answers; empty: they stay
    edge_token: str = ""  # sent as a bearer token to the endpoints of EDGE_FORWARD and EDGE_CLOUD
    edge_window: str = ""  # local times between which models are fetched, as 01:00-05:00; empty: always
    edge_socket: str = ""  # the path of a Unix socket to listen on instead of an address
    edge_when_full: str = "answer"  # or refuse: what happens to requests whose answers can't be kept
    edge_cloud: str = ""  # the endpoint that is asked where the model is unsure; empty: none
    edge_confidence: float = 0.8  # the least probability of the chosen class with which the edge answers alone
    edge_cloud_seconds: float = 0.5  # for which the cloud's answer is waited for
    edge_pull_seconds: float = 300.0  # between two questions for a newer model
    edge_forward_seconds: float = 10.0  # between two looks for answers to forward
    edge_report_seconds: float = 3600.0  # between two reports of the device's state
    edge_store_bytes: int = 64 * 1024 * 1024  # of kept inputs and answers
    edge_batch: int = 512  # answers that are forwarded at once, at most


def edge(environ: "Mapping[str, str]" = VARIABLES) -> Edge:
    """Read the agent's settings.

    :raises InvalidSetting: a value has no meaning, or the agent would listen for other machines.
    """
    usual = Edge()
    texts = {name: text_of(name.upper(), environ) or value for name, value in usual._asdict().items() if isinstance(value, str)}
    texts["edge_state"] = text_of("EDGE_STATE", environ) or environ.get("STATE_DIRECTORY", "") or usual.edge_state
    texts["edge_device"] = texts["edge_device"] or _host()
    read: Edge = with_numbers(usual._replace(**texts), environ)
    host = text_of("HOST", environ)
    if host not in ("", *HERE):
        raise InvalidSetting(
            f"FLYWEIGHT_HOST should be one of {', '.join(HERE)}: the agent answers this device only, got {host!r}"
        )
    if text_of("GRPC_PORT", environ):
        raise InvalidSetting("FLYWEIGHT_GRPC_PORT should not be set: gRPC would listen for other machines")
    if "://" in text_of("MODEL", environ):
        raise InvalidSetting("FLYWEIGHT_MODEL should be a file on the device; FLYWEIGHT_EDGE_MODEL names an address in a store")
    if read.edge_when_full not in POLICIES:
        raise InvalidSetting(f"FLYWEIGHT_EDGE_WHEN_FULL should be answer or refuse, got {read.edge_when_full[:80]!r}")
    if read.edge_confidence > 1.0:
        raise InvalidSetting(f"FLYWEIGHT_EDGE_CONFIDENCE should be at most 1, got {read.edge_confidence!r}")
    letters = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    if not letters.issuperset(read.edge_device) or read.edge_device[:1] == "." or len(read.edge_device) > 100:
        raise InvalidSetting(f"FLYWEIGHT_EDGE_DEVICE should be letters, digits, '.', '_' and '-', got {read.edge_device[:80]!r}")
    window(read.edge_window)
    return read


def window(text: str) -> "tuple[int, int] | None":
    """Read a window such as 01:00-05:00.

    :returns: the minutes of the day at which it begins and ends; None for the whole day.
    :raises InvalidSetting: the text is not a window.
    """
    if not text:
        return None
    try:
        begin, end = [[int(part) for part in time.split(":")] for time in text.split("-")]
        (hour, minute), (last_hour, last_minute) = begin, end
    except ValueError:
        hour = 24
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= last_hour <= 24 and 0 <= last_minute < 60):
        raise InvalidSetting(f"FLYWEIGHT_EDGE_WINDOW should be two times such as 01:00-05:00, got {text[:80]!r}")
    return hour * 60 + minute, last_hour * 60 + last_minute


def _host() -> str:
    """Return the name of this machine."""
    name = variable("HOSTNAME")
    if not name:
        try:
            from posix import uname
        except ImportError:  # Windows
            return "device"
        name = uname().nodename
    return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)[:100].lstrip(".") or "device"
