"""The demo site as its README starts it: bundled databases, made-up patients, everything optional switched on.

The tests stand on each other in the order of the file; starting a site takes a minute.
"""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ozone_gen.components.flink import job_settings
from ozone_gen.flattening.core import CORE_TABLES
from ozone_gen.load import load
from ozone_gen.plan.build import build_plan
from tests.e2e.browser import chromium
from tests.e2e.changes import CORE_HISTORIES, HISTORIES
from tests.e2e.conftest import ROOT, render
from tests.e2e.dashboard_picture import take_picture
from tests.e2e.evolved_demo import evolved, evolved_queries
from tests.e2e.random_changes import random_burst
from tests.e2e.running_site import FILES, RunningSite, free_port, until
from tests.e2e.superset_api import Superset, superset_records
from tests.oracle.comparing import queries
from tests.property.cluster import Cluster, scripted

pytestmark = pytest.mark.e2e

DONE = {"kafka-setup", "migrate"}
SUPERSET = ("redis", "superset-init", "superset", "superset-worker")
CORE = ("patients", "visits", "encounters", "observations", "conditions", "concepts")
NOT_STARTED = {"Superset"}
"""Parts of the site's file whose compose files the tests here leave out."""


@pytest.fixture(scope="module")
def slowly(request: pytest.FixtureRequest) -> bool:
    """Whether slow tests are asked for, which need a larger site, and one of an earlier version."""
    return any(item.get_closest_marker("slow") for item in request.session.items)


@pytest.fixture(scope="module")
def specification(working_folder: Path, slowly: bool) -> Path:
    """The demo site's ozone.yaml with free ports."""
    ports = {part: free_port() for part in ("mysql", "postgresql", "connect", "flink", "kafka_ui", "superset")}
    core = ", ".join(CORE_TABLES if slowly else CORE)
    text = re.sub(r"  core: .*", f"  core: [{core}]", (ROOT / "examples" / "demo" / "ozone.yaml").read_text())
    file = working_folder / "demo.yaml"
    file.write_text(f"{text}ports: {json.dumps(ports)}\n")
    return file


# As a version before this one rendered: its health checks gave up sooner, so every service is another one now.
BEFORE = """
import sys
from ozone_gen.cli import main
from ozone_gen.components import compose
from ozone_gen.render import manifest
compose.healthcheck.__kwdefaults__["timeout"] = 10
manifest.__version__ = "0.0.9"
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def site(
    specification: Path, slowly: bool, working_folder: Path, engine: Mapping[str, str]
) -> Iterator[RunningSite]:
    """The site; where a slow test upgrades it, as an earlier version rendered it."""
    out = working_folder / "demo"
    if slowly:
        subprocess.run([sys.executable, "-c", BEFORE, "render", str(specification), "-o", str(out)], check=True)
    else:
        render(specification, out)
    ports = json.loads(specification.read_text().rpartition("ports: ")[2])
    running = RunningSite(out, engine, ports)
    running.down()
    try:
        running.up()
        yield running
    finally:
        running.down()


@pytest.fixture(scope="module")
def dashboards(site: RunningSite, engine: Mapping[str, str]) -> Iterator[RunningSite]:
    """The same site with Superset, which is started beside what runs."""
    running = RunningSite(site.folder, engine, site.ports, (*FILES, "docker-compose-superset.yaml"))
    try:
        running.up("superset", "superset-worker")
        yield running
    finally:
        running.compose("rm", "--stop", "--force", *SUPERSET, check=False)


@pytest.fixture(scope="module")
def superset(dashboards: RunningSite) -> Superset:
    """Superset's API, as its administrator uses it."""
    return Superset(dashboards.ports["superset"])


@pytest.fixture(scope="module")
def batch(specification: Path) -> dict[str, str]:
    """The batch query of each table."""
    return queries(specification)


def test_everything_is_healthy_at_the_first_try(site: RunningSite) -> None:
    states = site.states()
    assert {service: states[service] for service in DONE} == dict.fromkeys(DONE, "exited (0)")
    running = {service: state for service, state in states.items() if service not in DONE}
    assert set(running.values()) == {"healthy"}, states


def test_tables_equal_the_batch_queries(site: RunningSite, batch: dict[str, str]) -> None:
    site.settle(batch)


