"""The command line: arguments, printing, exit codes. Nothing else of the project prints.

Each command imports what it needs when it runs, so that `--help` and `validate` start fast.

Exit codes: 0 clean (warnings are), 1 findings or differences, 2 could not run, 130 interrupted, 141 nobody
reads what is printed.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import click

from ozone_gen import __version__
from ozone_gen.cli.completion import complete_code, complete_site
from ozone_gen.cli.examples import examples
from ozone_gen.cli.loading import load_sites
from ozone_gen.cli.outcome import (
    CLEAN,
    COULD_NOT_RUN,
    DEMO_PATIENTS,
    DEMO_SEED,
    INTERRUPTED,
    READER_GONE,
    Outcome,
    ReaderGone,
    colour,
    progress,
)
from ozone_gen.diagnostics import Diagnostic, codes, did_you_mean

_files = click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_site)


# Each module is imported when its command is asked for: all of them would take a tenth of `validate`'s time.
_ELSEWHERE: Final = {
    "diff": "diff:diff_command",
    "dictionary": "resolve:dictionary_command",
    "doctor": "doctor:doctor_command",
    "import": "import_folder:import_command",
    "lock-images": "lock_images:lock_images_command",
    "migrate-config": "migrate_config:migrate_config_command",
    "new-site": "new_site:new_site_command",
    "outdated": "outdated:outdated_command",
    "render": "render:render_command",
    "resolve": "resolve:resolve_command",
    "sbom": "sbom:sbom_command",
    "show": "show:show_command",
    "suggest": "suggest:suggest_command",
    "upload": "upload:upload_command",
}
"""The commands that have a module in this package: module and name, by the command's own name."""


class _Commands(click.Group):
    """Imports a command when it is asked for, and keeps click from turning a broken pipe into the code of findings."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self.commands, *_ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ELSEWHERE and cmd_name not in self.commands:
            module, _, name = _ELSEWHERE[cmd_name].partition(":")
            self.add_command(getattr(import_module(f"{__name__}.{module}"), name))
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderGone from None


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "ozone-gen validate ozone.yaml",
        "ozone-gen render ozone.yaml -o out/",
        "ozone-gen render --help",
    ),
)
@click.version_option(__version__, prog_name="ozone-gen")
@click.pass_context
def cli(context: click.Context) -> None:
    """Turn one ozone.yaml into every file that a clinic site's analytics needs."""
    if os.environ.get("NO_COLOR"):
        context.color = False


