"""The flag that rewrites golden files is refused where nobody would see what it rewrites."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("ci", "code"), [("true", 4), ("", 0)])
def test_ci_refuses_the_flag(ci: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--update-golden", "--collect-only", "-q", "tests/unit/test_golden_flag.py"],
        cwd=ROOT,
        env={**os.environ, "CI": ci},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert ("--update-golden is not for CI" in done.stderr) == bool(code)
