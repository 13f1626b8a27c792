"""`flyweight serve`: serve a model over HTTP on this machine."""

import click

from flyweight.toolkit.cli import _command, _own_code, _show

LONGEST = 1000  # characters of a body that is shown on the command line

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
@_own_code.options
def command(model: str, host: str, port: int, as_json: bool) -> None:
    """Serve MODEL over HTTP until Ctrl-C.

    MODEL is a file or an address in a store. Paths and answers are those of a deployed function.
    """
    from flyweight.toolkit.running.server import Server

    server = Server(model, host, port)
    if as_json:
        _show.document({"url": server.url, "model": model})
    else:
        click.echo(f"{model} on {server.url}: POST /predict; GET /health, /ready, /model, /openapi.json")
        click.echo(f"try it: {_request(model, server.url)}")
    server.run()


def _request(model: str, url: str) -> str:
    """Write the command that asks for the prediction of the first row of the model's own sample."""
    from flyweight.toolkit.events import instances
    from flyweight.toolkit.publishing.catalogue import file_at

    body = instances.body(file_at(model).document)
    if len(body) > LONGEST:
        return _command.line("flyweight", "call", url)
    return _command.line("curl", f"{url}/predict", "--header", "content-type: application/json", "--data", body)
