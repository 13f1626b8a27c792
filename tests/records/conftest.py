"""The buckets of tests/services, and small models that answer with their version."""

from tests.versions import az, bucket, gs, s3, servers, versions

__all__ = ["az", "bucket", "gs", "s3", "servers", "versions"]
