"""From the path of an ozone.yaml to a site that can be planned: read, shape, check."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ozone_gen.checks import check, dictionary_of
from ozone_gen.diagnostics import Diagnostic, OutputError, OzoneError, Position, Severity, codes, in_order
from ozone_gen.extends import extended_source
from ozone_gen.lock_file import RESOLVE_AGAIN, lock_path, read_lock
from ozone_gen.openmrs.dictionary import Dictionary
from ozone_gen.shape import parse_spec
from ozone_gen.source import Source
from ozone_gen.spec import OzoneSpec


@dataclass(frozen=True)
class Site:
    """A file without errors.

    Attributes:
        spec: what it says.
        dictionary: the concepts of its OpenMRS database, where they are at hand; those of its lock where it has one.
        warnings: findings that do not stop a command.
        source: the file itself: what it says where.
        sha256: hash of the bytes of the file and its lock, in hexadecimal.
    """

    spec: OzoneSpec
    dictionary: Dictionary | None
    warnings: tuple[Diagnostic, ...]
    source: Source
    sha256: str

    @property
    def id_position(self) -> Position:
        """Where the site's id stands."""
        return self.source.position(("site", "id"))

    def require_source(self) -> None:
        """Raise OutputError where there is nothing to flatten: a central server reads what others flattened."""
        if not self.spec.sources:
            message = "this is a central server, which has no database of its own to look at"
            raise OutputError(codes.MissingPart.at(self.id_position, message))

    @property
    def locked(self) -> bool:
        """Whether the dictionary is that of a lock, so that its ids are those of the site's own database."""
        return self.dictionary is not None and self.dictionary.locked


def load(file: str) -> Site:
    """Read a file, and the lock beside it where there is one, and check all that can be checked.

    Raises:
        OzoneError: with every finding, warnings among them, when at least one is an error.
    """
    source = extended_source(file)
    return _checked(source, lock_path(file))


def site_of(source: Source, dictionary: Dictionary | None = None) -> Site:
    """Check all that can be checked about a file that was read, whatever stands beside it; raises as `load`.

    `dictionary` is that of the site's database. Left out: that of the demo data, where the site has them.
    """
    spec = parse_spec(source)
    return _site(source, spec, dictionary or dictionary_of(spec))


def _checked(source: Source, lock_file: Path) -> Site:
    spec = parse_spec(source)
    try:
        lock = read_lock(lock_file, spec.site.id)
    except OzoneError as error:
        # Without it nothing can be said about what it would have told.
        others = [each for each in check(spec, source, None) if each.code != codes.UnknownDatatype.id]
        raise OzoneError((*error.diagnostics, *others)) from None
    if lock is None:
        return _site(source, spec, dictionary_of(spec))
    findings = []
    if lock.locales != spec.site.locales:
        path = ("site", "locales")
        message = f"{lock_file.name} was made for the locales {', '.join(lock.locales)}"
        findings.append(codes.StaleLock.at(source.position(path), message, path=path, hint=RESOLVE_AGAIN))
    site = _site(source, spec, lock.dictionary(lock_file.name), findings)
    both = hashlib.sha256(f"{source.sha256} {lock.checksum}".encode())
    return replace(site, sha256=both.hexdigest())


def _site(
    source: Source, spec: OzoneSpec, dictionary: Dictionary | None, others: Iterable[Diagnostic] = ()
) -> Site:
    findings = in_order((*others, *check(spec, source, dictionary)))
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise OzoneError(findings)
    return Site(spec, dictionary, findings, source, source.sha256)
