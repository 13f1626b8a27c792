"""Ask with google-cloud-aiplatform: its LocalEndpoint, and its prediction client by REST through a stand-in for the front."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform.prediction import LocalEndpoint
from google.cloud.aiplatform_v1.services.prediction_service import PredictionServiceClient
from google.cloud.aiplatform_v1.services.prediction_service.transports.rest import PredictionServiceRestTransport
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Value

URL = sys.argv[1]
PATH = "/v1/endpoints/1/deployedModels/2"
ROW = ["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]


class Front(BaseHTTPRequestHandler):
    """Passes the body of a prediction on to the container, at the path that Vertex AI uses without AIP_PREDICT_ROUTE."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            answer = urlopen(Request(f"{URL}{PATH}:predict", body, {"content-type": "application/json"}))
        except HTTPError as error:
            answer = error
        data = answer.read()
        self.send_response(answer.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words):
        pass


def value(document):
    return ParseDict(document, Value())


endpoint = LocalEndpoint.__new__(LocalEndpoint)
endpoint.container_is_running, endpoint.assigned_host_port = True, urlsplit(URL).port
endpoint.serving_container_health_route, endpoint.serving_container_predict_route = PATH, f"{PATH}:predict"
local = endpoint.predict(json.dumps({"instances": [ROW]}), headers={"Content-Type": "application/json"})

front = ThreadingHTTPServer(("127.0.0.1", 0), Front)
Thread(target=front.serve_forever, daemon=True).start()
transport = PredictionServiceRestTransport(
    host=f"127.0.0.1:{front.server_port}", url_scheme="http", credentials=AnonymousCredentials()
)
client = PredictionServiceClient(transport=transport)
name = "projects/p/locations/l/endpoints/1"
answer = client.predict(endpoint=name, instances=[value(ROW), value(ROW)])
asked = client.predict(endpoint=name, instances=[value(ROW)], parameters=value({"outputs": ["predictions", "probabilities"]}))
try:
    client.predict(endpoint=name, instances=[value(ROW[:3])])
except Exception as error:
    wrong = [type(error).__name__, str(error)]
print(
    json.dumps(
        {
            "health": endpoint.run_health_check().status_code,
            "local": local.json(),
            "answers": [*answer.predictions],
            "keys": sorted(asked.predictions[0].keys()),
            "wrong": wrong,
        }
    )
)
