"""The command line: arguments, printing, exit codes. Nothing else of the project prints.

Each command imports what it needs when it runs, so that `--help` and `validate` start fast.

Exit codes: 0 clean (warnings are), 1 findings or differences, 2 could not run, 130 interrupted, 141 nobody
reads what is printed.
"""

from __future__ import annotations

import io
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ozone_gen import __version__
from ozone_gen.cli.completion import complete_code, complete_site
from ozone_gen.cli.diff import diff_command
from ozone_gen.cli.doctor import doctor_command
from ozone_gen.cli.examples import examples
from ozone_gen.cli.import_folder import import_command
from ozone_gen.cli.migrate_config import migrate_config_command
from ozone_gen.cli.new_site import new_site_command
from ozone_gen.cli.outcome import (
    CLEAN,
    COULD_NOT_RUN,
    DEMO_PATIENTS,
    DEMO_SEED,
    FINDINGS,
    INTERRUPTED,
    READER_GONE,
    Outcome,
    ReaderGone,
    colour,
    print_diff,
    progress,
)
from ozone_gen.cli.resolve import dictionary_command, resolve_command
from ozone_gen.cli.show import show_command
from ozone_gen.cli.suggest import suggest_command
from ozone_gen.cli.upload import upload_command
from ozone_gen.diagnostics import OzoneError, codes, did_you_mean

if TYPE_CHECKING:
    from ozone_gen.evolution import Evolution
    from ozone_gen.load import Site
    from ozone_gen.plan import SitePlan
    from ozone_gen.render.tree import FileTree
    from ozone_gen.write import WriteResult

# From these numbers of files on a progress bar is worth its start-up time.
_MANY_TO_READ: Final = 50
_MANY: Final = 5

_files = click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_site)


class _Commands(click.Group):
    """Keeps click from turning a broken pipe into the exit code of findings."""

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name of another alphabet must not end the run on a terminal of one that lacks it.
            stream.reconfigure(errors="backslashreplace")
    # What else is installed must not change what a file means; and looking for it takes time.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
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

cli.add_command(new_site_command)
cli.add_command(diff_command)
cli.add_command(resolve_command)
cli.add_command(dictionary_command)
cli.add_command(show_command)
cli.add_command(suggest_command)
cli.add_command(doctor_command)
cli.add_command(upload_command)
cli.add_command(import_command)
cli.add_command(migrate_config_command)


@cli.command(
    epilog=examples(
        "ozone-gen render ozone.yaml -o out/",
        "ozone-gen render ozone.yaml -o out/ --diff",
        "ozone-gen render sites/*/ozone.yaml -o out/ --check",
    )
)
@_files
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The folder to write into.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where the folder differs.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change as a unified diff.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited or are not ozone-gen's.")
@click.option(
    "--allow-rebuild", is_flag=True, help="Drop and retype what people read, and read the source anew, where it is due."
)
def render(files: tuple[str, ...], out: Path, check: bool, diff: bool, force: bool, allow_rebuild: bool) -> int:
    """Write everything that a site needs to run.

    One FILE is rendered into the output folder itself, several into one folder each, named by the sites' ids.
    Where a site was rendered into the folder before, it is said what the change means for its running tables.
    Files that were written before and are no longer made are removed; other files are never touched.
    """
    files = tuple(dict.fromkeys(files))
    if force and (check or diff):
        raise click.UsageError("--force has no meaning with --check and --diff, which write nothing")
    outcome = Outcome()
    sites = _load(files, outcome)
    from ozone_gen.rendering import site_folders, site_tree

    if len(files) > 1:
        folders, findings = site_folders(sites, out)
        outcome.add(findings)
    else:
        folders = dict.fromkeys(sites, out)
    with progress("rendering", "sites", len(folders) if len(folders) >= _MANY else 0) as advance:
        for file, folder in folders.items():
            with outcome.telling(file):
                plan, tree = site_tree(sites[file])
                if check or diff:
                    if _compare(sites[file], plan, tree, folder, outcome, show=diff) and check:
                        outcome.code = max(outcome.code, FINDINGS)
                else:
                    told = _evolve(sites[file], tree, folder, outcome, force=force, allowed=allow_rebuild)
                    _write(plan, tree, folder, force=force, alone=len(files) == 1, told=told)
            advance(1)
    outcome.show(summary=len(files) > 1)
    return outcome.code


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
    sites = _load(files, outcome)
    if len(sites) > 1:
        from ozone_gen.fleet import across_sites

        outcome.add(across_sites(sites))
    if form == "text":
        click.echo(render_text(outcome.findings, colour=colour(sys.stdout)), nl=False)
        shade = "red" if outcome.code else "yellow" if outcome.findings else "green"
        click.secho(summary(outcome.findings), fg=shade)
    elif form in ("sarif", "junit"):
        from ozone_gen.diagnostics.ci_formats import render_junit, render_sarif

        found = outcome.findings
        click.echo(render_sarif(found) if form == "sarif" else render_junit(found, files), nl=False)
    else:
        click.echo(FORMATS[form](outcome.findings), nl=False)
    return outcome.code


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
    site = _load([file], outcome).get(file)
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


