"""The command `import`."""

from __future__ import annotations

from pathlib import Path

import click

from ozone_gen.cli.examples import examples
from ozone_gen.cli.outcome import Outcome


@click.command(
    "import",
    epilog=examples(
        "ozone-gen import ~/ozone-analytics/docker --site-id kigali -o sites/kigali/ozone.yaml",
        "ozone-gen import central-server --central",
    ),
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The ozone.yaml to write; else standard output.")
@click.option("--site-id", help="The new site's id; else the folder's name.")
@click.option("--name", help="The site's name as people say it; else its id.")
@click.option("--central", is_flag=True, help="It is a central server, which reads what sites export.")
@click.option("--force", is_flag=True, help="Overwrite the file that is there.")
def import_command(
    folder: Path, out: Path | None, site_id: str | None, name: str | None, central: bool, force: bool
) -> int:
    """Read a site's FOLDER that was made by hand, and write the ozone.yaml that comes closest.

    The folder is one after the layout of Ozone Analytics: docker-compose-*.yaml, .env, connectors as JSON. What could
    not be carried over is listed with file and line. Secrets are never copied.
    """
    if out is not None and out.exists() and not force:
        raise click.UsageError(f"{out} is there already; --force overwrites it")
    outcome = Outcome()
    with outcome.telling(str(folder)):
        from ozone_gen.by_hand.deciding import Deciding, id_of_folder
        from ozone_gen.by_hand.reading import read_folder
        from ozone_gen.by_hand.writing import site_text
        from ozone_gen.load import site_of
        from ozone_gen.source import parse_source
        from ozone_gen.text_output import standard_output, text_file

        identity = site_id or id_of_folder(folder)
        site = Deciding(read_folder(folder), central=central).decide(identity, name or identity)
        text = site_text(site)
        # What is wrong with the new file, such as an id of other letters, is told before anything is written.
        outcome.add(site_of(parse_source(text.encode(), str(out or "ozone.yaml"))).warnings)
        with text_file(out) if out else standard_output() as stream:
            stream.write(text)
        outcome.add(site.left)
    outcome.show(summary=True)
    return outcome.code
