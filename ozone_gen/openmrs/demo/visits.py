"""One visit of a made-up patient: its encounters, and what is written down in them."""

from __future__ import annotations

from typing import Final

from ozone_gen.openmrs.demo import metadata, notes
from ozone_gen.openmrs.demo.body import Signs, age_in_months
from ozone_gen.openmrs.demo.calendar import LAST_DAY, day_text, stamp
from ozone_gen.openmrs.demo.clinic import Clinic, Illness
from ozone_gen.openmrs.demo.people import uuid_end
from ozone_gen.openmrs.demo.records import NOTHING, Chart, Sheet, coded, moment, numeric, text
from ozone_gen.openmrs.demo.sql import quote

_SCHEMES: Final = tuple(map(quote, ("NHIF", 'Mutuelle "Afya"', "None")))
_VOID_REASONS: Final = ("Wrong patient", "Entered twice", "Test, please ignore")
_CALL_FIRST: Final = quote("Call her 'sister' first")
_PROVIDERS: Final = {3: 1, 4: 2, 5: 3, 6: 5, 7: 4}
"""The provider who sees the patient, by the user who writes it down."""


class Visit:
    """One visit being written. Minutes count from the midnight before it began and may pass the day's end."""

    __slots__ = (
        "care_setting", "chart", "clinic", "creator", "day", "first", "illnesses", "kind", "last", "place",
        "struck", "visit", "void_reason",
    )  # fmt: skip

    def __init__(
        self, clinic: Clinic, chart: Chart, chronic: list[Illness], day: int, number: int, visits: int
    ) -> None:
        random = chart.patient.random
        self.clinic = clinic
        self.chart = chart
        self.day = day
        self.first = number == 0
        self.last = number == visits - 1
        self.visit = chart.visit
        chart.visit += 1
        chance = random()
        self.kind, self.place = metadata.OUTPATIENT, metadata.OUTPATIENTS
        if chance < 0.12:
            self.kind = metadata.INPATIENT
            self.place = metadata.WARD if random() < 0.75 else metadata.MATERNITY
        elif chance < 0.25:
            self.kind, self.place = metadata.EMERGENCY, metadata.CASUALTY
        elif chance > 0.95 and day < 540:
            self.kind = metadata.HOME_VISIT
        elif chance > 0.85:
            self.place = metadata.OUTREACH
        self.care_setting = 2 if self.kind == metadata.INPATIENT else 1
        self.creator = 5 if random() < 0.6 else 7
        self.illnesses = self._illnesses(chronic)
        self.void_reason = chart.patient.void_reason
        if self.void_reason is None and random() < 0.025:
            self.void_reason = _VOID_REASONS[int(random() * 3)]
        # OpenMRS voids what a visit holds too; whoever voids by SQL does not.
        self.struck = self.void_reason is not None and (chart.patient.voided or random() < 0.7)

    def _illnesses(self, chronic: list[Illness]) -> list[Illness]:
        patient, clinic = self.chart.patient, self.clinic
        random = patient.random
        months = age_in_months(patient, self.day)
        if months < 150:
            likely = clinic.of_children
        elif patient.female and 190 < months < 540:
            likely = clinic.of_women
        else:
            likely = clinic.of_grown_ups
        found = [likely[int(random() * len(likely))]]
        if random() < 0.25:
            other = likely[int(random() * len(likely))]
            if other[0] != found[0][0]:
                found.append(other)
        found += [illness for illness in chronic if random() < 0.6]
        if self.day < 400 and random() < 0.02:
            found.append(clinic.evil_eye)
        return found

    def write(self) -> None:
        """Add the visit and all that it holds."""
        kind = self.kind
        random = self.chart.patient.random
        start = int(1440 * random()) if kind == metadata.EMERGENCY else 470 + int(400 * random())
        nights = 1 + int(5 * random() * random()) if kind == metadata.INPATIENT else 0
        end = start + nights * 1440 + 120 + int(240 * random())
        still_here = self.last and self.chart.patient.number % 15 == 2
        self._write_visit(start, None if still_here else end)
        if random() < 0.35:
            self._sheet(metadata.CHECK_IN, start + 2, None, metadata.DESK, 3)
        if nights:
            self._admission(start + 15)
        if random() < 0.94:
            self._vitals(start + 12)
        if random() < 0.93:
            self._visit_note(start + 35)
        if not nights and random() < 0.25:
            self._consultation(start + 50)
        if random() < (0.6 if nights else 0.3):
            self._laboratory(start + 60)
        if kind == metadata.EMERGENCY and random() < 0.5:
            self._vitals(start + 90)
        for night in range(nights):
            self._vitals(start + 700 + night * 1440)
        if nights and not still_here:
            self._discharge(end - 20)

    def _write_visit(self, start: int, end: int | None) -> None:
        chart, visit, day = self.chart, self.visit, self.day
        random = chart.patient.random
        made = f"3,{stamp(day, start)}"
        kept = f"{made},0,NULL,NULL,NULL)"
        closed = f"{made},1,3,{stamp(day + 4, start)},'{self.void_reason}')" if self.void_reason else kept
        indication = self.illnesses[0][0] if random() < 0.1 else "NULL"
        chart.records.visit.rows.append(
            f"({visit},{chart.visit_uuids}{uuid_end(visit)},{chart.patient.person},{self.kind},"
            f"{stamp(day, start)},{'NULL' if end is None else stamp(day, end)},{indication},{self.place},"
            f"{closed}"
        )
        if random() < 0.25:
            self._attribute(metadata.INSURANCE, _SCHEMES[visit % 3], closed)
        if random() < 0.1:
            self._attribute(metadata.PAID, f"'{day_text(day)}'", closed)
            if random() < 0.1:
                self._attribute(
                    metadata.PAID, "'1970-01-01'", f"{made},1,3,{stamp(day, start)},'Typing error')"
                )

    def _attribute(self, kind: int, value: str, end: str) -> None:
        chart = self.chart
        row = chart.attribute
        chart.attribute += 1
        chart.records.visit_attribute.rows.append(
            f"({row},{chart.patient.uuids(15)}{uuid_end(row)},{self.visit},{kind},{value},{end}"
        )

    def _sheet(self, kind: int, minute: int, form: int | None, location: int, creator: int) -> Sheet:
        """Open an encounter of the visit; a few are voided, with or without what was written in them."""
        random = self.chart.patient.random
        reason = self.void_reason if self.struck else None
        void_obs = self.struck
        if reason is None and random() < 0.02:
            reason = _VOID_REASONS[int(random() * 3)]
            void_obs = random() < 0.7
        sheet = Sheet(
            self.chart, kind, self.day, minute, form=form, location=location, visit=self.visit,
            creator=creator, void_reason=reason, void_obs=void_obs,
        )  # fmt: skip
        chance = random()
        if chance < 0.97:
            sheet.provided_by(_PROVIDERS[creator])
            if chance < 0.06:
                sheet.provided_by(metadata.VISITING_PROVIDER, 3)
        return sheet

    def _vitals(self, minute: int) -> None:
        clinic, patient = self.clinic, self.chart.patient
        random = patient.random
        sheet = self._sheet(metadata.VITALS, minute, 5 if self.day > 500 else 1, self.place, 4)
        complaints = self.illnesses[0][2]
        fever, breathless = clinic.fever in complaints, clinic.breathless in complaints
        signs = Signs(patient, self.day, fever=fever, breathless=breathless)
        months = age_in_months(patient, self.day)
        measured = [
            (clinic.weight, signs.weight),
            (clinic.systolic, signs.systolic),
            (clinic.diastolic, signs.diastolic),
            (clinic.pulse, signs.pulse),
            (clinic.temperature, signs.temperature),
            (clinic.respiration, signs.respiration),
            (clinic.saturation, signs.saturation),
        ]
        if months < 216 or self.first or random() < 0.3:
            measured.append((clinic.height, signs.height))
        if 6 <= months < 60:
            measured.append((clinic.arm, f"{12 + 5 * random():.1f}"))
        if months < 24:
            measured.append((clinic.head, f"{35 + 0.55 * months + 2 * random():.1f}"))
        for concept, value in measured:
            chance = random()
            if chance > 0.1:
                sheet.add(concept, numeric(value))
            elif chance > 0.05:
                pass  # not measured
            elif chance > 0.03:
                sheet.correct(concept, numeric(f"{float(value) - 1:g}"), numeric(value))
            elif chance > 0.02:
                sheet.strike(concept, numeric(value))
            else:
                comment = notes.COMMENTS[int(chance * 50 * len(notes.COMMENTS))]
                sheet.add(concept, numeric(value), more=f"NULL,'FINAL',NULL,NULL,{comment}")
        if random() < 0.08:
            self._measure_again(sheet, signs)
        if self.kind == metadata.EMERGENCY and self.day < 545:
            sheet.add(clinic.triage, coded(clinic.colours[int(random() * 3)]))

    def _measure_again(self, sheet: Sheet, signs: Signs) -> None:
        """Write blood pressure down twice: later, at the same minute, or entered after a later one."""
        clinic, random = self.clinic, self.chart.patient.random
        minute = sheet.minute + (10, 0, -5)[int(random() * 3)]
        sheet.add_at(minute, clinic.systolic, numeric(str(int(signs.systolic) - 3)))
        sheet.add_at(minute, clinic.diastolic, numeric(str(int(signs.diastolic) - 2)))
        if random() < 0.3:
            sheet.add_at(minute, clinic.temperature, numeric(signs.temperature))

    def _visit_note(self, minute: int) -> None:
        clinic, patient = self.clinic, self.chart.patient
        random = patient.random
        sheet = self._sheet(metadata.VISIT_NOTE, minute, 2, self.place, self.creator)
        add = sheet.add
        complaints = list(dict.fromkeys(complaint for illness in self.illnesses for complaint in illness[2]))
        while random() < 0.3:
            other = clinic.complaints[int(random() * len(clinic.complaints))]
            # Rarely the same answer is ticked twice.
            if other not in complaints or random() < 0.2:
                complaints.append(other)
        for complaint in complaints:
            if random() < 0.02:
                sheet.strike(clinic.complaint, coded(complaint))
            else:
                add(clinic.complaint, coded(complaint))
        if random() < 0.9:
            add(clinic.note, text(notes.encounter_note(random)))
        for rank, illness in enumerate(self.illnesses[:3]):
            self._diagnose(sheet, illness, rank)
        if random() < 0.04:
            self._diagnose_in_words(sheet)
        if random() < 0.4:
            add(clinic.weight_loss, coded(clinic.true if random() < 0.15 else clinic.false))
        if random() < 0.6:
            self._next_visit(sheet)
        if self.first:
            self._background(sheet)
        if patient.female and 180 < age_in_months(patient, self.day) < 560 and random() < 0.5:
            add(clinic.last_period, moment(f"'{day_text(self.day - int(40 * random()))} 00:00:00'"))
        if random() < 0.02:
            name = f"rash-{sheet.id}.jpg"
            add(clinic.image, f"NULL,NULL,NULL,NULL,NULL,NULL,NULL,'m3ks | {name} |{name}'")
        if random() < 0.6:
            clinic.pharmacy.prescribe(sheet, self.care_setting)
            if random() < 0.3:
                clinic.pharmacy.prescribe(sheet, self.care_setting)

    def _background(self, sheet: Sheet) -> None:
        """What is asked once."""
        clinic, patient = self.clinic, self.chart.patient
        random = patient.random
        if random() < 0.8:
            sheet.add(clinic.consent, coded(clinic.true if random() < 0.8 else clinic.false))
        if random() < 0.7:
            sheet.add(clinic.household, numeric(str(1 + int(9 * random()))))
        if random() < 0.4:
            sheet.add(clinic.water, text(notes.WATER_SOURCES[int(random() * len(notes.WATER_SOURCES))]))
        if patient.female and age_in_months(patient, self.day) > 200 and random() < 0.7:
            gravida = int(8 * random())
            sheet.add(clinic.gravida, numeric(str(gravida)))
            sheet.add(clinic.parity, numeric(str(int(gravida * random()))))

    def _diagnose(self, sheet: Sheet, illness: Illness, rank: int) -> None:
        """Write a diagnosis down as Reference Application forms do: a group with its members."""
        clinic, random = self.clinic, self.chart.patient.random
        diagnosis, name, _ = illness
        chance = random()
        if chance < 0.02:
            group = sheet.strike(clinic.diagnoses, NOTHING)
            # OpenMRS voids the members too; some of those that were voided by SQL were forgotten.
            write = sheet.strike if chance < 0.012 else sheet.add
            write(clinic.diagnosis, coded(diagnosis), group)
            write(clinic.certainty, coded(clinic.presumed), group)
            return
        if chance < 0.05:
            sheet.strike(clinic.diagnosis, coded(diagnosis))
        add = sheet.add
        group = add(clinic.diagnoses, NOTHING)
        add(clinic.diagnosis, coded(diagnosis, name if chance > 0.7 else None), group)
        if random() < 0.95:
            add(clinic.certainty, coded(clinic.confirmed if random() < 0.55 else clinic.presumed), group)
        add(clinic.order, coded(clinic.ranks[rank]), group)
        if random() < 0.08:
            add(clinic.diagnosed_on, moment(f"'{day_text(self.day)} 00:00:00'"), group)

    def _diagnose_in_words(self, sheet: Sheet) -> None:
        clinic, random = self.clinic, self.chart.patient.random
        group = sheet.add(clinic.diagnoses, NOTHING)
        words = notes.NON_CODED_DIAGNOSES[int(random() * len(notes.NON_CODED_DIAGNOSES))]
        sheet.add(clinic.non_coded, text(words), group)
        sheet.add(clinic.certainty, coded(clinic.presumed), group)

    def _next_visit(self, sheet: Sheet) -> None:
        """Agree on a date, and perhaps book it."""
        clinic, chart = self.clinic, self.chart
        random = chart.patient.random
        day = self.day + 7 * (1 + int(12 * random() * random()))
        sheet.add(clinic.return_date, moment(f"'{day_text(day)} 00:00:00'"))
        if random() > 0.4:
            return
        row = chart.appointment
        chart.appointment += 1
        start = 480 + 15 * int(30 * random())
        chance = random()
        status = "Scheduled" if day >= LAST_DAY else "Completed" if chance < 0.6 else "Missed"
        if chance > 0.92:
            status = "Cancelled"
        service = 2 if chart.patient.female and chance < 0.2 else 1
        kind: int | str = 3 if service == 2 else 1 + int(2 * random())
        if random() < 0.2:
            kind = "NULL"
        comment = _CALL_FIRST if random() < 0.1 else "NULL"
        self._book(sheet, row, (day, start), (service, kind), status, comment)
        if random() < 0.8:
            self._invite(sheet, row)

    def _book(
        self, sheet: Sheet, row: int, when: tuple[int, int], what: tuple[int, int | str], status: str, comment: str
    ) -> None:
        """Write an appointment down; some are of a service that is no longer offered, or have no date yet."""
        chart = self.chart
        (day, start), (service, kind) = when, what
        begin, end = stamp(day, start), stamp(day, start + 20)
        if row % 13 == 4:
            service, kind = metadata.DRESSING, "NULL"
        elif service == 1 and row % 7 == 3:
            kind = metadata.OLD_SLOT
        if row % 11 == 6:
            begin, end, status = "NULL", "NULL", "WaitList"
        later = row > chart.patient.number * 10 and row % 3 == 0
        related = str(row - 1) if later else "NULL"
        changed = f"{self.creator},{stamp(day, start)}" if status == "Cancelled" else "NULL,NULL"
        # The module lets `voided` be NULL, which means no.
        kept = ",0,NULL,NULL,NULL)"
        end_of_row = sheet.end.replace(kept, ",NULL,NULL,NULL,NULL)") if row % 5 == 1 else sheet.end
        chart.records.appointment.rows.append(
            f"({row},{chart.patient.uuids(22)}{uuid_end(row)},{chart.patient.person},'A-{row}',"
            f"{begin},{end},{service},{kind},'{status}',"
            f"{metadata.OUTPATIENTS},'Scheduled',{comment},{related},{changed},{end_of_row}"
        )

    def _invite(self, sheet: Sheet, row: int) -> None:
        """Say whom the appointment is with; some are with two, some were first with another."""
        chart, provider = self.chart, _PROVIDERS[self.creator]
        first, second = row * 2, row * 2 + 1
        with_whom = [(first, provider, "ACCEPTED", "0")]
        if row % 4 == 1:
            with_whom = [(first, provider, "CANCELLED", "1"), (second, 5, "ACCEPTED", "0")]
        elif row % 4 == 2:
            with_whom = [(first, provider, "TENTATIVE", "NULL"), (second, 7, "AWAITING", "0")]
        chart.records.appointment_provider.rows += (
            f"({number},{chart.patient.uuids(23)}{uuid_end(number)},{row},{who},'{response}',{self.creator},"
            f"{sheet.when},{voided})"
            for number, who, response, voided in with_whom
        )

    def _consultation(self, minute: int) -> None:
        """Written with a newer form, which puts diagnoses into a table of their own."""
        clinic, chart = self.clinic, self.chart
        random = chart.patient.random
        sheet = self._sheet(metadata.CONSULTATION, minute, None, self.place, self.creator)
        if random() < 0.5:
            sheet.add(clinic.note, text(notes.encounter_note(random)))
        for rank, (concept, name, _) in enumerate(self.illnesses, 1):
            row = chart.diagnosis
            chart.diagnosis += 1
            what = f"{concept},NULL,{name if random() < 0.3 else 'NULL'}"
            if random() < 0.04:
                what = (
                    f"NULL,{notes.NON_CODED_DIAGNOSES[int(random() * len(notes.NON_CODED_DIAGNOSES))]},NULL"
                )
            certainty = "CONFIRMED" if random() < 0.5 else "PROVISIONAL"
            chart.records.diagnosis.rows.append(
                f"({row},{chart.patient.uuids(24)}{uuid_end(row)},{what},'{certainty}',{rank},{sheet.id},"
                f"{chart.patient.person},{sheet.end}"
            )

    def _laboratory(self, minute: int) -> None:
        sheet = self._sheet(metadata.LABORATORY, minute, 6, metadata.LAB, 6)
        diagnosis = self.illnesses[0][0]
        reason = diagnosis if self.chart.patient.random() < 0.3 else None
        malaria = diagnosis in self.clinic.malaria
        self.clinic.laboratory.results(sheet, self.care_setting, malaria=malaria, reason=reason)

    def _admission(self, minute: int) -> None:
        clinic, random = self.clinic, self.chart.patient.random
        sheet = self._sheet(metadata.ADMISSION, minute, 3, self.place, self.creator)
        sheet.add(clinic.admitted_at, moment(stamp(self.day, minute - 10)))
        if random() < 0.8:
            reason = notes.ADMISSION_REASONS[int(random() * len(notes.ADMISSION_REASONS))]
            sheet.add(clinic.admission_reason, text(reason))

    def _discharge(self, minute: int) -> None:
        clinic, random = self.clinic, self.chart.patient.random
        sheet = self._sheet(metadata.DISCHARGE, minute, 4, self.place, self.creator)
        sheet.add(clinic.disposition, coded(clinic.dispositions[int(random() * 4)]))
        if random() < 0.5:
            sheet.add(clinic.note, text(notes.encounter_note(random)))
