"""S3, for what writes to a registry."""

from tests.services.fixtures import s3, servers

__all__ = ["s3", "servers"]
