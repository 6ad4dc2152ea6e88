"""The dictionary out of a server: the same as out of its dump, at one moment, by a user who may only read."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymysql
import pytest

from ozone_gen.cli import main
from ozone_gen.diagnostics import OutputError, OzoneError
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.openmrs.dictionary_database import DatabaseAddress, tables_to_read, vocabulary_of_database
from ozone_gen.openmrs.dictionary_dump import vocabulary_of_dump
from ozone_gen.openmrs.dictionary_file import dictionary_bytes, read_dictionary
from ozone_gen.openmrs.vocabulary import Vocabulary
from tests.contract.conftest import Server, program

REAL_DATABASE = Path(__file__).parents[3] / "shared" / "data" / "openmrs-demo.sql"
DATA = ["made-up", *(["real"] if REAL_DATABASE.exists() else [])]
READER, PASSWORD = "dictionary_reader", "reader-secret"
SITE = """\
version: 1
site: {{id: clinic-a, name: Clinic A, locales: [fr, en]}}
sources:
  openmrs: {{type: openmrs, host: mysql.inside.containers, database: {database}, password: "${{OPENMRS_DB_PASSWORD}}"}}
sink: {{type: postgresql, password: "${{ANALYTICS_DB_PASSWORD}}"}}
flattening:
  tables:
    vitals:
      rows: encounter
      encounter_types: [Vitals]
      columns: {{weight_kg: CIEL:5089, diagnosis: CIEL:1284}}
