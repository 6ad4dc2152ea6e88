"""Looking concepts and encounter types up, and guessing at those that are not there."""

from __future__ import annotations

import pytest

from ozone_gen.openmrs.dictionary import Concept, Dictionary, EncounterType, demo_dictionary

WEIGHT = Concept(1, "5089AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Numeric", "Weight (kg)", ("CIEL:5089", "LAB:3"))
HEIGHT = Concept(2, "5090AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Numeric", "Height (cm)", ("CIEL:5090",))
TWIN = Concept(3, "f0000000-0000-0000-0000-000000000003", "Coded", "Height, other", ("CIEL:5090", "CIEL:7"))
LOCAL = Concept(4, "f0000000-0000-0000-0000-000000000004", "N/A", "Local", ())
VITALS = EncounterType("67a71486-1a54-468f-ac3e-7091a9a79584", "Vitals")
OTHER_VITALS = EncounterType("00000000-1a54-468f-ac3e-7091a9a79584", "Vitals")
DICTIONARY = Dictionary("the clinic", (WEIGHT, HEIGHT, TWIN, LOCAL), (VITALS, OTHER_VITALS))


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("CIEL:5089", (WEIGHT,)),
        ("LAB:3", (WEIGHT,)),
        (WEIGHT.uuid, (WEIGHT,)),
        ("CIEL:5090", (HEIGHT, TWIN)),
        ("CIEL:1", ()),
        ("ciel:5089", ()),
        ("5089", ()),
    ],
)
def test_find(reference: str, found: tuple[Concept, ...]) -> None:
    assert DICTIONARY.find(reference) == found


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("CIEL:5098", "CIEL:5089"),  # exchanged digits
        ("ciel:5089", "CIEL:5089"),
        ("CEIL:5089", "CIEL:5089"),
        ("CIEL:508", "CIEL:5089"),
        ("5089AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", WEIGHT.uuid),
        ("CIEL:weight", "CIEL:5089"),
        ("CIEL:local", LOCAL.uuid),
        ("CIEL:99999999", None),
        ("LAB:99", None),
    ],
)
def test_close(reference: str, meant: str | None) -> None:
    close = DICTIONARY.close(reference)
    assert (close[0][0] if close else None) == meant
    for known, concept in close:
        assert concept in DICTIONARY.find(known)


def test_encounter_types_are_found_by_name_and_by_uuid() -> None:
    assert DICTIONARY.encounter_type("Vitals") == VITALS
    assert DICTIONARY.encounter_type(OTHER_VITALS.uuid) == OTHER_VITALS
    assert DICTIONARY.encounter_type("vitals") is None


def test_the_demo_dictionary_is_that_of_the_demo_data() -> None:
    demo = demo_dictionary()
    (weight,) = demo.find("CIEL:5089")
    assert (weight.datatype, weight.name) == ("Numeric", "Weight (kg)")
    assert demo.find(weight.uuid) == (weight,)
    assert demo.encounter_type("Vitals") is not None
    assert len({concept.uuid for concept in demo.concepts}) == len(demo.concepts)
    # A code that is only narrower or broader than a concept does not name it.
    assert all(demo.find(code) for concept in demo.concepts for code in concept.codes)
