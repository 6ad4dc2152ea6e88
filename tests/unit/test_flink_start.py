"""The script that runs Flink's processes, run by a real shell with a stand-in for Flink's own scripts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ozone_gen.render.text import render_text

BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="needs bash")

JOBMANAGER = """\
#!/bin/bash
echo "$OZONE_GENERATION $*" >> {folder}/started
[ ! -e {folder}/ends-with ] || exit "$(cat {folder}/ends-with)"
exec sleep 300
"""


class Cluster:
    """The script in a folder of its own, as one process of the cluster runs it."""

    def __init__(self, folder: Path) -> None:
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


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path)
    yield cluster
    for process in cluster.running:
        process.terminate()
        process.wait(20)
        assert process.stderr is not None
        process.stderr.close()


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
