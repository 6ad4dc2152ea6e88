"""connect-setup's watch against an HTTP server that answers as Kafka Connect's REST API does."""

import json
import logging
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from templates.setup import connect_setup
from templates.setup.connect_setup import healthcheck, read_connectors, read_source
from templates.setup.connect_worker import ConnectWorker
from templates.setup.connector_watch import Watch, root_cause
from templates.setup.source_check import Source, SourceState
from templates.setup.waiting import NotReadyError, Problem, RefusedError

MARIADB = "io.debezium.connector.mariadb.MariaDbConnector"
CONFIG = {"connector.class": MARIADB, "topic.prefix": "clinic", "name": "openmrs"}

# As Kafka Connect 4.1.1 and Debezium 3.4 gave it, with fewer lines.
TRACE = """\
org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer.
\tat io.debezium.pipeline.ErrorHandler.setProducerThrowable(ErrorHandler.java:67)
Caused by: io.debezium.DebeziumException: Table is locked. Error code: 1236; SQLSTATE: HY000.
\t... 6 more
Caused by: com.github.shyiko.mysql.binlog.network.ServerException: Table is locked.
\tat com.github.shyiko.mysql.binlog.BinaryLogClient.listenForEventPackets(BinaryLogClient.java:1043)
"""


@dataclass
class FakeConnect:
    """Connectors in memory; `orders` are the requests that changed something."""

    connectors: dict[str, dict[str, str]] = field(default_factory=dict)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    plugins: list[str] = field(default_factory=lambda: [MARIADB])
    errors: dict[str, list[str]] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)
    status: int = 0  # answer everything with it
    body: bytes | None = None

    def fails(self, name: str, trace: str) -> None:
        self.states[name] = state("RUNNING", "FAILED", trace)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if self.status:
            return self.status, {"error_code": self.status, "message": "Cannot complete request\nmore"}
        parts = [urllib.parse.unquote(part) for part in path.partition("?")[0].strip("/").split("/")]
        if method != "GET" and parts[-1] != "validate":
            self.orders.append(f"{method} {path}")
        match method, parts:
            case "GET", ["connectors"]:
                return 200, {name: {"info": {"config": config}} for name, config in self.connectors.items()}
            case "GET", ["connector-plugins"]:
                return 200, [{"class": name, "type": "source", "version": "3.4"} for name in self.plugins]
            case "PUT", ["connector-plugins", _, "config", "validate"]:
                fields = [{"name": key, "errors": self.errors.get(key, [])} for key in body]
                return 200, {"name": MARIADB, "configs": [{"definition": {}, "value": x} for x in fields]}
            case "PUT", ["connectors", name, "config"]:
                self.connectors[name] = body
                self.states[name] = state("RUNNING", "RUNNING")
                return 201, {"name": name, "config": body}
            case "GET", ["connectors", name, "status"] if name in self.states:
                return 200, {"name": name, **self.states[name]}
            case "POST", ["connectors", name, "restart"] if name in self.states:
                return 202, {"name": name, **self.states[name]}
            case "DELETE", ["connectors", name] if name in self.connectors:
                del self.connectors[name]
                return 204, None
        return 404, {"error_code": 404, "message": "No such thing"}


def state(connector: str, task: str, trace: str | None = None) -> dict[str, Any]:
    failed = {} if trace is None else {"trace": trace}
    return {
        "connector": {"state": connector, "worker_id": "connect:8083"},
        "tasks": [{"id": 0, "state": task, "worker_id": "connect:8083", **failed}],
        "type": "source",
    }


@pytest.fixture
def connect() -> Iterator[tuple[FakeConnect, str]]:
    fake = FakeConnect()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            code, answer = fake.answer(self.command, self.path, body)
            text = (
                fake.body
                if fake.body is not None
                else json.dumps(answer).encode()
                if answer is not None
                else b""
            )
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_PUT = do_POST = do_DELETE = _answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield fake, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@dataclass
class Site:
    """A watch, and what it sees."""

    connect: FakeConnect
    watch: Watch
    source: SourceState
    now: float = 1000.0
    looks: int = 0

    def step(self, after: float = 0.0) -> list[str]:
        self.now += after
        return [problem.message for problem in self.watch.step()]


