"""Two sites export, upload, and are queried together: the real Flink, SeaweedFS, Drill and Superset.

A site's tables are filled by hand here, since the pipelines have tests of their own. The tests stand on each other in
the order of the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.e2e.conftest import ROOT, render
from tests.e2e.running_site import RunningSite, free_port, until
from tests.e2e.superset_api import Superset

pytest.importorskip("minio", reason="the extra `upload` brings the client of the store")
pytest.importorskip("pyarrow", reason="the extra `flink` brings it")

import pyarrow
import pyarrow.parquet
from minio import Minio
from minio.error import S3Error

from templates.setup.drill_views import view_file
from templates.setup.uploaded_exports import UploadedExports

pytestmark = pytest.mark.e2e

SITES = ("musanze", "huye")
EXPORT_FILES = ("docker-compose-db.yaml", "docker-compose-data-pipelines.yaml", "docker-compose-export.yaml")
CENTRAL_FILES = (
    "docker-compose-db.yaml",
    "docker-compose-minio.yaml",
    "docker-compose-drill.yaml",
    "docker-compose-superset.yaml",
)
SECRETS = {
    "ANALYTICS_DB_PASSWORD": "demo",
    "OBJECT_STORE_ROOT_SECRET": 'root "secret" 1',
    "OBJECT_STORE_READ_SECRET": "read-secret-1",
    "OBJECT_STORE_WRITE_SECRET": "write-secret-1",
    "SUPERSET_SECRET_KEY": "not-a-secret-but-long-enough-for-a-test",
    "SUPERSET_ADMIN_PASSWORD": "admin-password-1",
    "SUPERSET_DB_PASSWORD": "superset-secret-1",
}
BUCKET = "openmrs-data"


class Central(RunningSite):
    """The central server, with what asks it."""

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Ask Drill; the rows, or ValueError."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['drill']}/query.json",
            data=json.dumps({"queryType": "SQL", "query": sql}).encode(),
            headers={"Content-Type": "application/json"},
        )
        # The first query loads much of Drill's code, which takes long on a busy machine.
        with urllib.request.urlopen(request, timeout=300) as content:
            answer = json.load(content)
        if answer["queryState"] != "COMPLETED":
            raise ValueError(answer)  # `until` tries again: a server that has just started may refuse
        rows: list[dict[str, Any]] = answer["rows"]
        return rows

    def visits(self) -> dict[str, int]:
        """How many visits Drill shows of each site."""
        rows = self.query("SELECT location_tag, COUNT(*) AS n FROM s3.root.visits GROUP BY location_tag")
        return {row["location_tag"]: int(row["n"]) for row in rows}

    def superset(self) -> Superset:
        """A session of Superset's administrator."""
        return Superset(self.ports["superset"], password=SECRETS["SUPERSET_ADMIN_PASSWORD"])

    def client(self, key: str) -> Minio:
        """A client of the store with one of its three keys."""
        address = f"127.0.0.1:{self.ports['object_store']}"
        secret = SECRETS[f"OBJECT_STORE_{key.upper()}_SECRET"]
        return Minio(address, access_key=f"ozone-{key}", secret_key=secret, secure=False, region="us-east-1")

    def upload(self, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run `ozone-gen upload` as a site does."""
        address = f"http://127.0.0.1:{self.ports['object_store']}"
        return subprocess.run(
            [sys.executable, "-m", "ozone_gen", "upload", str(folder), "--to", address],
            env={**os.environ, "OBJECT_STORE_WRITE_SECRET": SECRETS["OBJECT_STORE_WRITE_SECRET"]},
            text=True,
            capture_output=True,
            check=False,
        )


class Clinic(RunningSite):
    """A site's PostgreSQL with flattened tables, and its export."""

    @property
    def parquet(self) -> Path:
        return self.folder / "parquet"

    def fill(self, visits: int) -> None:
        """Make the tables as `migrate` does, and visits in one of them."""
        tables = json.loads((self.folder / "postgresql" / "tables.json").read_text())["tables"]
        with self.sink() as sink:
            for table in tables:
                columns = ", ".join(f'"{column["name"]}" {column["type"]}' for column in table["columns"])
                sink.execute(f'CREATE TABLE "{table["name"]}" ({columns}, PRIMARY KEY ("{table["primary_key"][0]}"))')
            self._add(sink, 1, visits)
            sink.execute(
                "INSERT INTO patients (patient_id, patient_uuid, gender, person_voided, date_created)"
                " VALUES (1, 'one', 'F', false, now())"
            )

    @staticmethod
    def _add(sink: psycopg.Connection[dict[str, Any]], first: int, last: int) -> None:
        sink.execute(
            "INSERT INTO visits (visit_id, visit_voided, type, date_started, patient_birthdate, patient_age_at_visit)"
            " SELECT n, false, 'l''été', timestamp '1969-12-31 23:59:59.123' + n * interval '1 hour',"
            " date '2000-02-29', 7 FROM generate_series(%s::int, %s::int) n",
            (first, last),
        )

    def add(self, first: int, last: int) -> None:
        """Make more visits."""
        with self.sink() as sink:
            self._add(sink, first, last)

    def export(self, check: bool = True) -> str:
        """Run the export as a nightly job does."""
        return self.compose("run", "--rm", "--no-deps", "--build", "parquet-export", check=check)


def rendered(example: str, name: str, folder: Path, ports: Mapping[str, int]) -> Path:
    text = (ROOT / "examples" / example / "ozone.yaml").read_text()
    text = re.sub(r"\bmusanze\b", name, text) if example == "export" else text
    file = folder / f"{name}.yaml"
    file.write_text(f"{text}ports: {json.dumps(ports)}\n")
    out = folder / name
    render(file, out)
    (out / ".env").write_text(
        "".join(f"{variable}='{value}'\n" for variable, value in SECRETS.items())
        + "OPENMRS_DB_PASSWORD=demo\nOPENMRS_DB_ROOT_PASSWORD=demo\n"
    )
    return out


@pytest.fixture(scope="module")
def central(working_folder: Path, engine: Mapping[str, str]) -> Iterator[Central]:
    ports = {part: free_port() for part in ("postgresql", "object_store", "drill", "superset")}
    server = Central(rendered("central", "central", working_folder, ports), engine, ports, CENTRAL_FILES)
    server.down()
    try:
        server.up()
        yield server
    finally:
        server.down()


@pytest.fixture(scope="module")
def clinics(working_folder: Path, engine: Mapping[str, str]) -> Iterator[dict[str, Clinic]]:
    with ExitStack() as stack:
        found = {}
        for number, name in enumerate(SITES):
            ports = {"postgresql": free_port()}
            clinic = Clinic(rendered("export", name, working_folder, ports), engine, ports, EXPORT_FILES)
            stack.callback(clinic.down)
            clinic.up("postgresql")
            clinic.fill(visits=100 * (number + 1))
            found[name] = clinic
        yield found


def test_views_are_there_before_the_first_upload(central: Central) -> None:
    assert set(central.states().values()) == {"healthy", "exited (0)"}, central.states()
    tables = central.query("SHOW TABLES IN s3.root")
    assert {row["TABLE_NAME"] for row in tables} == {"patients", "visits", "observations", "vitals"}
    assert central.visits() == {}


def test_exports_of_two_sites_are_summed(central: Central, clinics: dict[str, Clinic]) -> None:
    for clinic in clinics.values():
        clinic.export()
        done = central.upload(clinic.parquet)
        assert done.returncode == 0, done.stderr
    until("Drill shows both sites", lambda: central.visits() == {"musanze": 100, "huye": 200})
    (row,) = central.query("SELECT COUNT(*) AS n, SUM(patient_age_at_visit) AS age FROM s3.root.visits")
    assert (int(row["n"]), float(row["age"])) == (300, 2100.0)


def test_superset_sums_both_sites_through_drill(central: Central) -> None:
    superset = central.superset()
    charts = {each["slice_name"]: each["id"] for each in superset.all("chart").values()}
    found = superset.chart_rows(charts["Visits by site and type"])
    assert {row["location_tag"]: row["count"] for row in found} == {"musanze": 100, "huye": 200}
    (row,) = superset.query_in_worker("SELECT COUNT(*) AS n FROM s3.root.visits", "s3.root")
    assert row == {"n": 300}


def test_every_chart_of_the_comparison_is_a_query_that_drill_takes(central: Central) -> None:
    superset = central.superset()
    rows = {each["slice_name"]: superset.chart_rows(each["id"]) for each in superset.all("chart").values()}
    vitals = {name for name in rows if name.startswith("Vitals")}
    assert vitals
    empty = {name for name, found in rows.items() if not found}
    assert empty <= vitals, "these sites have no vital signs, all else"
    newest = rows["Newest export of each site (patients)"]
    assert {row["location_tag"]: row["count"] for row in newest} == {"musanze": 1, "huye": 1}
    assert all(row["exported_on"] for row in newest)


def test_a_second_start_of_superset_changes_nothing(central: Central) -> None:
    log = central.run_again("superset-init")
    assert "Imported" not in log
    assert "Unchanged" in log


def test_values_come_out_as_they_stand_in_postgresql(central: Central) -> None:
    (row,) = central.query(
        "SELECT CAST(date_started AS VARCHAR) AS started, `type`, visit_voided, location, patient_age_at_visit,"
        " CAST(patient_birthdate AS VARCHAR) AS born FROM s3.root.visits WHERE location_tag = 'huye' AND visit_id = 1"
    )
    assert str(row["started"]).startswith("1970-01-01 00:59:59.123")
    assert (row["type"], row["born"], row["location"]) == ("l'été", "2000-02-29", None)
    assert str(row["visit_voided"]).lower() == "false"
    assert float(row["patient_age_at_visit"]) == 7


def test_a_site_is_read_without_the_files_of_others(central: Central) -> None:
    (plan, *_) = central.query(
        "EXPLAIN PLAN FOR SELECT MAX(visit_id) FROM s3.root.visits WHERE location_tag = 'huye'"
    )
    assert re.search(r"numFiles=1\b|numFiles = 1\b", plan["text"]), plan["text"]


def test_a_new_export_replaces_the_one_before(central: Central, clinics: dict[str, Clinic]) -> None:
    clinics["huye"].add(201, 250)
    clinics["huye"].export()
    assert "1 files sent" in central.upload(clinics["huye"].parquet).stdout
    until("Drill shows the new visits", lambda: central.visits() == {"musanze": 100, "huye": 250})


def test_a_damaged_file_is_refused_and_the_earlier_export_stays(
    central: Central, clinics: dict[str, Clinic]
) -> None:
    clinics["huye"].add(251, 300)
    clinics["huye"].export()
    (file,) = (clinics["huye"].parquet / "visits" / "site=huye").glob("date=*/part-*.parquet")
    whole = file.read_bytes()
    file.write_bytes(whole[:500] + b"x" + whole[501:])
    done = central.upload(clinics["huye"].parquet)
    assert done.returncode == 1
    assert f"{file}: error[OZ442]" in done.stderr
    assert central.visits() == {"musanze": 100, "huye": 250}
    file.write_bytes(whole)
    assert central.upload(clinics["huye"].parquet).returncode == 0
    until("Drill shows the repaired export", lambda: central.visits()["huye"] == 300)


def test_what_is_damaged_in_the_store_is_named_and_not_shown(central: Central, clinics: dict[str, Clinic]) -> None:
    clinics["musanze"].add(101, 110)
    clinics["musanze"].export()
    central.compose("stop", "drill-setup")
    assert central.upload(clinics["musanze"].parquet).returncode == 0
    root = central.client("root")
    manifest = max(each.object_name for each in root.list_objects(BUCKET, "parquet/_exports/site=musanze/", True))
    with root.get_object(BUCKET, manifest) as answer:
        tables = {table["name"]: table for table in json.loads(answer.read())["tables"]}
    key = f"parquet/{tables['visits']['parts'][0]['path']}"
    with root.get_object(BUCKET, key) as answer:
        whole = answer.read()
    root.put_object(BUCKET, key, BytesIO(whole[:-1] + b"x"), len(whole))
    central.compose("start", "drill-setup")
    until("it is said", lambda: f"{key} is damaged" in central.compose("logs", "drill-setup"))
    assert central.visits() == {"musanze": 100, "huye": 300}, "the export before stays"
    root.put_object(BUCKET, key, BytesIO(whole), len(whole))
    central.compose("restart", "drill-setup")
    until("Drill shows the repaired file", lambda: central.visits() == {"musanze": 110, "huye": 300})


def made_up_export(folder: Path, site: str, declared: list[dict[str, Any]]) -> None:
    """An export in two files for each table, in another order of columns than others have, without `location`."""
    kinds = {
        "bigint": pyarrow.int64(),
        "integer": pyarrow.int32(),
        "double precision": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "date": pyarrow.date32(),
        "timestamp without time zone": pyarrow.timestamp("ms"),
    }
    known: dict[str, tuple[Any, Any]] = {"visit_id": (7, 8), "patient_id": (1, 2), "type": (None, "été")}
    known |= {"date_started": (datetime(1969, 12, 31, 1, 2, 3, 4000), None), "gender": ("F", None)}
    described = []
    for table in declared:
        name, parts = table["name"], []
        columns = [each for each in table["columns"][::-1] if each["name"] != "location"]
        schema = pyarrow.schema([(each["name"], kinds.get(each["type"], pyarrow.string())) for each in columns])
        for number in range(2):
            path = f"{name}/site={site}/date=2026-01-02/part-{number:05}.parquet"
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            row = {column: known.get(column, (None, None))[number] for column in schema.names}
            rows = pyarrow.Table.from_pylist([row], schema)
            # Drill cannot read the empty dictionaries, packed by zstd, that Arrow would write for empty columns.
            pyarrow.parquet.write_table(rows, folder / path, compression="zstd", use_dictionary=False)
            content = (folder / path).read_bytes()
            part = {"number": number, "path": path, "rows": 1, "bytes": len(content), "fingerprint": "1:1"}
            parts.append({**part, "sha256": hashlib.sha256(content).hexdigest()})
        head = {"name": name, "primary_key": columns[-1]["name"], "definition": "d", "rows": 2}
        described.append({**head, "columns": columns, "parts": parts})
    document = {"version": 1, "site": site, "date": "2026-01-02", "exported_at": "2026-01-02T01:02:03Z"}
    manifest = folder / "_exports" / f"site={site}" / "date=2026-01-02.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({**document, "generation": "g", "tables": described}))


def test_merged_files_hold_what_the_sites_files_do(central: Central, tmp_path: Path) -> None:
    tables = json.loads((central.folder / "drill" / "tables.json").read_text())["tables"]
    declared = [each for each in tables if each["name"] in ("visits", "patients")]
    made_up_export(tmp_path, "kigali", declared)
    done = central.upload(tmp_path)
    assert done.returncode == 0, done.stderr
    root = central.client("root")

    def view(name: str) -> dict[str, Any]:
        with root.get_object(BUCKET, f"views/{name}.view.drill") as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found

    def merged() -> bool:
        sqls = [view(name)["sql"] for name in ("visits", "patients")]
        return all("kigali" in sql and "`files`" not in sql for sql in sqls)

    until("all is merged", merged)
    uploaded = UploadedExports(root, BUCKET)
    exports = [uploaded.newest(site, found)[0] for site, found in uploaded.manifests().items()]
    shown = [export for export in exports if export is not None]
    assert {export.site for export in shown} == {"musanze", "huye", "kigali"}
    for name, columns in ((each["name"], each["columns"]) for each in declared):
        unmerged = view_file(name, {column["name"]: column["type"] for column in columns}, shown)
        root.put_object(BUCKET, f"views/own_{name}.view.drill", BytesIO(unmerged), len(unmerged))
        own = rows_of(central, f"own_{name}")
        # Drill once read columns without a value wrongly, in a third of the queries.
        for _ in range(15):
            assert rows_of(central, name) == own
    assert central.visits() == {"musanze": 110, "huye": 300, "kigali": 2}
    asked = "SELECT MAX(visit_id) FROM s3.root.visits WHERE location_tag = 'huye'"
    (plan, *_) = central.query(f"EXPLAIN PLAN FOR {asked}")
    assert re.search(r"numFiles=1\b.* numRowGroups=1\b", plan["text"]), plan["text"]
    assert "/merged/visits/" in plan["text"]


def rows_of(central: Central, view: str) -> list[str]:
    return sorted(json.dumps(row) for row in central.query(f"SELECT * FROM s3.root.{view}"))


def test_each_key_does_what_it_is_for(central: Central) -> None:
    read, write = central.client("read"), central.client("write")
    keys = [each.object_name for each in read.list_objects(BUCKET, "parquet/visits/", recursive=True)]
    with read.get_object(BUCKET, keys[0]) as answer:
        assert answer.read(4) == b"PAR1"
    write.put_object(BUCKET, "parquet/visits/site=x/new", BytesIO(b"1"), 1)
    refusals: tuple[Callable[[], object], ...] = (
        lambda: read.put_object(BUCKET, "parquet/x", BytesIO(b"1"), 1),
        lambda: read.remove_object(BUCKET, keys[0]),
        lambda: write.get_object(BUCKET, keys[0]),
        lambda: write.put_object(BUCKET, "views/visits.view.drill", BytesIO(b"1"), 1),
        lambda: write.put_object(BUCKET, "merged/visits/x/rows.parquet", BytesIO(b"1"), 1),
    )
    for refused in refusals:
        with pytest.raises(S3Error, match="Denied"):
            refused()


@pytest.mark.slow
def test_everything_survives_a_restart(central: Central) -> None:
    before = central.visits()
    central.compose("restart", "drill", "object-store")
    until("Drill answers as before", lambda: central.visits() == before, 300)
