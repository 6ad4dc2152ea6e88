"""What the commands share: their findings and exit codes, progress, colours."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

import click

from ozone_gen import __version__
from ozone_gen.diagnostics import Diagnostic, OutputError, OzoneError, Position, Severity, codes

if TYPE_CHECKING:
    from rich.console import Console

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
"""What the usual demo data are made of."""

_WIDTH: Final = 120
"""Columns of a table where no terminal says how many it has."""

BYTES: Final = "bytes"
"""The unit of `progress` that is shown as kB and MB."""


class ReaderGone(Exception):
    """Whoever read our output has closed it."""


class Outcome:
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
        except (click.ClickException, click.exceptions.Exit, click.Abort, ReaderGone, BrokenPipeError):
            raise
        except Exception as error:
            self.add([_our_fault(error, file)], could_not_run=True)

    def show(self, *, summary: bool = False) -> None:
        """Print the findings to standard error."""
        if self.findings:
            from ozone_gen.diagnostics import renderers

            click.echo(
                renderers.render_text(self.findings, colour=colour(sys.stderr)), err=True, nl=False
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


def colour(stream: TextIO) -> bool:
    """Whether a stream is to be coloured."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def console(*, markup: bool = True) -> Console:
    """What prints tables to standard output; without `markup` brackets in a text are taken as they stand."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _WIDTH
    return Console(no_color=not colour(sys.stdout), width=width, highlight=False, markup=markup)


@contextmanager
def progress(doing: str, unit: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal while something is done `total` times: None where nobody knows; no bar for none."""
    if total == 0 or not sys.stderr.isatty():
        yield lambda number: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        *((DownloadColumn(),) if unit == BYTES else (MofNCompleteColumn(), TextColumn(unit))),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(doing, total=total)
        yield lambda number: progress.advance(task, number)


def print_diff(diff: str) -> None:
    """Print a unified diff."""
    for line in diff.splitlines():
        click.secho(line, fg=_diff_colour(line)) if colour(sys.stdout) else click.echo(line)


def _diff_colour(line: str) -> str | None:
    if line.startswith(("+++", "---", "diff ")):
        return "bright_white"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
