"""The page of a preview: what is in it, that nothing in the data can break it, and that it stays small."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ozone_gen.diagnostics import Position, codes
from ozone_gen.flattening.declared import ColumnPlan, ColumnType, Filters, Grain, Repeat, TablePlan
from ozone_gen.flattening.table import FlattenedTable, SinkColumn, SqlType
from ozone_gen.openmrs.dictionary import Concept, Dictionary
from ozone_gen.preview.findings import column_path
from ozone_gen.preview.profile import (
    Answer,
    ColumnProfile,
    Histogram,
    Kind,
    Quartiles,
    TableProfile,
    TimeAxis,
    Unit,
)
from ozone_gen.preview.report import Report, report_html
from ozone_gen.preview.results import PreviewTable
from ozone_gen.preview.yaml_lines import excerpt
from ozone_gen.source import parse_source

HERE = Path(__file__).parent
D = datetime.date
HOSTILE = (
    "</script><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)", "</style><b>",
    "{{ 7*7 }}{% raw %}", "&lt;&amp;", "javascript:alert(1)", "<!--", "]]>", "\x00\x07\x1b[31m", "\ud800",
    "שלום \u202e עולם", "مرحبا بالعالم", "x" * 5000, "\u2028\u2029", "", " ",
)  # fmt: skip

YAML = b"""\
flattening:
  core: [patients]
  tables:
    vitals:   # by nurses
      rows: encounter
      encounter_types: ["Vitals"]

      columns:
        weight: CIEL:5089
        note: {concept: CIEL:162169, description: 'it''s <b>'}
        born: CIEL:1
