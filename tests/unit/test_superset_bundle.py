"""The assets of a site follow from its plan: datasets of every table, and charts where the tables give them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from ozone_gen.checks import dictionary_of
from ozone_gen.plan import SitePlan
from ozone_gen.plan.build import build_plan
from ozone_gen.shape import parse_spec
from ozone_gen.source import parse_source
from ozone_gen.superset.bundle import files, renamed_datasets, rows, widths
from ozone_gen.superset.central import central_bundle
from ozone_gen.superset.labels import label
from ozone_gen.superset.model import Chart
from ozone_gen.superset.site import site_bundle

SITE = """\
version: 1
site: {id: clinic-a, name: Clinic A}
sources: {openmrs: {type: openmrs, password: "${OPENMRS_DB_PASSWORD}", demo: {}}}
sink: {type: postgresql, schema: flat, password: "${ANALYTICS_DB_PASSWORD}"}
components: {superset: {}}
flattening:
"""
CENTRAL = """\
version: 1
site: {id: ministry, name: Ministry}
sink: {type: postgresql, password: "${ANALYTICS_DB_PASSWORD}"}
components: {object_store: {}, drill: {}, superset: {}}
flattening:
"""
VITALS = """\
  tables:
    vitals:
      rows: encounter
      encounter_types: [Vitals]
      columns:
        weight_kg: CIEL:5089
        systolic: {concept: CIEL:5085, type: integer}
        measured: {concept: CIEL:5089, repeat: count}
"""
TYPED_VITALS = """\
  tables:
    vitals:
      rows: encounter
      columns:
        weight_kg: {concept: CIEL:5089, type: numeric}
        measured: {concept: CIEL:5089, type: numeric, repeat: count}
"""
"""A central server has no dictionary that would know the types."""


def plan_of(flattening: str) -> SitePlan:
    spec = parse_spec(parse_source((SITE + flattening).encode(), "ozone.yaml"))
    return build_plan(spec, dictionary_of(spec))


def assets_of(flattening: str) -> dict[str, Any]:
    made = files(site_bundle(plan_of(flattening)), "assets")
    return {file.path.removeprefix("assets/"): yaml.safe_load(file.content) for file in made}


def central_assets_of(flattening: str) -> dict[str, Any]:
    spec = parse_spec(parse_source((CENTRAL + flattening).encode(), "ozone.yaml"))
    made = files(central_bundle(build_plan(spec, None)), "assets")
    return {file.path.removeprefix("assets/"): yaml.safe_load(file.content) for file in made}


def charts(assets: dict[str, Any]) -> set[str]:
    return {path.removeprefix("charts/").removesuffix(".yaml") for path in assets if path.startswith("charts/")}


def test_each_table_is_a_dataset_with_its_columns() -> None:
    plan = plan_of("  core: all\n" + VITALS)
    assets = assets_of("  core: all\n" + VITALS)
    for table in plan.tables:
        made = assets[f"datasets/analytics/{table.name}.yaml"]
        stored = [column["column_name"] for column in made["columns"] if not column["expression"]]
        assert stored == [column.name for column in table.columns]
        assert made["schema"] == "flat"
        assert made["main_dttm_col"] == (table.time_column or None)
        assert made["metrics"][0]["metric_name"] == "count"


def test_a_voided_row_is_not_counted() -> None:
    made = assets_of("  core: [visits]\n")["datasets/analytics/visits.yaml"]
    expressions = {metric["metric_name"]: metric["expression"] for metric in made["metrics"]}
    assert expressions["count"] == "COUNT(CASE WHEN visit_voided THEN NULL ELSE 1 END)"
    assert expressions["patients"] == "COUNT(DISTINCT CASE WHEN visit_voided THEN NULL ELSE patient_uuid END)"


def test_an_average_is_of_what_is_measured_and_not_of_counts() -> None:
    made = assets_of(VITALS)["datasets/analytics/vitals.yaml"]
    names = {metric["metric_name"] for metric in made["metrics"]}
    assert {"average_weight_kg", "average_systolic"} <= names
    assert "average_measured" not in names


def test_charts_stand_where_the_tables_give_them() -> None:
    assert charts(assets_of("  core: [concepts]\n")) == set()
    assert charts(assets_of("  core: [patients]\n")) == {"patients-number", "patients-by-month"}
    assert {"visits-by-month", "visits-by-location"} <= charts(assets_of("  core: [visits]\n"))
    without_patients = charts(assets_of(VITALS))
    assert {"vitals-number", "vitals-by-month", "vitals-completeness"} == without_patients
    assert "vitals-weight_kg-by-age-and-sex" in charts(assets_of("  core: [patients]\n" + VITALS))


def test_a_table_that_says_age_and_sex_needs_no_table_of_patients() -> None:
    context = "      context: [encounter_id, encounter_datetime, patient_gender, patient_age]\n"
    assets = assets_of(VITALS.replace("      columns:\n", context + "      columns:\n"))
    assert "vitals-weight_kg-by-age-and-sex" in charts(assets)
    assert "datasets/analytics/vitals-with-patients.yaml" not in assets


def test_an_own_table_may_take_the_place_of_a_core_table() -> None:
    own = """\
  tables:
    people: {rows: patient, columns: {weight_kg: CIEL:5089}}
    stays: {rows: visit, columns: {weight_kg: CIEL:5089}}
