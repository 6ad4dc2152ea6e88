"""How fast Drill answers over many sites, and what it spares to ask for one of them.

    python -m bench.drill [--sites 100] [--rows 100000] [--runs 7]

Needs an engine as the end-to-end tests do (tests/engine). Starts the store and Drill of `examples/central`, uploads
made-up exports of an eight-column table by `ozone-gen upload`, waits until Drill shows all sites and their exports are
merged, and asks: the views, and then views over the sites' own files, as they were before. Then Superset is started
beside them, and what all containers have at rest is printed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pyarrow
import pyarrow.parquet
from minio import Minio

from bench.report import machine, middle, processors_used, repository, show, wait_until_quiet
from templates.setup.drill_views import view_file
from templates.setup.uploaded_exports import SiteExport, UploadedExports
from tests.e2e.running_site import RunningSite, free_port, until
from tests.engine.engine import ensure_engine, stop_engine

SECRETS: Final = {
    "ANALYTICS_DB_PASSWORD": "unused",
    "SUPERSET_SECRET_KEY": "not-a-secret-but-long-enough-for-superset",
    "SUPERSET_ADMIN_PASSWORD": "not-a-secret-but-long-enough-for-superset",
    "SUPERSET_DB_PASSWORD": "not-a-secret-but-long-enough-for-superset",
    **{f"OBJECT_STORE_{key}_SECRET": f"{key.lower()}-secret-1" for key in ("ROOT", "READ", "WRITE")},
}
BUCKET: Final = "openmrs-data"
ASKED: Final = ("drill", "drill-setup")
"""What answers, with what it needs; the others come after the queries."""
TABLE: Final = "vitals"
COLUMNS: Final = {
    "encounter_id": ("bigint", pyarrow.int64()),
    "patient_uuid": ("character varying", pyarrow.string()),
    "encounter_datetime": ("timestamp without time zone", pyarrow.timestamp("ms")),
    "location": ("character varying", pyarrow.string()),
    "weight_kg": ("double precision", pyarrow.float64()),
    "systolic": ("bigint", pyarrow.int64()),
    "pulse": ("bigint", pyarrow.int64()),
    "note": ("text", pyarrow.string()),
}
"""Name, and type in PostgreSQL and Arrow."""

WARM: Final = 10
"""Times that a query is asked before it counts: the first one in a Drill that has just started takes thrice as long."""

VIEW: Final = f"s3.root.{TABLE}"
MONTH: Final = "DATE_TRUNC('MONTH', encounter_datetime)"
QUERIES: Final = {
    "rows and average weight of every site": f"SELECT location_tag, COUNT(*) AS n, AVG(weight_kg) AS w FROM {VIEW}"
    " GROUP BY location_tag",
    "rows by month, all sites": f"SELECT {MONTH} AS m, COUNT(*) AS n FROM {VIEW} GROUP BY {MONTH}",
    "rows by month, one site": f"SELECT {MONTH} AS m, COUNT(*) AS n FROM {VIEW} WHERE location_tag = 'site-7'"
    f" GROUP BY {MONTH}",
}


def make_export(folder: Path, site: str, rows: int) -> None:
    """Make the export of a site as `parquet-export` leaves it."""
    chance = random.Random(site)
    first = datetime(2023, 1, 1)
    values: dict[str, list[Any]] = {
        "encounter_id": list(range(1, rows + 1)),
        "patient_uuid": [f"{chance.getrandbits(128):032x}" for _ in range(rows // 6 + 1) for _ in range(6)][:rows],
        "encounter_datetime": [first + timedelta(minutes=17 * number) for number in range(rows)],
        "location": [f"Location {chance.randrange(8)}" for _ in range(rows)],
        "weight_kg": [round(chance.gauss(62, 14), 1) for _ in range(rows)],
        "systolic": [chance.randrange(90, 170) for _ in range(rows)],
        "pulse": [chance.randrange(50, 120) for _ in range(rows)],
        "note": [f"seen by nurse {chance.randrange(977)}" if number % 5 == 0 else None for number in range(rows)],
    }
    schema = pyarrow.schema([(name, kinds[1]) for name, kinds in COLUMNS.items()])
    path = Path(TABLE) / f"site={site}" / "date=2026-01-02" / "part-00000.parquet"
    (folder / path).parent.mkdir(parents=True)
    pyarrow.parquet.write_table(pyarrow.table(values, schema), folder / path, compression="zstd")
    content = (folder / path).read_bytes()
    part = {"number": 0, "path": path.as_posix(), "rows": rows, "bytes": len(content), "fingerprint": "1:1"}
    table = {
        "name": TABLE,
        "primary_key": "encounter_id",
        "definition": "d",
        "rows": rows,
        "columns": [{"name": name, "type": kinds[0]} for name, kinds in COLUMNS.items()],
        "parts": [{**part, "sha256": hashlib.sha256(content).hexdigest()}],
    }
    document = {"version": 1, "site": site, "date": "2026-01-02", "exported_at": "2026-01-02T01:02:03Z"}
    manifest = folder / "_exports" / f"site={site}" / "date=2026-01-02.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({**document, "generation": "g", "tables": [table]}))


def ask(port: int, sql: str) -> tuple[list[dict[str, Any]], float]:
    """Ask Drill; the rows and the seconds of planning, or ValueError."""
    body = json.dumps({"queryType": "SQL", "query": sql}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/query.json", data=body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=300) as content:
        answer = json.load(content)
    if answer["queryState"] != "COMPLETED":
        raise ValueError(answer)
    rows: list[dict[str, Any]] = answer["rows"]
    return rows, planning(port, answer["queryId"])


def planning(port: int, query: str) -> float:
    """Seconds until Drill had planned a query: listing folders, reading footers, and choosing."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/profiles/{query}.json", timeout=60) as content:
        profile = json.load(content)
    return float(profile["planEnd"] - profile["start"]) / 1000


