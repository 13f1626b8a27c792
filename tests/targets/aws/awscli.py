"""What the AWS CLI takes, from botocore's models of the services, which are what the CLI makes its own commands of."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any

import jmespath
from botocore import xform_name
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.session import get_session

# of every command: https://docs.aws.amazon.com/cli/latest/reference/
GLOBAL = {"--region", "--query", "--output"}
# Commands of version 2's own, which no service has, with the options of their pages below that reference:
# logs/tail.html, configure/export-credentials.html, cloudformation/deploy/index.html, s3/cp.html, s3/rm.html, s3/sync.html,
# ecr/get-login-password.html
OWN = {
    ("cloudformation", "deploy"): {
        *("--stack-name", "--template-file", "--no-fail-on-empty-changeset", "--capabilities", "--parameter-overrides", "--tags")
    },
    ("cloudformation", "wait"): {"--stack-name"},
    ("s3", "cp"): {"--only-show-errors"},
    ("s3", "rm"): {"--recursive", "--only-show-errors"},
    ("s3", "sync"): {"--delete", "--only-show-errors"},
    ("ecr", "get-login-password"): set(),
    ("logs", "tail"): {"--since", "--follow", "--format", "--filter-pattern", "--log-stream-names", "--log-stream-name-prefix"},
    ("configure", "export-credentials"): {"--profile", "--format"},
}
RENAMED = {"deploy": "codedeploy"}  # what the CLI calls a service by a name of its own


def complaints(line: str) -> list[str]:
    """What is wrong with a line for `aws`, as far as its service's model tells: operation, options, what lacks, the query."""
    _, service, verb, *words = shlex.split(line)
    given = {word for word in words if word.startswith("--")}
    if (service, verb) in OWN:
        return [f"{line}: no option {option}" for option in sorted(given - GLOBAL - OWN[service, verb])]
    model = _model(RENAMED.get(service, service))
    operation = next((name for name in model.operation_names if xform_name(name, "-") == verb), None)
    if operation is None:
        return [f"{line}: {service} has no {verb}"]
    described = model.operation_model(operation)
    taken = described.input_shape
    options = {f"--{xform_name(name, '-')}" for name in taken.members} if taken else set()
    required = {*taken.required_members} - {*described.idempotent_members} if taken else set()  # the CLI makes such tokens itself
    wanted = {f"--{xform_name(name, '-')}" for name in required}
    found = [f"{line}: no option {option}" for option in sorted(given - GLOBAL - options)]
    found += [f"{line}: lacks {option}" for option in sorted(wanted - given)]
    query = words[words.index("--query") + 1] if "--query" in words else ""
    if query:
        members = set(_members(described.output_shape, ()))
        found += [f"{line}: answers no {name}" for name in sorted(_fields(jmespath.compile(query).parsed) - members)]
    return found


@cache
def _model(service: str) -> Any:
    return get_session().get_service_model(service)


def _members(shape: Shape | None, above: tuple[str, ...]) -> Iterator[str]:
    """The names of all that an answer may hold."""
    if isinstance(shape, StructureShape) and shape.name not in above:
        for name, member in shape.members.items():
            yield name
            yield from _members(member, (*above, shape.name))
    elif isinstance(shape, ListShape):
        yield from _members(shape.member, above)
    elif isinstance(shape, MapShape):
        yield from _members(shape.value, above)


def _fields(node: dict[str, Any]) -> set[str]:
    """The names that a query asks for."""
    own = {str(node["value"])} if node["type"] == "field" else set()
    return own.union(*(_fields(child) for child in node["children"]))
