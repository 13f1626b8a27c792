"""A scaffolded project passes its own tests, and an upgrade never touches what its owner changed."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement

from flyweight.errors import ModelRefused
from flyweight.toolkit import targets
from flyweight.toolkit.building import build
from flyweight.toolkit.cli import main
from flyweight.toolkit.scaffold import ScaffoldFailed, create, upgrade
from flyweight.toolkit.scaffold.project import MANIFEST
from tests.conftest import ROOT


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def project(penguins: Path, tmp_path: Path) -> Path:
    create(tmp_path / "mine", penguins, ("aws",))
    return tmp_path / "mine"


def age(project: Path, name: str, text: str) -> None:
    """Make it look as if an older flyweight had written this text to a file."""
    (project / name).write_text(text)
    manifest = json.loads((project / MANIFEST).read_text())
    manifest["files"][name] = hashlib.sha256(text.encode()).hexdigest()
    (project / MANIFEST).write_text(json.dumps(manifest))


def outcome(project: Path) -> str:
    """What the project's own tests say, run by this interpreter."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_project_around_a_model_passes_its_own_tests_on_every_provider(penguins: Path, tmp_path: Path) -> None:
    create(tmp_path / "My Penguins", penguins)
    assert f"{1 + sum(target.has('runtime') for target in targets.all_targets())} passed" in outcome(tmp_path / "My Penguins")
    assert 'name = "my-penguins"' in (tmp_path / "My Penguins" / "pyproject.toml").read_text()


def test_without_a_model_there_is_an_example_that_passes_its_tests(tmp_path: Path) -> None:
    create(tmp_path / "example", targets=("aws",))
    assert (tmp_path / "example" / "train.py").is_file()
    assert "2 passed" in outcome(tmp_path / "example")


def test_a_project_has_the_folders_of_this_one_for_the_providers_asked_for(project: Path, penguins: Path) -> None:
    files = contents(project)
    assert {"handlers/aws/app.py", "infra/aws/template.yaml", "events/aws/predict.json", "README.md", ".gitignore"} <= {*files}
    assert {"shared/flyweight_steps.py", "pyproject.toml", "tests/conftest.py"} <= {*files}
    assert not [name for name in files if "azure" in name or "gcp" in name]
    assert files["models/penguins.safetensors"] == penguins.read_bytes()
    assert not [
        name
        for name, data in files.items()
        if b"@NAME@" in data or b"@MODEL@" in data or b"@TARGET" in data or b"@HANDLER" in data
    ]
    assert not [name for name, data in files.items() if b"@DEPLOY@" in data or b"@REQUIREMENTS@" in data]
    assert b"sam deploy" in files["README.md"] and b"gcloud" not in files["README.md"]


def test_what_it_asks_to_be_installed_is_the_flyweight_that_made_it(penguins: Path, tmp_path: Path) -> None:
    """No package registry has it: another package of that name would be installed instead."""
    create(tmp_path / "mine", penguins, ("aws", "gcp"))
    (ours, *others) = tomllib.loads((tmp_path / "mine" / "pyproject.toml").read_text())["dependency-groups"]["dev"]
    wanted = Requirement(ours)
    assert (wanted.name, wanted.extras, others) == ("flyweight", {"toolkit", "aws", "gcp"}, ["pytest"])
    told = distribution("flyweight").read_text("direct_url.json")
    assert told and wanted.url == json.loads(told)["url"]