components: {}
"""
SOURCE = parse_source(YAML, "ozone.yaml")
PLAN = TablePlan(
    "vitals", "a", Grain.ENCOUNTER, Filters(), ("encounter_id",),
    (
        ColumnPlan("weight", ("CIEL:5089",), ColumnType.NUMERIC),
        ColumnPlan("note", ("CIEL:162169",), ColumnType.CODED, Repeat.LIST),
        ColumnPlan("born", ("CIEL:1",), ColumnType.DATE),
    ),
)  # fmt: skip
COLUMNS = ("encounter_id", "encounter_datetime", "weight", "note", "born", "patient_id")
TYPES = (
    SqlType.BIGINT, SqlType.TIMESTAMP, SqlType.DOUBLE, SqlType.TEXT, SqlType.DATE, SqlType.BIGINT
)  # fmt: skip
FLATTENED = FlattenedTable(
    "vitals", "One row for each <encounter>.",
    tuple(SinkColumn(name, kind, name) for name, kind in zip(COLUMNS, TYPES, strict=True)),
    "encounter_id", "encounter_datetime", (), "", (),
)  # fmt: skip
AXIS = TimeAxis(
    "encounter_datetime", Unit.MONTH, (D(2024, 1, 1), D(2024, 2, 1), D(2024, 3, 1), D(2024, 4, 1)), (10, 0, 30),
    0, 0, 0, D(2024, 1, 3), D(2024, 3, 30),
)  # fmt: skip
DICTIONARY = Dictionary(
    "a test", (Concept(1, "u" * 36, "Numeric", "Weight <kg>", ("CIEL:5089",), units="kg"),)
)


def profile(answers: tuple[Answer, ...]) -> TableProfile:
    def column(name: str, kind: Kind, **more: object) -> ColumnProfile:
        return ColumnProfile(name, kind, 40, 38, 9, 20, filled_over_time=(10, 0, 28), **more)  # type: ignore[arg-type]

    quartiles = (Quartiles(40.0, 50.0, 60.0), None, Quartiles(45.0, 55.0, 65.0))
    return TableProfile(
        "vitals",
        40,
        (
            column("encounter_id", Kind.ID),
            column("encounter_datetime", Kind.TIME, least=D(2024, 1, 3), median=D(2024, 3, 3), greatest=D(2024, 3, 30)),
            column(
                "weight", Kind.NUMBER, least=2.8, median=49.2, greatest=777.7,
                histogram=Histogram((0.0, 50.0, 100.0), (20, 17), 0, 1), over_time=quartiles,
            ),
            column("note", Kind.TEXT, answers=answers, other_rows=3),
            ColumnProfile("born", Kind.DATE, 40, 0, 0, 0, filled_over_time=(0, 0, 0)),
            column("patient_id", Kind.ID),
        ),
        AXIS,
    )  # fmt: skip


def report(texts: tuple[str, ...] = ("Malaria", "Fever"), *, shared: bool = False) -> Report:
    answers = tuple(Answer(text, 20 - number, 20 - number) for number, text in enumerate(texts))
    rows = tuple(
        (number, datetime.datetime(2024, 1, 3, 9, 30), 56.9, text, None, 7) for number, text in enumerate(texts)
    )
    table = PreviewTable(
        "vitals", COLUMNS, tuple(map(str, TYPES)), "encounter_id", 40, (38,) * 6, rows, Path("x"), "encounter_datetime"
    )
    path = column_path("vitals", "weight")
    position = SOURCE.position(path, key=True)
    warning = codes.SeveralObservations.at(
        position, f"several {texts[0]}", path=path, hint="say `repeat: last` if that is meant"
    )
    other = codes.DamagedText.at(Position("dump.sql", 3), f"damaged {texts[-1]}")
    return Report(
        f"Clinic {texts[0]}", f"from the dump {texts[-1]}", False, SOURCE, DICTIONARY, (FLATTENED,), (PLAN,), (table,),
        {"vitals": profile(answers)}, (warning, other), shared,
    )  # fmt: skip


class Page(HTMLParser):
    """Reads a page as a browser does, and notes its elements, texts and what is left open."""

    VOID = frozenset({"meta", "br", "img", "link", "input", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def test_golden_page(golden: Callable[[Path, str], None]) -> None:
    golden(HERE / "golden" / "preview-report.html", report_html(report()))


def test_the_same_report_gives_the_same_page() -> None:
    assert report_html(report()) == report_html(report())


def test_what_a_page_says() -> None:
    page = Page(report_html(report()))
    for said in (
        "Clinic Malaria", "filled from the dump Fever by the site’s own SQL", "3 Jan 2024 to 30 Mar 2024",
        "This page holds data of patients.", "One row for each <encounter>.", "Weight <kg> · CIEL:5089 · number in kg",
        "38 rows with a value, 9 different", "kg: median and middle half per month", "No row has a value.",
        "and only other answers in 3 rows (8 %)", "several Malaria", "Line 9", "damaged Fever", "2024-01-03 09:30:00",
        "Not shown: 1 value from 100 on.", "list of texts", "2 warnings",
    ):  # fmt: skip
        assert said in page.text, said
    assert "Histogram of weight: 38 values between 2.8 and 777.7 kg, median 49.2 kg." in page.values("aria-label")


@pytest.mark.parametrize("shared", [False, True])
def test_a_page_is_whole_and_leads_nowhere(shared: bool) -> None:
    text = report_html(report(shared=shared))
    page = Page(text)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    for link in page.values("href"):
        assert link.startswith("#")
        assert link[1:] in ids, link
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(page.tags)
    assert not re.search(r"url\(|@import|https?:", text)
    policy = next(value for tag, name, value in page.attributes if (tag, name) == ("meta", "content"))
    assert policy.startswith("default-src 'none'")
    # Every picture says what it shows, every table has heads.
    assert page.tags.count("svg") == sum(
        1 for tag, name, value in page.attributes if tag == "svg" and name == "aria-label" and value
    ) + len(re.findall(r'<svg viewBox="0 0 1 1">', text))


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_no_text_of_the_data_can_break_the_page(text: str) -> None:
    plain, hostile = Page(report_html(report(("a", "b")))), Page(report_html(report((text, f"b{text}"))))
    assert hostile.tags == plain.tags
    names = [(tag, name) for tag, name, _ in hostile.attributes]
    assert names == [(tag, name) for tag, name, _ in plain.attributes]
    report_html(report((text,))).encode("utf-8")
    shown = [each for each in hostile.texts if "alert" in each]
    assert ("alert" in text) == bool(shown)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\u2028]", "".join(hostile.texts))


def test_a_shared_page_has_no_rows_and_nothing_of_few() -> None:
    page = Page(report_html(report(("Malaria", *(f"rare {number}" for number in range(19))), shared=True)))
    assert "Made to be shared." in page.text
    for hidden in ("56.9", "777.7", "2.8", "2024-01-03", "3 Jan 2024", "rare 17"):
        assert not any(hidden in each for each in (*page.texts, *(value for _, _, value in page.attributes))), hidden
    for kept in ("Malaria", "rare 9", "median", "49.2", "1 Jan 2024 to 31 Mar 2024"):
        assert kept in page.text
    assert "The first" not in page.text


def test_a_page_of_many_columns_stays_small() -> None:
    base = report()
    (made,) = base.profiles.values()
    weight = made.column("weight")
    weight = replace(weight, histogram=Histogram(tuple(map(float, range(25))), (1000,) * 24))
    axis = TimeAxis(
        "t", Unit.DAY, tuple(D(2024, 1, 1) + datetime.timedelta(day) for day in range(61)), (999,) * 60, 0, 0, 0,
        D(2024, 1, 1), D(2024, 2, 29),
    )  # fmt: skip
    names = [f"column_{number}" for number in range(500)]
    columns = tuple(
        replace(
            weight,
            name=name,
            filled_over_time=tuple(range(0, 960, 16)),
            over_time=(Quartiles(1.5, 20.25, 300.125),) * 60,
        )
        for name in names
    )
    plans = tuple(ColumnPlan(name, ("CIEL:5089",), ColumnType.NUMERIC) for name in names)
    sinks = tuple(SinkColumn(name, SqlType.DOUBLE, name) for name in names)
    large = replace(
        base,
        plans=(replace(PLAN, columns=plans),),
        flattened=(replace(FLATTENED, columns=sinks),),
        profiles={"vitals": TableProfile("vitals", 10**6, columns, axis)},
        shared=True,
    )
    text = report_html(large)
    assert len(text.encode()) < 2 << 20
    assert all(f">{name}<" in text for name in names)


# --- lines of ozone.yaml


def test_the_lines_of_a_table() -> None:
    lines = excerpt(SOURCE, ("flattening", "tables", "vitals"))
    assert [line.number for line in lines] == list(range(4, 12))
    written = YAML.decode().splitlines()
    for line in lines:
        assert "".join(text for _, text in line.pieces) == written[line.number - 1]
    assert ("comment", "# by nurses") in lines[0].pieces
    assert ("key", "vitals") in lines[0].pieces
    assert ("string", '"Vitals"') in lines[2].pieces
    assert ("string", "'it''s <b>'") in lines[6].pieces
    assert [text for kind, text in lines[6].pieces if kind == "key"] == ["note", "concept", "description"]


def test_the_lines_of_what_stands_in_braces_or_is_not_there() -> None:
    text = b"flattening:\n  tables: {\n    a: {rows: obs},\n  }\n  core: all\nsite: {id: x}\n"
    source = parse_source(text, "f")
    assert [line.number for line in excerpt(source, ("flattening", "tables"))] == [2, 3, 4]
    assert [line.number for line in excerpt(source, ("flattening", "core"))] == [5]
    assert [line.number for line in excerpt(source, ("flattening", "nothing"))] == [1, 2, 3, 4, 5]
