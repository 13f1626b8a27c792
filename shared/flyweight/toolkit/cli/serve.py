"""`flyweight serve`: a model file over HTTP on this machine."""

from pathlib import Path

import click

from flyweight.toolkit.cli import _show


@click.command(epilog="Example: flyweight serve penguins.safetensors --port 8080")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 takes a free one.")
@click.option("--json", "as_json", is_flag=True, help="Print the address as JSON.")
def command(model: Path, host: str, port: int, as_json: bool) -> None:
    """Serve MODEL over HTTP until Ctrl-C, with the paths, answers and log lines of a deployed function."""
    from flyweight.toolkit.serve import server

    url, run = server(model, host, port)
    if as_json:
        _show.document({"url": url, "model": str(model)})
    else:
        click.echo(f"{model} on {url}: POST /predict; GET /health, /ready, /model, /openapi.json")
    run()
