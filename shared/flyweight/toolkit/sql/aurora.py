"""Aurora and RDS for PostgreSQL: a function of SQL that invokes a Lambda function with flyweight's own body.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/PostgreSQL-Lambda.html
"""

from __future__ import annotations

import shlex

from flyweight.toolkit.sql import Call, Part, _policy, dotted, quoted

NEEDS = ("function",)
TYPES = {"number": "double precision", "boolean": "boolean", "string": "text", "document": "jsonb"}
FIELDS = {"number": "->>0)::double precision", "boolean": "->>0)::boolean", "string": "->>0)", "document": "->0)::jsonb"}


def parts(call: Call) -> list[Part]:
    """Write the right to invoke, the extension, the function and a query."""
    name, types = dotted(call.name), [_type(argument.kind, argument.zone) for argument in call.arguments]
    arguments = ", ".join(f"{quoted(argument.name)} {kind}" for argument, kind in zip(call.arguments, types, strict=True))
    values = ", ".join(quoted(argument.name) for argument in call.arguments)
    output = quoted(call.output, "'")
    body = f"json_build_object('instances', json_build_array(json_build_array({values})), 'outputs', json_build_array({output}))"
    invoked = f"aws_lambda.invoke({quoted(call.function, chr(39))}, {body})"
    statement = f"SELECT (payload->{output}{FIELDS[call.returns]} FROM {invoked}"
    mark = "$flyweight$"
    while mark in statement:
        mark = f"{mark[:-1]}_$"
    function = (
        f"CREATE OR REPLACE FUNCTION {name}({arguments})\nRETURNS {TYPES[call.returns]}\nLANGUAGE sql STABLE\nAS {mark}\n"
        f"  {statement}\n{mark};"
    )
    columns = ", ".join(quoted(argument.column) for argument in call.arguments)
    query = f"SELECT *, {name}({columns}) AS predicted\nFROM {dotted(call.table)}\nLIMIT 10;"
    role = shlex.quote(call.role or "ROLE")
    added = f"aws rds add-role-to-db-cluster --db-cluster-identifier CLUSTER --feature-name Lambda --role-arn {role}"
    rights = f"GRANT USAGE ON SCHEMA aws_lambda TO PUBLIC;\nGRANT EXECUTE ON FUNCTION {name}({', '.join(types)}) TO PUBLIC;"
    return [
        Part("let the cluster's role invoke the function", "json", _policy.invoking(call.function)),
        Part("give the role to the cluster", "sh", added),
        Part("bring the extension", "sql", "CREATE EXTENSION IF NOT EXISTS aws_lambda CASCADE;"),
        Part("make the function; each row is one invocation", "sql", function),
        Part("let others use it", "sql", rights),
        Part("ask", "sql", query),
    ]


def _type(kind: str, zone: str) -> str:
    if kind == "datetime":
        return "timestamptz" if zone == "UTC" else "timestamp"
    return TYPES[kind]
