"""Looking concepts and encounter types up, and guessing at those that are not there."""

from __future__ import annotations

import pytest

from ozone_gen.openmrs.demo_vocabulary import demo_dictionary
from ozone_gen.openmrs.dictionary import Concept, Dictionary, Named, NamedKind

ENCOUNTER_TYPE = NamedKind.ENCOUNTER_TYPE
WEIGHT = Concept(1, "5089AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Numeric", "Weight (kg)", ("CIEL:5089", "LAB:3"))
HEIGHT = Concept(2, "5090AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Numeric", "Height (cm)", ("CIEL:5090",))
TWIN = Concept(3, "f0000000-0000-0000-0000-000000000003", "Coded", "Height, other", ("CIEL:5090", "CIEL:7"))
LOCAL = Concept(4, "f0000000-0000-0000-0000-000000000004", "N/A", "Local", ())
VITALS = Named(5, "67a71486-1a54-468f-ac3e-7091a9a79584", "Vitals")
OTHER_VITALS = Named(6, "00000000-1a54-468f-ac3e-7091a9a79584", "Vitals")
DICTIONARY = Dictionary("the clinic", (WEIGHT, HEIGHT, TWIN, LOCAL), {ENCOUNTER_TYPE: (VITALS, OTHER_VITALS)})


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


@pytest.mark.parametrize(
    ("reference", "column", "meant"),
    [
        ("CIEL:999999", "weight_kg", "CIEL:5089"),
        ("CIEL:999999", "body_height", "CIEL:5090"),
        ("CIEL:999999", "kg", None),  # says too little
        ("CIEL:508", "height", "CIEL:5089"),  # spelling counts more
        ("CIEL:50", "local", LOCAL.uuid),
        ("CIEL:509", "height", "CIEL:5090"),  # of two slips the one whose name fits
    ],
)
def test_the_column_tells_what_was_meant(reference: str, column: str, meant: str | None) -> None:
    close = DICTIONARY.close(reference, column)
    assert (close[0][0] if close else None) == meant


def test_a_large_dictionary_is_searched() -> None:
    numbers = range(60_000)
    many = tuple(
        Concept(each, f"{each:036}", "Numeric", f"Question {each}", (f"CIEL:{each}",)) for each in numbers
    )
    large = Dictionary("x", many)
    assert large.close("CIEL:599999", "question_70")[0][0] == "CIEL:59999"
    assert large.close("CIEL:nothing", "question_70")[0][0] == "CIEL:70"


def test_named_things_are_found_by_name_and_by_uuid() -> None:
    assert DICTIONARY.find_named(ENCOUNTER_TYPE, "Vitals") == (VITALS, OTHER_VITALS)
    assert DICTIONARY.find_named(ENCOUNTER_TYPE, OTHER_VITALS.uuid) == (OTHER_VITALS,)
    assert DICTIONARY.find_named(ENCOUNTER_TYPE, "vitals") == ()
    assert DICTIONARY.find_named(NamedKind.FORM, "Vitals") == ()


def test_the_demo_dictionary_is_that_of_the_demo_data() -> None:
    demo = demo_dictionary()
    (weight,) = demo.find("CIEL:5089")
    assert (weight.datatype, weight.name) == ("Numeric", "Weight (kg)")
    assert demo.find(weight.uuid) == (weight,)
    assert all(demo.find_named(kind, demo.named[kind][0].name) for kind in NamedKind)
    assert weight.units == "kg"
    assert len({concept.uuid for concept in demo.concepts}) == len(demo.concepts)
    # A code that is only narrower or broader than a concept does not name it.
    assert all(demo.find(code) for concept in demo.concepts for code in concept.codes)
