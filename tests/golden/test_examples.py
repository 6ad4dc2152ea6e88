"""The whole output of each example, compared both ways, and accepted by the tools that read it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from ozone_gen.openmrs.demo_vocabulary import demo_dictionary
from ozone_gen.compare import compare, unified_diff
from ozone_gen.load import load
from ozone_gen.lock_file import lock_path
from ozone_gen.render.manifest import MANIFEST
from ozone_gen.render.tree import File, FileTree
from ozone_gen.rendering import site_tree
from ozone_gen.resolve import resolve
from ozone_gen.resources import flink_jobs, load_schema, templates
from ozone_gen.shape import parse_spec
from ozone_gen.source import read_source

ROOT = Path(__file__).parents[2]
TREES = Path(__file__).parent / "trees"
EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/ozone.yaml"))
LOCKED = [name for name in EXAMPLES if lock_path(ROOT / "examples" / name / "ozone.yaml").exists()]
LISTING = "LISTING"
PASSED_ON = (("manifest", MANIFEST), ("job", "flink/job.json"), ("export", "export/export.json"))
"""Files that one program writes and another reads, each with its schema."""


def tree_of(example: str) -> FileTree:
    return site_tree(load(str(ROOT / "examples" / example / "ozone.yaml")))[1]


def to_keep(tree: Mapping[str, File]) -> dict[str, File]:
    """The files that are kept in full, and a listing that stands for copies, demo data and the manifest."""
    copies = {path.read_bytes(): path for folder in (templates() / "setup", templates() / "superset", flink_jobs())
              for path in folder.glob("*")
              if path.is_file()}
    kept, lines = {}, []
    for path, file in tree.items():
        if path == MANIFEST:
            lines.append(path)
        elif file.content in copies:
            lines.append(f"{path} is a copy of {copies[file.content].relative_to(ROOT).as_posix()}")
        elif path.endswith("demo-data.sql"):
            lines.append(f"{path} sha256 {hashlib.sha256(file.content).hexdigest()}")
        elif file.seed:  # git ignores an .env wherever it is
            kept[f"seed{path}"] = File(f"seed{path}", file.content)
            lines.append(f"{path} is written once")
        else:
            kept[path] = File(path, file.content, file.executable)
            lines.append(path)
    kept[LISTING] = File(LISTING, ("\n".join(lines) + "\n").encode())
    return kept


def golden_tree(folder: Path) -> dict[str, File]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): File(
            path.relative_to(folder).as_posix(), path.read_bytes(), os.access(path, os.X_OK)
        )
        for path in paths
    }


@pytest.mark.parametrize("example", LOCKED)
def test_the_lock_is_as_resolve_writes_it(example: str, golden: Callable[[Path, str], None]) -> None:
    """The dictionary of the clinics of the examples is that of the demo data."""
    source = read_source(ROOT / "examples" / example / "ozone.yaml")
    resolution = resolve(source, demo_dictionary(parse_spec(source).site.locales))
    golden(resolution.path, resolution.content.decode())
    assert not resolution.warnings


def test_the_trees_show_both_ways() -> None:
    assert {load(str(ROOT / "examples" / example / "ozone.yaml")).locked for example in EXAMPLES} == {True, False}


@pytest.mark.parametrize("example", EXAMPLES)
def test_output_is_as_reviewed(example: str, request: pytest.FixtureRequest) -> None:
    made, folder = to_keep(tree_of(example)), TREES / example
    if request.config.getoption("--update-golden"):
        shutil.rmtree(folder, ignore_errors=True)
        for file in made.values():
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
            target.chmod(0o755 if file.executable else 0o644)
    differences = compare(golden_tree(folder), made)
    assert not differences, "if this is right, run `make golden`:\n" + unified_diff(differences)


def test_every_tree_has_its_example() -> None:
    assert sorted(path.name for path in TREES.iterdir()) == EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES)
def test_same_input_gives_same_bytes(example: str) -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; from tests.golden.test_examples import tree_of; import hashlib;"
        " print([(p, hashlib.sha256(f.content).hexdigest()) for p, f in tree_of(sys.argv[1]).items()])",
        example,
    ]
    outputs = {
        subprocess.run(
            command,
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"},
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Africa/Nairobi"))
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("example", EXAMPLES)
def test_passed_on_files_fit_their_schemas(example: str) -> None:
    tree = tree_of(example)
    for schema, path in PASSED_ON:
        if path in tree:
            Draft7Validator(load_schema(schema)).validate(json.loads(tree[path].content))


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_secret_stands_in_the_output(example: str) -> None:
    for path, file in tree_of(example).items():
        if path.endswith(".json") and "connectors" in path:
            config = json.loads(file.content)["config"]
            assert config["database.password"] == "${env:CONNECT_MYSQL_PASSWORD}"
        if path.startswith("docker-compose"):
            for name, service in yaml.safe_load(file.content)["services"].items():
                for variable, value in service.get("environment", {}).items():
                    if "PASSWORD" in variable:
                        assert value.startswith("${"), f"{path}: {name}.{variable}"


@pytest.mark.parametrize("example", EXAMPLES)
def test_services_are_bounded_pinned_and_local(example: str) -> None:
    for path, file in tree_of(example).items():
        if not path.startswith("docker-compose"):
            continue
        services = yaml.safe_load(file.content)["services"]
        built = [service["image"] for service in services.values() if "build" in service]
        assert len(built) == len(set(built)), "two builds of one image at the same time may end as two images"
        for name, service in services.items():
            assert "mem_limit" in service, name
            assert "restart" in service, name
            assert "privileged" not in service, name
            assert "ulimits" not in service, name
            assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
            if service["image"] not in built:
                assert ":" in service["image"], name
                assert not service["image"].endswith(":latest"), name
            if service["restart"] != "no":
                assert "healthcheck" in service, name


def compose(folder: Path, *arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the real Compose, which the test environment has as a package; reading files needs no engine."""
    binary = shutil.which("docker-compose", path=str(Path(sys.executable).parent))
    assert binary is not None, "docker-compose is missing: make venv"
    files = [argument for path in sorted(folder.glob("docker-compose-*.yaml")) for argument in ("-f", path.name)]
    return subprocess.run(
        [binary, *files, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_compose_accepts_the_files(example: str, tmp_path: Path) -> None:
    tree = tree_of(example)
    for file in tree.values():
        target = tmp_path / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
    needed = [line.partition("=")[0] for line in (tmp_path / ".env.example").read_text().splitlines()
              if line and not line.startswith("#")]
    done = compose(tmp_path, "config", "--format", "json", environment=dict.fromkeys(needed, "p'a\"ss$word"))
    assert done.returncode == 0, done.stderr
    project = json.loads(done.stdout)
    for service in project["services"].values():
        for dependency in service.get("depends_on", {}):
            assert dependency in project["services"]


WAYS = {
    "demo": ("db data-pipelines", "db data-pipelines superset", "data-pipelines", "data-pipelines superset"),
    "external": ("data-pipelines", "data-pipelines superset"),
    "export": ("db data-pipelines", "db data-pipelines export", "data-pipelines export"),
    "central": ("minio drill",),
}
"""The sets of compose files that a site may start; without that of the databases variables name other ones."""


@pytest.mark.parametrize(("example", "files"), [(name, way) for name, ways in WAYS.items() for way in ways])
def test_compose_accepts_each_way_to_start(example: str, files: str, tmp_path: Path) -> None:
    wanted = {f"docker-compose-{file}.yaml" for file in files.split()}
    tree = tree_of(example)
    assert wanted <= set(tree)
    for file in tree.values():
        if not file.path.startswith("docker-compose-") or file.path in wanted:
            target = tmp_path / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
    lines = (tmp_path / ".env.example").read_text().splitlines()
    needed = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]
    done = compose(tmp_path, "config", "-q", environment=dict.fromkeys(needed, "x" * 40))
    assert done.returncode == 0, done.stderr


def test_a_missing_variable_is_refused_with_its_meaning(tmp_path: Path) -> None:
    for file in tree_of("external").values():
        target = tmp_path / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
    done = compose(tmp_path, "config", "-q", environment={"OPENMRS_DB_HOST": "x", "ANALYTICS_DB_PASSWORD": "x"})
    assert done.returncode != 0
    assert "password of the user that reads the OpenMRS database" in done.stderr


def test_a_variable_overrides_what_the_file_says(tmp_path: Path) -> None:
    for file in tree_of("external").values():
        target = tmp_path / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
    overrides = {
        "CONNECT_MYSQL_HOSTNAME": "other-source",
        "CONNECT_MYSQL_PORT": "3307",
        "CONNECT_MYSQL_USERNAME": "somebody",
        "CONNECT_MYSQL_PASSWORD": "one",
        "ANALYTICS_DB_HOST": "other-sink",
        "ANALYTICS_DB_PORT": "5433",
        "ANALYTICS_DB_NAME": "warehouse",
        "ANALYTICS_DB_USER": "writer",
        "ANALYTICS_DB_PASSWORD": "two",
    }
    dashboards = {
        "SUPERSET_DB_HOST": "other-dashboards",
        "SUPERSET_DB_PORT": "5434",
        "SUPERSET_DB_NAME": "boards",
        "SUPERSET_DB_USER": "keeper",
        "SUPERSET_DB_PASSWORD": "three",
        "SUPERSET_READER_USER": "reader",
        "SUPERSET_READER_PASSWORD": "four",
        "SUPERSET_ADMIN_PASSWORD": "five",
        "SUPERSET_SECRET_KEY": "six",
    }
    overrides |= dashboards
    done = compose(tmp_path, "config", "--format", "json", environment=overrides)
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    found = {
        **services["connect"]["environment"],
        **services["jobmanager"]["environment"],
        **services["superset-init"]["environment"],
    }
    assert {name: found[name] for name in overrides} == overrides
