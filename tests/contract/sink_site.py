"""A site's sink on a real PostgreSQL, with the volume of its Flink, and the tables that the tests evolve."""

import dataclasses
import warnings
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from templates.setup.flink_generation import Volume
from templates.setup.sink_tables import Column, Plan, Table

with warnings.catch_warnings():
    # kafka-python reads its message schemas by a function that Python 3.11 and 3.12 call deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from templates.setup.migrate import migrate
    from templates.setup.sink_records import read_generation
    from templates.setup.sink_session import Sink, connect
    from templates.setup.sink_swap import swap

NOTHING_LISTENS = "http://127.0.0.1:9"

VITALS = Table(
    "vitals",
    "Vital signs",
    (
        Column("site", "varchar(40)", False, ""),
        Column("encounter_id", "integer", False, "The encounter's number"),
        Column("weight_kg", "double precision", True, "CIEL:5089"),
        Column("taken_at", "timestamp(3)", True, ""),
    ),
    ("site", "encounter_id"),
    (("taken_at",),),
)
PATIENTS = Table("patients", "", (Column("patient_id", "bigint", False, ""),), ("patient_id",), ())
PLAN = Plan("clinic", "f1", "public", (VITALS, PATIENTS))


@dataclass
class Site:
    """One site's sink and volume, and the administrator's session in the same database."""

    sink: Sink
    admin: "psycopg.Connection[Any]"
    folder: Path

    @property
    def volume(self) -> Volume:
        return Volume(self.folder)

    def migrate(self, plan: Plan = PLAN, topics: str = "t1", flink: str = NOTHING_LISTENS) -> str:
        """Run it as main does; the generation's token."""
        with closing(connect(self.sink)) as connection:
            migrate(connection, plan, self.volume, topics, flink)
        token = self.volume.token()
        assert token
        assert self.volume.fingerprint() == plan.fingerprint
        return token

    def swap(self, plan: Plan = PLAN, lock_timeout_ms: int = 2_000) -> None:
        """Swap as the program does once the tables are complete."""
        with closing(connect(self.sink, "ozone-swap")) as connection:
            generation = read_generation(connection, plan.site)
            assert generation
            swap(connection, plan, generation, lock_timeout_ms)

    @property
    def staging(self) -> str:
        """The schema that the present generation is filled in, if there is one."""
        token = self.volume.token()
        schema = f"ozone_next_{token}"
        return schema if self.run(f"SELECT 1 FROM pg_namespace WHERE nspname = '{schema}'") else ""

    def job(self, token: str = "", schema: str = "public") -> "psycopg.Connection[Any]":
        """A connection as Flink's job of a generation has it."""
        return psycopg.connect(
            host=self.sink.host,
            port=self.sink.port,
            dbname=self.sink.database,
            user=self.sink.user,
            password=self.sink.password,
            options=f"-c search_path=ozone_next_{token or self.volume.token()},{schema}",
            autocommit=True,
        )

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        cursor = self.admin.execute(statement)
        return cursor.fetchall() if cursor.description else []

    def columns(self, table: str) -> list[tuple[Any, ...]]:
        return self.run(
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull, col_description(attrelid, attnum)"
            f" FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
            " ORDER BY attnum"
        )

    def fill(self) -> None:
        self.run("INSERT INTO vitals VALUES ('clinic', 1, 71.5, '2026-01-02 03:04:05')")

    def count(self, table: str = "vitals") -> int:
        return int(self.run(f"SELECT count(*) FROM {table}")[0][0])

    def tables(self) -> list[str]:
        rows = self.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        return [row[0] for row in rows]


def with_columns(table: Table, *columns: Column) -> Table:
    return dataclasses.replace(table, columns=columns)


def plan_of(fingerprint: str, *tables: Table) -> Plan:
    return dataclasses.replace(PLAN, fingerprint=fingerprint, tables=tables)
