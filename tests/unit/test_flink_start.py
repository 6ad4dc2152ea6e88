"""The script that runs Flink's processes, run by a real shell with a stand-in for Flink's own scripts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ozone_gen.render.text import render_text
from tests.unit.json_server import json_server

BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="needs bash")

JOBMANAGER = """\
#!/bin/bash
trap 'echo ended >> {folder}/events; exit 143' TERM
echo "$OZONE_GENERATION $*" >> {folder}/started
[ ! -e {folder}/ends-with ] || exit "$(cat {folder}/ends-with)"
while sleep 0.1; do :; done
"""
JOB, TRIGGER = 32 * "a", 32 * "b"


class Asked:
    """Paths of Flink's REST interface."""

    CHECKPOINTS = f"/jobs/{JOB}/checkpoints"
    CHECKPOINT = f"{CHECKPOINTS}/{TRIGGER}"


class Jobs:
    """Flink's REST interface of a running job, as far as the script asks it; each checkpoint takes two looks."""

    def __init__(self, events: Path) -> None:
        self.events = events
        self.events.touch()
        self.ends = "COMPLETED"  # what becomes of a checkpoint; empty where no job runs

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        match method, path, body:
            case "GET", "/jobs", None:
                return 200, {"jobs": [{"id": JOB, "status": "RUNNING" if self.ends else "RESTARTING"}]}
            case "POST", Asked.CHECKPOINTS, {"checkpointType": "CONFIGURED"}:
                self._note("checkpoint")
                return 200, {"request-id": TRIGGER}
            case "GET", Asked.CHECKPOINT, None:
                looks = self.events.read_text().count("look")
                self._note("look")
                return 200, {"status": {"id": self.ends if looks else "IN_PROGRESS"}, "operation": None}
        return 404, {"errors": ["not found"]}

    def _note(self, event: str) -> None:
        with self.events.open("a") as events:
            events.write(event + "\n")


class Cluster:
    """The script in a folder of its own, as one process of the cluster runs it."""

    def __init__(self, folder: Path, rest: str) -> None:
        self.folder = folder
        self.volume = folder / "volume"
        self.volume.mkdir()
        (folder / "bin").mkdir()
        jobmanager = folder / "bin" / "standalone-job.sh"
        jobmanager.write_text(JOBMANAGER.format(folder=folder))
        jobmanager.chmod(0o755)
        script = render_text("flink/start.sh.j2", available=True).decode()
        for line, instead in {
            "flink=/opt/flink": f"flink={folder}",
            "data=/flink-data": f"data={self.volume}",
            "renewed=/tmp/renewed": f"renewed={folder}/renewed",
            "FLINK_LOG_DIR=/tmp/flink-log": f"FLINK_LOG_DIR={folder}/log",
            "jobs=http://127.0.0.1:8081": f"jobs={rest}",
        }.items():
            assert script.count(line) == 1
            script = script.replace(line, instead)
        self.script = folder / "start.sh"
        self.script.write_text(script)
        self.running: list[subprocess.Popen[str]] = []

    def call(self, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["bash", str(self.script), *words],
            env={**os.environ, "OZONE_FINGERPRINT": "plan-1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def prepare(self, plan: str, generation: str) -> None:
        """What `migrate` writes, in its order."""
        (self.volume / "plan").write_text(plan + "\n")
        (self.volume / "generation").write_text(generation + "\n")

    def forget(self) -> None:
        (self.volume / "generation").unlink()
        (self.volume / "plan").unlink()

    def started(self) -> list[str]:
        file = self.folder / "started"
        return [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
            process.wait(20)
            assert process.stderr is not None
            process.stderr.close()


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path / "events")


@pytest.fixture
def cluster(tmp_path: Path, jobs: Jobs) -> Iterator[Cluster]:
    with json_server(jobs.answer) as address:
        cluster = Cluster(tmp_path, address)
        yield cluster
        cluster.stop()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_new_generation_begins_in_the_container_that_runs(cluster: Cluster) -> None:
    cluster.prepare("plan-1", "first")
    process = cluster.call("jobmanager")
    until(lambda: cluster.started() == ["first"])
    assert "high-availability.cluster-id=/first" in (cluster.folder / "started").read_text()
    for what in ("jobmanager", "taskmanager"):
        assert cluster.call("healthcheck", what).wait(20) != 0  # nothing listens
    cluster.forget()
    cluster.prepare("plan-1", "second")
    until(lambda: cluster.started() == ["first", "second"])
    assert process.poll() is None
    for what in ("jobmanager", "taskmanager"):
        assert cluster.call("healthcheck", what).wait(20) == 0  # it has time to start, as in a new container


def test_a_plan_that_is_not_prepared_is_waited_for(cluster: Cluster) -> None:
    cluster.prepare("plan-0", "former")
    process = cluster.call("jobmanager")
    assert process.stderr is not None
    assert "run the service migrate" in process.stderr.readline()
    cluster.prepare("plan-1", "first")
    until(lambda: cluster.started() == ["first"])


@pytest.mark.parametrize("code", [0, 3])
def test_a_process_that_ends_by_itself_ends_the_container_with_its_exit_code(cluster: Cluster, code: int) -> None:
    (cluster.folder / "ends-with").write_text(str(code))
    cluster.prepare("plan-1", "first")
    assert cluster.call("jobmanager").wait(20) == code
    assert cluster.started() == ["first"]


def test_stopping_the_container_stops_flink(cluster: Cluster) -> None:
    cluster.prepare("plan-1", "first")
    process = cluster.call("jobmanager")
    until(lambda: cluster.started() == ["first"])
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("ends", "events"),
    [
        ("COMPLETED", ["checkpoint", "look", "look", "ended"]),
        ("FAILED", ["checkpoint", "look", "look", "ended"]),
        ("", ["ended"]),  # no job runs
    ],
)
def test_stopping_the_job_manager_waits_for_one_more_checkpoint(
    cluster: Cluster, jobs: Jobs, ends: str, events: list[str]
) -> None:
    jobs.ends = ends
    cluster.prepare("plan-1", "first")
    process = cluster.call("jobmanager")
    until(lambda: cluster.started() == ["first"])
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 128 + signal.SIGTERM
    assert jobs.events.read_text().split() == events


def test_stopping_while_it_waits_ends_it(cluster: Cluster) -> None:
    process = cluster.call("jobmanager")
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 128 + signal.SIGTERM


def test_an_unknown_word_is_refused(cluster: Cluster) -> None:
    process = cluster.call("cluster")
    assert process.wait(20) == 2
    assert process.stderr is not None
    assert "jobmanager | taskmanager | healthcheck PROCESS" in process.stderr.read()
