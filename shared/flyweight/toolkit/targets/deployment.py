"""What every provider's deployment gives: a place goes in, the commands of the provider's own tools come out."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from flyweight.errors import FlyweightError
from flyweight.toolkit import resources
from flyweight.toolkit.deploying.commands import Command

HOME = Path(".flyweight")  # where the work of deployments and their releases are kept, in the folder that one works in


class DeployFailed(FlyweightError):
    """What was asked can't be done, or did not come out well; `next_step` says what to do."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step


@dataclass(frozen=True)
class Deployment:
    """Where a function lives, and with what.

    `group`: what holds it where a provider has such a thing (a project, a resource group); empty: the tool's own setting.
    `parameters`: of the template or script in `infra/`, by their own names.
    """

    name: str = "flyweight"
    region: str = ""
    group: str = ""
    folder: Path = Path()
    work: Path = HOME  # where files go that a command needs
    parameters: Mapping[str, str] = field(default_factory=dict)
    infra: Path = field(default_factory=lambda: resources.folder("infra"))  # whose templates or script, a folder a provider

    def verb(self, verb: str, target: str) -> str:
        """The line of `flyweight` that does something else with this very place."""
        options = {"--name": self.name, "--region": self.region, "--group": self.group}
        given = [word for option, value in options.items() if value for word in (option, shlex.quote(value))]
        return " ".join(["flyweight", verb, target, *given])


@dataclass(frozen=True)
class Tool:
    """A program that has to be here: how to get it, what succeeds only for who is logged in, and how to log in."""

    program: str
    install: str
    login: Command | None = None
    sign_in: str = ""


@dataclass(frozen=True)
class Resource:
    """One thing that a deployment creates; `when`: the condition, empty for always."""

    name: str
    kind: str
    when: str = ""


class Target(Protocol):
    """One provider."""

    name: str

    @property
    def region(self) -> str:
        """The one that is meant where a place names none."""

    def tools(self, place: Deployment) -> list[Tool]:
        """The programs that `deploy` runs."""

    def deploy(self, place: Deployment) -> list[Command]:
        """What makes the folder live."""

    def url(self, place: Deployment) -> Command:
        """What prints the endpoint's URL."""

    def live(self, place: Deployment) -> list[Command]:
        """What prints at last a label of what is live; none where the earlier folder itself is what one goes back to."""

    def back(self, place: Deployment, label: str) -> list[Command]:
        """What makes an earlier release live again: the place has its folder, and the label that `live` printed then."""

    def authorization(self, place: Deployment) -> str:
        """How calls are let in, as `flyweight call --auth` names it."""

    def key(self, place: Deployment) -> list[Command]:
        """What prints at last the key that calls carry; none where they carry none."""

    def logs(self, place: Deployment, since: str, follow: bool) -> list[Command]:
        """What prints the log."""

    def status(self, place: Deployment) -> list[Command]:
        """What says how it is."""

    def destroy(self, place: Deployment) -> list[Command]:
        """What removes all that `deploy` made."""

    def creates(self, place: Deployment) -> list[Resource]:
        """What `deploy` would make."""

    def settings(self, place: Deployment) -> dict[str, str]:
        """The parameters of its template or script, with what this place gives or their defaults."""


@runtime_checkable
class StatefulTarget(Protocol):
    """A target where things stand between deployments: parameters that one leaves out stay, and one may block the next."""

    def standing(self, place: Deployment) -> Command:
        """What prints how things stand; it fails where nothing is."""

    def in_force(self, said: str) -> dict[str, str]:
        """The parameters in what `standing` printed, "" where nothing is."""

    def obstacle(self, place: Deployment, said: str) -> DeployFailed | None:
        """Why the place can't be deployed as things stand, and what to do about it."""
