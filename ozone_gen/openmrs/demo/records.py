"""Writing what happens to a patient: visits, encounters, observations, orders and the like, as rows."""

from __future__ import annotations

from typing import Final

from ozone_gen.openmrs.demo.calendar import stamp
from ozone_gen.openmrs.demo.people import Patient, uuid_end
from ozone_gen.openmrs.demo.sql import VOIDABLE, Buffer, Buffers

FINAL: Final = "NULL,'FINAL',NULL,NULL,NULL"
"""What an observation says after its value, unless it replaces another or answers an order."""


class Records(Buffers):
    """The rows of clinical tables that wait to be written."""

    def __init__(self) -> None:
        self.visit = Buffer(
            "visit",
            "visit_id, uuid, patient_id, visit_type_id, date_started, date_stopped, indication_concept_id, "
            f"location_id, {VOIDABLE}",
        )
        self.visit_attribute = Buffer(
            "visit_attribute",
            f"visit_attribute_id, uuid, visit_id, attribute_type_id, value_reference, {VOIDABLE}",
        )
        self.encounter = Buffer(
            "encounter",
            "encounter_id, uuid, encounter_type, patient_id, visit_id, location_id, form_id, "
            f"encounter_datetime, changed_by, date_changed, {VOIDABLE}",
        )
        self.encounter_provider = Buffer(
            "encounter_provider",
            f"encounter_provider_id, uuid, encounter_id, provider_id, encounter_role_id, {VOIDABLE}",
        )
        self.obs = Buffer(
            "obs",
            "obs_id, uuid, concept_id, obs_group_id, obs_datetime, value_coded, value_coded_name_id, "
            "value_drug, value_datetime, value_numeric, value_modifier, value_text, value_complex, "
            "previous_version, status, order_id, accession_number, comments, person_id, encounter_id, "
            f"location_id, form_namespace_and_path, {VOIDABLE}",
        )
        self.orders = Buffer(
            "orders",
            "order_id, uuid, order_type_id, concept_id, order_number, order_action, previous_order_id, "
            "urgency, instructions, date_activated, auto_expire_date, date_stopped, order_reason, "
            "order_reason_non_coded, accession_number, fulfiller_status, comment_to_fulfiller, scheduled_date, "
            "orderer, care_setting, "
            f"encounter_id, patient_id, {VOIDABLE}",
        )
        self.drug_order = Buffer(
            "drug_order",
            "order_id, drug_inventory_id, drug_non_coded, dose, dose_units, frequency, route, duration, "
            "duration_units, quantity, quantity_units, num_refills, as_needed, dosing_type, "
            "dosing_instructions, dispense_as_written",
        )
        self.test_order = Buffer("test_order", "order_id, specimen_source, clinical_history")
        self.diagnosis = Buffer(
            "encounter_diagnosis",
            "diagnosis_id, uuid, diagnosis_coded, diagnosis_non_coded, diagnosis_coded_name, certainty, "
            f"dx_rank, encounter_id, patient_id, {VOIDABLE}",
        )
        self.condition = Buffer(
            "conditions",
            "condition_id, uuid, patient_id, condition_coded, condition_non_coded, clinical_status, "
            "verification_status, onset_date, end_date, additional_detail, previous_version, condition_coded_name, "
            f"changed_by, {VOIDABLE}",
        )
        self.program = Buffer(
            "patient_program",
            "patient_program_id, uuid, patient_id, program_id, date_enrolled, date_completed, location_id, "
            f"outcome_concept_id, changed_by, date_changed, {VOIDABLE}",
        )
        self.appointment = Buffer(
            "patient_appointment",
            "patient_appointment_id, uuid, patient_id, appointment_number, start_date_time, end_date_time, "
            "appointment_service_id, appointment_service_type_id, status, location_id, appointment_kind, "
            f"comments, related_appointment_id, changed_by, date_changed, {VOIDABLE}",
        )
        self.appointment_provider = Buffer(
            "patient_appointment_provider",
            "patient_appointment_provider_id, uuid, patient_appointment_id, provider_id, response, creator, "
            "date_created, voided",
        )


class Chart:
    """One patient's growing records, with the next free id of each of the patient's blocks."""

    __slots__ = (
        "appointment", "attribute", "diagnosis", "encounter", "encounter_uuids", "obs", "obs_uuids", "order",
        "order_uuids", "patient", "provider", "provider_uuids", "records", "visit", "visit_uuids",
    )  # fmt: skip

    def __init__(self, records: Records, patient: Patient) -> None:
        number = patient.number
        self.records = records
        self.patient = patient
        # A block has more ids than a patient's visits can use up.
        self.visit = self.appointment = number * 10
        self.attribute = number * 30
        self.encounter = self.order = self.diagnosis = number * 100
        self.provider = number * 200
        self.obs = number * 1000
        self.visit_uuids = patient.uuids(10)
        self.encounter_uuids = patient.uuids(11)
        self.provider_uuids = patient.uuids(12)
        self.obs_uuids = patient.uuids(13)
        self.order_uuids = patient.uuids(14)


