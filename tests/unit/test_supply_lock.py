"""ozone-gen lock-images: the override file, what Compose makes of it, what has moved, and what goes wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ozone_gen.cli import main
from ozone_gen.spec import IMAGES
from ozone_gen.supply.reference import parse_reference
from tests.unit.fake_registry import MANIFEST, Registry, serving

ROOT = Path(__file__).parents[2]
EXAMPLES = ("central", "demo", "export", "external")
LOCK = "docker-compose.images.lock.yaml"
STARTED = {
    "demo": ("db", "data-pipelines", "superset"),
    "central": ("db", "minio", "drill", "superset"),
    "external": ("data-pipelines", "superset"),
    "export": ("db", "data-pipelines"),
}


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A mirror of every image."""
    with serving() as served:
        for image in IMAGES.values():
            reference = parse_reference(image)
            served.put(f"{reference.repository}:{reference.tag}")
        yield served


def mirrored(registry: Registry, key: str, tag: str = "") -> str:
    reference = parse_reference(IMAGES[key])
    return f"{registry.host}/{reference.repository}:{tag or reference.tag}"


def locked(registry: Registry, key: str) -> str:
    reference = parse_reference(IMAGES[key])
    return f"{mirrored(registry, key)}@{registry.digest(f'{reference.repository}:{reference.tag}')}"


