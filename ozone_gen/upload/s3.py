"""A bucket of an S3 store, by MinIO's client: small, of one purpose, and the same for every store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from io import BytesIO
from typing import Final
from urllib.parse import urlsplit

from ozone_gen.diagnostics import OutputError, Position, codes
from ozone_gen.upload.run import StoreError

_LARGEST_PUT: Final = 5 << 30
_SMALLEST_PART: Final = 5 << 20
_LASTING: Final = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket"})


class Bucket:
    """A bucket; `key` may list it and add files."""

    def __init__(self, url: str, bucket: str, *, region: str, key: str, secret: str) -> None:
        """Connect to nothing yet. Raises OutputError where the client is not installed."""
        if find_spec("minio") is None:
            hint = "pip install 'ozone-gen[upload]'"
            raise OutputError(
                codes.UploadClientMissing.at(Position("upload"), "the S3 client is not installed", hint=hint)
            )
        import urllib3
        from minio import Minio

        place = urlsplit(url)
        self.name = f"{url}/{bucket}"
        self._bucket = bucket
        self._client = Minio(
            place.netloc,
            access_key=key,
            secret_key=secret,
            secure=place.scheme == "https",
            region=region,
            http_client=urllib3.PoolManager(timeout=urllib3.Timeout(connect=10, read=120), retries=False),
        )

    def sums(self, prefix: str) -> Mapping[str, tuple[int, str]]:
        """The size and the ETag of every object whose key begins so."""
        with _failures():
            return {
                each.object_name or "": (each.size or 0, (each.etag or "").strip('"'))
                for each in self._client.list_objects(self._bucket, prefix, recursive=True)
            }

    def put(self, key: str, content: bytes) -> str:
        """Write an object by one request, so that its ETag is its MD5 sum."""
        size = min(max(len(content), _SMALLEST_PART), _LARGEST_PUT)
        with _failures():
            done = self._client.put_object(self._bucket, key, BytesIO(content), len(content), part_size=size)
        return (done.etag or "").strip('"')


@contextmanager
def _failures() -> Iterator[None]:
    import urllib3
    from minio.error import MinioException, S3Error

    try:
        yield
    except S3Error as error:
        message = f"the store refuses: {error.code}, {error.message}"
        raise StoreError(message, lasting=error.code in _LASTING) from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
        raise StoreError(f"the store does not answer: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
