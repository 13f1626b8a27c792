"""The `context` object that a handler gets, with the attributes and methods of the platform's own client.

https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

import sys
import time

from aws_client_environment import variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from aws_client_api import Invocation
    from aws_client_output import LogSink

W3C = ("traceparent", "tracestate", "baggage")


class CognitoIdentity:
    """Who called through Cognito."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, fields: "Any") -> None:
        self.cognito_identity_id = fields.get("cognitoIdentityId")
        self.cognito_identity_pool_id = fields.get("cognitoIdentityPoolId")

    def __repr__(self) -> str:
        return shown(self, [*self.__slots__])


class LambdaContext:
    """One invocation as its handler sees it."""

    def __init__(self, invocation: "Invocation", client_context: "Any", cognito: "Any", sink: "LogSink") -> None:
        self.aws_request_id = invocation.id
        self.log_group_name = variable("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = variable("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = variable("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = variable("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = invocation.arn
        self.tenant_id = invocation.tenant
        self._w3c_fields = _w3c(client_context)
        self.client_context = None
        if client_context is not None:
            from aws_client_mobile import client_context_of

            self.client_context = client_context_of(client_context)
        self.identity = CognitoIdentity({} if cognito is None else cognito)
        self._epoch_deadline_time_in_ms = invocation.deadline
        self._sink = sink

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until the platform ends this invocation, in milliseconds, at least 0."""
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def w3c(self) -> "dict[str, str]":
        """Return the trace context of the W3C that came with the event."""
        return dict(self._w3c_fields)

    def log(self, message: object) -> None:
        """Write a text to the log as it is, by the root logger's handler if `logging` is used and has not been set up anew."""
        logging = sys.modules.get("logging")
        if logging is None:
            return self._sink.log(str(message))
        for one in logging.getLogger().handlers:
            if hasattr(one, "log_sink"):
                one.log_sink.log(str(message))
                return
        sys.stdout.write(str(message))

    def __repr__(self) -> str:
        names = ["aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb", "function_version"]
        return shown(self, [*names, "invoked_function_arn", "client_context", "identity", "tenant_id"])


def shown(value: object, names: "list[str]") -> str:
    """Write a value with these attributes, as AWS's client does."""
    fields = ",".join([f"{name}={getattr(value, name)}" for name in names])
    return f"{type(value).__name__}([{fields}])"


def create(invocation: "Invocation", sink: "LogSink") -> LambdaContext:
    """Make the context of an invocation.

    :raises Fault: the client context or the identity is not JSON.
    :raises AttributeError: one of them is not an object.
    """
    client_context = cognito = None
    if invocation.client_context is not None:
        client_context = _parsed(invocation.client_context, "Client Context")
    if invocation.cognito is not None:
        cognito = _parsed(invocation.cognito, "Cognito Identity")
    return LambdaContext(invocation, client_context, cognito, sink)


def _parsed(text: str, name: str) -> "Any":
    """Parse the JSON of a header.

    :raises Fault: it is not JSON.
    """
    import json  # only mobile applications send these headers

    try:
        return json.loads(text)
    except Exception as error:
        from aws_client_errors import Fault

        raise Fault("Runtime.LambdaContextUnmarshalError", f"Unable to parse {name} JSON: {error}") from None


def _w3c(client_context: "Any") -> "dict[str, str]":
    """Take the trace context out of a client context, and return its known fields that are texts."""
    fields = client_context.pop("w3c", None) if isinstance(client_context, dict) else None
    if not isinstance(fields, dict):
        return {}
    return {name: fields[name] for name in W3C if isinstance(fields.get(name), str)}
