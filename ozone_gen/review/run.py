"""Reviews of many sites: each pair of sides rendered and compared, on several cores where that pays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ozone_gen.diagnostics import OzoneError
from ozone_gen.load import Site
from ozone_gen.processes import on_all_cores
from ozone_gen.render.tree import File
from ozone_gen.rendering import site_tree
from ozone_gen.review.alike import review_alike
from ozone_gen.review.compose import project
from ozone_gen.review.model import SiteReview, Status
from ozone_gen.review.sides import Pair
from ozone_gen.review.site import added_site, removed_site, review_site

Result = SiteReview | OzoneError


def review_all(pairs: Sequence[Pair]) -> Iterator[tuple[Pair, Result]]:
    """Review every site; an error is what is wrong with one of its sides. In the order of the pairs.

    A site that moved to another place, with its id, is one site.
    """
    pairs = _with_moves(pairs)
    rendered = [each for each in pairs if not each.same]
    return _in_order(pairs, on_all_cores(_review, rendered))


def _in_order(pairs: Sequence[Pair], results: Iterator[Result]) -> Iterator[tuple[Pair, Result]]:
    for pair in pairs:
        if pair.same and pair.new is not None:
            yield pair, SiteReview(pair.name, pair.new.shown, Status.UNCHANGED)
        else:
            yield pair, next(results)


def _review(pair: Pair) -> Result:
    try:
        old, new = (side.read() if side else None for side in (pair.old, pair.new))
    except OzoneError as error:
        return error
    side = pair.new or pair.old
    assert side is not None
    if new is None:
        return removed_site(_id(old) or pair.name, side.shown)
    site = _id(new) or pair.name
    if isinstance(new, Site) and (old is None or isinstance(old, Site)):
        found = review_alike(site, side.shown, old, new)
    elif old is None:
        found = added_site(site, side.shown, _tree(new))
    else:
        found = review_site(site, side.shown, _tree(old), _tree(new))
    return replace(found, notes=(*pair.notes, *found.notes)) if pair.notes else found


def _tree(read: Site | Mapping[str, File]) -> Mapping[str, File]:
    return site_tree(read)[1] if isinstance(read, Site) else read


def _id(read: Site | Mapping[str, File] | None) -> str:
    return read.spec.site.id if isinstance(read, Site) else site_id(read or {})


def site_id(tree: Mapping[str, File]) -> str:
    """The id of a rendered site."""
    return project(tree).name.removeprefix("ozone-")


def _with_moves(pairs: Sequence[Pair]) -> list[Pair]:
    """Join a site that is gone in one place and new in another, where both have one id."""
    gone = {each.name: each.old for each in pairs if each.old and not each.new}
    if not gone:
        return list(pairs)
    ids = {name: side.identity() for name, side in gone.items()}
    joined: dict[str, str] = {}
    found = []
    for each in pairs:
        if each.new and not each.old:
            identity = each.new.identity()
            former = next((name for name, one in ids.items() if one == identity and one and name not in joined), None)
            if former is not None:
                joined[former] = each.name
                note = f"Its file moved from {former} to {each.name}."
                found.append(Pair(each.name, gone[former], each.new, notes=(note,)))
                continue
        found.append(each)
    return [each for each in found if each.name not in joined or each.new]
