"""The query of an own table: the rows of its grain, with one column for each declared concept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.cells import cells
from ozone_gen.flattening.declared import ColumnPlan, Repeat, TablePlan
from ozone_gen.flattening.grains import GRAINS, ContextColumn, GrainRows, possible_rows, rows
from ozone_gen.flattening.names import LiteralNames, Names, StreamedNames
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable, SinkColumn
from ozone_gen.openmrs.dictionary import Dictionary


def own_table(plan: TablePlan, subqueries: Subqueries, locked: Dictionary | None = None) -> FlattenedTable:
    """Decide the query of an own table.

    Args:
        plan: what was declared.
        subqueries: collects what the query stands on.
        locked: a dictionary that has everything the table refers to; its ids become literals. Without one the
            query looks references up while rows flow.
    """
    grain = GRAINS[plan.rows]
    names: Names = LiteralNames(locked) if locked else StreamedNames(subqueries, concepts_of(plan))
    known = {column.name: column for column in grain.context}
    context = [known[name] for name in plan.context]
    possible = possible_rows(plan.rows, plan.filters, names, subqueries) if plan.columns else ""
    found = cells(plan, "r.row_id" if possible else grain.key_expression, names, subqueries, possible)
    from_rows, predicates = rows(plan.rows, plan.filters, names, subqueries)
    where = "WHERE " + "\n  AND ".join(predicates)
    if possible:
        body = [f"FROM {_ranked(context, grain, [*from_rows, where], subqueries)} r", *found.joins]
    else:
        body = [*from_rows, *found.joins, where]
    columns = [
        SinkColumn(each.name, each.type, _of_row(each, grain, bool(possible), plan.site), each.description)
        for each in context
    ]
    columns += (
        SinkColumn(
            column.name, column.sql_type, value, column.description or describe(column), column.renamed_from
        )
        for column, value in zip(plan.columns, found.values, strict=True)
    )
    return FlattenedTable(
        plan.name,
        plan.description or _describe_table(plan),
        tuple(columns),
        grain.key,
        grain.time_column if grain.time_column in plan.context else "",
        subqueries.named,
        "\n".join(body),
        subqueries.reads,
        plan.renamed_from,
        ranked=bool(possible),
    )


def _ranked(context: Sequence[ContextColumn], grain: GrainRows, query: Sequence[str], subqueries: Subqueries) -> str:
    """Add each row once, by its key.

    There is one of each anyhow. But ROW_NUMBER is told what was there before, as the joins below it have to be, and
    tells what there is now: so a change of a cell is one row for the sink, which never sees the row gone meanwhile.
    """
    made = [f"{grain.key_expression} AS row_id"]
    made += (
        f"{column.expression} AS {sql.identifier(column.name)}"
        for column in context
        if column.expression and column.name != grain.key
    )
    every = subqueries.add("every_row", "SELECT " + ",\n  ".join(made) + "\n" + "\n".join(query))
    return subqueries.add(
        "ranked_row",
        f"""SELECT *
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY row_id ORDER BY row_id) AS place FROM {every})
WHERE place = 1""",
    )


def _of_row(column: ContextColumn, grain: GrainRows, ranked: bool, site: str) -> str:
    """The expression of a context column in the select list."""
    if not column.expression:
        return sql.literal(site)
    if not ranked:
        return column.expression
    return "CAST(r.row_id AS BIGINT)" if column.name == grain.key else f"r.{sql.identifier(column.name)}"


def concepts_of(plan: TablePlan) -> Iterator[str]:
    """Every concept that a table refers to, as it is referred to."""
    if plan.filters.group:
        yield plan.filters.group
    yield from plan.filters.concepts
    for column in plan.columns:
        yield from column.concepts
        yield from column.answers
        if column.group:
            yield column.group


def describe(column: ColumnPlan, concept_name: str = "", units: str = "") -> str:
    """Say what a column holds, for its comment in the sink.

    Args:
        column: the column.
        concept_name, units: of its first concept, where a dictionary is at hand.
    """
    first, *others = column.concepts
    words = f"{concept_name} ({first})" if concept_name else f"Concept {first}"
    if others:
        words += f", else {', else '.join(others)}"
    if column.answers:
        words += f", whether it was answered by {' or '.join(column.answers)}"
    if column.group:
        words += f", in a group {column.group}"
    if column.code_source:
        words += f", as a code of {column.code_source}"
    if column.distinct:
        words += ", each answer once"
    elif column.repeat is not Repeat.LAST:
        words += f", {column.repeat} of several"
    return f"{words}. In {units}." if units and column.repeat is not Repeat.COUNT else f"{words}."


def _describe_table(plan: TablePlan) -> str:
    filters = plan.filters
    words = f"One row for each {GRAINS[plan.rows].what}"
    if filters.group:
        words += f" {filters.group}"
    if filters.concepts:
        words += f" of {', '.join(filters.concepts)}"
    for what, references in (
        ("type", filters.encounter_types),
        ("visit type", filters.visit_types),
        ("form", filters.forms),
        ("location", filters.locations),
    ):
        if references:
            words += f", {what} {' or '.join(references)}"
    return f"{words}, from {filters.since} on." if filters.since else f"{words}."