def test_steps_of_ones_own_come_along_and_are_in_use_in_tests_and_functions(tmp_path: Path) -> None:
    """As a user who follows docs/your-own-step.md would."""
    page = (ROOT / "docs" / "your-own-step.md").read_text()
    for name, text in re.findall(r"```python\n# (\S+\.py)\n(.*?)```", page, re.DOTALL):
        (tmp_path / name).write_text(text)
    subprocess.run([sys.executable, "train.py"], cwd=tmp_path, check=True)
    flyweight = [sys.executable, "-P", "-c", "from flyweight.toolkit.cli import main; main()"]
    model, steps = ["--model", "shop.safetensors", "--target", "aws"], ["--steps", "flyweight_steps.py"]
    packing = [
        "--import",
        "shop",
        *steps,
        "pack",
        "model.joblib",
        "--sample",
        "rows.csv",
        "--rows",
        "20",
        "-o",
        "shop.safetensors",
    ]
    subprocess.run([*flyweight, *packing], cwd=tmp_path, check=True, capture_output=True)
    without = subprocess.run([*flyweight, "new", "mine", *model], cwd=tmp_path, capture_output=True, text=True)
    assert without.returncode == 1 and "--steps" in without.stderr and not (tmp_path / "mine").exists()
    subprocess.run([*flyweight, *steps, "new", "mine", *model], cwd=tmp_path, check=True, capture_output=True)
    own = tmp_path / "mine" / "shared" / "flyweight_steps.py"
    assert own.read_bytes() == (tmp_path / "flyweight_steps.py").read_bytes()
    assert "2 passed" in outcome(tmp_path / "mine")
    again = upgrade(tmp_path / "mine")
    assert not again.written and not again.removed and own.read_bytes() == (tmp_path / "flyweight_steps.py").read_bytes()


def test_a_models_signature_comes_along(penguins: Path, tmp_path: Path) -> None:
    shutil.copyfile(penguins, tmp_path / "m.safetensors")
    (tmp_path / "m.safetensors.sig").write_text("{}")
    create(tmp_path / "mine", tmp_path / "m.safetensors", ("aws",))
    assert (tmp_path / "mine" / "models" / "m.safetensors.sig").read_text() == "{}"


def test_the_event_carries_the_models_own_sample(project: Path, penguins: Path) -> None:
    from flyweight.predictor import load

    body = json.loads(json.loads((project / "events/aws/predict.json").read_text())["body"])
    assert body["instances"] == load(str(penguins)).file.document["sample"]["instances"][:1]


def test_a_folder_that_holds_something_is_left_alone(penguins: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ScaffoldFailed, match="is not empty") as failed:
        create(tmp_path, penguins)
    assert "--upgrade" in failed.value.next_step
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_bad_model_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"")
    with pytest.raises(ModelRefused):
        create(tmp_path / "mine", tmp_path / "bad.safetensors")
    assert not (tmp_path / "mine").exists()


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(project: Path) -> None:
    before = contents(project)
    changes = upgrade(project)
    assert not changes.written and not changes.kept and not changes.beside
    assert contents(project) == before


def test_an_upgrade_replaces_what_nobody_changed(project: Path) -> None:
    new = (project / "handlers/aws/app.py").read_text()
    age(project, "handlers/aws/app.py", "# an older version\n")
    assert upgrade(project).written == ["handlers/aws/app.py"]
    assert (project / "handlers/aws/app.py").read_text() == new


def test_an_upgrade_keeps_what_was_changed_and_writes_the_new_version_beside_once(project: Path) -> None:
    new = (project / "handlers/aws/app.py").read_text()
    age(project, "handlers/aws/app.py", "# an older version\n")
    (project / "handlers/aws/app.py").write_text("# mine\n")
    assert upgrade(project).beside == ["handlers/aws/app.py"]
    assert (project / "handlers/aws/app.py").read_text() == "# mine\n"
    assert (project / "handlers/aws/app.py.new").read_text() == new
    (project / "handlers/aws/app.py.new").unlink()
    again = upgrade(project)
    assert again.kept == ["handlers/aws/app.py"] and not again.beside
    assert not (project / "handlers/aws/app.py.new").exists()


def test_an_upgrade_keeps_what_was_changed_where_there_is_nothing_new(project: Path) -> None:
    (project / "README.md").write_text("mine")
    assert upgrade(project).kept == ["README.md"]
    assert (project / "README.md").read_text() == "mine" and not (project / "README.md.new").exists()


def test_an_upgrade_brings_back_nothing_that_was_removed_and_leaves_models_alone(project: Path) -> None:
    (project / "infra/aws/template.yaml").unlink()
    (project / "models/penguins.safetensors.sig").write_text("mine")
    assert upgrade(project).kept == ["infra/aws/template.yaml"]
    assert not (project / "infra/aws/template.yaml").exists()
    assert (project / "models/penguins.safetensors.sig").read_text() == "mine"


