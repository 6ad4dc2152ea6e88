"""The commands that read the dictionary of a site: `resolve` and `dictionary`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ozone_gen.cli.completion import complete_site
from ozone_gen.cli.examples import examples
from ozone_gen.cli.outcome import Outcome, print_diff, progress

if TYPE_CHECKING:
    from ozone_gen.openmrs.vocabulary import Vocabulary
    from ozone_gen.resolve import Resolution
    from ozone_gen.source import Source
    from ozone_gen.spec import OzoneSpec


def _origin_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say where the dictionary of a site comes from."""
    for option in (
        click.option("--user", help="Who reads the database, if not the user of ozone.yaml."),
        click.option("--port", type=click.IntRange(1, 65535), help="Port of the database, as this machine reaches it."),
        click.option("--host", help="Host of the database, as this machine reaches it."),
        click.option("--dictionary", type=click.Path(path_type=Path), help="A dictionary that was exported."),
        click.option("--dump", type=click.Path(path_type=Path), help="A mysqldump or mariadb-dump file."),
    ):
        command = option(command)
    return command


@click.command(
    "resolve",
    epilog=examples(
        "ozone-gen resolve ozone.yaml --host localhost --port 3307",
        "ozone-gen resolve ozone.yaml --dump openmrs.sql.gz",
        "ozone-gen resolve ozone.yaml --dictionary dictionary.json.gz --check",
    ),
)
@click.argument("file", shell_complete=complete_site)
@_origin_options
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where the lock is not what it should be.")
def resolve_command(file: str, check: bool, **origin: Any) -> int:
    """Look up what FILE refers to in the site's own dictionary, and write ozone.lock.yaml beside it.

    The dictionary is read from the site's database (its password is taken from the variable that FILE names), or
    from a dump, or from an exported dictionary; that of a site with demo data is known.
    """
    outcome = Outcome()
    with outcome.telling(file):
        from ozone_gen.extends import extended_source
        from ozone_gen.resolve import resolve

        source = extended_source(file)
        spec, vocabulary = _vocabulary(source, origin, outcome)
        _keep_lock(resolve(source, vocabulary.seen_in(spec.site.locales)), outcome, check=check)
    outcome.show()
    return outcome.code


@click.command(
    "dictionary",
    epilog=examples(
        "ozone-gen dictionary ozone.yaml --host localhost -o dictionary.json.gz",
        "ozone-gen dictionary ozone.yaml --dump openmrs.sql -o dictionary.json",
    ),
)
@click.argument("file", shell_complete=complete_site)
@_origin_options
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The file to write; .gz compresses.")
def dictionary_command(file: str, out: Path, **origin: Any) -> int:
    """Export the dictionary of the site of FILE, for `resolve --dictionary` where its database cannot be reached.

    It holds concepts, encounter types and the like: no patient, no password.
    """
    outcome = Outcome()
    with outcome.telling(file):
        from ozone_gen.extends import extended_source
        from ozone_gen.openmrs.dictionary_file import dictionary_bytes
        from ozone_gen.text_output import bytes_file

        _, vocabulary = _vocabulary(extended_source(file), origin, outcome)
        with bytes_file(out) as stream:
            stream.write(dictionary_bytes(vocabulary, compressed=out.suffix == ".gz"))
        click.echo(f"{len(vocabulary.nameless.concepts)} concepts in {out}")
    outcome.show()
    return outcome.code


def _vocabulary(source: Source, options: dict[str, Any], outcome: Outcome) -> tuple[OzoneSpec, Vocabulary]:
    """Read the dictionary of a site from where the options say."""
    from ozone_gen.resolve import Origin, steps, vocabulary_from
    from ozone_gen.shape import parse_spec

    origin = Origin(**options)
    if sum((origin.dump is not None, origin.dictionary is not None, origin.is_database)) > 1:
        raise click.UsageError("--dump, --dictionary and the options of a database exclude each other")
    spec = parse_spec(source)
    unit, total = steps(origin, spec)
    with progress("reading the dictionary", unit, total) as advance:
        vocabulary, warnings = vocabulary_from(origin, spec, source, os.environ, advance)
    outcome.add(warnings)
    return spec, vocabulary


def _keep_lock(resolution: Resolution, outcome: Outcome, *, check: bool) -> None:
    from rich.console import Console

    from ozone_gen.resolve import show_lock, stale_lock
    from ozone_gen.text_output import bytes_file

    outcome.add(resolution.warnings)
    if check:
        outcome.add(stale_lock(resolution))
        print_diff(resolution.diff())
        if not resolution.changed:
            click.echo(f"{resolution.path} is up to date")
        return
    show_lock(resolution.lock, Console())
    if resolution.changed:
        with bytes_file(resolution.path) as stream:
            stream.write(resolution.content)
    click.echo(f"{resolution.path} is {'written' if resolution.changed else 'up to date'}")
