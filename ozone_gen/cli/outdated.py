"""The command `outdated`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import click

from ozone_gen import __version__
from ozone_gen.cli.completion import complete_site
from ozone_gen.cli.examples import examples
from ozone_gen.cli.outcome import CLEAN, COULD_NOT_RUN, FINDINGS, Outcome, console, progress

if TYPE_CHECKING:
    from rich.console import Console

    from ozone_gen.supply.inventory import Inventory
    from ozone_gen.supply.versions import Part

_MANY: Final = 5
_COLOURS: Final = {"tested": "green", "older": "yellow", "newer": "magenta", "other": "cyan"}

_Found = tuple["Inventory", "Sequence[Part]"]


@click.command(
    "outdated",
    epilog=examples(
        "ozone-gen outdated ozone.yaml",
        "ozone-gen outdated out/",
        "ozone-gen outdated sites/*/ozone.yaml --format json",
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_site)
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
def outdated_command(files: tuple[str, ...], form: str) -> int:
    """Compare what the sites of FILE... run with the versions that this ozone-gen was tested with.

    A FILE is an ozone.yaml or a rendered folder, also one of an older ozone-gen, of which the packages of its own
    images are compared, too. Nothing is asked of any server: what is newer elsewhere is not known.

    Exit codes: 0 everything is as tested, 1 something is not, 2 a file could not be read or has errors.
    """
    outcome = Outcome()
    found: dict[str, _Found] = {}
    wanted = list(dict.fromkeys(files))
    with progress("comparing", "sites", len(wanted) if len(wanted) >= _MANY else 0) as advance:
        for file in wanted:
            with outcome.telling(file):
                from ozone_gen.supply.inventory import inventory
                from ozone_gen.supply.versions import parts

                site = inventory(file)
                found[file] = (site, parts(site))
            advance(1)
    if form == "json":
        click.echo(_as_json(found))
    else:
        _show(found)
    differs = any(_differing(each) for _, each in found.values())
    outcome.code = COULD_NOT_RUN if outcome.code else FINDINGS if differs else CLEAN
    outcome.show(summary=len(wanted) > 1)
    return outcome.code


def _differing(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if part.standing != "tested"]


def _as_json(found: Mapping[str, _Found]) -> str:
    sites = [
        {
            "file": file,
            "site": site.site,
            "tested": not _differing(parts),
            "parts": [
                {
                    "name": part.name,
                    "kind": part.kind,
                    "present": part.present,
                    "tested": part.tested or None,
                    "standing": part.standing.value,
                    "where": part.where or None,
                    "advice": part.advice or None,
                }
                for part in parts
            ],
        }
        for file, (site, parts) in found.items()
    ]
    return json.dumps({"ozone_gen": __version__, "sites": sites}, indent=2, ensure_ascii=False)


def _show(found: Mapping[str, _Found]) -> None:
    out = console(markup=False)
    for file, (site, parts) in found.items():
        # Of one site everything is shown, of several what differs.
        shown = parts if len(found) == 1 else _differing(parts)
        if shown:
            _show_table(f"{site.site}: {file}", shown, out)
    as_tested = sum(not _differing(parts) for _, parts in found.values())
    if len(found) == 1:
        ((_, parts),) = found.values()
        missing = len(_differing(parts))
        words = f"{missing} of {len(parts)} parts not" if missing else "Everything is"
        out.print(f"{words} as tested with ozone-gen {__version__}.", style="yellow" if missing else "green")
    elif found:
        out.print(f"{as_tested} of {len(found)} sites as tested with ozone-gen {__version__}.", style="bold")


def _show_table(title: str, parts: Sequence[Part], console: Console) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console.print(Text(title, "bold"))
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("component", no_wrap=True)
    for heading in ("this site's", "tested"):
        table.add_column(heading, overflow="fold")
    table.add_column("what to do")
    for part in parts:
        style = _COLOURS[part.standing.value]
        advice = f"{part.standing}: {part.advice}" if part.advice else "nothing"
        table.add_row(part.name, Text(part.present, style), part.tested or "-", advice)
    console.print(table)