def test_each_topic_is_read_once_and_made_from_the_tables_that_are_read(site: RunningSite) -> None:
    sources = (site.folder / "flink" / "sources.sql").read_text()
    topics = json.loads((site.folder / "kafka" / "topics.json").read_text())["topics"]
    assert sorted(re.findall(r"'topic' = '([^']+)'", sources)) == sorted(topic["name"] for topic in topics)
    (job,) = site.get("flink", "/jobs/overview")["jobs"]
    vertices = site.get("flink", f"/jobs/{job['jid']}")["vertices"]
    read = [name for vertex in vertices for name in re.findall(r"Source: (\w+)\[", vertex["name"])]
    assert sorted(read) == sorted(topic["name"].rpartition(".")[2] for topic in topics)


def test_the_property_tests_run_the_plan_of_a_site(site: RunningSite, specification: Path, tmp_path: Path) -> None:
    """Their mini cluster replaces the connectors alone: what stands between them is the same, operator by operator."""
    rendered = load(str(specification))
    tables = build_plan(rendered.spec, rendered.dictionary, locked=rendered.locked).tables
    with Cluster(tmp_path) as cluster:
        explained = cluster.plan(tables, scripted(), job_settings(1))
    (job,) = site.get("flink", "/jobs/overview")["jobs"]
    running = html.unescape(json.dumps(site.get("flink", f"/jobs/{job['jid']}/plan")))
    assert _operators(running) == _operators(explained) != Counter()


def _operators(plan: str) -> Counter[str]:
    """How often each operator is in a plan; what an operator does of itself, such as a topic's reading, apart."""
    found = re.findall(r"\[\d+\]:(\w+)\(", plan)
    return Counter(name for name in found if name not in ("TableSourceScan", "Sink"))


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


def test_the_doctor_finds_what_is_well_and_what_is_not(site: RunningSite, specification: Path) -> None:
    code, found = _examined(site, specification)
    ill = [finding for finding in found if finding["state"] != "well" and finding["part"] not in NOT_STARTED]
    assert (code, ill) == (0, [])
    assert {"Services", "Source", "Kafka Connect", "Flink", "Lag", "Checkpoints", "Sink", "Table vitals"} <= {
        finding["part"] for finding in found
    }
    with site.sink() as sink:
        sink.execute("INSERT INTO vitals (encounter_id) VALUES (-1)")
    site.docker("pause", site.container("connect-setup"))
    try:
        code, found = _examined(site, specification)
    finally:
        site.docker("unpause", site.container("connect-setup"))
        with site.sink() as sink:
            sink.execute("DELETE FROM vitals WHERE encounter_id = -1")
    assert code == 1
    ill = [finding for finding in found if finding["state"] != "well" and finding["part"] not in NOT_STARTED]
    assert {finding["part"] for finding in ill} == {"Service connect-setup", "Table vitals"}


