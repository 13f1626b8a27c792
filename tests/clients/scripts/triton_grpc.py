"""Ask with tritonclient over gRPC, in each form that it has."""

import json
import queue
import sys

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

client = InferenceServerClient(sys.argv[1])
ROW = {"island": "Biscoe", "bill_length_mm": 46.1, "bill_depth_mm": 13.2, "flipper_length_mm": 211, "body_mass_g": 4500}
ROW |= {"sex": "female", "year": 2007}
MATRIX = np.array([[1, 2, 3], [-1, -2, -3]])


def columns():
    found = []
    for name, value in ROW.items():
        text = isinstance(value, str)
        tensor = InferInput(name, [2, 1], "BYTES" if text else "FP64")
        tensor.set_data_from_numpy(np.array([[value]] * 2, dtype=object if text else np.float64))
        found.append(tensor)
    return found


def matrix(datatype, dtype):
    tensor = InferInput("input", [2, 3], datatype)
    tensor.set_data_from_numpy(MATRIX.astype(dtype))
    return [tensor]


def refused(call):
    try:
        call()
    except InferenceServerException as error:
        return {"status": error.status(), "message": error.message()}
    return None


found = {
    "live": client.is_server_live(),
    "ready": client.is_server_ready(),
    "model_ready": [client.is_model_ready("penguins"), client.is_model_ready("penguins", "1.0.0")],
    "server": client.get_server_metadata(as_json=True),
    "metadata": client.get_model_metadata("numbers", as_json=True),
    "config": client.get_model_config("numbers", as_json=True),
    "index": client.get_model_repository_index(as_json=True),
    "labels": {},
    "numbers": {},
}
for packing in (None, "gzip", "deflate"):
    outputs = [InferRequestedOutput(name) for name in ("predictions", "probabilities")]
    result = client.infer("penguins", columns(), outputs=outputs, request_id="7", compression_algorithm=packing)
    labels, shares = [value.decode() for value in result.as_numpy("predictions")], result.as_numpy("probabilities")
    found["labels"][str(packing)] = [labels, shares.shape, str(shares.dtype), result.get_response().id]
for datatype, dtype in [("FP64", "f8"), ("FP32", "f4"), ("FP16", "f2"), ("INT64", "i8"), ("INT8", "i1")]:
    found["numbers"][datatype] = client.infer("numbers", matrix(datatype, dtype)).as_numpy("predictions").tolist()
answers = queue.Queue()
for _ in range(3):
    client.async_infer("penguins", columns(), lambda result, error: answers.put((result, error)), model_version="1.0.0")
found["async"] = [answers.get(timeout=600)[0].as_numpy("probabilities").shape for _ in range(3)]
found["errors"] = {
    "model": refused(lambda: client.infer("x", columns())),
    "version": refused(lambda: client.infer("penguins", columns(), model_version="9")),
    "missing": refused(lambda: client.infer("penguins", columns()[1:])),
    "output": refused(lambda: client.infer("penguins", columns(), outputs=[InferRequestedOutput("shap")])),
    "config": refused(lambda: client.get_model_config("x")),
    "ready": refused(lambda: client.is_model_ready("x")),
    "load": refused(lambda: client.load_model("penguins")),
}
print(json.dumps(found))
