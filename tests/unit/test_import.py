"""`ozone-gen import`: a folder made by hand, after the layout of Ozone Analytics, becomes an ozone.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ozone_gen.cli import main

Output = pytest.CaptureFixture[str]

ENV = """\
# settings
CONNECT_MYSQL_HOSTNAME=db.clinic.example
CONNECT_MYSQL_PORT=3307
CONNECT_MYSQL_USER=reader
CONNECT_MYSQL_PASSWORD=top-secret-1
CONNECT_MYSQL_SERVER_ID=5001
ANALYTICS_DB_USER=reports
ANALYTICS_DB_PASSWORD='top-secret-2'
ANALYTICS_DB_HOST=warehouse.clinic.example
ANALYTICS_DB_PORT=5433
ANALYTICS_DB_NAME=facts
SECRET_KEY=top-secret-3
SUPERSET_ADMIN_USERNAME=boss
SUPERSET_ADMIN_PASSWORD=top-secret-4
SUPERSET_DB=boards
TASK_MANAGER_PROCESS_MEMORY=4000m
JOB_MANAGER_PROCESS_MEMORY=lots
EXPORT_OUTPUT_TAG=kigali
CONNECT_ODOO_DB_PASSWORD=top-secret-5
KEYCLOAK_HOSTNAME=login.example
DEBEZIUM_VERSION=1.9
EMPTY=
"""
STREAMING = """\
services:
  zookeeper: {image: "debezium/zookeeper:${DEBEZIUM_VERSION}"}
  kafka:
    image: debezium/kafka:${DEBEZIUM_VERSION}
    ports: ["9092:9092"]
  connect:
    image: debezium/connect:${DEBEZIUM_VERSION}
    ports:
      - 8383:8083
    environment:
      - CONNECT_MYSQL_HOSTNAME=${CONNECT_MYSQL_HOSTNAME:-mysql}
      - CONNECT_MYSQL_PORT=${CONNECT_MYSQL_PORT:-${CONNECT_MYSQL_PORT}}
      - CONNECT_MYSQL_SERVER_ID=${CONNECT_MYSQL_SERVER_ID}
      - CONNECT_MYSQL_INCLUDE_LIST=emr
  jobmanager: &flink
    image: registry.example/mekomsolutions/ozone-flink-jobs:2
    ports: ["127.0.0.1:8084:8081"]
    environment:
      - |
        FLINK_PROPERTIES=
        state.backend: rocksdb
  taskmanager:
    <<: *flink
    ports: []
  kowl: {image: "quay.io/cloudhut/kowl:master", ports: ["8282:8080"]}
  odoo-migration: {image: liquibase}
"""
SUPERSET = """\
services:
  superset:
    image: superset-of-the-clinic
    ports: [{published: 8188, target: 8088}]
    labels:
      traefik.http.routers.superset.entrypoints: websecure
