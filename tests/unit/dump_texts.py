"""Texts of dumps and a table that they hold, for the tests of reading them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ozone_gen.diagnostics import OzoneError
from ozone_gen.openmrs.dump import PART, DumpSummary, read_dump_text
from ozone_gen.openmrs.tables import Column, Kind, Table

OBS = Table(
    "obs",
    ("obs_id",),
    (
        Column("obs_id", Kind.INTEGER),
        Column("value_numeric", Kind.DOUBLE),
        Column("value_text", Kind.TEXT),
        Column("voided", Kind.BOOLEAN),
        Column("obs_datetime", Kind.DATETIME),
        Column("day", Kind.DATE),
    ),
)
PLACE = Table("place", ("place_id",), (Column("place_id", Kind.INTEGER), Column("name", Kind.TEXT)))
CREATE_OBS = """\
CREATE TABLE `obs` (
  `obs_id` int(11) NOT NULL AUTO_INCREMENT,
  `extra` enum('a','b),(;') DEFAULT 'b),(;' COMMENT 'it''s; not `voided` NOT NULL',
  `value_numeric` double DEFAULT NULL,
  `value_text` text DEFAULT NULL,
  `voided` tinyint(1) NOT NULL DEFAULT 0,
  `obs_datetime` datetime NOT NULL,
  `day` date DEFAULT NULL,
  PRIMARY KEY (`obs_id`),
  KEY `day` (`day`,`obs_datetime`),
  CONSTRAINT `c` FOREIGN KEY (`obs_id`) REFERENCES `other` (`obs_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;
"""
CREATE_PLACE = "CREATE TABLE `place` (\n  `place_id` int NOT NULL,\n  `name` varchar(50) DEFAULT NULL\n);\n"
HEAD = """\
/*M!999999\\- enable the sandbox mode */\x20
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: it's
/*!40101 SET NAMES utf8mb4 */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

"""
TAIL = "/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;\n-- Dump completed on 2026-01-02  3:04:05\n"
ROW = "(1,'a',36.6,'x',0,'2020-01-02 03:04:05','2020-01-02')"


def events(out: Path, table: str = "obs") -> list[dict[str, Any]]:
    lines = (out / table / PART).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def read(
    text: str | bytes, out: Path, *tables: Table, size: int = 1 << 20, database: str | None = None
) -> DumpSummary:
    data = text if isinstance(text, bytes) else text.encode()
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    return read_dump_text(pieces, tables or (OBS,), out, name="x.sql", database=database)


def finding(error: pytest.ExceptionInfo[OzoneError]) -> tuple[str, int, str]:
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.position.file == "x.sql"
    return diagnostic.code, diagnostic.position.line, diagnostic.message
