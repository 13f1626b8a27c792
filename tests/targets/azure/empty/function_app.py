"""An empty function."""

import azure.functions as func

app = func.FunctionApp()


@app.route(route="{*path}")
def predict(req: func.HttpRequest) -> func.HttpResponse:
    """Say hi."""
    return func.HttpResponse("hi")  # the body
