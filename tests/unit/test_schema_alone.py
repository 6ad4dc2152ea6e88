"""The JSON Schema without ozone-gen, as editors and check-jsonschema use it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schemas" / "ozone.schema.json"
INVALID = ROOT / "tests" / "invalid"

# No schema can say it: a rule across keys, a date that is none, or a file that no YAML reader of this kind takes.
BEYOND = {"variable-without-braces"}
UNREADABLE = re.compile(r"error\[OZ0")


def check(*files: Path) -> dict[str, object]:
    """Run check-jsonschema; its report."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema", "--schemafile", str(SCHEMA)),
            *("-o", "json", "-v", *map(str, files)),
        ],
        capture_output=True,
        text=True,
        cwd=INVALID,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.stdout, done.stderr[-2000:]
    report: dict[str, object] = json.loads(done.stdout)
    return report


def test_every_example_is_accepted() -> None:
    report = check(*sorted((ROOT / "examples").glob("*/ozone.yaml")))
    assert report["status"] == "ok", report


def expected(path: Path) -> str:
    return path.with_suffix(".expected").read_text(encoding="utf-8")


def test_what_has_not_the_shape_is_refused() -> None:
    cases = [path for path in sorted(INVALID.glob("*.yaml")) if not path.name.endswith(".lock.yaml")]
    readable = [path for path in cases if not UNREADABLE.search(expected(path))]
    report = check(*(Path(path.name) for path in readable))
    errors, unread = report["errors"], report["parse_errors"]
    assert isinstance(errors, list)
    assert unread == []
    refused = {each["filename"] for each in errors}
    shape = {path.name for path in readable if "error[OZ1" in expected(path) and path.stem not in BEYOND}
    assert len(shape) > 10
    assert shape <= refused, f"not refused: {sorted(shape - refused)}"
    others = {path.name for path in readable} - shape
    wrongly = {name for name in refused & others if "error[OZ1" not in expected(INVALID / name)}
    # A schema may see what a later rule says in better words, but never refuse what the tool takes.
    assert not {name for name in wrongly if "error[" not in expected(INVALID / name)}


@pytest.mark.parametrize("name", ["ozone", "ozone.lock", "dictionary"])
def test_the_schemas_are_schemas(name: str) -> None:
    file = ROOT / "schemas" / f"{name}.schema.json"
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--check-metaschema", str(file)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
