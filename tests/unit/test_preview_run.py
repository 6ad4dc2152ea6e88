from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ozone_gen.diagnostics import OutputError, OzoneError
from ozone_gen.flattening.table import FlattenedTable, SinkColumn, SqlType
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.openmrs.tables import tables_of
from ozone_gen.preview import Stage, job_files, run, run_preview
from ozone_gen.preview.java import Java
from ozone_gen.preview.results import PreviewTable

TYPES = FlattenedTable(
    name="types",
    description="",
    columns=(
        SinkColumn("encounter_type_id", SqlType.BIGINT, "t.encounter_type_id"),
        SinkColumn("name", SqlType.TEXT, "t.name"),
    ),
    primary_key="encounter_type_id",
    time_column="",
    common=(),
    body="FROM openmrs.encounter_type AS t",
    reads=(tables_of("2.5")["encounter_type"],),
)
DUMP = """\
CREATE TABLE `encounter_type` (`encounter_type_id` int NOT NULL, `name` varchar(50), `retired` tinyint(1),
  `uuid` char(38));
INSERT INTO `encounter_type` VALUES (2,'Vitals',0,'b'),(1,'Note''s',1,'a');
"""


class Followed:
    """Notes the stages as they come and go."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    @contextmanager
    def stage(self, stage: Stage, total: int | None) -> Iterator[Callable[[int], None]]:
        self.seen.append((stage, total))
        yield lambda steps: self.seen.append(steps)
        self.seen.append("left")


@pytest.fixture
def without_flink(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put a few lines of Python in the place of Flink."""
    seen: dict[str, Any] = {}

    def flatten(
        program: Path, work: Path, log: Path, java: Java, *, input_bytes: int, started: Callable[[], object]
    ) -> None:
        events = (work / "events/encounter_type/part-0.json").read_text(encoding="utf-8")
        seen.update(work=work, files=sorted(path.name for path in work.iterdir()), size=input_bytes, log=log)
        assert program.name == "flatten.py"
        started()
        (work / "result/types").mkdir(parents=True)
        (work / "result/types/part").write_text(events, encoding="utf-8")

    def rows(table: FlattenedTable, result: Path, file: Path, *, sample: int) -> PreviewTable:
        file.write_text((result / "part").read_text(encoding="utf-8"), encoding="utf-8")
        return PreviewTable(table.name, (), (), table.primary_key, sample, (), (), file)

    monkeypatch.setattr(run, "require_flink", lambda: None)
    monkeypatch.setattr(run, "find_java", lambda environment: Java(Path("/java"), 17))
    monkeypatch.setattr(run, "run_flink", flatten)
    monkeypatch.setattr(run, "write_parquet", rows)
    return seen


def test_a_preview_of_a_dump(tmp_path: Path, without_flink: dict[str, Any]) -> None:
    dump = tmp_path / "openmrs.sql"
    dump.write_text(DUMP, encoding="utf-8")
    out = tmp_path / "deep" / "preview"
    stages = Followed()
    preview = run_preview({"job.json": b"{}", "sql/t.sql": b""}, [TYPES], dump, out, stages, rows=7)
    size = dump.stat().st_size
    assert stages.seen == [
        (Stage.READING, size), size, "left",
        (Stage.STARTING, None), "left",
        (Stage.FLATTENING, None), "left",
        (Stage.WRITING, 1), 1, "left",
    ]  # fmt: skip
    assert [(table.name, table.rows) for table in preview.tables] == [("types", 7)]
    assert preview.source_rows == {"encounter_type": 2}
    assert list(preview.seconds) == list(Stage)
    assert without_flink["files"] == ["events", "job.json", "sql"]
    assert without_flink["log"] == out / "flink.log"
    assert not without_flink["work"].exists()
    assert [path.name for path in out.iterdir()] == ["types.parquet"]
    events = [json.loads(line) for line in (out / "types.parquet").read_text(encoding="utf-8").splitlines()]
    assert without_flink["size"] == (out / "types.parquet").stat().st_size
    assert events[1] == {"encounter_type_id": 1, "name": "Note's", "retired": 1, "uuid": "a"}


def test_a_preview_of_text(tmp_path: Path, without_flink: dict[str, Any]) -> None:
    stages = Followed()
    preview = run_preview({}, [TYPES], demo_sql(2, 1), tmp_path, stages)
    assert preview.source_rows["encounter_type"] > 3
    assert sum(step for step in stages.seen if isinstance(step, int)) == len(demo_sql(2, 1)) + 1


