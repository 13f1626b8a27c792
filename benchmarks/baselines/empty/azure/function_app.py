"""A function that does nothing, to measure the runtime itself."""

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route(route="{*path}", methods=["POST"])
def predict(req: func.HttpRequest) -> func.HttpResponse:
    """Answer any request with an empty document."""
    return func.HttpResponse("{}", mimetype="application/json")
