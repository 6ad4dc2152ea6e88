"""The demo site as its README starts it: bundled databases, made-up patients, everything optional switched on.

The tests stand on each other in the order of the file; starting a site takes a minute.
"""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.changes import HISTORIES
from tests.e2e.conftest import ROOT, render
from tests.e2e.running_site import RunningSite, free_port, until
from tests.oracle.comparing import CORE, ORACLE

pytestmark = pytest.mark.e2e

QUERIES = {table: (ORACLE / "core" / f"{table}.sql").read_text() for table in CORE} | {
    table: (ORACLE / "demo" / f"{table}.sql").read_text() for table in ("vitals", "visit_notes")
}
DONE = {"kafka-setup", "migrate"}


@pytest.fixture(scope="module")
def specification(working_folder: Path) -> Path:
    """The demo site's ozone.yaml with free ports."""
    ports = {part: free_port() for part in ("mysql", "postgresql", "connect", "flink", "kafka_ui")}
    text = (ROOT / "examples" / "demo" / "ozone.yaml").read_text()
    file = working_folder / "demo.yaml"
    file.write_text(f"{text}ports: {json.dumps(ports)}\n")
    return file


@pytest.fixture(scope="module")
def site(specification: Path, working_folder: Path, engine: Mapping[str, str]) -> Iterator[RunningSite]:
    out = working_folder / "demo"
    render(specification, out)
    ports = json.loads(specification.read_text().rpartition("ports: ")[2])
    running = RunningSite(out, engine, ports)
    running.down()
    try:
        running.up()
        yield running
    finally:
        running.down()


def test_everything_is_healthy_at_the_first_try(site: RunningSite) -> None:
    states = site.states()
    assert {service: states[service] for service in DONE} == dict.fromkeys(DONE, "exited (0)")
    running = {service: state for service, state in states.items() if service not in DONE}
    assert set(running.values()) == {"healthy"}, states


def test_tables_equal_the_batch_queries(site: RunningSite) -> None:
    site.settle(QUERIES)


def test_each_topic_is_read_once_and_made_from_the_tables_that_are_read(site: RunningSite) -> None:
    sources = (site.folder / "flink" / "sources.sql").read_text()
    topics = json.loads((site.folder / "kafka" / "topics.json").read_text())["topics"]
    assert sorted(re.findall(r"'topic' = '([^']+)'", sources)) == sorted(topic["name"] for topic in topics)
    (job,) = site.get("flink", "/jobs/overview")["jobs"]
    vertices = site.get("flink", f"/jobs/{job['jid']}")["vertices"]
    read = [name for vertex in vertices for name in re.findall(r"Source: (\w+)\[", vertex["name"])]
    assert sorted(read) == sorted(topic["name"].rpartition(".")[2] for topic in topics)


def test_every_aggregate_takes_back_what_changed(site: RunningSite) -> None:
    """Flink planned MIN above a shared subquery without retraction: renamed mappings never arrived (sql.least)."""
    (job,) = site.get("flink", "/jobs/overview")["jobs"]
    plan = html.unescape(json.dumps(site.get("flink", f"/jobs/{job['jid']}/plan")))
    aggregates = re.findall(r"\b(MIN|MAX|SUM|FIRST_VALUE|LAST_VALUE)(\w*)\(", plan)
    assert aggregates
    assert {suffix for _, suffix in aggregates} == {"_RETRACT"}, aggregates
    strategies = set(re.findall(r"Rank\(strategy=\[(\w+)", plan))
    assert strategies == {"RetractStrategy"}


def test_connector_configurations_are_accepted(site: RunningSite, working_folder: Path) -> None:
    external = working_folder / "external"
    render(ROOT / "examples" / "external" / "ozone.yaml", external)
    registered, mysql = (
        json.loads((folder / "connect" / "connectors" / "openmrs.json").read_text())
        for folder in (site.folder, external)
    )
    assert "MariaDb" in registered["config"]["connector.class"]
    assert "MySql" in mysql["config"]["connector.class"]
    for config in (registered["config"], mysql["config"]):
        kind = config["connector.class"].rpartition(".")[2]
        result = site.send(
            "connect", "PUT", f"/connector-plugins/{kind}/config/validate", {**config, "name": "openmrs"}
        )
        problems = {c["value"]["name"]: c["value"]["errors"] for c in result["configs"] if c["value"]["errors"]}
        assert result["error_count"] == 0, problems
    assert "demo" not in json.dumps(registered["config"]).replace("demo-", ""), "a secret is in the connector"


