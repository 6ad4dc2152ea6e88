"""The object store as these programs reach it: a client, and what its failures mean in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, S3Error, ServerError

from .waiting import NotReadyError, Problem, variable

FILES = "parquet/"
"""Where the files of the exports are in the bucket; a site's key may write here alone."""

MERGED = "merged/"
"""Where files are in the bucket that hold the exports of many sites; no site's key may write here."""

VIEWS = "views/"
"""Where the views of Drill are in the bucket."""


@dataclass(frozen=True)
class Store:
    """An object store and the bucket of the exports."""

    url: str
    region: str
    bucket: str

    def client(self, key: str, secret: str) -> Minio:
        """A client that gives up soon: the caller tries again."""
        place = urlsplit(self.url)
        timeout = urllib3.Timeout(connect=5, read=60)
        return Minio(
            place.netloc,
            access_key=key,
            secret_key=secret,
            secure=place.scheme == "https",
            region=self.region,
            http_client=urllib3.PoolManager(timeout=timeout, retries=urllib3.Retry(1), maxsize=4),
        )


def store_of_environment() -> Store:
    """The store that the environment names. Raises RefusedError where it does not."""
    return Store(
        variable("OBJECT_STORE_URL", "the address of the object store"),
        variable("OBJECT_STORE_REGION", "the region of the bucket", "us-east-1"),
        variable("OBJECT_STORE_BUCKET", "the bucket of the exports", "openmrs-data"),
    )


@contextmanager
def store_problems(store: Store) -> Iterator[None]:
    """Turn what the client raises into NotReadyError."""
    try:
        yield
    except S3Error as error:
        cure = "Are the keys in the .env file those of the store?" if "Denied" in (error.code or "") else ""
        raise NotReadyError(
            Problem(f"The object store at {store.url} refuses: {error.code}, {error.message}.", cure)
        ) from None
    except (urllib3.exceptions.HTTPError, ServerError, InvalidResponseError, OSError) as error:
        raise NotReadyError(
            Problem(
                f"The object store at {store.url} does not answer: {_first_line(error)}.",
                "Is it running, and is its address right?",
            )
        ) from None


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
