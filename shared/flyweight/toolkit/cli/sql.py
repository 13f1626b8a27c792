"""`flyweight sql`: print the statements by which an engine of SQL calls a deployed model."""

from __future__ import annotations

from pathlib import Path

import click

from flyweight.toolkit import sql
from flyweight.toolkit.cli import _own_code, _show

EXAMPLES = """\b
Examples:
  flyweight sql bigquery --model penguins.safetensors --url https://penguins-7x2k.a.run.app
  flyweight sql redshift --model penguins.safetensors --function penguins
  flyweight sql snowflake --model penguins.safetensors --url https://k3.execute-api.eu-west-1.amazonaws.com/predict
  flyweight sql athena --model penguins.safetensors --function penguins --output probabilities
  flyweight sql sqlserver --model penguins.safetensors --url https://penguins.azurewebsites.net/api --json
"""


@click.command(epilog=EXAMPLES)
@click.argument("engine", type=click.Choice(sql.engines()), metavar="ENGINE")
@click.option("--model", required=True, type=click.Path(path_type=Path), help="The model file that is deployed.")
@click.option("--url", default="", help="The address of the deployment, or of the gateway before it.")
@click.option("--function", default="", help="The name or ARN of the deployed Lambda function.")
@click.option("--name", default="", help="The name of the function in SQL, with its schema.  [default: the model's name]")
@click.option("--output", default="predictions", show_default=True, help="The output of the model that the function returns.")
@click.option("--role", default="", help="The role that invokes or that is trusted: an ARN, a tenant or an audience.")
@click.option("--connection", default="flyweight", show_default=True, help="The name of the engine's connection.")
@click.option("--table", default="a_table", show_default=True, help="The table of the example.")
@click.option("--rows", default=1000, show_default=True, type=click.IntRange(min=1), help="The most rows in one call.")
@click.option("--json", "as_json", is_flag=True, help="Print the parts as JSON.")
@_own_code.options
def command(engine: str, model: Path, as_json: bool, name: str, output: str, **options: str | int) -> None:
    """Print what makes the function, its connection and its rights in ENGINE, and a query.

    Nothing is run: the statements are for you to read and to run. A function that BigQuery, Redshift, Snowflake or Athena calls
    is built with the protocol of that name, as `flyweight build aws --protocol redshift`; the other engines send flyweight's own
    bodies.
    """
    from flyweight.toolkit.model_files import load

    call = sql.call_of(load(str(model)), name, output, **options)
    parts = sql.written(engine, call)
    if as_json:
        listed = [{"title": part.title, "language": part.language, "text": part.text} for part in parts]
        return _show.document({"engine": engine, "model": call.title, "parts": listed})
    marks = {"sql": "--"}
    for part in parts:
        click.echo(f"{marks.get(part.language, '#')} {part.title}\n{part.text}\n")


command.help = f"{command.help}\n\nENGINE is one of: {', '.join(sql.engines())}."
