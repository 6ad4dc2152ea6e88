"""What the rows of a dump become, in whatever form they are written."""

from __future__ import annotations

import datetime
import gzip
import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozone_gen.diagnostics import OzoneError, Severity
from ozone_gen.openmrs.demo import demo_sql
from ozone_gen.openmrs.dump import read_dump
from ozone_gen.openmrs.dump_columns import DeclaredColumn, declared_columns, literal_bytes
from ozone_gen.openmrs.dump_rows import BadRow, RowReader
from ozone_gen.openmrs.tables import MODULES, tables_of
from tests.unit.dump_texts import CREATE_OBS, CREATE_PLACE, HEAD, OBS, PLACE, ROW, TAIL, events, finding, read

EVENT = {
    "obs_id": 1,
    "value_numeric": 36.6,
    "value_text": "x",
    "voided": 0,
    "obs_datetime": 1577934245000,
    "day": 18263,
}
TIME = "2020-01-02 03:04:05"


@pytest.mark.parametrize(
    "insert",
    [
        f"INSERT INTO `obs` VALUES {ROW};",
        f"INSERT INTO `obs` VALUES\n{ROW}\n;",
        f"INSERT  IGNORE INTO `clinic`.`obs` VALUES {ROW};",
        f"REPLACE INTO obs VALUES {ROW};",
        f"insert into OBS values {ROW};",
        f"INSERT INTO `obs` VALUES {ROW} ON DUPLICATE KEY UPDATE `extra`=';';",
        "INSERT INTO `obs` (`day`, voided, `obs_datetime`, `value_text`, obs_id, `value_numeric`) VALUES\n"
        f"('2020-01-02', 0, '{TIME}', 'x', 1, 36.6);",
        f"INSERT INTO obs VALUES (0x1,_binary 'a',36.6,_utf8mb4 'x',b'0','{TIME}','2020-01-02');",
        f"INSERT INTO obs VALUES (+1,NULL,'36.6',0x78,false,\"{TIME.replace(' ', 'T')}.000\",'2020-01-02');",
        f"INSERT INTO obs VALUES ('1',7,0.366e2,N'x','\\0',X'{TIME.encode().hex()}','2020-01-02');",
    ],
)
def test_inserts_of_every_form_give_the_same_event(insert: str, tmp_path: Path) -> None:
    summary = read(HEAD + "USE `clinic`;\n" + CREATE_OBS + insert + "\n" + TAIL, tmp_path)
    assert (dict(summary.rows), summary.database, summary.warnings) == ({"obs": 1}, "clinic", ())
    assert events(tmp_path) == [EVENT]
    assert [path.name for path in tmp_path.iterdir()] == ["obs"]


def test_the_columns_left_out_of_an_insert_have_their_defaults(tmp_path: Path) -> None:
    create = CREATE_OBS.replace("text DEFAULT NULL", "text DEFAULT '50% of \"it\"'")
    read(create + "INSERT INTO obs (obs_id, obs_datetime) VALUES (1,'1970-01-01 00:00:00');", tmp_path)
    (event,) = events(tmp_path)
    assert event["value_text"] == '50% of "it"'
    assert (event["voided"], event["day"], event["value_numeric"]) == (0, None, None)


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("'2020-01-02 03:04:05.987654'", 1577934245987),
        ("'1969-12-31 23:59:59.9'", -100),
        ("'0001-01-01 00:00:00'", -62135596800000),
        ("'9999-12-31 23:59:59'", 253402300799000),
        ("'0000-00-00 00:00:00'", 0),  # the column is NOT NULL
        ("'2020-00-10 00:00:00'", 0),
    ],
)
def test_date_and_time(literal: str, expected: int, tmp_path: Path) -> None:
    read(CREATE_OBS + f"INSERT INTO obs VALUES (1,NULL,NULL,NULL,0,{literal},NULL);", tmp_path)
    assert events(tmp_path)[0]["obs_datetime"] == expected


@pytest.mark.parametrize(
    ("literal", "expected"),
    [("'1960-02-29'", -3594), ("'0000-00-00'", None), ("'2020-01-00'", None), ("NULL", None)],
)
def test_date(literal: str, expected: int | None, tmp_path: Path) -> None:
    read(
        CREATE_OBS + f"INSERT INTO obs VALUES (1,NULL,NULL,NULL,0,'2020-01-02 00:00:00',{literal});", tmp_path
    )
    assert events(tmp_path)[0]["day"] == expected


