"""The buckets of tests/services, and small models whose answer tells their version."""

from tests.versions import az, bucket, gs, s3, servers, versions

__all__ = ["az", "bucket", "gs", "s3", "servers", "versions"]
