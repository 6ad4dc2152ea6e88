"""A site that reads the clinic's own database and writes into an analytics database that is there already.

The source is a real OpenMRS database where the machine has one (75 patients, 408 times vital signs), else made-up
data. The databases come up after the site, with faults first: the site says what is wrong and mends itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ozone_gen.openmrs.demo import demo_sql
from tests.e2e.changes import HISTORIES
from tests.e2e.conftest import REAL_DATABASE, ROOT, render
from tests.e2e.running_site import RunningSite, free_port, until
from tests.oracle.comparing import queries

pytestmark = pytest.mark.e2e

SITE = "external-test"
READER = "analytics_reader"
QUERIES = queries(Path(__file__).parent / "external.yaml")
GRANTS = (
    f"GRANT SELECT ON openmrs.* TO '{READER}'@'%'",
    f"GRANT RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO '{READER}'@'%'",
)


@pytest.fixture(scope="module")
def clinic(working_folder: Path, engine: Mapping[str, str]) -> Iterator[RunningSite]:
    """The clinic's servers, which belong to another compose project and are not running yet."""
    folder = working_folder / "clinic"
    folder.mkdir()
    ports = {"mysql": free_port(), "postgresql": free_port()}
    data = REAL_DATABASE.read_bytes() if REAL_DATABASE.exists() else demo_sql(155, 1)
    print(f"the source is {'a real OpenMRS database' if REAL_DATABASE.exists() else 'made up'}")
    (folder / "dump.sql").write_bytes(data)
    project = {
        "name": "clinic-servers",
        "services": {
            "clinic-db": {
                "image": "mariadb:10.11",
                "command": ["--server-id=1", "--log-bin=binlog", "--binlog-format=ROW"],
                "environment": {"MARIADB_ROOT_PASSWORD": "demo", "MARIADB_DATABASE": "openmrs"},
                "volumes": ["./dump.sql:/docker-entrypoint-initdb.d/1.sql:ro"],
                "ports": [f"127.0.0.1:{ports['mysql']}:3306"],
                "healthcheck": {
                    "test": ["CMD", "healthcheck.sh", "--connect", "--innodb_initialized"],
                    "interval": "5s",
                    "retries": 60,
                },
            },
            "warehouse": {
                "image": "postgres:16",
                "environment": {"POSTGRES_PASSWORD": "demo", "POSTGRES_USER": "owner", "POSTGRES_DB": "analytics"},
                "ports": [f"127.0.0.1:{ports['postgresql']}:5432"],
                "healthcheck": {"test": ["CMD-SHELL", "pg_isready -h 127.0.0.1 -U owner"], "interval": "5s"},
            },
        },
        "networks": {"default": {"name": "clinic-network"}},
    }
    (folder / "compose.yaml").write_text(json.dumps(project))
    servers = RunningSite(folder, engine, ports, files=["compose.yaml"])
    servers.down()
    try:
        servers.compose("create")
        yield servers
    finally:
        servers.down()


@pytest.fixture(scope="module")
def site(clinic: RunningSite, working_folder: Path, engine: Mapping[str, str]) -> Iterator[RunningSite]:
    """The site, started while the clinic's servers are still down."""
    ports = {part: free_port() for part in ("connect", "flink")}
    file = working_folder / "external.yaml"
    file.write_text(f"{(ROOT / 'tests' / 'e2e' / 'external.yaml').read_text()}ports: {json.dumps(ports)}\n")
    out = working_folder / SITE
    render(file, out)
    assert not (out / "docker-compose-db.yaml").exists()
    (out / ".env").write_text("OPENMRS_DB_PASSWORD=secret\nANALYTICS_DB_PASSWORD=demo\n")
    override = {"networks": {"default": {"name": "clinic-network", "external": True}}}
    (out / "network.json").write_text(json.dumps(override))
    running = RunningSite(
        out, engine, {**ports, **clinic.ports}, files=["docker-compose-data-pipelines.yaml", "network.json"]
    )
    running.down()
    try:
        running.compose("build")
        yield running
    finally:
        running.down()