"""
CONNECTOR = """\
{
  "connector.class": "io.debezium.connector.mysql.MySqlConnector",
  "database.hostname": "${file:/kafka/config/connect-distributed.properties:mysql.hostname}",
  "database.port": "${file:/kafka/config/connect-distributed.properties:mysql.port}",
  "database.include.list": "${file:/kafka/config/connect-distributed.properties:mysql.include.list}",
  "table.exclude.list": "emr.audit_log",
  "snapshot.mode": "when_needed"
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    files = {
        "docker/.env": ENV,
        "docker/docker-compose-streaming-common.yaml": STREAMING,
        "docker/docker-compose-superset.yaml": SUPERSET,
        "docker/docker-compose-export.yaml": "services:\n  parquet-export: {image: export}\n",
        "docker/docker-compose-minio.yaml": "services:\n  minio: {image: minio/minio}\n",
        "docker/connect/openmrs-connector.json": CONNECTOR,
        "dsl/flattening/queries/patients.sql": "SELECT 1",
        "dsl/flattening/queries/_orders.sql": "SELECT 1",
        "dsl/flattening/queries/vitals.sql": "SELECT 1",
        "dsl/export/queries/visits.sql": "SELECT 1",
    }
    for name, text in files.items():
        path = tmp_path / "hand" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "hand"


def imported(*arguments: str, code: int = 0) -> dict[str, Any]:
    assert main(["import", "hand", "-o", "ozone.yaml", "--force", *arguments]) == code
    return dict(yaml.safe_load(Path("ozone.yaml").read_text()))


def test_what_can_be_said_is_said(folder: Path) -> None:
    assert imported("--site-id", "kigali", "--name", "Kigali: “north”") == {
        "version": 1,
        "site": {"id": "kigali", "name": "Kigali: “north”"},
        "sources": {
            "openmrs": {
                "type": "openmrs",
                "engine": "mariadb",
                "platform": "2.5",
                "host": "db.clinic.example",
                "port": 3307,
                "database": "emr",
                "username": "reader",
                "password": "${OPENMRS_DB_PASSWORD}",
            }
        },
        "sink": {
            "type": "postgresql",
            "host": "warehouse.clinic.example",
            "port": 5433,
            "database": "facts",
            "username": "reports",
            "password": "${ANALYTICS_DB_PASSWORD}",
        },
        "flattening": {"core": ["patients", "orders"], "state": "disk"},
        "components": {
            "high_availability": {"type": "zookeeper"},
            "kafka_ui": {},
            "superset": {
                "admin_username": "boss",
                "admin_password": "${SUPERSET_ADMIN_PASSWORD}",
                "database": "boards",
                "https": True,
            },
            "parquet_export": {"location_tag": "kigali"},
        },
        "ports": {"connect": 8383, "superset": 8188},
        "memory": {"taskmanager": "4000m"},
    }


def test_the_result_renders(folder: Path, capsys: Output) -> None:
    imported("--site-id", "kigali")
    assert main(["validate", "ozone.yaml"]) == 0
    assert main(["render", "ozone.yaml", "-o", "out"]) == 0


def test_no_secret_is_copied(folder: Path, capsys: Output) -> None:
    imported()
    printed = capsys.readouterr()
    assert "top-secret" not in Path("ozone.yaml").read_text() + printed.out + printed.err


def test_what_is_left_is_named_with_its_line(folder: Path, capsys: Output) -> None:
    imported()
    lines = capsys.readouterr().err.replace("hand/docker/", "").splitlines()
    for line in (
        ".env:5:1: warning[OZ462] the value of CONNECT_MYSQL_PASSWORD is a secret, and is not copied",
        "  hint: write its value as OPENMRS_DB_PASSWORD into .env beside the rendered files",
        ".env:17:1: warning[OZ462] the memory `lots` is not carried over",
        ".env:19:1: warning[OZ462] CONNECT_ODOO_DB_PASSWORD is about Odoo, which ozone-gen does not read",
        ".env:20:1: warning[OZ462] KEYCLOAK_HOSTNAME has no place in ozone.yaml",
        "connect/openmrs-connector.json:6:3: warning[OZ462] the setting table.exclude.list is not carried over",
        "docker-compose-streaming-common.yaml:13:9: warning[OZ462] the replica's id 5001 is not carried over",
        "docker-compose-streaming-common.yaml:26:3: warning[OZ462] the service `odoo-migration` is no part of a"
        " rendered site",
        "docker-compose-minio.yaml:2:3: warning[OZ462] the service `minio` belongs to a central server",
        "hand/dsl/flattening/queries/vitals.sql:1:1: warning[OZ462] the query that fills `vitals` is not carried over",
    ):
        assert line in lines, line
    assert not any("DEBEZIUM_VERSION" in line or "EMPTY" in line for line in lines)


def test_a_bundled_openmrs_database_stays_outside(folder: Path, capsys: Output) -> None:
    compose = "services:\n  mysql: {image: 'mysql:8.0'}\n  postgresql: {image: 'postgres:13'}\n"
    (folder / "docker" / "docker-compose-db.yaml").write_text(compose)
    env = ENV.replace("db.clinic.example", "mysql").replace("warehouse.clinic.example", "postgresql")
    (folder / "docker" / ".env").write_text(env)
    site = imported()
    assert site["sources"]["openmrs"]["host"] == "${OPENMRS_DB_HOST}"
    assert site["sources"]["openmrs"]["engine"] == "mysql"
    assert site["sink"]["host"] == "postgresql"
    assert "port" not in site["sink"], "the bundled one has its own"
    err = capsys.readouterr().err
    assert "docker-compose-db.yaml:2:3: warning[OZ462] the service `mysql`" in err
    assert "docker-compose-db.yaml:3:3: warning[OZ462] the volume of `postgresql` is not carried over" in err


@pytest.mark.parametrize("host", ["localhost", "host.docker.internal", "127.0.0.1", "two words", "172.17.0.1"])
def test_a_host_that_only_the_old_site_reaches(host: str, folder: Path, capsys: Output) -> None:
    env = ENV.replace("db.clinic.example", host).replace("warehouse.clinic.example", host)
    (folder / "docker" / ".env").write_text(env)
    site = imported()
    assert site["sources"]["openmrs"]["host"] == "${OPENMRS_DB_HOST}"
    assert site["sink"]["host"] == "${ANALYTICS_DB_HOST}"
    assert f"the host `{host}` is not carried over" in capsys.readouterr().err


def test_a_central_server(folder: Path, capsys: Output) -> None:
    (folder / "docker" / "docker-compose-drill.yaml").write_text("services:\n  drill: {image: drill}\n")
    site = imported("--central")
    assert "sources" not in site
    assert site["components"] == {
        "superset": {
            "admin_username": "boss",
            "admin_password": "${SUPERSET_ADMIN_PASSWORD}",
            "database": "boards",
            "https": True,
        },
        "object_store": {"type": "minio"},
        "drill": {},
    }


def test_a_connector_inside_a_script(folder: Path) -> None:
    (folder / "docker" / "connect" / "openmrs-connector.json").unlink()
    script = f"curl -X PUT http://connect:8083/connectors/openmrs/config -d '{CONNECTOR}'\n"
    (folder / "docker" / "setup-connect.sh").write_text(script.replace("${file:", "${file:"))
    (folder / "docker" / "an-example.json").write_text(
        '{"connector.class": "io.debezium.connector.mysql.MySqlConnector", "database.hostname": "example"}'
    )
    assert imported()["sources"]["openmrs"]["host"] == "db.clinic.example"


def test_bad_folders(folder: Path, capsys: Output) -> None:
    assert main(["import", "nowhere"]) == 2
    assert "nowhere: error[OZ461] there is no such folder" in capsys.readouterr().err
    Path("empty").mkdir()
    assert main(["import", "empty"]) == 1
    assert "empty: error[OZ461] no compose file is in this folder" in capsys.readouterr().err
    (folder / "docker" / "docker-compose-db.yaml").write_text("services:\n  a: [\n")
    (folder / "docker" / "docker-compose-drill.yaml").write_text("services: {a: b: c}\n")
    assert main(["import", "hand", "-o", "new.yaml"]) == 1
    err = capsys.readouterr().err
    assert "docker-compose-db.yaml:3:1: error[OZ003]" in err
    assert "docker-compose-drill.yaml:1:" in err
    assert not Path("new.yaml").exists()


def test_what_is_there_is_not_overwritten(folder: Path, capsys: Output) -> None:
    Path("ozone.yaml").write_text("mine\n")
    assert main(["import", "hand", "-o", "ozone.yaml"]) == 2
    assert Path("ozone.yaml").read_text() == "mine\n"
    assert main(["import", "hand", "-o", "other.yaml", "--site-id", "Not An Id"]) == 1
    assert not Path("other.yaml").exists()
    assert "not-an-id" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "services: []\n",
        "services: {connect: }\n",
        "- a\n",
        "",
        "services: {connect: {ports: 1}}\n",
        "services: {connect: {environment: {A: }, image: 5}}\n",
    ],
)
def test_odd_compose_files_are_taken_as_they_are(text: str, folder: Path) -> None:
    (folder / "docker" / "docker-compose-odd.yaml").write_text(text)
    assert imported()["version"] == 1


def test_variables_that_refer_to_themselves(folder: Path) -> None:
    (folder / "docker" / ".env").write_text("CONNECT_MYSQL_HOSTNAME=${CONNECT_MYSQL_HOSTNAME:-${A}}\nA=${A}\n")
    assert imported()["sources"]["openmrs"]["host"] == "${OPENMRS_DB_HOST}"
