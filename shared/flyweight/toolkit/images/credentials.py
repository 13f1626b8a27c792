"""The user and the password for a registry: given, printed by a command, or as `docker login` has kept them.

https://docs.docker.com/reference/cli/docker/login/#credential-stores has the file and the protocol of the credential helpers.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.images.reference import HUB

HUB_KEY = "https://index.docker.io/v1/"
TOKEN_USER = "<token>"  # under which a helper gives an identity token
NOTHING_KEPT = "credentials not found"  # what a helper prints


class CredentialsRefused(ToolkitError):
    """Credentials that can't be found out."""


@dataclass(frozen=True)
class Credentials:
    """A user and a password, or an identity token; all empty for an anonymous request."""

    user: str = ""
    password: str = ""
    identity_token: str = ""


def find(registry: str, user: str = "", password_command: str = "") -> Credentials:
    """Find the credentials for a registry.

    :param user: the user; "" for what `docker login` has kept.
    :param password_command: a command line that prints the password, run without a shell.
    :raises CredentialsRefused: one of both is missing, or the command fails.
    """
    if bool(user) != bool(password_command):
        raise CredentialsRefused("a user needs a password, and a password a user", "give both --user and --password-command")
    if user:
        return Credentials(user, _printed(shlex.split(password_command)))
    return _kept(registry)


def _printed(words: list[str], sent: str = "") -> str:
    """Run a command, and return what it prints.

    :raises CredentialsRefused: it fails, or prints nothing.
    """
    try:
        done = subprocess.run(words, input=sent, capture_output=True, text=True)
    except OSError as error:
        raise CredentialsRefused(f"{words[0]} can't be run: {error.strerror}", "install it, or correct the command") from None
    if done.returncode or not done.stdout.strip():
        said = (done.stderr.strip() or done.stdout.strip() or "it printed nothing")[-300:]
        raise CredentialsRefused(f"`{shlex.join(words)}` gives no credentials: {said}", "run it by itself to see why")
    return done.stdout.strip()


def _kept(registry: str) -> Credentials:
    """Read what `docker login` has kept for a registry; anonymous credentials if that is nothing."""
    folder = os.environ.get("DOCKER_CONFIG")
    path = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Credentials()
    except (OSError, ValueError) as error:
        raise CredentialsRefused(f"{path} can't be read: {error}", "correct it, or give --user and --password-command") from None
    fields: dict[str, Any] = document if isinstance(document, dict) else {}
    keys = [HUB_KEY, HUB] if registry == HUB else [registry, f"https://{registry}"]
    for key in keys:
        helper = _table(fields, "credHelpers").get(key) or fields.get("credsStore")
        if helper and (found := _from_helper(str(helper), key)):
            return found
        if entry := _table(_table(fields, "auths"), key):
            return _decoded(entry, path, registry)
    return Credentials()


def _from_helper(name: str, key: str) -> Credentials | None:
    """Ask a credential helper; None if it has kept nothing."""
    program = shutil.which(f"docker-credential-{name}")
    if program is None:
        step = "install it, or give --user and --password-command"
        raise CredentialsRefused(f"docker keeps the password for {key} in docker-credential-{name}, which is not on PATH", step)
    try:
        document = json.loads(_printed([program, "get"], key))
    except CredentialsRefused as error:
        if NOTHING_KEPT in str(error):
            return None
        raise
    except ValueError:
        document = None
    fields: dict[str, Any] = document if isinstance(document, dict) else {}
    user, secret = str(fields.get("Username", "")), str(fields.get("Secret", ""))
    return Credentials(identity_token=secret) if user == TOKEN_USER else Credentials(user, secret)


def _decoded(entry: dict[str, Any], path: Path, registry: str) -> Credentials:
    """Decode an entry of docker's file."""
    try:
        user, _, password = base64.b64decode(str(entry.get("auth", "")), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        step = f"docker login {registry}, or give --user and --password-command"
        raise CredentialsRefused(f"{path} has no valid entry for {registry}", step) from None
    return Credentials(user, password, str(entry.get("identitytoken", "")))


def _table(fields: dict[str, Any], name: str) -> dict[str, Any]:
    found = fields.get(name)
    return found if isinstance(found, dict) else {}
