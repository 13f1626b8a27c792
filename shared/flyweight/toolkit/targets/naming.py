"""Which names a provider takes for functions, regions and groups; anything else is refused before a command is made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flyweight.toolkit.errors import DeployFailed

SHORTEST, LONGEST = 3, 32  # characters of a name that is made of a model's, as every provider takes them


@dataclass(frozen=True)
class Rule:
    """What a name must look like.

    `noun`: what the name belongs to; `pattern`: a regular expression for the whole name, none of which admits a leading `-`, a
    space or a character that a shell reads; `told`: the rule in words.
    """

    noun: str
    pattern: str
    told: str

    def check(self, value: str) -> None:
        """Check a name.

        :raises DeployFailed: it does not follow the rule.
        """
        if not re.fullmatch(self.pattern, value, re.ASCII):
            raise DeployFailed(f"{value!r} is not a valid name of {self.noun}", self.told)


REGION = Rule("a region", r"[A-Za-z][A-Za-z0-9-]{0,62}", "begin with a letter, followed by letters, digits and -")
FUNCTION = Rule("a function", r"[A-Za-z][A-Za-z0-9-]{0,62}", "begin with a letter, followed by letters, digits and -")
GROUP = Rule(
    "a group", r"[A-Za-z0-9][A-Za-z0-9_.-]{0,89}", "begin with a letter or digit, followed by letters, digits, _, . and -"
)
LABEL = Rule("a version", r"[A-Za-z0-9][A-Za-z0-9-]{0,127}", "begin with a letter or digit, followed by letters, digits and -")
TAG = Rule("a tag", r"[A-Za-z0-9_.:/@+-]{1,128}", "use letters, digits, _, ., :, /, @, + and -")


def of_model(model: str) -> str:
    """Make the name of a deployment from that of a model: small letters, digits and -, as every provider takes them."""
    plain = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")
    name = plain if plain[:1].isalpha() else f"model-{plain}"
    return (name if len(name) >= SHORTEST else f"{name}-model")[:LONGEST].strip("-")
