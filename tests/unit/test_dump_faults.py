"""Dumps that are none, that lack something, and that end too early: what is said about them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ozone_gen.diagnostics import OzoneError
from ozone_gen.openmrs.dump import read_dump
from tests.unit.dump_texts import CREATE_OBS, CREATE_PLACE, HEAD, OBS, ROW, TAIL, finding, read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("OZ023", 0, "the dump has no table obs")),
        (HEAD + TAIL, ("OZ023", 0, "the dump has no table obs")),
        (CREATE_PLACE, ("OZ023", 0, "the dump has no table obs")),
        (
            CREATE_PLACE
            + CREATE_OBS.replace("`voided` tiny", "`void` tiny").replace("`day` date", "`d` date"),
            ("OZ024", 5, "the dump's table obs has no column voided, day"),
        ),
        (
            "version: 1\nsite: {}\n",
            ("OZ021", 1, "this is no dump of MariaDB or MySQL: it starts with 'version: 1'"),
        ),
        (
            "<?xml version='1.0'?>",
            ("OZ021", 1, "this is no dump of MariaDB or MySQL: it starts with \"<?xml version='1.0'?>\""),
        ),
        ("--\n-- PostgreSQL database dump\n--\n", ("OZ021", 2, "this is a dump of PostgreSQL")),
        ("-- x\nSET NAMES koi8r;", ("OZ021", 2, "the dump's character set koi8r is not read here")),
        (
            "INSERT INTO obs VALUES (1);",
            ("OZ026", 1, "the columns of obs are unknown: no CREATE TABLE came before its rows"),
        ),
        (
            CREATE_OBS
            + f"INSERT INTO obs VALUES {ROW},\n{ROW.replace('36.6', 'NOW()')},\n{ROW};\n"
            + "-- more\n" * 50,
            (
                "OZ026",
                14,
                "cannot read a row of obs: no value for value_numeric: "
                "\"NOW(),'x',0,'2020-01-02 03:04:05','2020-\"",
            ),
        ),
        (
            CREATE_OBS
            + f"INSERT INTO obs VALUES {ROW},\n{ROW},\n{ROW.replace('36.6', chr(39) + 'warm' + chr(39))};",
            ("OZ026", 15, "cannot read a row of obs: value_numeric: 'warm' is no number"),
        ),
        (
            CREATE_OBS + "INSERT INTO obs VALUES (1,'a',1,'x',0,'2020-02-30 03:04:05',NULL);",
            (
                "OZ026",
                13,
                "cannot read a row of obs: obs_datetime: '2020-02-30 03:04:05' is no date: "
                "day is out of range for month",
            ),
        ),
        (
            CREATE_OBS + "INSERT INTO obs VALUES (1,'a',1,'x');",
            ("OZ026", 13, "cannot read a row of obs: it does not have 7 values"),
        ),
        (
            CREATE_OBS + "INSERT INTO obs VALUES (1,'a',1,'x',0,'2020-02-20 03:04:05','today',7);",
            ("OZ026", 13, "cannot read a row of obs: it does not have 7 values"),
        ),
        (CREATE_OBS + "\nobs: 1", ("OZ026", 14, "no SQL statement starts here: 'obs: 1'")),
    ],
)
def test_a_dump_that_is_none_or_lacks_something(
    text: str, expected: tuple[str, int, str], tmp_path: Path
) -> None:
    with pytest.raises(OzoneError) as error:
        read(text, tmp_path)
    assert finding(error) == expected
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "line", "where"),
    [
        (HEAD + CREATE_OBS + f"INSERT INTO obs VALUES {ROW};\n", 21, "without '-- Dump completed'"),
        (
            "/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;\n" + CREATE_OBS,
            14,
            "without switching the server's notes back on",
        ),
        (CREATE_OBS[:100], 1, "within the CREATE TABLE of obs"),
        (CREATE_PLACE[:30], 1, "within the CREATE TABLE of place"),
        (CREATE_OBS + "INSERT INTO obs", 13, "within an INSERT into obs"),
        (CREATE_OBS + f"INSERT INTO obs VALUES {ROW},", 13, "within a row of obs"),
        (CREATE_OBS + f"INSERT INTO obs VALUES {ROW},\n{ROW[:-3]}", 13, "within a row of obs"),
        (CREATE_OBS + "INSERT INTO obs VALUES (1,'" + "it\\'s " * 100, 13, "within a row of obs"),
        (CREATE_OBS + "INSERT INTO `other` VALUES (1,'; abc", 13, "within a statement"),
        (CREATE_OBS + "/*!40000 ALTER TABLE", 13, "within a comment"),
        (CREATE_OBS + "DELIMITER ;;\nCREATE", 14, "within a routine or trigger"),
        (
            HEAD + CREATE_OBS + "mysqldump: Error 2013: Lost connection to server during query",
            20,
            "with 'mysqldump: Error 2013: Lost connection to server during query'",
        ),
    ],
)
def test_a_truncated_dump(text: str, line: int, where: str, tmp_path: Path) -> None:
    for size in (100, 1 << 20):
        with pytest.raises(OzoneError) as error:
            read(text, tmp_path, size=size)
        assert finding(error) == ("OZ022", line, f"the dump is truncated: it ends {where}")
        assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (None, "OZ001", "cannot read the dump: No such file or directory"),
        ("CREATE".encode("utf-16"), "OZ021", "the dump is UTF-16 text"),
        (b"BZh91AY", "OZ021", "the dump is compressed by bzip2"),
        (b"PK\x03\x04...", "OZ021", "the dump is a zip archive"),
        (gzip.compress(HEAD.encode(), mtime=0)[:50], "OZ022", "the compressed dump ends too early"),
        (b"\x1f\x8b\x08\x00aaaaaaaaaaaa", "OZ021", "the compressed dump is damaged: "),
    ],
)
def test_a_file_of_another_form(content: bytes | None, code: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "openmrs.sql"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OzoneError) as error:
        read_dump(path, [OBS], tmp_path / "out")
    (diagnostic,) = error.value.diagnostics
    assert (diagnostic.code, diagnostic.position.file) == (code, str(path))
    assert diagnostic.message.startswith(message)


def test_a_folder_is_no_dump(tmp_path: Path) -> None:
    with pytest.raises(OzoneError) as error:
        read_dump(tmp_path, [OBS], tmp_path / "out")
    assert error.value.diagnostics[0].code == "OZ001"