def all_commands() -> dict[str, click.Command]:
    """Every command by its name, imported."""
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def _without_pydantic_plugins() -> None:
    """Keep pydantic from looking for plugins: what else is installed must not change what a file means.

    PYDANTIC_DISABLE_PLUGINS says so to pydantic, but the module that reads it imports importlib.metadata, and with it
    email, socket and zipfile: a tenth of what `validate` takes. One that finds nothing stands in for it.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    loader = ModuleType("pydantic.plugin._loader")
    vars(loader)["get_plugins"] = tuple
    sys.modules.setdefault(loader.__name__, loader)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name of another alphabet must not end the run on a terminal of one that lacks it.
            stream.reconfigure(errors="backslashreplace")
    # Starting makes many objects that stay: to look for cycles among them takes a tenth of a short command's time.
    gc.set_threshold(200_000, 10, 10)
    _without_pydantic_plugins()
    outcome = Outcome()
    code: object = CLEAN
    try:
        with outcome.telling():
            code = cli.main(arguments, prog_name="ozone-gen", standalone_mode=False)
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return COULD_NOT_RUN
    except (ReaderGone, BrokenPipeError):
        # Python would complain at exit, when it flushes what nobody reads.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return READER_GONE
    except (click.Abort, KeyboardInterrupt):
        click.secho("\ninterrupted", err=True, fg="yellow")
        return INTERRUPTED
    outcome.show()
    return outcome.code or (code if isinstance(code, int) else CLEAN)


# --- commands



@cli.command(
    epilog=examples(
        "ozone-gen validate ozone.yaml",
        "ozone-gen validate sites/*/ozone.yaml --format github",
    )
)
@_files
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "github", "sarif", "junit")),
    default="text",
    show_default=True,
    help="json for programs; the others for CI: annotations of GitHub, SARIF 2.1.0, JUnit's XML.",
)
def validate(files: tuple[str, ...], form: str) -> int:
    """Check one or several files and say everything that is wrong with them.

    Of several it is also checked that no two claim one id, one location tag, or one number of a replica.
    """
    from ozone_gen.diagnostics.renderers import FORMATS, render_text, summary

    outcome = Outcome()
    sites = load_sites(files, outcome)
    if len(sites) > 1:
        from ozone_gen.fleet import across_sites

        outcome.add(across_sites(sites))
    if form == "text":
        click.echo(render_text(outcome.findings, colour=colour(sys.stdout)), nl=False)
        if len(files) > 1:
            _show_sites(files, outcome.findings)
        shade = "red" if outcome.code else "yellow" if outcome.findings else "green"
        click.secho(summary(outcome.findings), fg=shade)
    elif form in ("sarif", "junit"):
        from ozone_gen.diagnostics.ci_formats import render_junit, render_sarif

        found = outcome.findings
        click.echo(render_sarif(found) if form == "sarif" else render_junit(found, files), nl=False)
    else:
        click.echo(FORMATS[form](outcome.findings), nl=False)
    return outcome.code


def _show_sites(files: Sequence[str], findings: Sequence[Diagnostic]) -> None:
    """A table of the files that have findings; a base, in which a mistake is one of every site, is one of them."""
    from ozone_gen.cli.fleet_table import show_table
    from ozone_gen.diagnostics import Severity

    rows = []
    for file in dict.fromkeys(finding.position.file for finding in findings):
        found = [each.severity for each in set(findings) if each.position.file == file]
        rows.append((file, *(str(found.count(each) or "") for each in (Severity.ERROR, Severity.WARNING))))
    if len(rows) > 1:
        show_table(("file", "errors", "warnings"), rows)
    click.echo(f"{len(set(files))} sites: ", nl=False)


@cli.command(epilog=examples("ozone-gen schema > ozone.schema.json", "ozone-gen schema ozone.base"))
@click.argument("name", default="ozone", type=click.Choice(("ozone", "ozone.base", "ozone.lock", "dictionary")))
def schema(name: str) -> None:
    """Print the JSON Schema (draft-07) of ozone.yaml, for editors; or that of a base, a lock, or a dictionary."""
    from ozone_gen.json_schema import schema_text

    click.echo(schema_text(name), nl=False)


@cli.command(epilog=examples("ozone-gen explain OZ203", "ozone-gen explain unknown-key", "ozone-gen explain"))
@click.argument("code", required=False, shell_complete=complete_code)
def explain(code: str | None) -> None:
    """Say what a CODE such as OZ101 means and how to mend it; list them all when there is none."""
    if code is None:
        for each in codes.all_codes():
            first = (each.__doc__ or "").strip().splitlines()[0]
            click.echo(f"{each.id}  {each.name:<24}  {first}")
        return
    found = codes.find(code)
    if found is None:
        names = [name for each in codes.all_codes() for name in (each.id, each.name)]
        raise click.UsageError(f"there is no code {code}; {did_you_mean(code, names)}")
    click.echo(codes.explain(found), nl=False)


@cli.command(
    epilog=examples(
        "ozone-gen preview ozone.yaml",
        "ozone-gen preview ozone.yaml --dump openmrs.sql --html report.html",
        "ozone-gen preview ozone.yaml --dump openmrs.sql --html report.html --no-rows",
    )
)
@click.argument("file", shell_complete=complete_site)
@click.option("--dump", type=click.Path(path_type=Path), help="A mysqldump or mariadb-dump file; else demo data.")
@click.option(
    "-o",
    "--out",
    default=Path("out/preview"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="The folder of the Parquet files.",
)
@click.option("--rows", default=5, show_default=True, type=click.IntRange(0, 1000), help="How many rows to show.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a report, too: one page to look at.")
@click.option("--no-rows", is_flag=True, help="Leave out of the report what tells of single patients, to share it.")
def preview(file: str, dump: Path | None, out: Path, rows: int, html: Path | None, no_rows: bool) -> int:
    """Fill the tables of FILE from a dump or from demo data, on this machine alone, and show them.

    The same SQL runs as on the site, on a Flink that ends with this command: no server, no container.
    """
    if no_rows and not html:
        raise click.UsageError("--no-rows is about the report: name a file with --html")
    from ozone_gen.cli.preview import run_command

    outcome = Outcome()
    site = load_sites([file], outcome).get(file)
    if site is not None:
        with outcome.telling(file):
            run_command(site, dump, out, rows, outcome, html=html, shared=no_rows)
    outcome.show()
    return outcome.code


@cli.command(
    "demo-data",
    epilog=examples("ozone-gen demo-data -o demo.sql", "ozone-gen demo-data --patients 20 | mariadb openmrs"),
)
@click.option("--patients", default=DEMO_PATIENTS, show_default=True, type=click.IntRange(0), help="How many patients.")
@click.option("--seed", default=DEMO_SEED, show_default=True, type=click.IntRange(0), help="Changes who is made up.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The file to write; else standard output.")
def demo_data(patients: int, seed: int, out: Path | None) -> None:
    """Write a made-up OpenMRS database as SQL for MariaDB and MySQL."""
    from ozone_gen.openmrs.demo import write_demo_data
    from ozone_gen.text_output import standard_output, text_file

    if out is None and sys.stdout.isatty():
        raise click.UsageError("a terminal cannot use a database: name a file with -o, or pipe it on")
    output = text_file(out) if out else standard_output()
    with output as stream, progress("making up", "patients", patients) as advance:
        write_demo_data(stream, patients=patients, seed=seed, advance=advance)

