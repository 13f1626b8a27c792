"""The entry of Azure Functions (programming model v2): one function for HTTP, and one for each trigger in the settings."""

import logging
import os

import azure.functions as func
from azure_request import decode, encode
from azure_triggers import find

from flyweight import strict_json
from flyweight.handler import bind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.serving.logs import Entry, Log
    from flyweight.serving.service import Service


def forwarded() -> "Log":
    """Log one line of JSON an entry, through a logger whose lines the worker forwards to Application Insights."""
    logger = logging.getLogger("flyweight")

    def write(entry: "Entry") -> None:
        logger.log(getattr(logging, entry["level"]), strict_json.encode(entry).decode())

    return write


services: "list[Service]" = []
folder, logs = os.path.dirname(__file__), {"": forwarded}
answer = bind(decode, encode, folder=folder, logs=logs, hooks=services.append, triggers=find, sinks="azure_sinks")
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route(route="{*path}", methods=[*func.HttpMethod])
def predict(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer one request; the worker finds the bindings by the names and types of the parameters."""
    reply: func.HttpResponse = answer(req, context)
    return reply


@app.warm_up_trigger(arg_name="trigger")
def warmup(trigger: func.warmup.WarmUpContext) -> None:
    """Prime the model before a new instance gets its first request; the worker requires this function's name."""
    services[0].prime()


if services[0].settings.triggers:
    from azure_bindings import register  # no request needs it

    register(app, answer, services[0].settings)
