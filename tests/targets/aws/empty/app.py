"""An empty function."""


def lambda_handler(event, context):  # type: ignore[no-untyped-def]
    """Say hi."""
    return {"statusCode": 200, "body": "hi"}  # the body
