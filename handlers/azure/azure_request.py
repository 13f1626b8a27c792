"""Decode an Azure HttpRequest to a Request, and encode a Response as an HttpResponse."""

from urllib.parse import urlsplit

import azure.functions as func

from flyweight.values import Request, Response


def decode(req: func.HttpRequest, context: func.Context) -> Request:
    """Decode the request that the host has parsed; its header names are in lower case already."""
    return Request(req.method, urlsplit(req.url).path, dict(req.headers), req.get_body(), context.invocation_id)


def encode(response: Response, req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Encode a response as body, status and headers, the content type among them."""
    return func.HttpResponse(response.body, status_code=response.status, headers=response.headers)
