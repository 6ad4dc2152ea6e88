"""flink_jobs/flatten.py: what it does before Flink, and how it fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.flink

PROGRAM = Path(__file__).parents[2] / "flink_jobs" / "flatten.py"


@pytest.fixture(scope="module")
def flatten() -> Any:
    pytest.importorskip("pyflink")
    from flink_jobs import flatten

    return flatten


PIECES = st.lists(
    st.sampled_from(["SELECT 1", "'a;b'", "'it''s;'", "`x;y`", "\n", " ", "--\n", "a - b", "/", "é"]), min_size=1
).map("".join)


@given(st.lists(PIECES, max_size=5))
def test_statements_are_split_outside_of_quotes(parts: list[str]) -> None:
    flatten = pytest.importorskip("flink_jobs.flatten")
    wanted = [part.replace("--\n", "\n").strip() for part in parts]
    assert list(flatten.statements(";".join(parts))) == [part for part in wanted if part]


def test_comments_are_left_out(flatten: Any) -> None:
    assert list(flatten.statements("-- it's; a comment\nSELECT '--no';-- end")) == ["SELECT '--no'"]


def test_only_declared_variables_are_filled_in_and_quoted(flatten: Any) -> None:
    statement = "CREATE TABLE t (a INT) WITH ('password' = '${SECRET}', 'x' = '${OTHER}')"
    filled = flatten.fill_in(statement, {"SECRET": "it's ${OTHER}"})
    assert filled == "CREATE TABLE t (a INT) WITH ('password' = 'it''s ${OTHER}', 'x' = '${OTHER}')"


def test_missing_variables_are_named(flatten: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "1")
    monkeypatch.delenv("TWO", raising=False)
    with pytest.raises(flatten.JobError, match="TWO") as failure:
        flatten.declared_values([{"name": "ONE"}, {"name": "TWO"}])
    assert "ONE" not in str(failure.value)


def test_the_newest_complete_checkpoint_is_found(flatten: Any, tmp_path: Path) -> None:
    assert flatten.newest_checkpoint(tmp_path / "absent") is None
    for name, when in (("old/chk-9", 100), ("new/chk-9", 200), ("new/chk-10", 200)):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "_metadata").touch()
        os.utime(folder / "_metadata", (when, when))
    (tmp_path / "new" / "chk-11").mkdir()  # it was never completed
    assert flatten.newest_checkpoint(tmp_path) == (tmp_path / "new" / "chk-10").as_uri()


def run(folder: Path, sql: str) -> subprocess.CompletedProcess[str]:
    source = "CREATE TABLE s (a INT) WITH ('connector' = 'datagen', 'number-of-rows' = '3');"
    sink = "CREATE TABLE `sink`.`{}` (a INT) WITH ('connector' = 'blackhole');"
    (folder / "sources.sql").write_text(source)
    (folder / "good.sql").write_text(sink.format("good") + "INSERT INTO `sink`.`good` SELECT a FROM s;")
    (folder / "vitals.sql").write_text(sink.format("vitals") + sql)
    job = {
        "version": 1,
        "name": "test",
        "settings": {},
        "variables": [],
        "sources": ["sources.sql"],
        "tables": [{"name": name, "sql": f"{name}.sql"} for name in ("good", "vitals")],
    }
    (folder / "job.json").write_text(json.dumps(job))
    command = [sys.executable, str(PROGRAM), "--job", str(folder / "job.json"), "--mode", "batch"]
    return subprocess.run(command, text=True, capture_output=True, check=False)


def test_every_table_is_filled(tmp_path: Path) -> None:
    done = run(tmp_path, "INSERT INTO `sink`.`vitals` SELECT a FROM s;")
    assert done.returncode == 0, done.stderr
    assert "filled: good, vitals" in done.stdout


def test_a_refused_statement_names_its_table(tmp_path: Path) -> None:
    done = run(tmp_path, "INSERT INTO `sink`.`vitals` SELECT nothing_like_it FROM s;")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "table vitals (vitals.sql)" in last
    assert "nothing_like_it" in last


def test_a_job_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text('{"version": 7}')
    command = [sys.executable, str(PROGRAM), "--job", str(tmp_path / "job.json")]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 2
    assert "version 7" in done.stderr