@pytest.mark.parametrize("history", HISTORIES)
def test_tables_follow_a_history_of_changes(site: RunningSite, history: str) -> None:
    site.change(*HISTORIES[history])
    site.settle(QUERIES)


def test_nothing_is_lost_or_doubled_when_processes_die_during_a_load(site: RunningSite) -> None:
    stop = threading.Event()

    def load() -> None:
        step = 0
        while not stop.wait(0.2):
            step += 1
            site.change(
                f"UPDATE obs SET value_numeric = value_numeric + 1 WHERE obs_id % 50 = {step % 50}",
                f"UPDATE obs SET voided = 1 - voided WHERE obs_id % 97 = {step % 97}",
                "UPDATE encounter SET encounter_datetime = encounter_datetime + INTERVAL 1 MINUTE"
                f" WHERE encounter_id % 31 = {step % 31}",
            )

    loader = threading.Thread(target=load, daemon=True)
    loader.start()
    try:
        site.docker("kill", site.container("taskmanager"))
        site.compose("start", "taskmanager")
        site.docker("kill", site.container("jobmanager"))
        site.compose("start", "jobmanager")
        site.send("connect", "POST", "/connectors/openmrs/restart?includeTasks=true")
        until("the job runs again", lambda: _runs(site), 120)
    finally:
        stop.set()
        loader.join()
    site.settle(QUERIES)
    assert _restored(site), "the job began anew instead of from its checkpoint"


def _runs(site: RunningSite) -> bool:
    return any(job["state"] == "RUNNING" for job in site.get("flink", "/jobs/overview")["jobs"])


def _restored(site: RunningSite) -> bool:
    (job,) = site.get("flink", "/jobs/overview")["jobs"]
    return bool(site.get("flink", f"/jobs/{job['jid']}/checkpoints")["latest"]["restored"])


def test_deletes_reach_the_sink(site: RunningSite) -> None:
    site.change(
        "DELETE FROM obs WHERE concept_id NOT IN (SELECT concept_id FROM concept_name WHERE name LIKE '%(renamed)%')"
        " AND obs_group_id IS NOT NULL"
        " AND obs_id NOT IN (SELECT * FROM (SELECT previous_version FROM obs WHERE previous_version IS NOT NULL) p)"
        " AND obs_id NOT IN (SELECT * FROM (SELECT obs_group_id FROM obs WHERE obs_group_id IS NOT NULL) g)",
    )
    site.settle(QUERIES)


def test_a_changed_file_changes_the_running_tables(site: RunningSite, specification: Path) -> None:
    text = specification.read_text()
    changed = text.replace(
        "        measurements: {concept: CIEL:5089, repeat: count}\n",
        "        first_weight_kg: {concept: CIEL:5089, repeat: first}\n",
    )
    assert changed != text
    specification.write_text(changed)
    render(specification, site.folder)
    site.up()
    measurements = re.compile(r",\s*\(SELECT COUNT\(.*?\) AS measurements", re.DOTALL)
    weight = re.search(r"\(SELECT x\.value_numeric FROM.*?\) AS weight_kg,", QUERIES["vitals"], re.DOTALL)
    assert weight is not None
    first = weight.group().replace(" DESC", "").replace("weight_kg,", "first_weight_kg")
    queries = QUERIES | {"vitals": measurements.sub(lambda _: ",\n  " + first, QUERIES["vitals"])}
    site.settle(queries)


def test_a_second_render_changes_nothing(site: RunningSite, specification: Path) -> None:
    containers = {service: site.container(service) for service in site.states()}
    render(specification, site.folder, "--check")
    site.up()
    assert {service: site.container(service) for service in site.states()} == containers


def test_the_kafka_ui_reads_its_configuration(site: RunningSite) -> None:
    """Its image cannot be built from packages; where it is left out its file is checked, and that is said."""
    if "kafka-ui" in site.states():
        assert site.states()["kafka-ui"] == "healthy"
    else:
        print("Redpanda Console did not run here: there is no image of it. Its configuration was checked.")
    config = (site.folder / "kafka-ui" / "console.yaml").read_text()
    assert "kafka:9092" in config
    assert "http://connect:8083" in config


def test_connector_config_reads_only_what_is_flattened(site: RunningSite) -> None:
    config = json.loads((site.folder / "connect" / "connectors" / "openmrs.json").read_text())["config"]
    topics = json.loads((site.folder / "kafka" / "topics.json").read_text())["topics"]
    assert len(config["table.include.list"].split(",")) == len(topics)
    assert "password" not in config["column.include.list"]
