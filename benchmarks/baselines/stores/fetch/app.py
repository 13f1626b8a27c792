"""What fetching alone costs: boto3 gets the model's bytes while the function is imported, and nothing is done with them."""

import json
from typing import Any

import boto3

DATA = boto3.client("s3").get_object(Bucket="models", Key="model.joblib")["Body"].read()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer with the size."""
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps({"bytes": len(DATA)})}
