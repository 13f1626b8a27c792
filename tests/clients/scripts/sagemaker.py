"""Ask with SageMaker's local runtime client and its serializers, and run its own batch transform engine against the server."""

import json
import sys
import tempfile
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import numpy as np
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer, JSONLinesDeserializer, NumpyDeserializer
from sagemaker.local.entities import _LocalTransformJob
from sagemaker.local.local_session import LocalSagemakerRuntimeClient
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer, JSONLinesSerializer, JSONSerializer, NumpySerializer

PORT = urlsplit(sys.argv[1]).port
ROW = ["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]
OTHER = ["Torgersen", 39.1, 18.7, 181, 3750, "male", 2007]


def predictor(serializer, deserializer):
    session = mock.Mock()
    session.sagemaker_runtime_client = LocalSagemakerRuntimeClient({"local": {"serving_port": PORT}})
    return Predictor("ours", sagemaker_session=session, serializer=serializer, deserializer=deserializer)


def transformed(strategy):
    """Run a batch transform job over a file of lines."""
    with tempfile.TemporaryDirectory() as folder:
        given, out, work = (Path(folder, name) for name in ("given", "out", "work"))
        for place in (given, out, work):
            place.mkdir()
        (given / "rows.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in (ROW, OTHER, ROW)))
        session = mock.Mock(config={"local": {"serving_port": PORT}})
        session.sagemaker_runtime_client = LocalSagemakerRuntimeClient(session.config)
        session.sagemaker_client.describe_model.return_value = {
            "PrimaryContainer": {"Image": "image", "ModelDataUrl": "file:///none", "Environment": {}}
        }
        with mock.patch("sagemaker.local.entities._SageMakerContainer"):
            job = _LocalTransformJob("job", "model", session)
            job._get_working_directory = lambda: str(work)
            job.start(
                {"DataSource": {"S3DataSource": {"S3Uri": f"file://{given}"}}, "SplitType": "Line", "ContentType": "text/csv"},
                {"S3OutputPath": f"file://{out}", "Accept": "text/csv", "AssembleWith": "Line"},
                {"InstanceType": "local", "InstanceCount": 1},
                BatchStrategy=strategy,
            )
        return (out / "rows.csv.out").read_text()


def wrong():
    response = LocalSagemakerRuntimeClient({"local": {"serving_port": PORT}}).invoke_endpoint(
        json.dumps([ROW[:3]]), "ours", "application/json"
    )
    return [response["Body"].status, response["Body"].data.decode()]


def arrays():
    """Send a matrix as the SDK writes it to the model of numbers, which the endpoint of several models names by a header."""
    headers = {"content-type": "application/x-npy", "accept": "application/x-npy", "x-amzn-sagemaker-target-model": "numbers"}
    url = f"http://localhost:{PORT}/invocations"
    with urlopen(Request(url, NumpySerializer().serialize(np.zeros((2, 3))), headers)) as response:
        return NumpyDeserializer().deserialize(response, response.headers["content-type"]).tolist()


print(
    json.dumps(
        {
            "json": predictor(JSONSerializer(), JSONDeserializer()).predict([ROW, OTHER]),
            "csv": predictor(CSVSerializer(), CSVDeserializer()).predict([ROW, OTHER]),
            "lines": predictor(JSONLinesSerializer(), JSONLinesDeserializer()).predict([ROW, OTHER]),
            "numbers": arrays(),
            "transformed": {strategy: transformed(strategy) for strategy in ("SingleRecord", "MultiRecord")},
            "wrong": wrong(),
        }
    )
)
