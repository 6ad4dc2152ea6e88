"""What has to differ between the sites of a fleet, which no site by itself can tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Final

from ozone_gen.checks import published_parts
from ozone_gen.components import parquet_export
from ozone_gen.diagnostics import Diagnostic, codes
from ozone_gen.diagnostics import Path as ValuePath
from ozone_gen.load import Site
from ozone_gen.plan.build import server_id_of

_Claim = tuple[str, ValuePath, str]
"""What a site claims for itself, in words that only another claim of the same thing has; where it says so; a cure."""


def across_sites(sites: Mapping[str, Site]) -> list[Diagnostic]:
    """A finding for each thing that two sites claim, at the later one; `sites` are by their files, in order."""
    owners: dict[str, str] = {}
    findings = []
    for file, site in sites.items():
        for claim, path, hint in _claims(site):
            owner = owners.setdefault(claim, file)
            if owner != file:
                position = site.source.position(path)
                message = f"{claim}, as is said in {owner}, too"
                findings.append(codes.SharedByTwoSites.at(position, message, path=path, hint=hint))
                if path == _ID:
                    break  # what follows from the id would be said of both as well
    return findings


_ID: Final[ValuePath] = ("site", "id")


def _claims(site: Site) -> Iterator[_Claim]:
    spec = site.spec
    yield f"the id of this site is `{spec.site.id}`", _ID, "every site needs an id of its own"
    export = getattr(spec.components, parquet_export.component.name, None)
    if isinstance(export, parquet_export.ParquetExportOptions):
        # The central server would take the exports of both for those of one site.
        tag = export.location_tag or spec.site.id
        path = ("components", parquet_export.component.name, "location_tag")
        yield f"the location tag of the exports is `{tag}`", path, "leave it out: the site's id is its tag then"
    for name, source in spec.sources.items():
        if source.demo is None and source.host and "$" not in source.host:
            number = server_id_of(spec, name)
            words = f"this is the replica {number} of {source.host}:{source.port}"
            yield words, ("sources", name, "server_id"), "give one of the two another `server_id`"
    address = ip_address(spec.ports.bind_address)
    # Only an address of its own tells which machine it is: loopback and 0.0.0.0 are there on all of them.
    for part in published_parts(spec) if not (address.is_loopback or address.is_unspecified) else ():
        port = getattr(spec.ports, part)
        if port is not None:
            hint = "give one of the two another port, or null to close it"
            yield f"a port is published on {address}:{port}", ("ports", part), hint
