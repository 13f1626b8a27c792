"""Measure how much memory a built folder needs, and write it as a quantity of Kubernetes."""

from __future__ import annotations

import json
import math
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flyweight import settings
from flyweight.toolkit.building.bytecode import version_of
from flyweight.toolkit.building.folder import model_of
from flyweight.toolkit.costs.workload import HEADROOM
from flyweight.toolkit.errors import DeployFailed, RuntimeFailed
from flyweight.toolkit.publishing.catalogue import file_at
from flyweight.toolkit.targets.kubernetes.runtime import Runtime
from flyweight.toolkit.targets.package import unfit

ROWS = 1000  # of the request that is answered
ITEM = "[[]],"  # of the largest request: read as JSON, no item of five bytes needs more memory
STEP = 16  # mebibytes to which the quantity is rounded up
NEXT_STEP = "give the memory of a pod: --set memory=128Mi"


def measured(folder: Path, variables: Mapping[str, str] | None = None) -> str:
    """Measure the peak of the folder's process while it answers `ROWS` instances, and refuses the largest body that it reads.

    The instances are the model's own sample, repeated; a model without a sample is asked whether it is ready.

    :param variables: of the pods' environment; several workers may each need as much.
    :returns: `HEADROOM` times the peak, as `96Mi`.
    :raises DeployFailed: the folder does not run on this machine, or does not answer.
    """
    if fault := unfit(folder, Runtime.TARGET, version_of(sys.executable), platform.machine()):
        raise DeployFailed(f"the memory of a pod can't be measured here: {fault}", NEXT_STEP)
    sample = file_at(model_of(folder)).document.get("sample")
    instances = sample["instances"] if isinstance(sample, dict) else []
    opening = '{"instances": ['
    environ = {**(variables or {})}
    workers, limits = settings.serving(environ).workers, settings.read("", environ).limits
    usual = _repeated(instances, limits)
    items = ITEM * ((limits.max_body_bytes - len(opening) - len(ITEM)) // len(ITEM))
    try:
        with Runtime(folder, environ={**environ, "FLYWEIGHT_WORKERS": "1"}) as process:
            answer = process.invoke(_predict(usual) if usual else {"method": "GET", "path": "/ready"})
            process.invoke(_predict(f"{opening}{items[:-1]}]}}"))
            peak = process.peak_memory()
    except RuntimeFailed as error:
        raise DeployFailed(f"the memory of a pod can't be measured here: {error}", NEXT_STEP) from None
    if answer.status != 200:
        raise DeployFailed(f"the folder answers {answer.status}: {answer.body[:500].decode(errors='replace')}", "build it again")
    if peak is None:
        raise DeployFailed("the memory of a pod can't be measured on this system", NEXT_STEP)
    return quantity(workers * peak)


def quantity(peak: int) -> str:
    """Write the memory of a pod whose process needs `peak` bytes."""
    return f"{STEP * math.ceil(HEADROOM * peak / 2**20 / STEP)}Mi"


def _repeated(instances: list[Any], limits: settings.Limits) -> str:
    """Write a body of `ROWS` instances, or of fewer where the limits are lower; "" without a sample."""
    if not instances:
        return ""
    longest = max(len(json.dumps(one)) for one in instances) + 2  # ", "
    rows = max(1, min(ROWS, limits.max_instances, limits.max_body_bytes // longest - 1))
    return json.dumps({"instances": (instances * math.ceil(rows / len(instances)))[:rows]})


def _predict(body: str) -> dict[str, Any]:
    return {"method": "POST", "path": "/predict", "headers": {"content-type": "application/json"}, "body": body}
