"""Ask with OpenVINO's client of TensorFlow Serving's REST API."""

import json
import sys

import numpy as np
from ovmsclient import make_http_client

client = make_http_client(sys.argv[1].removeprefix("http://"))
rows = np.array([[1.0, 2.0, 3.0], [-1.0, -2.0, -3.0]])
try:
    client.predict({"input": rows[:, :2]}, "numbers")
except Exception as error:
    wrong = f"{type(error).__name__}: {error}"
metadata = client.get_model_metadata("numbers")
found = {
    "status": client.get_model_status("numbers"),
    "metadata": metadata.get("model_spec"),
    "answer": client.predict({"input": rows}, "numbers").tolist(),
    "version": client.predict({"input": rows.astype(np.float32)}, "numbers", 1).tolist(),
    "wrong": wrong,
}
print(json.dumps(found))
