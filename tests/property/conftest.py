"""The mini cluster that all property tests share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.conftest import start_mariadb
from tests.property.cluster import Cluster

__all__ = ["start_mariadb"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents and "cluster" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.property)
            item.add_marker(pytest.mark.flink)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if shutil.which("javac") is None:
        missing = "javac is not installed: on Debian, apt-get install openjdk-17-jdk-headless"
        # In CI a test that did not run must not look like one that passed.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    with Cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running
