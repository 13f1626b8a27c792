"""`flyweight deploy gcp` and what comes after, by the real gcloud, with Google's APIs in their place."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from flyweight.toolkit.cli import main
from tests.targets.gcp.gcloud import needs_gcloud
from tests.targets.gcp.google_api import PROJECT, google_api

pytestmark = needs_gcloud


@pytest.mark.parametrize("target", ["gcp", "cloudrun"])
def test_a_function_is_deployed_told_gone_back_on_and_destroyed(
    target: str, built: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with google_api() as api:
        for name in [name for name in os.environ if re.search("proxy|^CLOUDSDK", name, re.IGNORECASE)]:
            monkeypatch.delenv(name)
        for name, value in api.variables(tmp_path).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)

        def run(*words: str) -> str:
            done = CliRunner().invoke(main, [*words, "--group", PROJECT])
            assert done.exit_code == 0, done.output
            return done.stdout

        given = ["--folder", str(built(target)), "--set", "MEMORY=256Mi", "--no-smoke"]
        assert "https://service.test" in run("deploy", target, *given)
        run("deploy", target, *given)
        told = json.loads(run("status", target, "--json"))
        assert told["state"] == ["penguins", "Ready", "True", "penguins-00002"]
        assert (told["ready"], told["releases"]) == (False, ["1: penguins 1.0.0", "2: penguins 1.0.0"])  # nobody is let in here
        shutil.rmtree(".flyweight")  # as in a fresh checkout: gcloud is asked which revision was there before
        run("rollback", target, "--name", "penguins", "--no-smoke")
        (traffic,) = api.sent("PUT", "/services/penguins$")[-1]["spec"]["traffic"]
        assert (traffic["revisionName"], traffic["percent"]) == ("penguins-00001", 100)
        made = api.sent("POST", "/namespaces/.*/services$")[0]["spec"]["template"]["spec"]["containers"][0]
        assert made["resources"]["limits"]["memory"] == "256Mi"
        run("destroy", target, "--name", "penguins", "--yes")
        assert ("DELETE", f"/apis/serving.knative.dev/v1/namespaces/{PROJECT}/services/penguins") in [
            (method, path) for method, path, _ in api.asked
        ]
