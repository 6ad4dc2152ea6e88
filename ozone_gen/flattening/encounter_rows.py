"""Own tables with `rows: encounter`: one row for each not voided encounter, one column for each declared concept.

Facts are aggregated by encounter first, a key with many values; names and other small tables are joined to the
few rows that remain. A join of the facts with a table of a handful of rows would put them all on few subtasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.declared import (
    LIST_SEPARATOR,
    CodedValue,
    ColumnPlan,
    ColumnType,
    Repeat,
    TablePlan,
)
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable, SinkColumn, SqlType

_ANSWERED: Final = frozenset({ColumnType.CODED, ColumnType.BOOLEAN})

CONTEXT: Final = (
    ("site", SqlType.VARCHAR, "Id of the site."),
    ("encounter_id", SqlType.BIGINT, ""),
    ("encounter_uuid", SqlType.VARCHAR, ""),
    ("encounter_datetime", SqlType.TIMESTAMP, ""),
    ("encounter_type", SqlType.VARCHAR, ""),
    ("form_name", SqlType.VARCHAR, ""),
    ("location", SqlType.VARCHAR, ""),
    ("location_uuid", SqlType.VARCHAR, ""),
    ("visit_id", SqlType.BIGINT, "Empty where the encounter has no visit, or a voided one."),
    ("visit_uuid", SqlType.VARCHAR, ""),
    ("visit_type", SqlType.VARCHAR, ""),
    ("patient_id", SqlType.BIGINT, ""),
    ("patient_uuid", SqlType.VARCHAR, ""),
)
"""The columns that every row has by itself: name, type, description."""


def _of_visit(expression: str) -> str:
    """A voided visit counts as absent."""
    return f"CASE WHEN {sql.is_false('e.visit_voided')} THEN {expression} END"


_CONTEXT_EXPRESSIONS: Final = {
    "encounter_id": "CAST(e.encounter_id AS BIGINT)",
    "encounter_uuid": "e.uuid",
    "encounter_datetime": sql.wall_clock("e.encounter_datetime"),
    "encounter_type": "e.encounter_type",
    "form_name": "e.form_name",
    "location": "e.location",
    "location_uuid": "e.location_uuid",
    "visit_id": _of_visit("CAST(e.visit_id AS BIGINT)"),
    "visit_uuid": _of_visit("e.visit_uuid"),
    "visit_type": _of_visit("e.visit_type"),
    "patient_id": "CAST(e.patient_id AS BIGINT)",
    "patient_uuid": "e.patient_uuid",
}


def encounter_rows(plan: TablePlan, subqueries: Subqueries) -> FlattenedTable:
    """Decide the query of an own table whose rows are encounters."""
    context = subqueries.encounter_context()
    columns = [
        SinkColumn(name, kind, _CONTEXT_EXPRESSIONS.get(name) or sql.literal(plan.site), description)
        for name, kind, description in CONTEXT
    ]
    joins = [f"FROM {context} e"]
    facts = [column for column in plan.columns if not _by_answer(column)]
    answers = [column for column in plan.columns if _by_answer(column)]
    if plan.columns:
        observation = _observations(plan, subqueries)
        if facts:
            fact_cells = subqueries.add("fact_cells", _fact_cells(facts, observation))
            joins.append(f"LEFT JOIN {fact_cells} f ON f.encounter_id = e.encounter_id")
        if answers:
            answer_cells = subqueries.add("answer_cells", _answer_cells(answers, observation, subqueries))
            joins.append(f"LEFT JOIN {answer_cells} a ON a.encounter_id = e.encounter_id")
    for column in plan.columns:
        alias = "a" if _by_answer(column) else "f"
        columns.append(
            SinkColumn(column.name, column.sql_type, _cell_value(column, alias), _describe(column))
        )
    return FlattenedTable(
        plan.name,
        plan.description or f"One row for each encounter{_of_types(plan)}.",
        tuple(columns),
        "encounter_id",
        "encounter_datetime",
        subqueries.named,
        "\n".join([*joins, _wanted(plan)]),
        subqueries.reads,
    )


def _wanted(plan: TablePlan) -> str:
    """Keep the not voided encounters of not voided patients, of the wanted types."""
    types = sql.literals(plan.encounter_types)
    present = f"WHERE {sql.is_false('e.voided')} AND {sql.is_false('e.patient_voided')}"
    if not plan.encounter_types:
        return present
    return f"{present}\n  AND (e.encounter_type IN {types} OR e.encounter_type_uuid IN {types})"


def _of_types(plan: TablePlan) -> str:
    return f" of type {', '.join(plan.encounter_types)}" if plan.encounter_types else ""


def _describe(column: ColumnPlan) -> str:
    if column.description:
        return column.description
    reduced = "" if column.repeat is Repeat.LAST else f", {column.repeat} of several"
    return f"Concept {column.concept}{reduced}."


def _by_answer(column: ColumnPlan) -> bool:
    """Say whether a cell needs the answer's concept joined; a count of coded answers does not."""
    return column.type in _ANSWERED and column.repeat is not Repeat.COUNT