def _examined(site: RunningSite, specification: Path) -> tuple[int, list[dict[str, str]]]:
    command = [sys.executable, "-m", "ozone_gen", "doctor", str(specification), "--folder", str(site.folder)]
    done = subprocess.run(
        [*command, "--format", "json"], env=site.environment, text=True, capture_output=True, check=False
    )
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
def test_an_upgrade_goes_on_from_where_it_was(
    site: RunningSite, batch: dict[str, str], specification: Path
) -> None:
    """The steps of docs/upgrade.md, while the clinic works on."""
    assert json.loads((site.folder / "manifest.json").read_text())["ozone_gen"] == "0.0.9"
    before = {service: site.container(service) for service in site.states()}
    (remembered,) = site.get("connect", "/connectors/openmrs/offsets")["offsets"]
    reviewed = subprocess.run(
        [sys.executable, "-m", "ozone_gen", "diff", str(site.folder), str(specification), "--format", "json"],
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    (review,) = json.loads(reviewed.stdout)["sites"]
    assert (reviewed.returncode, review["verdict"]) == (1, "restart")
    until("there is a checkpoint", lambda: _checkpoint(site, "completed") is not None)
    site.change("UPDATE obs SET comments = 'before the upgrade' WHERE obs_id % 70 = 0")
    render(specification, site.folder)
    upgrade = threading.Thread(target=site.up)
    upgrade.start()
    until("the database has started anew", lambda: site.container("mysql") not in ("", before["mysql"]))
    until("the clinic works on", lambda: _worked(site))
    upgrade.join()
    site.settle(batch)
    assert {service for service in before if site.container(service) == before[service]} == DONE
    assert _restored(site), "the job began anew instead of from its checkpoint"
    (now,) = site.get("connect", "/connectors/openmrs/offsets")["offsets"]
    assert now["partition"] == remembered["partition"]
    assert "snapshot" not in now["offset"]
    assert "status=COMPLETED" not in site.compose("logs", "connect"), "the source was read anew"
    code, found = _examined(site, specification)
    ill = [finding for finding in found if finding["state"] != "well" and finding["part"] not in NOT_STARTED]
    assert (code, ill) == (0, [])


def _worked(site: RunningSite) -> bool:
    site.change("UPDATE obs SET comments = 'during the upgrade' WHERE obs_id % 110 = 0")
    return True


@pytest.mark.parametrize(
    "history", [*HISTORIES, *(pytest.param(each, marks=pytest.mark.slow) for each in CORE_HISTORIES)]
)
def test_tables_follow_a_history_of_changes(site: RunningSite, batch: dict[str, str], history: str) -> None:
    site.change(*(HISTORIES | CORE_HISTORIES)[history])
    site.settle(batch)


@pytest.mark.slow
def test_tables_follow_random_changes(site: RunningSite, batch: dict[str, str]) -> None:
    """A short one; bench/soak.py goes on for as long as one likes."""
    topics = json.loads((site.folder / "kafka" / "topics.json").read_text())["topics"]
    tables = sorted(topic["name"].rpartition(".")[2] for topic in topics)
    for seed in (1, 2):
        print(f"seed {seed}: {random_burst(site, tables, seed, 300)} changes")
        site.settle(batch)


def test_nothing_is_lost_or_doubled_when_processes_die_during_a_load(
    site: RunningSite, batch: dict[str, str]
) -> None:
    stop = threading.Event()

    def load() -> None:
        # Up to a number of steps: a slower machine takes longer to recover, and must not get more to do for it.
        for step in range(1, 80):
            if stop.wait(0.5):
                return
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
        until("the job runs again", lambda: _runs(site))
    finally:
        stop.set()
        loader.join()
    site.settle(batch)
    assert _restored(site), "the job began anew instead of from its checkpoint"


@pytest.mark.slow
def test_what_is_undone_while_the_job_is_down_is_undone_in_the_sink(
    site: RunningSite, batch: dict[str, str]
) -> None:
    """Its last checkpoint is from before both changes, the sink has the first one, and it reads both at once."""
    (job,) = site.get("flink", "/jobs/overview")["jobs"]
    until("there is a checkpoint", lambda: _checkpoint(site, "completed") is not None)
    last = _checkpoint(site, "completed")["id"]
    site.send("flink", "POST", f"/jobs/{job['jid']}/checkpoints", {"checkpointType": "CONFIGURED"})
    until("there is one of now", lambda: _checkpoint(site, "completed")["id"] > last)
    site.change("UPDATE obs SET voided = 1, void_reason = 'for a moment' WHERE voided = 0 AND obs_id % 9 = 0")
    site.settle(batch)
    site.docker("kill", site.container("taskmanager"))
    site.change("UPDATE obs SET voided = 0, void_reason = NULL WHERE void_reason = 'for a moment'")
    site.compose("start", "taskmanager")
    until("the job runs again", lambda: _runs(site))
    site.settle(batch)


@pytest.mark.slow
def test_a_site_that_is_stopped_goes_on_from_where_it_stopped(site: RunningSite, batch: dict[str, str]) -> None:
    """Not from the last periodic checkpoint, which may be a minute old: nothing has to be written twice."""
    until("there is a checkpoint", lambda: _checkpoint(site, "completed") is not None)
    site.change("UPDATE obs SET value_numeric = value_numeric + 1 WHERE obs_id % 10 = 0")
    site.settle(batch)
    last = _checkpoint(site, "completed")["id"]
    site.compose("stop")
    site.compose("up", "-d", "--wait", "--wait-timeout", "600")
    until("the job runs again", lambda: _runs(site))
    assert _checkpoint(site, "restored")["id"] > last
    site.settle(batch)


def _runs(site: RunningSite) -> bool:
    return any(job["state"] == "RUNNING" for job in site.get("flink", "/jobs/overview")["jobs"])


def _restored(site: RunningSite) -> bool:
    return bool(_checkpoint(site, "restored"))


def _checkpoint(site: RunningSite, kind: str) -> Any:
    """The job's latest checkpoint that was completed, or restored from."""
    (job,) = site.get("flink", "/jobs/overview")["jobs"]
    return site.get("flink", f"/jobs/{job['jid']}/checkpoints")["latest"][kind]


def test_deletes_reach_the_sink(site: RunningSite, batch: dict[str, str]) -> None:
    site.change(
        "DELETE FROM obs WHERE concept_id NOT IN (SELECT concept_id FROM concept_name WHERE name LIKE '%(renamed)%')"
        " AND obs_group_id IS NOT NULL"
        " AND obs_id NOT IN (SELECT * FROM (SELECT previous_version FROM obs WHERE previous_version IS NOT NULL) p)"
        " AND obs_id NOT IN (SELECT * FROM (SELECT obs_group_id FROM obs WHERE obs_group_id IS NOT NULL) g)",
    )
    site.settle(batch)


def test_superset_comes_up_beside_the_running_site(dashboards: RunningSite) -> None:
    states = dashboards.states()
    assert {service: states[service] for service in SUPERSET} == {
        **dict.fromkeys(SUPERSET, "healthy"),
        "superset-init": "exited (0)",
    }
    assert "Superset is ready" in dashboards.compose("logs", "superset-init")
    used = dashboards.memory(*SUPERSET)
    print(f"MiB at rest: {used}")
    assert sum(used.values()) < 1024


def test_every_chart_has_rows(superset: Superset) -> None:
    charts = superset.all("chart")
    assert charts
    assert {chart["slice_name"] for chart in charts.values() if not superset.chart_rows(chart["id"])} == set()


def test_a_change_in_the_source_shows_in_a_chart(site: RunningSite, superset: Superset) -> None:
    (chart,) = (each["id"] for each in superset.all("chart").values() if each["slice_name"] == "Visits")
    (before,) = superset.chart_rows(chart)
    site.change("UPDATE visit SET voided = 1 WHERE voided = 0 LIMIT 3")
    wanted = [{"count": before["count"] - 3}]
    until("the chart shows three visits fewer", lambda: superset.chart_rows(chart) == wanted)


def test_a_long_query_runs_in_the_worker(dashboards: RunningSite, superset: Superset) -> None:
    rows = superset.query_in_worker("SELECT count(*) AS n FROM visits", "public")
    with dashboards.sink() as sink:
        assert rows == sink.execute("SELECT count(*) AS n FROM visits").fetchall()
    log = dashboards.compose("logs", "superset-worker")
    assert re.search(r"Task sql_lab.get_sql_results\[.*\] succeeded", log), log


def test_what_superset_runs_can_only_read(dashboards: RunningSite) -> None:
    port = dashboards.ports["postgresql"]
    reader = make_conninfo(user="superset_reader", password="demo", dbname="analytics", host="127.0.0.1", port=port)
    with psycopg.connect(reader) as connection:
        for statement in ("DELETE FROM visits", "CREATE TABLE mine (id bigint)", "SELECT * FROM ozone_gen.state"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
            connection.rollback()


def test_a_second_start_of_superset_changes_nothing(dashboards: RunningSite) -> None:
    port = dashboards.ports["postgresql"]
    before = superset_records(port)
    assert all(before.values())
    assert "Unchanged" in dashboards.run_again("superset-init")
    assert superset_records(port) == before


def test_superset_imports_the_rendered_assets_by_itself(dashboards: RunningSite, superset: Superset) -> None:
    def ids() -> dict[str, dict[str, int]]:
        kinds = ("database", "dataset", "chart", "dashboard")
        return {kind: {uuid: each["id"] for uuid, each in superset.all(kind).items()} for kind in kinds}

    before = ids()
    for _ in range(2):
        superset.import_bundle(dashboards.folder / "superset" / "assets", {"databases/analytics.yaml": "demo"})
        assert ids() == before


def test_the_dashboard_shows_filled_charts(dashboards: RunningSite, tmp_path: Path) -> None:
    if chromium() is None:
        # In CI a test that did not run must not look like one that passed.
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Chromium is not installed: apt-get install chromium")
    charts, troubles = take_picture(dashboards.ports["superset"], tmp_path / "dashboard.png")
    assert charts > 5
    assert not troubles


def test_everything_changes_at_once_and_no_reader_misses_a_row(
    site: RunningSite, batch: dict[str, str], specification: Path
) -> None:
    """Columns and tables are added, renamed, retyped and dropped, and the source is read anew, as a table of it is no
    longer needed. Readers see the old rows until they see all new ones."""
    specification.write_text(evolved(specification.read_text()))
    with site.sink() as sink:
        sink.execute("CREATE VIEW heavy AS SELECT encounter_id, weight_kg AS kilograms FROM vitals")
        sink.execute("GRANT SELECT ON patients TO PUBLIC")
    kept = {f"SELECT count(*) AS n FROM {table}" for table in ("patients", "visits", "vitals", "heavy")}
    new, dropped = "SELECT count(*) AS n FROM weighings", "SELECT count(*) AS n FROM conditions"
    with site.reading(*kept, new, dropped) as seen:
        told = render(specification, site.folder, "--allow-rebuild")
        site.up()
        until("swap", lambda: "is the new one" in site.compose("logs", "swap"))
        site.settle(evolved_queries(batch))
    assert "conditions: the table is dropped (needs --allow-rebuild)" in told
    for query in kept:
        assert len(set(seen[query])) == 1, f"{query}: {seen[query]}"
        assert seen[query][0], query
    assert seen[new] == [None, *seen[new][-1:]], "the new table is complete when it is seen first"
    assert seen[dropped] == [*seen[dropped][:1], None]
    log = site.compose("logs", "--no-log-prefix", "swap")
    assert "vitals has the new rows; it was kept for what depends on it." in log
    assert "a former set of captured tables" in log
    config = json.loads((site.folder / "connect" / "connectors" / "openmrs.json").read_text())["config"]
    remembered = site.get("connect", "/connectors/openmrs/offsets")["offsets"]
    assert [each["partition"]["server"] for each in remembered] == [config["topic.prefix"]]
    with site.sink() as sink:
        row = sink.execute("SELECT has_table_privilege('public', 'patients', 'SELECT') AS may").fetchone()
    assert row == {"may": True}


def test_the_job_writes_on_into_the_swapped_tables(site: RunningSite, batch: dict[str, str]) -> None:
    (job,) = site.get("flink", "/jobs/overview")["jobs"]
    site.change("UPDATE obs SET value_numeric = value_numeric + 1 WHERE obs_id % 5 = 0")
    site.settle(evolved_queries(batch))
    assert site.get("flink", f"/jobs/{job['jid']}/exceptions")["exceptionHistory"]["entries"] == []


def test_superset_follows_the_changed_file_and_keeps_what_people_made(
    dashboards: RunningSite, superset: Superset
) -> None:
    """The file was changed and rendered by a test before; Superset still has the datasets of the former one."""
    datasets = {each["table_name"]: each["id"] for each in superset.all("dataset").values()}
    made = superset.make_as_a_person(datasets["vitals"], edited="Vitals by age and sex, averages")
    before = superset.columns(datasets["vitals"])
    assert "first_weight" not in before
    dashboards.up("superset", "superset-worker")
    now = {each["table_name"]: each["id"] for each in superset.all("dataset").values()}
    assert (now.keys() - datasets.keys(), datasets.keys() - now.keys()) == (
        {"notes", "weighings"},
        {"conditions", "visit_notes"},
    )
    assert now["vitals"] == datasets["vitals"]
    assert now["notes"] == datasets["visit_notes"]
    assert superset.columns(now["vitals"]) == before - {"measurements", "weight_kg"} | {"first_weight", "weight"}
    assert superset.of_a_person(now["vitals"]) == made
    log = dashboards.compose("logs", "superset-init")
    assert "The chart 'Vitals by age and sex, averages' is left as a person has edited it." in log
    ours = [each for each in superset.all("chart").values() if each["id"] not in made["charts"]]
    assert {chart["slice_name"] for chart in ours if not superset.chart_rows(chart["id"])} == set()


def test_a_second_render_changes_nothing(dashboards: RunningSite, specification: Path) -> None:
    containers = {service: dashboards.container(service) for service in dashboards.states()}
    render(specification, dashboards.folder, "--check")
    dashboards.up()
    assert {service: dashboards.container(service) for service in dashboards.states()} == containers


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
