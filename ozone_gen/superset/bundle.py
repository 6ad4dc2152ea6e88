"""The assets as files of Superset's import format, version 1.0.0."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ozone_gen.render.emit import yaml_bytes
from ozone_gen.render.tree import File
from ozone_gen.superset.model import Bundle, Chart, Dashboard, Database, Dataset, identity

_VERSION: Final = "1.0.0"
# The format wants a moment; ours says only that there is none, so that equal input gives equal bytes.
_TIMESTAMP: Final = "2000-01-01T00:00:00+00:00"
_WIDTH: Final = 12


def files(bundle: Bundle, folder: str) -> tuple[File, ...]:
    """Everything below `folder`, which zipped is what Superset's import takes."""
    made = {"metadata.yaml": {"version": _VERSION, "type": "assets", "timestamp": _TIMESTAMP}}
    for database, datasets in bundle.datasets.items():
        made[f"databases/{database.name}.yaml"] = _database(bundle.site, database)
        for dataset in datasets:
            made[f"datasets/{database.name}/{dataset.name}.yaml"] = _dataset(bundle.site, database, dataset)
    owner = {dataset.name: database for database, datasets in bundle.datasets.items() for dataset in datasets}
    for dashboard in bundle.dashboards:
        for section in dashboard.sections:
            for chart in section.charts:
                made[f"charts/{chart.name}.yaml"] = _chart(bundle.site, owner[chart.dataset], chart)
        made[f"dashboards/{dashboard.name}.yaml"] = _dashboard(bundle.site, owner, dashboard)
    return tuple(File(f"{folder}/{path}", yaml_bytes(data)) for path, data in made.items())


def dataset_identity(site: str, database: Database, name: str) -> str:
    """The uuid of a dataset; one of another schema takes the place of the former."""
    return identity(site, "dataset", f"{database.name}/{name}")


def renamed_datasets(bundle: Bundle) -> dict[str, str]:
    """The former uuid of each dataset that had another name, by the present one."""
    return {
        dataset_identity(bundle.site, database, dataset.name): dataset_identity(
            bundle.site, database, dataset.former_name
        )
        for database, datasets in bundle.datasets.items()
        for dataset in datasets
        if dataset.former_name
    }


def _database(site: str, database: Database) -> dict[str, Any]:
    return {
        "database_name": database.label,
        "sqlalchemy_uri": database.uri,
        "cache_timeout": None,
        "expose_in_sqllab": True,
        "allow_run_async": True,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_file_upload": False,
        "extra": {"allows_virtual_table_explore": True, "cost_estimate_enabled": False},
        "uuid": identity(site, "database", database.name),
        "version": _VERSION,
    }


def _dataset(site: str, database: Database, dataset: Dataset) -> dict[str, Any]:
    return {
        "table_name": dataset.name,
        "main_dttm_col": dataset.time_column or None,
        "description": dataset.description,
        "offset": 0,
        "cache_timeout": None,
        "schema": database.schema,
        "sql": dataset.sql or None,
        "filter_select_enabled": True,
        "normalize_columns": False,
        "always_filter_main_dttm": False,
        "metrics": [
            {
                "metric_name": metric.name,
                "verbose_name": metric.label,
                "expression": metric.expression,
                "description": metric.description or None,
                "d3format": metric.format,
            }
            for metric in dataset.metrics
        ],
        "columns": [
            {
                "column_name": column.name,
                "verbose_name": column.label,
                "type": column.type,
                "is_dttm": column.is_time,
                "is_active": True,
                "groupby": True,
                "filterable": True,
                "expression": column.expression or None,
                "description": column.description or None,
            }
            for column in dataset.columns
        ],
        "uuid": dataset_identity(site, database, dataset.name),
        "database_uuid": identity(site, "database", database.name),
        "version": _VERSION,
    }


def _chart(site: str, database: Database, chart: Chart) -> dict[str, Any]:
    context = {
        # Superset puts the dataset's id in.
        "datasource": {"id": 0, "type": "table"},
        "force": False,
        "queries": [chart.query],
        "form_data": chart.form,
        "result_format": "json",
        "result_type": "full",
    }
    return {
        "slice_name": chart.title,
        "description": chart.description or None,
        "viz_type": chart.kind,
        "params": chart.form,
        "query_context": json.dumps(context, ensure_ascii=False),
        "cache_timeout": None,
        "uuid": identity(site, "chart", chart.name),
        "dataset_uuid": dataset_identity(site, database, chart.dataset),
        "version": _VERSION,
    }


