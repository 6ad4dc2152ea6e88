"""A site that extends a base is to every command what the same site written into one file is."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

from ozone_gen import preview
from ozone_gen.cli import main
from ozone_gen.diagnostics import OutputError, Position, codes
from ozone_gen.load import load
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.spec import IMAGES
from ozone_gen.supply.reference import parse_reference
from tests.unit.fake_registry import serving

BASE = Path("defaults/ozone.base.yaml")
SITE = Path("sites/kigali/ozone.yaml")
ALONE = Path("alone/kigali/ozone.yaml")
# What the base says, what the site says of it otherwise, and by hand what that makes together.
BASE_TEXT = """\
version: 1
site: {id: base, name: Base, timezone: Africa/Kigali, locales: [en]}
sources:
  openmrs: {type: openmrs, platform: "2.5", password: "${P}", host: db.base.example, database: openmrs_base}
sink: {type: postgresql, password: "${Q}", host: warehouse.base.example}
flattening:
  core: [visits, patients]
  tables:
    vitals:
      rows: encounter
      encounter_types: [Vitals]
      columns:
        weight_kg: {concept: CIEL:5089, type: numeric}
        height_cm: {concept: CIEL:5090, type: numeric}
        pulse: {concept: CIEL:5087, type: integer}
    anc:
      rows: encounter
      encounter_types: [Consultation]
      columns: {temperature_c: {concept: CIEL:5088, type: numeric}}
components: {superset: {}}
ports: {connect: CLOSED, flink: null, mysql: null, postgresql: null, superset: null}
memory: {kafka: 900m}
images: IMAGES
"""
SITE_TEXT = """\
extends: ../../defaults/ozone.base.yaml
without: [flattening.tables.anc, flattening.tables.vitals.columns.pulse]
site: {id: kigali, name: Kigali, locales: [fr, en]}
sources: {openmrs: {host: db.kigali.example}}
flattening:
  core: [patients]
  tables: {vitals: {columns: {systolic: {concept: CIEL:5085, type: integer}}}}
images: {kafka: KAFKA}
"""
ALONE_TEXT = """\
version: 1
site: {id: kigali, name: Kigali, timezone: Africa/Kigali, locales: [fr, en]}
sources:
  openmrs: {type: openmrs, platform: "2.5", password: "${P}", host: db.kigali.example, database: openmrs_base}
sink: {type: postgresql, password: "${Q}", host: warehouse.base.example}
flattening:
  core: [patients]
  tables:
    vitals:
      rows: encounter
      encounter_types: [Vitals]
      columns:
        weight_kg: {concept: CIEL:5089, type: numeric}
        height_cm: {concept: CIEL:5090, type: numeric}
        systolic: {concept: CIEL:5085, type: integer}
components: {superset: {}}
ports: {connect: CLOSED, flink: null, mysql: null, postgresql: null, superset: null}
memory: {kafka: 900m}
images: BOTH
"""


@pytest.fixture(autouse=True)
def _fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The fleet, the same site in one file, a dump of its database, and the registry that its images are in."""
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]
    with serving() as served:
        images = {key: f"{served.host}/{_place(image)}" for key, image in IMAGES.items()}
        for image in IMAGES.values():
            served.put(_place(image))
        served.put("mirror/kafka:3.9.0")
        kafka = f"{served.host}/mirror/kafka:3.9.0"
        words = {
            "CLOSED": str(closed),
            "IMAGES": json.dumps(images),
            "KAFKA": kafka,
            "BOTH": json.dumps(images | {"kafka": kafka}),
        }
        for file, text in ((BASE, BASE_TEXT), (SITE, SITE_TEXT), (ALONE, ALONE_TEXT)):
            for word, value in words.items():
                text = text.replace(word, value)
            file.parent.mkdir(parents=True)
            file.write_text(text)
        Path("demo.sql").write_bytes(demo_sql(patients=2, seed=1))
        yield


def _place(image: str) -> str:
    reference = parse_reference(image)
    return f"{reference.repository}:{reference.tag}"


def printed(code: int, *arguments: str) -> str:
    """What a command prints; `code` is its exit code."""
    with redirect_stdout(io.StringIO()) as out:
        assert main(arguments) == code
    return out.getvalue()


# Each gives all that its command makes of a file, less the file's own name.


def shown(file: Path) -> str:
    data = yaml.safe_load(printed(0, "show", str(file)))
    return json.dumps(data, sort_keys=True)


def resolved(file: Path) -> str:
    """The lock, which is then read with the file."""
    printed(0, "resolve", str(file), "--dump", "demo.sql")
    lock = file.with_name("ozone.lock.yaml")
    assert load(str(file)).locked
    assert "up to date" in printed(0, "resolve", str(file), "--dump", "demo.sql", "--check")
    return lock.read_text()


