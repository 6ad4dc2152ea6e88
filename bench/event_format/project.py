"""The servers of the comparison: those of a rendered site, with Flink as a session cluster that takes any job."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bench.report import repository
from ozone_gen.flattening.table import FlattenedTable
from ozone_gen.load import load
from ozone_gen.plan import SitePlan
from ozone_gen.plan.build import build_plan
from tests.e2e.running_site import FILES, RunningSite, free_port

SITE = "bench-events"
PARALLELISM = 2
SLOTS = 8
TABLE = "vitals"
_SERVICES = ("mysql", "postgresql", "kafka", "connect")


class EventsProject(RunningSite):
    """MariaDB, Kafka, Connect, a Flink session cluster and PostgreSQL; `plan` is the site's with one table."""

    def __init__(self, folder: Path, engine: Mapping[str, str], patients: int) -> None:
        """Render a site into `folder` and make a compose project of its parts."""
        ports = {part: free_port() for part in ("mysql", "postgresql", "connect", "flink", "kafka")}
        demo = yaml.safe_load((repository() / "examples" / "demo" / "ozone.yaml").read_text())
        demo["site"]["id"] = SITE
        demo["flattening"] = {"parallelism": PARALLELISM, "tables": {TABLE: demo["flattening"]["tables"][TABLE]}}
        demo["sources"]["openmrs"]["demo"] = {"patients": 1}
        demo["ports"] = {part: port for part, port in ports.items() if part != "kafka"}
        del demo["components"]
        file = folder / "ozone.yaml"
        file.write_text(json.dumps(demo))
        out = folder / SITE
        tool = [sys.executable, "-m", "ozone_gen"]
        subprocess.run([*tool, "render", str(file), "-o", str(out)], check=True, stdout=subprocess.DEVNULL)
        data = out / "mysql" / "initdb" / "10-demo-data.sql"
        subprocess.run([*tool, "demo-data", "--patients", str(patients), "-o", str(data)], check=True)
        site = load(str(file))
        self.plan: SitePlan = build_plan(site.spec, site.dictionary)
        (self.table,) = (table for table in self.plan.tables if table.name == TABLE)
        rendered: dict[str, Any] = {}
        for name in FILES:
            rendered |= yaml.safe_load((out / name).read_text())["services"]
        (out / "bench.json").write_text(json.dumps(_project(rendered, ports["kafka"])))
        self._write_settings(out)
        super().__init__(out, engine, ports, files=["bench.json"])

    @property
    def tables(self) -> tuple[str, ...]:
        """The source tables that the flattened table reads."""
        return tuple(table.name for table in self.plan.source.tables)

    def _write_settings(self, out: Path) -> None:
        broker = (out / "kafka" / "server.properties").read_text()
        # A second listener, so that this program on the host can read and write topics.
        broker = re.sub(r"^listeners=.*", r"\g<0>,HOST://:19092", broker, flags=re.MULTILINE)
        address = f"HOST://127.0.0.1:{json.loads((out / 'bench.json').read_text())['x-kafka-port']}"
        broker = re.sub(r"^advertised\.listeners=.*", rf"\g<0>,{address}", broker, flags=re.MULTILINE)
        broker = re.sub(r"^(listener\.security\.protocol\.map=.*)", r"\1,HOST:PLAINTEXT", broker, flags=re.MULTILINE)
        (out / "kafka" / "server.properties").write_text(broker)
        config = yaml.safe_load((out / "flink" / "config.yaml").read_text())
        # Several jobs at a time, each with the whole state of one table; memory is not what is compared.
        config |= {
            "taskmanager.memory.process.size": "4g",
            "taskmanager.numberOfTaskSlots": SLOTS,
            "jobmanager.memory.process.size": "1g",
            "execution.checkpointing.dir": "file:///flink-data/checkpoints",
            "web.submit.enable": True,
        }
        (out / "flink" / "config.yaml").write_text(json.dumps(config))
        (out / "jobs").mkdir()


def _project(rendered: dict[str, Any], kafka_port: int) -> dict[str, Any]:
    services = {name: rendered[name] for name in _SERVICES}
    for service in services.values():
        service["restart"] = "no"
        service.pop("mem_limit")
    services["kafka"]["ports"] = [f"127.0.0.1:{kafka_port}:19092"]
    node = {
        "image": rendered["jobmanager"]["image"],
        "build": rendered["jobmanager"]["build"],
        "environment": {"TZ": "UTC", "MALLOC_ARENA_MAX": "2", **_sink(rendered)},
        "volumes": [
            "./flink/config.yaml:/opt/flink/conf/config.yaml:ro",
            "./flink/log4j-console.properties:/opt/flink/conf/log4j-console.properties:ro",
            "./flink/jobs:/opt/ozone/jobs:ro",
            "./jobs:/jobs:ro",
            "flink-data:/flink-data",
        ],
    }
    services["jobmanager"] = {
        **node,
        "entrypoint": ["/opt/flink/bin/jobmanager.sh", "start-foreground"],
        "ports": rendered["jobmanager"]["ports"],
    }
    services["taskmanager"] = {**node, "entrypoint": ["/opt/flink/bin/taskmanager.sh", "start-foreground"]}
    # By the driver's class rather than `flink run -py`, whose parser takes the program's --job for --jobmanager.
    driver = "-pyclientexec python3 -c org.apache.flink.client.python.PythonDriver /opt/flink/opt/flink-python-*.jar"
    services["submit"] = {
        **node,
        "entrypoint": ["bash", "-c", f'exec /opt/flink/bin/flink run -d {driver} "$@"', "submit"],
        "profiles": ["submit"],
    }
    return {
        "name": f"ozone-{SITE}",
        "x-kafka-port": kafka_port,
        "services": services,
        "volumes": {"mysql-data": {}, "postgresql-data": {}, "kafka-data": {}, "flink-data": {}},
    }


def _sink(rendered: dict[str, Any]) -> dict[str, str]:
    environment: dict[str, str] = rendered["jobmanager"]["environment"]
    sink = {name: value for name, value in environment.items() if name.startswith("ANALYTICS_DB")}
    return {**sink, "OZONE_GENERATION": "bench"}


def sink_ddl(table: FlattenedTable, name: str) -> str:
    """Write the statements that make a flattened table anew under another name."""
    columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
    return f'DROP TABLE IF EXISTS "{name}"; CREATE TABLE "{name}" ({columns}, PRIMARY KEY ("{table.primary_key}"))'
