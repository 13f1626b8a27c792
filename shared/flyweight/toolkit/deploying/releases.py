"""Store the folders and parameters of releases in the working directory, apart for each place that a function is deployed to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from flyweight.toolkit.targets.commands import Runner
from flyweight.toolkit.targets.deployment import HOME, Deployer, Deployment
from flyweight.toolkit.targets.package import image_of, read_marker

KEPT = 5
RECORD = "releases.json"
IMAGE = ".oci"  # the suffix of a folder's image, an OCI layout beside it
UNTOLD = "-"  # stands for a part of a place that is empty; no name of a provider's is written so


@dataclass(frozen=True)
class Release:
    """A deployment whose answers were verified.

    `label`: the provider's name for it, if it has one; `before`: the label that was live before it, as the provider told.
    """

    number: int
    folder: Path
    model: str
    label: str
    parameters: Mapping[str, str]
    before: str = ""


class Releases:
    """The releases of one function in one place, newest last.

    :param place: what tells this function from another of its name: account, region, project, subscription, group.
    """

    def __init__(self, target: str, place: tuple[str, ...], name: str, home: Path = HOME) -> None:
        self.home = home.joinpath(target, *map(_part, place), _part(name))
        self._record = self.home / RECORD

    def all(self) -> list[Release]:
        """List the releases."""
        if not self._record.is_file():
            return []
        return [
            Release(**{**one, "folder": self.home / one["folder"]})
            for one in json.loads(self._record.read_text(encoding="utf-8"))
        ]

    def stage(self, folder: Path) -> Path:
        """Copy the folder for a deployment, and the image beside it; the copies are kept if the deployment succeeds."""
        number = max([one.number for one in self.all()], default=0) + 1
        copy = self.home / f"{number:04d}"
        self.drop(copy)
        shutil.copytree(folder, copy)
        if image_of(folder).is_dir():
            shutil.copytree(image_of(folder), image_of(copy))
        return copy

    def keep(self, staged: Path, label: str, parameters: Mapping[str, str], before: str = "") -> Release:
        """Record a staged folder as a release, and remove the oldest releases."""
        marker = read_marker(staged)
        model = f"{marker['model']} {marker['version']}"
        release = Release(int(staged.name), staged, model, label, dict(parameters), before)
        self._write([*self.all(), release])
        return release

    def drop(self, staged: Path) -> None:
        """Remove a staged folder whose deployment failed."""
        for folder in (staged, image_of(staged)):
            shutil.rmtree(folder, ignore_errors=True)

    def drop_after(self, number: int) -> None:
        """Record a rollback: remove the releases after this number."""
        listed = [one for one in self.all() if one.number <= number]
        for one in self.all():
            if one.number > number:
                self.drop(one.folder)
        if self._record.is_file():
            self._write(listed)

    def forget(self) -> None:
        """Remove all releases, after the function was destroyed."""
        shutil.rmtree(self.home, ignore_errors=True)

    def _write(self, releases: list[Release]) -> None:
        for one in releases[:-KEPT]:
            self.drop(one.folder)
        listed = [{**asdict(one), "folder": one.folder.name, "parameters": dict(one.parameters)} for one in releases[-KEPT:]]
        draft = self._record.with_suffix(".draft")
        draft.write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
        draft.replace(self._record)


def releases_of(deployer: Deployer, deployment: Deployment, runner: Runner, home: Path = HOME) -> Releases:
    """Find the releases of a deployment: the provider is asked for the account that the tools are logged in to.

    In a dry run nothing is asked, so that the account is taken from the only one that has releases of this deployment.
    """
    asked, place, account = deployer.account(deployment), deployer.place(deployment), ""
    if not asked:
        return Releases(deployer.name, place, deployment.name, home)
    if runner.dry_run:
        rest = Path(*map(_part, (*place, deployment.name)), RECORD)
        known = [one.name for one in (home / deployer.name).glob("*") if (one / rest).is_file()]
        account = unquote(known[0]) if len(known) == 1 else ""
    else:
        account = runner.output_if_any(*asked)
    return Releases(deployer.name, (account, *place), deployment.name, home)


def only_name(target: str, home: Path = HOME) -> str:
    """Return the name of the deployments that have releases here, "" if there are none or several names."""
    names = {record.parent.name for record in (home / target).rglob(RECORD)}
    return unquote(names.pop()) if len(names) == 1 else ""


def _part(text: str) -> str:
    """Write a name as one folder's name; different names are written differently."""
    written = quote(text, safe="")
    return written.replace(".", "%2E") if written.strip(".") == "" and written else written or UNTOLD
