"""Names that others than the assets need; apart, since the assets take time to import."""

from __future__ import annotations

from typing import Final

READER: Final = "superset_reader"
"""The user under which Superset reads the flattened tables."""

DATABASE: Final = "analytics"
"""The name of a site's analytics database among the assets."""
