"""Serve a model from S3 in the usual way: boto3, joblib and scikit-learn."""

import io
import json
from typing import Any

import boto3
import joblib
import numpy as np

estimator = joblib.load(io.BytesIO(boto3.client("s3").get_object(Bucket="models", Key="model.joblib")["Body"].read()))


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer with predictions and probabilities."""
    probabilities = estimator.predict_proba(np.array(json.loads(event["body"])["instances"]))
    labels = estimator.classes_[probabilities.argmax(axis=1)]
    body = json.dumps({"predictions": labels.tolist(), "probabilities": probabilities.tolist()})
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}
