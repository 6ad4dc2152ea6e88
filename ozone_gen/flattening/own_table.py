"""The query of an own table: the rows of its grain, with one column for each declared concept."""

from __future__ import annotations

from collections.abc import Iterator

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.cells import cells
from ozone_gen.flattening.declared import ColumnPlan, Repeat, TablePlan
from ozone_gen.flattening.grains import GRAINS, rows
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
    context = {column.name: column for column in grain.context}
    columns = [
        SinkColumn(each.name, each.type, each.expression or sql.literal(plan.site), each.description)
        for each in (context[name] for name in plan.context)
    ]
    found = cells(plan, grain.key_expression, names, subqueries)
    columns += (
        SinkColumn(
            column.name, column.sql_type, value, column.description or describe(column), column.renamed_from
        )
        for column, value in zip(plan.columns, found.values, strict=True)
    )
    from_rows, predicates = rows(plan.rows, plan.filters, names, subqueries)
    body = [*from_rows, *found.joins, "WHERE " + "\n  AND ".join(predicates)]
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
    )


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
