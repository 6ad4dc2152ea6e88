"""The command `lock-images`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ozone_gen.cli.completion import complete_site
from ozone_gen.cli.examples import examples
from ozone_gen.cli.outcome import FINDINGS, Outcome, progress
from ozone_gen.diagnostics import OutputError, Position, codes

if TYPE_CHECKING:
    from ozone_gen.supply.image_lock import ImageLock, Move
    from ozone_gen.supply.inventory import Inventory
    from ozone_gen.supply.registry import Digest

_SHOWN = 19  # characters of a digest: its kind and twelve digits


@click.command(
    "lock-images",
    epilog=examples("ozone-gen lock-images ozone.yaml -o out/", "ozone-gen lock-images out/ --check"),
)
@click.argument("file", shell_complete=complete_site)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="The rendered folder, or a file; FILE where it is a folder."
)
@click.option(
    "-f",
    "--compose-file",
    "files",
    multiple=True,
    help="A compose file whose services are locked, several times; left out: all that make up the running site.",
)
@click.option("--check", is_flag=True, help="Write nothing; say what has moved, and exit with 1 where something has.")
@click.option("--timeout", default=15.0, show_default=True, type=click.FloatRange(1, 600), help="In seconds.")
def lock_images_command(file: str, out: Path | None, files: tuple[str, ...], check: bool, timeout: float) -> int:
    """Ask the registries for the digest of each image of FILE's site, and write an override file that names them.

    FILE is an ozone.yaml or a rendered folder. The lock is docker-compose.images.lock.yaml in the output folder, and
    goes behind the other files: with it the site runs these very images, whatever becomes of their tags. Where one
    registry does not answer, nothing is written.

    Exit codes: 0 locked, or nothing has moved; 1 something has moved; 2 it could not run.
    """
    outcome = Outcome()
    with outcome.telling(file):
        from ozone_gen.supply.image_lock import lock_bytes, moves, read_image_lock
        from ozone_gen.supply.inventory import inventory
        from ozone_gen.text_output import bytes_file

        place = _place(file, out)
        found = inventory(file)
        present = read_image_lock(place) if place.exists() else None
        if check and present is None:
            hint = f"write it first: ozone-gen lock-images {shlex.quote(file)}"
            raise OutputError(codes.BrokenImageLock.at(Position(str(place)), "there is no lock yet", hint=hint))
        found = _chosen(found, files or (present.files if check and present else found.started))
        digests = _ask(found, timeout)
        values = {image: digest.value for image, digest in digests.items()}
        changed = moves(found, present, values)
        if check:
            _tell(changed, locked=True)
            outcome.code = FINDINGS if changed else 0
            if not changed:
                click.secho(f"{place}: nothing has moved", fg="green")
        else:
            with bytes_file(place) as stream:
                stream.write(lock_bytes(found, values))
            _tell_written(found, place, present, changed, digests)
    # Nothing was compared where the file has errors.
    outcome.code = 2 if outcome.findings and outcome.code else outcome.code
    outcome.show()
    return outcome.code


def _place(file: str, out: Path | None) -> Path:
    from ozone_gen.supply.image_lock import LOCK_FILE

    if out is None:
        if Path(file).is_file():
            raise click.UsageError("name the rendered folder with -o")
        out = Path(file)
    place = out if out.suffix in (".yaml", ".yml") else out / LOCK_FILE
    if not place.parent.is_dir():
        # Told before a registry is asked in vain.
        hint = "render the site first, or make the folder"
        raise OutputError(codes.CannotWrite.at(Position(str(place.parent)), "there is no such folder", hint=hint))
    return place


def _chosen(found: Inventory, files: Sequence[str]) -> Inventory:
    wanted = tuple(Path(file).name for file in files)
    unknown = [file for file in wanted if file not in found.files]
    if unknown:
        raise click.UsageError(f"the site has no {unknown[0]}; it has {', '.join(found.files)}")
    return found.only(wanted)


def _ask(found: Inventory, timeout: float) -> Mapping[str, Digest]:
    from ozone_gen.supply.asking import ask, images_to_lock
    from ozone_gen.supply.registry import Registries

    with progress("asking the registries", "images", len(images_to_lock(found))) as advance:
        return ask(found, Registries(timeout=timeout), advance)


def _tell(changed: Sequence[Move], *, locked: bool) -> None:
    for move in changed:
        image = click.style(move.image, bold=True)
        if move.was and move.now:
            click.echo(f"{image} {'has moved' if locked else 'moved'}: {move.was[:_SHOWN]} became {move.now[:_SHOWN]}")
        elif move.now:
            click.echo(f"{image} {'is not locked' if locked else 'is locked'}: {move.now[:_SHOWN]}")
        else:
            click.echo(f"{image} {'is locked, and not in use' if locked else 'is no longer locked'}")


def _tell_written(
    found: Inventory, place: Path, present: ImageLock | None, changed: Sequence[Move], digests: Mapping[str, Digest]
) -> None:
    _tell(changed, locked=False)
    for image, digest in digests.items():
        if not digest.platforms:
            click.echo(f"{image} is there for one kind of machine only")
    if present is not None and not changed:
        click.secho(f"{place}: nothing has moved", fg="green")
    else:
        click.echo(f"{click.style(found.site, bold=True)}: {len(digests)} images locked in {place}")
    files = " ".join(f"-f {name}" for name in (*found.files, place.name))
    folder = shlex.quote(str(place.parent))
    click.echo(f"Next:\n  cd {folder}\n  docker compose {files} up -d --build")
