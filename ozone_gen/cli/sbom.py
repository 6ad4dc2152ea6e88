"""The command `sbom`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ozone_gen.cli.completion import complete_site
from ozone_gen.cli.examples import examples
from ozone_gen.cli.outcome import Outcome

_EPOCH = "SOURCE_DATE_EPOCH"


@click.command(
    "sbom",
    epilog=examples(
        "ozone-gen sbom ozone.yaml -o sbom.json",
        "ozone-gen sbom ozone.yaml --images-lock out/docker-compose.images.lock.yaml",
        "ozone-gen sbom out/ > sbom.json",
    ),
)
@click.argument("file", shell_complete=complete_site)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The file to write; else standard output.")
@click.option(
    "--images-lock",
    type=click.Path(path_type=Path),
    help="A lock that `lock-images` wrote, for the images' digests; a rendered folder's own by itself.",
)
def sbom_command(file: str, out: Path | None, images_lock: Path | None) -> int:
    """List what the site of FILE runs, as CycloneDX 1.6: images, jars, Python and Debian packages.

    FILE is an ozone.yaml or a rendered folder. The same site gives the same bytes; a timestamp is in it only where
    SOURCE_DATE_EPOCH says which.

    Exit codes: 0 written, 1 the file has errors, 2 it could not run.
    """
    epoch = os.environ.get(_EPOCH) or None
    if epoch is not None and not (epoch.isascii() and epoch.isdecimal() and len(epoch) < 12):
        raise click.UsageError(f"{_EPOCH} is not a number of seconds since 1970: {epoch}")
    outcome = Outcome()
    with outcome.telling(file):
        from ozone_gen.supply.image_lock import digests, lock_of
        from ozone_gen.supply.inventory import inventory
        from ozone_gen.supply.sbom import sbom
        from ozone_gen.text_output import standard_output, text_file

        found = inventory(file)
        lock = lock_of(found, images_lock)
        known, findings = digests(found, lock)
        outcome.add(findings)
        document = sbom(found, known, made_at=int(epoch) if epoch else None).decode()
        with text_file(out) if out else standard_output() as stream:
            stream.write(document)
    outcome.show()
    return outcome.code
