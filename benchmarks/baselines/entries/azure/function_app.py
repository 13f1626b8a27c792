"""Azure's usual entry around a model: the body's JSON in, JSON out."""

import json

import azure.functions as func
from model import answer

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route(route="{*path}", methods=["POST"])
def predict(req: func.HttpRequest) -> func.HttpResponse:
    """Answer one request."""
    return func.HttpResponse(json.dumps(answer(req.get_json())), mimetype="application/json")
