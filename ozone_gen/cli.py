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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from ozone_gen import __version__
from ozone_gen.diagnostics import Diagnostic, OutputError, OzoneError, Position, Severity, codes, did_you_mean

if TYPE_CHECKING:
    from ozone_gen.load import Site
    from ozone_gen.plan import SitePlan
    from ozone_gen.render.tree import FileTree
    from ozone_gen.write import WriteResult

CLEAN: Final = 0
FINDINGS: Final = 1
COULD_NOT_RUN: Final = 2
INTERRUPTED: Final = 130
READER_GONE: Final = 141
"""As a shell says it of a program that a broken pipe ended (128 + SIGPIPE)."""

DEBUG: Final = "OZONE_GEN_DEBUG"
"""The variable that asks for a traceback when it is our fault."""

DEMO_PATIENTS: Final = 155
DEMO_SEED: Final = 1

_MANY: Final = 5  # From this number of files on a progress bar is worth its start-up time.

_files = click.argument("files", nargs=-1, required=True, metavar="FILE...")


class _ReaderGone(Exception):
    """Whoever read our output has closed it."""


class _Commands(click.Group):
    """Keeps click from turning a broken pipe into the exit code of findings."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise _ReaderGone from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
    outcome = _Outcome()
    code: object = CLEAN
    try:
        with outcome.telling():
            code = cli.main(arguments, prog_name="ozone-gen", standalone_mode=False)
            sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return COULD_NOT_RUN
    except (_ReaderGone, BrokenPipeError):
        # Python would complain at exit, when it flushes what nobody reads.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return READER_GONE
    except (click.Abort, KeyboardInterrupt):
        click.secho("\ninterrupted", err=True, fg="yellow")
        return INTERRUPTED
    outcome.show()
    return outcome.code or (code if isinstance(code, int) else CLEAN)


# --- commands


@cli.command()
@_files
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The folder to write into.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where the folder differs.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change as a unified diff.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited or are not ozone-gen's.")
def render(files: tuple[str, ...], out: Path, check: bool, diff: bool, force: bool) -> int:
    """Write everything that a site needs to run.

    One FILE is rendered into the output folder itself, several into one folder each, named by the sites' ids.
    Files that were written before and are no longer made are removed; other files are never touched.
    """
    files = tuple(dict.fromkeys(files))
    if force and (check or diff):
        raise click.UsageError("--force has no meaning with --check and --diff, which write nothing")
    outcome = _Outcome()
    sites = _load(files, outcome)
    from ozone_gen.rendering import site_folders, site_tree

    if len(files) > 1:
        folders, findings = site_folders(sites, out)
        outcome.add(findings)
    else:
        folders = dict.fromkeys(sites, out)
    with _progress("rendering", "sites", len(folders) if len(folders) >= _MANY else 0) as advance:
        for file, folder in folders.items():
            with outcome.telling(file):
                plan, tree = site_tree(sites[file])
                if check or diff:
                    if _compare(plan, tree, folder, show=diff) and check:
                        outcome.code = max(outcome.code, FINDINGS)
                else:
                    _write(plan, tree, folder, force=force, alone=len(files) == 1)
            advance(1)
    outcome.show(summary=len(files) > 1)
    return outcome.code


@cli.command()
@_files
@click.option("--format", "form", type=click.Choice(("text", "json", "github")), default="text")
def validate(files: tuple[str, ...], form: str) -> int:
    """Check one or several files and say everything that is wrong with them."""
    from ozone_gen.diagnostics.renderers import FORMATS, render_text, summary

    outcome = _Outcome()
    _load(files, outcome)
    if form == "text":
        click.echo(render_text(outcome.findings, colour=_colour(sys.stdout)), nl=False)
        shade = "red" if outcome.code else "yellow" if outcome.findings else "green"
        click.secho(summary(outcome.findings), fg=shade)
    else:
        click.echo(FORMATS[form](outcome.findings), nl=False)
    return outcome.code


@cli.command()
def schema() -> None:
    """Print the JSON Schema (draft-07) of ozone.yaml, for editors."""
    from ozone_gen.json_schema import schema_text

    click.echo(schema_text(), nl=False)


@cli.command()
@click.argument("code", required=False)
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


@cli.command()
@click.argument("file")
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
def preview(file: str, dump: Path | None, out: Path, rows: int) -> int:
    """Fill the tables of FILE from a dump or from demo data, on this machine alone, and show them.

    The same SQL runs as on the site, on a Flink that ends with this command: no server, no container.
    """
    outcome = _Outcome()
    site = _load([file], outcome).get(file)
    if site is not None:
        with outcome.telling(file):
            _preview(site, dump, out, rows, outcome)
    outcome.show()
    return outcome.code


@cli.command("demo-data")
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
    with output as stream, _progress("making up", "patients", patients) as advance:
        write_demo_data(stream, patients=patients, seed=seed, advance=advance)


# --- what the commands share


class _Outcome:
    """The findings of a command so far, and the exit code that follows from them."""

    def __init__(self) -> None:
        self.findings: list[Diagnostic] = []
        self.code = CLEAN

    def add(self, findings: Iterable[Diagnostic], *, could_not_run: bool = False) -> None:
        """Add findings; any error among them decides the exit code."""
        found = list(findings)
        self.findings += found
        if could_not_run:
            self.code = COULD_NOT_RUN
        elif any(finding.severity is Severity.ERROR for finding in found):
            self.code = max(self.code, FINDINGS)

    @contextmanager
    def telling(self, file: str = "") -> Iterator[None]:
        """Turn what goes wrong inside into findings, so that other files still have their turn."""
        try:
            yield
        except OzoneError as error:
            self.add(error.diagnostics, could_not_run=isinstance(error, OutputError))
        except (click.ClickException, click.exceptions.Exit, click.Abort, _ReaderGone, BrokenPipeError):
            raise
        except Exception as error:
            self.add([_our_fault(error, file)], could_not_run=True)

    def show(self, *, summary: bool = False) -> None:
        """Print the findings to standard error."""
        if self.findings:
            from ozone_gen.diagnostics import renderers

            click.echo(
                renderers.render_text(self.findings, colour=_colour(sys.stderr)), err=True, nl=False
            )
            if summary:
                click.secho(renderers.summary(self.findings), err=True, bold=True)


def _our_fault(error: Exception, file: str) -> Diagnostic:
    import traceback

    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return codes.InternalError.at(
        Position(file or "ozone-gen"),
        f"ozone-gen {__version__} failed{where}: {type(error).__name__}: {error}",
        hint=f"this is our fault: please report the command, this message and the ozone.yaml without its "
        f"passwords; with {DEBUG}=1 in the environment the message has more to it",
    )


def _load(files: Sequence[str], outcome: _Outcome) -> dict[str, Site]:
    """Load every file that has no errors."""
    from ozone_gen.load import load

    sites = {}
    for file in dict.fromkeys(files):
        with outcome.telling(file):
            sites[file] = load(file)
            outcome.add(sites[file].warnings)
    return sites


def _colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")


@contextmanager
def _progress(doing: str, unit: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal while something is done `total` times; none where that is nothing."""
    if total == 0 or not sys.stderr.isatty():
        yield lambda number: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(doing, total=total)
        yield lambda number: progress.advance(task, number)