@pytest.fixture
def site(connect: tuple[FakeConnect, str]) -> Site:
    fake, url = connect

    def look() -> SourceState:
        made.looks += 1
        return made.source

    watch = Watch({"openmrs": CONFIG}, look, ConnectWorker(url), clock=lambda: made.now)
    made = Site(fake, watch, SourceState(readers=1))
    return made


def test_a_connector_is_registered_once(site: Site) -> None:
    assert site.step() == []
    assert site.step() == []
    assert site.connect.connectors == {"openmrs": CONFIG}
    assert site.connect.orders == ["PUT /connectors/openmrs/config"]


def test_a_changed_configuration_is_put(site: Site) -> None:
    site.connect.connectors["openmrs"] = {**CONFIG, "snapshot.mode": "never"}
    assert site.step() == []
    assert site.connect.connectors["openmrs"] == CONFIG


def test_a_connector_that_somebody_deleted_comes_back(site: Site) -> None:
    site.step()
    site.connect.connectors.clear()
    assert site.step(5) == []
    assert "openmrs" in site.connect.connectors


def test_a_left_over_connector_is_removed_first_and_a_foreign_one_stays(site: Site) -> None:
    foreign = {"connector.class": MARIADB, "topic.prefix": "lab", "name": "lab"}
    renamed = {**CONFIG, "name": "emr", "topic.prefix": "emr-0a1b2c3d"}
    site.connect.connectors.update({"old": {**CONFIG, "name": "old"}, "emr": renamed, "lab": foreign})
    assert site.step() == []
    removed = ["DELETE /connectors/old", "DELETE /connectors/emr"]
    assert site.connect.orders == [*removed, "PUT /connectors/openmrs/config"]
    assert site.connect.connectors["lab"] == foreign


def test_nothing_is_registered_while_the_source_is_unfit(site: Site) -> None:
    site.source = SourceState(problems=(Problem("The source is down."),))
    assert site.step() == ["The source is down."]
    assert site.connect.connectors == {}
    assert not site.watch.source_is_fit
    site.source = SourceState(readers=1)
    assert site.step(1) == []
    assert site.watch.source_is_fit


def test_a_refused_field_is_named(site: Site) -> None:
    site.connect.errors = {"topic.prefix": ["A value is required."]}
    assert site.step() == ["Debezium refuses topic.prefix of the connector openmrs: A value is required."]
    assert site.connect.connectors == {}


def test_a_missing_plugin_is_named(site: Site) -> None:
    site.connect.plugins = []
    assert site.step() == [f"Kafka Connect has no plugin {MARIADB}."]


@pytest.mark.parametrize("states", [("UNASSIGNED", "RUNNING"), ("RUNNING", "RESTARTING")])
def test_what_starts_is_not_well_yet(site: Site, states: tuple[str, str]) -> None:
    site.step()
    site.connect.states["openmrs"] = state(*states)
    assert site.step() == ["The connector openmrs is starting."]
    site.connect.states["openmrs"]["tasks"] = []
    assert site.step() == ["The connector openmrs is starting."]
    del site.connect.states["openmrs"]
    assert site.step() == ["The connector openmrs is starting."]


@pytest.mark.parametrize("word", ["PAUSED", "STOPPED"])
def test_what_a_person_paused_stays_paused(site: Site, word: str) -> None:
    site.step()
    site.connect.states["openmrs"] = state(word, word)
    problems = site.watch.step()
    assert [problem.message for problem in problems] == ["The connector openmrs was paused by a person."]
    assert "/connectors/openmrs/resume" in problems[0].cure
    assert site.connect.orders == ["PUT /connectors/openmrs/config"]