def test_a_zero_date_becomes_the_default_of_a_column_that_may_not_be_null(tmp_path: Path) -> None:
    create = CREATE_OBS.replace("datetime NOT NULL", "datetime NOT NULL DEFAULT '1970-01-02 00:00:00'")
    read(create + "INSERT INTO obs VALUES (1,NULL,NULL,NULL,0,'0000-00-00 00:00:00',NULL);", tmp_path)
    assert events(tmp_path)[0]["obs_datetime"] == 86400000


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        (r"'\0\'\"\b\n\r\t\Z\\\%\_\q''end'", "\0'\"\b\n\r\t\x1a\\\\%\\_q'end"),
        ('"a""b\'\'c\\"d"', "a\"b''c\"d"),
        ("'é😀'", "é😀"),
        ("'a\nb; -- c'", "a\nb; -- c"),
        ("'),(2,'", "),(2,"),
        ("''", ""),
        ("'NULL'", "NULL"),
        ("0xC3A9", "é"),
        ("0x", ""),
        ("12", "12"),
    ],
)
def test_text(literal: str, expected: str, tmp_path: Path) -> None:
    for size in (7, 1 << 20):
        row = f"(1,{literal},NULL,{literal},0,'2020-01-02 03:04:05',NULL)"
        read(CREATE_OBS + f"INSERT INTO obs VALUES {row},{row};", tmp_path, size=size)
        assert [event["value_text"] for event in events(tmp_path)] == [expected] * 2


@pytest.mark.parametrize(
    ("literal", "expected"),
    [("1", 1), ("b'1'", 1), ("0x01", 1), ("'\x01'", 1), ("_binary '\x01'", 1), ("TRUE", 1), ("0b1", 1),
     ("'1'", 1), ("2", 2), ("-1", -1),
     ("'\\0'", 0), ("_binary '\\0'", 0), ("b'0'", 0), ("0x00", 0), ("''", 0)],
)  # fmt: skip
def test_boolean(literal: str, expected: int, tmp_path: Path) -> None:
    create = CREATE_OBS.replace("tinyint(1)", "bit(1)")
    read(
        create + f"INSERT INTO obs VALUES (1,NULL,NULL,NULL,{literal},'2020-01-02 03:04:05',NULL);", tmp_path
    )
    assert events(tmp_path)[0]["voided"] == expected


def test_what_stands_between_the_statements(tmp_path: Path) -> None:
    text = (
        "mysqldump: [Warning] Using a password on the command line interface can be insecure.\n"
        + HEAD
        + "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `clinic` /*!40100 DEFAULT CHARACTER SET latin1 */;\n"
        + "DROP TABLE IF EXISTS `obs`;\n/*!40101 SET character_set_client = utf8 */;\n"
        + CREATE_OBS
        + "LOCK TABLES `obs` WRITE;\n/*!40000 ALTER TABLE `obs` DISABLE KEYS */;\n"
        + f"INSERT INTO `obs` VALUES {ROW},\n{ROW.replace('1', '2', 1)};\n"
        + "/*!40000 ALTER TABLE `obs` ENABLE KEYS */;\nUNLOCK TABLES;\n"
        + "/*!50003 SET sql_mode = '' */ ;\nDELIMITER ;;\n"
        + "/*!50003 CREATE*/ /*!50003 TRIGGER t BEFORE INSERT ON obs FOR EACH ROW BEGIN\n"
        + f"INSERT INTO `obs` VALUES {ROW};\n# it's\nEND */;;\nDELIMITER ;\n"
        + "/*!50001 CREATE VIEW `v` AS SELECT\n 1 AS `a;'b` */;\n"
        + "INSERT INTO `other` VALUES (1,'INSERT INTO `obs` VALUES (1);\\'',2);\n"
        + "# a comment; it's one\nSET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'a:1-5';\n"
        + TAIL
    )
    for size in (3, 64, 1 << 20):
        assert read(text, tmp_path, size=size).rows == {"obs": 2}
        assert [event["obs_id"] for event in events(tmp_path)] == [1, 2]