def _dashboard(site: str, owner: Mapping[str, Database], dashboard: Dashboard) -> dict[str, Any]:
    filters: list[dict[str, Any]] = [_filter("period", "Period", "filter_time", {}, {})]
    for name, column, title in dashboard.filters:
        target = {
            "datasetUuid": dataset_identity(site, owner[name], name),
            "column": {"name": column},
        }
        controls = {"multiSelect": True, "enableEmptyFilter": False, "searchAllOptions": False, "sortAscending": True}
        filters.append(_filter(column, title, "filter_select", target, controls))
    return {
        "dashboard_title": dashboard.title,
        "description": None,
        "css": "",
        "slug": dashboard.name,
        "published": True,
        "uuid": identity(site, "dashboard", dashboard.name),
        "position": dict(_layout(site, dashboard)),
        "metadata": {
            "color_scheme": "supersetColors",
            "cross_filters_enabled": True,
            "refresh_frequency": 300,
            "timed_refresh_immune_slices": [],
            "expanded_slices": {},
            "label_colors": {},
            "native_filter_configuration": filters,
        },
        "version": _VERSION,
    }


def _filter(
    name: str, title: str, kind: str, target: Mapping[str, Any], controls: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "id": f"NATIVE_FILTER-{name}",
        "name": title,
        "type": "NATIVE_FILTER",
        "filterType": kind,
        "targets": [target],
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "controlValues": controls,
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
        "description": "",
    }


def _layout(site: str, dashboard: Dashboard) -> Iterator[tuple[str, Any]]:
    """Where everything stands: a heading for each section, and below it rows of charts."""
    grid: list[str] = []
    above = ["ROOT_ID", "GRID_ID"]
    yield "DASHBOARD_VERSION_KEY", "v2"
    yield "ROOT_ID", {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]}
    yield "HEADER_ID", {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": dashboard.title}}
    number = 0
    for place, section in enumerate(dashboard.sections):
        heading = f"HEADER-{place}"
        grid.append(heading)
        yield (
            heading,
            {
                "type": "HEADER",
                "id": heading,
                "children": [],
                "parents": above,
                "meta": {"text": section.title, "headerSize": "MEDIUM_HEADER", "background": "BACKGROUND_TRANSPARENT"},
            },
        )
        for line, charts in enumerate(rows(section.charts)):
            row = f"ROW-{place}-{line}"
            grid.append(row)
            children = []
            # A row's charts share its width and have one height.
            height = max(chart.height for chart in charts)
            for chart, width in zip(charts, widths(charts), strict=True):
                number += 1
                key = f"CHART-{chart.name}"
                children.append(key)
                meta = {
                    "chartId": number,
                    "uuid": identity(site, "chart", chart.name),
                    "sliceName": chart.title,
                    "width": width,
                    "height": height,
                }
                yield key, {"type": "CHART", "id": key, "children": [], "parents": [*above, row], "meta": meta}
            meta_row = {"background": "BACKGROUND_TRANSPARENT"}
            yield row, {"type": "ROW", "id": row, "children": children, "parents": above, "meta": meta_row}
    yield "GRID_ID", {"type": "GRID", "id": "GRID_ID", "children": grid, "parents": ["ROOT_ID"]}


def rows(charts: Sequence[Chart]) -> Iterator[list[Chart]]:
    """Charts beside each other as long as they fit."""
    row: list[Chart] = []
    for chart in charts:
        if row and sum(each.width for each in row) + chart.width > _WIDTH:
            yield row
            row = []
        row.append(chart)
    if row:
        yield row


def widths(charts: Sequence[Chart]) -> list[int]:
    """Each chart's share of a row, which they fill together."""
    spare = _WIDTH - sum(chart.width for chart in charts)
    share, left = divmod(spare, len(charts))
    return [chart.width + share + (place < left) for place, chart in enumerate(charts)]
