"""Register a function of the app for each trigger in the settings; the worker finds the functions when it indexes the app.

queue:NAME[@CONNECTION]    servicebus:QUEUE[@...]    servicebus:TOPIC/SUBSCRIPTION[@...]    eventhub:NAME[/CONSUMER_GROUP][@...]
cosmos:DATABASE/CONTAINER[@...]    eventgrid    timer:SCHEDULE
CONNECTION is the name, or the prefix, of the app settings that hold address and identity: https://aka.ms/azfunc-identity
"""

import json
from inspect import Parameter, Signature

import azure.functions as func
from azure_records import documents, event_grid, event_hub, queue, service_bus, timer
from azure_sinks import take_held

from flyweight.errors import InvalidSetting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.records import Trigger
    from flyweight.settings import Settings

    Decorator = Callable[[Any], Any]

SENT = "sent"  # the parameter that gets the records
BYTES = func.DataType.BINARY  # messages as they were sent; text would be decoded and, if it looks like JSON, parsed
MANY = func.Cardinality.MANY
CONNECTIONS = {
    "queue": "AzureWebJobsStorage",
    "servicebus": "AzureWebJobsServiceBus",
    "eventhub": "AzureWebJobsEventHub",
    "cosmos": "AzureWebJobsCosmosDB",
}


def register(app: func.FunctionApp, answer: "Callable[..., Any]", deployment: "Settings") -> None:
    """Add a function for each trigger that the deployment names, with an output binding for each sink that it names.

    :param answer: `answer(sent, context, trigger)` scores the records of an invocation.
    :raises InvalidSetting: a trigger is of no known kind, or has no name.
    """
    # a dict by address: one binding if both go to the same place
    sinks = {deployment.dead_letters: "dead_letters", deployment.results: "results"}
    outputs = {address: argument for address, argument in sinks.items() if address.partition(":")[0] in OUTPUTS}
    for text in deployment.triggers:
        kind, name, connection = _parts(text)
        if kind not in TRIGGERS or (kind in NAMED and not name):
            forms = "queue:NAME, servicebus:QUEUE, servicebus:TOPIC/SUBSCRIPTION, eventhub:NAME, cosmos:DATABASE/CONTAINER"
            raise InvalidSetting(f"FLYWEIGHT_TRIGGERS should hold {forms}, eventgrid or timer:SCHEDULE, got {text!r}")
        trigger, decorate = TRIGGERS[kind](app, name, connection)
        function = decorate(_function(answer, trigger, outputs))
        for address, argument in outputs.items():
            target, place, place_connection = _parts(address)
            function = OUTPUTS[target](app, argument, place, place_connection)(function)
        app.function_name(_identifier(kind, name))(function)


def _parts(text: str) -> "tuple[str, str, str]":
    """Split a trigger or an address into kind, name and connection."""
    kind, _, rest = text.partition(":")
    name, _, connection = rest.rpartition("@") if "@" in rest else (rest, "", "")
    return kind, name, connection or CONNECTIONS.get(kind, "")


def _identifier(kind: str, name: str) -> str:
    """Make the name of a function: `queue_orders`, `servicebus_measurements_penguins`, `timer`."""
    parts = [kind] if kind == "timer" or not name else [kind, name]
    return "_".join(["".join(letter if letter.isalnum() else "_" for letter in part) for part in parts])


def _function(answer: "Callable[..., Any]", trigger: "Trigger", outputs: "dict[str, str]") -> "Callable[..., None]":
    """Make a function with one parameter a binding; the worker reads the bindings from its signature.

    :param outputs: the parameter of each output binding, by the address of its sink.
    """

    def consume(**bindings: "Any") -> None:
        take_held()
        answer(bindings[SENT], bindings["context"], trigger)
        for address, texts in take_held().items():
            bindings[outputs[address]].set(json.dumps(texts))  # the host makes one message of each text

    names = [SENT, "context", *outputs.values()]
    consume.__signature__ = Signature([Parameter(name, Parameter.KEYWORD_ONLY) for name in names])  # type: ignore[attr-defined]
    consume.__annotations__ = {}  # the worker would evaluate them
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
    """Make the trigger of an event hub, with endless retries: after the last one the host would go on and lose the batch."""
    hub, _, group = name.partition("/")
    options: Any = {"data_type": BYTES, "cardinality": MANY, "consumer_group": group or None}
    decorate = app.event_hub_message_trigger(SENT, connection, hub, **options)
    return event_hub(name), lambda function: _again(app)(decorate(function))


def _documents(app: func.FunctionApp, name: str, connection: str) -> "tuple[Trigger, Decorator]":
    """Make the trigger of a container in Cosmos DB, with endless retries: without them the host would lose a failed batch.

    https://learn.microsoft.com/azure/azure-functions/functions-bindings-error-pages#retry-policies
    """
    database, _, container = name.partition("/")
    options: Any = {"create_lease_container_if_not_exists": True, "lease_container_name": f"{container}-leases"}
    decorate = app.cosmos_db_trigger(SENT, connection, database, container, **options)
    return documents(name), lambda function: _again(app)(decorate(function))


def _again(app: func.FunctionApp) -> "Decorator":
    decorator: Decorator = app.retry("exponential_backoff", "-1", minimum_interval="00:00:01", maximum_interval="00:05:00")
    return decorator


def _event_grid(app: func.FunctionApp, name: str, connection: str) -> "tuple[Trigger, Decorator]":
    return event_grid(), app.event_grid_trigger(SENT)


def _timer(app: func.FunctionApp, name: str, connection: str) -> "tuple[Trigger, Decorator]":
    """Make the trigger of a timer: `%SETTING%`, which the host looks up, or a schedule with underscores for spaces."""
    return timer(), app.timer_trigger(SENT, name if "%" in name else name.replace("_", " "))


TRIGGERS = {
    "queue": _queue,
    "servicebus": _service_bus,
    "eventhub": _event_hub,
    "cosmos": _documents,
    "eventgrid": _event_grid,
    "timer": _timer,
}
NAMED = (*CONNECTIONS, "timer")  # the kinds that need a name
OUTPUTS: "dict[str, Callable[[func.FunctionApp, str, str, str], Decorator]]" = {
    "queue": lambda app, argument, name, connection: app.queue_output(argument, name, connection),
    "servicebus": lambda app, argument, name, connection: app.service_bus_queue_output(argument, connection, name),
    "eventhub": lambda app, argument, name, connection: app.event_hub_output(argument, connection, name),
}
