"""The cells of an own table: observations reduced by row and concept, and answers turned into names.

Facts are aggregated by row first, a key with many values; names and other small tables are joined to what remains.
A join of the facts with a table of a handful of rows would put them all on few subtasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.declared import (
    LIST_SEPARATOR,
    NAMED_TYPES,
    CodedValue,
    ColumnPlan,
    ColumnType,
    Repeat,
    TablePlan,
)
from ozone_gen.flattening.flink import EVENT_TYPES
from ozone_gen.flattening.grains import reach
from ozone_gen.flattening.names import Names
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.openmrs.tables import newest_table

_VALUE_COLUMNS: Final = {
    ColumnType.NUMERIC: "value_numeric",
    ColumnType.INTEGER: "value_numeric",
    ColumnType.TEXT: "value_text",
    ColumnType.DATE: "value_datetime",
    ColumnType.DATETIME: "value_datetime",
    ColumnType.TIME: "value_datetime",
    ColumnType.CODED: "value_coded",
    ColumnType.BOOLEAN: "value_coded",
    ColumnType.DRUG: "value_drug",
    ColumnType.COMPLEX: "value_complex",
}

_CHOSEN: Final = "chosen"


@dataclass(frozen=True)
class Cells:
    """The cells of a table's columns.

    Attributes:
        joins: what the rows are joined with; each has a `row_id`.
        values: for each column, in order, the value for the sink.
    """

    joins: tuple[str, ...]
    values: tuple[str, ...]


def cells(plan: TablePlan, key: str, names: Names, subqueries: Subqueries, possible_rows: str = "") -> Cells:
    """Decide how the cells of a table come about.

    Args:
        plan: what was declared.
        key: the expression of a row's key.
        names: how the references become SQL.
        subqueries: collects what the cells stand on.
        possible_rows: a subquery with the `row_id` of every row: each gets its cells, be they empty. Without it only
            rows with observations have some.
    """
    builder = _Builder(plan, names, subqueries, possible_rows)
    join = "JOIN" if possible_rows else "LEFT JOIN"
    joins = []
    if builder.facts:
        joins.append(f"{join} {builder.fact_cells()} f ON f.row_id = {key}")
    if builder.grouped_facts:
        joins.append(f"{join} {builder.grouped_fact_cells()} g ON g.row_id = {key}")
    if builder.looked_up:
        joins.append(f"{join} {builder.answer_cells()} a ON a.row_id = {key}")
    return Cells(tuple(joins), tuple(builder.value(column) for column in plan.columns))


class _Builder:
    """Builds the subqueries of one table's cells."""

    def __init__(self, plan: TablePlan, names: Names, subqueries: Subqueries, possible_rows: str) -> None:
        self._plan = plan
        self._names = names
        self._subqueries = subqueries
        self._possible_rows = possible_rows
        facts = [column for column in plan.columns if not self._is_looked_up(column)]
        self.facts = [column for column in facts if not column.group]
        self.grouped_facts = [column for column in facts if column.group]
        self.looked_up = [column for column in plan.columns if self._is_looked_up(column)]
        looked = {column.code_source for column in self.looked_up if column.code_source}
        self._code_columns = {source: f"code_{place}" for place, source in enumerate(sorted(looked), 1)}

    def _is_looked_up(self, column: ColumnPlan) -> bool:
        """Say whether a cell needs another table; what is counted, and known truths and answers, need none."""
        if column.repeat is Repeat.COUNT:
            return False
        if column.answers:
            return not self._names.literal
        if column.type is ColumnType.BOOLEAN:
            return self._names.truth is None
        return column.type in NAMED_TYPES

    # --- observations

    def _observations(self, columns: Sequence[ColumnPlan]) -> str:
        """Add the not voided observations of concepts, each with its row and what names its concept.

        It mentions its table, so that no two tables share it: MIN and MAX are aggregated above (see sql.least).
        """
        return self._subqueries.add("observation", self._observation_query(columns, "", [], []))

    def _grouped_observations(self, columns: Sequence[ColumnPlan]) -> str:
        """Add the same for observations in a not voided group, with what names the group's concept."""
        groups = sorted({column.group for column in columns})
        join, group = self._names.naming("x", "g.concept_id")
        joins = [f"JOIN {self._subqueries.table('obs')} g ON g.obs_id = o.obs_group_id", *([join] if join else [])]
        predicates = [sql.is_false("g.voided"), self._names.named(group, groups)]
        query = self._observation_query(columns, f"{group} AS of_group, ", joins, predicates)
        return self._subqueries.add("grouped_observation", query)

    def _observation_query(
        self, columns: Sequence[ColumnPlan], selected: str, joins: Sequence[str], predicates: Sequence[str]
    ) -> str:
        concepts = sorted({concept for column in columns for concept in column.concepts})
        values = _values(columns)
        row, reaching, in_reach = reach(self._plan.rows, self._plan.filters, self._names, self._subqueries)
        join, question = self._names.naming("w", "o.concept_id")
        # An observation without any value that is read makes no cell: here it is left out of every state.
        valued = " OR ".join(f"o.{value} IS NOT NULL" for value in values)
        kept = [sql.is_false("o.voided"), f"({valued})", self._names.named(question, concepts), *in_reach, *predicates]
        joined = [*([join] if join else []), *reaching, *joins]
        if joined:
            joined[0] += f" AND {sql.is_false('o.voided', self._plan.name)}"
        source = [f"FROM {self._subqueries.table('obs')} o", *joined]
        return (
            f"SELECT {row} AS row_id, {question} AS question, {selected}\n"
            f"  {sql.order_key('o.obs_datetime', 'o.obs_id')} AS order_key,\n"
            f"  {', '.join(f'o.{value}' for value in values)}\n"
            + "\n".join(source)
            + "\nWHERE "
            + "\n  AND ".join(kept)
        )

    def _streams(self, columns: Sequence[ColumnPlan]) -> list[tuple[str, list[ColumnPlan]]]:
        """The observations that columns read, with the columns that read them: those of a group apart."""
        plain = [column for column in columns if not column.group]
        grouped = [column for column in columns if column.group]
        found = []
        # Facts and answers read the same observations: one subquery holds what both want.
        if plain:
            found.append((self._observations(self._every(grouped=False)), plain))
        if grouped:
            found.append((self._grouped_observations(self._every(grouped=True)), grouped))
        return found

    def _every(self, *, grouped: bool) -> list[ColumnPlan]:
        """The table's columns that read observations of a group, or those that read the others."""
        return [column for column in self._plan.columns if bool(column.group) == grouped]

    # --- cells of values that stand in the observation itself

    def fact_cells(self) -> str:
        """Add `row_id` and a cell for each fact that is not of a group."""
        ((observation, columns),) = self._streams(self.facts)
        everywhere = self._with_every_row(observation, grouped=False)
        return self._subqueries.add("fact_cells", self._aggregated(everywhere, columns))

    def grouped_fact_cells(self) -> str:
        """Add the same for those of a group."""
        ((observation, columns),) = self._streams(self.grouped_facts)
        everywhere = self._with_every_row(observation, grouped=True)
        return self._subqueries.add("grouped_fact_cells", self._aggregated(everywhere, columns))

    def _with_every_row(self, observation: str, *, grouped: bool) -> str:
        """Add to the observations an empty one of each row, where every row is to have its cells."""
        if not self._possible_rows:
            return observation
        empty = {"question": self._names.none}
        if grouped:
            empty["of_group"] = self._names.none
        empty["order_key"] = "''"
        values = _values(self._every(grouped=grouped))
        empty |= {value: _null(EVENT_TYPES[newest_table("obs").column(value).kind]) for value in values}
        return self._subqueries.add(
            f"{observation}_or_row",
            f"SELECT row_id, {', '.join(empty)} FROM {observation}\nUNION ALL\n{self._empty(empty)}",
        )

    def _empty(self, columns: Mapping[str, str]) -> str:
        """The empty observation or answer of each row."""
        named = ", ".join(f"{value} AS {name}" for name, value in columns.items())
        return f"SELECT row_id, {named} FROM {self._possible_rows}"

    def _aggregated(self, observation: str, columns: Sequence[ColumnPlan]) -> str:
        made = [
            f"{self._fact_cell(column, concept)} AS {sql.identifier(_cell_name(column, place))}"
            for column in columns
            for place, concept in enumerate(column.concepts)
        ]
        return "SELECT row_id,\n  " + ",\n  ".join(made) + f"\nFROM {observation}\nGROUP BY row_id"

    def _of(self, column: ColumnPlan, concepts: Sequence[str]) -> str:
        """Say that an observation is one that a column reads."""
        question = self._names.named("question", concepts)
        return f"{question} AND {self._names.named('of_group', [column.group])}" if column.group else question

    def _fact_cell(self, column: ColumnPlan, concept: str) -> str:
        value = _VALUE_COLUMNS[column.type]
        has_value = f"{value} IS NOT NULL"
        truth = self._names.truth
        if column.type is ColumnType.BOOLEAN and truth and column.repeat is not Repeat.COUNT:
            has_value = f"{value} IN ({truth[0]}, {truth[1]})"
        wanted = f"FILTER (WHERE {self._of(column, [concept])} AND {has_value})"
        if column.answers and column.repeat is not Repeat.COUNT:
            chosen = self._names.named("value_coded", column.answers)
            return f"MAX(CASE WHEN {chosen} THEN 1 ELSE 0 END) {wanted}"
        match column.repeat:
            case Repeat.LAST:
                return f"MAX(CONCAT(order_key, {self._text(column)})) {wanted}"
            case Repeat.FIRST:
                return f"MIN(CONCAT(order_key, {self._text(column)})) {wanted}"
            case Repeat.LIST:
                return f"ARRAY_AGG({sql.list_element('order_key', self._text(column))}) {wanted}"
            case Repeat.SUM if column.type is ColumnType.NUMERIC:
                # A sum of doubles would depend on the order in which observations came and went.
                return f"SUM(CAST({self._typed(column)} AS DECIMAL(38, 10))) {wanted}"
            case Repeat.COUNT:
                return f"COUNT({value}) {wanted}"
            case Repeat.MIN | Repeat.MAX | Repeat.SUM:
                return f"{column.repeat.upper()}({self._typed(column)}) {wanted}"

    def _typed(self, column: ColumnPlan) -> str:
        """The observation's value before it is reduced, of a type that can be compared."""
        match column.type:
            case ColumnType.INTEGER:
                return "CAST(ROUND(value_numeric, 0) AS BIGINT)"
            case ColumnType.DATE:
                return sql.day_of_moment("value_datetime")
            case ColumnType.TIME:
                return sql.time_of_moment("value_datetime")
            case ColumnType.BOOLEAN if self._names.truth:
                return f"CASE WHEN value_coded = {self._names.truth[0]} THEN 1 ELSE 0 END"
            case _:
                return _VALUE_COLUMNS[column.type]

    def _text(self, column: ColumnPlan) -> str:
        """The same as a text that `_read_back` or a reader of a list can read back exactly."""
        match column.type:
            case ColumnType.TEXT | ColumnType.COMPLEX:
                return _VALUE_COLUMNS[column.type]
            case ColumnType.NUMERIC if column.repeat is Repeat.LIST:
                return sql.plain_number("value_numeric")
            case ColumnType.DATETIME if column.repeat is Repeat.LIST:
                return f"DATE_FORMAT({sql.wall_clock('value_datetime')}, 'yyyy-MM-dd HH:mm:ss')"
            case ColumnType.TIME if column.repeat is Repeat.LIST:
                return f"DATE_FORMAT({sql.wall_clock('value_datetime')}, 'HH:mm:ss')"
            case _:
                return f"CAST({self._typed(column)} AS STRING)"

    # --- cells of answers, which are joined with names only after they were picked

    def answer_cells(self) -> str:
        """Add `row_id` and a cell for each column that needs the answer's name, code, truth or the like."""
        answer = self._answers()
        made = []
        for column in self.looked_up:
            for place, concept in enumerate(column.concepts):
                name = _cell_name(column, place)
                made.append(f"{self._answer_cell(column, concept)} AS {sql.identifier(name)}")
                if len(column.concepts) > 1:
                    counted = f"COUNT(answer) FILTER (WHERE {self._picked(column, [concept])})"
                    made.append(f"{counted} AS {sql.identifier(_count_name(column, place))}")
        query = "SELECT row_id,\n  " + ",\n  ".join(made) + f"\nFROM {answer}\nGROUP BY row_id"
        return self._subqueries.add("answer_cells", query)

    def _answers(self) -> str:
        """Add the picked answers with what is known of each."""
        subqueries, columns = self._subqueries, self.looked_up
        text = _null("STRING")
        selected = ["p.row_id", "p.question", "p.of_group", "p.channel", "p.order_key", "p.answer"]
        empty = {"question": self._names.none, "of_group": self._names.none, "channel": "''", "order_key": "''"}
        empty["answer"] = _null("INT")
        joins = [f"FROM {self._picked_answers()} p"]
        if any(column.type is ColumnType.BOOLEAN for column in columns):
            selected.append("b.truth")
            empty["truth"] = _null("BOOLEAN")
            joins.append(f"LEFT JOIN {_truth(subqueries)} b ON b.concept_id = p.answer")
        coded = [column for column in columns if column.type is ColumnType.CODED and not column.answers]
        if any(column.value is CodedValue.NAME and not column.code_source for column in coded):
            selected.append("l.name")
            empty["name"] = text
            joins.append(f"LEFT JOIN {subqueries.concept_label()} l ON l.concept_id = p.answer")
        if any(column.value is CodedValue.UUID and not column.code_source for column in coded):
            selected.append("c.uuid")
            empty["uuid"] = text
            joins.append(f"LEFT JOIN {subqueries.table('concept')} c ON c.concept_id = p.answer")
        for place, (source, name) in enumerate(self._code_columns.items(), 1):
            selected.append(f"k{place}.code AS {name}")
            empty[name] = text
            joins.append(
                f"LEFT JOIN {_concept_code(subqueries)} k{place}"
                f" ON k{place}.concept_id = p.answer AND k{place}.source = {sql.literal(source)}"
            )
        if any(column.type is ColumnType.DRUG for column in columns):
            selected += ["d.name AS drug_name", "d.uuid AS drug_uuid"]
            empty |= {"drug_name": text, "drug_uuid": text}
            joins.append(f"LEFT JOIN {subqueries.table('drug')} d ON d.drug_id = p.answer")
        if any(column.answers for column in columns):
            join, reference = self._names.naming("w", "p.answer")
            selected.append(f"{reference} AS {_CHOSEN}")
            empty[_CHOSEN] = text
            # An answer that several references name makes several rows, which only the cells that ask for it see.
            joins.append(f"LEFT {join} AND p.channel LIKE '{_CHOSEN}%'")
        answers = f"SELECT {', '.join(selected)}\n" + "\n".join(joins)
        if self._possible_rows:
            answers += f"\nUNION ALL\n{self._empty(empty)}"
        return subqueries.add("answer", answers)

    def _picked_answers(self) -> str:
        ways: dict[str, tuple[str, list[ColumnPlan]]] = {}
        for observation, columns in self._streams(self.looked_up):
            for column in columns:
                ways.setdefault(_channel(column), (observation, []))[1].append(column)
        queries = [self._pick(channel, observation, columns) for channel, (observation, columns) in ways.items()]
        return self._subqueries.add("picked_answer", "\nUNION ALL\n".join(queries))

    def _pick(self, channel: str, observation: str, columns: Sequence[ColumnPlan]) -> str:
        """The answers of one channel, reduced as far as can be without their names."""
        column = columns[0]
        value = _VALUE_COLUMNS[column.type]
        wanted = self._names.named("question", {concept for each in columns for concept in each.concepts})
        of_group = "of_group" if column.group else f"{self._names.none} AS of_group"
        source = f"FROM {observation}"
        if column.type is ColumnType.BOOLEAN:
            # An answer that is neither true nor false is no value, so it must not be the one that is picked.
            source += f" JOIN {_truth(self._subqueries)} y ON y.concept_id = {value}"
        kept = f"{source}\nWHERE {value} IS NOT NULL AND {wanted}"
        head = f"SELECT row_id, question, {of_group}, {sql.literal(channel)} AS channel"
        if column.repeat not in (Repeat.LAST, Repeat.FIRST) or column.answers:
            return f"{head}, order_key, {value} AS answer\n{kept}"
        function = "MAX" if column.repeat is Repeat.LAST else "MIN"
        reduced = sql.after(f"{function}(CONCAT(order_key, CAST({value} AS STRING)))", sql.ORDER_WIDTH)
        keys = "row_id, question, of_group" if column.group else "row_id, question"
        return f"{head}, '' AS order_key, CAST({reduced} AS INT) AS answer\n{kept}\nGROUP BY {keys}"

    def _picked(self, column: ColumnPlan, concepts: Sequence[str]) -> str:
        """Say that a picked answer is one of a column."""
        return f"{self._of(column, concepts)} AND channel = {sql.literal(_channel(column))}"

    def _answer_cell(self, column: ColumnPlan, concept: str) -> str:
        wanted = self._picked(column, [concept])
        if column.answers:
            chosen = self._names.named(_CHOSEN, column.answers)
            return f"MAX(CASE WHEN {chosen} THEN 1 ELSE 0 END) FILTER (WHERE {wanted})"
        if column.type is ColumnType.BOOLEAN:
            # MAX and MIN are not defined on booleans; of one picked answer either is the answer itself.
            function = "MIN" if column.repeat is Repeat.MIN else "MAX"
            number = "CASE WHEN truth THEN 1 ELSE 0 END"
            return f"{function}({number}) FILTER (WHERE {wanted} AND truth IS NOT NULL)"
        text = self._answer_text(column)
        if column.repeat is Repeat.LIST:
            element = text if column.distinct else sql.list_element("order_key", text)
            return f"ARRAY_AGG({element}) FILTER (WHERE {wanted} AND {text} IS NOT NULL)"
        return f"MAX({text}) FILTER (WHERE {wanted})"

    def _answer_text(self, column: ColumnPlan) -> str:
        if column.code_source:
            return self._code_columns[column.code_source]
        prefix = "drug_" if column.type is ColumnType.DRUG else ""
        return f"{prefix}{column.value.value}"

    # --- values for the sink

    def value(self, column: ColumnPlan) -> str:
        """The sink's value of a column: that of its first concept that has one."""
        looked_up = column in self.looked_up
        alias = "a" if looked_up else "g" if column.group else "f"
        made = [f"{alias}.{sql.identifier(_cell_name(column, place))}" for place in range(len(column.concepts))]
        if column.repeat is Repeat.COUNT:
            zero = "CAST(0 AS BIGINT)"
            if len(made) == 1:
                return f"COALESCE({made[0]}, {zero})"
            return f"COALESCE({', '.join(f'NULLIF({cell}, {zero})' for cell in made)}, {zero})"
        if len(made) == 1:
            cell = made[0]
        elif looked_up and column.type in NAMED_TYPES and not column.answers:
            # An answer without a name or a code is an answer all the same.
            ways = [
                f"WHEN {alias}.{sql.identifier(_count_name(column, place))} > 0 THEN {cell}"
                for place, cell in enumerate(made)
            ]
            cell = f"CASE {' '.join(ways)} END"
        else:
            cell = f"COALESCE({', '.join(made)})"
        return self._read_back(column, cell, looked_up)

    def _read_back(self, column: ColumnPlan, cell: str, looked_up: bool) -> str:
        picked = column.repeat in (Repeat.LAST, Repeat.FIRST) and not looked_up and not column.answers
        value = sql.after(cell, sql.ORDER_WIDTH) if picked else cell
        if column.repeat is Repeat.LIST:
            if column.distinct:
                return sql.joined(f"ARRAY_DISTINCT({cell})", LIST_SEPARATOR)
            return sql.ordered_list(cell, sql.ORDER_WIDTH, LIST_SEPARATOR)
        if column.answers:
            return f"{cell} = 1"
        match column.type:
            case ColumnType.BOOLEAN:
                return f"{value} = '1'" if picked else f"{value} = 1"
            case ColumnType.NUMERIC:
                return f"CAST({value} AS DOUBLE)"
            case ColumnType.INTEGER:
                return f"CAST({value} AS BIGINT)"
            case ColumnType.DATE:
                return f"CAST({value} AS DATE)"
            case ColumnType.DATETIME:
                return sql.wall_clock(f"CAST({value} AS BIGINT)")
            case ColumnType.TIME:
                return f"CAST({sql.wall_clock(f'CAST({value} AS BIGINT)')} AS TIME(0))"
            case _:
                return value


