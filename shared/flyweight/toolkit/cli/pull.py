"""`flyweight pull`: fetch a model from a store, verify it and write it to a file."""

from __future__ import annotations

from pathlib import Path

import click

from flyweight.toolkit.cli import _command, _show

EXAMPLES = """\b
Examples:
  flyweight pull s3://bucket/models/penguins@prod
  flyweight pull s3://bucket/models/penguins/1.0.0 -o penguins.safetensors
"""


@click.command(epilog=EXAMPLES)
@click.argument("address")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The file to write.  [default: NAME.safetensors]")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(address: str, out: Path | None, as_json: bool) -> None:
    """Fetch the model at ADDRESS, verify its sha256 and write it.

    The file is written completely or not at all; its signature is written to FILE.sig. ADDRESS is STORE/NAME@ALIAS,
    STORE/NAME/VERSION, or the address of one .safetensors object, which has no recorded sha256 to verify.
    """
    import hashlib

    from flyweight.registry import releases
    from flyweight.toolkit.packing import model_writer
    from flyweight.toolkit.publishing import catalogue, signing

    place, where, release = catalogue.release(address)
    with _show.progress(not as_json) as progress:
        progress(f"fetching {_show.size(release.size)}", 0, 0)
        data, _ = catalogue.fetch(place, release)
        signature = releases.digital_signature(place.store, release)
    out = out or Path(f"{release.name}.safetensors" if release.name else where.key)
    sha256 = release.sha256 or hashlib.sha256(data).hexdigest()
    model_writer.write(out, data)
    beside = signing.write(out, sha256, signature, release.name, release.version) if signature else None
    if as_json:
        paths = {"path": str(out), "signature": str(beside) if beside else None}
        return _show.document({**paths, "name": release.name, "version": release.version, "sha256": sha256, "bytes": len(data)})
    rows = {
        "model": f"{release.name} {release.version}" if release.name else None,
        "size": _show.size(len(data)),
        "sha256": sha256 if release.sha256 else f"{sha256} (not verified: a plain object has no recorded sha256)",
        "signature": f"{beside}, by the key {signature['key']}" if signature else None,
        "try it": _command.loading("flyweight", "serve", out),
    }
    _show.table(str(out), rows)
