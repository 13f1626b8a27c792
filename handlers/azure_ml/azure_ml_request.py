"""Decode the Flask request of Azure ML's inference server, and encode a Response as Flask's.

A response of Flask keeps each header as it is. The server's own `AMLResponse` splits values at their commas, and has two content
types if the name of ours is in lower case: azureml_inference_server_http/api/aml_response.py, version 1.5.1.
"""

from itertools import chain

import flask
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from flyweight.errors import MalformedRequest, TooLarge
from flyweight.values import Request, Response


def decode(request: flask.Request) -> Request:
    """Decode a request; the server has given it an id, which its answer repeats in `x-request-id`.

    :raises MalformedRequest: the body breaks off.
    :raises TooLarge: the body has more bytes than the server reads.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = request.query_string.decode("latin-1")
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        raise TooLarge(f"the body has {request.content_length} bytes, more than the server reads", headers) from None
    except BadRequest as error:
        raise MalformedRequest(f"the body can't be read: {error.description}", flask.g.request_id, headers) from None
    return Request(request.method, request.path, headers, body, flask.g.request_id, query)


def encode(response: Response, request: flask.Request) -> flask.Response:
    """Encode a response as body, status and headers; one in blocks is sent as they are made."""
    body = response.body if response.blocks is None else chain([response.body], response.blocks)
    return flask.Response(body, response.status, response.headers)