def test_an_upgrade_leaves_a_file_that_was_renamed_and_one_that_became_a_folder(project: Path) -> None:
    (project / "handlers/aws/aws_queues.py").rename(project / "handlers/aws/queues.py")
    (project / "README.md").unlink()
    (project / "README.md").mkdir()
    before = contents(project)
    assert upgrade(project).kept == ["README.md", "handlers/aws/aws_queues.py"]
    assert contents(project) == before and (project / "README.md").is_dir()


def test_an_upgrade_removes_what_is_of_no_use_any_more_unless_it_was_changed(project: Path) -> None:
    age(project, "handlers/aws/former.py", "# an older flyweight's\n")
    age(project, "handlers/aws/changed.py", "# an older flyweight's\n")
    (project / "handlers/aws/changed.py").write_text("# mine\n")
    changes = upgrade(project)
    assert changes.removed == ["handlers/aws/former.py"] and changes.kept == ["handlers/aws/changed.py"]
    assert not (project / "handlers/aws/former.py").exists()
    assert (project / "handlers/aws/changed.py").read_text() == "# mine\n"
    assert not upgrade(project).kept


def test_an_upgrade_leaves_folders_that_it_knows_nothing_of(project: Path) -> None:
    (project / "handlers/aws/mine.py").write_text("mine")
    (project / "notes").mkdir()
    (project / "notes/todo.txt").write_text("mine")
    before = contents(project)
    upgrade(project)
    assert contents(project) == before


def test_a_new_model_changes_the_event_that_carries_its_sample(project: Path, penguins: Path) -> None:
    manifest = json.loads((project / MANIFEST).read_text())
    (project / "models/penguins.safetensors").rename(project / "models/better.safetensors")
    with pytest.raises(ScaffoldFailed, match="is missing") as failed:
        upgrade(project)
    assert MANIFEST in failed.value.next_step
    (project / MANIFEST).write_text(json.dumps({**manifest, "model": "models/better.safetensors"}))
    assert "README.md" in upgrade(project).written
    assert "models/better.safetensors" in (project / "README.md").read_text()


def test_the_new_version_beside_a_changed_file_is_not_deployed(project: Path, penguins: Path, tmp_path: Path) -> None:
    (project / "handlers/aws/app.py.new").write_text("# a new version\n")
    made = build("aws", penguins, tmp_path / "out", handler=project / "handlers" / "aws", with_bytecode=False)
    assert not (made.folder / "app.py.new").exists()


@pytest.mark.parametrize("manifest", [None, "", "[]", "{}", '{"name": 1}'])
def test_a_folder_that_was_not_made_here_is_no_project_to_upgrade(manifest: str | None, tmp_path: Path) -> None:
    if manifest is not None:
        (tmp_path / MANIFEST).write_text(manifest)
    with pytest.raises(ScaffoldFailed, match="no readable") as failed:
        upgrade(tmp_path)
    assert "flyweight new" in failed.value.next_step


def test_an_address_is_answered_with_how_to_get_its_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["new", str(tmp_path / "mine"), "--model", "s3://bucket/models/m@prod"])
    assert result.exit_code == 1 and "flyweight pull s3://bucket/models/m@prod -o FILE" in result.stderr
    result = CliRunner().invoke(main, ["new", str(tmp_path / "mine"), "--model", str(tmp_path / "absent.safetensors")])
    assert result.exit_code == 1 and "absent.safetensors: No such file" in result.stderr and not any(tmp_path.iterdir())


def test_the_command_speaks_json(penguins: Path, tmp_path: Path) -> None:
    arguments = ["new", str(tmp_path / "mine"), "--model", str(penguins), "--target", "gcp", "--json"]
    document = json.loads(CliRunner().invoke(main, arguments).stdout)
    assert "handlers/gcp/main.py" in document["written"] and document["beside"] == []
    assert CliRunner().invoke(main, ["new", "--upgrade", str(tmp_path / "mine"), "--target", "gcp"]).exit_code == 2


def test_a_file_in_place_of_the_folder_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    with pytest.raises(ScaffoldFailed, match=r"notes\.txt is a file, and a project is a folder"):
        create(tmp_path / "notes.txt")
