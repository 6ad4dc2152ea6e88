"""superset-init's order of things, with a Superset that only remembers what it was told."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import pytest

from templates.setup.superset_assets import Asset, Record, digest
from templates.setup.superset_init import (
    Connection,
    Settings,
    bring_in_assets,
    check_secrets,
    follow_renamed,
    read_settings,
    remove_dropped,
)
from templates.setup.superset_store import Superset
from templates.setup.waiting import RefusedError, log

DATABASE = Asset("databases/analytics.yaml", "db", "Analytics", {"sqlalchemy_uri": "postgresql://reader:XXXXXXXXXX@a/b"})
DATASET = Asset("datasets/analytics/visits.yaml", "data", "visits", {"columns": [], "metrics": []})
CHART = Asset("charts/visits.yaml", "chart", "Visits", {"slice_name": "Visits"})
BOARD = Asset("dashboards/start.yaml", "board", "Start", {"position": {}})
BUNDLE = (DATABASE, DATASET, CHART, BOARD)
PASSWORDS = {DATABASE.path: "secret"}


@dataclass
class Remembering:
    """In place of Superset: its assets by uuid, and what was imported, in order."""

    assets: dict[str, Asset] = field(default_factory=dict)
    kept: dict[str, Record] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    imported: list[list[str]] = field(default_factory=list)

    def present(self, kind: str, uuid: str) -> str | None:
        return digest(self.assets[uuid].config) if uuid in self.assets else None

    def password(self, uuid: str) -> str | None:
        return self.passwords.get(uuid)

    def own_parts(self, uuid: str) -> tuple[list[Any], list[Any]]:
        return [], []

    def charts_of(self, uuid: str) -> list[str]:
        return [asset.name for asset in self.assets.values() if asset.config.get("stands_on") == uuid]

    def bring_in(self, assets: Sequence[Asset], passwords: Mapping[str, str]) -> None:
        self.imported.append([asset.uuid for asset in assets])
        self.assets |= {asset.uuid: asset for asset in assets}
        self.passwords |= {asset.uuid: passwords[asset.path] for asset in assets if asset.path in passwords}

    def remember(self, records: Mapping[str, Record], forgotten: Sequence[str] = ()) -> None:
        self.kept |= records
        for uuid in forgotten:
            del self.kept[uuid]

    def give_uuid(self, kind: str, former: str, uuid: str) -> None:
        self.assets[uuid] = replace(self.assets.pop(former), uuid=uuid)
        self.assets |= {
            each.uuid: replace(each, config={**each.config, "stands_on": uuid})
            for each in self.assets.values()
            if each.config.get("stands_on") == former
        }

    def remove(self, kind: str, uuid: str) -> None:
        del self.assets[uuid]

    def run(
        self,
        bundle: Sequence[Asset],
        passwords: Mapping[str, str] = PASSWORDS,
        renamed: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """What one start does."""
        store = cast(Superset, self)
        records = follow_renamed(store, renamed, dict(self.kept))
        bring_in_assets(store, bundle, passwords, records)
        remove_dropped(store, bundle, records)

    def edit(self, uuid: str) -> None:
        self.assets[uuid] = replace(self.assets[uuid], config={**self.assets[uuid].config, "slice_name": "Grace's"})


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.LogCaptureFixture]:
    monkeypatch.setattr(log, "propagate", True)
    with caplog.at_level(logging.INFO, "ozone"):
        yield caplog


def changed(asset: Asset) -> Asset:
    return replace(asset, config={**asset.config, "description": "another"})


def test_everything_is_imported_once(said: pytest.LogCaptureFixture) -> None:
    superset = Remembering()
    superset.run(BUNDLE)
    superset.run(BUNDLE)
    assert superset.imported == [["db", "data", "chart", "board"]]
    assert "Brought in 1 database, 1 dataset, 1 chart, 1 dashboard." in said.text
    assert "Unchanged 1 database, 1 dataset, 1 chart, 1 dashboard." in said.text


def test_only_what_has_changed_is_imported() -> None:
    superset = Remembering()
    superset.run(BUNDLE)
    superset.run((DATABASE, changed(DATASET), CHART, BOARD))
    assert superset.imported[1:] == [["data"]]


def test_another_password_is_brought_in() -> None:
    superset = Remembering()
    superset.run(BUNDLE)
    superset.run(BUNDLE, {DATABASE.path: "another"})
    assert superset.imported[1:] == [["db"]]
    assert superset.passwords == {"db": "another"}


def test_an_edited_chart_stays(said: pytest.LogCaptureFixture) -> None:
    superset = Remembering()
    superset.run(BUNDLE)
    superset.edit("chart")
    superset.run((DATABASE, DATASET, changed(CHART), BOARD))
    assert superset.assets["chart"].config["slice_name"] == "Grace's"
    assert "The chart 'Visits' is left as a person has edited it." in said.text


def test_a_deleted_chart_stays_away() -> None:
    superset = Remembering()
    superset.run(BUNDLE)
    superset.remove("charts", "chart")
    superset.run(BUNDLE)
    superset.run((DATABASE, DATASET, changed(CHART), BOARD))
    assert "chart" not in superset.assets


def test_what_is_no_longer_rendered_is_removed(said: pytest.LogCaptureFixture) -> None:
    superset = Remembering()
    superset.run(BUNDLE)
    superset.run((DATABASE, BOARD))
    assert set(superset.assets) == set(superset.kept) == {"db", "board"}
    assert "The chart 'Visits' is no longer part of the site, and was removed." in said.text


def test_a_dataset_stays_for_as_long_as_a_chart_stands_on_it(said: pytest.LogCaptureFixture) -> None:
    superset = Remembering()
    superset.run(BUNDLE)
    superset.assets["own"] = Asset("charts/own.yaml", "own", "Grace's chart", {"stands_on": "data"})
    superset.run((DATABASE, BOARD))
    assert "data" in superset.assets
    assert "It stays for as long as charts stand on it: Grace's chart." in said.text
    superset.remove("charts", "own")
    superset.run((DATABASE, BOARD))
    assert "data" not in superset.assets


def test_the_dataset_of_a_renamed_table_keeps_what_people_made_of_it(said: pytest.LogCaptureFixture) -> None:
    superset = Remembering()
    superset.run(BUNDLE)
    superset.assets["own"] = Asset("charts/own.yaml", "own", "Grace's chart", {"stands_on": "data"})
    renamed = replace(DATASET, uuid="new", name="stays", config={**DATASET.config, "table_name": "stays"})
    for _ in range(2):
        superset.run((DATABASE, renamed, CHART, BOARD), renamed={"new": "data"})
    assert superset.imported[1:] == [["new"]]
    assert "data" not in superset.assets.keys() | superset.kept.keys()
    assert superset.charts_of("new") == ["Grace's chart"]
    assert superset.kept["new"].name == "stays"
    assert said.text.count("The dataset 'visits' gets the new name of its table.") == 1


def test_a_dataset_that_has_the_new_name_already_is_not_replaced(said: pytest.LogCaptureFixture) -> None:
    superset = Remembering()
    renamed = replace(DATASET, uuid="new", name="stays")
    superset.run((*BUNDLE, renamed))
    superset.assets["own"] = Asset("charts/own.yaml", "own", "Grace's chart", {"stands_on": "data"})
    superset.run((DATABASE, renamed, CHART, BOARD), renamed={"new": "data"})
    assert {"data", "new"} <= superset.assets.keys()
    assert "both are there" in said.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUPERSET_SECRET_KEY", "demo"),
        ("SUPERSET_ADMIN_PASSWORD", "demo"),
        ("SUPERSET_DB_PASSWORD", "short"),
        ("SUPERSET_READER_PASSWORD", ""),
    ],
)
def test_a_secret_that_can_be_guessed_is_refused_but_for_made_up_patients(name: str, value: str) -> None:
    names = ("SUPERSET_ADMIN_PASSWORD", "SUPERSET_DB_PASSWORD", "SUPERSET_READER_PASSWORD")
    good = {**dict.fromkeys(names, "a long password"), "SUPERSET_SECRET_KEY": "k" * 42}
    check_secrets(Settings(False, "public", ()), good)
    check_secrets(Settings(True, "public", ()), {**good, name: value})
    with pytest.raises(RefusedError, match=name):
        check_secrets(Settings(False, "public", ()), {**good, name: value})


def test_settings_are_read(tmp_path: Path) -> None:
    file = tmp_path / "superset.json"
    connection = {"file": "databases/a.yaml", "driver": "postgresql+psycopg2", "variables": {"host": "H"}}
    rendered = {"demo": True, "schema": "flat", "connections": [connection], "renamed_datasets": {"new": "old"}}
    file.write_text(json.dumps(rendered))
    expected = Connection("databases/a.yaml", "postgresql+psycopg2", {"host": "H"})
    assert read_settings(file) == Settings(True, "flat", (expected,), {"new": "old"})
    file.write_text("{}")
    with pytest.raises(RefusedError, match="cannot be used"):
        read_settings(file)
