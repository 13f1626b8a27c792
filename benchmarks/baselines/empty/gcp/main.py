"""A function that does nothing, to measure the runtime itself."""

from typing import Any


def predict(request: Any) -> tuple[str, int, dict[str, str]]:
    """Answer any request with an empty document."""
    return "{}", 200, {"content-type": "application/json"}
