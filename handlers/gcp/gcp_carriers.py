"""Say what carries an answer from Cloud Run to its caller, and how much of it.

https://cloud.google.com/functions/quotas (32 MB; functions of the first generation: 10 MB)
"""

from flyweight.serving.delivery import Carrier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def carrier(message: "Any") -> Carrier:
    """Find what carries the answer to a request."""
    return Carrier("Cloud Run", 32 * 1024 * 1024)
