from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from ozone_gen.spec import IMAGES
from tests.engine.engine import HERE, compose_files, ensure_engine, without_pulling

BASE = "debian:bookworm-slim"  # made by engine.sh
NO_STAND_IN = {
    "kafka_ui",  # a web page to look at: no test needs it
    "mysql",  # Debian 12 has no MySQL server
    "minio",  # no package has it, and to build it from its Go module takes minutes
}


def stand_ins() -> dict[str, list[str]]:
    """The image of each folder, with those it stands on."""
    found = {}
    for dockerfile in sorted(HERE.glob("images/*/Dockerfile")):
        first, *lines = dockerfile.read_text(encoding="utf-8").splitlines()
        bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
        found[first.removeprefix("# image: ")] = bases
    return found


def test_a_stand_in_stands_on_stand_ins_only() -> None:
    images = stand_ins()
    assert {base for bases in images.values() for base in bases} <= {*images, BASE}


def test_every_image_of_a_site_has_a_stand_in_under_its_tag() -> None:
    wanted = {image for part, image in IMAGES.items() if part not in NO_STAND_IN}
    assert wanted <= set(stand_ins())


def test_scripts_can_be_run() -> None:
    for script in ("engine.sh", "images.sh"):
        result = subprocess.run(["bash", "-n", HERE / script], capture_output=True, text=True)
        assert (result.returncode, result.stderr) == (0, "")
        assert (HERE / script).stat().st_mode & 0o111


def test_what_is_there_is_not_pulled_and_what_is_not_is_left_out() -> None:
    project = {
        "services": {
            "postgresql": {"image": "postgres:16"},
            "mysql": {"image": "docker.io/library/mariadb:10.11"},
            "kafka-ui": {"image": "redpandadata/console:v3.12.0"},
            "setup": {"image": "ozone-gen/clinic-setup", "build": {"context": "./setup"}},
            "migrate": {"image": "ozone-gen/clinic-setup"},
        }
    }
    assert without_pulling(project, {"postgres:16", "mariadb:10.11"}) == {
        "services": {
            "postgresql": {"pull_policy": "never"},
            "mysql": {"pull_policy": "never"},
            "kafka-ui": {"profiles": ["no-stand-in"]},
        }
    }


def test_another_engine_needs_no_override(tmp_path: Path) -> None:
    env = {"DOCKER_HOST": "unix:///var/run/docker.sock"}
    assert compose_files(env, tmp_path, ["a.yaml", "b.yaml"], tmp_path) == ["-f", "a.yaml", "-f", "b.yaml"]


@pytest.mark.e2e
def test_an_image_is_built_and_run_without_a_registry(tmp_path: Path) -> None:
    """The engine itself: a build that installs Debian's, PyPI's and Maven's packages, and a run of it."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "Dockerfile").write_text(
        "ARG BASE\n"
        "FROM maven:3.9-eclipse-temurin-17 AS jars\n"
        "COPY pom.xml /build/\n"
        "RUN mvn -B -q -f /build org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
        " -DoutputDirectory=/jars\n"
        "FROM ${BASE}\n"
        "RUN apt-get update && apt-get install -y --no-install-recommends jq\n"
        "RUN pip install --no-cache-dir idna\n"
        "COPY --from=jars /jars /jars\n"
        'CMD ["sh", "-c", "jq --version && python -c \'import idna\' && ls /jars"]\n'
    )
    pom = (HERE / "images" / "maven" / "warm.xml").read_text(encoding="utf-8")
    (tmp_path / "own" / "pom.xml").write_text(pom, encoding="utf-8")
    (tmp_path / "compose.yaml").write_text(
        "name: ozone-engine-test\n"
        "services:\n"
        "  own: {build: {context: own, args: {BASE: 'python:3.11-slim'}}}\n"
        "  absent: {image: 'example.invalid/absent:1'}\n"
    )
    env = ensure_engine(["maven", "python"])
    compose = ["docker", "compose", *compose_files(env, tmp_path, ["compose.yaml"], tmp_path)]

    def run(*arguments: str) -> str:
        command = [*compose, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        services = json.loads(run("config", "--format", "json"))["services"]
        assert sorted(services) in (["own"], ["absent", "own"])
        run("build")
        assert re.search(r"^postgresql-42\.\S+\.jar$", run("run", "--rm", "own"), re.MULTILINE)
    finally:
        run("down", "--volumes", "--rmi", "local")
