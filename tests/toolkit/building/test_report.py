"""A folder is small: at most a megabyte without its model, with the ops of its model alone; what is over a limit is refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from flyweight.toolkit import targets
from flyweight.toolkit.building import BuildFailed, build, runtime_files
from flyweight.toolkit.cli import main
from tests.conftest import PYTHON, ROOT

PROVIDERS = [target.name for target in targets.all_targets() if not target.package.alone]  # a page has Python beside it


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_pure_folder_is_small_without_its_model(provider: str, built: Callable[[str], Path]) -> None:
    files = [path for path in built(provider).rglob("*") if path.is_file() and path.name != "model.safetensors"]
    # a third is sources, for tracebacks and other Pythons; Python 3.11 has the largest bytecode; on Lambda the start under our
    # client is there in one piece, too; a folder with every protocol is larger (its image: tests/toolkit/images/test_building.py)
    large = provider == "aws" or "all" in targets.find(provider).protocols
    assert sum(path.stat().st_size for path in files) <= (2_400_000 if large else 1_950_000)


def test_the_ops_and_engines_of_other_models_stay_out_unless_asked_for(penguins: Path, tmp_path: Path) -> None:
    small = build("aws", penguins, tmp_path / "small", python=PYTHON).folder / "flyweight"
    whole = build("aws", penguins, tmp_path / "whole", python=PYTHON, every_op=True).folder / "flyweight"
    kept, everything = ({str(path.relative_to(root)) for path in root.rglob("*.py")} for root in (small, whole))
    assert {"ops/linear.py", "ops/_arithmetic.py", "engines/pure.py"} <= kept
    assert {"ops/trees.py", "engines/sklearn.py"} <= everything - kept
    assert {name for name in everything - kept if not name.startswith(("ops/", "engines/"))} == set()


@pytest.mark.parametrize("family", ["neighbors", "angles", "coupling", "boosted", "sparse", "text"])
def test_a_family_of_ops_brings_what_it_imports(family: str, tmp_path: Path) -> None:
    runtime_files.copy(tmp_path / "flyweight", {"plan": {"nodes": [{"op": f"{family}.any"}]}, "engines": ["pure"]}, ["native"])
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import flyweight.predictor, flyweight.ops.{family}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_is_over_a_limit_is_refused_with_what_to_do_and_nothing_is_left(penguins: Path, tmp_path: Path) -> None:
    handler = tmp_path / "handler"
    handler.mkdir()
    for path in (ROOT / "handlers" / "aws").glob("*.*"):
        (handler / path.name).write_bytes(path.read_bytes())
    with (handler / "table.bin").open("wb") as file:
        file.truncate(targets.find("aws").package.limits[0].size)
    with pytest.raises(BuildFailed, match=r"exceed the limit of 262\.1 MB") as refused:
        build("aws", penguins, tmp_path / "out", python=PYTHON, handler=handler, with_bytecode=False)
    assert "--as image" in refused.value.next_step and "pure" in refused.value.next_step
    assert [path.name for path in tmp_path.iterdir()] == ["handler"]
    (handler / "table.bin").unlink()
    with (handler / "table.bin").open("wb") as file:
        file.write(bytes(range(256)) * 1000)
    fits = build("aws", penguins, tmp_path / "out", python=PYTHON, handler=handler)
    assert (fits.folder / "table.bin").is_file() and all(row.fits for row in fits.limits)


def wheel(folder: Path, name: str, size: int) -> str:
    """A package of so many bytes, as a requirement that finds it without a registry."""
    info = f"{name}-1.0.dist-info"
    metadata = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr(f"{name}/__init__.py", "")
        with made.open(f"{name}/table.bin", "w") as file:
            for _ in range(size >> 20):
                file.write(bytes(1 << 20))
        for part, text in metadata.items():
            made.writestr(f"{info}/{part}", text)
        listed = [f"{name}/__init__.py", f"{name}/table.bin", *(f"{info}/{part}" for part in metadata)]
        made.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in [*listed, f"{info}/RECORD"]))
    return f"{name}==1.0"


def test_packages_over_a_limit_are_named_by_weight_and_what_a_handler_lists_of_its_own_is_installed(
    penguins: Path, tmp_path: Path
) -> None:
    handler = tmp_path / "handler"
    shutil.copytree(ROOT / "handlers" / "aws", handler, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "wheels").mkdir()
    sizes = {"heavy": 200 << 20, "medium": 60 << 20, "light": 1 << 20}
    pins = [wheel(tmp_path / "wheels", name, size) for name, size in sizes.items()]
    options = ["--no-index", f"--find-links {tmp_path / 'wheels'}"]
    (handler / "requirements.txt").write_text("\n".join([*options, *pins]))
    with pytest.raises(BuildFailed, match=r"exceed the limit of 262\.1 MB") as refused:
        build("aws", penguins, tmp_path / "out", python=PYTHON, handler=handler, install=True)
    assert re.findall(r"MB +(\w+) 1\.0", str(refused.value)) == [*sizes]
    assert "--as image" in refused.value.next_step and not (tmp_path / "out").exists()
    (handler / "requirements.txt").write_text("\n".join([*options, *pins[1:]]))
    made = build("aws", penguins, tmp_path / "out", python=PYTHON, handler=handler, install=True)
    assert [(package.name, package.size >= sizes[package.name]) for package in made.packages] == [
        ("light", True),
        ("medium", True),
    ]
    assert (made.folder / "medium" / "table.bin").is_file() and made.requires == pins[1:]


def test_the_report_tells_each_limit(penguins: Path, tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["build", "aws", "--model", str(penguins), "-o", str(tmp_path / "out"), "--json"])
    limits = json.loads(told.stdout)["limits"]
    assert [limit["allowed"] for limit in limits] == [262144000, 52428800]
    assert all(0 < limit["size"] < limit["allowed"] and limit["fits"] for limit in limits)
