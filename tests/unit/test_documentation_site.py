"""The documentation builds without a warning; each link and anchor of it resolves, and no page loads from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
LOADED = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data"}
"""Elements for which a browser fetches something by itself, with the attribute that says what."""
NOT_LOADED = ("canonical", "prev", "next", "alternate", "edit")


@dataclass
class Page(HTMLParser):
    """What a page refers to, and what in it can be referred to."""

    path: Path
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if given.get(LOADED.get(tag, "")) and given.get("rel") not in NOT_LOADED:
            self.loads.append(given[LOADED[tag]])


@cache
def page(path: Path) -> Page:
    return Page(path)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def pages(site: Path) -> list[Page]:
    found = [page(path) for path in sorted(site.rglob("*.html"))]
    assert len(found) > 20
    return found


def broken(source: Page, link: str, site: Path) -> str:
    """Why a link leads nowhere; empty where it does not."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return "" if parts.scheme in ("http", "https") else "an unknown scheme"
    target = source.path
    if parts.path:
        # Pages for errors are shown at any address, so theirs begin at the top.
        base = site if parts.path.startswith("/") else source.path.parent
        target = (base / unquote(parts.path).lstrip("/")).resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.is_file() or not target.is_relative_to(site):
        return "there is no such file"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in page(target).anchors:
        return "there is no such anchor"
    return ""


def test_every_link_and_anchor_resolves(site: Path) -> None:
    wrong = [
        f"{each.path.relative_to(site)}: {link}: {why}"
        for each in pages(site)
        for link in (*each.links, *each.loads)
        if (why := broken(each, link, site))
    ]
    assert wrong == []


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    wanted = [(each.path.name, address) for each in pages(site) for address in each.loads]
    assert [each for each in wanted if urlsplit(each[1]).netloc] == []
    for sheet in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)[\s\"']*(?:https?:)?//[^)\"']+", sheet.read_text(encoding="utf-8")) == []


def test_a_broken_link_would_be_noticed(site: Path) -> None:
    start = page(site / "index.html")
    assert broken(start, "tutorial.html#1-install", site) == ""
    assert broken(start, "tutorial.html#nowhere", site) == "there is no such anchor"
    assert broken(start, "nowhere.html", site) == "there is no such file"
    assert broken(start, "../outside.html", site) == "there is no such file"


def test_programs_are_not_part_of_it(site: Path) -> None:
    assert list(site.rglob("*.py")) == []
    assert (site / "search" / "search_index.js").is_file()
