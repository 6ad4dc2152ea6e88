"""The command `suggest`: tables for an ozone.yaml from what a database holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ozone_gen.cli.examples import examples
from ozone_gen.cli.outcome import BYTES, Outcome, progress
from ozone_gen.diagnostics import in_order

if TYPE_CHECKING:
    from ozone_gen.openmrs.dictionary_database import DatabaseAddress
    from ozone_gen.suggest.options import Options

PASSWORD: Final = "OPENMRS_DB_PASSWORD"
"""The variable with the password of the source database."""


@click.command(
    "suggest",
    epilog=examples(
        "ozone-gen suggest --dump openmrs.sql --site-id kigali -o ozone.yaml",
        "ozone-gen suggest --dump openmrs.sql --tables-only --by form --locale fr --locale en",
        "ozone-gen suggest --host localhost --user debezium --tables-only",
    ),
)
@click.option("--dump", type=click.Path(path_type=Path), help="A mysqldump or mariadb-dump file.")
@click.option("--dictionary", type=click.Path(path_type=Path), help="A dictionary that was exported: knows no usage.")
@click.option("--host", help=f"Host of the database itself; its password is taken from {PASSWORD}.")
@click.option("--port", default=3306, show_default=True, type=click.IntRange(1, 65535), help="Port of the database.")
@click.option("--user", default="debezium", show_default=True, help="Who reads the database.")
@click.option("--database", help="Its name: openmrs, or that of the only one in the dump.")
@click.option(
    "--by",
    type=click.Choice(("encounter-type", "form", "group", "all")),
    default="all",
    show_default=True,
    help="What to make tables for; all: without those that say again what another says.",
)
@click.option("--site-id", help="The site's id, for a whole ozone.yaml.")
@click.option("--tables-only", is_flag=True, help="Print only `tables:`, to be pasted into a file.")
@click.option("--locale", "locales", multiple=True, default=("en",), show_default=True, help="Of names, best first.")
@click.option("--source", default="", help="The concept source to write codes of; else CIEL, else the largest.")
@click.option(
    "--min-share",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0, 100),
    help="Concepts in fewer % of the rows become comments.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The file to write; else standard output.")
def suggest_command(
    dump: Path | None,
    dictionary: Path | None,
    host: str | None,
    port: int,
    user: str,
    database: str | None,
    by: str,
    site_id: str | None,
    tables_only: bool,
    locales: tuple[str, ...],
    source: str,
    min_share: float,
    out: Path | None,
) -> int:
    """Print tables for an ozone.yaml, made from what a database holds.

    A column for each concept that occurs, typed and named, the most used first, with a comment that says how often.
    """
    from ozone_gen.suggest.options import Options, checked

    if sum(each is not None for each in (dump, dictionary, host)) != 1:
        raise click.UsageError("say where to look: one of --dump, --dictionary and --host")
    if (site_id is None) != tables_only:
        raise click.UsageError("give either --site-id, for a whole ozone.yaml, or --tables-only")
    origin = dump or dictionary or _address(host or "", port, user, database or "openmrs")
    options = Options(origin, dump is not None, database, by, site_id, locales, source, min_share)
    if wrong := checked(options):
        raise click.UsageError(wrong)
    outcome = Outcome()
    with outcome.telling(str(origin)):
        _suggest(options, out, outcome)
    outcome.show()
    return outcome.code


def _address(host: str, port: int, user: str, database: str) -> DatabaseAddress:
    from ozone_gen.openmrs.dictionary_database import DatabaseAddress

    password = os.environ.get(PASSWORD)
    if password is None:
        raise click.UsageError(f"the variable {PASSWORD} is not set: export it with the password of {user}")
    return DatabaseAddress(host, port, user, password, database)


def _suggest(options: Options, out: Path | None, outcome: Outcome) -> None:
    from rich.console import Console

    from ozone_gen.suggest.run import Read, counted, dictionary_of, suggestion_text
    from ozone_gen.suggest.terminal import show_found
    from ozone_gen.text_output import standard_output, text_file

    with progress("reading the dictionary", *_steps(options)) as advance:
        dictionary, damaged = dictionary_of(options, advance)
    read = Read(dictionary, None, damaged)
    if options.counts:
        steps = (BYTES, _size(options)) if options.is_dump else ("rows", None)
        with progress("counting the observations", *steps) as advance:
            read = Read(dictionary, counted(options, advance), damaged)
    outcome.add(in_order((*damaged, *(read.counted.warnings if read.counted else ()))))
    suggestion, text = suggestion_text(options, read)
    with text_file(out) if out else standard_output() as stream:
        stream.write(text)
    show_found(suggestion, read.counted.usage if read.counted else None, Console(stderr=True))


def _steps(options: Options) -> tuple[str, int]:
    """What is counted while the dictionary is read, and how far."""
    if isinstance(options.origin, Path):
        return BYTES, _size(options)
    from ozone_gen.openmrs.dictionary_database import tables_to_read

    return "tables", tables_to_read()


def _size(options: Options) -> int:
    """Bytes of the dump; 0, for which there is no bar, where there is none."""
    origin = options.origin
    return origin.stat().st_size if options.is_dump and isinstance(origin, Path) and origin.is_file() else 0