def test_several_databases(tmp_path: Path) -> None:
    other = "USE `reports`;\n" + CREATE_OBS + "INSERT INTO `obs` VALUES " + ROW.replace("x", "wrong") + ";\n"
    clinic = f"USE `clinic`;\n{CREATE_PLACE}{CREATE_OBS}INSERT INTO `obs` VALUES {ROW};\n"
    summary = read(other + clinic, tmp_path, OBS, PLACE)
    assert (dict(summary.rows), summary.database) == ({"obs": 1, "place": 0}, "clinic")
    assert events(tmp_path) == [EVENT]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["obs", "place"]

    two = clinic + clinic.replace("`clinic`", "`clinic_b`")
    with pytest.raises(OzoneError) as error:
        read(two, tmp_path / "two", OBS, PLACE)
    assert finding(error) == ("OZ025", 0, "the dump holds several OpenMRS databases: clinic, clinic_b")
    assert list((tmp_path / "two").iterdir()) == []
    assert read(two, tmp_path / "two", OBS, PLACE, database="clinic_b").database == "clinic_b"


def test_a_second_dump_in_the_same_file_starts_anew(tmp_path: Path) -> None:
    one = f"{CREATE_OBS}INSERT INTO `obs` VALUES {ROW};\n"
    assert read(one + one, tmp_path).rows == {"obs": 1}


def test_text_that_is_not_utf8_is_replaced_with_a_warning(tmp_path: Path) -> None:
    rows = [ROW.replace("1", str(number), 1).encode().replace(b"'x'", b"'%b'" % text) for number, text in
            [(1, b"fine"), (2, b"tem\xe9p"), (3, b"a\\n\xff"), (4, "é".encode())]]  # fmt: skip
    data = CREATE_OBS.encode() + b"INSERT INTO obs VALUES " + b",".join(rows) + b";"
    (warning,) = read(data, tmp_path).warnings
    assert warning.message == "text that is not utf-8 in 2 rows of obs: obs_id 2, 3"
    assert (warning.code, warning.severity, warning.position.line) == ("OZ027", Severity.WARNING, 13)
    assert [event["value_text"] for event in events(tmp_path)] == ["fine", "tem\ufffdp", "a\n\ufffd", "é"]


def test_latin1(tmp_path: Path) -> None:
    rows = ROW.replace("x", "é€") + "," + ROW.replace("x", "\\né")
    text = "/*!40101 SET NAMES latin1 */;\n" + CREATE_OBS + f"INSERT INTO obs VALUES {rows};"
    assert read(text.encode("cp1252"), tmp_path).warnings == ()
    assert [event["value_text"] for event in events(tmp_path)] == ["é€", "\né"]


@pytest.mark.parametrize("compress", [False, True])
def test_a_file_and_its_progress(compress: bool, tmp_path: Path) -> None:
    text = (HEAD + CREATE_OBS + f"INSERT INTO obs VALUES {ROW};\n" * 30_000 + TAIL).encode()
    path = tmp_path / "openmrs.sql"
    path.write_bytes(gzip.compress(text, mtime=0) if compress else b"\xef\xbb\xbf" + text)
    steps: list[int] = []
    summary = read_dump(path, [OBS], tmp_path / "out", steps.append)
    assert summary.rows == {"obs": 30_000}
    assert sum(steps) == path.stat().st_size
    assert len(steps) > 1


def test_the_demo_data(tmp_path: Path) -> None:
    known = tables_of("2.5", MODULES)
    summary = read(demo_sql(3, 1), tmp_path, *known.values())
    assert summary.rows["patient"] == 3
    for table in known.values():
        keys = [tuple(event[name] for name in table.primary_key) for event in events(tmp_path, table.name)]
        assert len(set(keys)) == len(keys) == summary.rows[table.name]


def test_declared_columns() -> None:
    body = CREATE_OBS.split("obs`", 1)[1].strip().encode()
    assert declared_columns(body) == [
        DeclaredColumn("obs_id", nullable=False),
        DeclaredColumn("extra", default=b"'b),(;'"),
        DeclaredColumn("value_numeric", default=b"NULL"),
        DeclaredColumn("value_text", default=b"NULL"),
        DeclaredColumn("voided", nullable=False, default=b"0"),
        DeclaredColumn("obs_datetime", nullable=False),
        DeclaredColumn("day", default=b"NULL"),
    ]


