"""Superset's REST API, as a person's program would use it."""

from __future__ import annotations

import http.cookiejar
import io
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo


class Superset:
    """A session of the administrator."""

    def __init__(self, port: int, username: str = "admin", password: str = "demo") -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._open = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        ).open
        self._headers: dict[str, str] = {}
        login = {"username": username, "password": password, "provider": "db", "refresh": True}
        self._headers["Authorization"] = f"Bearer {self.send('POST', '/security/login', login)['access_token']}"
        # What changes something needs this besides, and says where it comes from.
        self._headers["X-CSRFToken"] = self.get("/security/csrf_token/")["result"]
        self._headers["Referer"] = f"{self.address}/"

    def get(self, path: str) -> Any:
        """GET below /api/v1."""
        return self.send("GET", path)

    def send(self, method: str, path: str, document: object = None) -> Any:
        """Send JSON, and return the answer's."""
        body = None if document is None else json.dumps(document).encode()
        return self._call(method, path, body, "application/json")

    def import_bundle(self, folder: Path, passwords: Mapping[str, str]) -> None:
        """Import a rendered bundle as a person would who has zipped it."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path in sorted(folder.rglob("*.yaml")):
                archive.write(path, f"bundle/{path.relative_to(folder)}")
        limit = uuid.uuid4().hex
        parts = [
            f'Content-Disposition: form-data; name="passwords"\r\n\r\n{json.dumps(passwords)}'.encode(),
            b'Content-Disposition: form-data; name="bundle"; filename="bundle.zip"\r\n'
            b"Content-Type: application/zip\r\n\r\n" + packed.getvalue(),
        ]
        body = b"".join(f"--{limit}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{limit}--\r\n".encode()
        self._call("POST", "/assets/import/", body, f"multipart/form-data; boundary={limit}")

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """Every dataset, chart or dashboard by its uuid, as the list shows it."""
        return {each["uuid"]: each for each in self.get(f"/{kind}/?q=(page_size:500)")["result"]}

    def chart_rows(self, chart: int) -> list[dict[str, Any]]:
        """The rows of a chart as it was saved, asked of the database anew."""
        (result,) = self.get(f"/chart/{chart}/data/?force=true")["result"]
        rows: list[dict[str, Any]] = result["data"]
        return rows

    def query_in_worker(self, sql: str, schema: str) -> list[dict[str, Any]]:
        """Run a query as SQL Lab does where it may take long, and return its rows."""
        (database,) = self.all("database").values()
        asked = {
            "client_id": uuid.uuid4().hex[:10],
            "database_id": database["id"],
            "schema": schema,
            "sql": sql,
            "runAsync": True,
            "queryLimit": 100,
        }
        number = self.send("POST", "/sqllab/execute/", asked)["query"]["queryId"]
        end = time.monotonic() + 60
        while (query := self.get(f"/query/{number}")["result"])["status"] not in ("success", "failed"):
            assert time.monotonic() < end, query
            time.sleep(0.5)
        assert query["status"] == "success", query
        rows: list[dict[str, Any]] = self.get(f"/sqllab/results/?q=(key:'{query['results_key']}')")["data"]
        return rows

    def columns(self, dataset: int) -> set[str]:
        """The names of a dataset's columns that are not computed."""
        found = self.get(f"/dataset/{dataset}")["result"]["columns"]
        return {column["column_name"] for column in found if not column["expression"]}

    def make_as_a_person(self, dataset: int, *, edited: str) -> dict[str, Any]:
        """Edit the chart of that title, and make a metric, a chart and a dashboard; returns `of_a_person`."""
        (chart,) = (each["id"] for each in self.all("chart").values() if each["slice_name"] == edited)
        self.send("PUT", f"/chart/{chart}", {"slice_name": f"{edited}, by Grace"})
        names = ("id", "metric_name", "expression", "verbose_name", "d3format", "description")
        metrics = [
            {name: metric[name] for name in names} for metric in self.get(f"/dataset/{dataset}")["result"]["metrics"]
        ]
        fastest = {"metric_name": "fastest_pulse", "expression": "MAX(pulse)"}
        self.send("PUT", f"/dataset/{dataset}", {"metrics": [*metrics, fastest]})
        own = {"slice_name": "Fastest pulse", "viz_type": "big_number_total", "datasource_id": dataset}
        form = json.dumps({"viz_type": "big_number_total", "metric": "fastest_pulse"})
        self.send("POST", "/chart/", {**own, "datasource_type": "table", "params": form})
        self.send("POST", "/dashboard/", {"dashboard_title": "My ward", "published": True})
        return self.of_a_person(dataset)

    def of_a_person(self, dataset: int) -> dict[str, Any]:
        """What is there of what `make_as_a_person` made."""
        metrics = self.get(f"/dataset/{dataset}")["result"]["metrics"]
        charts = {each["id"]: each["slice_name"] for each in self.all("chart").values()}
        boards = self.all("dashboard").values()
        return {
            "charts": {number: name for number, name in charts.items() if "Grace" in name or name == "Fastest pulse"},
            "metrics": [metric["expression"] for metric in metrics if metric["metric_name"] == "fastest_pulse"],
            "dashboards": [each["id"] for each in boards if each["dashboard_title"] == "My ward"],
        }

    def _call(self, method: str, path: str, body: bytes | None, kind: str) -> Any:
        headers = {"Accept": "application/json", **self._headers}
        if body is not None:
            headers["Content-Type"] = kind
        request = urllib.request.Request(f"{self.address}/api/v1{path}", body, headers, method=method)
        try:
            with self._open(request, timeout=120) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()[:2000]}") from None


RECORDS: Final = (
    *("dbs", "tables", "table_columns", "sql_metrics", "slices", "dashboards", "dashboard_slices", "slice_user"),
    *("dashboard_user", "ab_role", "ab_permission_view_role", "ab_user_role", "alembic_version", "ozone_gen_asset"),
)
"""Tables of Superset's own database that hold what people and imports make."""


def superset_records(port: int) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of Superset's own records, the times of their last change among them."""
    login = make_conninfo(user="superset", password="demo", dbname="superset", host="127.0.0.1", port=port)
    with psycopg.connect(login) as connection:
        return {
            table: sorted(connection.execute(f"SELECT t.*::text FROM {table} t".encode()).fetchall())
            for table in RECORDS
        }