def _observations(plan: TablePlan, subqueries: Subqueries) -> str:
    """Add the not voided observations of the mapped concepts, each with the reference that asks for it.

    It names its table, so that no two tables share it: MIN and MAX are aggregated right above (see sql.least).
    """
    references = sorted({column.concept for column in plan.columns})
    mapped = [reference for reference in references if ":" in reference]
    uuids = [reference for reference in references if ":" not in reference]
    # A concept of several mappings to one code, or a code of several concepts, must not multiply cells.
    ways = []
    if uuids:
        ways.append(
            f"SELECT uuid AS reference, concept_id FROM {subqueries.table('concept')}"
            f" WHERE uuid IN {sql.literals(uuids)}"
        )
    if mapped:
        ways.append(
            f"SELECT CONCAT(source, ':', code) AS reference, concept_id FROM {subqueries.mapping()}"
            f" WHERE same_as AND CONCAT(source, ':', code) IN {sql.literals(mapped)}"
        )
    union = "\n  UNION ALL\n  ".join(ways)
    wanted = subqueries.add(
        "wanted_concept",
        f"""SELECT reference, {sql.least("concept_id")} AS concept_id
FROM (
  {union}
)
GROUP BY reference""",
    )
    return subqueries.add(
        "observation",
        f"""SELECT {sql.literal(plan.name)} AS own_table, o.encounter_id, w.reference,
  {sql.order_key("o.obs_datetime", "o.obs_id")} AS order_key,
  o.value_coded, o.value_numeric, o.value_text, o.value_datetime
FROM {subqueries.table("obs")} o
JOIN {wanted} w ON w.concept_id = o.concept_id
WHERE {sql.is_false("o.voided")} AND o.encounter_id IS NOT NULL""",
    )


# --- cells of values that stand in the observation itself


_VALUE_COLUMNS: Final = {
    ColumnType.NUMERIC: "value_numeric",
    ColumnType.INTEGER: "value_numeric",
    ColumnType.TEXT: "value_text",
    ColumnType.DATE: "value_datetime",
    ColumnType.DATETIME: "value_datetime",
    ColumnType.CODED: "value_coded",
    ColumnType.BOOLEAN: "value_coded",
}


def _typed_value(column: ColumnPlan) -> str:
    """The observation's value, of the column's type, before it is reduced."""
    match column.type:
        case ColumnType.INTEGER:
            return "CAST(ROUND(value_numeric, 0) AS BIGINT)"
        case ColumnType.DATE:
            return f"CAST({sql.wall_clock('value_datetime')} AS DATE)"
        case _:
            return _VALUE_COLUMNS[column.type]


def _text_value(column: ColumnPlan) -> str:
    """The same as a text that `_cell_value` or a reader of a list can read back exactly."""
    match column.type:
        case ColumnType.TEXT:
            return "value_text"
        case ColumnType.NUMERIC if column.repeat is Repeat.LIST:
            return "REGEXP_REPLACE(CAST(value_numeric AS STRING), '\\.0$', '')"
        case ColumnType.DATETIME if column.repeat is Repeat.LIST:
            return f"DATE_FORMAT({sql.wall_clock('value_datetime')}, 'yyyy-MM-dd HH:mm:ss')"
        case _:
            return f"CAST({_typed_value(column)} AS STRING)"


def _fact_cells(columns: Sequence[ColumnPlan], observation: str) -> str:
    cells = ",\n  ".join(f"{_fact_cell(column)} AS {sql.identifier(column.name)}" for column in columns)
    return f"SELECT encounter_id,\n  {cells}\nFROM {observation}\nGROUP BY encounter_id"


def _fact_cell(column: ColumnPlan) -> str:
    value = _VALUE_COLUMNS[column.type]
    wanted = f"FILTER (WHERE reference = {sql.literal(column.concept)} AND {value} IS NOT NULL)"
    match column.repeat:
        case Repeat.LAST:
            return f"MAX(CONCAT(order_key, {_text_value(column)})) {wanted}"
        case Repeat.FIRST:
            return f"MIN(CONCAT(order_key, {_text_value(column)})) {wanted}"
        case Repeat.LIST:
            return f"ARRAY_AGG({sql.list_element('order_key', _text_value(column))}) {wanted}"
        case Repeat.SUM if column.type is ColumnType.NUMERIC:
            # A sum of doubles would depend on the order in which observations came and went.
            return f"SUM(CAST({_typed_value(column)} AS DECIMAL(38, 10))) {wanted}"
        case Repeat.COUNT:
            return f"COUNT({_typed_value(column)}) {wanted}"
        case Repeat.MIN | Repeat.MAX | Repeat.SUM:
            return f"{column.repeat.upper()}({_typed_value(column)}) {wanted}"


