"""What the made-up site knows: the concepts that its forms use, and which illnesses are likely in whom."""

from __future__ import annotations

from typing import Final

from ozone_gen.openmrs.demo.dictionary import concept_id, concept_ids, concepts
from ozone_gen.openmrs.demo.orders import Laboratory, Pharmacy

# What is wrong: (diagnosis, complaints, how often). Keys of the dictionary.
_CHILD: Final = (
    ("116128", "140238 122983", 5), ("160204", "143264 140238", 6), ("117889", "142412 122983 151", 4),
    ("131113", "140238", 3), ("114100", "143264 141600 140238", 3), ("140", "879 512", 2), ("199", "151", 2),
    ("134561", "140238 512", 1), ("892", "512 140238", 1), ("116474", "140501", 1), ("132636", "140501", 1),
    ("116543", "5622", 1), ("149496", "140238", 2), ("138868", "142412 151", 1), ("119356", "140501", 1),
)  # fmt: skip
_GROWN_UP: Final = (
    ("116128", "140238 139084", 4), ("160148", "140238 139084 121", 2), ("160155", "140238 140501 122983", 1),
    ("160204", "143264", 4), ("149579", "143264 140238", 2), ("110834", "151", 3),
    ("114262", "151 122983", 2), ("111633", "118771 151", 3), ("119685", "118771", 1),
    ("121629", "140501", 2), ("137293", "512 879", 2), ("1490", "5622", 2), ("119558", "5622", 1),
    ("119537", "140501", 1), ("139084", "139084", 2), ("1293", "151", 1), ("160156", "143264 140501", 1),
    ("117889", "142412", 2), ("136443", "140501", 1), ("123123", "5622", 1), ("115835", "139084 140238", 1),
    ("116376", "5622", 1), ("140987", "139084", 1),
)  # fmt: skip
_EXPECTING: Final = (("48", "151", 1), ("126127", "151", 1), ("160207", "5622", 2))

Illness = tuple[int, int, tuple[int, ...]]
"""A diagnosis, the name that is picked for it, and the complaints it comes with; all as ids."""


class Clinic:
    """Concept ids by what they are for. One object serves all patients; it keeps nothing about them."""

    def __init__(self) -> None:
        self.pharmacy = Pharmacy()
        self.laboratory = Laboratory()

        self.weight, self.height, self.systolic, self.diastolic = concept_ids("5089", "5090", "5085", "5086")
        self.pulse, self.temperature, self.respiration = concept_ids("5087", "5088", "5242")
        self.saturation, self.arm, self.head = concept_ids("5092", "1343", "5314")
        self.triage = concept_id("OLD-TRIAGE")
        self.colours = concept_ids("RED", "YELLOW", "GREEN")

        self.diagnoses, self.diagnosis, self.non_coded = concept_ids("159947", "1284", "161602")
        self.certainty, self.order, self.diagnosed_on = concept_ids("159394", "159946", "159948")
        self.confirmed, self.presumed = concept_ids("159392", "159393")
        self.ranks = concept_ids("159943", "159944", "159945")

        self.note, self.complaint, self.weight_loss = concept_ids("162169", "5219", "832")
        self.true, self.false, self.consent = concept_ids("TRUE", "FALSE", "CONSENT")
        self.return_date, self.last_period = concept_ids("5096", "1427")
        self.gravida, self.parity, self.household = concept_ids("5624", "1053", "HOUSEHOLD-SIZE")
        self.water, self.image = concept_ids('WATER SOURCE (a"b)', "165173")
        self.admitted_at, self.admission_reason = concept_ids("1640", "ADMISSION-REASON")
        self.disposition = concept_id("DISPOSITION")
        self.dispositions = concept_ids("HOME", "HOME", "HOME", "REFERRED")
        self.program_outcomes = concept_ids("159492", "5240", "1267")

        self.complaints = concepts()["5219"].answers
        self.fever, self.breathless = concept_ids("140238", "141600")
        self.malaria = frozenset(concept_ids("116128", "160148", "160155"))
        self.evil_eye = _illness("EVIL-EYE")
        self.hypertension, self.diabetes = _illness("117399"), _illness("142473")
        self.hiv = _illness("138405")
        self.of_children = _weighted(_CHILD)
        self.of_grown_ups = _weighted(_GROWN_UP)
        self.of_women = self.of_grown_ups + _weighted(_EXPECTING)


def _illness(key: str, complaints: str = "") -> Illness:
    concept = concepts()[key]
    return concept.id, concept.names[-1].id, concept_ids(*complaints.split())


def _weighted(rows: tuple[tuple[str, str, int], ...]) -> tuple[Illness, ...]:
    return tuple(_illness(key, complaints) for key, complaints, often in rows for _ in range(often))
