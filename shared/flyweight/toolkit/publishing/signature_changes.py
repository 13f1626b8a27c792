"""What changes for the callers of a model when another one takes its place: inputs, kinds, labels and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flyweight.models.signature import Feature, Signature
from flyweight.toolkit.errors import ToolkitError

MOST = 12  # names that one line lists

Document = Mapping[str, Any]


class SchemaChanged(ToolkitError):
    """A model that takes the place of one with another signature, and nobody was there to agree."""


def changes(before: Document, after: Document) -> list[str]:
    """Compare the signatures of two model files.

    Ranges and categories that were seen in training do not count: no request is refused because of them.

    :param before: the document of the file that callers know.
    :param after: the document of the file that takes its place.
    :returns: one sentence for each change; an empty list if every request is read and answered in the same form.
    :raises ModelRefused: a signature is malformed.
    """
    old, new = Signature.of(dict(before)), Signature.of(dict(after))
    found = [*_task(old, new), *_features(old, new), *_labels(old, new), *_outputs(before, after)]
    if old.unknown != new.unknown:
        found.append(f"features that the model does not have are {'ignored' if new.unknown == 'ignore' else 'refused'} now")
    return found


def _task(old: Signature, new: Signature) -> Iterator[str]:
    if old.task != new.task:
        yield f"it was a {old.task}, and is a {new.task}"


def _features(old: Signature, new: Signature) -> Iterator[str]:
    """Compare features by name; their order matters to callers that send lists."""
    was, now = ({feature.name: feature for feature in one.features} for one in (old, new))
    if removed := [name for name in was if name not in now]:
        yield f"features removed: {_named(removed)}"
    required = [name for name, feature in now.items() if name not in was and not _absent(feature)]
    optional = [name for name, feature in now.items() if name not in was and _absent(feature)]
    if required:
        yield f"features added, which requests must have: {_named(required)}"
    if optional:
        yield f"features added, which requests may leave out: {_named(optional)}"
    both = [name for name in was if name in now]
    for name in both:
        yield from _feature(was[name], now[name])
    if not removed and not required and not optional and [*was] != [*now]:
        yield f"the order of the features, for requests of lists: {_named([*now])}"


def _feature(was: Feature, now: Feature) -> Iterator[str]:
    if _kind(was) != _kind(now):
        yield f"feature {was.name!r} was a {_kind(was)}, and is a {_kind(now)}"
    if was.nullable != now.nullable and "unread" not in (was.kind, now.kind):
        yield f"feature {was.name!r} {'may be null now' if now.nullable else 'may not be null any more'}"


def _kind(feature: Feature) -> str:
    """Name the kind of a feature, with its time zone if it has one."""
    return feature.kind if feature.zone == "none" else f"{feature.kind} in {feature.zone}"


def _absent(feature: Feature) -> bool:
    """Tell whether a request may leave out a feature."""
    return feature.kind == "unread"


def _labels(old: Signature, new: Signature) -> Iterator[str]:
    """Compare labels; their order matters to callers that read probabilities by position."""
    if old.outputs != new.outputs:
        yield f"an answer had {_count(old.outputs)}, and has {_count(new.outputs)}"
        return
    for number, (was, now) in enumerate(zip(old.classes or [], new.classes or [], strict=False)):
        of = f" of output {number}" if old.outputs > 1 else ""
        # 1, 1.0 and True are equal to Python, and different in JSON
        known, given = ({(type(label), label): label for label in labels} for labels in (was, now))
        if removed := [repr(label) for key, label in known.items() if key not in given]:
            yield f"labels{of} removed: {_named(removed)}"
        if added := [repr(label) for key, label in given.items() if key not in known]:
            yield f"labels{of} added: {_named(added)}"
        if {*known} == {*given} and [*known] != [*given]:
            yield f"the order of the labels{of}, by which probabilities are read: {_named([*map(repr, now)])}"


def _outputs(before: Document, after: Document) -> Iterator[str]:
    """Compare the outputs beside predictions, which the proof of parity lists by name."""
    was, now = _proved(before), _proved(after)
    if was is None or now is None:
        return
    if removed := sorted(was - now):
        yield f"outputs removed: {_named(removed)}"
    if added := sorted(now - was):
        yield f"outputs added: {_named(added)}"


def _proved(document: Document) -> set[str] | None:
    parity = document.get("parity")
    bounds = parity.get("bounds") if isinstance(parity, dict) else None
    return {*bounds} - {"index", "values"} if isinstance(bounds, dict) and bounds else None


def _count(outputs: int) -> str:
    return f"{outputs} value" + ("s" if outputs > 1 else "")


def _named(names: list[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more
