"""Plausible vital signs for a body of a given age."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from ozone_gen.openmrs.demo.people import Patient

# Averages by age in months: (age, weight in kg, height in cm, pulse, breaths a minute, systolic pressure).
_GROWTH: Final = (
    (0, 3.3, 50, 135, 42, 72),
    (3, 6.0, 61, 130, 38, 80),
    (6, 7.6, 66, 125, 34, 84),
    (12, 9.5, 75, 118, 30, 88),
    (24, 12.0, 86, 110, 26, 92),
    (36, 14.2, 95, 104, 25, 95),
    (60, 18.2, 109, 98, 23, 98),
    (84, 23.0, 121, 92, 21, 101),
    (120, 32.0, 138, 86, 19, 105),
    (144, 40.0, 149, 82, 18, 110),
    (168, 49.0, 159, 80, 17, 113),
    (192, 56.0, 165, 77, 16, 115),
    (216, 60.0, 168, 75, 16, 117),
)
ADULT_MONTHS: Final = _GROWTH[-1][0]


def _by_month() -> tuple[tuple[float, ...], ...]:
    """The averages for each whole month up to adulthood."""
    months = []
    for (begin, *low), (end, *high) in pairwise(_GROWTH):
        for month in range(begin, end):
            part = (month - begin) / (end - begin)
            months.append(tuple(a + (b - a) * part for a, b in zip(low, high, strict=True)))
    return tuple(months)


_MONTHS: Final = _by_month()


class Signs:
    """Vital signs measured once: numbers as SQL text, in the units of the concepts."""

    __slots__ = (
        "diastolic",
        "height",
        "pulse",
        "respiration",
        "saturation",
        "systolic",
        "temperature",
        "weight",
    )

    def __init__(self, patient: Patient, day: int, *, fever: bool, breathless: bool) -> None:
        random = patient.random
        months = age_in_months(patient, day)
        if months < ADULT_MONTHS:
            weight, height, pulse, breaths, systolic = _MONTHS[months]
            height *= 1 + 0.45 * (patient.growth - 1)
            weight *= patient.growth * patient.growth * (0.97 + 0.06 * random())
        else:
            height = patient.adult_height
            weight = patient.body_mass * height * height * 0.0001 * (0.96 + 0.08 * random())
            pulse, breaths = 75.0, 16.0
            systolic = 112.0 + (months - ADULT_MONTHS) * 0.025
        if patient.hypertensive:
            systolic += 10 + 30 * random()
        if fever:
            pulse += 10 + 15 * random()
        systolic += 18 * (random() + random() - 1)
        self.weight = f"{weight:.1f}"
        self.height = f"{height:.1f}" if months < 60 else f"{height:.0f}"
        self.systolic = f"{systolic:.0f}"
        self.diastolic = f"{systolic * 0.6 + 6 + 8 * (random() + random() - 1):.0f}"
        self.pulse = f"{pulse + 16 * (random() + random() - 1):.0f}"
        self.respiration = f"{breaths + 4 * (random() + random() - 1) + (8 if breathless else 0):.0f}"
        self.temperature = f"{(38.6 if fever else 36.7) + 0.7 * (random() + random() - 1):.1f}"
        self.saturation = f"{min(100.0, (92 if breathless else 97.5) + 4 * (random() + random() - 1)):.0f}"


def age_in_months(patient: Patient, day: int) -> int:
    """Age on a day; of somebody whose birthdate is unknown, as of a grown-up of thirty."""
    return 360 if patient.born is None else int((day - patient.born) / 30.4375)
