"""Write the fields of a form, one for each feature of a signature; the first row of the model's own sample is filled in."""

from html import escape
from json import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.signature import Feature, Signature

MOST_FIELDS = 200  # above which the form is one field for the JSON of an instance
MOST_CHOICES = 40  # above which categories are suggested while one types
MOST_SUGGESTIONS = 500
MOST_SAMPLES = 10
MOST_DIGITS = 1e15  # below which a whole number is written without a point


def samples(document: "dict[str, Any]", signature: "Signature") -> "list[list[Any]]":
    """List rows of the model's own sample in the order of the features; without a sample one row that is made of its signature.

    :param document: of a model file; what is malformed in it is left out.
    """
    sample = document.get("sample")
    kept = sample.get("instances") if isinstance(sample, dict) else None
    names, rows = [feature.name for feature in signature.features], []
    for row in kept[:MOST_SAMPLES] if isinstance(kept, list) else []:
        values = [row.get(name) for name in names] if isinstance(row, dict) else row
        if isinstance(values, list) and len(values) == len(names):
            rows.append(values)
    return rows or [[_made(feature) for feature in signature.features]]


def described(signature: "Signature") -> "list[dict[str, Any]]":
    """List what the script has to know of each feature."""
    return [{"name": one.name, "kind": one.kind, "nullable": one.nullable, "zone": one.zone} for one in signature.features]


def write(signature: "Signature", rows: "list[list[Any]]") -> str:
    """Write the fields.

    :param rows: those of `samples`.
    """
    if len(signature.features) > MOST_FIELDS:
        pairs = zip(signature.features, rows[0], strict=True)
        whole = {feature.name: value for feature, value in pairs if feature.kind != "unread"}
        text = escape(dumps(whole, ensure_ascii=False, indent=1))
        hint = f"{len(signature.features)} features: an object with the name and the value of each"
        return _LONG.format(text=text, hint=hint)
    fields = [
        _field(place, feature, rows[0][place]) for place, feature in enumerate(signature.features) if feature.kind != "unread"
    ]
    unread = [escape(feature.name) for feature in signature.features if feature.kind == "unread"]
    left = f"<p>Not read by the model, and not asked for: {', '.join(unread)}.</p>" if unread else ""
    return f'<fieldset><legend>One instance</legend><div class="fields">{"".join(fields)}</div>{left}</fieldset>'


def _field(place: int, feature: "Feature", value: "Any") -> str:
    """Write the label, the control, the hint and the place of an error of one feature."""
    label = f'<label for="f{place}">{escape(feature.name)}</label>'
    hint = f'<small id="h{place}">{escape(_hint(feature))}</small>'
    problem = f'<p class="problem" id="e{place}" hidden></p>'
    common = f'id="f{place}" data-place="{place}" aria-describedby="h{place} e{place}"'
    common += "" if feature.nullable or feature.kind == "boolean" else " required"
    if feature.kind == "boolean" and not feature.nullable:
        control = f'<input type="checkbox" {common}{" checked" if value is True else ""}>'
        return f'<div class="field flag">{control}{label}{hint}{problem}</div>'
    choices = [True, False] if feature.kind == "boolean" else feature.categories or []
    if choices and len(choices) <= MOST_CHOICES:
        control = _select(place, feature, value, choices, common)
    else:
        listed = [f'<option value="{escape(str(one))}">' for one in choices[:MOST_SUGGESTIONS]]
        suggestions = f'<datalist id="l{place}">{"".join(listed)}</datalist>' if listed else ""
        control = _input(feature, value, common + (f' list="l{place}"' if listed else "")) + suggestions
    return f'<div class="field">{label}{control}{hint}{problem}</div>'


def _select(place: int, feature: "Feature", value: "Any", choices: "list[Any]", common: str) -> str:
    """Write a list of choices; another value than those that were seen in training may be typed beside it."""
    other = feature.kind != "boolean"
    typed = other and value is not None and value not in choices
    pairs = [(dumps(one), {True: "true", False: "false"}[one] if isinstance(one, bool) else str(one)) for one in choices]
    pairs += [("null", "missing")] if feature.nullable or value is None else []
    pairs += [("", "another value …")] if other else []
    chosen = "" if typed else dumps(value)
    options = [
        f'<option value="{escape(code)}"{" selected" if code == chosen else ""}>{escape(text)}</option>' for code, text in pairs
    ]
    beside = f'id="o{place}" aria-label="{escape(feature.name)}: another value"{"" if typed else " hidden"}'
    return f"<select {common}>{''.join(options)}</select>" + (_input(feature, value if typed else None, beside) if other else "")


def _input(feature: "Feature", value: "Any", common: str) -> str:
    """Write a field to type into."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < MOST_DIGITS
    text = "" if value is None else escape(str(int(value) if whole else value))
    if feature.kind == "number":
        return f'<input type="number" step="any" {common} value="{text}">'
    if feature.kind == "datetime":
        local = text.removesuffix("Z").removesuffix("+00:00")
        if len(local) in (16, 19) or not local:  # a browser's own field has no microseconds and no offsets
            return f'<input type="datetime-local" step="1" {common} value="{local}">'
    return f'<input type="text" {common} value="{text}" autocomplete="off" spellcheck="false">'


def _hint(feature: "Feature") -> str:
    """Say what a feature takes."""
    parts = [feature.kind]
    if feature.kind == "datetime":
        parts = ["date and time, UTC" if feature.zone == "UTC" else "date and time, without a time zone"]
    elif feature.range:
        low, high = feature.range
        parts.append(f"seen {low:g} to {high:g}")
    elif feature.categories and len(feature.categories) > MOST_CHOICES:
        parts.append(f"{len(feature.categories)} values seen")
    return ", ".join([*parts, *(["may be missing"] if feature.nullable else [])])


def _made(feature: "Feature") -> "Any":
    """Make a value for a feature: one that was seen in training, if the signature tells one."""
    if feature.categories:
        return feature.categories[0]
    if feature.kind == "number":
        low, high = feature.range or (0.0, 0.0)
        return (low + high) / 2
    moment = "2024-01-31T00:00:00" + ("Z" if feature.zone == "UTC" else "")
    return {"boolean": False, "string": "a", "datetime": moment}.get(feature.kind)


_LONG = """<fieldset><legend>One instance</legend><div class="field"><label for="whole">JSON</label>
<textarea id="whole" rows="16" spellcheck="false" aria-describedby="hw ew">{text}</textarea>
<small id="hw">{hint}</small><p class="problem" id="ew" hidden></p></div></fieldset>"""
