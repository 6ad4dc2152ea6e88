"""The command `show`."""

from __future__ import annotations

import click

from ozone_gen.cli.completion import complete_site
from ozone_gen.cli.examples import examples
from ozone_gen.cli.outcome import Outcome


@click.command(
    "show",
    epilog=examples("ozone-gen show sites/kigali/ozone.yaml", "ozone-gen show --resolved sites/kigali/ozone.yaml"),
)
@click.argument("file", shell_complete=complete_site)
@click.option("--resolved", is_flag=True, help="Say behind each value which file and line it comes from.")
def show_command(file: str, resolved: bool) -> int:
    """Print FILE merged with all that it extends.

    What is printed is an ozone.yaml itself, which extends nothing.

    Exit codes: 0 shown, 1 a file has errors.
    """
    outcome = Outcome()
    with outcome.telling(file):
        from ozone_gen.extends import extended_source
        from ozone_gen.shown import shown

        click.echo(shown(extended_source(file), origins=resolved), nl=False)
    outcome.show()
    return outcome.code
