"""The doctor: what it makes of the answers of a running site."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from ozone_gen.cli import main
from ozone_gen.doctor import Finding, State, connect, examine, flink, pages, services
from ozone_gen.doctor.counts import count_queries
from ozone_gen.doctor.reach import Surroundings, environment, innermost_cause
from ozone_gen.load import load
from ozone_gen.plan import SitePlan
from ozone_gen.plan.build import build_plan

DEMO = (Path(__file__).parents[2] / "examples" / "demo" / "ozone.yaml").read_text(encoding="utf-8")


class Answers(dict[str, Any]):
    """What a server answers by path, and where it listens; another path is an error 404."""

    port = 0


@pytest.fixture
def answers() -> Iterator[Answers]:
    found = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path)
            self.send_response(200 if path in found else 404)
            self.end_headers()
            self.wfile.write(json.dumps(found.get(path)).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def plan_of(folder: Path, ports: str = "") -> SitePlan:
    file = folder / "ozone.yaml"
    file.write_text(DEMO + (f"ports: {{{ports}}}\n" if ports else ""), encoding="utf-8")
    site = load(str(file))
    return build_plan(site.spec, site.dictionary)


@pytest.fixture
def site(tmp_path: Path, answers: Answers) -> Surroundings:
    """A site whose Connect and Flink are the server of `answers`; Flink.s port is closed."""
    return Surroundings(plan_of(tmp_path, f"connect: {answers.port}, flink: null"), {})


def flink_site(folder: Path, answers: Answers) -> Surroundings:
    return Surroundings(plan_of(folder, f"flink: {answers.port}"), {})


STATUS = "/connectors/openmrs/status"


def status(connector: str, *tasks: str, trace: str = "") -> dict[str, Any]:
    return {
        "connector": {"state": connector},
        "tasks": [{"id": number, "state": task, "trace": trace} for number, task in enumerate(tasks)],
    }


def test_a_connector_that_runs(site: Surroundings, answers: Answers) -> None:
    answers[STATUS] = status("RUNNING", "RUNNING")
    assert list(connect.examine(site)) == [Finding("Kafka Connect", State.WELL, "connector openmrs runs")]


def test_a_task_that_failed_says_why(site: Surroundings, answers: Answers) -> None:
    trace = "org.x.ConnectException: it failed\n\tat a\nCaused by: java.sql.SQLException: Access denied\n\tat b"
    answers[STATUS] = status("RUNNING", "FAILED", trace=trace)
    (finding,) = connect.examine(site)
    assert finding.state is State.ILL
    assert "FAILED: java.sql.SQLException: Access denied" in finding.what
    assert finding.cure


def test_a_connector_without_tasks_or_not_there(site: Surroundings, answers: Answers) -> None:
    answers[STATUS] = status("RUNNING")
    assert [finding.state for finding in connect.examine(site)] == [State.WELL]
    answers[STATUS] = status("PAUSED")
    assert {finding.state for finding in connect.examine(site)} == {State.ILL}
    answers.clear()
    (finding,) = connect.examine(site)
    assert (finding.state, "404" in finding.what) == (State.ILL, True)


def test_a_closed_port_is_not_known(site: Surroundings) -> None:
    (finding,) = flink.examine(site)
    assert (finding.state, finding.what) == (State.UNKNOWN, "its port is closed in ozone.yaml")


def job(answers: Answers, *, state: str = "RUNNING", restarts: int = 0, pending: int = 0, age: float = 5) -> None:
    """Flink's answers about one job."""
    now = time.time() * 1000
    answers["/jobs/overview"] = {
        "jobs": [
            {"jid": "old", "name": "demo", "state": "CANCELED", "start-time": 1},
            {"jid": "j", "name": "demo", "state": state, "start-time": now - 3_600_000},
            {"jid": "other", "name": "export", "state": "RUNNING", "start-time": now},
        ]
    }
    answers["/jobs/j/metrics?get=numRestarts"] = [{"id": "numRestarts", "value": str(restarts)}]
    answers["/jobs/j"] = {"vertices": [{"id": "v", "name": "Source: obs[1]"}, {"id": "w", "name": "Join"}]}
    metrics = "/jobs/j/vertices/v/subtasks/metrics"
    answers[metrics] = [{"id": "Source__obs[1].pendingRecords"}, {"id": "numRecordsIn"}]
    answers[f"{metrics}?agg=sum&get=Source__obs[1].pendingRecords"] = [{"id": "x", "sum": float(pending)}]
    answers["/jobs/j/checkpoints"] = {
        "counts": {"failed": 2},
        "latest": {"completed": {"latest_ack_timestamp": now - age * 1000, "state_size": 2_500_000}},
    }
    stack = "java.lang.Exception: it broke\n\tat a\nCaused by: java.lang.OutOfMemoryError: Java heap space\n\tat b"
    answers["/jobs/j/exceptions?maxExceptions=1"] = {"exceptionHistory": {"entries": [{"stacktrace": stack}]}}


def found(folder: Path, answers: Answers) -> dict[str, Finding]:
    return {finding.part: finding for finding in flink.examine(flink_site(folder, answers))}


def test_a_job_that_is_well(tmp_path: Path, answers: Answers) -> None:
    job(answers, pending=3)
    all_of_it = found(tmp_path, answers)
    assert {finding.state for finding in all_of_it.values()} == {State.WELL}
    assert all_of_it["Lag"].what == "3 changes in Kafka are not worked on yet"
    assert "2.5 MB" in all_of_it["Checkpoints"].what


