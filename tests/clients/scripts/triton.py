"""Ask with tritonclient over HTTP, in each form that it has."""

import json
import sys

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

client = InferenceServerClient(sys.argv[1].removeprefix("http://"))
ROW = {"island": "Biscoe", "bill_length_mm": 46.1, "bill_depth_mm": 13.2, "flipper_length_mm": 211, "body_mass_g": 4500}
ROW |= {"sex": "female", "year": 2007}
MATRIX = np.array([[1, 2, 3], [-1, -2, -3]])


def columns(binary):
    found = []
    for name, value in ROW.items():
        text = isinstance(value, str)
        tensor = InferInput(name, [2, 1], "BYTES" if text else "FP64")
        tensor.set_data_from_numpy(np.array([[value]] * 2, dtype=object if text else np.float64), binary_data=binary)
        found.append(tensor)
    return found


def matrix(datatype, dtype, binary):
    tensor = InferInput("input", [2, 3], datatype)
    tensor.set_data_from_numpy(MATRIX.astype(dtype), binary_data=binary)
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
    "model_ready": [client.is_model_ready("penguins"), client.is_model_ready("penguins", "1.0.0"), client.is_model_ready("x")],
    "server": client.get_server_metadata(),
    "metadata": client.get_model_metadata("numbers"),
    "config": client.get_model_config("numbers"),
    "index": client.get_model_repository_index(),
    "labels": {},
    "numbers": {},
}
for binary in (True, False):
    for answer in (True, False):
        for packing in (None, "gzip", "deflate"):
            outputs = [InferRequestedOutput(name, binary_data=answer) for name in ("predictions", "probabilities")]
            result = client.infer(
                "penguins",
                columns(binary),
                outputs=outputs,
                request_id="7",
                request_compression_algorithm=packing,
                response_compression_algorithm=packing,
            )
            labels = [value.decode() if isinstance(value, bytes) else value for value in result.as_numpy("predictions").tolist()]
            shares = result.as_numpy("probabilities")
            found["labels"][f"{binary}-{answer}-{packing}"] = [
                labels,
                shares.shape,
                str(shares.dtype),
                result.get_response()["id"],
            ]
for datatype, dtype in [("FP64", "f8"), ("FP32", "f4"), ("FP16", "f2"), ("INT64", "i8"), ("INT8", "i1")]:
    usual = client.infer("numbers", matrix(datatype, dtype, True))
    found["numbers"][datatype] = usual.as_numpy("predictions").tolist()
pending = [client.async_infer("penguins", columns(True), model_version="1.0.0") for _ in range(3)]
found["async"] = [request.get_result().as_numpy("probabilities").shape for request in pending]
found["errors"] = {
    "model": refused(lambda: client.infer("x", columns(True))),
    "version": refused(lambda: client.infer("penguins", columns(True), model_version="9")),
    "missing": refused(lambda: client.infer("penguins", columns(True)[1:])),
    "output": refused(lambda: client.infer("penguins", columns(True), outputs=[InferRequestedOutput("shap")])),
    "config": refused(lambda: client.get_model_config("x")),
}
print(json.dumps(found))