# --- what several commands share


def _load(files: Sequence[str], outcome: Outcome) -> dict[str, Site]:
    """Load every file that has no errors."""
    from ozone_gen.load import load

    sites = {}
    wanted = list(dict.fromkeys(files))
    with progress("reading", "sites", len(wanted) if len(wanted) >= _MANY_TO_READ else 0) as advance:
        for file in wanted:
            with outcome.telling(file):
                sites[file] = load(file)
                outcome.add(sites[file].warnings)
            advance(1)
    return sites


# --- render


def _compare(
    site: Site, plan: SitePlan, tree: FileTree, folder: Path, outcome: Outcome, *, show: bool
) -> bool:
    """Say how a folder differs from a tree, and whether it does."""
    from ozone_gen.compare import compare, unified_diff
    from ozone_gen.evolution import evolution
    from ozone_gen.rendering import unknown_former_names
    from ozone_gen.write import read_tree

    before = read_tree(folder, tree)
    differences = compare(before, tree)
    found = evolution(before, tree)
    if found:
        outcome.add(unknown_former_names(site, found, folder))
        for line in _told(found):  # before the diff: `git apply` skips what stands there
            click.echo(line)
    if show:
        print_diff(unified_diff(differences))
    else:
        for difference in differences:
            shade = {"added": "green", "removed": "red"}.get(difference.kind, "yellow")
            click.echo(f"{click.style(f'{difference.kind:<8}', fg=shade)} {folder / difference.path}")
        if not differences:
            click.echo(f"{click.style(plan.site.id, bold=True)}: {folder} is up to date")
    return bool(differences)


def _told(found: Evolution) -> list[str]:
    """What a change means for the running tables, in lines."""
    lines = [f"{change}{' (needs --allow-rebuild)' if change.loses else ''}" for change in found.changes]
    if found.meaning:
        needs = " (needs --allow-rebuild)" if found.reason else ""
        lines.append(f"{found.meaning[:1].upper()}{found.meaning[1:]}{needs}.")
    return lines


def _evolve(
    site: Site, tree: FileTree, folder: Path, outcome: Outcome, *, force: bool, allowed: bool
) -> list[str]:
    """What rendering means for the site that was rendered before; raises where it has to be allowed and is not."""
    from ozone_gen.evolution import evolution
    from ozone_gen.rendering import not_allowed, unknown_former_names
    from ozone_gen.write import read_tree

    try:
        found = evolution(read_tree(folder, tree), tree)
    except OzoneError:
        if not force:
            raise
        return []  # a manifest that cannot be read: nothing is known of what was there
    if found is None:
        return []
    outcome.add(unknown_former_names(site, found, folder))
    refused = [] if allowed else not_allowed(found, folder)
    if refused:
        raise OzoneError(refused)
    return _told(found)


def _write(
    plan: SitePlan, tree: FileTree, folder: Path, *, force: bool, alone: bool, told: Sequence[str]
) -> None:
    from ozone_gen.write import write_tree

    result = write_tree(tree, folder, force=force)
    click.echo(f"{click.style(plan.site.id, bold=True)}: {_counts(result)} in {folder}")
    for line in told:
        click.echo(f"  {line}")
    if alone:
        click.echo(_next_step(plan, tree, folder))


def _counts(result: WriteResult) -> str:
    if not result.written and not result.removed:
        return click.style(f"all {len(result.unchanged)} files are up to date", fg="green")
    parts = ((result.written, "written"), (result.removed, "removed"), (result.unchanged, "unchanged"))
    return ", ".join(f"{len(files)} {word}" for files, word in parts if files)


def _next_step(plan: SitePlan, tree: FileTree, folder: Path) -> str:
    """The command that starts the site, and what it needs before."""
    from ozone_gen.components.base import ComposeFile

    files = " ".join(f"-f {name}" for name in ComposeFile if name in tree and not name.runs_on_demand)
    lines = [f"cd {shlex.quote(str(folder))}", f"docker compose {files} up -d --build"]
    missing = [each for each in plan.variables if each.required and each.demo_value is None]
    if missing and not (folder / ".env").exists():
        lines.insert(1, "cp .env.example .env    # and fill it in")
    return "Next:\n" + "\n".join(f"  {line}" for line in lines)
