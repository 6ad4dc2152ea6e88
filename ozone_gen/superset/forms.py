"""The kinds of charts, each as its settings and its query.

Superset keeps both: its editor and dashboards read the settings, its API the query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ozone_gen.superset.model import Chart, Dataset

_MONTH: Final = "P1M"
_ALL_TIME: Final = "No filter"
_MOST_ROWS: Final = 10_000
_COLORS: Final = "supersetColors"

Filter = tuple[str, str, object]
"""A column, Superset's operator, and what it is compared with."""


def number(name: str, title: str, data: Dataset, metric: str, *, width: int) -> Chart:
    """One large number."""
    filters = _time_filter(data)
    form = {
        "metric": metric,
        "subheader": "",
        "header_font_size": 0.4,
        "subheader_font_size": 0.15,
        "y_axis_format": ",d",
    }
    return _chart(name, title, data, "big_number_total", form, [metric], [], filters, width=width, height=22)


def by_month(
    name: str, title: str, data: Dataset, metric: str, series: str = "", *, width: int = 6, height: int = 50
) -> Chart:
    """Stacked bars, one for each month."""
    time = data.time_column
    filters = [*_time_filter(data), (time, "IS NOT NULL", None)]
    form = {
        **_axes(time, [metric], series),
        "time_grain_sqla": _MONTH,
        "stack": "Stack",
        "x_axis_time_format": "%b %Y",
        "y_axis_format": ",d",
        "show_legend": bool(series),
        "showTooltipTotal": bool(series),
    }
    axis = {**_base_axis(time), "timeGrain": _MONTH}
    columns = [axis, series] if series else [axis]
    kind = "echarts_timeseries_bar"
    return _chart(name, title, data, kind, form, [metric], columns, filters, width=width, height=height)


def ranking(
    name: str,
    title: str,
    data: Dataset,
    metric: str,
    category: str,
    *,
    series: str = "",
    filters: Sequence[Filter] = (),
    most: int = 10,
    number_format: str = ",d",
    bounds: tuple[float | None, float | None] = (0, None),
    width: int = 6,
    height: int = 50,
) -> Chart:
    """Horizontal bars, the longest one on top; `series` are their parts."""
    chosen = [*_time_filter(data), (category, "IS NOT NULL", None), *filters]
    form = {
        **_axes(category, [metric], series),
        **({"stack": "Stack"} if series else {}),
        "orientation": "horizontal",
        # Bars are drawn from the bottom up. One of several parts is as long as their sum.
        "x_axis_sort": "sum" if series else metric,
        "x_axis_sort_asc": True,
        "show_value": not series,
        "show_legend": bool(series),
        "y_axis_format": number_format,
        "truncateYAxis": bounds[1] is not None,
        "y_axis_bounds": list(bounds),
        "row_limit": most,
    }
    columns = [_base_axis(category), series] if series else [_base_axis(category)]
    kind = "echarts_timeseries_bar"
    return _chart(name, title, data, kind, form, [metric], columns, chosen, width=width, height=height, most=most)


def by_group(
    name: str, title: str, data: Dataset, metric: str, group: str, series: str, *, number_format: str, width: int = 6
) -> Chart:
    """A line for each series over groups that have an order, such as those of age."""
    filters = _time_filter(data)
    form = {
        **_axes(group, [metric], series),
        "x_axis_sort": group,
        "x_axis_sort_asc": True,
        "markerEnabled": True,
        "markerSize": 6,
        "y_axis_format": number_format,
        # The differences are what matters; from 0 on, body temperature would be a straight line.
        "truncateYAxis": True,
        "y_axis_bounds": [None, None],
        "show_legend": True,
    }
    columns = [_base_axis(group), series]
    kind = "echarts_timeseries_line"
    return _chart(name, title, data, kind, form, [metric], columns, filters, width=width, height=42)


