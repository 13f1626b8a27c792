"""gql's client reads our schema and asks; schemathesis makes queries of the schema."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.conftest import SCRIPTS, Run, environment


@pytest.fixture(scope="module")
def found(run: Run) -> Any:
    """What the client got."""
    return run("gql")


def test_the_client_has_the_schema_and_predictions_by_post_and_by_get(found: Any) -> None:
    assert {"Instance", "Prediction", "Category_island"} <= {*found["types"]}
    first, second = found["right"]["predict"]
    assert first["prediction"] == "Gentoo" and len(second["probabilities"]) == 3
    assert {"name": "numbers", "version": "1"} in found["right"]["models"]
    assert found["read"] == {"data": found["right"]}


def test_the_client_has_errors_with_their_places(found: Any) -> None:
    (error,) = found["refused"]
    assert "at [0].island" in error["message"] and error["locations"]


@pytest.mark.slow
def test_queries_that_schemathesis_makes_of_the_schema_are_answered(served: Callable[..., str]) -> None:
    words = [str(environment("schemathesis")), "-P", str(SCRIPTS / "schemathesis_graphql.py"), f"{served()}/graphql"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert result["status"] == 0, result["shown"]