def test_a_failed_task_is_explained_and_restarted_with_growing_pauses(site: Site) -> None:
    site.step()
    site.connect.orders.clear()
    site.connect.fails("openmrs", TRACE)
    restarted_at = []
    start = site.now
    for _ in range(90):
        assert site.step() == ["The connector openmrs failed: Table is locked. (ServerException)."]
        if site.connect.orders:
            assert site.connect.orders == [
                "POST /connectors/openmrs/restart?includeTasks=true&onlyFailed=true"
            ]
            restarted_at.append(site.now - start)
            site.connect.orders.clear()
        site.now += 1
    assert restarted_at == [0, 5, 15, 35, 75]


def test_after_two_steady_minutes_a_failure_is_restarted_at_once_again(site: Site) -> None:
    site.step()
    site.connect.fails("openmrs", TRACE)
    for _ in range(60):
        site.step(1)
    site.connect.states["openmrs"] = state("RUNNING", "RUNNING")
    site.step(1)
    site.step(121)
    site.connect.orders.clear()
    site.connect.fails("openmrs", TRACE)
    site.step(1)
    assert site.connect.orders == ["POST /connectors/openmrs/restart?includeTasks=true&onlyFailed=true"]


@pytest.mark.parametrize(
    ("trace", "words"),
    [
        (
            "Caused by: java.lang.NullPointerException: Cannot invoke ... because gtidSet is null",
            "the source's binary log was empty when it started",
        ),
        (
            "Caused by: x.ServerException: Could not find GTID state requested by slave in any binlog files. "
            "Probably the slave state is too old and required binlog files have been purged.",
            "the source has deleted the part of its binary log that was not read yet",
        ),
        (
            "Caused by: x.ServerException: Could not find first log file name in binary log index file",
            "the source has deleted the part of its binary log that was not read yet",
        ),
        (
            "Caused by: x.ServerException: A slave with the same server_uuid/server_id as this slave has "
            "connected to the master",
            "another reader of the source uses the same server_id",
        ),
        (
            "io.debezium.DebeziumException: The db history topic is missing. You may attempt to recover it",
            "Debezium's notes on the source's tables are missing from Kafka",
        ),
        ("java.lang.OutOfMemoryError: Java heap space", "Kafka Connect has too little memory"),
        ("", "Kafka Connect gives no reason"),
    ],
)
def test_frequent_failures_have_words(site: Site, trace: str, words: str) -> None:
    site.step()
    site.connect.fails("openmrs", trace)
    assert site.step() == [f"The connector openmrs failed: {words}."]


@pytest.mark.parametrize(
    ("trace", "cause"),
    [
        (TRACE, "Table is locked. (ServerException)"),
        ("java.lang.NullPointerException\n\tat x.y(z)", "NullPointerException"),
        ("x.y.Outer$Inner: said", "said (Outer$Inner)"),
        ("plain words", "plain words"),
        ("", ""),
    ],
)
def test_the_root_cause_of_a_trace(trace: str, cause: str) -> None:
    assert root_cause(trace) == cause


def test_a_snapshot_counts_as_flowing(site: Site) -> None:
    site.source = SourceState(readers=0, others=1)
    assert site.step() == []
    assert site.step(3600) == []
    assert site.connect.orders == ["PUT /connectors/openmrs/config"]


def test_a_running_task_that_lost_the_source_is_not_well_and_is_restarted(site: Site) -> None:
    silent = ["The connector openmrs runs, but does not follow the source's changes."]
    site.step()
    site.source = SourceState(readers=0, others=0)
    site.connect.orders.clear()
    assert site.step(10) == silent
    assert site.step(19) == silent
    assert site.connect.orders == []
    assert site.step(10) == silent
    assert site.connect.orders == ["POST /connectors/openmrs/restart?includeTasks=true&onlyFailed=false"]
    site.source = SourceState(readers=1)
    assert site.step(10) == []


