"""The workflows and hooks for repositories of sites: what reads them takes them, and each of their steps works."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CI = ROOT / "templates" / "ci"
DEMO = (ROOT / "examples" / "demo" / "ozone.yaml").read_text()
PORT = "ports: {superset: 9999}\n"


@pytest.mark.parametrize(("file", "schema"), [("github", "github-workflows"), ("gitlab", "gitlab-ci")])
def test_it_is_what_its_reader_takes(file: str, schema: str) -> None:
    command = ["check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(CI / f"{file}.yml")]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_hooks_have_what_pre_commit_asks_for() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    for hook in hooks:
        assert {"id", "name", "entry", "language"} <= set(hook)
        assert subprocess.run([*program(hook["entry"]), "--help"], capture_output=True).returncode == 0


def program(entry: str) -> list[str]:
    return [sys.executable, "-m", "ozone_gen", *entry.split()[1:]]


@pytest.fixture
def repository(tmp_path: Path) -> Mapping[str, str]:
    """Two sites, one rendered beside its file; the environment of a step."""
    tools = tmp_path / "bin"
    tools.mkdir()
    scripts = {
        "ozone-gen": f'exec {sys.executable} -m ozone_gen "$@"',
        # They would talk to GitHub and GitLab; what they are told is kept.
        "gh": f'echo "$*" > {tmp_path}/told',
        "curl": f'echo "$*" > {tmp_path}/told',
    }
    for name, text in scripts.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "NUMBER": "7",
        **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    folder = tmp_path / "sites"
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        (folder / name / "ozone.yaml").write_text(DEMO.replace("id: demo", f"id: {name}"))
    run("git init -q -b main && ozone-gen render one/ozone.yaml -o one/out", environment, folder)
    commit("first", environment, folder)
    return environment


def commit(message: str, environment: Mapping[str, str], folder: Path) -> None:
    run(f"git add . && git commit -qm {message}", environment, folder)


def run(script: str, environment: Mapping[str, str], folder: Path, code: int = 0) -> str:
    done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], cwd=folder, env=environment,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def steps_of_github() -> dict[str, str]:
    document: dict[str, Any] = yaml.safe_load((CI / "github.yml").read_text())
    return {step["name"]: step["run"] for step in document["jobs"]["sites"]["steps"] if "run" in step}


def steps_of_gitlab() -> dict[str, str]:
    validate, rendered, means = yaml.safe_load((CI / "gitlab.yml").read_text())["sites"]["script"]
    return {"Validate": validate, "Rendered folders are up to date": rendered, "What it means": means}


@pytest.mark.parametrize("steps", [steps_of_github(), steps_of_gitlab()], ids=["github", "gitlab"])
def test_a_change_is_checked_and_told(steps: Mapping[str, str], repository: Mapping[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "sites"
    base = run("git rev-parse HEAD", repository, folder).strip()
    environment = {**repository, "BASE": base, "CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "REVIEW_TOKEN": "t",
                   "CI_API_V4_URL": "https://gitlab.example/api/v4", "CI_PROJECT_ID": "1",
                   "CI_MERGE_REQUEST_IID": "7"}  # fmt: skip
    for name in ("Validate", "Rendered folders are up to date", "What it means"):
        run(steps[name], environment, folder)
    with (folder / "one" / "ozone.yaml").open("a") as file:
        file.write(PORT)
    commit("port", repository, folder)
    run(steps["Validate"], environment, folder)
    run(steps["Rendered folders are up to date"], environment, folder, code=1)
    run(steps["What it means"], environment, folder)
    (review,) = [path for path in (tmp_path / "review.md", folder / "review.md") if path.exists()]
    assert "### ozone-gen: restart\n" in review.read_text()
    assert "review.md" in (tmp_path / "told").read_text()
    (folder / "two" / "ozone.yaml").write_text("version: 1\n")
    commit("broken", repository, folder)
    run(steps["Validate"], environment, folder, code=123)
    (tmp_path / "told").unlink()
    run(steps["What it means"], environment, folder, code=1)
    assert "review.md" in (tmp_path / "told").read_text(), "a site that cannot be compared does not hide the others"
