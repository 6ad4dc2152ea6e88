"""What all tests share: golden files and the flag that rewrites them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.engine import prepare_ahead

FLAG = "--update-golden"

Golden = Callable[[Path, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(FLAG, action="store_true", help="rewrite golden files instead of comparing with them")


def pytest_configure(config: pytest.Config) -> None:
    # A CI job that rewrote what it compares with would always pass.
    if config.getoption(FLAG) and os.environ.get("CI", "").lower() in ("1", "true"):
        raise pytest.UsageError(f"{FLAG} is not for CI: run it on your machine and review what it changes")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # What takes minutes comes last; one of several processes begins with what takes long, and ends with what does not.
    # The sort is stable.
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("flink") is None)
    items.sort(key=_is_end_to_end)


def pytest_collection_finish(session: pytest.Session) -> None:
    """The other tests leave much of the time and of the machine to the downloads that the last ones need."""
    if not session.config.option.collectonly and any(map(_is_end_to_end, session.items)):
        prepare_ahead()


def _is_end_to_end(item: pytest.Item) -> bool:
    return item.get_closest_marker("e2e") is not None


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with the golden file of that path; with the flag, write it."""
    update: bool = request.config.getoption(FLAG)

    def compare(path: Path, text: str) -> None:
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.is_file(), f"{path.name} is missing: run pytest {FLAG}, and review what it writes"
        assert text == path.read_text(encoding="utf-8"), f"{path.name}: if this is right, run pytest {FLAG}"

    return compare