"""
    assert {"patients-by-month", "visits-by-month", "visits-by-location"} <= charts(assets_of(own))
    filtered = own.replace("rows: visit,", 'rows: visit, locations: ["Inpatient Ward"],')
    assert "visits-by-month" not in charts(assets_of(filtered))


def test_the_most_frequent_diagnoses_are_called_so() -> None:
    notes = """\
  tables:
    notes:
      rows: encounter
      columns:
        problem: CIEL:1284
        main_diagnosis: CIEL:1284
        all_of_them: {concept: CIEL:1284, repeat: list}
        code: {concept: CIEL:1284, value: uuid}
"""
    assets = assets_of(notes)
    titles = {assets[f"charts/{name}.yaml"]["slice_name"] for name in charts(assets) if name.endswith("-top")}
    assert titles == {"Top diagnoses (notes)", "Problem: most frequent (notes)"}


def test_a_uuid_is_the_same_at_every_render_and_another_at_every_site() -> None:
    one, same = assets_of("  core: all\n" + VITALS), assets_of("  core: all\n" + VITALS)
    assert one == same
    uuids = [asset["uuid"] for path, asset in one.items() if path != "metadata.yaml"]
    assert len(set(uuids)) == len(uuids)
    other = SITE.replace("clinic-a", "clinic-b") + "  core: all\n" + VITALS
    spec = parse_spec(parse_source(other.encode(), "ozone.yaml"))
    bundle = site_bundle(build_plan(spec, dictionary_of(spec)))
    elsewhere = [yaml.safe_load(file.content) for file in files(bundle, "assets")]
    assert not {asset.get("uuid") for asset in elsewhere} & set(uuids)


def test_a_changed_table_keeps_its_uuid() -> None:
    before = assets_of(VITALS)["datasets/analytics/vitals.yaml"]
    after = assets_of(VITALS.replace("systolic", "pressure"))["datasets/analytics/vitals.yaml"]
    assert before["uuid"] == after["uuid"]
    assert before["columns"] != after["columns"]


def test_a_renamed_table_says_which_dataset_it_had() -> None:
    core = "  core: [patients]\n"
    before = assets_of(core + VITALS)
    renamed = VITALS.replace("    vitals:\n", "    vital_signs:\n      renamed_from: vitals\n")
    assert renamed != VITALS
    after = assets_of(core + renamed)

    def uuid(assets: dict[str, Any], name: str) -> str:
        return str(assets[f"datasets/analytics/{name}.yaml"]["uuid"])

    assert renamed_datasets(site_bundle(plan_of(core + renamed))) == {
        uuid(after, f"vital_signs{ending}"): uuid(before, f"vitals{ending}") for ending in ("", "-with-patients")
    }
    assert renamed_datasets(site_bundle(plan_of(core + VITALS))) == {}


@pytest.mark.parametrize("made", ["site", "central"])
def test_everything_that_is_referred_to_is_there(made: str) -> None:
    core = "  core: all\n"
    assets = assets_of(core + VITALS) if made == "site" else central_assets_of(core + TYPED_VITALS)
    uuids = {asset.get("uuid"): path for path, asset in assets.items()}
    for path, asset in assets.items():
        for key in ("database_uuid", "dataset_uuid"):
            assert asset.get(key, asset.get("uuid")) in uuids, path
        if path.startswith("charts/"):
            data = assets[uuids[asset["dataset_uuid"]]]
            known = {column["column_name"] for column in data["columns"]}
            metrics = {metric["metric_name"] for metric in data["metrics"]}
            (query,) = json.loads(asset["query_context"])["queries"]
            names = [column if isinstance(column, str) else column["sqlExpression"] for column in query["columns"]]
            assert {*names, *(condition["col"] for condition in query["filters"])} <= known, path
            assert set(query["metrics"]) <= metrics, path
    shown = {
        node["meta"]["uuid"]
        for path, board in assets.items()
        if path.startswith("dashboards/")
        for node in board["position"].values()
        if isinstance(node, dict) and node["type"] == "CHART"
    }
    assert shown == {asset["uuid"] for path, asset in assets.items() if path.startswith("charts/")}


def test_what_can_be_empty_is_looked_at_for_completeness() -> None:
    sql = assets_of(VITALS)["datasets/analytics/completeness-of-data.yaml"]["sql"]
    assert "'weight_kg', 'Weight (kg)', t.\"weight_kg\" IS NOT NULL" in sql
    assert "measured" not in sql
    counted = "  tables: {counts: {rows: patient, columns: {measured: {concept: CIEL:5089, repeat: count}}}}\n"
    assert "datasets/analytics/completeness-of-data.yaml" not in assets_of(counted)


def test_no_password_stands_in_the_assets() -> None:
    uri = assets_of("  core: [visits]\n")["databases/analytics.yaml"]["sqlalchemy_uri"]
    assert uri == "postgresql+psycopg2://superset_reader:XXXXXXXXXX@postgresql:5432/analytics"


def test_a_central_dataset_says_the_site_and_asks_in_the_words_of_drill() -> None:
    assets = central_assets_of("  core: [visits]\n" + TYPED_VITALS)
    made = assets["datasets/drill/vitals.yaml"]
    assert [column["column_name"] for column in made["columns"]][:2] == ["location_tag", "exported_on"]
    assert made["schema"] == "s3.root"
    types = {column["column_name"]: column["type"] for column in made["columns"]}
    assert (types["exported_on"], types["encounter_datetime"], types["weight_kg"]) == ("DATE", "TIMESTAMP", "DOUBLE")
    expressions = {metric["metric_name"]: metric["expression"] for metric in made["metrics"]}
    assert expressions["average_weight_kg"] == "AVG(`weight_kg`)"
    assert expressions["share_weight_kg"] == "AVG(CASE WHEN `weight_kg` IS NULL THEN 0.0 ELSE 1.0 END)"
    assert "share_measured" not in expressions
    titles = {assets[f"charts/{name}.yaml"]["slice_name"] for name in charts(assets)}
    assert {"Visits by month and site", "Vitals by site, averages", "Newest export of each site (visits)"} <= titles
    (choice,) = assets["dashboards/sites.yaml"]["metadata"]["native_filter_configuration"][1:]
    assert (choice["name"], choice["targets"][0]["column"]["name"]) == ("Site", "location_tag")


def test_a_central_server_without_tables_has_the_database_alone() -> None:
    assets = central_assets_of("  core: []\n")
    assert set(assets) == {"metadata.yaml", "databases/drill.yaml"}


def test_a_row_of_the_dashboard_is_filled() -> None:
    made = [Chart(str(width), "", "", "", {}, {}, width=width) for width in (6, 6, 6, 4, 4, 12)]
    assert [[chart.width for chart in row] for row in rows(made)] == [[6, 6], [6, 4], [4], [12]]
    assert [sum(widths(row)) for row in rows(made)] == [12, 12, 12, 12]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("weight_kg", "Weight (kg)"),
        ("temperature_c", "Temperature (°C)"),
        ("c", "C"),
        ("visit_notes", "Visit notes"),
        ("diagnosis_icd10", "Diagnosis ICD-10"),
        ("patient_uuid", "Patient uuid"),
    ],
)
def test_names_are_read_as_words(name: str, words: str) -> None:
    assert label(name) == words
