"""The plan's fingerprint changes with whatever makes Flink's state of no use, and with nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from ozone_gen.components.flink import SETTINGS
from ozone_gen.plan import build
from ozone_gen.plan.build import build_plan
from ozone_gen.spec import OzoneSpec


def fingerprint(**changes: Any) -> str:
    columns = {"weight_kg": {"concept": "CIEL:5089", "type": "numeric"}}
    table = {"rows": "encounter", "columns": columns, **changes.pop("table", {})}
    document = {
        "version": 1,
        "site": {"id": "clinic", "name": "Clinic"},
        "sources": {"openmrs": {"type": "openmrs", "password": "${P}"}},
        "sink": {"type": "postgresql", "password": "${Q}"},
        "flattening": {"tables": {"vitals": table}},
        **changes,
    }
    return build_plan(OzoneSpec.model_validate(document)).fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"table": {"columns": {"weight": {"concept": "CIEL:5089", "type": "numeric"}}}},
        {"table": {"columns": {"weight_kg": {"concept": "CIEL:5089", "type": "integer"}}}},
        {"table": {"encounter_types": ["Vitals"]}},
        {"sink": {"type": "postgresql", "password": "${Q}", "schema": "flat"}},
    ],
)
def test_it_changes_with_how_a_table_is_filled(changes: dict[str, Any]) -> None:
    assert fingerprint(**changes) != fingerprint()


@pytest.mark.parametrize(
    "changes",
    [
        {"table": {"description": "Vital signs."}},
        {"ports": {"flink": 9999}},
        {"memory": {"taskmanager": "2g"}},
        {"sink": {"type": "postgresql", "password": "${Q}", "host": "warehouse"}},
    ],
)
def test_it_stays_where_rows_and_state_stay(changes: dict[str, Any]) -> None:
    assert fingerprint(**changes) == fingerprint()


def test_it_changes_with_the_settings_that_the_job_is_planned_with(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()
    monkeypatch.setitem(SETTINGS, "table.exec.mini-batch.enabled", "true")
    assert fingerprint() != before


def test_it_changes_with_the_columns_that_source_tables_declare(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()
    monkeypatch.setattr(build, "columns_read", lambda source, tables, flattened: tables)
    assert fingerprint() != before
