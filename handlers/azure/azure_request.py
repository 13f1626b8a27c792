"""Decode an Azure HttpRequest to a Request, and encode a Response as an HttpResponse."""

from urllib.parse import urlsplit

import azure.functions as func

from flyweight.values import Request, Response


def decode(req: func.HttpRequest, context: func.Context) -> Request:
    """Decode the request that the host has parsed; its header names are in lower case already."""
    headers = {name: value for name, value in req.headers.items() if value is not None}
    return Request(req.method, _path(req), headers, req.get_body(), context.invocation_id, urlsplit(req.url).query)


def _path(req: func.HttpRequest) -> str:
    """Get the path below the host's route prefix, which the parameter of the function's route does not hold.

    The route has no parameter if nothing follows the prefix, which is `api` unless host.json sets another:
    https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook#hostjson-settings
    """
    path, below = urlsplit(req.url).path, req.route_params.get("path")
    if below:
        return f"/{below}"
    return "/" if path.strip("/") == "api" else path


def encode(response: Response, req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Encode a response as body, status and headers, the content type among them."""
    return func.HttpResponse(response.body, status_code=response.status, headers=response.headers)


encode.carriers = "azure_carriers"  # type: ignore[attr-defined]  # `handler.bind` imports it for a large answer
