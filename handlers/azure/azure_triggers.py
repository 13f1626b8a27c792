"""Find the trigger of an invocation: each function of the app passes on its own; None for HTTP."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.records import Trigger


def find(sent: "Any", context: "Any", trigger: "Trigger | None" = None) -> "Trigger | None":
    """Find the trigger of an invocation: the one that its function was registered for; None for HTTP."""
    return trigger
