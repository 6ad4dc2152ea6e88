"""The command `upload`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ozone_gen.cli.examples import examples
from ozone_gen.cli.outcome import BYTES, Outcome, progress

if TYPE_CHECKING:
    from ozone_gen.upload import Export, Store

_SECRET = "OBJECT_STORE_WRITE_SECRET"


@click.command(
    "upload",
    epilog=examples(
        "ozone-gen upload parquet --to https://store.example.org",
        "ozone-gen upload parquet --check",
    ),
)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--to", "url", help="Address of the object store, such as https://store.example.org.")
@click.option("--bucket", default="openmrs-data", show_default=True, help="The bucket of the exports.")
@click.option("--region", default="us-east-1", show_default=True, help="The region of the bucket.")
@click.option("--key", envvar="OBJECT_STORE_WRITE_KEY", default="ozone-write", show_default=True, help="The key.")
@click.option("--check", is_flag=True, help="Send nothing; compare the files with the hashes of their manifest.")
def upload_command(folder: Path, url: str | None, bucket: str, region: str, key: str, check: bool) -> int:
    """Send the newest export of each site in FOLDER (a site's `parquet`) to a central server's object store.

    Every file is compared with the manifest first; what is damaged is named and not sent. Files that are in the store
    already are not sent again, so the same command goes on after a broken line. The secret of the key is taken from
    OBJECT_STORE_WRITE_SECRET.
    """
    if not check:
        if url is None or not re.fullmatch(r"https?://[^/\s?#@]+/?", url):
            raise click.UsageError("--to needs an address such as https://store.example.org")
        if not os.environ.get(_SECRET):
            raise click.UsageError(f"the variable {_SECRET} is not set: the secret of the key {key}")
    outcome = Outcome()
    with outcome.telling(str(folder)):
        from ozone_gen.upload import exports_of, held

        store = None
        if url is not None and not check:
            from ozone_gen.upload.s3 import Bucket

            store = Bucket(url.rstrip("/"), bucket, region=region, key=key, secret=os.environ[_SECRET])
        with held(folder):
            for export in exports_of(folder):
                # One site's damaged disk must not hold back another's export.
                with outcome.telling(str(export.manifest)):
                    _ship(export, store)
    outcome.show()
    return outcome.code


def _ship(export: Export, store: Store | None) -> None:
    from ozone_gen.upload import upload, verify

    name = click.style(export.site, bold=True)
    with progress(f"checking {export.site}", BYTES, export.bytes) as advance:
        sums = verify(export, advance)
    if store is None:
        click.echo(f"{name}: the export of {export.date} is whole, {len(export.parts)} files")
        return
    with progress(f"uploading {export.site}", BYTES, export.bytes) as advance:
        sent = upload(export, sums, store, advance)
    click.echo(
        f"{name}: the export of {export.date} is in the store;"
        f" {sent.files} files sent ({sent.bytes:,} bytes), {sent.present} were there"
    )
