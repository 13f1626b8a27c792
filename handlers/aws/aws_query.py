"""Write the query of a request as it stood in its address, where an event holds it as names and values.

A REST API decodes names and values, a load balancer does not:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#receive-event-from-load-balancer
"""

from urllib.parse import urlencode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def query_of(parameters: "Any", decoded: bool) -> str:
    """Join names and values.

    :param parameters: from a name to its value, or to the list of its values.
    :param decoded: whether percent-encoding was undone.
    """
    pairs = []
    for name, values in parameters.items() if isinstance(parameters, dict) else ():
        for value in values if isinstance(values, list) else [values]:
            pairs.append((name, "" if value is None else str(value)))
    return urlencode(pairs) if decoded else "&".join([f"{name}={value}" for name, value in pairs])
