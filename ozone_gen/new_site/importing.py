"""The template's own Jinja extensions, which cookiecutter imports by name from the template's folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def extensions_of(template: Path) -> Iterator[None]:
    """Let `local_extensions` be imported from a template's folder, as cookiecutter's own command line does."""
    before = sys.path.copy()
    sys.path.insert(0, str(template))
    try:
        yield
    finally:
        sys.path[:] = before
