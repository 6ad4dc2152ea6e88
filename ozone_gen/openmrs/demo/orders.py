"""Orders of drugs and tests, and the results of the tests."""

from __future__ import annotations

from typing import Final

from ozone_gen.openmrs.demo import metadata
from ozone_gen.openmrs.demo.calendar import stamp
from ozone_gen.openmrs.demo.dictionary import concept_id, concept_ids
from ozone_gen.openmrs.demo.people import uuid_end
from ozone_gen.openmrs.demo.records import NOTHING, Sheet, coded, moment, numeric
from ozone_gen.openmrs.demo.sql import quote

_INSTRUCTIONS: Final = ("NULL", "NULL", *map(quote, ("With food", "Ikiwa kuna maumivu", 'Take "as told"')))
_ASK: Final = quote("Ask for the 'other' box")
_HERBAL: Final = quote('Herbal "mixture"')


class Pharmacy:
    """What can be prescribed."""

    def __init__(self) -> None:
        self.drugs = tuple(
            (drug.id, concept_id(drug.concept), drug.dose, concept_id(drug.unit))
            for drug in metadata.DRUGS
            if not drug.retired
        )
        self.oral = concept_id("160240")
        day, week = concept_ids("1072", "1073")
        self.units = ((day, 1), (day, 1), (week, 7))
        self.dispensed = concept_id("1282")
        self.reasons = concept_ids("5622", "879")

    def prescribe(self, sheet: Sheet, care_setting: int) -> None:
        """Order a drug in the encounter; some orders are stopped early, some drugs are handed out at once."""
        chart = sheet.chart
        random, records, person = chart.patient.random, chart.records, chart.patient.person
        order = chart.order
        chart.order += 1
        drug, concept, dose, unit = self.drugs[int(random() * len(self.drugs))]
        duration = 3 + int(8 * random())
        duration_unit, days = self.units[int(random() * 3)]
        frequency, _, times = metadata.FREQUENCIES[int(random() * len(metadata.FREQUENCIES))]
        end = stamp(sheet.day + duration * days, 1439)
        stopped = random() < 0.08
        halt = stamp(sheet.day + 1, sheet.minute)
        instructions = _INSTRUCTIONS[int(random() * len(_INSTRUCTIONS))]
        comment = _ASK if order % 13 == 5 else "NULL"
        end_of_row = sheet.gone if order % 23 == 4 else sheet.end
        tail = f"NULL,NULL,{comment},NULL,3,{care_setting},{sheet.id},{person},{end_of_row}"
        records.orders.rows.append(
            f"({order},{chart.order_uuids}{uuid_end(order)},{metadata.DRUG_ORDER},{concept},'ORD-{order}',"
            f"'NEW',NULL,'ROUTINE',{instructions},{sheet.when},{end},{halt if stopped else 'NULL'},NULL,NULL,"
            f"{tail}"
        )
        dosing = f"{dose:g},{unit},{frequency},{self.oral},{duration},{duration_unit}"
        if random() < 0.06:
            records.drug_order.rows.append(
                f"({order},NULL,{_HERBAL},NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,"
                "'org.openmrs.FreeTextDosingInstructions','Once, when needed',0)"
            )
        else:
            quantity = int(dose * duration * days * times) or 1
            records.drug_order.rows.append(
                f"({order},{drug},NULL,{dosing},{quantity},{unit},{int(random() * 2)},{int(random() < 0.2)},"
                "'org.openmrs.SimpleDosingInstructions',NULL,0)"
            )
        if stopped:
            discontinue = chart.order
            chart.order += 1
            coded_reason = random() < 0.6
            reason = f"{self.reasons[int(random() * 2)]},NULL" if coded_reason else "NULL,'Felt dizzy'"
            records.orders.rows.append(
                f"({discontinue},{chart.order_uuids}{uuid_end(discontinue)},{metadata.DRUG_ORDER},{concept},"
                f"'ORD-{discontinue}','DISCONTINUE',{order},'ROUTINE',NULL,{halt},{halt},NULL,{reason},{tail}"
            )
            records.drug_order.rows.append(
                f"({discontinue},{drug},NULL,{dosing},NULL,NULL,NULL,0,"
                "'org.openmrs.SimpleDosingInstructions',NULL,0)"
            )
        if random() < 0.3:
            sheet.add(self.dispensed, f"{concept},NULL,{drug},NULL,NULL,NULL,NULL,NULL")


