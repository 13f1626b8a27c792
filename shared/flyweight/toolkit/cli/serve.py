"""`flyweight serve`: serve a model over HTTP on this machine."""

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
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 chooses a free one.")
@click.option("--json", "as_json", is_flag=True, help="Print the address as JSON.")
def command(model: str, host: str, port: int, as_json: bool) -> None:
    """Serve MODEL over HTTP until Ctrl-C.

    MODEL is a file or an address in a store. Paths and answers are those of a deployed function.
    """
    from flyweight.toolkit.running.server import server

    url, run = server(model, host, port)
    if as_json:
        _show.document({"url": url, "model": model})
    else:
        click.echo(f"{model} on {url}: POST /predict; GET /health, /ready, /model, /openapi.json")
    run()
