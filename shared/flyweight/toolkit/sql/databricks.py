"""Databricks: `http_request` over a connection of Unity Catalog, with flyweight's own body.

https://docs.databricks.com/aws/en/sql/language-manual/functions/http_request
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flyweight.toolkit.sql import Call, Part

NEEDS = ("url",)


def parts(call: Call) -> list[Part]:
    """Write the connection and a query, which sends one request for each row."""
    place = urlsplit(call.url)
    host = f"{place.scheme}://{place.hostname}"
    port = place.port or (443 if place.scheme == "https" else 80)
    connection = (
        f"CREATE CONNECTION IF NOT EXISTS {_name(call.connection)} TYPE HTTP\n"
        f"OPTIONS (host {_text(host)}, port {_text(str(port))}, base_path {_text(place.path or '/')}, bearer_token 'TOKEN');"
    )
    fields = ", ".join(f"{_text(argument.column)}, {_name(argument.column)}" for argument in call.arguments)
    body = f"named_struct('instances', array(named_struct({fields})), 'outputs', array({_text(call.output)}))"
    options = "map('ignoreNullFields', 'false')"
    asked = f"http_request(conn => {_text(call.connection)}, method => 'POST', path => '/predict', json => to_json({body}, "
    asked += f"{options}))"
    table = ".".join(_name(part) for part in call.table.split("."))
    query = f"SELECT *, get_json_object({asked}.text, '$.{call.output}[0]') AS predicted\nFROM {table}\nLIMIT 10;"
    return [
        Part("make the connection; TOKEN is what the endpoint asks for", "sql", connection),
        Part("ask; each row is one request", "sql", query),
    ]


def _name(text: str) -> str:
    return "`" + text.replace("`", "``") + "`"


def _text(text: str) -> str:
    """Write a text: Databricks escapes by a backslash."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