class Laboratory:
    """What can be tested."""

    def __init__(self) -> None:
        self.blood_count = concept_id("1019")
        self.hemoglobin, self.white_cells, self.platelets = concept_ids("21", "678", "729")
        self.smear, self.rapid_test = concept_ids("32", "1040")
        self.positive, self.negative, self.unclear = concept_ids("703", "664", "1138")
        self.poor_sample, self.collected_at = concept_ids("1304", "159951")
        self.glucose, self.creatinine = concept_ids("887", "790")
        self.viral_load, self.cd4 = concept_ids("856", "5497")
        self.blood, self.urine = concept_ids("1000", "159994")

    def _order(self, sheet: Sheet, concept: int, care_setting: int, reason: str) -> str:
        """Order a test; returns what its results say of the order."""
        chart = sheet.chart
        order = chart.order
        chart.order += 1
        accession = f"'L{order}'"
        records = chart.records
        urgency, scheduled = "STAT" if order % 7 == 3 else "ROUTINE", "NULL"
        if order % 7 == 5:
            urgency, scheduled = "ON_SCHEDULED_DATE", stamp(sheet.day + 2, 600)
        kind = metadata.OLD_TEST_ORDER if sheet.day < 545 and order % 5 == 2 else metadata.TEST_ORDER
        records.orders.rows.append(
            f"({order},{chart.order_uuids}{uuid_end(order)},{kind},{concept},'ORD-{order}',"
            f"'NEW',NULL,'{urgency}',NULL,{sheet.when},{stamp(sheet.day + 30, sheet.minute)},NULL,{reason},"
            f"NULL,{accession},'COMPLETED',NULL,{scheduled},3,{care_setting},{sheet.id},{chart.patient.person},{sheet.end}"
        )
        specimen = self.urine if order % 11 == 3 else self.blood
        records.test_order.rows.append(f"({order},{specimen},NULL)")
        return f"NULL,'FINAL',{order},{accession},NULL"

    def results(self, sheet: Sheet, care_setting: int, *, malaria: bool, reason: int | None) -> None:
        """Order and perform one to four tests."""
        patient = sheet.chart.patient
        random = patient.random
        why = "NULL" if reason is None else str(reason)
        sheet.add(self.collected_at, moment(stamp(sheet.day, sheet.minute - 15)))
        if malaria or random() < 0.3:
            more = self._order(sheet, self.smear, care_setting, why)
            chance = random()
            answer = self.positive if chance < (0.7 if malaria else 0.05) else self.negative
            sheet.add(self.smear, coded(self.poor_sample if chance > 0.96 else answer), more=more)
        if random() < 0.5:
            more = self._order(sheet, self.blood_count, care_setting, why)
            group = sheet.add(self.blood_count, NOTHING, more=more)
            sheet.add(self.hemoglobin, numeric(f"{9 + 7 * random():.1f}"), group, more)
            sheet.add(self.white_cells, numeric(f"{3 + 12 * random() * random():.1f}"), group, more)
            if random() < 0.85:
                sheet.add(self.platelets, numeric(str(120 + int(280 * random()))), group, more)
        if patient.diabetic or random() < 0.15:
            more = self._order(sheet, self.glucose, care_setting, why)
            sheet.add(
                self.glucose, numeric(f"{70 + (160 if patient.diabetic else 40) * random():.1f}"), more=more
            )
        if patient.hypertensive and random() < 0.4:
            more = self._order(sheet, self.creatinine, care_setting, why)
            sheet.add(self.creatinine, numeric(f"{50 + 90 * random():.0f}"), more=more)
        if patient.hiv:
            more = self._order(sheet, self.viral_load, care_setting, why)
            # Below the limit of detection the number is the limit, and the modifier says so.
            load = numeric("50", "'<'") if random() < 0.6 else numeric(str(int(10 ** (2 + 4 * random()))))
            sheet.add(self.viral_load, load, more=more)
            sheet.add(self.cd4, numeric(str(80 + int(900 * random()))))
        elif random() < 0.12:
            more = self._order(sheet, self.rapid_test, care_setting, why)
            sheet.add(self.rapid_test, coded(self.unclear if random() < 0.03 else self.negative), more=more)
