"""Snowflake: an external function, through an API gateway of AWS, Azure or Google.

https://docs.snowflake.com/en/sql-reference/sql/create-external-function
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flyweight.toolkit.sql import Call, Part, quoted

NEEDS = ("url",)
TYPES = {"number": "FLOAT", "boolean": "BOOLEAN", "string": "VARCHAR", "datetime": "VARCHAR", "document": "VARIANT"}
ISO = {"none": 'YYYY-MM-DD"T"HH24:MI:SS.FF6', "UTC": 'YYYY-MM-DD"T"HH24:MI:SS.FF6TZH:TZM'}
# the end of the host of each provider's gateway, and the provider's name with what its integration names beside it
AWS = ("aws_api_gateway", "API_AWS_ROLE_ARN = {role}")
AZURE = ("azure_api_management", "AZURE_TENANT_ID = {role}\n  AZURE_AD_APPLICATION_ID = 'APPLICATION'")
GOOGLE = ("google_api_gateway", "GOOGLE_AUDIENCE = {role}")


def parts(call: Call) -> list[Part]:
    """Write the integration, the function, the right to use it and a query."""
    host = urlsplit(call.url).hostname or ""
    provider, identity = AZURE if host.endswith(".azure-api.net") else GOOGLE if host.endswith(".gateway.dev") else AWS
    url, name, connection = quoted(call.url, "'"), _dotted(call.name), _name(call.connection)
    role = identity.format(role=quoted(call.role or "ROLE", "'"))
    integration = (
        f"CREATE OR REPLACE API INTEGRATION {connection}\n  API_PROVIDER = {provider}\n  {role}\n"
        f"  API_ALLOWED_PREFIXES = ({url})\n  ENABLED = TRUE;"
    )
    types = [TYPES[argument.kind] for argument in call.arguments]
    arguments = ", ".join(f"{quoted(argument.name)} {kind}" for argument, kind in zip(call.arguments, types, strict=True))
    headers = "" if call.output == "predictions" else f"HEADERS = ('output' = {quoted(call.output, chr(39))})\n"
    function = (
        f"CREATE OR REPLACE EXTERNAL FUNCTION {name}({arguments})\nRETURNS {TYPES[call.returns]}\nIMMUTABLE\n"
        f"API_INTEGRATION = {connection}\n{headers}MAX_BATCH_ROWS = {call.rows}\nCOMPRESSION = GZIP\nAS {url};"
    )
    columns = ", ".join(_column(argument.column, argument.kind, argument.zone) for argument in call.arguments)
    query = f"SELECT *, {name}({columns}) AS predicted\nFROM {_dotted(call.table)}\nLIMIT 10;"
    trust = f"DESCRIBE INTEGRATION {connection};"
    return [
        Part("make the integration; ROLE is what the gateway trusts, or give --role", "sql", integration),
        Part("show the identity that the gateway has to trust", "sql", trust),
        Part("make the function", "sql", function),
        Part("let others use it", "sql", f"GRANT USAGE ON FUNCTION {name}({', '.join(types)}) TO ROLE PUBLIC;"),
        Part("ask", "sql", query),
    ]


def _column(column: str, kind: str, zone: str) -> str:
    return f"TO_CHAR({_name(column)}, {quoted(ISO[zone], chr(39))})" if kind == "datetime" else _name(column)


def _name(text: str) -> str:
    """Quote a name; a plain one is in capitals, as Snowflake keeps names that were made without quotes."""
    return quoted(text.upper() if text.isascii() and text.isidentifier() else text)


def _dotted(name: str) -> str:
    return ".".join(map(_name, name.split(".")))
