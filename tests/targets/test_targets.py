"""Targets are found by listing, their facets by asking; what is missing or there twice is said in words."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flyweight.stores import STORES
from flyweight.toolkit import resources, targets
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.targets.costs import Costs
from flyweight.toolkit.targets.deployment import Deployer, Deployment
from flyweight.toolkit.targets.package import READS, PackageSpec
from flyweight.toolkit.targets.runtime import Runtime
from tests.conftest import PYTHON, ROOT

each = pytest.mark.parametrize("target", targets.all_targets(), ids=lambda target: target.name)

WITH_PACKAGE = re.compile(r"^\s*(?:from|import) .*\b(?:obstore|objects|clients)\b", re.MULTILINE)


def plugin(place: Path, name: str, value: str, files: dict[str, str]) -> None:
    """An installed distribution with one target: its entry point, and the modules of its package `NAME_target`."""
    info = place / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[flyweight.targets]\n{name} = {value}\n")
    for path, text in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path, for distributions of a test's own."""
    place = tmp_path / "elsewhere"
    place.mkdir()
    monkeypatch.syspath_prepend(place)
    return place


@each
def test_a_target_has_facets_of_the_right_kinds(target: targets.Target) -> None:
    assert target.title and target.folder("handlers").is_dir()
    kinds = {"package": PackageSpec, "deployment": Deployer, "costs": Costs}
    for facet, kind in kinds.items():
        if target.has(facet):
            value = target.deployer if facet == "deployment" else getattr(target, facet)
            assert isinstance(value, kind)
    if target.has("runtime"):
        assert issubclass(target.runtime, Runtime)


@each
def test_a_deployer_has_its_targets_name_and_region_and_says_what_it_creates(target: targets.Target) -> None:
    if not target.has("deployment"):
        pytest.skip("it is not deployed")
    assert target.deployer.name == target.name
    assert target.deployer.creates(Deployment()) or target.deployer.settings(Deployment())


def test_stores_that_need_no_package_are_read_without_one() -> None:
    plain = {
        scheme
        for scheme, module in STORES.items()
        if not WITH_PACKAGE.search((ROOT / "shared" / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    }
    assert {*READS} == plain - {"s3"}, "S3 is read by a client of its own, where a target says so"
    for target in targets.all_targets():
        reads = {*target.package.reads}
        assert not reads or {*READS} <= reads <= {*READS, "s3"}, target.name


def test_targets_are_the_folders_that_there_are() -> None:
    folder = Path(targets.__file__).parent
    assert targets.names() == sorted(path.parent.name for path in folder.glob("*/__init__.py"))
    assert [target.name for target in targets.all_targets()] == targets.names()
    assert {"aws", "gcp", "azure"} <= {*targets.clouds()} and targets.ANY not in targets.clouds()


def test_a_facet_is_imported_when_it_is_asked_for() -> None:
    program = (
        "import sys; from flyweight.toolkit import targets; targets.all_targets(); targets.find('aws').has('costs');"
        "print(*[name for name in sys.modules if name.startswith('flyweight.toolkit.targets.')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == [f"flyweight.toolkit.targets.{name}" for name in targets.names()]


def test_an_unknown_target_is_answered_with_the_known_ones() -> None:
    with pytest.raises(targets.UnknownTarget, match="the target 'oracle' does not exist") as refused:
        targets.find("oracle")
    assert refused.value.next_step == f"choose one of {', '.join(targets.names())}"


@pytest.mark.parametrize(
    ("facet", "verb"),
    [("package", "built"), ("runtime", "run on this machine"), ("deployment", "deployed"), ("costs", "priced")],
)
def test_a_missing_facet_is_refused_in_words(facet: str, verb: str, elsewhere: Path) -> None:
    text = "from flyweight.toolkit.targets import Target\nTARGET = Target('Bare', 'aws')\n"
    plugin(elsewhere, "bare", "bare_target:TARGET", {"bare_target/__init__.py": text})
    bare = targets.find("bare")
    assert not bare.has(facet) and bare.table("prices") == {}
    with pytest.raises(ToolkitError, match=rf"the target bare can't be {verb}: it has no {facet}") as refused:
        bare.deployer if facet == "deployment" else getattr(bare, facet)
    others = [target.name for target in targets.all_targets() if target.has(facet)]
    assert {"aws", "azure", "gcp"} <= {*others}
    assert f"choose one of {', '.join(others)}, or write bare_target." in refused.value.next_step


@pytest.mark.parametrize("value", ["good_target", "good_target:TARGET"])
def test_a_target_of_another_package_brings_its_own_folders(value: str, elsewhere: Path, penguins: Path, tmp_path: Path) -> None:
    from flyweight.toolkit.building import build

    files = {
        "good_target/__init__.py": "from pathlib import Path\nfrom flyweight.toolkit.targets import Target\n"
        "TARGET = Target('Good', 'good', cloud='goodland', data=Path(__file__).parent / 'data')\n",
        "good_target/package.py": "from flyweight.toolkit.targets.package import PackageSpec\nPACKAGE = PackageSpec()\n",
        "good_target/data/handlers/good/good.py": "'''The entry.'''\n",
        "good_target/data/infra/good/README.md": "Nothing.\n",
    }
    plugin(elsewhere, "good", value, files)
    for name in [name for name in sys.modules if name.startswith("good_target")]:
        del sys.modules[name]
    good = targets.find("good")
    assert "good" in targets.names() and "goodland" in targets.clouds()
    assert good.folder("infra") == elsewhere / "good_target" / "data" / "infra" / "good"
    assert good.hall("events") != resources.folder("events")
    built = build("good", penguins, tmp_path / "out", python=PYTHON)
    assert built.target == "good" and (built.folder / "good.py").is_file() and built.proof.proven


def test_two_targets_of_one_name_are_refused_with_where_they_are(elsewhere: Path) -> None:
    plugin(elsewhere, "aws", "other_target:TARGET", {"other_target/__init__.py": ""})
    with pytest.raises(targets.UnknownTarget, match="two targets are called aws") as refused:
        targets.find("aws")
    assert "other_target:TARGET" in str(refused.value) and "uninstall one" in refused.value.next_step
    assert targets.find("gcp").name == "gcp"


@pytest.mark.parametrize("value", ["no_such_target", "bad_target:NOTHING", "bad_target"])
def test_a_target_that_can_not_be_imported_is_named(value: str, elsewhere: Path) -> None:
    plugin(elsewhere, "bad", value, {"bad_target/__init__.py": ""})
    with pytest.raises(targets.UnknownTarget, match="the target bad can't be imported") as refused:
        targets.find("bad")
    assert refused.value.next_step == f"repair or uninstall {value}"


def test_no_other_module_of_the_toolkit_names_a_target() -> None:
    """But for examples in help texts, one of which the verb `image` makes of words, and for the edges of a graph."""
    toolkit, own, names = Path(resources.__file__).parent, Path(targets.__file__).parent, {*targets.names()}
    named = {
        f"{path.relative_to(toolkit)}: {node.value!r}"
        for path in toolkit.rglob("*.py")
        if own not in path.parents or path.parent == own
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names
    }
    assert named <= {"cli/image.py: 'docker'", "convert/graphs.py: 'edge'"}