# --- preview


def _preview(site: Site, dump: Path | None, out: Path, rows: int, outcome: _Outcome) -> None:
    from rich.console import Console

    from ozone_gen.plan.build import build_plan
    from ozone_gen.preview import ProgressStages, job_files, run_preview, show_preview

    plan = build_plan(site.spec, site.dictionary)
    result = run_preview(
        job_files(f"preview of {plan.site.id}", plan.source.name, plan.tables),
        plan.tables,
        dump or _demo_data(plan),
        out,
        ProgressStages(Console(stderr=True)),
        rows=rows,
        database=plan.source.database if dump else None,
    )
    outcome.add(result.warnings)
    declared = {name: tuple(table.columns) for name, table in site.spec.flattening.tables.items()}
    show_preview(result, Console(), declared)


def _demo_data(plan: SitePlan) -> bytes:
    """The demo data of a site, or the usual ones for a site of its own database."""
    from ozone_gen.openmrs.demo import write_demo_data
    from ozone_gen.plan import DemoData

    demo = plan.source.demo or DemoData(patients=DEMO_PATIENTS, seed=DEMO_SEED)
    out = io.StringIO()
    with _progress("making up", "patients", demo.patients) as advance:
        write_demo_data(out, patients=demo.patients, seed=demo.seed, advance=advance)
    return out.getvalue().encode()


# --- render


def _compare(plan: SitePlan, tree: FileTree, folder: Path, *, show: bool) -> bool:
    """Say how a folder differs from a tree, and whether it does."""
    from ozone_gen.compare import compare, unified_diff
    from ozone_gen.write import read_tree

    differences = compare(read_tree(folder, tree), tree)
    if show:
        for line in unified_diff(differences).splitlines():
            click.secho(line, fg=_diff_colour(line)) if _colour(sys.stdout) else click.echo(line)
    else:
        for difference in differences:
            shade = {"added": "green", "removed": "red"}.get(difference.kind, "yellow")
            click.echo(f"{click.style(f'{difference.kind:<8}', fg=shade)} {folder / difference.path}")
        if not differences:
            click.echo(f"{click.style(plan.site.id, bold=True)}: {folder} is up to date")
    return bool(differences)


def _diff_colour(line: str) -> str | None:
    if line.startswith(("+++", "---", "diff ")):
        return "bright_white"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])


def _write(plan: SitePlan, tree: FileTree, folder: Path, *, force: bool, alone: bool) -> None:
    from ozone_gen.write import write_tree

    result = write_tree(tree, folder, force=force)
    click.echo(f"{click.style(plan.site.id, bold=True)}: {_counts(result)} in {folder}")
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

    files = " ".join(f"-f {name}" for name in ComposeFile if name in tree)
    lines = [f"cd {shlex.quote(str(folder))}", f"docker compose {files} up -d --build"]
    missing = [each for each in plan.variables if each.required and each.demo_value is None]
    if missing and not (folder / ".env").exists():
        lines.insert(1, "cp .env.example .env    # and fill it in")
    return "Next:\n" + "\n".join(f"  {line}" for line in lines)
