"""The core tables of the dictionary: concepts, and their mappings."""

from __future__ import annotations

from ozone_gen.flattening import expressions as sql
from ozone_gen.flattening.core.columns import big, finish, text, true, varchar
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable, SinkColumn, SqlType


def _weighted(subqueries: Subqueries, name: str, link: str, key: str, owner: str, linked: str) -> str:
    """Add `owner, uuids` of linked concepts in the order of their weights, unweighted ones last."""
    # 13 digits for any weight up to 10^9, to a thousandth.
    number = "CAST(CAST(x.sort_weight * 1000 + 1000000000000 AS BIGINT) AS STRING)"
    weight = f"CASE WHEN x.sort_weight IS NULL THEN '9999999999999' ELSE {number} END"
    element = sql.list_element(f"{weight}, {sql.id_key(f'x.{key}')}", "c.uuid")
    return subqueries.add(
        name,
        f"""SELECT x.{owner} AS owner_id, {sql.ordered_list(f"ARRAY_AGG({element})", 13 + 11, ", ")} AS uuids
FROM {subqueries.table(link)} x
JOIN {subqueries.table("concept")} c ON c.concept_id = x.{linked}
GROUP BY x.{owner}""",
    )


def concepts(subqueries: Subqueries) -> FlattenedTable:
    """One row for each concept: its best name, mappings, answers and set members."""
    label = subqueries.concept_label()
    codes = subqueries.add(
        "mapping_list",
        f"""SELECT concept_id, {sql.joined("ARRAY_AGG(CONCAT(source, ': ', code))", ", ")} AS codes
FROM {subqueries.mapping()}
GROUP BY concept_id""",
    )
    answers = _weighted(
        subqueries, "answer_list", "concept_answer", "concept_answer_id", "concept_id", "answer_concept"
    )
    members = _weighted(
        subqueries, "member_list", "concept_set", "concept_set_id", "concept_set", "concept_id"
    )
    columns = [
        big("concept_id", "c.concept_id"),
        text("concept_mappings_source_codes", "m.codes", "All mappings as 'SOURCE: CODE', sorted."),
        text("name", "l.name", "In the site's locales: the preferred name, else the fully specified."),
        text("locale", "l.locale", "Of that name."),
        SinkColumn("locale_preferred", SqlType.BOOLEAN, "l.locale_preferred"),
        true("retired", "c.retired"),
        varchar("uuid", "c.uuid"),
        text("answer_concepts_uuids", "a.uuids", "Uuids of the possible answers, in their order."),
        text("member_concepts_uuids", "s.uuids", "Uuids of the set's members, in their order."),
    ]
    body = f"""FROM {subqueries.table("concept")} c
LEFT JOIN {label} l ON l.concept_id = c.concept_id
LEFT JOIN {codes} m ON m.concept_id = c.concept_id
LEFT JOIN {answers} a ON a.owner_id = c.concept_id
LEFT JOIN {members} s ON s.owner_id = c.concept_id"""
    return finish(
        "concepts",
        "One row for each concept of the dictionary.",
        columns,
        "concept_id",
        "",
        subqueries,
        body,
    )


def concept_mappings(subqueries: Subqueries) -> FlattenedTable:
    """One row for each mapping of a concept to a term of another dictionary."""
    columns = [
        big("concept_map_id", "m.concept_map_id"),
        big("concept_id", "m.concept_id"),
        varchar("concept_uuid", "c.uuid"),
        text("concept_name", "c.label", "In the site's locales: the preferred name, else the fully specified."),
        varchar("source", "m.source", "Name of the other dictionary, such as CIEL or ICD-10-WHO."),
        varchar("code", "m.code", "The term's code in that dictionary."),
        text("term_name", "m.term_name", "What that dictionary calls the term, where it was recorded."),
        varchar("map_type", "m.map_type", "How the two compare, such as SAME-AS or NARROWER-THAN."),
        true("term_retired", "m.term_retired"),
    ]
    body = f"""FROM {subqueries.mapping()} m
JOIN {subqueries.named_concept()} c ON c.concept_id = m.concept_id"""
    return finish(
        "concept_mappings",
        "One row for each mapping of a concept to a code of another dictionary.",
        columns,
        "concept_map_id",
        "",
        subqueries,
        body,
    )
