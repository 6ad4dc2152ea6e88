"""What few tables of a dump have: times of the day, and keys of several columns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ozone_gen.diagnostics import OzoneError
from ozone_gen.openmrs.dump import PART, DumpSummary, read_dump_text
from ozone_gen.openmrs.tables import Column, Kind, Table

SERVICE = Table("service", ("service_id",), (Column("service_id", Kind.INTEGER), Column("start", Kind.TIME)))
ROLE = Table("role", ("user_id", "role"), (Column("user_id", Kind.INTEGER), Column("role", Kind.TEXT)))
CREATE = (
    "CREATE TABLE `service` (`service_id` int NOT NULL, `start` time DEFAULT '07:30:00');\n"
    "CREATE TABLE `role` (`user_id` int NOT NULL, `role` varchar(50) NOT NULL, PRIMARY KEY (`role`,`user_id`));\n"
)


def read(rows: bytes, out: Path) -> DumpSummary:
    return read_dump_text([CREATE.encode() + rows], [SERVICE, ROLE], out, name="dump")


def starts(out: Path) -> list[int | None]:
    return [json.loads(line)["start"] for line in (out / "service" / PART).read_text().splitlines()]


def test_a_time_of_the_day_is_milliseconds_since_midnight(tmp_path: Path) -> None:
    read(
        b"INSERT INTO service VALUES (1,'00:00:00'),(2,'16:30:01'),(3,NULL),(4,'23:59:59.987654'), (5, '08:00:00' );",
        tmp_path,
    )
    assert starts(tmp_path) == [0, 59401000, None, 86399987, 28800000]


def test_a_time_that_is_left_out_is_its_default(tmp_path: Path) -> None:
    read(b"INSERT INTO service (service_id) VALUES (1);", tmp_path)
    assert starts(tmp_path) == [27000000]


@pytest.mark.parametrize("literal", ["'24:00:00'", "'-01:00:00'", "'838:59:59'", "'8 o''clock'"])
def test_a_span_of_time_is_no_time_of_the_day(literal: str, tmp_path: Path) -> None:
    with pytest.raises(OzoneError) as error:
        read(f"INSERT INTO service VALUES (1,'08:00:00'),(2,{literal});".encode(), tmp_path)
    (diagnostic,) = error.value.diagnostics
    assert "start: " in diagnostic.message
    assert diagnostic.message.endswith("is no time of the day")


def test_damaged_text_is_found_by_all_columns_of_its_key(tmp_path: Path) -> None:
    summary = read(b"INSERT INTO role VALUES (3,'Doctor'),(4,'M\xe9decin');", tmp_path)
    (warning,) = summary.warnings
    assert "user_id/role 4/M\ufffddecin" in warning.message
