"""Rules across fields that a file in tests/invalid cannot show: what they let pass, and what they stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from ozone_gen import checks
from ozone_gen.checks import SINK_OVERRIDES, SOURCE_OVERRIDES, check, dictionary_of, published_parts
from ozone_gen.checks.columns import column_type
from ozone_gen.flattening.declared import CodedValue, ColumnType
from ozone_gen.load import load
from ozone_gen.openmrs.demo_vocabulary import demo_dictionary
from ozone_gen.openmrs.dictionary import Dictionary
from ozone_gen.plan.build import build_plan
from ozone_gen.shape import parse_spec
from ozone_gen.source import parse_source
from ozone_gen.spec import ColumnSpec, OzoneSpec

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/ozone.yaml"))

REAL = """\
version: 1
site: {id: a, name: A}
sources:
  openmrs: {type: openmrs, password: "${P}", host: db.example}
sink: {type: postgresql, password: "${Q}"}
flattening: {core: all}
"""
DEMO = REAL.replace("host: db.example", "demo: {}")


def codes_of(text: str, *, dictionary: Dictionary | None = None) -> list[str]:
    source = parse_source(text.encode(), "x.yaml")
    spec = parse_spec(source)
    return [finding.code for finding in check(spec, source, dictionary or dictionary_of(spec))]


def spec_of(text: str) -> OzoneSpec:
    return parse_spec(parse_source(text.encode(), "x.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_examples_have_no_findings(path: Path) -> None:
    assert load(str(path)).warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        REAL,
        DEMO,
        # The bundled database at its own address, said aloud.
        DEMO.replace("demo: {}", "demo: {}, host: mysql, port: 3306"),
        # One variable for two secrets, and the overrides for what they override.
        REAL.replace("${P}", "${ONE}").replace("${Q}", "${ONE}"),
        REAL.replace("${P}", "${CONNECT_MYSQL_PASSWORD}").replace("${Q}", "${ANALYTICS_DB_PASSWORD}"),
        # Ports of parts that the site does not run, and closed ones.
        REAL.replace("flattening", "ports: {mysql: 5432, kafka_ui: 8084}\nflattening"),
        DEMO.replace("flattening", "ports: {mysql: null, postgresql: null}\nflattening"),
        # A core table's name where that core table is not asked for.
        REAL.replace(
            "{core: all}",
            "{tables: {visits: {rows: encounter, columns: {w: {concept: CIEL:5089, type: text}}}}}",
        ),
        REAL.replace("name: A", "name: A, timezone: America/Argentina/Buenos_Aires"),
        REAL.replace("name: A", "name: A, timezone: Etc/GMT+3"),
    ],
)
def test_what_is_right_has_no_findings(text: str) -> None:
    assert codes_of(text) == []


def test_a_dictionary_takes_the_place_of_declared_types() -> None:
    text = REAL.replace("{core: all}", "{tables: {t: {rows: encounter, columns: {w: CIEL:5089}}}}")
    assert codes_of(text) == ["OZ206"]
    assert codes_of(text, dictionary=demo_dictionary()) == []


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (ColumnSpec(concept="CIEL:5089"), ColumnType.NUMERIC),
        (ColumnSpec(concept="CIEL:5089", type=ColumnType.INTEGER), ColumnType.INTEGER),
        (ColumnSpec(concept="CIEL:1284"), ColumnType.CODED),
        (ColumnSpec(concept="CIEL:0", value=CodedValue.UUID), ColumnType.CODED),
        (ColumnSpec(concept="CIEL:0"), None),
        (ColumnSpec(concept="CIEL:1065"), None),
        (ColumnSpec(concept="SNOMED CT:17369002"), None),
    ],
)
def test_the_type_of_a_column(column: ColumnSpec, kind: ColumnType | None) -> None:
    assert column_type(column, demo_dictionary()) == kind


def test_without_a_dictionary_only_what_is_declared_is_known() -> None:
    assert column_type(ColumnSpec(concept="CIEL:5089"), None) is None
    assert column_type(ColumnSpec(concept="CIEL:5089", type=ColumnType.TEXT), None) is ColumnType.TEXT


def test_the_overrides_are_those_of_the_plan() -> None:
    plan = build_plan(spec_of(REAL))
    source, sink = plan.source, plan.sink
    settings = {"host": source.host, "port": source.port}
    settings |= {"username": source.username, "password": source.password}
    assert {key: setting.override for key, setting in settings.items()} == SOURCE_OVERRIDES
    settings = {"host": sink.host, "port": sink.port, "database": sink.database}
    settings |= {"username": sink.username, "password": sink.password}
    assert {key: setting.override for key, setting in settings.items()} == SINK_OVERRIDES


def test_only_parts_that_run_publish_ports() -> None:
    assert published_parts(spec_of(REAL)) == ("postgresql", "connect", "flink")
    everything = DEMO.replace("flattening", "components: {kafka_ui: {}}\nflattening")
    assert published_parts(spec_of(everything)) == ("mysql", "postgresql", "connect", "flink", "kafka_ui")
    external = REAL.replace("type: postgresql", "type: postgresql, host: pg.example")
    assert published_parts(spec_of(external)) == ("connect", "flink")


def test_a_machine_without_time_zones_lets_all_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    import zoneinfo

    def nothing(name: str) -> None:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    checks._is_timezone.cache_clear()
    checks._timezones.cache_clear()
    monkeypatch.setattr(zoneinfo, "ZoneInfo", nothing)
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    try:
        assert codes_of(REAL.replace("name: A", "name: A, timezone: Africa/Nowhere")) == []
    finally:
        checks._is_timezone.cache_clear()
        checks._timezones.cache_clear()