def _values(columns: Sequence[ColumnPlan]) -> list[str]:
    """The columns of an observation that hold what these columns read, sorted.

    What is named in a query is decoded from every event (columns_read), so there are no more than needed.
    """
    values = {_VALUE_COLUMNS[column.type] for column in columns}
    if any(column.answers for column in columns):
        values.add("value_coded")
    return sorted(values)


def _null(sql_type: str) -> str:
    return f"CAST(NULL AS {sql_type})"


def _cell_name(column: ColumnPlan, place: int) -> str:
    """The name of the cell of a column's concept; capital letters cannot be in a column's own name."""
    if place == 0:
        return f"{column.name} CELL" if column.name == "row_id" else column.name
    return f"{column.name} OR {place}"


def _count_name(column: ColumnPlan, place: int) -> str:
    return f"{column.name} COUNT {place}"


def _channel(column: ColumnPlan) -> str:
    """Name the way in which a column's answers are picked; columns of one way share what is picked."""
    if column.answers:
        pick = _CHOSEN
    elif column.repeat in (Repeat.LAST, Repeat.FIRST):
        pick = column.repeat.value
    else:
        pick = "all"
    kind = column.type.value  # answers, drugs, and truths
    return f"{pick} {kind} of a group" if column.group else f"{pick} {kind}"


def _truth(subqueries: Subqueries) -> str:
    """Add `concept_id, truth`: the concepts that the source's global properties declare as true and as false.

    The property holds the concept's id, or its uuid (openmrs-core, ConceptService.getTrueConcept).
    """
    references = subqueries.concept_reference()
    return subqueries.add(
        "truth",
        f"""SELECT r.concept_id, ARRAY_CONTAINS(ARRAY_AGG(g.property), 'concept.true') AS truth
FROM {subqueries.table("global_property")} g
JOIN {references} r ON r.reference = g.property_value
WHERE g.property IN ('concept.true', 'concept.false')
GROUP BY r.concept_id""",
    )


def _concept_code(subqueries: Subqueries) -> str:
    """Add `concept_id, source, code`: one code of each concept in each source, SAME-AS first, then the least."""
    ranked = "CONCAT(CASE WHEN same_as THEN '0' ELSE '1' END, code)"
    return subqueries.add(
        "concept_code",
        f"""SELECT concept_id, source, {sql.after(sql.least(ranked), 1)} AS code
FROM {subqueries.mapping()}
GROUP BY concept_id, source""",
    )
