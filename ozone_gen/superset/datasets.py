"""Flattened tables as datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ozone_gen.flattening.declared import CodedValue, ColumnPlan, ColumnType, Grain, Repeat, TablePlan
from ozone_gen.flattening.table import FlattenedTable, SqlType
from ozone_gen.superset.labels import label
from ozone_gen.superset.model import Column, Dataset, Metric


@dataclass(frozen=True)
class Engine:
    """What a dataset's SQL depends on.

    Attributes:
        types: what columns are, as SQLAlchemy reads them back, which is what Superset compares with.
        quote: what stands around names.
    """

    types: Mapping[SqlType, str]
    quote: str

    def quoted(self, name: str) -> str:
        """A column's name in SQL; ozone.yaml's names hold no quotes."""
        return f"{self.quote}{name}{self.quote}"


POSTGRESQL: Final = Engine(
    {
        SqlType.BIGINT: "BIGINT",
        SqlType.INTEGER: "INTEGER",
        SqlType.DOUBLE: "DOUBLE PRECISION",
        SqlType.WHOLE_NUMBER: "NUMERIC(24, 0)",
        SqlType.TEXT: "TEXT",
        SqlType.VARCHAR: "VARCHAR",
        SqlType.BOOLEAN: "BOOLEAN",
        SqlType.TIMESTAMP: "TIMESTAMP WITHOUT TIME ZONE",
        SqlType.DATE: "DATE",
        SqlType.TIME: "TIME WITHOUT TIME ZONE",
    },
    '"',
)
DRILL: Final = Engine(
    {
        **{kind: kind.name for kind in (SqlType.BIGINT, SqlType.INTEGER, SqlType.DOUBLE, SqlType.VARCHAR)},
        **{kind: kind.name for kind in (SqlType.BOOLEAN, SqlType.TIMESTAMP, SqlType.DATE, SqlType.TIME)},
        SqlType.WHOLE_NUMBER: "DECIMAL(24, 0)",
        SqlType.TEXT: "VARCHAR",
    },
    "`",
)

_MOMENTS: Final = frozenset({SqlType.TIMESTAMP, SqlType.DATE})
_NUMBERS: Final = frozenset({ColumnType.NUMERIC, ColumnType.INTEGER})

SEX: Final = "sex"
AGE_GROUP: Final = "age_group"
PATIENT: Final = "patient_uuid"

_AGE_COLUMNS: Final = ("patient_age", "patient_age_at_visit")
_SEX_COLUMNS: Final = ("patient_gender", "gender")
_AGES: Final = ((5, "00-04"), (15, "05-14"), (25, "15-24"), (50, "25-49"), (65, "50-64"))
_ELDEST: Final = "65+"


def dataset(table: FlattenedTable, declared: TablePlan | None = None, engine: Engine = POSTGRESQL) -> Dataset:
    """Make a dataset of a flattened table; `declared` is what a person said about it where it is an own one."""
    columns = [
        Column(column.name, engine.types[column.type], label(column.name), column.description, column.type in _MOMENTS)
        for column in table.columns
    ]
    return Dataset(
        table.name,
        table.description,
        (*columns, *_computed([column.name for column in columns])),
        tuple(_metrics(table, declared, engine)),
        table.time_column,
        former_name=table.renamed_from,
    )


def with_patients(own: Dataset, patients: FlattenedTable, schema: str) -> Dataset:
    """A query that adds to an own table who its patients are: sex, and age when the row happened.

    For tables whose context has neither.
    """
    kept = [column for column in own.columns if not column.expression]
    chosen = ",\n  ".join(f't."{column.name}"' for column in kept)
    moment = f't."{own.time_column}"'
    columns = (
        *kept,
        Column("patient_gender", "VARCHAR", label("patient_gender")),
        Column("patient_birthdate", "DATE", label("patient_birthdate"), is_time=True),
        Column("patient_age", "INTEGER", label("patient_age"), "Whole years at the row's date."),
    )
    sql = (
        f"SELECT\n  {chosen},\n"
        "  p.gender AS patient_gender,\n"
        "  p.birthdate AS patient_birthdate,\n"
        f"  CAST(EXTRACT(YEAR FROM AGE({moment}, p.birthdate)) AS INTEGER) AS patient_age\n"
        f'FROM "{schema}"."{own.name}" t\n'
        f'LEFT JOIN "{schema}"."{patients.name}" p ON p.patient_uuid = t."{PATIENT}"'
    )
    return Dataset(
        _with_patients(own.name),
        f"{own.description} With the patient's sex, and age at that time.",
        (*columns, *_computed([column.name for column in columns])),
        own.metrics,
        own.time_column,
        sql,
        _with_patients(own.former_name) if own.former_name else "",
    )


def _with_patients(name: str) -> str:
    return f"{name}-with-patients"


def may_lack(plan: TablePlan) -> tuple[ColumnPlan, ...]:
    """The columns of an own table that can be empty; a count never is."""
    return tuple(column for column in plan.columns if column.repeat is not Repeat.COUNT)


def completeness(own: Sequence[tuple[TablePlan, Dataset]], schema: str) -> Dataset:
    """A query with one row for each cell of own tables that may lack some, which says whether it has a value."""
    parts = []
    for plan, data in own:
        cells = ",\n    ".join(
            f"('{column.name}', '{label(column.name)}', t.\"{column.name}\" IS NOT NULL)" for column in may_lack(plan)
        )
        moment = f't."{data.time_column}"' if data.time_column else "CAST(NULL AS TIMESTAMP)"
        parts.append(
            f"SELECT '{plan.name}' AS table_name, c.column_name, c.column_label,"
            f" {moment} AS row_time, c.has_value\n"
            f'FROM "{schema}"."{plan.name}" t\n'
            f"CROSS JOIN LATERAL (VALUES\n    {cells}\n  ) AS c (column_name, column_label, has_value)"
        )
    return Dataset(
        COMPLETENESS,
        "One row for each cell of the own tables: whether it has a value.",
        (
            Column("table_name", "TEXT", "Table"),
            Column("column_name", "TEXT", "Column"),
            Column("column_label", "TEXT", "Column in words"),
            Column("row_time", "TIMESTAMP WITHOUT TIME ZONE", "Time of the row", is_time=True),
            Column("has_value", "BOOLEAN", "Has a value"),
        ),
        (
            Metric(SHARE, "Rows with a value", "AVG(CASE WHEN has_value THEN 1.0 ELSE 0.0 END)", ".0%"),
            Metric("cells", "Cells", "COUNT(*)"),
        ),
        "row_time",
        "\nUNION ALL\n".join(parts),
    )


COMPLETENESS: Final = "completeness-of-data"
SHARE: Final = "share_with_value"


def measures(plan: TablePlan) -> tuple[ColumnPlan, ...]:
    """The columns of an own table whose averages mean something."""
    unfit = (Repeat.COUNT, Repeat.LIST)
    return tuple(
        column
        for column in plan.columns
        if column.type in _NUMBERS and column.repeat not in unfit and not column.answers
    )


def categories(plan: TablePlan) -> tuple[ColumnPlan, ...]:
    """The columns of an own table that hold one of a few answers, by its name."""
    return tuple(
        column
        for column in plan.columns
        if column.type in (ColumnType.CODED, ColumnType.DRUG)
        and column.repeat in (Repeat.LAST, Repeat.FIRST)
        and column.value is CodedValue.NAME
        and not column.answers
        and not column.distinct
        and not column.code_source
    )


def voided_column(table: FlattenedTable) -> str:
    """The column that marks voided rows; empty where there are none."""
    names = {column.name for column in table.columns}
    marks = [f"{word}_voided" for word in ("person", "visit", "encounter", "obs")]
    # An order has both: its own mark, and that of its encounter.
    return next((name for name in ("voided", *marks) if name in names), "")


def _metrics(table: FlattenedTable, declared: TablePlan | None, engine: Engine) -> Iterator[Metric]:
    voided = voided_column(table)
    count = f"COUNT(CASE WHEN {voided} THEN NULL ELSE 1 END)" if voided else "COUNT(*)"
    yield Metric(
        "count", label(table.name), count, description="Rows that are not voided." if voided else "Rows."
    )
    names = {column.name for column in table.columns}
    one_a_patient = declared.rows is Grain.PATIENT if declared else table.primary_key == "patient_id"
    if PATIENT in names and not one_a_patient:
        kept = f"CASE WHEN {voided} THEN NULL ELSE {PATIENT} END" if voided else PATIENT
        yield Metric("patients", "Patients", f"COUNT(DISTINCT {kept})", description="Different patients.")
    if voided:
        yield Metric("rows_with_voided", "Rows, voided ones too", "COUNT(*)")
    for column in measures(declared) if declared else ():
        name = engine.quoted(column.name)
        yield Metric(f"average_{column.name}", label(column.name), f"AVG({name})", ",.1f", column.description)


def _computed(names: Sequence[str]) -> Iterator[Column]:
    """Columns of sex in words and of age in groups, where the table says them."""
    sex = next((name for name in _SEX_COLUMNS if name in names), None)
    if sex and SEX not in names:
        unknown = f"CASE WHEN {sex} IN ('U', '') THEN NULL ELSE {sex} END"
        words = f"CASE {sex} WHEN 'F' THEN 'Female' WHEN 'M' THEN 'Male' ELSE COALESCE({unknown}, 'Unknown') END"
        yield Column(SEX, "TEXT", "Sex", expression=words)
    age = next((name for name in _AGE_COLUMNS if name in names), None)
    if age and AGE_GROUP not in names:
        steps = " ".join(f"WHEN {age} < {limit} THEN '{group}'" for limit, group in _AGES)
        groups = f"CASE WHEN {age} IS NULL THEN 'Unknown' {steps} ELSE '{_ELDEST}' END"
        yield Column(AGE_GROUP, "TEXT", "Age group", "Years at the row's date.", expression=groups)
