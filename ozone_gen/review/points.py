"""A review as headed lists of sentences, which the terminal and the pull request show alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ozone_gen.compare import Kind
from ozone_gen.evolution import Cost
from ozone_gen.review.model import AssetChange, ServiceChange, ServiceFate, SiteReview, Status, Verdict


@dataclass(frozen=True)
class Point:
    """One thing that changes, and what it alone would do."""

    words: str
    verdict: Verdict


@dataclass(frozen=True)
class Section:
    """Points under a heading."""

    heading: str
    points: tuple[Point, ...]


_FATES: Final = {
    ServiceFate.RESTARTED: ("starts anew", Verdict.RESTART),
    ServiceFate.REMOVED: ("goes", Verdict.RESTART),
    ServiceFate.ADDED: ("is new", Verdict.SAFE),
    ServiceFate.RUN_AGAIN: ("runs once more, in between nothing stops", Verdict.SAFE),
    ServiceFate.ON_DEMAND: ("is other when somebody starts it next", Verdict.SAFE),
}
_KINDS: Final = {Kind.ADDED: "new", Kind.CHANGED: "changed", Kind.REMOVED: "no longer made"}
_FEW: Final = 6
_LONGEST: Final = 60  # A setting's value that is longer says nothing to a reader.


def sections(review: SiteReview) -> list[Section]:
    """All that changes at a site, what matters most first; sections without points are left out."""
    found = (
        ("Before you bring it up", tuple(_before(review))),
        ("What may be lost", tuple(Point(risk, Verdict.DATA_LOSS) for risk in review.risks)),
        ("For a minute or two", tuple(Point(words, Verdict.RESTART) for words in review.noticed)),
        ("Tables and columns", tuple(_tables(review))),
        ("Source, topics and connector", tuple(_source(review))),
        ("Services", tuple(_services(review.services))),
        ("Images", tuple(_images(review))),
        ("Ports of the host", tuple(_ports(review))),
        ("Dashboards", tuple(_assets(review.assets))),
        ("Good to know", tuple(Point(note, Verdict.NONE) for note in review.notes)),
    )
    return [Section(heading, points) for heading, points in found if points]


def headline(review: SiteReview) -> str:
    """What is worst, in one sentence or two."""
    if review.status is Status.BROKEN:
        return "cannot be compared: a side of it has errors"
    if review.status is Status.ADDED:
        return "a new site; nothing that runs is touched"
    worst = [
        point.words
        for section in sections(review)
        for point in section.points
        if point.verdict is review.verdict
    ]
    if review.verdict is Verdict.RESTART:
        worst = _restarts(review) or worst
    if not worst:
        return "files that nothing runs from" if review.files else "nothing that runs changes"
    more = len(worst) - 1
    return worst[0] + (f" (and {more} more)" if more else "")


def _restarts(review: SiteReview) -> list[str]:
    needed = [each.name for each in review.variables if each.needed]
    if needed:
        return [f"{_listed(needed)} {'has' if len(needed) == 1 else 'have'} to be set in .env first"]
    names = [each.name for each in review.services_that(ServiceFate.RESTARTED)]
    gone = [each.name for each in review.services_that(ServiceFate.REMOVED)]
    parts = [
        *([f"{_listed(names)} start{'s' if len(names) == 1 else ''} anew"] if names else []),
        *([f"{_listed(gone)} go{'es' if len(gone) == 1 else ''}"] if gone else []),
    ]
    return ["; ".join(parts)] if parts else []


def alike(reviews: Sequence[SiteReview]) -> list[list[SiteReview]]:
    """The reviews in groups that say the same, but for names that hold the site's id: a base that many extend."""
    groups: dict[object, list[SiteReview]] = {}
    for review in reviews:
        groups.setdefault(_without_id(review), []).append(review)
    return list(groups.values())


def _without_id(review: SiteReview) -> object:
    plain = replace(review, site="", file="", settings=(), topics_added=(), topics_removed=(), files=())
    found = tuple((section.heading, section.points) for section in sections(plain))
    paths = tuple(each.path for each in review.files)
    topics = (len(review.topics_added), len(review.topics_removed), len(review.settings))
    return (review.verdict, review.status, found, paths, topics)


