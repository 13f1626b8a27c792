"""Amazon Athena: a UDF that each query declares.

https://docs.aws.amazon.com/athena/latest/ug/udf-creating-and-deploying.html
"""

from __future__ import annotations

from flyweight.toolkit.sql import Call, Part, _policy, dotted, plain_names, quoted, suffixed

NEEDS = ("function",)
TYPES = {"number": "DOUBLE", "boolean": "BOOLEAN", "string": "VARCHAR", "datetime": "VARCHAR", "document": "VARCHAR"}


def parts(call: Call) -> list[Part]:
    """Write the right to invoke, and a query with its declaration."""
    name = plain_names([suffixed(call)])[0]
    arguments = ", ".join(f"{quoted(argument.name)} {TYPES[argument.kind]}" for argument in call.arguments)
    declared = (
        f"USING EXTERNAL FUNCTION {name}({arguments})\nRETURNS {TYPES[call.returns]}\nLAMBDA {quoted(call.function, chr(39))}"
    )
    columns = ", ".join(
        f"to_iso8601({quoted(argument.column)})" if argument.kind == "datetime" else quoted(argument.column)
        for argument in call.arguments
    )
    query = f"{declared}\nSELECT *, {name}({columns}) AS predicted\nFROM {dotted(call.table)}\nLIMIT 10;"
    return [
        Part("let those who ask invoke the function", "json", _policy.invoking(call.function)),
        Part("ask; each query declares the function", "sql", query),
    ]
