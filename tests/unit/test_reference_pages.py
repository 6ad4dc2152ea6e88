"""The committed pages of the reference are those that the code makes, and tell of everything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from docs.reference.generate import FOLDER, HUNDREDS, pages
from ozone_gen.cli import all_commands
from ozone_gen.diagnostics import codes
from ozone_gen.json_schema import json_schema

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_page_is_fresh(name: str, golden: Callable[[Path, str], None]) -> None:
    golden(FOLDER / name, PAGES[name])


def test_every_key_is_told() -> None:
    lines = PAGES["ozone-yaml.md"].splitlines()
    for model in json_schema()["definitions"].values():
        for key in model.get("properties", {}):
            assert any(line.startswith(f"| `{key}` |") for line in lines), key


def test_every_code_and_its_group_is_told() -> None:
    page = PAGES["codes.md"]
    for code in codes.all_codes():
        assert f"### {code.id} {code.name}\n" in page
        assert code.id[:3] in HUNDREDS


def test_every_command_and_option_is_told() -> None:
    page = PAGES["commands.md"]
    for name, command in all_commands().items():
        _, _, section = page.partition(f"\n## {name}\n")
        for option in (each for parameter in command.params for each in parameter.opts if each.startswith("-")):
            assert f"`{option}`" in section.partition("\n## ")[0], f"{name} {option}"


def test_nothing_is_of_another_place_or_time() -> None:
    for page in PAGES.values():
        assert " object at 0x" not in page
        assert str(Path.home()) not in page
        assert "Sentinel" not in page
