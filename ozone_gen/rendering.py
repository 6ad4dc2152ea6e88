"""From loaded sites to their trees and the folders that these go into; nothing here is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ozone_gen.diagnostics import Diagnostic, Position, codes, did_you_mean
from ozone_gen.evolution import Evolution
from ozone_gen.generate import generate
from ozone_gen.load import Site
from ozone_gen.plan import SitePlan
from ozone_gen.plan.build import build_plan
from ozone_gen.render.manifest import with_manifest
from ozone_gen.render.tree import FileTree


def site_tree(site: Site) -> tuple[SitePlan, FileTree]:
    """Decide everything about a site and make all of its files, its manifest among them."""
    plan = build_plan(site.spec, site.dictionary, locked=site.locked)
    return plan, with_manifest(generate(plan), input_sha256=site.sha256)


def unknown_former_names(site: Site, found: Evolution, folder: Path) -> list[Diagnostic]:
    """A finding for each `renamed_from` that the site in a folder knows nothing of."""
    return [
        codes.UnknownFormerName.at(
            site.source.position(name.path),
            f"the site in {folder} has no {name.what} `{name.former}`, so this is a new {name.what}",
            path=name.path,
            hint=did_you_mean(name.former, name.present) or "remove `renamed_from`",
        )
        for name in found.unknown
    ]


def not_allowed(found: Evolution, folder: Path) -> list[Diagnostic]:
    """A finding for each thing that a change would do to a running site and that has to be allowed."""
    return [
        codes.RebuildNotAllowed.at(
            Position(str(folder)), words, hint="if that is meant, render with --allow-rebuild; --diff shows it all"
        )
        for words in found.dear
    ]


def site_folders(sites: Mapping[str, Site], out: Path) -> tuple[dict[str, Path], list[Diagnostic]]:
    """The folder of each of several sites, by file, and a finding for each that has to share one.

    A site whose folder is not its own is left out, and so is the one that it would share it with.
    """
    by_id: dict[str, list[str]] = {}
    for file, site in sites.items():
        by_id.setdefault(site.spec.site.id, []).append(file)
    findings = [
        codes.SameOutputFolder.at(
            sites[file].id_position,
            f"`{identity}` is also the id of {files[0]}",
            path=("site", "id"),
            hint="change one of the ids, or render the sites one by one",
        )
        for identity, files in by_id.items()
        for file in files[1:]
    ]
    return {files[0]: out / identity for identity, files in by_id.items() if len(files) == 1}, findings
