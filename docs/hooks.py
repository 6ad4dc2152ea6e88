"""What MkDocs does beside building the pages here: links to files elsewhere in the repository work on the site, too."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

OUTSIDE = {
    "CONTRIBUTING.md": "contributing.md",
    "schemas/diff.schema.json": "schemas/diff.schema.json",
}
"""Files of the repository that pages refer to, with their places on the site."""

_LINK = re.compile(r"(?<=\]\()(\.\./[^)#\s]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files that are elsewhere in the repository."""
    root = Path(config.docs_dir).parent
    for source, place in OUTSIDE.items():
        files.append(File.generated(config, place, abs_src_path=str(root / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point the links to them, which are right where the repository is read, to where they are on the site."""
    here = posixpath.dirname(page.file.src_uri)

    def pointed(link: re.Match[str]) -> str:
        target = posixpath.relpath(posixpath.join("docs", here, link[1]), ".")
        place = OUTSIDE.get(target)
        return posixpath.relpath(place, here or ".") if place else link[1]

    return _LINK.sub(pointed, markdown)
