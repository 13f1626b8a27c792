"""BigQuery: a remote function on Cloud Run.

https://cloud.google.com/bigquery/docs/remote-functions
"""

from __future__ import annotations

import shlex

from flyweight.toolkit.sql import Argument, Call, Part

NEEDS = ("url",)
TYPES = {"number": "FLOAT64", "boolean": "BOOL", "string": "STRING", "document": "JSON"}


def parts(call: Call) -> list[Part]:
    """Write the connection, the right to call, the function and a query."""
    arguments = ", ".join(f"`{argument.name}` {_type(argument)}" for argument in call.arguments)
    options = [f"endpoint = {_text(call.url)}", f"max_batching_rows = {call.rows}"]
    if call.output != "predictions":
        options.append(f"user_defined_context = [({_text('output')}, {_text(call.output)})]")
    connection = call.connection if "." in call.connection else f"us.{call.connection}"
    *project, location, name = connection.split(".")
    named = _dotted(call.name if "." in call.name else f"a_dataset.{call.name}")
    function = (
        f"CREATE OR REPLACE FUNCTION {named}({arguments})\nRETURNS {TYPES[call.returns]}\n"
        f"REMOTE WITH CONNECTION {_dotted(connection)}\nOPTIONS ({', '.join(options)});"
    )
    place = [f"--project_id={shlex.quote(project[0])}"] if project else []
    made = ["bq mk --connection", f"--location={shlex.quote(location)}", *place]
    made += ["--connection_type=CLOUD_RESOURCE", shlex.quote(name)]
    account = f"ACCOUNT=$(bq show --format=json --connection {shlex.quote(connection)} | jq -r .cloudResource.serviceAccountId)"
    right = 'gcloud run services add-iam-policy-binding SERVICE --member="serviceAccount:$ACCOUNT" --role=roles/run.invoker'
    columns = ", ".join(f"`{_escaped(argument.column)}`" for argument in call.arguments)
    query = f"SELECT *, {named}({columns}) AS predicted\nFROM {_dotted(call.table)}\nLIMIT 10;"
    return [
        Part("make the connection, once", "sh", " ".join(made)),
        Part("let it call the service; SERVICE is the name of the Cloud Run service", "sh", f"{account}\n{right}"),
        Part("make the function, in a dataset of the connection's region", "sql", function),
        Part("ask", "sql", query),
    ]


def _type(argument: Argument) -> str:
    if argument.kind == "datetime":
        return "TIMESTAMP" if argument.zone == "UTC" else "DATETIME"
    return TYPES[argument.kind]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("`", "\\`")


def _dotted(name: str) -> str:
    return ".".join(f"`{_escaped(part)}`" for part in name.split("."))


def _text(text: str) -> str:
    """Write a text: BigQuery escapes by a backslash, and does not double marks."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
