"""What is installed is complete: wheel and sdist are built, the wheel is tried where there is no checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from ozone_gen import __version__
from ozone_gen.compare import compare, unified_diff
from ozone_gen.render.tree import File
from tests.golden.test_examples import TREES, golden_tree, to_keep, tree_of

ROOT = Path(__file__).parents[2]
DATA = ("templates", "schemas", "flink_jobs")


def run(command: Sequence[str | Path], cwd: Path) -> str:
    """Run a program that sees nothing of the checkout; its output, or a failure that shows it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OZONE"))}
    done = subprocess.run(command, cwd=cwd, env={**kept, "NO_COLOR": "1"}, text=True, capture_output=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def tracked(folder: str) -> set[str]:
    """The files of a folder that belong to the project, whatever else lies there."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", folder], ROOT)
    return {path for path in listed.split("\0") if path and (ROOT / path).exists()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a new environment with the wheel; what it depends on is seen from that of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    run([sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel], folder)
    site = Path(run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip())
    # The folder alone: what is installed there as editable, such as this checkout, is not followed.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = run([python, "-c", "import ozone_gen.resources as r; print(r.__file__, r.templates())"], folder).split()
    assert all(Path(path).is_relative_to(site) for path in where)
    return folder / "bin" / "ozone-gen"


def test_the_wheel_has_all_that_is_needed_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    information = f"ozone_gen-{__version__}.dist-info"
    modules = {name for name in names if not name.startswith(information)}
    wanted = tracked("ozone_gen") | {f"ozone_gen/_data/{path}" for folder in DATA for path in tracked(folder)}
    assert modules == wanted
    assert {f"{information}/{name}" for name in ("METADATA", "entry_points.txt", "licenses/LICENSE")} <= names


def test_the_sdist_makes_the_same_wheel(built: Path, wheel: Path, tmp_path: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    assert (folder / "examples" / "demo" / "ozone.yaml").is_file()
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "again")], folder)
    (again,) = (tmp_path / "again").glob("*.whl")
    assert again.read_bytes() == wheel.read_bytes()


def test_the_installed_program_renders_what_the_checkout_does(program: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "demo", tmp_path / "demo", ignore=shutil.ignore_patterns("out"))
    assert run([program, "--version"], tmp_path).strip() == f"ozone-gen, version {__version__}"
    assert "no problems found" in run([program, "validate", "demo/ozone.yaml"], tmp_path)
    run([program, "render", "demo/ozone.yaml", "-o", "out"], tmp_path)

    made = golden_tree(tmp_path / "out")
    checkout = tree_of("demo")
    files = sorted(made.items())
    seeds = {path: File(path, file.content, file.executable, checkout[path].seed) for path, file in files}
    assert not compare(made, checkout), unified_diff(compare(made, checkout))
    assert not compare(golden_tree(TREES / "demo"), to_keep(seeds)), "another tree than tests/golden/trees/demo"


@pytest.mark.parametrize("command", ["schema", "explain OZ101", "sbom demo/ozone.yaml", "outdated demo/ozone.yaml"])
def test_the_installed_program_finds_its_data(command: str, program: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "demo", tmp_path / "demo")
    assert run([program, *command.split()], tmp_path)
