"""`flyweight serve`: a model file over HTTP on this machine."""

import click

from flyweight.toolkit.cli import _show

EXAMPLES = """\b
Examples:
  flyweight serve penguins.safetensors --port 8080
  flyweight serve s3://bucket/models/penguins@prod
"""


@click.command(epilog=EXAMPLES)
@click.argument("model")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 takes a free one.")
@click.option("--json", "as_json", is_flag=True, help="Print the address as JSON.")
def command(model: str, host: str, port: int, as_json: bool) -> None:
    """Serve MODEL, a file or an address in a store, over HTTP until Ctrl-C, with paths and answers as of a deployed function."""
    from flyweight.toolkit.running.server import server

    url, run = server(model, host, port)
    if as_json:
        _show.document({"url": url, "model": model})
    else:
        click.echo(f"{model} on {url}: POST /predict; GET /health, /ready, /model, /openapi.json")
    run()