class Sheet:
    """One encounter, and the observations written down in it.

    `end` ends the encounter's own row and others that are voided with it, `obs_end` observations; `struck`
    observations that were voided on their own, `gone` other rows that were.
    """

    __slots__ = ("chart", "day", "end", "gone", "id", "minute", "obs_end", "rows", "struck", "when")

    def __init__(
        self,
        chart: Chart,
        kind: int,
        day: int,
        minute: int,
        *,
        form: int | None,
        location: int,
        visit: int | None,
        creator: int,
        void_reason: str | None,
        void_obs: bool,
    ) -> None:
        person = chart.patient.person
        self.chart = chart
        self.day, self.minute = day, minute
        self.id = encounter = chart.encounter
        chart.encounter += 1
        self.when = when = stamp(day, minute)
        self.rows = chart.records.obs.rows
        # One encounter in sixteen was entered from paper days later, which shows in date_created only.
        entered = stamp(day + 3, minute) if encounter & 15 == 5 else stamp(day, minute + 15)
        made = f"{creator},{entered}"
        kept = f"{made},0,NULL,NULL,NULL)"
        gone = f"{made},1,{creator},{stamp(day + 4, minute)},'{void_reason}')" if void_reason else kept
        self.end = gone
        path = f"'demo^form-{form}'" if encounter & 1 and form else "NULL"
        place = f",{person},{encounter},{location},{path},"
        self.obs_end = place + (gone if void_obs else kept)
        self.gone = f"{made},1,{creator},{stamp(day + 3, minute + 20)},'Corrected')"
        self.struck = place + self.gone
        changed = f"{creator},{stamp(day + 4, minute)}" if void_reason else "NULL,NULL"
        chart.records.encounter.rows.append(
            f"({encounter},{chart.encounter_uuids}{uuid_end(encounter)},{kind},{person},{visit or 'NULL'},"
            f"{location},{form or 'NULL'},{when},{changed},{gone}"
        )

    def add(self, concept: int, value: str, group: int | str = "NULL", more: str = FINAL) -> int:
        """Write an observation down; returns its id."""
        obs = self.chart.obs
        self.chart.obs = obs + 1
        self.rows.append(
            f"({obs},{self.chart.obs_uuids}{uuid_end(obs)},{concept},{group},{self.when},{value},"
            f"{more}{self.obs_end}"
        )
        return obs

    def add_at(self, minute: int, concept: int, value: str) -> None:
        """Write down an observation made at another minute of the day than the encounter's."""
        own, self.when = self.when, stamp(self.day, minute)
        self.add(concept, value)
        self.when = own

    def strike(self, concept: int, value: str, group: int | str = "NULL") -> int:
        """Write down an observation that was voided on its own; returns its id."""
        own, self.obs_end = self.obs_end, self.struck
        obs = self.add(concept, value, group)
        self.obs_end = own
        return obs

    def correct(self, concept: int, wrong: str, right: str) -> None:
        """Write down a voided observation and the one that replaces it, as OpenMRS does for an edit."""
        previous = self.strike(concept, wrong)
        self.add(concept, right, more=f"{previous},'AMENDED',NULL,NULL,NULL")

    def add_outside(self, concept: int, value: str) -> None:
        """Write down an observation of the patient that belongs to no encounter."""
        own = self.obs_end
        person = self.chart.patient.person
        self.obs_end = f",{person},NULL{own.removeprefix(f',{person},{self.id}')}"
        self.add(concept, value)
        self.obs_end = own

    def provided_by(self, provider: int, role: int = 2) -> None:
        """Say who saw the patient."""
        chart = self.chart
        row = chart.provider
        chart.provider += 1
        chart.records.encounter_provider.rows.append(
            f"({row},{chart.provider_uuids}{uuid_end(row)},{self.id},{provider},{role},{self.end}"
        )


def coded(answer: int, name: int | None = None) -> str:
    """The value columns of a coded answer, with the name that was picked where it was recorded."""
    return f"{answer},{name or 'NULL'},NULL,NULL,NULL,NULL,NULL,NULL"


def numeric(number: str, modifier: str = "NULL") -> str:
    """The value columns of a number."""
    return f"NULL,NULL,NULL,NULL,{number},{modifier},NULL,NULL"


def text(literal: str) -> str:
    """The value columns of a text, given as a SQL literal."""
    return f"NULL,NULL,NULL,NULL,NULL,NULL,{literal},NULL"


def moment(literal: str) -> str:
    """The value columns of a date or a date and time, given as a SQL literal."""
    return f"NULL,NULL,NULL,{literal},NULL,NULL,NULL,NULL"


NOTHING: Final = "NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL"
"""The value columns of a group."""
