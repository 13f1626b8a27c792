"""`flyweight serve`: serve a model over HTTP on this machine."""

import os
import sys
from typing import TYPE_CHECKING

import click

from flyweight.toolkit.cli import _command, _own_code, _show
from flyweight.toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from flyweight.toolkit.running.server import Server

LONGEST = 1000  # characters of a body that is shown on the command line

EXAMPLES = """\b
Examples:
  flyweight serve penguins.safetensors --port 8080
  flyweight serve penguins.safetensors --workers 4
  flyweight serve s3://bucket/models/penguins@prod
"""


@click.command(epilog=EXAMPLES)
@click.argument("model")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 chooses a free one.")
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Processes that answer.",
)
@click.option(
    "--grpc-port", type=click.IntRange(1, 65535), help="A port for the Open Inference Protocol over gRPC; needs grpcio."
)
@click.option("--fork-first", is_flag=True, hidden=True)  # which the server adds where loading a model starts threads
@click.option("--json", "as_json", is_flag=True, help="Print the address as JSON.")
@_own_code.options
def command(model: str, host: str, port: int, workers: int, grpc_port: int | None, fork_first: bool, as_json: bool) -> None:
    """Serve MODEL over HTTP until Ctrl-C.

    MODEL is a file or an address in a store. Paths and answers are those of a deployed function. After Ctrl-C requests that have
    begun are finished; the exit status is 0 if all of them were.
    """
    from flyweight.toolkit.running.server import Server

    if workers > 1 and not hasattr(os, "fork"):
        raise ToolkitError(f"--workers {workers}: this system has no fork", "leave it out; one process answers many callers")
    if "://" not in model:
        open(model, "rb").close()  # raises an error that names the file; the service's own is for callers, who may not see paths
    server = Server(model, host, port, workers=workers, grpc_port=grpc_port)
    if as_json:
        _show.document({"url": server.url, "model": model, **({"grpc": server.grpc} if server.grpc else {})})
    else:
        click.echo(f"{model} on {server.url}: POST /predict; GET /health, /ready, /model, /openapi.json, /docs")
        if server.grpc:
            click.echo(f"gRPC of the Open Inference Protocol on {server.grpc}")
        click.echo(f"try it: {_request(model, server)}")
    sys.stdout.flush()  # before a fork, which would copy what is not written yet
    status = server.serve(lambda: click.echo("stopping: requests that have begun are finished; Ctrl-C ends them", err=True))
    click.echo("stopped" if status == 0 else "stopped: some requests were cut off", err=True)
    click.get_current_context().exit(status)


def _request(model: str, server: "Server") -> str:
    """Write the command that asks for the prediction of the first row of the model's own sample."""
    from flyweight.toolkit.events import instances
    from flyweight.toolkit.publishing.catalogue import file_at

    if server.forks_first:  # reading the model from its store again would start threads before the fork
        return _command.line("flyweight", "call", server.url)
    body = instances.body(file_at(model).document)
    if len(body) > LONGEST:
        return _command.line("flyweight", "call", server.url)
    return _command.line("curl", f"{server.url}/predict", "--header", "content-type: application/json", "--data", body)
