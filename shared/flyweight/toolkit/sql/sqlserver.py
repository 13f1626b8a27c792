"""SQL Server 2025, Azure SQL and Fabric: one call of the endpoint for many rows, with flyweight's own body.

https://learn.microsoft.com/sql/relational-databases/system-stored-procedures/sp-invoke-external-rest-endpoint-transact-sql
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flyweight.toolkit.sql import Call, Part, dotted, quoted

NEEDS = ("url",)
TYPES = {"number": "float", "boolean": "bit", "string": "nvarchar(4000)", "document": "nvarchar(max)"}


def parts(call: Call) -> list[Part]:
    """Write the credential, which has the key of an Azure function app, and a call."""
    host = f"https://{urlsplit(call.url).netloc}"
    credential = (
        f"CREATE DATABASE SCOPED CREDENTIAL {quoted(host, '[', ']')}\n"
        "WITH IDENTITY = 'HTTPEndpointHeaders', SECRET = '{\"x-functions-key\":\"KEY\"}';"
    )
    columns = ", ".join(quoted(argument.column, "[", "]") for argument in call.arguments)
    document = " AS JSON" if call.returns == "document" else ""
    asked = (
        f"DECLARE @rows nvarchar(max) = (\n  SELECT TOP ({call.rows}) {columns}\n"
        f"  FROM {dotted(call.table, '[', ']')}\n  FOR JSON AUTO, INCLUDE_NULL_VALUES\n);\n"
        f'DECLARE @body nvarchar(max) = CONCAT(\'{{"instances":\', @rows, \',"outputs":["{call.output}"]}}\');\n'
        "DECLARE @answer nvarchar(max);\n"
        f"EXEC sp_invoke_external_rest_endpoint @url = {_national(_predict(call.url))}, @method = 'POST', @payload = @body,\n"
        f"  @credential = {quoted(host, '[', ']')}, @response = @answer OUTPUT;\n"
        f"SELECT predicted\nFROM OPENJSON(@answer, '$.result.{call.output}')\n"
        f"WITH (predicted {TYPES[call.returns]} '$'{document});"
    )
    return [
        Part("keep the key of the endpoint; KEY is that of the function app", "sql", credential),
        Part("ask for many rows at once, in their order", "sql", asked),
    ]


def _predict(url: str) -> str:
    return url if urlsplit(url).path.strip("/") else f"{url.rstrip('/')}/predict"


def _national(text: str) -> str:
    return f"N{quoted(text, chr(39))}"
