"""Sites that differ in nothing but names: one of them is rendered, and what is said of it is said of all.

A fleet's sites extend one base, and each says its id, its name and where its databases are. A change of the base means
the same for all of them, so those values are taken out before a site is rendered, and put into the review afterwards.
Whether each file is right has been checked before, with its own values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import Any, Final

from ozone_gen.load import Site
from ozone_gen.render.tree import File
from ozone_gen.rendering import site_tree
from ozone_gen.review.model import SiteReview
from ozone_gen.review.site import added_site, review_site

_BUNDLED: Final = ("mysql", "postgresql")
_ID: Final = "zq0id0qz"
_NAME: Final = "zq0name0qz"
_SINK: Final = "zq0sink0qz"
_MOST: Final = 512


def review_alike(site: str, file: str, old: Site | None, new: Site) -> SiteReview:
    """Do as `review_site`, or `added_site` where there is no old one."""
    values = _shared(old, new)
    sides = [_general(each, values) if each else None for each in (old, new)]
    keys = [side.spec.model_dump_json() if side else "" for side in sides]
    if any(each is not None and each.locked for each in (old, new)):
        # A lock holds ids of the site's own database.
        keys += [each.sha256 if each else "" for each in (old, new)]
    found: SiteReview = _filled(_reviewed(_Sides(tuple(keys), *sides)), values)
    return replace(found, site=site, file=file)


class _Sides:
    """Two sides of a review, which are equal to others of the same keys."""

    def __init__(self, keys: tuple[str, ...], old: Site | None, new: Site | None) -> None:
        self._keys = keys
        self.old = old
        self.new = new

    def __hash__(self) -> int:
        return hash(self._keys)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Sides) and self._keys == other._keys


@lru_cache(maxsize=_MOST)
def _reviewed(sides: _Sides) -> SiteReview:
    assert sides.new is not None
    new = _tree(sides.new)
    return review_site("", "", _tree(sides.old), new) if sides.old else added_site("", "", new)


def _tree(site: Site) -> Mapping[str, File]:
    return site_tree(site)[1]


def _shared(old: Site | None, new: Site) -> dict[str, str]:
    """The values that are taken out, by what stands in their place: those that both sides have alike."""
    before, after = (_values(site) if site else None for site in (old, new))
    assert after is not None
    return {mark: value for mark, value in after.items() if before is None or before.get(mark) == value}


def _values(site: Site) -> dict[str, str]:
    spec = site.spec
    hosts = {_source_mark(name): source.host for name, source in spec.sources.items()}
    hosts[_SINK] = spec.sink.host
    literal = {mark: host for mark, host in hosts.items() if "$" not in host and host not in _BUNDLED}
    return {_ID: spec.site.id, _NAME: spec.site.name, **literal}


def _source_mark(name: str) -> str:
    """What stands for the host of a source."""
    return f"zq0{name.replace('_', '0')}0qz"


def _general(site: Site, values: Mapping[str, str]) -> Site:
    """The site with marks in the place of these values."""
    spec = site.spec
    named = {key: mark for key, mark in (("id", _ID), ("name", _NAME)) if mark in values}
    update: dict[str, Any] = {"site": spec.site.model_copy(update=named)}
    update["sources"] = {
        name: source.model_copy(update={"host": mark}) if mark in values else source
        for name, source in spec.sources.items()
        for mark in [_source_mark(name)]
    }
    if _SINK in values:
        update["sink"] = spec.sink.model_copy(update={"host": _SINK})
    return replace(site, spec=spec.model_copy(update=update))


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """A review, or a part of it, with the values in the place of their marks."""
    if isinstance(value, str):
        if type(value) is str and "zq0" in value:
            for mark, text in values.items():
                value = value.replace(mark, text)
        return value
    if isinstance(value, tuple):
        return tuple(_filled(each, values) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        own = {field.name: getattr(value, field.name) for field in fields(value)}
        return replace(value, **{name: _filled(each, values) for name, each in own.items()})
    return value
