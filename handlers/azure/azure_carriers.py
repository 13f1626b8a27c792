"""Say what carries an answer from an Azure function to its caller, and how much of it.

The host's limit is stated for requests, and applied to answers here as well:
https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#limits
"""

import azure.functions as func

from flyweight.serving.delivery import Carrier


def carrier(req: func.HttpRequest, context: func.Context) -> Carrier:
    """Find what carries the answer to a request."""
    return Carrier("the Azure Functions host", 100 * 1024 * 1024)
