"""google-cloud-aiplatform asks a folder of `flyweight build vertex`, run as Vertex AI runs its container."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.running import runtime
from tests.clients.conftest import SCRIPTS, environment

BATCH = """
import sys
from google.cloud.aiplatform_v1.types import BatchPredictionJob

job = BatchPredictionJob.from_json(sys.argv[1])
print(job.model, job.manual_batch_tuning_parameters.batch_size, job.dedicated_resources.machine_spec.accelerator_type.name)
"""


@pytest.fixture(scope="module")
def found(built: Callable[[str], Path]) -> Any:
    """What LocalEndpoint and the prediction client got from the built folder."""
    python = environment("vertex")
    with runtime("vertex")(built("vertex")) as process:
        process.invoke({"method": "GET", "path": "/ready"})
        url = f"http://127.0.0.1:{process.port}"
        done = subprocess.run([str(python), "-P", str(SCRIPTS / "vertex.py"), url], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_local_endpoint_is_healthy_and_predicts(found: Any) -> None:
    assert found["health"] == 200 and found["local"] == {"predictions": ["Gentoo"]}


def test_the_prediction_client_gets_answers_outputs_and_faults(found: Any) -> None:
    assert found["answers"] == ["Gentoo", "Gentoo"] and found["keys"] == ["prediction", "probabilities"]
    kind, message = found["wrong"]
    assert kind in ("BadRequest", "InvalidArgument") and "instance 0" in message


def test_the_document_of_a_batch_prediction_is_one_of_googles() -> None:
    from tests.targets.vertex.test_infra_script import GPU, job

    words = [str(environment("vertex")), "-c", BATCH, json.dumps(job(**GPU))]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["projects/a-project/locations/europe-west1/models/penguins", "64", "NVIDIA_L4"]