def quoted(value: bytes) -> bytes:
    """As mysql_real_escape_string, by which mysqldump quotes."""
    for plain, escaped in (
        (b"\\", rb"\\"), (b"\0", rb"\0"), (b"\n", rb"\n"), (b"\r", rb"\r"), (b"'", rb"\'"), (b'"', rb"\""),
        (b"\x1a", rb"\Z"),
    ):  # fmt: skip
        value = value.replace(plain, escaped)
    return b"'" + value + b"'"


@given(st.binary())
def test_literals_of_bytes_come_back(value: bytes) -> None:
    forms = [
        quoted(value),
        b"_binary " + quoted(value),
        b"0x" + value.hex().encode(),
        b"X'%b'" % value.hex().encode(),
    ]
    if b"\\" not in value:
        forms.append(b"'" + value.replace(b"'", b"''") + b"'")
        forms.append(b'"' + value.replace(b'"', b'""') + b'"')
    for form in forms:
        assert literal_bytes(form) == value


ROWS = st.tuples(
    st.integers(-(2**31), 2**31 - 1),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.text(st.characters(codec="utf-8")) | st.text("',();\\\"N %\n0\x00"),
    st.none() | st.integers(0, 1),
    st.none() | st.datetimes(),
    st.none() | st.dates(),
)
Row = tuple[int, float | None, str | None, int | None, datetime.datetime | None, datetime.date | None]


def as_sql(row: Row) -> bytes:
    def literal(value: object) -> bytes:
        if value is None:
            return b"NULL"
        if isinstance(value, (datetime.datetime, datetime.date)):
            return b"'" + str(value).encode() + b"'"
        if isinstance(value, str):
            return quoted(value.encode())
        return repr(value).encode()

    number, numeric, text, voided, time, day = row
    cells = (number, "un\\wanted'\"),(", numeric, text, voided, time, day)
    return b"(" + b",".join(literal(cell) for cell in cells) + b")"


def as_event(row: Row) -> dict[str, object]:
    number, numeric, text, voided, time, day = row
    epoch = datetime.datetime(1970, 1, 1)
    return {
        "obs_id": number,
        "value_numeric": numeric,
        "value_text": text,
        "voided": voided,
        "obs_datetime": None if time is None else (time - epoch) // datetime.timedelta(milliseconds=1),
        "day": None if day is None else (day - epoch.date()).days,
    }


ORDER = ("obs_id", "extra", "value_numeric", "value_text", "voided", "obs_datetime", "day")


def pieces_read(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    """Read rows while the visible text grows, as a dump's does."""
    reader = RowReader(OBS, ORDER, {})
    at, ended = 0, False
    for cut in [*sorted(cut for cut in cuts if cut < len(data)), len(data)]:
        at, ended = reader.read(data[:cut], at)
        text, damaged = reader.finish("utf-8")
        assert not damaged
        yield text
        if ended:
            break
    assert ended
    assert at == len(data)


@given(st.lists(ROWS, min_size=1, max_size=4), st.lists(st.integers(1, 400), max_size=4))
def test_rows_come_back_however_the_text_is_cut(rows: list[Row], cuts: list[int]) -> None:
    data = b",\n".join(as_sql(row) for row in rows) + b";"
    lines = b"".join(pieces_read(data, cuts)).decode().split("\n")
    assert [json.loads(line) for line in lines[:-1]] == [as_event(row) for row in rows]


@given(st.binary(max_size=60))
def test_no_row_gives_another_exception(data: bytes) -> None:
    reader = RowReader(PLACE, ("place_id", "name"), {})
    for text in (data, b"(1," + data, b"(1,'" + data + b"');" + b" " * 300):
        try:
            reader.read(text, 0)
            reader.finish("utf-8")
        except BadRow:
            pass


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back(number: float) -> None:
    reader = RowReader(OBS, ("obs_id", "value_numeric"), {column: DeclaredColumn(column) for column in ORDER})
    for text in (repr(number), f"'{number!r}'", f"{number:+.17e}", f"{number:.17E}"):
        reader.read(f"(1,{text});".encode(), 0)
        (line,) = reader.finish("utf-8")[0].splitlines()
        assert math.isclose(json.loads(line)["value_numeric"], number, rel_tol=1e-15)