def table_by_groups(
    name: str,
    title: str,
    data: Dataset,
    metrics: Sequence[str],
    groups: Sequence[str],
    *,
    number_format: str = ",.1f",
    width: int = 12,
) -> Chart:
    """A table of numbers: a row for each combination of groups, the metrics side by side."""
    filters = _time_filter(data)
    form = {
        "groupbyRows": list(groups),
        "groupbyColumns": [],
        "metrics": list(metrics),
        "metricsLayout": "COLUMNS",
        "aggregateFunction": "Average",
        "combineMetric": True,
        "rowOrder": "key_a_to_z",
        "colOrder": "key_a_to_z",
        "valueFormat": number_format,
        "date_format": "smart_date",
        "row_limit": _MOST_ROWS,
        "order_desc": True,
    }
    return _chart(name, title, data, "pivot_table_v2", form, metrics, groups, filters, width=width, height=72)


def table_of_rows(
    name: str, title: str, data: Dataset, groups: Sequence[str], metrics: Sequence[str], *, width: int
) -> Chart:
    """A plain table, one row for each combination of groups."""
    filters = _time_filter(data)
    form = {
        "query_mode": "aggregate",
        "groupby": list(groups),
        "metrics": list(metrics),
        "all_columns": [],
        "percent_metrics": [],
        "order_by_cols": [],
        "row_limit": _MOST_ROWS,
        "server_page_length": 10,
        "order_desc": True,
        "table_timestamp_format": "%Y-%m-%d",
        "show_cell_bars": False,
    }
    return _chart(name, title, data, "table", form, metrics, groups, filters, width=width)


def _axes(axis: str, metrics: Sequence[str], series: str = "") -> dict[str, Any]:
    return {
        "x_axis": axis,
        "metrics": list(metrics),
        "groupby": [series] if series else [],
        "order_desc": True,
        "row_limit": _MOST_ROWS,
        "truncate_metric": True,
        "show_empty_columns": True,
        "legendType": "scroll",
        "legendOrientation": "top",
        "legendMargin": None,
        "rich_tooltip": True,
        "color_scheme": _COLORS,
        "x_axis_title": "",
        "x_axis_title_margin": 15,
        "y_axis_title": "",
        "y_axis_title_margin": 15,
        "y_axis_title_position": "Left",
    }


def _base_axis(column: str) -> dict[str, Any]:
    return {"columnType": "BASE_AXIS", "expressionType": "SQL", "sqlExpression": column, "label": column}


def _time_filter(data: Dataset) -> list[Filter]:
    """What the dashboard's choice of a period takes the place of."""
    return [(data.time_column, "TEMPORAL_RANGE", _ALL_TIME)] if data.time_column else []


def _chart(
    name: str,
    title: str,
    data: Dataset,
    kind: str,
    form: Mapping[str, Any],
    metrics: Sequence[str],
    columns: Sequence[object],
    filters: Sequence[Filter],
    *,
    width: int,
    height: int = 50,
    most: int = _MOST_ROWS,
) -> Chart:
    settings = {"viz_type": kind, **form, "adhoc_filters": [_adhoc(each) for each in filters], "extra_form_data": {}}
    query = {
        "filters": [_clause(each) for each in filters],
        "extras": {"having": "", "where": ""},
        "columns": list(columns),
        "metrics": list(metrics),
        "orderby": [[metrics[0], False]] if columns else [],
        "row_limit": most,
        "order_desc": True,
    }
    return Chart(name, title, data.name, kind, settings, query, width=width, height=height)


def _adhoc(condition: Filter) -> dict[str, Any]:
    column, operator, value = condition
    found = {"clause": "WHERE", "expressionType": "SIMPLE", "subject": column, "operator": operator}
    return found if value is None else {**found, "comparator": value}


def _clause(condition: Filter) -> dict[str, Any]:
    column, operator, value = condition
    return {"col": column, "op": operator, **({} if value is None else {"val": value})}
