"""Write the page of a model: what it takes and gives, the form, the protocols that are on, and where the model comes from."""

from html import escape

from flyweight import strict_json
from flyweight.protocols import _page_form

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.models.signature import Signature
    from flyweight.predictor import Predictor

NAMED = 12  # classes that are listed
ABOUT = {
    "predictions": "the answer itself",
    "probabilities": "one number a class, 0 to 1",
    "scores": "the numbers that are compared to choose an answer",
    "score_samples": "how usual an instance is",
    "transformed": "the transformed instance",
}


def write(predictor: "Predictor", on: "dict[str, list[str]] | None", up: str, style: str, script: str) -> str:
    """Write the document.

    :param on: the paths of the protocols that are on, by name; None for a page that answers itself, without an endpoint.
    :param up: what leads from the page to the folder that it is in: "", or "../" for a path that ends in a slash.
    :param style: the element with the style.
    :param script: the elements with the script.
    """
    document, name, version = predictor.metadata(), escape(predictor.name), escape(predictor.version)
    samples = _page_form.samples(document, predictor.signature)
    data = {"features": _page_form.described(predictor.signature), "samples": samples}
    native = on is not None and "native" in on
    links = [("openapi.json", "OpenAPI document"), ("model", "model as JSON")] if native else []
    listed = "".join([f'<li><a href="{up}{path}">{text}</a></li>' for path, text in links])
    form = _FORM.format(form=_page_form.write(predictor.signature, samples), next="" if len(samples) > 1 else " hidden")
    return _PAGE.format(
        style=style,
        script=script,
        name=name,
        version=version,
        about=_about(predictor.signature),
        links=f"<ul>{listed}</ul>" if listed else "",
        form=form if native or on is None else _NO_FORM,
        elsewhere="" if on is None else _ELSEWHERE,
        gives=_gives(predictor),
        protocols="" if on is None else _protocols(name, on),
        facts="".join([f"<dt>{escape(title)}</dt><dd>{value}</dd>" for title, value in _facts(document).items()]),
        # within an element `script` only `<` could end it
        data=strict_json.encode(data).decode().replace("<", "\\u003c"),
    )


def _about(signature: "Signature") -> str:
    """Say in one sentence what the model is for."""
    read = len([feature for feature in signature.features if feature.kind != "unread"])
    several = "" if signature.outputs == 1 else f" with {signature.outputs} outputs"
    return f"A model for {signature.task}{several}, from {read} feature{'s' if read > 1 else ''}."


def _gives(predictor: "Predictor") -> str:
    """List the outputs, and the classes of each."""
    rows = [f"<li><code>{escape(name)}</code>: {ABOUT.get(name, '')}</li>" for name in predictor.output_names]
    classes = predictor.signature.classes or []
    for place, labels in enumerate(classes):
        title = f"Classes of output {place}" if len(classes) > 1 else "Classes"
        more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
        rows.append(f"<li>{title}: {', '.join([escape(str(label)) for label in labels[:NAMED]])}{more}</li>")
    return "".join(rows)


def _protocols(model: str, on: "dict[str, list[str]]") -> str:
    """Write the section of the protocols that are on."""
    return _PROTOCOLS.format(name=model, protocols="".join([_protocol(*pair) for pair in on.items()]))


def _protocol(name: str, paths: "list[str]") -> str:
    """List the paths of a protocol."""
    codes = "".join([f"<li><code>{escape(path)}</code></li>" for path in paths])
    return f"<dt>{escape(name.replace('_', ' '))}</dt><dd><ul>{codes}</ul></dd>"


def _facts(document: "dict[str, Any]") -> "dict[str, str]":
    """List where the model comes from, as texts of HTML."""
    provenance = document.get("provenance")
    made = provenance.get("estimator") if isinstance(provenance, dict) else None
    engines = document.get("engines")
    return {
        **({"made from": escape(str(made))} if made else {}),
        "engines": escape(", ".join(map(str, engines))) if isinstance(engines, list) else "not recorded",
        "parity": escape(_parity(document.get("parity"))),
        "sha256": f"<code>{escape(str(document['sha256']))}</code>",
        "size": f"{document['bytes']:,} bytes",
    }


def _parity(parity: "Any") -> str:
    """Say what was proved when the model was packed; a file of another program may say nothing, or anything."""
    if not isinstance(parity, dict) or "rows_sample" not in parity:
        return "not recorded"
    largest = parity.get("largest")
    sizes = largest.items() if isinstance(largest, dict) else ()
    differences = [f"{name} {value:.1e}" for name, value in sizes if isinstance(value, float)]
    apart = f"; largest differences: {', '.join(differences)}" if differences else ""
    compared = f"compared with its estimator on {parity['rows_sample']} rows of a sample and {parity.get('rows_edge')} edge cases"
    return f"{compared}: {parity.get('label_differences')} labels differ{apart}"


_NO_FORM = "<p>The form asks the protocol <code>native</code>, which is off in this deployment.</p>"

_FORM = """<form id="form" novalidate aria-labelledby="ask">
{form}
<p class="actions"><button type="submit">Predict</button>
<button type="button" id="next" class="quiet"{next}>Next sample row</button></p>
</form>"""

_ELSEWHERE = """<section aria-labelledby="copy">
<h2 id="copy">The same request elsewhere</h2>
<div class="code"><h3 id="curl-title">curl</h3>
<button type="button" class="quiet" data-copies="curl">Copy<span class="unseen"> the curl line</span></button>
<pre id="curl" tabindex="0" role="region" aria-labelledby="curl-title"></pre></div>
<div class="code"><h3 id="python-title">Python</h3>
<button type="button" class="quiet" data-copies="python">Copy<span class="unseen"> the Python lines</span></button>
<pre id="python" tabindex="0" role="region" aria-labelledby="python-title"></pre></div>
<p id="copied" role="status"></p>
</section>
"""

_PROTOCOLS = """<section class="wide" aria-labelledby="protocols">
<h2 id="protocols">Protocols that are on</h2>
<p class="note">M is the name of the model, here <code>{name}</code>.</p>
<dl class="protocols">{protocols}</dl>
</section>
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{name} {version}</title>
<link rel="icon" href="data:,">
{style}
</head>
<body>
<a class="skip" href="#ask">Skip to the form</a>
<header>
<h1>{name} <span class="version">{version}</span></h1>
<p>{about}</p>
{links}
</header>
<main>
<section aria-labelledby="ask">
<h2 id="ask" tabindex="-1">Ask the model</h2>
<noscript><p class="problem">The form needs JavaScript, which is off in this browser.</p></noscript>
{form}
</section>
<div class="beside">
<section aria-labelledby="answered">
<h2 id="answered">Answer</h2>
<p id="told" role="status">No question yet: the form holds a row of the model's own sample.</p>
<p id="problem" class="problem" role="alert" hidden></p>
<div id="answer"></div>
</section>
{elsewhere}</div>
<section aria-labelledby="gives">
<h2 id="gives">What it gives</h2>
<ul>{gives}</ul>
</section>
<section aria-labelledby="model">
<h2 id="model">This model</h2>
<dl class="facts">{facts}</dl>
</section>
{protocols}</main>
<script type="application/json" id="data">{data}</script>
{script}
</body>
</html>
"""