def test_nothing_stays_behind_where_the_dump_is_bad(tmp_path: Path, without_flink: dict[str, Any]) -> None:
    with pytest.raises(OzoneError) as error:
        run_preview({}, [TYPES], b"CREATE TABLE x (", tmp_path, Followed())
    assert error.value.diagnostics[0].position.file == "demo data"
    with pytest.raises(OzoneError) as error:
        run_preview({}, [TYPES], tmp_path / "no.sql", tmp_path, Followed())
    assert error.value.diagnostics[0].code == "OZ001"
    assert not any(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written(tmp_path: Path, without_flink: dict[str, Any]) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError) as error:
        run_preview({}, [TYPES], DUMP.encode(), tmp_path / "file" / "preview", Followed())
    assert error.value.diagnostics[0].code == "OZ404"


def test_the_files_of_a_job() -> None:
    files = job_files("clinic", "openmrs", [TYPES])
    assert sorted(files) == ["job.json", "sources.sql", "sql/types.sql"]
    job = json.loads(files["job.json"])
    assert job["variables"] == [{"name": "OZONE_PREVIEW"}]
    assert job["tables"] == [{"name": "types", "sql": "sql/types.sql"}]
    assert b"'path' = '${OZONE_PREVIEW}/events/encounter_type'" in files["sources.sql"]
    assert b"'path' = '${OZONE_PREVIEW}/result/types'" in files["sql/types.sql"]


@pytest.mark.flink
def test_flink_itself(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    table = FlattenedTable(
        name="people",
        description="",
        columns=(
            SinkColumn("person_id", SqlType.BIGINT, "p.person_id"),
            SinkColumn("born", SqlType.DATE, "CAST(TO_TIMESTAMP_LTZ(p.birthdate * 86400, 0) AS DATE)"),
            SinkColumn(
                "made", SqlType.TIMESTAMP, "CAST(TO_TIMESTAMP_LTZ(p.date_created, 3) AS TIMESTAMP(3))"
            ),
            SinkColumn("number", SqlType.WHOLE_NUMBER, "CAST(p.person_id + 0.4 AS DECIMAL(24, 0))"),
            SinkColumn("dead", SqlType.BOOLEAN, "p.dead IN ('1', 'true')"),
            SinkColumn("name", SqlType.TEXT, "n.given_name"),
        ),
        primary_key="person_id",
        time_column="made",
        common=(),
        body="FROM openmrs.person AS p LEFT JOIN openmrs.person_name AS n ON n.person_id = p.person_id",
        reads=(tables_of("2.5")["person"], tables_of("2.5")["person_name"]),
    )
    columns = (
        "person_id int, gender char(1), birthdate date, birthdate_estimated tinyint(1), dead tinyint(1), "
    )
    columns += (
        "death_date datetime, cause_of_death int, creator int, date_created datetime, voided tinyint(1), "
    )
    columns += "void_reason text, uuid char(38)"
    dump = (
        f"CREATE TABLE person ({columns});\n"
        "INSERT INTO person (person_id, birthdate, dead, date_created) VALUES\n"
        "(11,'1950-03-04',1,'2020-01-02 03:04:05'),(2,NULL,0,'1969-12-31 23:59:58');\n"
        "CREATE TABLE person_name (person_name_id int, person_id int, preferred tinyint(1), given_name text,\n"
        "middle_name text, family_name text, date_created datetime, voided tinyint(1));\n"
        "INSERT INTO person_name (person_name_id, person_id, given_name) VALUES (1,11,'Zoé \"Z\" O''Neil\\n😀');\n"
    )
    out = tmp_path / "a b'é"
    preview = run_preview(job_files("x", "openmrs", [table]), [table], dump.encode(), out, Followed())
    assert pq.read_table(out / "people.parquet").to_pylist() == [
        {
            "person_id": 2, "born": None, "made": datetime.datetime(1969, 12, 31, 23, 59, 58), "number": 2,
            "dead": False, "name": None,
        },
        {
            "person_id": 11, "born": datetime.date(1950, 3, 4), "made": datetime.datetime(2020, 1, 2, 3, 4, 5),
            "number": 11, "dead": True, "name": 'Zoé "Z" O\'Neil\n😀',
        },
    ]  # fmt: skip
    assert preview.tables[0].sample[1][0] == 11
    assert [path.name for path in out.iterdir()] == ["people.parquet"]


@pytest.mark.flink
def test_what_flink_refuses(tmp_path: Path) -> None:
    files = job_files("x", "openmrs", [TYPES])
    files["sql/types.sql"] = files["sql/types.sql"].replace(b"FROM openmrs.", b"FROM nowhere.")
    with pytest.raises(OutputError) as error:
        run_preview(files, [TYPES], DUMP.encode(), tmp_path, Followed())
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "OZ423"
    assert "types" in diagnostic.message
    assert [path.name for path in tmp_path.iterdir()] == ["flink.log"]
