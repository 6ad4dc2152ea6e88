"""Makes the bucket of the exports, and on MinIO the keys that may only read it and only write into it.

Runs once, after the store has started; a second run changes nothing. SeaweedFS has its keys from its start script.
"""

import sys
from typing import Any

from minio import Minio, MinioAdmin
from minio.credentials import StaticProvider
from minio.error import MinioAdminException, S3Error

from .store_session import FILES, Store, store_of_environment, store_problems
from .waiting import (
    Announcer,
    Backoff,
    NotReadyError,
    Problem,
    log,
    start_log,
    stop_on_sigterm,
    try_until_done,
    variable,
)


def make_bucket(client: Minio, bucket: str) -> None:
    """Make the bucket where it is not there yet; one that exists may be used by a key that cannot make any."""
    try:
        if client.bucket_exists(bucket):
            return
        client.make_bucket(bucket)
    except S3Error as error:
        if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise
    log.info("The bucket %s is there.", bucket)


def policy(bucket: str, *, write: bool) -> dict[str, Any]:
    """What a key may do, as S3 describes it: read everything, or add files without reading or removing any."""
    arn = f"arn:aws:s3:::{bucket}"
    listing = {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": [arn]}
    if write:
        allowed = {"Action": ["s3:PutObject", "s3:AbortMultipartUpload"], "Resource": [f"{arn}/{FILES}*"]}
    else:
        allowed = {"Action": ["s3:GetObject"], "Resource": [f"{arn}/*"]}
    return {"Version": "2012-10-17", "Statement": [listing, {"Effect": "Allow", **allowed}]}


def make_keys(admin: MinioAdmin, bucket: str, keys: dict[str, tuple[str, str]]) -> None:
    """Make MinIO's users; `keys` has for `read` and `write` a key and its secret."""
    for name, (key, secret) in keys.items():
        admin.policy_add(f"ozone-{name}", policy=policy(bucket, write=name == "write"))
        admin.user_add(key, secret)
        admin.policy_set(f"ozone-{name}", user=key)
        log.info("The key %s may %s.", key, name)


def main() -> int:
    """Run the program and return its exit code: 0 done, 1 refused."""
    start_log()
    stop_on_sigterm()

    def attempt() -> None:
        store = store_of_environment()
        root = _key("ROOT")
        with store_problems(store):
            make_bucket(store.client(*root), store.bucket)
            if variable("OBJECT_STORE_TYPE", "the kind of object store") == "minio":
                _make_minio_keys(store, root)

    return try_until_done(attempt, Announcer(), Backoff())


def _make_minio_keys(store: Store, root: tuple[str, str]) -> None:
    place = store.url.partition("://")[2]
    secure = store.url.startswith("https://")
    admin = MinioAdmin(endpoint=place, credentials=StaticProvider(*root), region=store.region, secure=secure)
    try:
        make_keys(admin, store.bucket, {"read": _key("READ"), "write": _key("WRITE")})
    except MinioAdminException as error:
        problem = Problem(f"MinIO does not take the keys: {error}.", "Are the secrets 8 to 40 long?")
        raise NotReadyError(problem) from None


def _key(name: str) -> tuple[str, str]:
    return (
        variable(f"OBJECT_STORE_{name}_KEY", f"the {name.lower()} key of the object store"),
        variable(f"OBJECT_STORE_{name}_SECRET", f"the secret of the {name.lower()} key of the object store"),
    )


if __name__ == "__main__":
    sys.exit(main())
