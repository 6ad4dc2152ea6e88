"""A filter for the template's defaults. cookiecutter loads this file by its name."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from cookiecutter.utils import simple_filter


@simple_filter
def time_zone_of_country(country: str) -> str:
    """The first time zone that IANA's table lists for a country (ISO 3166, two letters), which is its largest or its
    capital's; UTC where there is none.
    """
    for line in _table().splitlines():
        fields = line.split("\t")
        if fields[0] == country.strip().upper():
            return fields[2]
    return "UTC"


def _table() -> str:
    """IANA's table of zones by country: of the package `tzdata`, which newer versions of cookiecutter bring, else of
    the system; empty where there is neither.
    """
    try:
        return resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    except (ModuleNotFoundError, OSError):
        system = Path("/usr/share/zoneinfo/zone.tab")
        return system.read_text(encoding="utf-8") if system.is_file() else ""
