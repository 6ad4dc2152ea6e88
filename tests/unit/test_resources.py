"""The folders beside or inside the package are found in a checkout and in a wheel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ozone_gen import resources
from ozone_gen.diagnostics import OutputError


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    resources._folder.cache_clear()
    yield
    resources._folder.cache_clear()


def test_in_a_checkout_they_stand_beside_the_package() -> None:
    top = Path(__file__).resolve().parents[2]
    assert resources.schemas() == top / "schemas"
    assert resources.templates() == top / "templates"
    assert resources.flink_jobs() == top / "flink_jobs"


def test_in_a_wheel_they_lie_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "ozone_gen"
    for name in ("templates", "schemas", "flink_jobs"):
        (package / "_data" / name).mkdir(parents=True)
    (package.parent / "templates").mkdir()  # Another package's, which is not ours to read.
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resources.templates() == package / "_data" / "templates"
    assert resources.schemas() == package / "_data" / "schemas"
    assert resources.flink_jobs() == package / "_data" / "flink_jobs"


def test_an_incomplete_installation_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path)
    with pytest.raises(OutputError) as caught:
        resources.templates()
    assert caught.value.diagnostics[0].code == "OZ901"
    assert "install ozone-gen again" in caught.value.diagnostics[0].hint


def test_schemas_are_read() -> None:
    assert resources.load_schema("manifest")["$schema"].startswith("http://json-schema.org/draft-07/")
