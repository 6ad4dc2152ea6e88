"""A review for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ozone_gen.review.model import SiteReview, Status, Verdict
from ozone_gen.review.points import alike, headline, sections

COLOURS: Final = {
    Verdict.NONE: "",
    Verdict.SAFE: "green",
    Verdict.RESTART: "yellow",
    Verdict.REBUILD: "magenta",
    Verdict.DATA_LOSS: "red",
}
_MOST: Final = 40  # Sites in the table; the others are those that do least.


def show(reviews: Sequence[SiteReview], console: Console) -> None:
    """Print what changes, sites that change alike together, and for several sites a table of verdicts first."""
    changed = [review for review in reviews if review.status is not Status.UNCHANGED]
    if not changed:
        console.print(Text("Nothing that runs changes.", "green"))
        return
    changed.sort(key=lambda review: (-review.verdict, review.site))
    if len(reviews) > 1:
        _show_table(reviews, changed, console)
    for group in alike([review for review in changed if review.status is not Status.BROKEN]):
        _show_group(group, console)


def _show_table(reviews: Sequence[SiteReview], changed: Sequence[SiteReview], console: Console) -> None:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("site")
    table.add_column("verdict", no_wrap=True)
    table.add_column("what happens")
    for review in changed[:_MOST]:
        name = review.site + (f" ({review.status})" if review.status is not Status.CHANGED else "")
        verdict = Text("unknown", "bold red") if review.status is Status.BROKEN else _verdict(review.verdict)
        table.add_row(Text(name, "bold"), verdict, Text(headline(review)))
    broken = sum(review.status is Status.BROKEN for review in changed)
    more = f", {broken} cannot be compared" if broken else ""
    console.print(Text(f"{len(changed) - broken} of {len(reviews)} sites change{more}", "bold"))
    console.print(table)
    if len(changed) > _MOST:
        console.print(f"and {len(changed) - _MOST} more; --format json has them all\n")


def _show_group(group: Sequence[SiteReview], console: Console) -> None:
    review = group[0]
    names = ", ".join(each.site for each in group[:3]) + (f" and {len(group) - 3} more" if len(group) > 3 else "")
    console.print(Text.assemble((names, "bold"), ": ", _verdict(review.verdict), f". {review.verdict.meaning}"))
    for section in sections(review):
        console.print(Padding(Text(section.heading, "bold"), (0, 0, 0, 2), expand=False))
        for point in section.points:
            grid = Table.grid(padding=(0, 1))
            grid.add_row(Text("•", COLOURS[point.verdict]), Text(point.words))
            console.print(Padding(grid, (0, 0, 0, 4), expand=False))
    if not sections(review):
        files = ", ".join(each.path for each in review.files[:6])
        console.print(Padding(Text(f"Only files that nothing runs from: {files}"), (0, 0, 0, 4), expand=False))


def _verdict(verdict: Verdict) -> Text:
    return Text(verdict.word.replace("-", " "), f"bold {COLOURS[verdict]}".strip())
