"""Find the model of the deployment that a path of a protocol names.

A path names `M`, `M/versions/V` or `M/labels/L`, which a protocol's `route` gives to its operation as the model's name:

- M is a name of FLYWEIGHT_MODELS, or the own name of the default model.
- V is the version of M, or of another model in FLYWEIGHT_MODELS whose own name is M too.
- L is the alias in the address of such a model, `STORE/M@L`.

A model is named to `Context.predictor` by its key: a name of FLYWEIGHT_MODELS, or "" for the default one.
"""

from flyweight.errors import FlyweightError, NotFound, listing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from flyweight.protocols import Context

VERSIONS, LABELS = "versions", "labels"


def find(context: "Context", named: str) -> "tuple[str, str]":
    """Find a model.

    :param named: as above.
    :returns: the name M, and the key of the model.
    :raises NotFound: there is no such model, version or label.
    :raises FlyweightError: a model can't be loaded, and its own name or version is needed.
    """
    name, _, rest = named.partition("/")
    kind, _, value = rest.partition("/")
    if name not in context.settings.models and _own(context, "")[0] != name:
        raise NotFound(f"no model is called {name[:100]!r}; the models are {listing(names(context))}")
    if not kind:
        return name, name if name in context.settings.models else ""
    known, failed = [], None
    for key in _keys(context, name):
        try:
            label = _label(context, key) if kind == LABELS else _own(context, key)[1]
        except FlyweightError as error:
            failed = error
            continue
        if label == value:
            return name, key
        known.append(label)
    if failed is not None:
        raise failed
    one = {VERSIONS: "version", LABELS: "label"}[kind]
    has = listing([label for label in known if label]) or "none"
    raise NotFound(f"the model {name[:100]!r} has no {one} {value[:100]!r}; it has {has}")


def names(context: "Context") -> "list[str]":
    """List the names under which models are found; the default model's own name is left out if it can't be loaded."""
    default = _loaded(context, "")[0]
    return [*dict.fromkeys([*([default] if default else []), *context.settings.models])]


def versions(context: "Context", name: str) -> "list[str]":
    """List the versions of a model that `find` finds under this name; those that can't be loaded are left out."""
    return [*dict.fromkeys([version for key in _keys(context, name) if (version := _loaded(context, key)[1])])]


def _keys(context: "Context", name: str) -> "Iterator[str]":
    """List the keys of the models that have a name, the one that is meant without a version first."""
    if name in context.settings.models:
        yield name
    for key in ("", *context.settings.models):
        if key != name and _loaded(context, key)[0] == name:
            yield key


def _loaded(context: "Context", key: str) -> "tuple[str, str]":
    """Get a model's own name and version; "" and "" if it can't be loaded, which is no matter of other models."""
    try:
        return _own(context, key)
    except FlyweightError:
        return "", ""


def _own(context: "Context", key: str) -> "tuple[str, str]":
    """Get a model's own name and version: from its address in a registry, or else by loading it.

    :raises FlyweightError: the model can't be loaded.
    """
    address = context.settings.models[key] if key else context.settings.model
    path = address.partition("://")[2]
    *_, name, version = ["", *path.split("/")]
    if path and "@" not in version and not version.endswith(".safetensors"):
        return name, version
    before = {**context.log_fields}
    predictor = context.predictor(key)
    # the fields of a request's log line are those of the model that answers it
    before |= {field: value for field, value in context.log_fields.items() if field == "load_ms"}
    context.log_fields.clear()
    context.log_fields.update(before)
    return predictor.name, predictor.version


def _label(context: "Context", key: str) -> str:
    """Get the alias in a model's address, "" if it has none."""
    address = context.settings.models[key] if key else context.settings.model
    return address.rpartition("/")[2].partition("@")[2] if "://" in address else ""