def seen_by_preview(file: Path) -> str:
    """What Flink would be given: the job, the tables and their counts, the database of the dump."""
    given: list[str] = []

    def run(
        files: Mapping[str, bytes], tables: object, data: object, out: Path, stages: object, **more: Any
    ) -> NoReturn:
        given.extend(f"{name}\n{content.decode()}" for name, content in files.items())
        given.append(repr((tables, data, out, more["database"], more["counting"])))
        raise OutputError(codes.FlinkMissing.at(Position("preview"), "no Flink in this test"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preview, "run_preview", run)
        printed(2, "preview", str(file), "--dump", "demo.sql")
    return "\n".join(given)


def examined(file: Path) -> str:
    """What the doctor says where no container runs and Connect's port is closed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(Path.cwd()))
        return printed(1, "doctor", str(file), "--format", "json")


def listed(file: Path) -> str:
    document = json.loads(printed(0, "sbom", str(file)))
    return json.dumps([document["components"], document["dependencies"]])


def compared(file: Path) -> str:
    (site,) = json.loads(printed(1, "outdated", str(file), "--format", "json"))["sites"]
    del site["file"]
    for part in site["parts"]:
        del part["where"]
    return json.dumps(site)


def locked_images(file: Path) -> str:
    printed(0, "lock-images", str(file), "-o", str(file.parent))
    return file.with_name("docker-compose.images.lock.yaml").read_text()


COMMANDS: dict[str, tuple[Callable[[Path], str], tuple[str, ...], tuple[str, ...]]] = {
    # The command, words of the base and of the site that have to be in what it makes, and such as must not.
    "show": (shown, ("warehouse.base.example", "db.kigali.example"), ("anc", "pulse", "extends", "without")),
    "resolve": (resolved, ("CIEL:5090", "CIEL:5085", "Poids"), ("CIEL:5088", "CIEL:5087")),
    "preview": (seen_by_preview, ("height_cm", "systolic", "openmrs_base"), ("temperature_c", "pulse", "visits.sql")),
    "doctor": (examined, ("does not answer", "Superset"), ("anc",)),
    "sbom": (listed, ("superset", "mirror/kafka", "3.9.0"), ()),
    "outdated": (compared, ("superset", "mirror/kafka:3.9.0"), ()),
    "lock-images": (locked_images, ("superset", "mirror/kafka:3.9.0@sha256:"), ()),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_sees_the_merged_file(command: str) -> None:
    run, there, not_there = COMMANDS[command]
    found = run(SITE)
    assert found == run(ALONE)
    assert [word for word in there if word not in found] == []
    assert [word for word in not_there if word in found] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_sees_a_change_of_the_base(command: str) -> None:
    run, *_ = COMMANDS[command]
    before = run(SITE)
    text = BASE.read_text().replace("components: {superset: {}}", "components: {kafka_ui: {}}")
    BASE.write_text(text.replace("CIEL:5090", "CIEL:5086").replace(_place(IMAGES["redis"]), "mirror/valkey:8"))
    assert run(SITE) != before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_mistake_in_the_base_is_found_there(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    BASE.write_text(BASE.read_text().replace("memory:", "memori:"))
    options = {"resolve": ["--dump", "demo.sql"], "lock-images": ["-o", str(SITE.parent)]}
    code = main([command, str(SITE), *options.get(command, [])])
    said = capsys.readouterr().err
    # What is merged can be shown whatever it means.
    assert code == (0 if command == "show" else 2 if command in ("outdated", "lock-images") else 1)
    assert (f"{BASE}:" in said) is (command != "show")


def test_an_image_of_the_base_is_found_there() -> None:
    BASE.write_text(BASE.read_text().replace(_place(IMAGES["redis"]), "mirror/valkey:8"))
    (site,) = json.loads(printed(1, "outdated", str(SITE), "--format", "json"))["sites"]
    places = {part["name"]: part["where"] for part in site["parts"] if part["standing"] != "tested"}
    assert places["redis"].startswith(f"{BASE}:")
    assert places["kafka"].startswith(f"{SITE}:")


def test_what_is_suggested_is_a_base() -> None:
    """`suggest` reads no file; what it writes can be extended, and is then checked, resolved and shown as one."""
    suggested = BASE.with_name("suggested.yaml")
    printed(0, "suggest", "--dump", "demo.sql", "--site-id", "base", "-o", str(suggested))
    SITE.write_text("extends: ../../defaults/suggested.yaml\nsite: {id: kigali, name: Kigali}\n")
    tables = load(str(suggested)).spec.flattening.tables
    site = load(str(SITE)).spec
    assert site.site.id == "kigali"
    assert site.flattening.tables == tables
    assert "vitals" in tables
    printed(0, "resolve", str(SITE), "--dump", "demo.sql")
    assert load(str(SITE)).locked
