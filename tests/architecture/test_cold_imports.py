"""A function imports nothing that its provider's runtime has not loaded: sets of modules, never milliseconds."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flyweight.toolkit import targets
from flyweight.toolkit.events import samples
from flyweight.toolkit.running import runtime
from tests.conftest import ROOT

ANSWERING = [target.name for target in targets.all_targets() if target.has("runtime")]
HEAVY = {"asyncio", "argparse", "dataclasses", "importlib.metadata", "inspect", "tempfile", "typing", "zipfile"}


def imported(target: str, folder: Path) -> set[str]:
    """What a fresh process imports from its start to its first answer, and what its server goes on importing meanwhile.

    gunicorn's master imports asyncio in a thread of its own: the log is read when nothing more is written.
    """
    event = samples.read(target, "predict")
    with runtime(target)(folder, environ={"PYTHONPROFILEIMPORTTIME": "1"}) as process:
        process.invoke(event)
        log, quiet = process.log(), 0
        while quiet < 3:
            time.sleep(0.2)
            log, before = process.log(), log
            quiet = quiet + 1 if log == before else 0
        lines = log.splitlines()
    names = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    # a second name of that module, which `collections` gives it: only without `collections` it is imported by this name
    return {"_collections_abc" if name == "collections.abc" else name for name in names}


def empty_of(target: str) -> Path:
    """Where the smallest function of a target is: in its own folder, or in that of the target whose samples it shares."""
    own, shared = (ROOT / "tests" / "targets" / (name or target) / "empty" for name in ("", targets.find(target).shares))
    return own if own.is_dir() else shared


@pytest.mark.slow
@pytest.mark.parametrize("target", ANSWERING)
def test_the_first_prediction_imports_our_own_modules_only(target: str, built: Callable[[str], Path]) -> None:
    empty = imported(target, empty_of(target))
    assert len(empty) > 50, "the empty function's imports were not seen"
    ours = {path.stem for path in built(target).glob("*.py")}
    extra = imported(target, built(target)) - empty
    assert "flyweight.serving.service" in extra
    strangers = {module for module in extra if module.partition(".")[0] != "flyweight" and module not in ours}
    assert not strangers, f"beyond the runtime, a {target} function imports {', '.join(sorted(strangers))}"


@pytest.mark.parametrize("module", ["handler", "predictor", "serving.service", "serving.logs", "protocols.native"])
def test_the_core_imports_nothing_heavy(module: str) -> None:
    program = f"import sys; sys.path.insert(0, {str(ROOT / 'shared')!r}); import flyweight.{module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    assert not HEAVY & {*loaded.stdout.split()}


def test_the_core_works_without_site_packages(penguins: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'shared')!r}); import flyweight; "
        f"model = flyweight.load({str(penguins)!r}); "
        "print(model.predict([['Biscoe', 46.1, 13.2, 211, 4500, 'female', 2007]]).predictions)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True)
    assert done.stdout == "['Gentoo']\n", done.stderr


def test_each_handler_has_an_empty_function_to_be_compared_with() -> None:
    missing = [target for target in ANSWERING if not [*empty_of(target).glob("*.py")]]
    assert not missing, f"write tests/targets/{missing[0]}/empty/ with the target's smallest function"
