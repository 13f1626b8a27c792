"""Ask with kserve's InferenceRESTClient, by its protocols v1 and v2."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

URL = sys.argv[1]
ROW = {"island": "Biscoe", "bill_length_mm": 46.1, "bill_depth_mm": 13.2, "flipper_length_mm": 211, "body_mass_g": 4500}
ROW |= {"sex": "female", "year": 2007}


async def v1():
    client = InferenceRESTClient(RESTConfig(protocol="v1", retries=0))
    answers = [await client.infer(URL, {key: [ROW, [*ROW.values()]]}, model_name="penguins") for key in ("instances", "inputs")]
    try:
        await client.infer(URL, {"instances": [[7, *[*ROW.values()][1:]]]}, model_name="penguins")
    except Exception as error:
        wrong = str(error)
    return {
        "live": await client.is_server_live(URL),
        "ready": await client.is_model_ready(URL, "penguins"),
        "answers": answers,
        "wrong": wrong,
    }


def tensors(binary):
    found = []
    for name, value in ROW.items():
        text = isinstance(value, str)
        tensor = InferInput(name, [1, 1], "BYTES" if text else "FP32")
        tensor.set_data_from_numpy(np.array([[value]], dtype=object if text else np.float32), binary_data=binary)
        found.append(tensor)
    return found


async def v2():
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0))
    labels = {}
    for binary in (True, False):
        for answer in (True, False):
            outputs = [RequestedOutput("predictions", {"binary_data": answer})]
            request = InferRequest(model_name="penguins", infer_inputs=tensors(binary), request_id="7", request_outputs=outputs)
            response = await client.infer(URL, request, model_name="penguins")
            (output,) = response.outputs
            (label,) = output.as_numpy().reshape(-1).tolist()
            labels[f"{binary}-{answer}"] = [label.decode() if isinstance(label, bytes) else label, response.id]
    return {
        "live": await client.is_server_live(URL),
        "ready": [await client.is_server_ready(URL), await client.is_model_ready(URL, "penguins")],
        "labels": labels,
    }


print(json.dumps({"v1": asyncio.run(v1()), "v2": asyncio.run(v2())}))
