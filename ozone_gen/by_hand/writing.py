"""The text of an ozone.yaml that was imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ozone_gen.by_hand.deciding import Site
from ozone_gen.render.emit import yaml_inline

_OPEN: Final = frozenset({(), ("sources",), ("sources", "openmrs"), ("sink",), ("flattening",), ("components",)})
"""Mappings that are written one key a line; all others on one line."""


def site_text(site: Site) -> str:
    """The file; ends with a newline."""
    lines = [
        "# Imported by ozone-gen from a folder that was made by hand. Look through it, then run `ozone-gen validate`.",
    ]
    _mapping(lines, site.data, (), site.notes)
    return "\n".join(lines) + "\n"


def _mapping(
    lines: list[str], data: Mapping[str, Any], path: tuple[str, ...], notes: Mapping[tuple[str, ...], str]
) -> None:
    for key, value in data.items():
        place = (*path, key)
        note = f"  # {notes[place]}" if place in notes else ""
        if isinstance(value, dict) and place in _OPEN and value:
            lines.append(f"{'  ' * len(path)}{key}:{note}")
            _mapping(lines, value, place, notes)
        else:
            lines.append(f"{'  ' * len(path)}{key}: {yaml_inline(value)}{note}")
