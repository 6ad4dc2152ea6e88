"""The bill of materials: by the official schema, and complete when held against the rendered files themselves."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from license_expression import get_spdx_licensing
from packageurl import PackageURL

from ozone_gen.cli import main
from ozone_gen.load import load
from ozone_gen.rendering import site_tree
from ozone_gen.spec import IMAGES
from ozone_gen.supply.image_lock import lock_bytes
from ozone_gen.supply.inventory import inventory
from ozone_gen.supply.licences import licence_of_image
from ozone_gen.supply.packages import Kind, Package, recipe
from ozone_gen.supply.reference import parse_reference
from ozone_gen.supply.sbom import sbom

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("**/ozone.yaml"))
DEMO = ROOT / "examples" / "demo" / "ozone.yaml"
DIGEST = "sha256:" + "0123456789abcdef" * 4


def name_of(path: Path) -> str:
    return path.parent.name


def document_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sbom(inventory(str(path)), {}))
    return found


def rendered(path: Path) -> dict[str, str]:
    tree = site_tree(load(str(path)))[1]
    return {name: file.content.decode() for name, file in tree.items() if not name.endswith(".sql")}


def closure(document: dict[str, Any], ref: str) -> set[str]:
    edges = {each["ref"]: each.get("dependsOn", []) for each in document["dependencies"]}
    reached, open_ = set(), [ref]
    while open_:
        at = open_.pop()
        if at not in reached:
            reached.add(at)
            open_ += edges[at]
    return reached


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_the_official_schema_takes_it(path: Path) -> None:
    text = sbom(inventory(str(path)), {}, made_at=1_700_000_000).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    assert document["specVersion"] == "1.6"
    assert document["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_every_image_of_the_compose_files_is_in_it(path: Path) -> None:
    document = document_of(path)
    named: set[str] = set()
    services: set[str] = set()
    built: set[str] = set()
    for name, text in rendered(path).items():
        if name.startswith("docker-compose"):
            for service, definition in yaml.safe_load(text)["services"].items():
                services.add(service)
                named |= set(definition.get("build", {}).get("args", {}).values())
                (built if "build" in definition else named).add(definition["image"])
    components = [each for each in document["components"] if each["type"] == "container"]
    named -= built  # what one service builds, others run
    assert {f"{each['name']}:{each['version']}" for each in components if "purl" in each} == named
    assert {each["name"] for each in components if "purl" not in each} == built
    assert {each["name"] for each in document["services"]} == services
    assert set(document["compositions"][0]["assemblies"]) == {f"image:{image}" for image in named}
    for each in components:
        if "purl" in each:
            url = PackageURL.from_string(each["purl"])
            assert url.to_string() == each["purl"]
            assert (url.type, url.version) == ("docker", each["version"])
            assert each["licenses"]


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_every_package_of_the_images_is_in_it(path: Path) -> None:
    document, files = document_of(path), rendered(path)
    wanted: set[tuple[str, str | None, str, str | None]] = set()
    for name, text in files.items():
        if name.endswith("pom.xml"):
            for each in ElementTree.fromstring(text).iter():
                if each.tag.endswith(("}dependency", "}plugin")):
                    group, artifact, version = (each[index].text or "" for index in range(3))
                    wanted.add(("maven", group, artifact, version))
        elif name.endswith("requirements.txt"):
            for line in text.splitlines():
                if line and not line.startswith("#"):
                    project, version = line.split("==")
                    wanted.add(("pypi", None, project.split("[")[0].lower().replace("_", "-"), version))
        elif name.endswith("Dockerfile"):
            joined = text.replace("\\\n", " ")
            for project, version in re.findall(r"(\S+)==(\S+)", joined):
                wanted.add(("pypi", None, project, version))
            for line in re.findall(r"apt-get install (?:--\S+ )*([^&\n]+)", joined):
                system = "ubuntu" if name.split("/")[0] in ("flink", "export") else "debian"
                wanted |= {("deb", system, package, None) for package in line.split()}
    urls = [PackageURL.from_string(each["purl"]) for each in document["components"] if each["type"] == "library"]
    assert {(url.type, url.namespace, url.name, url.version) for url in urls} == wanted
    assert len(wanted) > 10
    for each in document["components"]:
        if each["type"] == "library":
            assert PackageURL.from_string(each["purl"]).to_string() == each["purl"]


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_everything_hangs_on_the_site(path: Path) -> None:
    document = document_of(path)
    refs = [each["bom-ref"] for each in (*document["components"], *document["services"])]
    assert len(set(refs)) == len(refs)
    site = document["metadata"]["component"]["bom-ref"]
    assert closure(document, site) == {site, *refs}


def test_a_job_manager_depends_on_its_jars_and_on_the_image_below() -> None:
    document = document_of(DEMO)
    reached = closure(document, "service:jobmanager")
    assert {"image:ozone-gen/demo-flink", "image:flink:2.2.1-java17", "pkg:deb/ubuntu/python3"} <= reached
    assert any(ref.startswith("pkg:maven/org.postgresql/postgresql@") for ref in reached)
    assert not any("kafka-python" in ref for ref in reached)
    assert any("kafka-python" in ref for ref in closure(document, "service:kafka-setup"))
    scopes = {each["bom-ref"]: each["scope"] for each in document["components"]}
    # Maven only builds; Python does so for Flink, and is below the image of the setup programs.
    assert scopes[f"image:{IMAGES['maven']}"] == "excluded"
    assert scopes[f"image:{IMAGES['python']}"] == "required"
    assert [ref for ref, scope in scopes.items() if scope == "excluded" and "maven-dependency-plugin" in ref]


def test_what_runs_on_demand_is_optional() -> None:
    document = document_of(ROOT / "examples" / "export" / "ozone.yaml")
    scopes = {each["bom-ref"]: each["scope"] for each in document["components"]}
    assert scopes["image:ozone-gen/musanze-export"] == "optional"
    assert scopes["pkg:maven/org.apache.flink/flink-sql-parquet@2.3.0?type=jar"] == "optional"
    assert scopes["image:flink:2.2.1-java17"] == "required"


def test_licences_are_what_spdx_knows() -> None:
    licensing = get_spdx_licensing()
    for path in EXAMPLES:
        for each in document_of(path)["components"]:
            for licence in each.get("licenses", ()):
                expression = licence.get("expression", "").replace("LicenseRef-RSALv2 OR ", "")
                if expression:
                    assert not licensing.validate(expression).errors
    assert all(licence_of_image(parse_reference(image)) for image in IMAGES.values())
    mirrored = "mirror.example.org/hub/apache/kafka:4.1.1"
    assert licence_of_image(parse_reference(mirrored)) == "Apache-2.0"
    assert licence_of_image(parse_reference("example.org/else:1")) == ""


def test_a_file_and_the_folder_made_of_it_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert main(["render", str(DEMO), "-o", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    assert main(["sbom", str(DEMO)]) == 0
    shown = capsys.readouterr().out
    assert main(["sbom", str(tmp_path / "out"), "-o", str(tmp_path / "sbom.json")]) == 0
    assert (tmp_path / "sbom.json").read_text() == shown
    document = json.loads(shown)
    assert "timestamp" not in document["metadata"]
    assert document["metadata"]["tools"]["components"][0]["name"] == "ozone-gen"
    other = tmp_path / "other.yaml"
    other.write_text(DEMO.read_text() + "images: {kafka: 'apache/kafka:4.1.0'}\n")
    assert document_of(other)["serialNumber"] != document["serialNumber"]


def test_the_timestamp_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert main(["sbom", str(DEMO)]) == 0
    assert json.loads(capsys.readouterr().out)["metadata"]["timestamp"] == "1970-01-02T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert main(["sbom", str(DEMO)]) == 2
    assert "SOURCE_DATE_EPOCH" in capsys.readouterr().err


def test_locked_images_have_their_digests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["render", str(DEMO), "-o", str(out)]) == 0
    found = inventory(str(DEMO))
    lock = out / "docker-compose.images.lock.yaml"
    lock.write_bytes(lock_bytes(found, dict.fromkeys(found.images, DIGEST)))
    capsys.readouterr()
    assert main(["sbom", str(out)]) == 0
    of_folder = capsys.readouterr().out
    assert main(["sbom", str(DEMO), "--images-lock", str(lock)]) == 0
    assert capsys.readouterr().out == of_folder
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(of_folder) is None
    components = {each["bom-ref"]: each for each in json.loads(of_folder)["components"]}
    connect = components[f"image:{IMAGES['connect']}"]
    assert connect["hashes"] == [{"alg": "SHA-256", "content": DIGEST[7:]}]
    url = PackageURL.from_string(connect["purl"])
    assert (url.type, url.name, url.version) == ("oci", "connect", DIGEST)
    assert url.qualifiers == {"repository_url": "quay.io/debezium/connect", "tag": "3.4"}

    other = tmp_path / "other.yaml"
    other.write_text(DEMO.read_text() + "images: {kafka: 'apache/kafka:4.1.0'}\n")
    assert main(["sbom", str(other), "--images-lock", str(lock)]) == 0
    said = capsys.readouterr()
    stale = "warning[OZ506] kafka has apache/kafka:4.1.0, and the lock apache/kafka:4.1.1"
    assert stale in said.err
    kafka = next(each for each in json.loads(said.out)["components"] if each["name"] == "apache/kafka")
    assert "hashes" not in kafka


@pytest.mark.parametrize("text", ["", "services: {}\n", "a: [1\n", "\0", "x-ozone-gen-images:\n  version: 9\n"])
def test_what_is_no_lock_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = tmp_path / "lock.yaml"
    lock.write_text(text)
    assert main(["sbom", str(DEMO), "--images-lock", str(lock), "-o", str(tmp_path / "sbom.json")]) == 2
    assert "error[OZ505] this is no lock" in capsys.readouterr().err
    assert not (tmp_path / "sbom.json").exists()


def test_folders_that_were_not_rendered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sbom", str(tmp_path)]) == 2
    assert "error[OZ501] this is no rendered site: there is no manifest.json in it" in capsys.readouterr().err
    assert main(["render", str(DEMO), "-o", str(tmp_path / "out")]) == 0
    for path in (tmp_path / "out").glob("docker-compose-*.yaml"):
        path.write_text("services: 3\n")
    capsys.readouterr()
    assert main(["sbom", str(tmp_path / "out")]) == 2
    assert "OZ501" in capsys.readouterr().err
    assert main(["sbom", str(tmp_path / "nowhere.yaml")]) == 1
    assert "there is no such file" in capsys.readouterr().err


def test_a_folder_that_was_edited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["render", str(DEMO), "-o", str(out)]) == 0
    path = out / "docker-compose-db.yaml"
    path.write_text(path.read_text().replace("mariadb:10.11", "'Not an image'") + "  own: {image: 'busybox:1'}\n")
    shutil.rmtree(out / "superset" / "image")
    (out / "flink" / "pom.xml").write_text("no XML")
    capsys.readouterr()
    assert main(["sbom", str(out)]) == 0
    text = capsys.readouterr().out
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    refs = [each["bom-ref"] for each in json.loads(text)["components"]]
    assert {"image:Not an image", "image:apache/superset:6.1.0"} <= set(refs)
    assert not [ref for ref in refs if ref.startswith("pkg:maven")]


@pytest.mark.parametrize(
    ("image", "registry", "repository", "tag", "digest"),
    [
        ("postgres", "docker.io", "library/postgres", "latest", ""),
        ("postgres:16", "docker.io", "library/postgres", "16", ""),
        ("apache/kafka:4.1.1", "docker.io", "apache/kafka", "4.1.1", ""),
        ("quay.io/debezium/connect:3.4", "quay.io", "debezium/connect", "3.4", ""),
        ("localhost:5000/a/b", "localhost:5000", "a/b", "latest", ""),
        ("localhost/a:1", "localhost", "a", "1", ""),
        ("docker.io/redis:7", "docker.io", "library/redis", "7", ""),
        (f"redis:7@{DIGEST}", "docker.io", "library/redis", "7", DIGEST),
        (f"redis@{DIGEST}", "docker.io", "library/redis", "", DIGEST),
    ],
)
def test_references(image: str, registry: str, repository: str, tag: str, digest: str) -> None:
    found = parse_reference(image)
    assert (found.registry, found.repository, found.tag, found.digest) == (registry, repository, tag, digest)
    assert parse_reference(found.written) == found


@pytest.mark.parametrize("image", ["", "Redis:7", "redis:", "redis:a b", "redis@sha256:12", "a//b:1", "a:1/", "x_.y/b"])
def test_what_is_no_reference(image: str) -> None:
    with pytest.raises(ValueError, match=r"is no|digest"):
        parse_reference(image)


def test_a_dockerfile_with_defaults_and_stages() -> None:
    from ozone_gen.render.tree import File

    text = b"""# RUN pip install not==1
ARG A=one:1
ARG B
FROM --platform=linux/amd64 ${A} AS first
FROM first AS second
RUN apt-get update && apt-get install -y \\
      curl=8.1 \\
      # with a comment
      git; pip install -r /tmp/list.txt Some_Thing==2
FROM $B
"""
    tree = {"x/Dockerfile": File("x/Dockerfile", text), "x/list.txt": File("x/list.txt", b"a-b>=1 # why\n\nc==3;x\n")}
    found = recipe(tree, "x", {"B": "two:2"})
    assert found is not None
    assert (found.base, found.stages) == ("two:2", ("one:1",))
    assert set(found.packages) == {
        Package(Kind.DEBIAN, "", "curl", "8.1"),
        Package(Kind.DEBIAN, "", "git", ""),
        Package(Kind.PYPI, "", "some-thing", "2"),
        Package(Kind.PYPI, "", "a-b", ""),
        Package(Kind.PYPI, "", "c", "3"),
    }
    assert recipe({}, "x", {}) is None
