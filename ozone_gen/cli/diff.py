"""The command `diff`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ozone_gen.cli.examples import examples
from ozone_gen.cli.outcome import CLEAN, COULD_NOT_RUN, FINDINGS, Outcome, console, progress
from ozone_gen.diagnostics import OutputError

if TYPE_CHECKING:
    from ozone_gen.review.model import SiteReview
    from ozone_gen.review.sides import Pair

_MANY: Final = 20
"""From this many sites on a bar shows how far it is."""

_FAIL_ON: Final = ("safe", "restart", "rebuild", "data-loss")


@click.command(
    "diff",
    epilog=examples(
        "ozone-gen diff main/ozone.yaml ozone.yaml",
        "ozone-gen diff out/ ozone.yaml",
        "ozone-gen diff --git origin/main...HEAD --format markdown",
        "ozone-gen diff --git HEAD sites/kigali --fail-on rebuild",
    ),
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--git", "span", metavar="BASE..HEAD", help="Compare two revisions; BASE alone: with the work tree.")
@click.option(
    "--format", "form", type=click.Choice(("terminal", "markdown", "json")), default="terminal", show_default=True
)
@click.option("--fail-on", type=click.Choice(_FAIL_ON), help="Exit with 1 from this verdict on, else with 0.")
def diff_command(paths: tuple[Path, ...], span: str | None, form: str, fail_on: str | None) -> int:
    """Say what a change means for what runs: services, tables, topics, secrets, dashboards, and a verdict.

    PATHS are OLD and NEW: each an ozone.yaml, a rendered folder, or a folder of sites. With --git they are the
    sites to look at, all of the repository's by themselves.

    Exit codes: 0 no difference, 1 differences, 2 it could not run. With --fail-on: 1 only from that verdict on.
    """
    if span is None and len(paths) != 2:
        raise click.UsageError("name two files or folders, OLD and NEW, or two revisions with --git")
    outcome = Outcome()
    reviews: list[SiteReview] = []
    with outcome.telling():
        reviews = _reviews(paths, span, form, outcome)
        if reviews:
            _print(reviews, form)
    # A site that could not be compared may do anything, whatever the others do.
    outcome.code = COULD_NOT_RUN if outcome.code else _exit_code(reviews, fail_on)
    outcome.show(summary=len(reviews) > 1)
    return outcome.code


def _reviews(paths: tuple[Path, ...], span: str | None, form: str, outcome: Outcome) -> list[SiteReview]:
    from ozone_gen.review.model import SiteReview, Status
    from ozone_gen.review.run import review_all
    from ozone_gen.review.sides import pair, revisions

    found: list[SiteReview] = []
    sides: AbstractContextManager[list[Pair]]
    sides = nullcontext(pair(*paths)) if span is None else revisions(span, paths)
    with sides as pairs:
        results = review_all(pairs)
        with progress("comparing", "sites", len(pairs) if len(pairs) >= _MANY else 0) as advance:
            for one, result in results:
                if isinstance(result, SiteReview):
                    found.append(result)
                else:
                    outcome.add(result.diagnostics, could_not_run=isinstance(result, OutputError))
                    if len(pairs) > 1 or form != "terminal":
                        found.append(SiteReview(one.name, one.name, Status.BROKEN))
                advance(1)
    return found


def _print(reviews: Sequence[SiteReview], form: str) -> None:
    if form == "markdown":
        from ozone_gen.review.markdown import markdown

        click.echo(markdown(reviews), nl=False)
    elif form == "json":
        from ozone_gen.review.as_json import as_json

        click.echo(as_json(reviews), nl=False)
    else:
        from ozone_gen.review.terminal import show

        show(reviews, console())


def _exit_code(reviews: Sequence[SiteReview], fail_on: str | None) -> int:
    from ozone_gen.review.model import Verdict

    least = Verdict[fail_on.upper().replace("-", "_")] if fail_on else Verdict.SAFE
    return FINDINGS if any(review.verdict >= least for review in reviews) else CLEAN
