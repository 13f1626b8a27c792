"""wrangler takes the built folder as it is: its schema, and what it would upload."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from flyweight.toolkit import targets
from flyweight.toolkit.building import build
from tests.conftest import ROOT

WRANGLER = ROOT / ".tools" / "wrangler" / "node_modules" / "wrangler"


@pytest.mark.needs("wrangler")
def test_the_configuration_follows_wranglers_schema_and_a_misspelt_one_does_not(built: Callable[[str], Path]) -> None:
    configuration = json.loads((built("cloudflare") / "wrangler.json").read_text())
    schema = json.loads((WRANGLER / "config-schema.json").read_text())
    schema = {**schema, "$ref": schema["$ref"]}
    jsonschema.Draft7Validator(schema).validate(configuration)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate({**configuration, "compatibility_flags": "python_workers"})


@pytest.mark.slow
@pytest.mark.needs("wrangler")
def test_wrangler_would_upload_the_core_and_the_model_and_no_more(built: Callable[[str], Path], tmp_path: Path) -> None:
    folder = built("cloudflare")
    words = ["node", str(WRANGLER / "bin" / "wrangler.js"), "deploy", "--dry-run", "--outdir", str(tmp_path / "out")]
    environ = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), "WRANGLER_SEND_METRICS": "false", "CI": "1"}
    done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sent = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix in (".py", ".safetensors")}
    named = set(re.findall(r"([\w/]+\.(?:py|safetensors)) +│ (?:python|buffer)", done.stdout))
    assert sent - {"cloudflare_worker.py"} <= named
    kilobytes = float(re.findall(r"gzip: ([\d.]+) KiB", done.stdout)[0])
    assert kilobytes < 500, "of the 3,072 that the free plan takes"


def test_a_build_says_its_size_against_both_plans(penguins: Path, tmp_path: Path) -> None:
    built = build("cloudflare", penguins, tmp_path / "worker")
    assert [limit.allowed for limit in built.limits] == [3 << 20, 10 << 20]
    assert all(limit.fits for limit in built.limits) and built.python is None
    assert targets.find("cloudflare").package.alone


def test_a_worker_has_no_public_address_of_its_own(built: Callable[[str], Path]) -> None:
    configuration = json.loads((built("cloudflare") / "wrangler.json").read_text())
    assert configuration["workers_dev"] is False and configuration["preview_urls"] is False and "routes" not in configuration
