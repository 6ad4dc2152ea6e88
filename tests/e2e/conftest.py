"""One engine for all end-to-end tests, and sites that are rendered by the command line as a person would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.engine.engine import EngineUnavailable, ensure_engine, stop_engine

ROOT = Path(__file__).parents[2]
REAL_DATABASE = ROOT.parent / "shared" / "data" / "openmrs-demo.sql"


@pytest.fixture(scope="session")
def engine(pytestconfig: pytest.Config) -> Iterator[Mapping[str, str]]:
    """The environment of a container engine. Where there can be none the tests are skipped, but not in CI."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    try:
        with capture.global_and_fixture_disabled():
            environment = ensure_engine()
    except EngineUnavailable as error:
        if os.environ.get("CI"):
            pytest.fail(f"the end-to-end tests did not run: {error}")
        pytest.skip(f"THE END-TO-END TESTS DID NOT RUN: {error}")
    yield environment
    stop_engine()


def render(specification: Path, out: Path, *options: str) -> str:
    """Run `ozone-gen render` and return what it printed; a failure of it is the test's."""
    command = [sys.executable, "-m", "ozone_gen", "render", str(specification), "-o", str(out), *options]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def working_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for rendered sites, removed afterwards: demo data is large."""
    folder = tmp_path_factory.mktemp("sites")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
