"""Compare flattened tables with batch queries over the source."""

from __future__ import annotations

import datetime
import decimal
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pymysql
import pymysql.cursors

from ozone_gen.flattening.core import CORE_TABLES
from ozone_gen.load import load
from ozone_gen.plan import SitePlan
from ozone_gen.plan.build import build_plan

ORACLE = Path(__file__).parent

Rows = dict[Any, dict[str, Any]]

OPENMRS_2_4 = {'platform: "2.5"': 'platform: "2.4"', "    modules: [appointments]\n": ""}
"""What the demo site's file has to say of the real database instead: its version (its table of change sets says
it), and that it is without the appointments module."""


def queries(file: Path) -> dict[str, str]:
    """The batch query of each table that a site's file asks for; its own tables are those of the demo site."""
    plan = _plan(file)
    found = {}
    for table in plan.tables:
        folder = "core" if table.name in CORE_TABLES else "demo"
        text = (ORACLE / folder / f"{table.name}.sql").read_text()
        text = text.replace("'demo' AS site", f"'{plan.site.id}' AS site")
        if plan.source.platform in ("2.2", "2.3", "2.4"):
            text = text.replace("dx_rank AS", "`rank` AS")  # it was renamed
        found[table.name] = text
    return found


def keys(file: Path) -> dict[str, str]:
    """The key column of each table that a site's file asks for."""
    return {table.name: table.primary_key for table in _plan(file).tables}


def _plan(file: Path) -> SitePlan:
    site = load(str(file))
    return build_plan(site.spec, site.dictionary)


def batch_rows(connection: pymysql.Connection[Any], query: str) -> list[dict[str, Any]]:
    """Run one batch query over the source, with concepts written as {SOURCE:CODE} or {uuid}."""
    with connection.cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute("SET SESSION group_concat_max_len = 10000000")
        cursor.execute("DROP TEMPORARY TABLE IF EXISTS concept_label")
        cursor.execute((ORACLE / "core" / "label.sql").read_text())
        cursor.execute(_with_concepts(cursor, query))
        rows = list(cursor.fetchall())
    connection.rollback()  # the next query has to see what was committed meanwhile
    return rows


def _with_concepts(cursor: pymysql.cursors.DictCursor, query: str) -> str:
    def concept_id(found: re.Match[str]) -> str:
        reference = found.group(1)
        if ":" in reference:
            source, code = reference.split(":")
            cursor.execute(
                "SELECT MIN(m.concept_id) AS id FROM concept_reference_map m"
                " JOIN concept_reference_term t USING (concept_reference_term_id)"
                " JOIN concept_reference_source s ON s.concept_source_id = t.concept_source_id"
                " JOIN concept_map_type y USING (concept_map_type_id)"
                " WHERE y.name = 'SAME-AS' AND s.name = %s AND t.code = %s",
                (source, code),
            )
        else:
            cursor.execute("SELECT concept_id AS id FROM concept WHERE uuid = %s", (reference,))
        row = cursor.fetchone()
        # A concept that the dictionary lacks has no observations.
        return str(row["id"]) if row and row["id"] is not None else "-1"

    return re.sub(r"\{([^{}\s]+)\}", concept_id, query)


def plain(value: Any) -> Any:
    """Bring a value of either database into one form."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, datetime.datetime) and not value.microsecond:
        return value.isoformat(sep=" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return value


def by_key(rows: Sequence[Mapping[str, Any]], key: str) -> Rows:
    """Index rows by their key, which has to be unique."""
    indexed = {row[key]: {name: plain(value) for name, value in row.items()} for row in rows}
    assert len(indexed) == len(rows), f"{key} is not unique"
    return indexed


def difference(expected: Rows, found: Rows, limit: int = 5) -> str:
    """Say in words where two tables differ; empty where they do not."""
    lines = []
    missing, extra = expected.keys() - found.keys(), found.keys() - expected.keys()
    if missing:
        lines.append(f"{len(missing)} rows are missing, such as {sorted(missing)[:limit]}")
    if extra:
        lines.append(f"{len(extra)} rows are too many, such as {sorted(extra)[:limit]}")
    wrong = 0
    for key in sorted(expected.keys() & found.keys()):
        for name in expected[key].keys() | found[key].keys():
            wanted, got = expected[key].get(name, "(no column)"), found[key].get(name, "(no column)")
            if wanted != got:
                wrong += 1
                if wrong <= limit:
                    lines.append(f"{key}.{name} is {got!r} instead of {wanted!r}")
    if wrong > limit:
        lines.append(f"... {wrong} cells in all")
    return "; ".join(lines)
