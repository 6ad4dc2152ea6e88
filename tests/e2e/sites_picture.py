"""A picture of a central server's dashboard, with three made-up sites of their own size and years.

    python -m tests.e2e.sites_picture docs/images/superset-sites.png 1740

What the sites send is what `ozone-gen preview` makes of their data, described as an export is.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import pyarrow
from pyarrow import parquet

from tests.e2e.conftest import ROOT
from tests.e2e.dashboard_picture import take_picture
from tests.e2e.running_site import free_port, until
from tests.e2e.test_central_server import CENTRAL_FILES, SECRETS, Central, rendered
from tests.engine.engine import ensure_engine, stop_engine

PATIENTS: Final = {"musanze": 420, "huye": 260, "kigali": 90}
DAY: Final = {"musanze": "2026-02-03", "huye": "2026-02-03", "kigali": "2026-01-30"}


def export(folder: Path, site: str, declared: list[dict[str, Any]]) -> None:
    """Preview a site as `examples/export` describes it, and lay out its tables as an export."""
    text = (ROOT / "examples" / "export" / "ozone.yaml").read_text()
    demo = f"demo: {{patients: {PATIENTS[site]}, seed: {len(site)}}}"
    text, changed = re.subn(r"demo: \{.*\}", demo, re.sub(r"\bmusanze\b", site, text))
    assert changed
    file = folder / f"{site}.yaml"
    file.write_text(text)
    made = folder / f"{site}-tables"
    subprocess.run([sys.executable, "-m", "ozone_gen", "preview", str(file), "-o", str(made)], check=True)
    described = []
    for table in declared:
        name = table["name"]
        rows = parquet.read_table(made / f"{name}.parquet")
        path = f"{name}/site={site}/date={DAY[site]}/part-00000.parquet"
        target = folder / "parquet" / path
        target.parent.mkdir(parents=True)
        fields = [
            field.with_type(pyarrow.timestamp("ms")) if pyarrow.types.is_timestamp(field.type) else field
            for field in rows.schema
        ]
        # Drill cannot read the empty dictionaries, packed by zstd, that Arrow would write for empty columns.
        parquet.write_table(rows.cast(pyarrow.schema(fields)), target, compression="zstd", use_dictionary=False)
        content = target.read_bytes()
        part = {"number": 0, "path": path, "rows": rows.num_rows, "bytes": len(content), "fingerprint": "1:1"}
        columns = [each for each in table["columns"] if each["name"] in rows.schema.names]
        described.append(
            {"name": name, "primary_key": table["columns"][0]["name"], "definition": "d", "rows": rows.num_rows}
            | {"columns": columns, "parts": [{**part, "sha256": hashlib.sha256(content).hexdigest()}]}
        )
    document = {"version": 1, "site": site, "date": DAY[site], "exported_at": f"{DAY[site]}T01:02:03Z"}
    manifest = folder / "parquet" / "_exports" / f"site={site}" / f"date={DAY[site]}.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({**document, "generation": "g", "tables": described}))


def main(picture: Path, height: int) -> None:
    """Start the server, send what the sites export, and take the picture."""
    engine = ensure_engine()
    with tempfile.TemporaryDirectory(prefix="ozone-picture-") as name:
        folder = Path(name)
        ports = {part: free_port() for part in ("postgresql", "object_store", "drill", "superset")}
        central = Central(rendered("central", "central", folder, ports), engine, ports, CENTRAL_FILES)
        declared = json.loads((central.folder / "drill" / "tables.json").read_text())["tables"]
        for site in PATIENTS:
            export(folder, site, declared)
        try:
            central.up()
            done = central.upload(folder / "parquet")
            assert done.returncode == 0, done.stderr
            until("Drill shows all sites", lambda: set(central.visits()) == set(PATIENTS))
            password = SECRETS["SUPERSET_ADMIN_PASSWORD"]
            print(take_picture(ports["superset"], picture, dashboard="sites", height=height, password=password))
        finally:
            central.down()
            stop_engine()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
