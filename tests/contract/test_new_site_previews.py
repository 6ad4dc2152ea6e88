"""A new site shows its tables at once. (Tables that `--from-dump` suggests are those of test_suggest.py.)"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ozone_gen.cli import main

pytestmark = [pytest.mark.contract, pytest.mark.flink, pytest.mark.slow]


def test_a_new_site_previews_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo-data", "--patients", "12", "-o", "dump.sql"]) == 0
    assert main(["new-site", "kigali", "--no-input"]) == 0
    capsys.readouterr()
    assert main(["preview", "kigali/ozone.yaml", "--dump", "dump.sql", "-o", "out", "--html", "report.html"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"patients\b.*\b12\b", shown), shown
    assert (tmp_path / "out" / "vitals.parquet").stat().st_size
    assert "vitals" in Path("report.html").read_text()
