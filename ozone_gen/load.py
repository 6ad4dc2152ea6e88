"""From the path of an ozone.yaml to a site that can be planned: read, shape, check."""

from __future__ import annotations

from dataclasses import dataclass

from ozone_gen.checks import check, dictionary_of
from ozone_gen.diagnostics import Diagnostic, OzoneError, Position, Severity
from ozone_gen.openmrs.dictionary import Dictionary
from ozone_gen.shape import parse_spec
from ozone_gen.source import Source, read_source
from ozone_gen.spec import OzoneSpec


@dataclass(frozen=True)
class Site:
    """A file without errors.

    Attributes:
        spec: what it says.
        dictionary: the concepts of its OpenMRS database, where they are at hand.
        warnings: findings that do not stop a command.
        id_position: where the site's id stands.
        sha256: hash of the file's bytes, in hexadecimal.
    """

    spec: OzoneSpec
    dictionary: Dictionary | None
    warnings: tuple[Diagnostic, ...]
    id_position: Position
    sha256: str


def load(file: str) -> Site:
    """Read a file and check all that can be checked.

    Raises:
        OzoneError: with every finding, warnings among them, when at least one is an error.
    """
    return site_of(read_source(file))


def site_of(source: Source) -> Site:
    """Check all that can be checked about a file that was read; raises as `load`."""
    spec = parse_spec(source)
    dictionary = dictionary_of(spec)
    findings = check(spec, source, dictionary)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise OzoneError(findings)
    return Site(spec, dictionary, findings, source.position(("site", "id")), source.sha256)
