"""What the stand-ins of a provider's tools answer for one target, and what its deployments must show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from flyweight.toolkit import targets


@dataclass(frozen=True)
class StandIn:
    """One target's part of the generic tests of deployments; `tests/targets/NAME/stand_in.py` has it as `STAND_IN`.

    Of the tools: `tools`: the programs; `answers`: from a part of a command line to what is printed, in which {url}, {live},
    {earlier}, {made}, {stack} and {parameters} are filled in, and nothing is printed for an {earlier} that does not exist;
    `needs_live`: parts of command lines that fail while nothing is deployed; `makes`: beginnings of command lines that make the
    next version live; `removes`: beginnings of those after which nothing is deployed; `back`: a regular expression of a command
    line that makes an earlier version live, whose group is the version's number; `keeps`: the option after which parameters
    follow that a later deployment may leave out.

    Of the tests: `account`: what the tools say who is logged in; `login`: a part of the command line that asks for it; `label`:
    of a version; `apart`: which of two regions (0, 1) and two groups (2, 3) have releases apart; `file` and `parameter`: a file
    of `infra/NAME`, "" if none has parameters, and a parameter in it; `value`: for it; `shown` and `tagged`: parts of the
    commands with that value, and with the tags team=ml and stage=prod; `went_back`: a part of the last command after a failed
    deployment of a second version; `free`: a parameter that takes any text, "" for none.
    """

    tools: tuple[str, ...]
    answers: Mapping[str, str]
    makes: tuple[str, ...]
    login: str
    file: str
    parameter: str
    value: str
    shown: str
    tagged: str
    went_back: str
    needs_live: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    back: str = ""
    keeps: str = ""
    account: str = ""
    label: str = ""
    apart: frozenset[int] = field(default=frozenset((0, 1, 2, 3)))
    free: str = ""

    def names_version(self, live: int) -> str:
        """Write the label of a version."""
        return self.label.format(live=live)


def deployed() -> list[str]:
    """List the targets that can be deployed and then answer requests; those of jobs have tests of their own."""
    return [target.name for target in targets.all_targets() if target.has("deployment") and target.has("runtime")]


def versioned() -> list[str]:
    """List the targets whose provider keeps earlier versions."""
    return [name for name in deployed() if _file(name).is_file() and stand_in(name).back]


def stand_in(target: str) -> StandIn:
    """Find the stand-in of a target."""
    assert _file(target).is_file(), f"write {_file(target)} with STAND_IN, as tests/targets/gcp has it"
    found: StandIn = import_module(f"tests.targets.{target}.stand_in").STAND_IN
    return found


def stand_ins() -> list[StandIn]:
    """List the stand-ins of all targets that have one."""
    return [stand_in(name) for name in deployed() if _file(name).is_file()]


def _file(target: str) -> Path:
    return Path(__file__).parents[2] / "targets" / target / "stand_in.py"
