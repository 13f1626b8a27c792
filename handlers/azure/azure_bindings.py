"""Triggers and outputs as words of the settings to functions of the app, which the worker finds when it indexes them.

queue:NAME[@CONNECTION]    servicebus:QUEUE[@...]    servicebus:TOPIC/SUBSCRIPTION[@...]    eventhub:NAME[/CONSUMER_GROUP][@...]
eventgrid    timer:SCHEDULE
CONNECTION is the name, or the prefix, of the app settings that say where and who: https://aka.ms/azfunc-identity
"""

import json
from inspect import Parameter, Signature

import azure.functions as func
from azure_records import event_grid, event_hub, queue, service_bus, timer
from azure_sinks import taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.records import Trigger
    from flyweight.settings import Settings

    Decorator = Callable[[Any], Any]

SENT = "sent"
BYTES = func.DataType.BINARY  # as they were sent: text would be decoded and, where it looks like JSON, parsed
MANY = func.Cardinality.MANY
CONNECTIONS = {"queue": "AzureWebJobsStorage", "servicebus": "AzureWebJobsServiceBus", "eventhub": "AzureWebJobsEventHub"}


def register(app: func.FunctionApp, answer: "Callable[..., Any]", deployment: "Settings") -> None:
    """Add a function for each trigger that the deployment names, with the outputs that it names.

    :raises ValueError: a trigger that there is none of.
    """
    named = {deployment.dead_letters: "dead_letters", deployment.results: "results"}  # one binding where both go to one place
    outputs = {address: argument for address, argument in named.items() if address.partition(":")[0] in OUTPUTS}
    for text in deployment.triggers:
        kind, name, connection = _parts(text)
        if kind not in TRIGGERS or (kind in NAMED and not name):
            forms = "queue:NAME, servicebus:QUEUE, servicebus:TOPIC/SUBSCRIPTION, eventhub:NAME, eventgrid or timer:SCHEDULE"
            raise ValueError(f"FLYWEIGHT_TRIGGERS should hold {forms}, got {text!r}")
        trigger, decorate = TRIGGERS[kind](app, name, connection)
        function = decorate(_function(answer, trigger, outputs))
        for address, argument in outputs.items():
            target, place, place_connection = _parts(address)
            function = OUTPUTS[target](app, argument, place, place_connection)(function)
        app.function_name(_identifier(kind, name))(function)


def _parts(text: str) -> "tuple[str, str, str]":
    """Kind, name and connection."""
    kind, _, rest = text.partition(":")
    name, _, connection = rest.rpartition("@") if "@" in rest else (rest, "", "")
    return kind, name, connection or CONNECTIONS.get(kind, "")


def _identifier(kind: str, name: str) -> str:
    """The function's name: `queue_orders`, `servicebus_measurements_penguins`, `timer`."""
    told = "" if kind == "timer" else name
    return "_".join(["".join(letter if letter.isalnum() else "_" for letter in part) for part in (kind, told) if part])


def _function(answer: "Callable[..., Any]", trigger: "Trigger", outputs: "dict[str, str]") -> "Callable[..., None]":
    """A function with a parameter for each binding, as the worker wants it: it reads the signature."""

    def consume(**given: "Any") -> None:
        taken()
        answer(given[SENT], given["context"], trigger)
        for address, texts in taken().items():
            given[outputs[address]].set(json.dumps(texts))  # the host makes a message of each

    names = [SENT, "context", *outputs.values()]
    consume.__signature__ = Signature([Parameter(name, Parameter.KEYWORD_ONLY) for name in names])  # type: ignore[attr-defined]
    consume.__annotations__ = {}  # which the worker would evaluate
    return consume


def _queue(app: func.FunctionApp, name: str, connection: str) -> "tuple[Trigger, Decorator]":
    return queue(name), app.queue_trigger(SENT, name, connection, BYTES)


def _service_bus(app: func.FunctionApp, name: str, connection: str) -> "tuple[Trigger, Decorator]":
    options: Any = {"data_type": BYTES, "cardinality": MANY}
    topic, slash, subscription = name.partition("/")
    if slash:
        return service_bus(name), app.service_bus_topic_trigger(SENT, connection, topic, subscription, **options)
    return service_bus(name), app.service_bus_queue_trigger(SENT, connection, name, **options)


def _event_hub(app: func.FunctionApp, name: str, connection: str) -> "tuple[Trigger, Decorator]":
    """With retries without end: the host goes on to the next batch when they end, whatever became of this one."""
    hub, _, group = name.partition("/")
    options: Any = {"data_type": BYTES, "cardinality": MANY, "consumer_group": group or None}
    decorate = app.event_hub_message_trigger(SENT, connection, hub, **options)
    again = app.retry("exponential_backoff", "-1", minimum_interval="00:00:01", maximum_interval="00:05:00")
    return event_hub(name), lambda function: again(decorate(function))


def _event_grid(app: func.FunctionApp, name: str, connection: str) -> "tuple[Trigger, Decorator]":
    return event_grid(), app.event_grid_trigger(SENT)


def _timer(app: func.FunctionApp, name: str, connection: str) -> "tuple[Trigger, Decorator]":
    """By `timer:%SETTING%`, which the host looks up, or with underscores for the spaces: `timer:0_*/5_*_*_*_*`."""
    return timer(), app.timer_trigger(SENT, name if "%" in name else name.replace("_", " "))


TRIGGERS = {"queue": _queue, "servicebus": _service_bus, "eventhub": _event_hub, "eventgrid": _event_grid, "timer": _timer}
NAMED = (*CONNECTIONS, "timer")
OUTPUTS: "dict[str, Callable[[func.FunctionApp, str, str, str], Decorator]]" = {
    "queue": lambda app, argument, name, connection: app.queue_output(argument, name, connection),
    "servicebus": lambda app, argument, name, connection: app.service_bus_queue_output(argument, connection, name),
    "eventhub": lambda app, argument, name, connection: app.event_hub_output(argument, connection, name),
}