def central(folder: Path) -> RunningSite:
    """Render a central server with ports of its own."""
    ports = {part: free_port() for part in ("object_store", "drill", "postgresql", "superset")}
    text = (repository() / "examples" / "central" / "ozone.yaml").read_text().replace("id: central", "id: bench")
    text = text.replace("drill: {sites: [musanze, huye, kigali]}", "drill: {}")
    file = folder / "ozone.yaml"
    file.write_text(f"{text}ports: {json.dumps(ports)}\n")
    subprocess.run([sys.executable, "-m", "ozone_gen", "render", str(file), "-o", str(folder / "bench")], check=True)
    (folder / "bench" / ".env").write_text("".join(f"{name}={value}\n" for name, value in SECRETS.items()))
    files = [f"docker-compose-{part}.yaml" for part in ("db", "minio", "drill", "superset")]
    return RunningSite(folder / "bench", ensure_engine(), ports, files)


def measure(site: RunningSite, exports: Path, sites: int, rows: int, runs: int) -> None:
    """Upload, wait, ask, print."""
    address = f"http://127.0.0.1:{site.ports['object_store']}"
    started = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "ozone_gen", "upload", str(exports), "--to", address],
        env={**os.environ, **SECRETS}, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    uploaded = time.monotonic() - started
    counting = f"SELECT COUNT(*) AS n FROM {VIEW}"
    port = site.ports["drill"]
    shown = until("Drill shows all sites", lambda: int(ask(port, counting)[0][0]["n"]) == sites * rows, 1800)
    size = sum(path.stat().st_size for path in exports.rglob("*.parquet")) / 1e6
    print(f"{sites} sites, {sites * rows:,} rows, {size:.0f} MB: {uploaded:.0f} s to upload, {shown:.0f} to show")
    store = Minio(address.partition("//")[2], "ozone-root", SECRETS["OBJECT_STORE_ROOT_SECRET"], secure=False)
    merged = until("the exports are merged", lambda: "`files`" not in view_query(store), 1800)
    held = sum(each.size or 0 for each in store.list_objects(BUCKET, "merged/", recursive=True)) / 1e6
    work = re.findall(r"(\S+)Z INFO (?:\d+ views show|Merged)", site.compose("logs", "--no-log-prefix", "drill-setup"))
    moments = [datetime.fromisoformat(each) for each in work]
    memory = site.memory("drill-setup")["drill-setup"]
    print(f"merged {merged:.0f} s after that: {held:.0f} MB; drill-setup has {memory:.0f} MiB")
    print(f"views were written and files merged at {', '.join(f'{each:%H:%M:%S}' for each in moments)}")
    wait_until_quiet(3)
    ask_all("the views", port, QUERIES, runs)
    # What the view was before the exports were merged.
    own = view_file(TABLE, {name: kinds[0] for name, kinds in COLUMNS.items()}, newest_exports(store))
    store.put_object(BUCKET, f"views/own_{TABLE}.view.drill", BytesIO(own), len(own))
    unmerged = {name: sql.replace(VIEW, f"s3.root.own_{TABLE}") for name, sql in QUERIES.items()}
    ask_all("over the sites' own files", port, unmerged, runs)
    show_memory(site)


def show_memory(site: RunningSite) -> None:
    """Start the rest, and print what every container has once nothing happens."""
    site.up()
    wait_until_quiet(3)
    used = site.memory(*(service for service, state in site.states().items() if not state.startswith("exited")))
    cached = site.file_cache(*used)
    order = sorted(used, key=lambda service: -used[service])
    lines = [[service, f"{used[service]:.0f}", f"{cached[service]:.0f}"] for service in order]
    total = ["all", f"{sum(used.values()):.0f}", f"{sum(cached.values()):.0f}"]
    show("at rest, after the queries", ["service", "MiB", "of these file cache"], [*lines, total])


def view_query(store: Minio) -> str:
    """The query of the view as it is in the store now."""
    with store.get_object(BUCKET, f"views/{TABLE}.view.drill") as answer:
        return str(json.loads(answer.read())["sql"])


def newest_exports(store: Minio) -> list[SiteExport]:
    """The newest export of every site."""
    uploaded = UploadedExports(store, BUCKET)
    return [uploaded.read(site, *max(found.items())) for site, found in uploaded.manifests().items()]


def ask_all(what: str, port: int, queries: Mapping[str, str], runs: int) -> None:
    """Ask each query until Drill's compilers have done their work, then some times more, and print a table."""
    lines = []
    for name, sql in queries.items():
        seconds, busy, planned = [], [], []
        for _ in range(WARM + runs):
            work, begin = processors_used(), time.monotonic()
            planned.append(ask(port, sql)[1])
            seconds.append(time.monotonic() - begin)
            busy.append(processors_used() - work)
        lines.append([name, f"{seconds[0]:.2f}", *(middle(each[WARM:], 2) for each in (seconds, planned, busy))])
    show(f"{what}; {machine()}", ["query", "first s", "s", "of these planning", "processor s"], lines)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=100)
    parser.add_argument("--rows", type=int, default=100_000, help="of each site")
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="ozone-bench-") as name:
        folder = Path(name)
        for number in range(arguments.sites):
            make_export(folder / "exports", f"site-{number}", arguments.rows)
        site = central(folder)
        site.down()
        try:
            site.up(*ASKED)
            measure(site, folder / "exports", arguments.sites, arguments.rows, arguments.runs)
        finally:
            site.down()
            stop_engine()


if __name__ == "__main__":
    main()
