"""The doctor's look at the two databases of a site, on real servers: privileges, and rows on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import psycopg
import pymysql
import pytest

from ozone_gen.doctor import Finding, State, sink, source, tables
from ozone_gen.doctor.counts import count_queries
from ozone_gen.doctor.reach import Surroundings
from ozone_gen.load import load
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.plan.build import build_plan
from tests.contract.conftest import Server

DEMO = (Path(__file__).parents[2] / "examples" / "demo" / "ozone.yaml").read_text(encoding="utf-8")


@pytest.fixture
def clinic(mariadb: Server) -> Iterator[pymysql.Connection[pymysql.cursors.Cursor]]:
    """The administrator's session in a database with made-up patients."""
    with closing(
        pymysql.connect(
            host=mariadb.host,
            port=mariadb.port,
            user=mariadb.user,
            autocommit=True,
            charset="utf8mb4",
            client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS,
        )
    ) as connection:
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE openmrs; USE openmrs; CREATE USER reader@'%' IDENTIFIED BY 'secret'")
            while cursor.nextset():
                pass
            cursor.execute(demo_sql(20, 1).decode())
            while cursor.nextset():
                pass
        yield connection
        with connection.cursor() as cursor:
            cursor.execute("DROP DATABASE openmrs")
            cursor.execute("DROP USER reader@'%'")


@pytest.fixture
def analytics(postgresql: Server) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The administrator's session in the analytics database."""

    def session(database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=postgresql.host,
            port=postgresql.port,
            user=postgresql.user,
            password=postgresql.password,
            dbname=database,
            autocommit=True,
        )

    with closing(session("postgres")) as first:
        first.execute("CREATE ROLE writer LOGIN PASSWORD 'secret'")
        first.execute("CREATE DATABASE doctor")
        with closing(session("doctor")) as connection:
            yield connection
            connection.execute("DROP OWNED BY writer")
        first.execute("DROP DATABASE doctor")
        first.execute("DROP ROLE writer")


@pytest.fixture
def surroundings(tmp_path: Path, mariadb: Server, postgresql: Server) -> Surroundings:
    file = tmp_path / "ozone.yaml"
    file.write_text(f"{DEMO}ports: {{mysql: {mariadb.port}, postgresql: {postgresql.port}}}\n", encoding="utf-8")
    site = load(str(file))
    environment = {
        "CONNECT_MYSQL_USERNAME": "reader",
        "OPENMRS_DB_PASSWORD": "secret",
        "ANALYTICS_DB_USER": "writer",
        "ANALYTICS_DB_NAME": "doctor",
        "ANALYTICS_DB_PASSWORD": "secret",
    }
    return Surroundings(build_plan(site.spec, site.dictionary), environment)


def queries(folder: Path) -> Mapping[str, str]:
    site = load(str(folder / "ozone.yaml"))
    return count_queries(build_plan(site.spec, site.dictionary))


def granted(finding: Finding) -> str:
    assert finding.state is State.ILL
    return "GRANT " + finding.cure.partition("GRANT ")[2]


def test_what_the_source_lacks_is_mended_by_the_printed_grant(
    clinic: pymysql.Connection[pymysql.cursors.Cursor], surroundings: Surroundings
) -> None:
    for _ in range(3):  # what is lacking can be seen only once the database can be read
        found = list(source.examine(surroundings))
        with clinic.cursor() as cursor:
            for finding in found:
                if finding.state is State.ILL:
                    cursor.execute(granted(finding))
    assert [finding.state for finding in source.examine(surroundings)] == [State.WELL]


def test_what_the_sink_lacks_is_mended_by_the_printed_grant(
    analytics: psycopg.Connection[tuple[object, ...]], surroundings: Surroundings
) -> None:
    for _ in range(2):
        for finding in sink.examine(surroundings):
            if finding.state is State.ILL:
                analytics.execute(granted(finding).encode())
    assert [finding.state for finding in sink.examine(surroundings)] == [State.WELL]


def test_a_wrong_password_is_named(
    clinic: object, analytics: object, surroundings: Surroundings
) -> None:
    wrong = {"OPENMRS_DB_PASSWORD": "x", "ANALYTICS_DB_PASSWORD": "x"}
    there = Surroundings(surroundings.plan, {**surroundings.environment, **wrong})
    for part, look in (("Source", source), ("Sink", sink)):
        (finding,) = look.examine(there)
        assert (finding.part, finding.state) == (part, State.ILL)
        assert "password" in finding.what


def test_rows_are_counted_on_both_sides(
    clinic: pymysql.Connection[pymysql.cursors.Cursor],
    analytics: psycopg.Connection[tuple[object, ...]],
    surroundings: Surroundings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "_PATIENCE_S", 0.0)
    with clinic.cursor() as cursor:
        cursor.execute("GRANT SELECT ON openmrs.* TO reader@'%'")
    analytics.execute("CREATE TABLE patients AS SELECT generate_series(1, 20) AS patient_id")
    analytics.execute("CREATE TABLE vitals (encounter_id bigint)")
    analytics.execute("GRANT SELECT ON patients, vitals TO writer")
    found = {finding.part: finding for finding in tables.examine(surroundings, queries(tmp_path))}
    assert found["Table patients"].state is State.WELL
    assert found["Table vitals"].state is State.WARNING
    assert found["Table vitals"].what.startswith("0 rows, the source has ")
    assert found["Table visits"].what == "it is not in the sink"
