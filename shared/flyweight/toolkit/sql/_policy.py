"""The policy by which a role of AWS may invoke a Lambda function."""

from __future__ import annotations

import json


def invoking(function: str) -> str:
    """Write the policy.

    :param function: the function's name or ARN; a name stands for any region and account.
    """
    resource = function if function.startswith("arn:") else f"arn:aws:lambda:*:*:function:{function}"
    statement = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2, ensure_ascii=False)
