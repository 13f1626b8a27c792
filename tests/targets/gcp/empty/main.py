"""An empty function."""


def predict(request):  # type: ignore[no-untyped-def]
    """Say hi."""
    return "hi"  # the body
