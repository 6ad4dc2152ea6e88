"""Free text of the demo: what clinicians write, also where it hurts a careless reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ozone_gen.openmrs.demo.sql import quote


def _inner(*texts: str) -> tuple[str, ...]:
    """Escaped, without the quotes around."""
    return tuple(quote(text)[1:-1] for text in texts)


_COMPLAINTS: Final = _inner(
    "Unwell for three days.",
    "Came with her mother, who gives the history.",
    'Says that the pain began "after the market".',
    "No fever at home; not eating well.",
    "Follow-up. Takes the tablets, mostly.",
    "Referred from the outreach post.",
    "Patient doesn't recall earlier episodes.",
    "Malade depuis une semaine, traitée à domicile.",
    "Anaumwa tumbo tangu jana usiku.",
    "Cough >2 weeks; night sweats; weight loss 5% or more.",
)
_FINDINGS: Final = _inner(
    "Chest clear. Abdomen soft.",
    "Temp. up, pulse rapid.",
    "Looks well & alert.",
    "Tender over RIF - to observe.",
    "Pas de signe de gravité.",
    "Hali ya mgonjwa ni nzuri.",
    "Lungs: crackles at both bases.",
    "BP repeated after 10', still high.",
)
_PLANS: Final = _inner(
    "Fluids, rest, come back if worse.",
    "Treat and review in a week.",
    "Rx given; explained to family.",
    "For lab today.",
    "Counselled on salt; see dietician.",
    "Suivi dans un mois.",
)
ODD_NOTES: Final = tuple(
    map(
        quote,
        (
            "Line one\nLine two\r\n\tindented; then a \\ backslash and C:\\notes\\new.txt",
            "She said \"it's 'fine'\", twice.",
            "'); DROP TABLE obs; -- not today",
            "😀 much better 👍🏾, thanks",
            "患者状态良好。Пациент чувствует себя хорошо.",
            "المريض بحالة جيدة",
            "ታካሚው ጤነኛ ነው",
            "/* 100% sure? */ `quoted` {{ not_a_template }} ${NOT_A_VARIABLE} %s",
            "null",
            "NULL",
            " leading and trailing ",
            "a,b;c|d\te",
            "é is not é",  # composed and decomposed
            "",
        ),
    )
)
ADMISSION_REASONS: Final = tuple(
    map(
        quote, ("Severe dehydration", "For IV treatment", "Observation after a fall", "Détresse respiratoire")
    )
)
WATER_SOURCES: Final = tuple(map(quote, ("Borehole", "River", "Tap", "Roof tank (shared)", "Puits")))
COMMENTS: Final = tuple(map(quote, ("hand-held device", "child was crying", 'copied from paper, "approx."')))
NON_CODED_DIAGNOSES: Final = tuple(map(quote, ('Snake bite? "Black one"', "Mal de l'air", "Kuumwa na nyuki")))


def encounter_note(random: Callable[[], float]) -> str:
    """A note as a SQL literal; some are odd."""
    kind = random()
    if kind < 0.08:
        return ODD_NOTES[int(kind / 0.08 * len(ODD_NOTES))]
    between = "\\n" if kind < 0.4 else " "
    return (
        f"'{_COMPLAINTS[int(random() * len(_COMPLAINTS))]} {_FINDINGS[int(random() * len(_FINDINGS))]}"
        f"{between}{_PLANS[int(random() * len(_PLANS))]}'"
    )
