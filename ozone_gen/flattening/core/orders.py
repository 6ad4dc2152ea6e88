"""The core table of orders."""

from __future__ import annotations

from ozone_gen.flattening.core.columns import big, double, finish, moment, true, varchar
from ozone_gen.flattening.subqueries import Subqueries
from ozone_gen.flattening.table import FlattenedTable


def _ordered_drugs(subqueries: Subqueries) -> str:
    """Add what an order says of a drug, by `order_id`: names first joined to these few and narrow rows."""
    concept = subqueries.named_concept()
    frequency = subqueries.add(
        "frequency",
        f"""SELECT f.order_frequency_id, c.uuid, c.label
FROM {subqueries.table("order_frequency")} f
JOIN {concept} c ON c.concept_id = f.concept_id""",
    )
    return subqueries.add(
        "ordered_drug",
        f"""SELECT d.order_id, d.dose, d.quantity, d.duration, g.name AS drug, g.uuid AS drug_uuid,
  u.label AS dose_unit, u.uuid AS dose_unit_uuid, f.label AS frequency, f.uuid AS frequency_uuid,
  r.label AS route, r.uuid AS route_uuid, q.label AS quantity_unit, q.uuid AS quantity_unit_uuid,
  t.label AS duration_unit, t.uuid AS duration_unit_uuid
FROM {subqueries.table("drug_order")} d
LEFT JOIN {subqueries.table("drug")} g ON g.drug_id = d.drug_inventory_id
LEFT JOIN {frequency} f ON f.order_frequency_id = d.frequency
LEFT JOIN {concept} u ON u.concept_id = d.dose_units
LEFT JOIN {concept} r ON r.concept_id = d.route
LEFT JOIN {concept} q ON q.concept_id = d.quantity_units
LEFT JOIN {concept} t ON t.concept_id = d.duration_units""",
    )


def orders(subqueries: Subqueries) -> FlattenedTable:
    """One row for each order, with the drug of a drug order."""
    drug = _ordered_drugs(subqueries)
    concept = subqueries.named_concept()
    columns = [
        big("order_id", "o.order_id"),
        varchar("patient_uuid", "p.uuid"),
        varchar("order_type_name", "y.name"),
        varchar("order_type_uuid", "y.uuid"),
        varchar("order_type_java_class_name", "y.java_class_name"),
        varchar("order_name", "n.label", "Name of the ordered concept in the site's locales."),
        varchar("concept_uuid", "n.uuid"),
        big("orderer", "o.orderer", "Id of the provider."),
        varchar("encounter_uuid", "e.uuid"),
        moment("encounter_datetime", "e.encounter_datetime"),
        varchar("encounter_type_name", "t.name"),
        varchar("encounter_type_uuid", "t.uuid"),
        varchar("care_setting_name", "s.name"),
        varchar("care_setting_type", "s.care_setting_type"),
        varchar("care_setting_uuid", "s.uuid"),
        varchar("instructions", "o.instructions"),
        moment("date_activated", "o.date_activated"),
        moment("auto_expire_date", "o.auto_expire_date"),
        moment("date_stopped", "o.date_stopped"),
        varchar("order_reason", "r.label", "Name of the concept that is the reason, in the site's locales."),
        varchar("order_reason_uuid", "r.uuid", "Of the concept that is the reason."),
        varchar("order_reason_non_coded", "o.order_reason_non_coded"),
        moment("date_created", "o.date_created"),
        varchar("creator_uuid", "u.uuid", "Of the person who is the creating user."),
        big("voided_by", "o.voided_by", "Id of the user."),
        moment("date_voided", "o.date_voided"),
        varchar("void_reason", "o.void_reason"),
        varchar("accession_number", "o.accession_number"),
        varchar("uuid", "o.uuid"),
        varchar("order_number", "o.order_number"),
        big("previous_order_id", "o.previous_order_id"),
        varchar("order_action", "o.order_action", "NEW, REVISE, DISCONTINUE or RENEW."),
        varchar("comment_to_fulfiller", "o.comment_to_fulfiller"),
        moment("scheduled_date", "o.scheduled_date"),
        big("order_group_id", "o.order_group_id"),
        double("sort_weight", "o.sort_weight", "Place in the order group."),
        true("encounter_voided", "e.voided"),
        true("voided", "o.voided"),
        true("order_type_retired", "y.retired"),
        true("encounter_type_retired", "t.retired"),
        true("care_setting_retired", "s.retired"),
        varchar("drug_name", "d.drug", "Of the site's list of drugs; empty where the drug was written in words."),
        double("dose", "d.dose"),
        varchar("dose_unit_name", "d.dose_unit", "In the site's locales."),
        varchar("frequency", "d.frequency", "In the site's locales."),
        varchar("route_name", "d.route", "In the site's locales."),
        double("quantity", "d.quantity", "How much is to be dispensed."),
        varchar("quantity_unit_name", "d.quantity_unit", "In the site's locales."),
        big("duration", "d.duration"),
        varchar("duration_unit_name", "d.duration_unit", "In the site's locales."),
        varchar("drug_uuid", "d.drug_uuid"),
        varchar("dose_unit_uuid", "d.dose_unit_uuid"),
        varchar("quantity_unit_uuid", "d.quantity_unit_uuid"),
        varchar("route_uuid", "d.route_uuid"),
        varchar("duration_unit_uuid", "d.duration_unit_uuid"),
        varchar("frequency_uuid", "d.frequency_uuid", "Of the concept that is the frequency."),
    ]
    # OpenMRS has no foreign key on the ordered concept: the concept may be missing.
    body = f"""FROM {subqueries.table("orders")} o
JOIN {subqueries.table("encounter")} e ON e.encounter_id = o.encounter_id
LEFT JOIN {drug} d ON d.order_id = o.order_id
JOIN {subqueries.table("person")} p ON p.person_id = o.patient_id
JOIN {subqueries.user_uuid()} u ON u.user_id = o.creator
JOIN {subqueries.table("encounter_type")} t ON t.encounter_type_id = e.encounter_type
JOIN {subqueries.table("order_type")} y ON y.order_type_id = o.order_type_id
JOIN {subqueries.table("care_setting")} s ON s.care_setting_id = o.care_setting
LEFT JOIN {concept} n ON n.concept_id = o.concept_id
LEFT JOIN {concept} r ON r.concept_id = o.order_reason"""
    return finish(
        "orders",
        "One row for each order of a drug, a test or the like; voided ones are marked by voided.",
        columns,
        "order_id",
        "date_activated",
        subqueries,
        body,
    )
