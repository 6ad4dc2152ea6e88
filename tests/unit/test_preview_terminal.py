from __future__ import annotations

import datetime
import io
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.console import Console

from ozone_gen.preview.profile import Answer, ColumnProfile, Kind, TableProfile
from ozone_gen.preview.results import PreviewTable
from ozone_gen.preview.run import Preview, Stage
from ozone_gen.preview.terminal import ProgressStages, fitting, show_preview

VITALS = PreviewTable(
    name="vitals",
    columns=("site", "encounter_id", "encounter_uuid", "taken", "weight_kg", "note", "well", "nothing"),
    types=("text", "bigint", "text", "timestamp without time zone", "double precision", "text", "boolean", "text"),
    primary_key="encounter_id",
    rows=3,
    filled=(3, 3, 3, 3, 2, 3, 3, 0),
    sample=(
        ("a", 7, "u" * 36, datetime.datetime(2020, 1, 2, 3, 4, 5), 36.6, "[red]x[/red]\n\x1b[31mé", True, None),
        ("a", 10, "v" * 36, datetime.datetime(2020, 1, 2), None, "long " * 20, False, None),
    ),
    file=Path("preview/vitals.parquet"),
)  # fmt: skip
EMPTY = PreviewTable("empty", ("id",), ("bigint",), "id", 0, (0,), (), Path("preview/empty.parquet"))
SECONDS = {Stage.READING: 1.04, Stage.FLATTENING: 10.0}


def shown(
    width: int,
    *tables: PreviewTable,
    foremost: Mapping[str, list[str]] | None = None,
    profiles: Mapping[str, TableProfile] | None = None,
) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=False, color_system=None)
    show_preview(Preview(tables, {"obs": 3}, SECONDS, ()), console, foremost, profiles)
    return out.getvalue()


def test_everything_fits() -> None:
    lines = shown(200, VITALS).splitlines()
    assert lines[1] == "vitals  3 rows, the first 2:"
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in (lines[3], *lines[5:7])]
    assert rows == [
        list(VITALS.columns),
        ["a", "7", "u" * 31 + "…", "2020-01-02 03:04:05", "36.6", "[red]x[/red] [31mé", "true", "∅"],
        ["a", "10", "v" * 31 + "…", "2020-01-02 00:00:00", "∅", "long " * 6 + "l…", "false", "∅"],
    ]
    assert "│            7 │" in lines[5]
    assert "more column" not in shown(200, VITALS)


def test_what_does_not_fit_is_counted() -> None:
    lines = shown(64, VITALS).splitlines()
    assert lines[3] == "│ site │ encounter_id │ taken               │ weight_kg │"
    assert "and 4 more columns, 1 of them empty" in lines
    assert all(len(line) <= 64 for line in lines)
    assert shown(106, VITALS).splitlines()[8] == "and 2 more columns, 1 of them empty"


def test_the_foremost_columns_come_first() -> None:
    lines = shown(56, VITALS, foremost={"vitals": ["note"]}).splitlines()
    assert lines[3].split() == ["│", "encounter_id", "│", "note", "│"]


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (10, ["encounter_id"]),
        (30, ["site", "encounter_id"]),
        (40, ["site", "encounter_id", "weight_kg"]),  # not left empty for the wide one
        (52, ["site", "encounter_id", "taken"]),
        (64, ["site", "encounter_id", "taken", "weight_kg"]),
        (67, ["site", "encounter_id", "taken", "weight_kg", "well"]),
        (300, list(VITALS.columns)),
    ],
)
def test_columns_that_fit(width: int, columns: list[str]) -> None:
    widths = [4, 12, 32, 19, 9, 32, 5, 7]
    assert [VITALS.columns[index] for index in fitting(VITALS, widths, width)] == columns


def test_the_summary() -> None:
    lines = [line.split() for line in shown(80, VITALS, EMPTY).splitlines()]
    assert ["vitals", "3", "8", "83", "%", "preview/vitals.parquet"] in lines
    assert ["empty", "0", "1", "-", "preview/empty.parquet"] in lines
    assert ["empty", "0", "rows"] in lines
    assert shown(80, EMPTY).splitlines()[-1] == "11.0 s: reading the data 1.0 s, flattening 10.0 s"


def test_stages_in_a_log_and_on_a_terminal() -> None:
    for terminal in (False, True):
        out = io.StringIO()
        console = Console(file=out, width=80, force_terminal=terminal, color_system=None)
        stages = ProgressStages(console)
        with stages.stage(Stage.READING, 10) as advance:
            advance(4)
            advance(6)
        with stages.stage(Stage.STARTING, None) as advance:
            advance(1)
        if terminal:
            assert "starting Flink" in out.getvalue()
        else:
            assert out.getvalue() == "reading the data ...\nstarting Flink ...\n"


def profile(*columns: ColumnProfile) -> Mapping[str, TableProfile]:
    return {"vitals": TableProfile("vitals", 3, columns)}


def test_the_columns_of_a_table() -> None:
    weight = ColumnProfile("weight_kg", Kind.NUMBER, 1000, 661, 9, 3, 2.5, 36.6, 70.0)
    nothing = ColumnProfile("nothing", Kind.TEXT, 1000, 0, 0, 0)
    rare = ColumnProfile("note", Kind.TEXT, 1000, 1, 1, 1, answers=(Answer("[red]x\n\x1b[31m" * 30, 1, 1),))
    declared = {"vitals": ["weight_kg", "nothing", "note"]}
    text = shown(100, VITALS, foremost=declared, profiles=profile(weight, nothing, rare))
    assert max(map(len, text.splitlines())) <= 100
    lines = [" ".join(line.split()) for line in text.splitlines()]
    start = next(number for number, line in enumerate(lines) if "with a value" in line)
    assert lines[start].startswith("column holds with a value different least … median … greatest, or")
    assert lines[start + 2] == "weight_kg number 661 ██████▋··· 66 % 9 2.5 … 36.6 … 70"
    assert lines[start + 3] == "nothing text 0 ·········· 0 % 0"
    assert lines[start + 4].startswith("note text 1 ▏········· <1 % 1 [red]x [31m[red]x [31m")


def test_on_a_narrow_terminal_less_is_said_of_columns() -> None:
    weight = ColumnProfile("weight_kg", Kind.NUMBER, 1000, 661, 9, 3, 2.5, 36.6, 70.0)
    text = shown(60, VITALS, foremost={"vitals": ["weight_kg"]}, profiles=profile(weight))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "column with a value values" in lines
    assert "weight_kg 661 66 % 2.5 … 36.6 … 70" in lines


def test_empty_columns_of_other_tables_are_named() -> None:
    assert "empty: nothing" in shown(100, VITALS).splitlines()
    assert "empty:" not in shown(100, EMPTY)