def _before(review: SiteReview) -> Iterator[Point]:
    verdict = Verdict.SAFE if review.status is Status.ADDED else Verdict.RESTART
    for each in review.variables:
        if each.needed:
            meaning = f", the {each.meaning}" if each.meaning else ""
            yield Point(f"{each.name} has to be set in .env{meaning}", verdict)
    for each in review.variables:
        if not each.needed:
            yield Point(f"{each.name} is no longer needed in .env", Verdict.SAFE)


def _tables(review: SiteReview) -> Iterator[Point]:
    tables = review.tables
    cost = Verdict.REBUILD if tables.cost >= Cost.REFILL else Verdict.SAFE
    if tables.cost is Cost.IN_PLACE:
        yield Point(f"{tables.meaning[:1].upper()}{tables.meaning[1:]}.", cost)
    elif tables.rebuilt:
        where = "from a new snapshot" if tables.cost is Cost.SNAPSHOT else "out of Kafka, without asking OpenMRS"
        words = f"All {len(tables.rebuilt)} tables are filled anew {where}: {_listed(tables.rebuilt)}"
        yield Point(f"{words}. Dashboards show the old rows until all are complete", cost)
    for change in tables.changes:
        yield Point(str(change), Verdict.DATA_LOSS if change.drops else Verdict.REBUILD if change.loses else cost)
    yield from (Point(words, Verdict.SAFE) for words in tables.unknown)


def _source(review: SiteReview) -> Iterator[Point]:
    snapshot = review.tables.cost is Cost.SNAPSHOT
    if snapshot:
        why = f"A new snapshot of OpenMRS is needed, as {review.tables.reason}"
        yield Point(f"{why}: all that is captured is read once more", Verdict.REBUILD)
    elif review.settings:
        yield Point("No new snapshot: the connector goes on from where it was", Verdict.RESTART)
    for words, topics in (("made", review.topics_added), ("removed afterwards", review.topics_removed)):
        if topics and review.status is Status.CHANGED:
            yield Point(f"{len(topics)} topic{'s' if len(topics) > 1 else ''} {words}: {_listed(topics)}", Verdict.SAFE)
    short = [each for each in review.settings if max(len(each.before), len(each.after)) <= _LONGEST]
    for each in short:
        was, now = each.before or "not set", each.after or "no longer set"
        words = f"connector {each.connector}: {each.key} is {now}, was {was}"
        yield Point(words, Verdict.REBUILD if snapshot else Verdict.RESTART)
    for each in review.settings:
        if each not in short:
            words = f"connector {each.connector}: another {each.key}"
            yield Point(words, Verdict.REBUILD if snapshot else Verdict.RESTART)


def _services(services: Sequence[ServiceChange]) -> Iterator[Point]:
    for fate, (words, verdict) in _FATES.items():
        for each in services:
            if each.fate is fate:
                yield Point(f"{each.name} {words}{f' ({_listed(each.reasons)})' if each.reasons else ''}", verdict)


def _images(review: SiteReview) -> Iterator[Point]:
    for each in review.images:
        services = _listed(each.services)
        if not each.before:
            yield Point(f"{each.after} is new, for {services}", Verdict.SAFE)
        elif not each.after:
            yield Point(f"{each.before} is no longer used", Verdict.SAFE)
        else:
            yield Point(f"{each.after} instead of {each.before}, for {services}", Verdict.RESTART)


def _ports(review: SiteReview) -> Iterator[Point]:
    for each in review.ports:
        outside = "" if not each.after or each.after.startswith("127.0.0.1:") else ", which other machines reach"
        words = {
            "opened": f"{each.after} is opened for {each.service}{outside}",
            "closed": f"{each.before} of {each.service} is closed",
            "moved": f"{each.service} is at {each.after} instead of {each.before}{outside}",
        }[each.word]
        yield Point(words, Verdict.SAFE if each.word == "opened" else Verdict.RESTART)


def _assets(assets: Sequence[AssetChange]) -> Iterator[Point]:
    for kind, word in _KINDS.items():
        for what in dict.fromkeys(each.what for each in assets):
            names = [f"“{each.name}”" for each in assets if each.kind is kind and each.what == what]
            if names:
                yield Point(f"{what}{'s' if len(names) > 1 else ''} {word}: {_listed(names)}", Verdict.SAFE)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _FEW
    return ", ".join(names[:_FEW]) + (f" and {more} more" if more > 0 else "")
