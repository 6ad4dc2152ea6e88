"""A picture of a site's dashboard, as a person sees it who has logged in."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.e2e.browser import Page, page

LOADING = "document.querySelectorAll('.loading, [aria-label=\"Loading\"], .ant-spin-spinning').length"
CHARTS = "document.querySelectorAll('.dashboard-component-chart-holder').length"
# What Superset shows in place of a chart: a fault, or that there are no rows.
TROUBLES = """[...document.querySelectorAll('.dashboard-component-chart-holder')]
  .filter(chart => chart.querySelector('[role=alert], [data-test=error], .ant-empty, .missing-chart-container'))
  .map(chart => chart.innerText)"""


def take_picture(
    port: int,
    picture: Path,
    *,
    dashboard: str = "start",
    width: int = 1600,
    height: int = 6000,
    password: str = "demo",
) -> tuple[int, list[str]]:
    """Log in, open a dashboard and take its picture.

    Returns:
        How many charts it has, and the words of those that show a fault or nothing.
    """
    site = f"http://127.0.0.1:{port}"
    with page() as browser:
        browser.size(width, 1000)
        _log_in(browser, site, password)
        browser.open(f"{site}/superset/dashboard/{dashboard}/")
        browser.until(f"{CHARTS} > 0")
        # A chart is loaded once it comes into the window.
        browser.size(width, height)
        time.sleep(2)
        browser.until(f"{LOADING} == 0")
        time.sleep(2)  # bars grow
        browser.picture(picture)
        return browser.ask(CHARTS), browser.ask(TROUBLES)


def _log_in(browser: Page, site: str, password: str, attempts: int = 4) -> None:
    """Log in, again where what was written came before the page's program had begun, as on a busy machine."""
    for attempt in range(1, attempts + 1):
        browser.open(f"{site}/login/")
        browser.write("input#username", "admin")
        browser.write("input#password", password)
        browser.ask("document.querySelector('button[type=submit], input[type=submit]').click()")
        try:
            browser.until("!location.pathname.startsWith('/login')", 45)
            return
        except AssertionError:
            if attempt == attempts:
                raise


if __name__ == "__main__":
    print(take_picture(int(sys.argv[1]), Path(sys.argv[2]), height=int(sys.argv[3])))