def test_a_second_snapshot_is_not_broken_off(site: Site) -> None:
    site.step()
    site.source = SourceState(readers=0, others=1)
    site.connect.orders.clear()
    for _ in range(20):
        assert site.step(60) == ["The connector openmrs runs, but does not follow the source's changes."]
    assert site.connect.orders == []


def test_the_source_is_looked_at_every_ten_seconds_while_all_is_well(site: Site) -> None:
    site.step()
    site.looks = 0
    for _ in range(12):
        site.step(5)
    assert site.looks == 6


def test_a_warning_about_the_source_is_said_once(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.source = SourceState(warnings=(Problem("The log is kept for 2 hours."),), readers=1)
    with caplog.at_level(logging.WARNING, "ozone"):
        for _ in range(5):
            assert site.step(60) == []
    assert caplog.messages == ["The log is kept for 2 hours."]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (409, None, "Kafka Connect is sharing out its work anew and takes no orders for a moment."),
        (500, None, "Kafka Connect answers with status 500: Cannot complete request."),
        (404, b"<html>", "Kafka Connect is still starting (it answers with status 404)."),
    ],
)
def test_a_busy_worker(site: Site, status: int, body: bytes | None, words: str) -> None:
    site.connect.status, site.connect.body = status, body
    assert site.step() == [words]


def test_something_else_at_connects_address(site: Site) -> None:
    site.connect.body = b"<html>"
    message = site.step()[0]
    assert message.startswith("What answers at http://127.0.0.1")


def test_a_worker_that_is_down() -> None:
    with pytest.raises(NotReadyError, match=r"Kafka Connect at 127\.0\.0\.1:9 is down"):
        ConnectWorker("http://127.0.0.1:9").configs()
    with pytest.raises(RefusedError, match="is no address"):
        ConnectWorker("connect:8083")


def test_rendered_connectors_are_read_as_connect_keeps_them(tmp_path: Path) -> None:
    config = {"connector.class": MARIADB, "tasks.max": 1, "tombstones.on.delete": True}
    text = json.dumps({"name": "openmrs", "config": config})
    (tmp_path / "openmrs.json").write_text(text, encoding="utf-8")
    assert read_connectors(tmp_path) == {
        "openmrs": {
            "connector.class": MARIADB,
            "tasks.max": "1",
            "tombstones.on.delete": "true",
            "name": "openmrs",
        }
    }


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"name": "a", "config": {}}', '{"name": "a", "config": 1}']
)
def test_a_broken_connector_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RefusedError, match="cannot be used"):
        read_connectors(tmp_path)
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(RefusedError, match="cannot be used"):
        read_connectors(tmp_path)


def test_the_rendered_source_is_read(tmp_path: Path) -> None:
    path = tmp_path / "source.json"
    source = {"engine": "mariadb", "database": "openmrs", "tables": {"obs": ["obs_id"]}, "server_id": 5001}
    path.write_text(json.dumps(source), encoding="utf-8")
    assert read_source(path) == Source("mariadb", "openmrs", {"obs": ("obs_id",)}, 5001)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(RefusedError, match="cannot be used"):
        read_source(path)


def test_health_is_a_fresh_file(tmp_path: Path) -> None:
    path = tmp_path / "healthy"
    assert healthcheck(path, 1000.0) == 1
    path.touch()
    touched = path.stat().st_mtime
    assert healthcheck(path, touched + 29) == 0
    assert healthcheck(path, touched + 31) == 1


def test_broken_files_end_the_program_with_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    healthy = tmp_path / "healthy"
    healthy.touch()
    monkeypatch.setattr(connect_setup, "HEALTHY", healthy)
    monkeypatch.setattr(connect_setup, "SOURCE", tmp_path / "source.json")
    with caplog.at_level(logging.ERROR, "ozone"):
        assert connect_setup.watch() == 1
    assert "Render the site again." in caplog.text
    assert not healthy.exists()
