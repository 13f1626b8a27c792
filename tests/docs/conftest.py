"""S3, for tests that write to a registry."""

from tests.services.fixtures import s3, servers

__all__ = ["s3", "servers"]
