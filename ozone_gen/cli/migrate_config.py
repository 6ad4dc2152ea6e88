"""The command `migrate-config`."""

from __future__ import annotations

import click

from ozone_gen.cli.completion import complete_site
from ozone_gen.cli.examples import examples
from ozone_gen.cli.outcome import FINDINGS, Outcome, print_diff


@click.command(
    "migrate-config",
    epilog=examples(
        "ozone-gen migrate-config ozone.yaml",
        "ozone-gen migrate-config --check sites/*/ozone.yaml",
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_site)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where a file is of an older version.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change as a unified diff.")
def migrate_config_command(files: tuple[str, ...], check: bool, diff: bool) -> int:
    """Rewrite ozone.yaml files of an older version of the format in place.

    Comments, order and quotes stay. What a file extends is rewritten, too. Nothing is written where one of the files
    cannot be rewritten.
    """
    outcome = Outcome()
    with outcome.telling():
        from ozone_gen.compare import compare, unified_diff
        from ozone_gen.migration.rewriting import rewritten, write
        from ozone_gen.render.tree import File
        from ozone_gen.shape import VERSION

        found = rewritten(list(dict.fromkeys(files)))
        older = [each for each in found if each.is_older]
        if diff:
            for each in older:
                path = each.file.lstrip("./")
                print_diff(unified_diff(compare({path: File(path, each.before)}, {path: File(path, each.after)})))
        elif not check:
            write(found)
        for each in older if not diff else ():
            click.echo(f"{each.file}: version {each.version} {'is older than' if check else 'became'} {VERSION}")
            for words in each.done:
                click.echo(f"  {words}")
        if not older:
            known = f"{len(found)} file{'s' if len(found) != 1 else ''}"
            click.secho(f"{known} of version {VERSION}, the newest: nothing to do", fg="green")
        elif check:
            outcome.code = FINDINGS
        elif not diff:
            click.echo("Next: ozone-gen validate, then ozone-gen diff to see that nothing else changes.")
    outcome.show()
    return outcome.code