def site(folder: Path, registry: Registry, example: str = "demo", **others: str) -> Path:
    """An example whose images come from the mirror, rendered into `out`."""
    shutil.copytree(ROOT / "examples" / example, folder / example, dirs_exist_ok=True)
    images = {key: mirrored(registry, key) for key in IMAGES} | others
    file = folder / example / "ozone.yaml"
    file.write_text(f"{(ROOT / 'examples' / example / 'ozone.yaml').read_text()}\nimages: {json.dumps(images)}\n")
    assert main(["render", str(file), "-o", str(folder / "out"), "--force"]) == 0
    return file


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def compose(folder: Path, *files: str) -> dict[str, Any]:
    """What the real Compose reads."""
    binary = shutil.which("docker-compose", path=str(Path(sys.executable).parent))
    assert binary is not None
    lines = (folder / ".env.example").read_text().splitlines()
    needed = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]
    done = subprocess.run(
        [binary, *(argument for file in files for argument in ("-f", file)), "config", "--format", "json"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **dict.fromkeys(needed, "x" * 40)},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


@pytest.mark.parametrize("example", EXAMPLES)
def test_compose_takes_the_lock_and_nothing_else_changes(example: str, tmp_path: Path, registry: Registry) -> None:
    site(tmp_path, registry, example)
    out = tmp_path / "out"
    assert main(["lock-images", "out"]) == 0
    files = [f"docker-compose-{name}.yaml" for name in STARTED[example]]
    plain, with_lock = compose(out, *files), compose(out, *files, LOCK)
    assert with_lock.keys() == plain.keys(), "no service comes into the site by its lock"
    built = {service["image"] for service in plain.values() if "build" in service}
    for name, service in with_lock.items():
        before = plain[name]
        if "build" not in before and before["image"] in built:
            assert service == before  # another service builds it, from locked images
            continue
        arguments = service.get("build", {}).get("args", {})
        images = list(arguments.values()) if "build" in service else [service["image"]]
        assert images
        assert all("@sha256:" in image for image in images)
        for image in images:
            reference = parse_reference(image)
            assert reference.digest == registry.digest(f"{reference.repository}:{reference.tag}")
        if "build" in service:
            service["build"]["args"] = {key: image.split("@")[0] for key, image in arguments.items()}
        else:
            service["image"] = service["image"].split("@")[0]
        assert service == before


def test_the_file(tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    file = site(tmp_path, registry)
    capsys.readouterr()
    assert main(["lock-images", str(file), "-o", "out"]) == 0
    said = capsys.readouterr().out
    assert "demo: 11 images locked in out/docker-compose.images.lock.yaml" in said
    assert "-f docker-compose-superset.yaml -f docker-compose.images.lock.yaml up -d --build" in said
    text = Path("out", LOCK).read_text()
    document = yaml.safe_load(text)
    assert list(document["services"]) == sorted(document["services"])
    assert document["services"]["kafka"] == {"image": locked(registry, "kafka")}
    assert document["services"]["jobmanager"] == {
        "build": {
            "args": {
                "BASE_IMAGE": locked(registry, "flink"),
                "MAVEN_IMAGE": locked(registry, "maven"),
                "PYTHON_IMAGE": locked(registry, "python"),
            }
        }
    }
    assert main(["lock-images", "out"]) == 0
    assert Path("out", LOCK).read_text() == text
    assert "nothing has moved" in capsys.readouterr().out
    # Rendering again does not mind it, and it is no part of what is compared.
    assert main(["render", str(file), "-o", "out", "--check"]) == 0


def test_what_has_moved(tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    file = site(tmp_path, registry)
    assert main(["lock-images", "out"]) == 0
    before = Path("out", LOCK).read_bytes()
    assert main(["lock-images", "out", "--check"]) == 0
    registry.put("library/python:3.11-slim", "newer")
    capsys.readouterr()
    assert main(["lock-images", "out", "--check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"{mirrored(registry, 'python')} has moved: sha256:")
    assert Path("out", LOCK).read_bytes() == before
    assert main(["lock-images", str(file), "-o", "out"]) == 0
    assert f"{mirrored(registry, 'python')} moved: sha256:" in capsys.readouterr().out
    assert main(["lock-images", "out", "--check"]) == 0

    registry.put("apache/kafka:4.1.2", kind=MANIFEST)
    file = site(tmp_path, registry, kafka=mirrored(registry, "kafka", "4.1.2"))
    capsys.readouterr()
    assert main(["lock-images", "out", "--check"]) == 1
    said = capsys.readouterr().out
    assert f"{mirrored(registry, 'kafka')} is locked, and not in use" in said
    assert f"{mirrored(registry, 'kafka', '4.1.2')} is not locked: sha256:" in said
    assert main(["lock-images", str(file), "-o", "out"]) == 0
    said = capsys.readouterr().out
    assert f"{mirrored(registry, 'kafka')} is no longer locked" in said
    assert f"{mirrored(registry, 'kafka', '4.1.2')} is there for one kind of machine only" in said


def test_check_without_a_lock(tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    site(tmp_path, registry)
    assert main(["lock-images", "out", "--check"]) == 2
    assert f"out/{LOCK}: error[OZ505] there is no lock yet" in capsys.readouterr().err
    assert registry.asked == []


def test_what_runs_on_demand_has_a_lock_of_its_own(tmp_path: Path, registry: Registry) -> None:
    site(tmp_path, registry, "export")
    assert main(["lock-images", "out"]) == 0
    assert "parquet-export" not in yaml.safe_load(Path("out", LOCK).read_text())["services"]
    own = "docker-compose-export.images.lock.yaml"
    assert main(["lock-images", "out", "-f", "docker-compose-export.yaml", "-o", f"out/{own}"]) == 0
    files = ["docker-compose-db.yaml", "docker-compose-data-pipelines.yaml", "docker-compose-export.yaml"]
    services = compose(tmp_path / "out", *files, LOCK, own)
    assert services["parquet-export"]["build"]["args"]["BASE_IMAGE"] == locked(registry, "flink")
    # A check is of the files that the lock is of.
    assert main(["lock-images", "out", "--check", "-o", f"out/{own}"]) == 0


def test_an_image_that_has_a_digest_is_not_asked_for(tmp_path: Path, registry: Registry) -> None:
    digest = f"sha256:{'ab' * 32}"
    site(tmp_path, registry, postgresql=f"postgres:16@{digest}")
    assert main(["lock-images", "out"]) == 0
    services = yaml.safe_load(Path("out", LOCK).read_text())["services"]
    assert services["postgresql"] == {"image": f"postgres:16@{digest}"}


def test_a_missing_image_is_told_where_it_is_named(
    tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    file = site(tmp_path, registry)
    assert main(["lock-images", "out"]) == 0
    before = Path("out", LOCK).read_bytes()
    del registry.images["apache/kafka:4.1.1"]
    registry.private.add("library/postgres")
    capsys.readouterr()
    assert main(["lock-images", str(file), "-o", "out"]) == 2
    said = capsys.readouterr().err
    line = len(file.read_text().splitlines())
    assert f"{file}:{line}:" in said
    assert f"error[OZ504] {mirrored(registry, 'kafka')}: {registry.host} has no image apache/kafka:4.1.1" in said
    assert f"error[OZ503] {mirrored(registry, 'postgresql')}: {registry.host} does not show library/postgres" in said
    assert main(["lock-images", "out"]) == 2
    assert "out/docker-compose-db.yaml:30:13: error[OZ503]" in capsys.readouterr().err
    assert Path("out", LOCK).read_bytes() == before
    assert not list(Path("out").glob("*.part"))


def test_a_silent_registry_is_told_once(
    tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site(tmp_path, registry)
    assert main(["lock-images", "out"]) == 0
    before = Path("out", LOCK).read_bytes()
    with serving() as other:
        pass  # gone again
    file = site(tmp_path, registry, kafka=f"{other.host}/kafka:1", postgresql=f"{other.host}/postgres:1")
    monkeypatch.setattr("time.sleep", lambda _: None)
    capsys.readouterr()
    assert main(["lock-images", str(file), "-o", "out"]) == 2
    said = capsys.readouterr().err
    assert said.count("OZ502") == 1
    assert f"does not answer: connection refused (asked for {other.host}/kafka:1 and 1 more)" in said
    assert "hint:" in said
    assert Path("out", LOCK).read_bytes() == before


def test_what_is_no_image(tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    file = site(tmp_path, registry, kafka="example.org/Kafka:1")
    assert main(["lock-images", str(file), "-o", "out"]) == 2
    assert "error[OZ504] `example.org/Kafka:1` is no image" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demo/ozone.yaml"], "name the rendered folder with -o"),
        (["demo/ozone.yaml", "-o", "nowhere"], "nowhere: error[OZ404] there is no such folder"),
        (["out", "-f", "docker-compose-drill.yaml"], "the site has no docker-compose-drill.yaml; it has docker-"),
        (["demo"], "error[OZ501]"),
        (["none.yaml", "-o", "out"], "none.yaml: error[OZ001]"),
        (["out", "--timeout", "0"], "--timeout"),
    ],
)
def test_what_it_does_not_do(
    arguments: list[str], said: str, tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    site(tmp_path, registry)
    assert main(["lock-images", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert registry.asked == []


def test_a_lock_that_was_edited_is_not_overwritten_unseen(
    tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    site(tmp_path, registry)
    Path("out", LOCK).write_text("services: {kafka: {image: 'kafka:1'}}\n")
    assert main(["lock-images", "out"]) == 2
    assert "OZ505" in capsys.readouterr().err
    assert Path("out", LOCK).read_text().startswith("services: {kafka")
    assert registry.asked == []
