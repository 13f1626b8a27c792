"""What the app's functions pass on to the trigger that it is for: none for HTTP; and where results and dead letters can go."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.records import Trigger
    from flyweight.records.sinks import Sink


def find(sent: "Any", context: "Any", trigger: "Trigger | None" = None) -> "Trigger | None":
    """The trigger of an invocation: the function that was registered for it passes it on."""
    return trigger


def sink(address: str) -> "Sink":
    """The sink at an address; its module is imported for those who set one."""
    from azure_sinks import open_sink

    return open_sink(address)


SINKS = dict.fromkeys(("queue", "servicebus", "eventhub", "az"), sink)
