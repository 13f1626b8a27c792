"""An ONNX graph in onnxruntime behind FastAPI, run by `uvicorn service:app`."""

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel


class Rows(BaseModel):
    """What is asked."""

    instances: list[list[float]]


class Answer(BaseModel):
    """What is answered."""

    predictions: list[int]
    probabilities: list[list[float]]


options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1  # one row: a pool of threads costs more than it gives
session = onnxruntime.InferenceSession("model.onnx", options)
app = FastAPI()


@app.post("/predict")
async def predict(rows: Rows) -> Answer:
    """Predict labels and probabilities."""
    labels, probabilities = session.run(None, {"X": np.array(rows.instances, dtype=np.float32)})
    return Answer(predictions=labels.tolist(), probabilities=probabilities.tolist())
