"""Send answers to callers while they are made: the Runtime API's streams, for function URLs and REST APIs.

The client imports this module if FLYWEIGHT_STREAMING is `true`; a handler that finds it imported may return a `Streamed`. AWS's
own client for Python has no streams. The forms are those of AWS's clients for other languages:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/blob/main/src/ResponseStream.js
"""

from aws_client_api import VERSION, Invocation, RuntimeApi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from aws_client_output import LogSink

LARGEST = 200_000_000  # bytes of an answer: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html has 200 MB
NAME = "a streamed answer of Lambda"
CONTENT_TYPE = "application/vnd.awslambda.http-integration-response"
ERROR_TYPE, ERROR_BODY = "Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"
SEPARATOR = bytes(8)  # between the prelude and the body
PIECE = 1 << 16  # bytes of a chunk; fewer go with the next ones


class Streamed:
    """An answer that is sent while it is made: status and headers, the body or its beginning, and the rest or None."""

    __slots__ = ("blocks", "body", "prelude")

    def __init__(self, status: int, headers: "dict[str, str]", body: bytes, blocks: "Iterator[bytes] | None" = None) -> None:
        self.prelude = {"statusCode": status, "headers": headers}
        self.body, self.blocks = body, blocks


def carries(event: "Any", context: "Any" = None) -> bool:
    """Tell whether an event's sender takes streams: a function URL, or a REST API, if its response transfer mode is STREAM.

    An HTTP API sends the same events as a function URL, but for the domain, and takes no streams.
    """
    sender = event.get("requestContext") if isinstance(event, dict) else None
    if not isinstance(sender, dict):
        return False
    if "http" in sender:
        return ".lambda-url." in str(sender.get("domainName"))
    return "httpMethod" in event and "resource" in event and "version" not in event and "elb" not in sender


def post(api: RuntimeApi, invocation: Invocation, answer: Streamed, sink: "LogSink") -> "tuple[int, bytes]":
    """Post an answer in chunks; an error of its blocks is logged, and told in the trailers.

    :returns: the HTTP status, and the body of the Runtime API's answer.
    :raises OSError: the connection failed, or was ended.
    """
    from aws_client_json import write

    lines = [
        f"POST {VERSION}invocation/{invocation.id}/response",  # `begin` adds what all requests have
        f"Content-Type: {CONTENT_TYPE}",
        "Lambda-Runtime-Function-Response-Mode: streaming",
        "Transfer-Encoding: chunked",
        f"Trailer: {ERROR_TYPE}, {ERROR_BODY}",
    ]
    if invocation.invocation_id is not None:
        lines.append(f"Lambda-Runtime-Invocation-Id: {invocation.invocation_id}")
    try:
        api.begin(lines)
        waiting = [write(answer.prelude, True).encode(), SEPARATOR, answer.body]
        size, blocks, trailers = sum(map(len, waiting)), answer.blocks, b""
        while blocks is not None:
            try:
                block = next(blocks, None)
            except Exception as error:
                trailers = _trailers(error, invocation, sink)
                break
            if block is None:
                break
            waiting.append(block)
            size += len(block)
            if size >= PIECE:
                api.send(b"%x\r\n%b\r\n" % (size, b"".join(waiting)))
                waiting, size = [], 0
        last = b"%x\r\n%b\r\n" % (size, b"".join(waiting)) if size else b""
        api.send(last + b"0\r\n" + trailers + b"\r\n")
        return api.answered()
    finally:
        api.close()  # a stream is the last request of its connection


def _trailers(error: Exception, invocation: Invocation, sink: "LogSink") -> bytes:
    """Log an error, and write it as trailers."""
    from binascii import b2a_base64

    from aws_client_errors import Report

    report = Report(error, invocation.id)
    report.log(sink)
    kind = report.kind.encode("ascii", "replace")
    body = b2a_base64(report.body, newline=False)
    return b"%b: %b\r\n%b: %b\r\n" % (ERROR_TYPE.encode(), kind, ERROR_BODY.encode(), body)
