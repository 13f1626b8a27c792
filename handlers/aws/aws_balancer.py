"""Complete an answer for a load balancer.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#respond-to-load-balancer
"""

from http import HTTPStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def complete(answer: "dict[str, Any]", event: "dict[str, Any]") -> None:
    """Add the status with its phrase, and give the headers the form that the balancer reads."""
    status = answer["statusCode"]
    answer["statusDescription"] = f"{status} {HTTPStatus(status).phrase}"
    if "multiValueHeaders" in event:  # then it reads no other headers
        answer["multiValueHeaders"] = {name: [value] for name, value in answer.pop("headers").items()}