"""


@pytest.fixture(scope="module")
def server(start_mariadb: Callable[..., Any]) -> Iterator[Server]:
    with start_mariadb("--character-set-server=utf8mb4") as running:
        assert isinstance(running, Server)
        execute(running, f"CREATE USER '{READER}'@'%' IDENTIFIED BY '{PASSWORD}'")
        yield running


@pytest.fixture(scope="module", params=DATA)
def dump(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "real":
        return REAL_DATABASE
    file = tmp_path_factory.mktemp("dump") / "demo.sql"
    file.write_bytes(demo_sql(patients=1, seed=1))
    return file


@pytest.fixture(scope="module")
def address(server: Server, dump: Path) -> DatabaseAddress:
    """A database into which the dump was loaded, and a user who may read it and nothing else."""
    database = f"openmrs_{DATA.index('real' if dump == REAL_DATABASE else 'made-up')}"
    client = [program("mariadb"), "-h", server.host, "-P", str(server.port), "-u", server.user]
    subprocess.run([*client, "-e", f"CREATE DATABASE {database} DEFAULT CHARACTER SET utf8mb4"], check=True)
    with dump.open("rb") as statements:
        subprocess.run([*client, database], stdin=statements, check=True)
    execute(server, f"GRANT SELECT ON {database}.* TO '{READER}'@'%'")
    return DatabaseAddress(server.host, server.port, READER, PASSWORD, database)


def execute(server: Server, *statements: str, database: str | None = None) -> None:
    connection = pymysql.connect(
        host=server.host, port=server.port, user=server.user, database=database, autocommit=True
    )
    with closing(connection), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def nowhere(found: Vocabulary) -> Vocabulary:
    return replace(found, nameless=replace(found.nameless, origin=""))


def test_a_server_its_dump_and_an_export_have_the_same_dictionary(
    address: DatabaseAddress, dump: Path, tmp_path: Path
) -> None:
    told: list[int] = []
    of_server = vocabulary_of_database(address, told.append)
    assert sum(told) == tables_to_read()
    assert of_server.nameless.origin == f"the database {address.database} at 127.0.0.1:{address.port}"
    of_dump, warnings = vocabulary_of_dump(dump)
    assert warnings == ()
    assert nowhere(of_server) == nowhere(of_dump)
    assert repr(nowhere(of_server)) == repr(nowhere(of_dump)), "types and order, too"
    export = tmp_path / "dictionary.json.gz"
    export.write_bytes(dictionary_bytes(of_server, compressed=True))
    assert dictionary_bytes(of_dump, compressed=True) == export.read_bytes()
    assert repr(nowhere(read_dictionary(export)).seen_in(["fr"])) == repr(nowhere(of_dump).seen_in(["fr"]))


def test_the_lock_is_the_same_wherever_the_dictionary_comes_from(
    address: DatabaseAddress,
    dump: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENMRS_DB_PASSWORD", PASSWORD)
    Path("ozone.yaml").write_text(SITE.format(database=address.database))
    server = ["--host", address.host, "--port", str(address.port), "--user", address.user]
    assert main(["resolve", "ozone.yaml", *server]) == 0
    assert main(["resolve", "ozone.yaml", "--dump", str(dump), "--check"]) == 0
    assert main(["dictionary", "ozone.yaml", *server, "-o", "d.json"]) == 0
    assert main(["resolve", "ozone.yaml", "--dictionary", "d.json", "--check"]) == 0
    told = "".join(capsys.readouterr())
    assert PASSWORD not in told + Path("ozone.lock.yaml").read_text() + Path("d.json").read_text()


def test_what_changes_meanwhile_is_not_seen(address: DatabaseAddress, server: Server) -> None:
    before = vocabulary_of_database(address)
    changes = iter(
        (
            "UPDATE concept_name SET name = 'Renamed'",
            "UPDATE encounter_type SET retired = 1",
            "DELETE FROM concept_answer",
        )
    )
    everything = {
        table: f"CREATE TABLE kept_{table} AS SELECT * FROM {table}"
        for table in ("concept_name", "encounter_type", "concept_answer")
    }
    execute(server, *everything.values(), database=address.database)

    def advance(_: int) -> None:
        for change in changes:
            execute(server, change, database=address.database)

    assert vocabulary_of_database(address, advance) == before
    assert vocabulary_of_database(address) != before
    execute(
        server,
        "SET foreign_key_checks = 0",
        *(f"DELETE FROM {table}" for table in everything),
        *(f"INSERT INTO {table} SELECT * FROM kept_{table}" for table in everything),
        *(f"DROP TABLE kept_{table}" for table in everything),
        database=address.database,
    )
    assert vocabulary_of_database(address) == before


def test_booleans_of_newer_tables(address: DatabaseAddress, server: Server) -> None:
    before = vocabulary_of_database(address)
    execute(
        server,
        "ALTER TABLE concept MODIFY retired BIT(1) NOT NULL",
        "ALTER TABLE concept_name MODIFY voided BIT(1) NOT NULL, MODIFY locale_preferred BIT(1)",
        database=address.database,
    )
    try:
        assert vocabulary_of_database(address) == before
    finally:
        execute(
            server,
            "ALTER TABLE concept MODIFY retired TINYINT(1) NOT NULL",
            "ALTER TABLE concept_name MODIFY voided TINYINT(1) NOT NULL, MODIFY locale_preferred TINYINT(1)",
            database=address.database,
        )


def refused(address: DatabaseAddress) -> tuple[str, str]:
    with pytest.raises(OutputError) as error:
        vocabulary_of_database(address)
    (finding,) = error.value.diagnostics
    assert finding.code == "OZ043"
    assert PASSWORD not in str(error.value)
    return finding.message, finding.hint


def test_a_wrong_password(address: DatabaseAddress) -> None:
    message, hint = refused(replace(address, password="wrong"))
    assert message == f"the server does not let the user {READER} in"
    assert "--user" in hint


def test_another_database(address: DatabaseAddress, server: Server) -> None:
    message, _ = refused(replace(address, database="nothing", user=server.user, password=""))
    assert message == "the server has no database nothing"
    message, _ = refused(replace(address, database="nothing"))
    assert message == f"the server does not let the user {READER} in"


def test_a_user_who_may_not_read_everything(address: DatabaseAddress, server: Server) -> None:
    execute(
        server,
        "CREATE OR REPLACE USER 'half'@'%' IDENTIFIED BY 'half'",
        f"GRANT SELECT ON {address.database}.concept TO 'half'@'%'",
        f"GRANT SELECT (form_id) ON {address.database}.form TO 'half'@'%'",
    )
    with pytest.raises(OzoneError) as error:
        vocabulary_of_database(replace(address, user="half", password="half"))
    found = {each.code: each for each in error.value.diagnostics}
    assert found.keys() == {"OZ023", "OZ024"}
    assert "concept_name, " in found["OZ023"].message
    assert found["OZ023"].message.endswith("or half may not read it")
    assert found["OZ024"].message == "the database's table form has no column name, version, retired, uuid"


def test_an_older_schema(address: DatabaseAddress, server: Server) -> None:
    execute(server, "ALTER TABLE concept_numeric RENAME COLUMN units TO unit", database=address.database)
    try:
        with pytest.raises(OzoneError) as error:
            vocabulary_of_database(address)
    finally:
        execute(server, "ALTER TABLE concept_numeric RENAME COLUMN unit TO units", database=address.database)
    (finding,) = error.value.diagnostics
    assert (finding.code, finding.message) == ("OZ024", "the database's table concept_numeric has no column units")
