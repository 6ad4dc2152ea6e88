"""What happens to a made-up patient over the years: visits, conditions, programs."""

from __future__ import annotations

from typing import Final

from ozone_gen.openmrs.demo import metadata
from ozone_gen.openmrs.demo.body import age_in_months
from ozone_gen.openmrs.demo.calendar import LAST_DAY, day_text, stamp
from ozone_gen.openmrs.demo.clinic import Clinic, Illness
from ozone_gen.openmrs.demo.people import Patient, uuid_end
from ozone_gen.openmrs.demo.records import Chart, Records, Sheet, numeric
from ozone_gen.openmrs.demo.sql import quote
from ozone_gen.openmrs.demo.visits import Visit

# The last visit starts so early that even a long stay has ended.
_LONGEST_STAY: Final = 7
_KNEES: Final = "since 'the war'"


def write_history(records: Records, clinic: Clinic, patient: Patient) -> None:
    """Add everything that happened to the patient; nothing did where they were merged into another."""
    if patient.merged:
        return
    chart = Chart(records, patient)
    random = patient.random
    chronic = []
    if patient.hypertensive:
        chronic.append(clinic.hypertension)
    if patient.diabetic:
        chronic.append(clinic.diabetes)
    if patient.hiv:
        chronic.append(clinic.hiv)
    first, last = patient.first_day, patient.last_day - _LONGEST_STAY
    if first == 0:
        first = int(200 * random())
    span = max(1, last - first)
    visits = min(2 + int(7 * random()), 2 + span // 4)
    for number in range(visits):
        day = first + int((number + random()) * span / visits)
        Visit(clinic, chart, chronic, day, number, visits).write()
    _write_beside_visits(clinic, chart, first)
    _write_conditions(chart, chronic)
    _write_programs(clinic, chart, first)


def _write_beside_visits(clinic: Clinic, chart: Chart, day: int) -> None:
    """Encounters that belong to no visit, and observations that belong to no encounter."""
    patient = chart.patient
    random = patient.random
    reason = patient.void_reason
    if random() < 0.15:
        sheet = Sheet(
            chart, metadata.LABORATORY, day, 600 + int(300 * random()), form=6, location=metadata.LAB,
            visit=None, creator=6, void_reason=reason, void_obs=reason is not None,
        )  # fmt: skip
        clinic.laboratory.results(sheet, 1, malaria=False, reason=None)
        sheet.provided_by(5, 3)
        sheet.add_outside(clinic.household, numeric(str(1 + int(9 * random()))))
    if day < 300 and random() < 0.1:
        Sheet(
            chart, metadata.OLD_REVIEW, day, 1000, form=None, location=metadata.OLD_DISPENSARY, visit=None,
            creator=8, void_reason=reason, void_obs=reason is not None,
        )  # fmt: skip


def _write_conditions(chart: Chart, chronic: list[Illness]) -> None:
    patient = chart.patient
    random, person = patient.random, patient.person
    uuids, row = patient.uuids(20), patient.number * 10
    rows = chart.records.condition.rows
    made = f"5,{stamp(patient.first_day, 700)}"
    end = f"{made},0,NULL,NULL,NULL)"
    if patient.void_reason:
        end = f"{made},1,1,{stamp(LAST_DAY, 615)},'{patient.void_reason}')"
    for concept, name, _ in chronic:
        onset = patient.first_day - int(2000 * random())
        if patient.born is not None:
            onset = max(onset, patient.born)
        certainty = "CONFIRMED" if random() < 0.7 else "PROVISIONAL"
        rows.append(
            f"({row},{uuids}{uuid_end(row)},{person},{concept},NULL,'ACTIVE','{certainty}',"
            f"'{day_text(onset)} 00:00:00',NULL,NULL,NULL,{name if person % 2 else 'NULL'},NULL,{end}"
        )
        row += 1
    if random() < 0.1:
        # A condition that was corrected: the new row points to the old one.
        rows.append(
            f"({row},{uuids}{uuid_end(row)},{person},NULL,'Bad knees','ACTIVE','CONFIRMED',NULL,NULL,"
            f"{quote(_KNEES)},NULL,NULL,5,{made},1,5,{stamp(patient.first_day, 720)},'Corrected')"
        )
        rows.append(
            f"({row + 1},{uuids}{uuid_end(row + 1)},{person},NULL,'Bad left knee','INACTIVE','CONFIRMED',"
            f"NULL,{stamp(LAST_DAY - 1, 600)},NULL,{row},NULL,NULL,{end}"
        )


def _write_programs(clinic: Clinic, chart: Chart, first: int) -> None:
    patient = chart.patient
    random = patient.random
    joined = [1] if patient.hiv else []
    if random() < 0.03:
        joined.append(2)
    if patient.female and 200 < age_in_months(patient, LAST_DAY) < 500 and random() < 0.3:
        joined.append(3)
    if patient.number % 12 == 5:
        joined.append(metadata.OLD_PROGRAM)
    uuids = patient.uuids(21)
    void = (
        f"1,1,{stamp(LAST_DAY, 615)},'{patient.void_reason}'" if patient.void_reason else "0,NULL,NULL,NULL"
    )
    for row, program in enumerate(joined, patient.number * 10):
        enrolled = first + int((LAST_DAY - first) * 0.5 * random())
        completed, outcome = "NULL", "NULL"
        if random() < 0.4:
            completed = stamp(enrolled + int((LAST_DAY - enrolled) * random()), 900)
            if random() < 0.8:
                outcome = str(clinic.program_outcomes[int(random() * 3)])
        place = metadata.OUTPATIENTS if random() < 0.8 else "NULL"
        chart.records.program.rows.append(
            f"({row},{uuids}{uuid_end(row)},{patient.person},{program},{stamp(enrolled, 600)},{completed},"
            f"{place},{outcome},{'NULL,NULL' if completed == 'NULL' else f'7,{completed}'},5,"
            f"{stamp(enrolled, 605)},{void})"
        )
