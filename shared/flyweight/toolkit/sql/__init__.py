"""Write the statements by which an engine of SQL calls a deployed model; each public module of this folder is one engine.

A module has `NEEDS`, the options that it can't do without, and `parts(call) -> list[Part]`. An engine passes arguments by their
position, in the signature's order, so that their names in a function are free: they are made of the features' names.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from flyweight.toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from flyweight.predictor import Predictor

KINDS = {str: "string", float: "number", int: "number", bool: "boolean"}
NUMBERS = ("score_samples",)  # outputs that are one number for each instance


class NotWritten(ToolkitError):
    """No statement can be written: an option is absent, unknown or unfit."""


@dataclass(frozen=True)
class Argument:
    """An argument of a function: its name in SQL, the feature that is its column, and the feature's kind and zone."""

    name: str
    column: str
    kind: str
    zone: str


@dataclass(frozen=True)
class Call:
    """What an engine's function is made of.

    `name`: the function's; `returns`: the kind of its value, "document" for JSON; `output`: of the model; `title`: the model, for
    comments; `url`: of the deployment; `function`: a Lambda function's name or ARN; `role`: a role of the cloud or the engine;
    `connection`: the name of the engine's connection; `table`: for the example; `rows`: the most in one call.
    """

    name: str
    arguments: tuple[Argument, ...]
    returns: str
    output: str
    title: str
    url: str = ""
    function: str = ""
    role: str = ""
    connection: str = "flyweight"
    table: str = "a_table"
    rows: int = 1000


@dataclass(frozen=True)
class Part:
    """One piece of what is printed: what it is for, its language (sql, sh or json), and its text."""

    title: str
    language: str
    text: str


def engines() -> list[str]:
    """List the engines by name."""
    return sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))


def written(engine: str, call: Call) -> list[Part]:
    """Write all parts for an engine.

    :raises NotWritten: there is no such engine, an option that it needs is absent, or its address is no web address.
    """
    if engine not in engines():
        raise NotWritten(f"no engine is called {engine!r}; the engines are {', '.join(engines())}", "name one of them")
    module = import_module(f"{__name__}.{engine}")
    absent = [f"--{name}" for name in module.NEEDS if not getattr(call, name)]
    if absent:
        raise NotWritten(f"{engine} needs {' and '.join(absent)}", f"see `flyweight sql {engine} --help`")
    if call.url and not call.url.startswith(("https://", "http://")):
        raise NotWritten(f"{call.url!r} is no address of a deployment", "give one that begins with https://, as deploy prints it")
    parts: list[Part] = module.parts(call)
    return parts


def call_of(predictor: Predictor, name: str, output: str, **options: Any) -> Call:
    """Describe the function of a model.

    :param name: of the function; "" for the model's name.
    :raises NotWritten: the model has no such output, or a name has a control character.
    """
    if output not in predictor.output_names:
        known = ", ".join(predictor.output_names)
        raise NotWritten(f"{predictor.name} has no output {output!r}", f"give --output one of {known}")
    for text in (name, *options.values()):
        if isinstance(text, str) and not text.isprintable():
            raise NotWritten(f"{text!r} has a control character, which no name or address has", "write it again by hand")
    features = [feature for feature in predictor.signature.features if feature.kind != "unread"]
    names = plain_names([feature.name for feature in features])
    arguments = tuple(
        Argument(plain, feature.name, feature.kind, feature.zone) for plain, feature in zip(names, features, strict=True)
    )
    title = f"{predictor.name} {predictor.version}"
    return Call(name or plain_names([predictor.name])[0], arguments, _returns(predictor, output), output, title, **options)


def plain_names(words: list[str]) -> list[str]:
    """Make an identifier of SQL of each word, of small letters, digits and `_`, no two alike."""
    found: dict[str, None] = {}
    for word in words:
        name = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in word.lower())[:100]
        name = name if name[:1].isalpha() else f"a_{name}"
        unique, number = name, 2
        while unique in found:
            unique, number = f"{name}_{number}", number + 1
        found[unique] = None
    return [*found]


def suffixed(call: Call) -> str:
    """Name a function so that its name chooses its output: protocols/_sql.py reads it."""
    usual = call.output == "predictions" or call.name.lower().endswith(f"_{call.output}")
    return call.name if usual else f"{call.name}_{call.output}"


def quoted(text: str, mark: str = '"', close: str = "") -> str:
    """Quote an identifier or a text as standard SQL does: the closing mark within it is doubled."""
    close = close or mark
    return f"{mark}{text.replace(close, close * 2)}{close}"


def dotted(name: str, mark: str = '"', close: str = "") -> str:
    """Quote each part of a name such as `schema.table`."""
    return ".".join(quoted(part, mark, close) for part in name.split("."))


def _returns(predictor: Predictor, output: str) -> str:
    """Find the kind of a function's value."""
    signature = predictor.signature
    if output in NUMBERS:
        return "number"
    if output != "predictions" or signature.outputs > 1 or signature.task == "transformation":
        return "document"
    kinds = {KINDS[type(label)] for label in (predictor.labels or [0.0])}
    return kinds.pop() if len(kinds) == 1 else "string"