def test_a_job_that_keeps_failing_lags_and_has_no_checkpoint(tmp_path: Path, answers: Answers) -> None:
    job(answers, restarts=7, pending=1_000_000, age=1200)
    all_of_it = found(tmp_path, answers)
    assert "7 restarts; the last time: java.lang.OutOfMemoryError" in all_of_it["Flink"].what
    assert all_of_it["Flink"].state is all_of_it["Lag"].state is State.WARNING
    assert all_of_it["Checkpoints"].state is State.ILL


def test_a_job_that_does_not_run_or_is_not_there(tmp_path: Path, answers: Answers) -> None:
    job(answers, state="FAILED")
    assert found(tmp_path, answers)["Flink"].what.startswith("the job is FAILED; the last time: java.lang.OutOf")
    answers["/jobs/overview"] = {"jobs": []}
    assert found(tmp_path, answers)["Flink"].what == "there is no job"


def container(service: str, state: str, status: str) -> dict[str, str]:
    labels = f"com.docker.compose.project=ozone-demo,com.docker.compose.service={service}"
    return {"ID": service, "Names": service, "Labels": labels, "State": state, "Status": status}


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program `docker` that lists the containers of a file and has something to say in its logs."""
    program, listed = tmp_path / "bin" / "docker", tmp_path / "containers"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$1" = ps ] && exec cat {listed}\necho "the password is refused" >&2\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return listed


def test_containers(docker: Path, tmp_path: Path) -> None:
    site = Surroundings(plan_of(tmp_path), dict(os.environ))
    docker.write_text("")
    (finding,) = services.examine(site)
    assert finding.what == "no container of the project ozone-demo is there"

    up = [container("kafka", "running", "Up (healthy)"), container("migrate", "exited", "Exited (0) 1 hour ago")]
    docker.write_text("\n".join(map(json.dumps, up)))
    assert [finding.state for finding in services.examine(site)] == [State.WELL]

    down = [
        container("connect-setup", "running", "Up 3 minutes (unhealthy)"),
        container("jobmanager", "exited", "Exited (137) 1 minute ago"),
        container("kafka", "restarting", "Restarting (1)"),
    ]
    docker.write_text("\n".join(map(json.dumps, [*up, *down])))
    assert [(finding.part, finding.what) for finding in services.examine(site)] == [
        ("Service connect-setup", "it is unhealthy; it said last: the password is refused"),
        ("Service jobmanager", "it has ended: Exited (137) 1 minute ago; it said last: the password is refused"),
        ("Service kafka", "it is restarting: Restarting (1); it said last: the password is refused"),
    ]


def test_pages(tmp_path: Path, answers: Answers) -> None:
    site = Surroundings(plan_of(tmp_path, f"superset: {answers.port}"), {})
    answers["/health"] = "OK"
    assert [finding.state for finding in pages.examine(site)] == [State.WELL]
    answers["/health"] = "starting"
    assert [(finding.part, finding.state) for finding in pages.examine(site)] == [("Superset", State.ILL)]
    answers.clear()
    assert "404" in next(pages.examine(site)).what
    closed = Surroundings(plan_of(tmp_path, "superset: null"), {})
    assert [finding.state for finding in pages.examine(closed)] == [State.UNKNOWN]


def test_a_central_server(answers: Answers, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "examples" / "central" / "ozone.yaml").read_text(encoding="utf-8")
    file = tmp_path / "ozone.yaml"
    file.write_text(f"{text}ports: {{drill: {answers.port}, object_store: null}}\n", encoding="utf-8")
    answers["/status"] = "<html>Running!</html>"
    site = load(str(file))
    found = {finding.part: finding.state for finding in examine(build_plan(site.spec, site.dictionary), {})}
    assert found["Drill"] is State.WELL
    assert found["Object store"] is State.UNKNOWN
    assert "Source" not in found


def test_values_are_those_that_compose_would_see(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("OPENMRS_DB_PASSWORD='a $b \"c'\nANALYTICS_DB_HOST=of-file\nANALYTICS_DB_USER=\n")
    seen = environment({"ANALYTICS_DB_HOST": "of-process"}, file)
    site = Surroundings(plan_of(tmp_path), seen)
    assert site.value(site.plan.source.password) == 'a $b "c'
    assert site.value(site.plan.sink.host) == "of-process"
    assert site.value(site.plan.sink.username) == "analytics"
    assert site.value(site.plan.sink.password) is None


def test_every_table_is_counted(tmp_path: Path) -> None:
    plan_of(tmp_path)
    site = load(str(tmp_path / "ozone.yaml"))
    plan = build_plan(site.spec, site.dictionary)
    assert list(count_queries(plan)) == [table.name for table in plan.tables]


def test_an_innermost_cause() -> None:
    assert innermost_cause("") == ""
    assert innermost_cause("A: b\n\tat c") == "A: b"


def test_nothing_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    plan_of(tmp_path, "connect: null, flink: null, mysql: null, postgresql: null, superset: null")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["doctor", str(tmp_path / "ozone.yaml")]) == 0
    printed = capsys.readouterr().out
    assert "there is no docker here" in printed
    assert "well" not in printed.splitlines()[-1]
    assert main(["doctor", str(tmp_path / "ozone.yaml"), "--format", "json"]) == 0
    assert {finding["state"] for finding in json.loads(capsys.readouterr().out)} == {"unknown"}


def test_what_is_wrong_gives_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as taken:
        port = taken.server_port
    plan_of(tmp_path, f"connect: {port}, flink: null, mysql: null, postgresql: null, superset: null")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["doctor", str(tmp_path / "ozone.yaml")]) == 1
    assert "refused" in capsys.readouterr().out
