"""Ask with the client that the Open Inference Protocol's own OpenAPI document was made into; it checks every answer."""

import json
import sys

from open_inference.openapi.client import InferenceRequest, OpenInferenceClient
from open_inference.openapi.core.api_error import ApiError
from open_inference.openapi.errors.bad_request_error import BadRequestError

client = OpenInferenceClient(base_url=sys.argv[1])
tensor = {"name": "input", "shape": [2, 3], "datatype": "FP64", "data": [1, 2, 3, -1, -2, -3]}


def refused(call, kind):
    try:
        call()
    except kind as error:
        return error.body.error if hasattr(error.body, "error") else error.body["error"]
    return None


client.check_server_liveness()
client.check_server_readiness()
client.check_model_readiness("numbers")
client.check_model_version_readiness("numbers", "1")
answer = client.model_infer("numbers", request=InferenceRequest(id="7", inputs=[tensor], outputs=[{"name": "predictions"}]))
again = client.model_version_infer("numbers", "1", request=InferenceRequest(inputs=[tensor]))
found = {
    "server": client.read_server_metadata().dict(),
    "model": client.read_model_metadata("numbers").dict(),
    "answer": [answer.id, answer.model_name, answer.outputs[0].name, answer.outputs[0].data.__root__],
    "again": [output.name for output in again.outputs],
    "wrong": refused(
        lambda: client.model_infer("numbers", request=InferenceRequest(inputs=[{**tensor, "shape": [2, 2]}])), BadRequestError
    ),
    "absent": refused(lambda: client.model_infer("x", request=InferenceRequest(inputs=[tensor])), ApiError),
}
print(json.dumps(found))
