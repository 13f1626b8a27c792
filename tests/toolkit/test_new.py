"""A scaffolded project passes its own tests, and an upgrade never touches what its owner changed."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from flyweight.errors import ModelRefused
from flyweight.toolkit import resources
from flyweight.toolkit.cli import main
from flyweight.toolkit.scaffold import ScaffoldFailed, create, upgrade
from flyweight.toolkit.scaffold.project import MANIFEST


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
    assert f"{1 + len(resources.providers())} passed" in outcome(tmp_path / "My Penguins")
    assert 'name = "my-penguins"' in (tmp_path / "My Penguins" / "pyproject.toml").read_text()


def test_without_a_model_there_is_an_example_that_passes_its_tests(tmp_path: Path) -> None:
    create(tmp_path / "example", providers=("aws",))
    assert (tmp_path / "example" / "train.py").is_file()
    assert "2 passed" in outcome(tmp_path / "example")


def test_a_project_has_the_folders_of_this_one_for_the_providers_asked_for(project: Path, penguins: Path) -> None:
    files = contents(project)
    assert {"handlers/aws/app.py", "infra/aws/template.yaml", "events/aws/predict.json", "README.md", ".gitignore"} <= {*files}
    assert not [name for name in files if "azure" in name or "gcp" in name]
    assert files["models/penguins.safetensors"] == penguins.read_bytes()
    assert not [name for name, data in files.items() if b"@NAME@" in data or b"@MODEL@" in data or b"@PROVIDER" in data]


def test_the_event_carries_the_models_own_sample(project: Path, penguins: Path) -> None:
    from flyweight.predictor import load

    body = json.loads(json.loads((project / "events/aws/predict.json").read_text())["body"])
    assert body["instances"] == load(str(penguins)).file.document["sample"]["instances"][:1]


def test_a_folder_that_holds_something_is_left_alone(penguins: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ScaffoldFailed, match="holds something") as failed:
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


@pytest.mark.parametrize("manifest", [None, "", "[]", "{}", '{"name": 1}'])
def test_a_folder_that_was_not_made_here_is_no_project_to_upgrade(manifest: str | None, tmp_path: Path) -> None:
    if manifest is not None:
        (tmp_path / MANIFEST).write_text(manifest)
    with pytest.raises(ScaffoldFailed, match="could be read") as failed:
        upgrade(tmp_path)
    assert "flyweight new" in failed.value.next_step


def test_the_command_speaks_json(penguins: Path, tmp_path: Path) -> None:
    arguments = ["new", str(tmp_path / "mine"), "--model", str(penguins), "--provider", "gcp", "--json"]
    document = json.loads(CliRunner().invoke(main, arguments).stdout)
    assert "handlers/gcp/main.py" in document["written"] and document["beside"] == []
    assert CliRunner().invoke(main, ["new", "--upgrade", str(tmp_path / "mine"), "--provider", "gcp"]).exit_code == 2
