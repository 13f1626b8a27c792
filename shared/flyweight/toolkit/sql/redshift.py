"""Amazon Redshift: a Lambda UDF.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_EXTERNAL_FUNCTION.html
"""

from __future__ import annotations

from flyweight.toolkit.sql import Call, Part, _policy, dotted, quoted, suffixed

NEEDS = ("function",)
# a datetime is passed as a text of ISO 8601; a result that is no scalar is a text of JSON
TYPES = {"number": "float8", "boolean": "boolean", "string": "varchar", "datetime": "varchar", "document": "varchar(65535)"}
ISO = {"none": 'YYYY-MM-DD"T"HH24:MI:SS.US', "UTC": 'YYYY-MM-DD"T"HH24:MI:SS.USOF'}


def parts(call: Call) -> list[Part]:
    """Write the right to invoke, the function and a query."""
    name = dotted(suffixed(call))
    types = ", ".join(TYPES[argument.kind] for argument in call.arguments)
    role = quoted(call.role, "'") if call.role else "default"
    function = (
        f"CREATE OR REPLACE EXTERNAL FUNCTION {name}({types})\nRETURNS {TYPES[call.returns]}\nSTABLE\n"
        f"LAMBDA {quoted(call.function, chr(39))}\nIAM_ROLE {role}\nMAX_BATCH_ROWS {call.rows};"
    )
    columns = ", ".join(_column(argument.column, argument.kind, argument.zone) for argument in call.arguments)
    query = f"SELECT *, {name}({columns}) AS predicted\nFROM {dotted(call.table)}\nLIMIT 10;"
    return [
        Part("let the cluster's role invoke the function", "json", _policy.invoking(call.function)),
        Part("make the function", "sql", function),
        Part("let others use it", "sql", f"GRANT EXECUTE ON FUNCTION {name}({types}) TO PUBLIC;"),
        Part("ask", "sql", query),
    ]


def _column(column: str, kind: str, zone: str) -> str:
    return f"TO_CHAR({quoted(column)}, {quoted(ISO[zone], chr(39))})" if kind == "datetime" else quoted(column)
