"""A review as the comment of a pull request: verdicts first, all else folded."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Final

from ozone_gen.review.model import FileChange, SiteReview, Status, Verdict
from ozone_gen.review.points import alike, headline, sections

MARKER: Final = "<!-- ozone-gen diff -->"
"""The first line, by which a job finds the comment that it wrote before."""

_LONGEST: Final = 60_000  # characters; GitHub refuses comments of more than 65,536
_MOST_ROWS: Final = 100
_MOST_FILES: Final = 50
_SPECIAL: Final = re.compile(r"([\\`*_\[\]|#~])")


def markdown(reviews: Sequence[SiteReview]) -> str:
    """The comment; ends with a newline. What does not fit into one is left out, which it says."""
    changed = sorted(
        (review for review in reviews if review.status is not Status.UNCHANGED),
        key=lambda review: (review.status is not Status.BROKEN, -review.verdict, review.site),
    )
    if not changed:
        return f"{MARKER}\n### ozone-gen: nothing that runs changes\n"
    verdict = max(review.verdict for review in changed)
    broken = sum(review.status is Status.BROKEN for review in changed)
    of = f"{len(changed) - broken} of {len(reviews)} sites change. " if len(reviews) > 1 else ""
    if broken:
        lines = [MARKER, f"### ozone-gen: {broken} of {len(reviews)} sites cannot be compared", ""]
        lines += ["What they would do to a running clinic is not known: `ozone-gen validate` says what is wrong.", ""]
    else:
        lines = [MARKER, f"### ozone-gen: {_words(verdict)}", "", f"{of}{verdict.meaning}", ""]
    lines += ["| site | verdict | what happens |", "|---|---|---|"]
    for review in changed[:_MOST_ROWS]:
        status = f" ({review.status})" if review.status is not Status.CHANGED else ""
        lines.append(f"| {_text(review.site)}{status} | **{_shown(review)}** | {_text(headline(review))} |")
    if len(changed) > _MOST_ROWS:
        lines.append(f"| and {len(changed) - _MOST_ROWS} more | | |")
    text = "\n".join(lines) + "\n"
    groups = alike([review for review in changed if review.status is not Status.BROKEN])
    for number, group in enumerate(groups):
        block = "\n".join(_details(group)) + "\n"
        if len(text) + len(block) > _LONGEST:
            left = sum(len(each) for each in groups[number:])
            return f"{text}\nDetails of {left} site{'s' if left > 1 else ''} do not fit into a comment.\n"
        text += block
    return text


def _details(group: Sequence[SiteReview]) -> Iterator[str]:
    review = group[0]
    names = ", ".join(each.site for each in group[:10]) + (f" and {len(group) - 10} more" if len(group) > 10 else "")
    yield ""
    yield f"<details><summary><b>{html.escape(names)}</b>: {_words(review.verdict)}</summary>"
    yield ""
    for section in sections(review):
        yield f"**{section.heading}**"
        yield ""
        for point in section.points:
            mark = f" (**{_words(point.verdict)}**)" if point.verdict >= Verdict.REBUILD else ""
            yield f"- {_text(point.words)}{mark}"
        yield ""
    if review.files:
        yield from _files(review.files)
    yield "</details>"


def _files(files: Sequence[FileChange]) -> Iterator[str]:
    yield f"**Files** ({len(files)})"
    yield ""
    for file in files[:_MOST_FILES]:
        yield f"- {_text(file.path)} {file.kind}"
    if len(files) > _MOST_FILES:
        yield f"- and {len(files) - _MOST_FILES} more"
    yield ""


def _shown(review: SiteReview) -> str:
    return "unknown" if review.status is Status.BROKEN else _words(review.verdict)


def _words(verdict: Verdict) -> str:
    return verdict.word.replace("-", " ")


def _text(text: str) -> str:
    """Names such as `weight_kg` are not emphasis; nothing in a text is HTML, a link or a person's name."""
    escaped = html.escape(" ".join(text.split()), quote=False)
    return _SPECIAL.sub(r"\\\1", escaped).replace("@", "&#64;")
