"""Say what carries an answer from Lambda to its caller, and how much of it.

Lambda counts the JSON of the whole answer, in which a body is a text with escapes, or base64:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
Its 6 MB are reached before the 10 MB of an API Gateway, and are those of a VPC Lattice service as well:
https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
"""

import json
import sys

from aws_event import encode

from flyweight.serving.delivery import Carrier
from flyweight.values import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.protocols import Answer

SYNCHRONOUS = 6 * 1024 * 1024 + 100  # the number in Lambda's own refusal: "Exceeded maximum allowed payload size (6291556 bytes)"
LOAD_BALANCER = 1024 * 1024  # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
HEADERS = 4096  # bytes that are kept free for status and headers, which are written later
ASCII = sys.version_info < (3, 12)  # whether the runtime's client escapes all letters beyond ASCII


def carrier(event: "Any", context: "Any") -> Carrier:
    """Find what carries the answer to an event: a load balancer, or a synchronous invocation of Lambda.

    A REST API passes base64 on as text unless its media types are set to be binary, so that it gets no compressed answers:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html
    """

    def size(answer: "Answer") -> int:
        response = Response(answer.status, {"content-type": answer.content_type, **answer.headers}, answer.body)
        return len(json.dumps(encode(response, event, context), ensure_ascii=ASCII).encode()) + HEADERS

    streaming = sys.modules.get("aws_client_streaming")  # our client imports it if it is to carry streams
    if streaming is not None and streaming.carries(event):
        return Carrier(streaming.NAME, streaming.LARGEST)
    sender = event.get("requestContext") if isinstance(event, dict) else None
    if isinstance(sender, dict) and "elb" in sender:
        return Carrier("a load balancer", LOAD_BALANCER, size)
    binary = not (isinstance(event, dict) and "resource" in event and "version" not in event)
    return Carrier("a synchronous invocation of Lambda", SYNCHRONOUS, size, binary)
