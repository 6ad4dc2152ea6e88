"""ozone-gen outdated: what a site runs, held against what was tested."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ozone_gen import __version__
from ozone_gen.cli import main
from ozone_gen.spec import IMAGES
from ozone_gen.supply.versions import Standing, compared

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "demo" / "ozone.yaml"
EXAMPLES = sorted((ROOT / "examples").glob("**/ozone.yaml"))


def with_images(folder: Path, **images: str) -> Path:
    file = folder / "ozone.yaml"
    file.write_text(f"{DEMO.read_text()}\nimages:\n" + "".join(f"  {key}: {image}\n" for key, image in images.items()))
    return file


def told(capsys: pytest.CaptureFixture[str], code: int, *files: Path | str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["outdated", *map(str, files), "--format", "json"]) == code
    document = json.loads(capsys.readouterr().out)
    assert document["ozone_gen"] == __version__
    sites: list[dict[str, Any]] = document["sites"]
    return sites


def differing(site: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {part["name"]: part for part in site["parts"] if part["standing"] != "tested"}


def test_the_examples_are_as_tested(capsys: pytest.CaptureFixture[str]) -> None:
    sites = told(capsys, 0, *EXAMPLES)
    assert [site["file"] for site in sites] == [str(path) for path in EXAMPLES]
    assert all(site["tested"] for site in sites)
    demo = next(site for site in sites if site["site"] == "demo")
    assert {part["name"] for part in demo["parts"]} == {
        *("mariadb", "postgresql", "zookeeper", "kafka", "connect", "kafka_ui", "flink", "superset", "redis"),
        *("maven", "python"),
    }
    assert all(part["present"] == part["tested"] for part in demo["parts"])


def test_what_ozone_yaml_overrides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = with_images(
        tmp_path,
        kafka="apache/kafka:3.9.0",
        postgresql="mirror.example.org/library/postgres:16.4",
        connect="quay.io/debezium/connect:3.5",
        redis="valkey/valkey:8",
        minio="minio/minio:latest",
    )
    (site,) = told(capsys, 1, file)
    assert site["tested"] is False
    found = differing(site)
    assert {name: part["standing"] for name, part in found.items()} == {
        "kafka": "older",
        "connect": "newer",
        "redis": "other",
        "minio": "other",
    }
    line = file.read_text().splitlines().index("  kafka: apache/kafka:3.9.0") + 1
    assert found["kafka"]["where"] == f"{file}:{line}"
    assert found["kafka"]["advice"] == "remove `kafka` under `images`, or name apache/kafka:4.1.1 there"
    assert found["connect"]["advice"] == "go back to 3.4, or try it on a demo site first"


def test_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["outdated", str(DEMO)]) == 0
    said = capsys.readouterr().out
    assert f"Everything is as tested with ozone-gen {__version__}." in said
    assert "apache/kafka:4.1.1" in said
    file = with_images(tmp_path, kafka="apache/kafka:3.9.0")
    assert main(["outdated", str(file)]) == 1
    assert f"1 of 11 parts not as tested with ozone-gen {__version__}." in capsys.readouterr().out
    assert main(["outdated", str(file), str(DEMO), str(file)]) == 1
    said = capsys.readouterr().out
    assert f"1 of 2 sites as tested with ozone-gen {__version__}." in said
    assert "older: remove `kafka`" in " ".join(said.split())
    assert "redis" not in said, "of several sites only what differs is shown"


def test_a_folder_of_this_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", str(DEMO), "-o", str(tmp_path / "out")]) == 0
    (site,) = told(capsys, 0, tmp_path / "out")
    assert (site["site"], site["tested"]) == ("demo", True)
    (of_file,) = told(capsys, 0, DEMO)
    assert {part["name"] for part in site["parts"]} == {part["name"] for part in of_file["parts"]}


def test_a_folder_of_an_older_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["render", str(DEMO), "-o", str(out)]) == 0
    for name, before, after in (
        ("manifest.json", f'"ozone_gen": "{__version__}"', '"ozone_gen": "0.0.9"'),
        ("docker-compose-data-pipelines.yaml", "apache/kafka:4.1.1", "apache/kafka:3.9.1"),
        ("docker-compose-data-pipelines.yaml", "redpandadata/console:v3.12.0", "example.org/our-console:1"),
        ("flink/pom.xml", "42.7.8", "42.7.3"),
        ("setup/requirements.txt", "kafka-python==3.0.12", "kafka-python-ng==2.2.3"),
    ):
        text = (out / name).read_text()
        assert before in text
        (out / name).write_text(text.replace(before, after))
    (site,) = told(capsys, 1, out)
    found = {name: (part["standing"], part["present"], part["tested"]) for name, part in differing(site).items()}
    assert found == {
        "ozone-gen": ("older", "0.0.9", __version__),
        "kafka": ("older", "apache/kafka:3.9.1", IMAGES["kafka"]),
        "our-console": ("other", "example.org/our-console:1", None),
        "org.postgresql:postgresql (flink)": ("older", "42.7.3", "42.7.8"),
        "kafka-python-ng (setup)": ("other", "2.2.3", None),
    }
    kafka = differing(site)["kafka"]
    assert kafka["where"].startswith(f"{out}/docker-compose-data-pipelines.yaml:")
    assert kafka["advice"] == "render again with this ozone-gen"


def test_what_cannot_be_read_is_told_beside_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("version: 1\n")
    capsys.readouterr()
    assert main(["outdated", str(DEMO), str(broken), str(tmp_path), "--format", "json"]) == 2
    said = capsys.readouterr()
    assert [site["file"] for site in json.loads(said.out)["sites"]] == [str(DEMO)]
    assert "broken.yaml" in said.err
    assert "OZ501" in said.err


@pytest.mark.parametrize(
    ("image", "tested", "standing"),
    [
        ("postgres:16", "postgres:16", Standing.TESTED),
        ("postgres:16.4", "postgres:16", Standing.TESTED),
        ("mirror:5000/x/postgres:16", "postgres:16", Standing.TESTED),
        (f"postgres:16@sha256:{'a' * 64}", "postgres:16", Standing.TESTED),
        (f"postgres@sha256:{'a' * 64}", "postgres:16", Standing.OTHER),
        ("postgres:15", "postgres:16", Standing.OLDER),
        ("postgres:9.6", "postgres:16", Standing.OLDER),
        ("postgres:17.1", "postgres:16", Standing.NEWER),
        ("postgres:16-alpine", "postgres:16", Standing.OTHER),
        ("postgres:latest", "postgres:16", Standing.OTHER),
        ("postgres", "postgres:16", Standing.OTHER),
        ("timescale/timescaledb:16", "postgres:16", Standing.OTHER),
        ("apache/kafka:4.1", "apache/kafka:4.1.1", Standing.OTHER),
        ("apache/kafka:4.1.2", "apache/kafka:4.1.1", Standing.NEWER),
        ("apache/kafka:4.10.0", "apache/kafka:4.9.1", Standing.NEWER),
        ("debezium/connect:3.4.1.Final", "quay.io/debezium/connect:3.4", Standing.TESTED),
        ("debezium/connect:3.4.0.Beta1", "quay.io/debezium/connect:3.4", Standing.OTHER),
        ("flink:2.2.1-java21", "flink:2.2.1-java17", Standing.OTHER),
        ("flink:1.20.1-java17", "flink:2.2.1-java17", Standing.OLDER),
        ("python:3.11.9-slim", "python:3.11-slim", Standing.TESTED),
        ("redpandadata/console:v3.13.0", "redpandadata/console:v3.12.0", Standing.NEWER),
        ("minio/minio:RELEASE.2024-01-01T00-00-00Z", IMAGES["minio"], Standing.OLDER),
        ("Not an image", "postgres:16", Standing.OTHER),
    ],
)
def test_how_versions_compare(image: str, tested: str, standing: Standing) -> None:
    assert compared(image, tested) is standing


def test_every_tested_image_is_as_tested() -> None:
    assert {compared(image, image) for image in IMAGES.values()} == {Standing.TESTED}
