"""Ask with schemathesis: bodies, paths and methods made from an OpenAPI document; print what it found and how many cases it had.

The second argument is the document of the Open Inference Protocol; without it the server's own /openapi.json is asked for.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

url, *paths = sys.argv[1:]
DATATYPES = ["BOOL", "BYTES", "FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"]
NAMES = {"MODEL_NAME": "numbers", "MODEL_VERSION": "1"}
# a body of the right form may have data that do not have the shape, which no schema can say
EXCLUDED = "positive_data_acceptance"


def protocol(path):
    """Read the protocol's document: its paths are written `${NAME}`; it names neither our models nor the status 404."""
    document = yaml.safe_load(Path(path).read_text())
    found = {}
    for place, methods in document["paths"].items():
        for parameter in methods.get("parameters", []):
            parameter["schema"]["enum"] = [NAMES[parameter["name"]]]
        for method, operation in methods.items():
            if method != "parameters":
                for status in ("404", "413", "415"):
                    operation["responses"].setdefault(status, {"description": "the request is at fault"})
        found[place.replace("${", "{")] = methods
        if "/versions/" in place:
            short = json.loads(json.dumps(methods))
            short["parameters"] = [one for one in short["parameters"] if one["name"] == "MODEL_NAME"]
            for method, operation in short.items():
                if method != "parameters":
                    operation["operationId"] = f"{operation['operationId']}-usual"
            found[place.replace("${", "{").replace("/versions/{MODEL_VERSION}", "")] = short
    document["paths"] = found
    document["components"]["schemas"]["request_input"]["properties"]["datatype"]["enum"] = DATATYPES
    return document


with tempfile.TemporaryDirectory() as folder:
    schema = f"{url}/openapi.json"
    if paths:
        schema = str(Path(folder) / "protocol.json")
        Path(schema).write_text(json.dumps(protocol(paths[0])))
    words = [sys.executable, "-m", "schemathesis.cli", "run", schema, "--url", url, "--exclude-checks", EXCLUDED, "--seed", "1"]
    words += ["--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--max-examples", "20", "--no-color"]
    words += ["--max-time", "100"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder)
print(json.dumps({"status": done.returncode, "shown": done.stdout[-6000:], "errors": done.stderr[-2000:]}))
