"""MinIO as it is rendered: its bucket, the three keys, and what a site uploads. SeaweedFS runs end to end.

Marked as end to end for the minutes that the first build of MinIO takes; `make test` begins it first.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from ozone_gen.cli import main
from tests.contract.conftest import free_port, running
from tests.unit.test_upload import make_export

pytest.importorskip("minio", reason="the extra `upload` brings the client of the store")

from minio import Minio
from minio.error import S3Error

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
BUCKET = "openmrs-data"
SECRETS = {
    "OBJECT_STORE_ROOT_SECRET": 'root "secret" $1',
    "OBJECT_STORE_READ_SECRET": "read-secret-1",
    "OBJECT_STORE_WRITE_SECRET": "write-secret-1",
}


def minio_program() -> str:
    """MinIO from the PATH, or built from its sources. Where neither can be they are skipped, in CI they fail."""
    found = shutil.which("minio")
    if found:
        return found
    built = subprocess.run([Path(__file__).with_name("minio.sh")], capture_output=True, text=True)
    if built.returncode:
        # In CI a test that did not run must not look like one that passed.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            f"MinIO has neither packages nor wheels, and cannot be built here: {built.stderr.strip()}"
        )
    return built.stdout.strip()


class Store:
    """The service of the rendered compose file as a process, with what its setup step is told."""

    def __init__(self, services: Mapping[str, Any], port: int) -> None:
        self.port = port
        self._setup = services["object-store-setup"]
        self.service = services["object-store"]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def set_up(self) -> str:
        """Run the setup step as its service does; its log."""
        environment = {**os.environ, **_interpolated(self._setup["environment"]), "OBJECT_STORE_URL": self.address}
        program = self._setup["command"][-1].replace("ozone_setup", "templates.setup")
        done = subprocess.run(
            [sys.executable, "-m", program], cwd=ROOT, env=environment, text=True, capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def client(self, key: str) -> Minio:
        secret = SECRETS[f"OBJECT_STORE_{key.upper()}_SECRET"]
        return Minio(f"127.0.0.1:{self.port}", access_key=f"ozone-{key}", secret_key=secret, secure=False)


def _interpolated(environment: Mapping[str, str]) -> dict[str, str]:
    """What Compose makes of the variables that these tests need."""
    values = {}
    for name, text in environment.items():
        if text.startswith("${"):
            variable, _, usual = text[2:-1].partition(":")
            text = SECRETS.get(variable, usual.removeprefix("-"))
        values[name] = text
    return values


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    program = minio_program()
    folder = tmp_path_factory.mktemp("minio")
    text = (ROOT / "examples" / "central" / "ozone.yaml").read_text().replace("seaweedfs", "minio")
    (folder / "ozone.yaml").write_text(text)
    assert main(["render", str(folder / "ozone.yaml"), "-o", str(folder / "out")]) == 0
    compose = yaml.safe_load((folder / "out" / "docker-compose-minio.yaml").read_text())
    made = Store(compose["services"], free_port())
    places = {"/data": str(folder / "data"), ":9000": f"127.0.0.1:{made.port}", ":9001": f"127.0.0.1:{free_port()}"}
    command = [program, *(places.get(each, each) for each in made.service["command"])]
    environment = {**os.environ, **_interpolated(made.service["environment"]), "HOME": str(folder)}

    def answers() -> None:
        urllib.request.urlopen(f"{made.address}/minio/health/live", timeout=2).close()

    with running(command, folder / "minio.log", answers, environment=environment):
        made.set_up()
        yield made


def test_a_second_setup_changes_nothing(store: Store) -> None:
    store.client("write").put_object(BUCKET, "parquet/kept", BytesIO(b"1"), 1)
    store.set_up()
    assert [each.object_name for each in store.client("root").list_objects(BUCKET, recursive=True)] == ["parquet/kept"]
    store.client("root").remove_object(BUCKET, "parquet/kept")


def test_an_export_is_uploaded_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_export(tmp_path, site="musanze")
    monkeypatch.setenv("OBJECT_STORE_WRITE_SECRET", SECRETS["OBJECT_STORE_WRITE_SECRET"])
    assert main(["upload", str(tmp_path), "--to", store.address]) == 0
    assert "3 files sent" in capsys.readouterr().out
    assert main(["upload", str(tmp_path), "--to", store.address]) == 0
    assert "3 files sent" not in capsys.readouterr().out
    keys = [each.object_name or "" for each in store.client("read").list_objects(BUCKET, recursive=True)]
    assert sum(key.endswith(".parquet") for key in keys) == 3


def test_each_key_does_what_it_is_for(store: Store) -> None:
    read, write = store.client("read"), store.client("write")
    write.put_object(BUCKET, "parquet/visits/one", BytesIO(b"PAR1"), 4)
    with read.get_object(BUCKET, "parquet/visits/one") as answer:
        assert answer.read() == b"PAR1"
    refusals: tuple[Callable[[], object], ...] = (
        lambda: read.put_object(BUCKET, "parquet/x", BytesIO(b"1"), 1),
        lambda: read.remove_object(BUCKET, "parquet/visits/one"),
        lambda: write.get_object(BUCKET, "parquet/visits/one"),
        lambda: write.remove_object(BUCKET, "parquet/visits/one"),
        lambda: write.put_object(BUCKET, "views/visits.view.drill", BytesIO(b"1"), 1),
        lambda: write.make_bucket("another"),
    )
    for refused in refusals:
        with pytest.raises(S3Error, match="Denied"):
            refused()
