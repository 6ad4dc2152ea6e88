"""The command `render`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ozone_gen.cli.completion import complete_site
from ozone_gen.cli.examples import examples
from ozone_gen.cli.fleet_table import show_table
from ozone_gen.cli.loading import load_sites
from ozone_gen.cli.outcome import CLEAN, FINDINGS, Outcome, print_diff, progress
from ozone_gen.diagnostics import OzoneError

if TYPE_CHECKING:
    from ozone_gen.diagnostics import Diagnostic
    from ozone_gen.evolution import Evolution
    from ozone_gen.load import Site
    from ozone_gen.plan import SitePlan
    from ozone_gen.render.tree import FileTree
    from ozone_gen.write import WriteResult

_MANY: Final = 5
"""From this number of sites on a progress bar is worth its start-up time."""

_LISTED: Final = 20
"""Up to so many sites each has its row."""


@dataclass(frozen=True)
class _Job:
    """A site to be rendered. It goes to another process, and so does what comes of it.

    Attributes:
        file: the ozone.yaml.
        site: what it says.
        folder: where the site goes.
        mode: `write`, `check` or `diff`.
        force: overwrite what was edited.
        allowed: whether rebuilding is.
        next_step: whether to say how to start it.
    """

    file: str
    site: Site
    folder: Path
    mode: str
    force: bool
    allowed: bool
    next_step: bool


@dataclass
class _Done:
    """What became of a site: lines to print, a diff to print before them, and findings."""

    site: str
    lines: list[str] = field(default_factory=list)
    diff: str = ""
    differs: bool = False
    outcome: Outcome = field(default_factory=Outcome)
    in_short: str = ""
    means: str = ""


@click.command(
    "render",
    epilog=examples(
        "ozone-gen render ozone.yaml -o out/",
        "ozone-gen render ozone.yaml -o out/ --diff",
        "ozone-gen render sites/*/ozone.yaml -o out/ --check",
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_site)
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The folder to write into.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where the folder differs.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change as a unified diff.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited or are not ozone-gen's.")
@click.option(
    "--allow-rebuild", is_flag=True, help="Drop and retype what people read, and read the source anew, where it is due."
)
def render_command(files: tuple[str, ...], out: Path, check: bool, diff: bool, force: bool, allow_rebuild: bool) -> int:
    """Write everything that a site needs to run.

    One FILE is rendered into the output folder itself, several into one folder each, named by the sites' ids.
    Where a site was rendered into the folder before, it is said what the change means for its running tables.
    Files that were written before and are no longer made are removed; other files are never touched.
    """
    files = tuple(dict.fromkeys(files))
    if force and (check or diff):
        raise click.UsageError("--force has no meaning with --check and --diff, which write nothing")
    outcome = Outcome()
    sites = load_sites(files, outcome)
    from ozone_gen.processes import on_all_cores
    from ozone_gen.rendering import site_folders

    many = len(files) > 1
    folders = dict.fromkeys(sites, out)
    if many:
        folders, findings = site_folders(sites, out)
        outcome.add(findings)
    mode = "diff" if diff else "check" if check else "write"
    jobs = [
        _Job(file, sites[file], folder, mode, force, allow_rebuild, next_step=not many)
        for file, folder in folders.items()
    ]
    done = []
    results = on_all_cores(_rendered, jobs)
    with progress("rendering", "sites", len(jobs) if len(jobs) >= _MANY else 0) as advance:
        for each in results:
            done.append(each)
            advance(1)
    for each in done:
        _show(each, outcome, alone=not many or mode != "write")
        if check and each.differs:
            outcome.code = max(outcome.code, FINDINGS)
    if many and mode != "diff":
        _show_all(done, broken=len(files) - len(jobs))
    outcome.show(summary=many)
    return outcome.code


def _show(done: _Done, outcome: Outcome, *, alone: bool) -> None:
    outcome.add(done.outcome.findings)
    outcome.code = max(outcome.code, done.outcome.code)
    for line in done.lines if alone else ():
        click.echo(line)
    print_diff(done.diff)


def _show_all(done: Sequence[_Done], broken: int) -> None:
    """A table of the sites, of many only those with something to tell, and a line about all of them."""
    failed = [each for each in done if each.outcome.code != CLEAN]
    changed = [each for each in done if each.differs and each not in failed]
    rows = [
        (each.site, "not rendered, see below" if each in failed else each.in_short, each.means)
        for each in done
        if each in failed or each.means or len(done) <= _LISTED
    ]
    show_table(("site", "files", "what it means"), rows)
    counts = {
        "changed": len(changed),
        "up to date": len(done) - len(changed) - len(failed),
        "not rendered": len(failed) + broken,
    }
    listed = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    click.echo(f"{len(done) + broken} sites: {listed}")


# --- one site, in whatever process


def _rendered(job: _Job) -> _Done:
    from ozone_gen.rendering import site_tree

    done = _Done(job.site.spec.site.id)
    with done.outcome.telling(job.file):
        plan, tree = site_tree(job.site)
        if job.mode == "write":
            told = _evolve(job, tree, done)
            _write(job, plan, tree, done, told)
        else:
            _compare(job, plan, tree, done)
    return done


def _compare(job: _Job, plan: SitePlan, tree: FileTree, done: _Done) -> None:
    """Say how a folder differs from a tree."""
    from ozone_gen.compare import compare, unified_diff
    from ozone_gen.evolution import evolution
    from ozone_gen.rendering import unknown_former_names
    from ozone_gen.write import read_tree

    before = read_tree(job.folder, tree)
    differences = compare(before, tree)
    found = evolution(before, tree)
    if found:
        done.outcome.add(unknown_former_names(job.site, found, job.folder))
        done.lines += _told(found)  # before the diff: `git apply` skips what stands there
        done.means = " ".join(_told(found)[-1:])
    if job.mode == "diff":
        done.diff = unified_diff(differences)
    else:
        for difference in differences:
            shade = {"added": "green", "removed": "red"}.get(difference.kind, "yellow")
            done.lines.append(f"{click.style(f'{difference.kind:<8}', fg=shade)} {job.folder / difference.path}")
        if not differences:
            done.lines.append(f"{click.style(plan.site.id, bold=True)}: {job.folder} is up to date")
    done.differs = bool(differences)
    done.in_short = f"{len(differences)} differ" if differences else "up to date"


def _told(found: Evolution) -> list[str]:
    """What a change means for the running tables, in lines."""
    lines = [f"{change}{' (needs --allow-rebuild)' if change.loses else ''}" for change in found.changes]
    if found.meaning:
        needs = " (needs --allow-rebuild)" if found.reason else ""
        lines.append(f"{found.meaning[:1].upper()}{found.meaning[1:]}{needs}.")
    return lines


def _evolve(job: _Job, tree: FileTree, done: _Done) -> list[str]:
    """What rendering means for the site that was rendered before; raises where it has to be allowed and is not."""
    from ozone_gen.evolution import evolution
    from ozone_gen.rendering import not_allowed, unknown_former_names
    from ozone_gen.write import read_tree

    try:
        found = evolution(read_tree(job.folder, tree), tree)
    except OzoneError:
        if not job.force:
            raise
        return []  # a manifest that cannot be read: nothing is known of what was there
    if found is None:
        return []
    done.outcome.add(unknown_former_names(job.site, found, job.folder))
    refused: list[Diagnostic] = [] if job.allowed else not_allowed(found, job.folder)
    if refused:
        raise OzoneError(refused)
    return _told(found)


def _write(job: _Job, plan: SitePlan, tree: FileTree, done: _Done, told: Sequence[str]) -> None:
    from ozone_gen.write import write_tree

    result = write_tree(tree, job.folder, force=job.force)
    done.in_short = _counts(result)
    done.means = " ".join(told[-1:])
    done.differs = bool(result.written or result.removed)
    done.lines.append(f"{click.style(plan.site.id, bold=True)}: {done.in_short} in {job.folder}")
    done.lines += [f"  {line}" for line in told]
    if job.next_step:
        done.lines.append(_next_step(plan, tree, job.folder))


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
