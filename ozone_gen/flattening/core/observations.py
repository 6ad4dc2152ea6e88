"""The core table of observations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ozone_gen.flattening.core.columns import big, double, finish, moment, text, true, varchar
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable


def observations(subqueries: Subqueries) -> FlattenedTable:
    """One row for each observation, with its question's and answer's names."""
    sitting, coding = _sitting(subqueries), _coding(subqueries)
    columns = [
        big("obs_id", "o.obs_id"),
        true("obs_voided", "o.voided"),
        varchar("location", "s.location"),
        moment("obs_date_time", "o.obs_datetime"),
        varchar("question_label", "c.question_label", "The concept's name in the site's locales."),
        varchar("question_mapping", "c.question_mapping", "The first SOURCE:CODE of the concept, SAME-AS ones first."),
        varchar("answer_coded", "c.answer_label", "The answer's name in the site's locales."),
        moment("answer_datetime", "o.value_datetime"),
        big("answer_drug", "o.value_drug", "Id of the drug."),
        double("answer_numeric", "o.value_numeric"),
        text("answer_text", "o.value_text"),
        varchar("answer_complex", "o.value_complex"),
        varchar("answer_modifier", "o.value_modifier"),
        varchar("comments", "o.comments"),
        moment("date_created", "o.date_created"),
        varchar("accession_number", "o.accession_number"),
        varchar("encounter_type", "s.encounter_type"),
        varchar("form_namespace_and_path", "o.form_namespace_and_path"),
        varchar("visit_type", "s.visit_type"),
        moment("visit_date_started", "s.visit_date_started"),
        moment("visit_date_stopped", "s.visit_date_stopped"),
        varchar("obs_void_reason", "o.void_reason"),
        big("previous_version_obs_id", "o.previous_version"),
        big("parent_obs_id", "o.obs_group_id"),
        varchar("answer_coded_uuid", "c.answer_uuid"),
        varchar("creator_uuid", "s.creator_uuid", "Of the person who is the creating user."),
        varchar("encounter_uuid", "s.encounter_uuid"),
        varchar("visit_uuid", "s.visit_uuid"),
        varchar("location_uuid", "s.location_uuid"),
        varchar("obs_uuid", "o.uuid"),
        varchar("obs_group_uuid", "s.group_uuid"),
        varchar("obs_group_concept_uuid", "s.group_concept_uuid"),
        varchar("patient_uuid", "s.patient_uuid"),
        varchar("question_uuid", "c.question_uuid"),
    ]
    # Each join keeps every one of these wide rows: so there are two of them, whose other sides know all the rest.
    body = f"""FROM {subqueries.table("obs")} o
JOIN {coding} c ON {_same("c", _CODING)}
JOIN {sitting} s ON {_same("s", _SITTING)}"""
    return finish(
        "observations",
        "One row for each observation; voided ones are marked by obs_voided.",
        columns,
        "obs_id",
        "obs_date_time",
        subqueries,
        body,
    )


_SITTING: Final = ("person_id", "creator", "encounter_id", "location_id", "obs_group_id")
_CODING: Final = ("concept_id", "value_coded")


def _sitting(subqueries: Subqueries) -> str:
    """Add what observations of one encounter and group have in common: who, where, when and by whom."""
    return subqueries.add(
        "sitting",
        f"""SELECT {", ".join(f"s.{column}" for column in _SITTING)},
  p.uuid AS patient_uuid, u.uuid AS creator_uuid, l.name AS location, l.uuid AS location_uuid,
  e.uuid AS encounter_uuid, e.encounter_type,
  e.visit_uuid, e.visit_type, e.visit_date_started, e.visit_date_stopped,
  g.uuid AS group_uuid, c.uuid AS group_concept_uuid
FROM {_distinct(subqueries, "every_sitting", _SITTING)} s
JOIN {subqueries.table("person")} p ON p.person_id = s.person_id
JOIN {subqueries.user_uuid()} u ON u.user_id = s.creator
LEFT JOIN {subqueries.table("obs")} g ON g.obs_id = s.obs_group_id
LEFT JOIN {subqueries.table("concept")} c ON c.concept_id = g.concept_id
LEFT JOIN {subqueries.encounter_context()} e ON e.encounter_id = s.encounter_id
LEFT JOIN {subqueries.table("location")} l ON l.location_id = s.location_id""",
    )


def _coding(subqueries: Subqueries) -> str:
    """Add each question with one of its coded answers, or with none, and what they are called."""
    concept = subqueries.described_concept()
    return subqueries.add(
        "coding",
        f"""SELECT {", ".join(f"c.{column}" for column in _CODING)},
  q.label AS question_label, q.mapping AS question_mapping, q.uuid AS question_uuid,
  w.label AS answer_label, w.uuid AS answer_uuid
FROM {_distinct(subqueries, "every_coding", _CODING)} c
JOIN {concept} q ON q.concept_id = c.concept_id
LEFT JOIN {concept} w ON w.concept_id = c.value_coded""",
    )


def _distinct(subqueries: Subqueries, name: str, columns: Sequence[str]) -> str:
    """Add the combinations of columns that observations have: far fewer than observations."""
    listed = ", ".join(columns)
    return subqueries.add(name, f"SELECT {listed}\nFROM {subqueries.table('obs')}\nGROUP BY {listed}")


def _same(alias: str, columns: Sequence[str]) -> str:
    """Say that an observation (alias o) has a combination, of which parts may be NULL."""
    return " AND ".join(f"{alias}.{column} IS NOT DISTINCT FROM o.{column}" for column in columns)