def _cell_value(column: ColumnPlan, alias: str) -> str:
    """The sink's value of a cell of `fact_cells` (alias f) or `answer_cells` (alias a)."""
    cell = f"{alias}.{sql.identifier(column.name)}"
    if column.repeat is Repeat.COUNT:
        return f"COALESCE({cell}, CAST(0 AS BIGINT))"
    if column.repeat is Repeat.LIST:
        return sql.ordered_list(cell, sql.ORDER_WIDTH, LIST_SEPARATOR)
    if alias == "a":
        return cell
    picked = column.repeat in (Repeat.LAST, Repeat.FIRST)
    value = sql.after(cell, sql.ORDER_WIDTH) if picked else cell
    match column.type:
        case ColumnType.NUMERIC:
            return f"CAST({value} AS DOUBLE)"
        case ColumnType.INTEGER:
            return f"CAST({value} AS BIGINT)"
        case ColumnType.DATE:
            return f"CAST({value} AS DATE)"
        case ColumnType.DATETIME:
            return sql.wall_clock(f"CAST({value} AS BIGINT)")
        case _:
            return value


# --- cells of coded answers, which are joined with names only after they were picked


def _answer_cells(columns: Sequence[ColumnPlan], observation: str, subqueries: Subqueries) -> str:
    picked = subqueries.add("picked_answer", _picked_answers(columns, observation))
    selected = ["p.encounter_id", "p.reference", "p.pick", "p.order_key"]
    joins = [f"FROM {picked} p"]
    if any(column.type is ColumnType.BOOLEAN for column in columns):
        selected.append("b.truth")
        joins.append(f"LEFT JOIN {_truth(subqueries)} b ON b.concept_id = p.answer")
    if any(column.type is ColumnType.CODED and column.value is CodedValue.NAME for column in columns):
        selected.append("l.name")
        joins.append(f"LEFT JOIN {subqueries.concept_label()} l ON l.concept_id = p.answer")
    if any(column.type is ColumnType.CODED and column.value is CodedValue.UUID for column in columns):
        selected.append("c.uuid")
        joins.append(f"LEFT JOIN {subqueries.table('concept')} c ON c.concept_id = p.answer")
    answer = subqueries.add("answer", f"SELECT {', '.join(selected)}\n" + "\n".join(joins))
    cells = ",\n  ".join(f"{_answer_cell(column)} AS {sql.identifier(column.name)}" for column in columns)
    return f"SELECT encounter_id,\n  {cells}\nFROM {answer}\nGROUP BY encounter_id"


def _pick(column: ColumnPlan) -> str:
    """How observations are reduced before names are joined: any that cannot be reduced earlier stay `all`."""
    return column.repeat if column.repeat in (Repeat.LAST, Repeat.FIRST) else "all"


def _picked_answers(columns: Sequence[ColumnPlan], observation: str) -> str:
    ways = []
    for pick, function in ((Repeat.LAST, "MAX"), (Repeat.FIRST, "MIN")):
        wanted = sorted({column.concept for column in columns if _pick(column) == pick})
        if wanted:
            reduced = sql.after(f"{function}(CONCAT(order_key, CAST(value_coded AS STRING)))", sql.ORDER_WIDTH)
            ways.append(
                f"SELECT encounter_id, reference, '{pick}' AS pick, '' AS order_key, CAST({reduced} AS INT) AS answer\n"
                f"FROM {observation}\n"
                f"WHERE value_coded IS NOT NULL AND reference IN {sql.literals(wanted)}\n"
                "GROUP BY encounter_id, reference"
            )
    everything = sorted({column.concept for column in columns if _pick(column) == "all"})
    if everything:
        ways.append(
            f"SELECT encounter_id, reference, 'all' AS pick, order_key, value_coded AS answer\n"
            f"FROM {observation}\n"
            f"WHERE value_coded IS NOT NULL AND reference IN {sql.literals(everything)}"
        )
    return "\nUNION ALL\n".join(ways)


def _answer_cell(column: ColumnPlan) -> str:
    wanted = f"reference = {sql.literal(column.concept)} AND pick = '{_pick(column)}'"
    if column.type is ColumnType.BOOLEAN:
        # MAX and MIN are not defined on booleans; of one picked answer either is the answer itself.
        function = "MIN" if column.repeat is Repeat.MIN else "MAX"
        number = "CASE WHEN truth THEN 1 ELSE 0 END"
        return f"{function}({number}) FILTER (WHERE {wanted} AND truth IS NOT NULL) = 1"
    answer = "name" if column.value is CodedValue.NAME else "uuid"
    if column.repeat is Repeat.LIST:
        return f"ARRAY_AGG({sql.list_element('order_key', answer)}) FILTER (WHERE {wanted} AND {answer} IS NOT NULL)"
    return f"MAX({answer}) FILTER (WHERE {wanted})"


def _truth(subqueries: Subqueries) -> str:
    """Add `concept_id, truth`: the concepts that the source's global properties declare as true and as false.

    The property holds the concept's id, or its uuid (openmrs-core, ConceptService.getTrueConcept).
    """
    references = subqueries.concept_reference()
    return subqueries.add(
        "truth",
        f"""SELECT r.concept_id, MAX(CASE WHEN g.property = 'concept.true' THEN 1 ELSE 0 END) = 1 AS truth
FROM {subqueries.table("global_property")} g
JOIN {references} r ON r.reference = g.property_value
WHERE g.property IN ('concept.true', 'concept.false')
GROUP BY r.concept_id""",
    )