def says(site: RunningSite, service: str, *words: str) -> None:
    """Wait until the newest lines of a service's log hold these words."""

    def said() -> bool:
        log = site.compose("logs", "--no-log-prefix", "--tail", "20", service)
        return all(word in log for word in words)

    try:
        until(f"{service} says {words}", said)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{site.compose('logs', '--tail', '20', service)}") from error


def test_a_source_that_is_down_is_named_and_nothing_looks_healthy(site: RunningSite) -> None:
    site.compose("up", "-d", "kafka-setup", "connect-setup")
    says(site, "connect-setup", "clinic-db")
    assert site.states()["connect-setup"] != "healthy"


def test_a_sink_that_is_down_is_named(site: RunningSite) -> None:
    site.compose("up", "-d", "--no-deps", "migrate")
    says(site, "migrate", "warehouse")


def test_a_wrong_password_is_named(site: RunningSite, clinic: RunningSite) -> None:
    clinic.compose("up", "-d", "--wait", "clinic-db")
    clinic.change(f"CREATE USER '{READER}'@'%' IDENTIFIED BY 'another'")
    says(site, "connect-setup", "password")
    assert site.states()["connect-setup"] != "healthy"


def test_missing_privileges_are_named_with_their_grant(site: RunningSite, clinic: RunningSite) -> None:
    clinic.change(f"SET PASSWORD FOR '{READER}'@'%' = PASSWORD('secret')", GRANTS[0])
    says(site, "connect-setup", "GRANT", "REPLICATION SLAVE")
    assert site.states()["connect-setup"] != "healthy"


def test_a_binary_log_of_statements_is_named(site: RunningSite, clinic: RunningSite) -> None:
    clinic.change(GRANTS[1], "SET GLOBAL binlog_format = 'STATEMENT'")
    says(site, "connect-setup", "binlog_format")
    clinic.change("SET GLOBAL binlog_format = 'ROW'")


def test_the_site_mends_itself_once_the_databases_are_fit(site: RunningSite, clinic: RunningSite) -> None:
    clinic.compose("up", "-d", "--wait", "warehouse")
    clinic.compose(
        *("exec", "-T", "warehouse", "psql", "-q", "-U", "owner", "-d", "analytics", "-c"),
        "CREATE USER analytics PASSWORD 'demo'; GRANT CREATE ON DATABASE analytics TO analytics;"
        " GRANT USAGE, CREATE ON SCHEMA public TO analytics",
    )
    started = time.monotonic()
    site.up()
    site.settle(QUERIES)
    print(f"complete {time.monotonic() - started:.0f} s after up")
    with site.sink() as sink:
        rows = sink.execute("SELECT count(*) AS n, count(weight_kg) AS weights FROM vitals").fetchone()
    assert rows is not None
    assert rows["n"] > 0
    if REAL_DATABASE.exists():
        assert rows["n"] == 408


@pytest.mark.slow
@pytest.mark.parametrize("history", HISTORIES)
def test_tables_follow_a_history_of_changes(site: RunningSite, history: str) -> None:
    site.change(*HISTORIES[history])
    site.settle(QUERIES)


@pytest.mark.slow
def test_a_wiped_sink_is_filled_again(site: RunningSite) -> None:
    with site.sink() as sink:
        sink.execute("DROP SCHEMA ozone_gen CASCADE")
        for table in QUERIES:
            sink.execute(f'DROP TABLE "{table}"')
    site.up()
    site.settle(QUERIES)


@pytest.mark.slow
def test_a_source_that_goes_away_is_noticed_and_followed_again(site: RunningSite, clinic: RunningSite) -> None:
    clinic.compose("stop", "-t", "5", "clinic-db")
    until("connect-setup is unhealthy", lambda: site.states()["connect-setup"] == "unhealthy")
    clinic.compose("start", "clinic-db")
    clinic.compose("up", "-d", "--wait", "clinic-db")
    site.change("UPDATE obs SET comments = 'back' WHERE obs_id % 3 = 0")
    site.settle(QUERIES)
    until("connect-setup is healthy", lambda: site.states()["connect-setup"] == "healthy")
