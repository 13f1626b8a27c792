"""Fetch the model's bytes by boto3 when the function is imported, and do nothing with them, to measure fetching alone."""

import json
from typing import Any

import boto3

DATA = boto3.client("s3").get_object(Bucket="models", Key="model.joblib")["Body"].read()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer with the number of bytes."""
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps({"bytes": len(DATA)})}
