"""Rules about Superset: what it makes on the server of the flattened tables is its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ozone_gen.checks.site import CheckedSite, Rule
from ozone_gen.components.superset import OWN_USER, SupersetOptions
from ozone_gen.diagnostics import Diagnostic, codes
from ozone_gen.superset.names import READER

_SERVER_DATABASES: Final = frozenset({"postgres", "template0", "template1"})


def _own_database(site: CheckedSite) -> Iterator[Diagnostic]:
    options = getattr(site.spec.components, "superset", None)
    if not isinstance(options, SupersetOptions):
        return
    path = ("components", "superset", "database")
    hint = "choose another name, such as `superset`"
    if options.database == site.spec.sink.database:
        message = f"`{options.database}` is the database of the flattened tables already"
        yield site.value(codes.DuplicateName, path, message, hint)
    if options.database in _SERVER_DATABASES:
        message = f"`{options.database}` is a database of the server itself"
        yield site.value(codes.ReservedName, path, message, hint)


def _own_users(site: CheckedSite) -> Iterator[Diagnostic]:
    if getattr(site.spec.components, "superset", None) is None:
        return
    username = site.spec.sink.username
    if username in (OWN_USER, READER):
        message = f"`{username}` is a user that Superset has for itself"
        yield site.value(codes.ReservedName, ("sink", "username"), message, "choose another name, such as `analytics`")


SUPERSET_RULES: Final[tuple[Rule, ...]] = (_own_database, _own_users)
