"""What a shell offers where TAB is pressed: the files of sites, and the codes of findings."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING, Final

from ozone_gen.diagnostics import codes

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

_SITE_FILES: Final = ("*.yaml", "*/ozone.yaml", "*/*/ozone.yaml")
"""Behind what was typed. Files below are offered whole: a shell would put a space behind a folder of ours."""

_NO_SITE: Final = (".lock.yaml", ".base.yaml")


def complete_site(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the ozone.yaml files that begin so; any file where there is none."""
    from click.shell_completion import CompletionItem

    start = glob.escape(incomplete)
    found = {path for pattern in _SITE_FILES for path in glob.glob(start + pattern)}
    sites = sorted(path for path in found if not path.endswith(_NO_SITE) and "docker-compose" not in path)
    return [CompletionItem(path) for path in sites] or [CompletionItem(incomplete, type="file")]


def complete_code(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the codes that begin so, and their names once something is typed."""
    from click.shell_completion import CompletionItem

    typed = incomplete.lower()
    offered = []
    for code in codes.all_codes():
        about = (code.__doc__ or "").strip().splitlines()[0]
        names = (code.id, code.name) if typed else (code.id,)
        offered += [CompletionItem(name, help=about) for name in names if name.lower().startswith(typed)]
    return offered
