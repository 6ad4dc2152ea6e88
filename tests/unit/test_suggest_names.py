"""Identifiers from names of any script."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ozone_gen.flattening.sink_names import KEYWORDS
from ozone_gen.suggest.names import LONGEST, Names, snake_case
from ozone_gen.values import NAME_PATTERN


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Weight (kg)", "weight_kg"),
        ("Temperature (°C)", "temperature_c"),
        ("SpO2 (%)", "spo2_percent"),
        ("CD4+ count", "cd4_plus_count"),
        ("CD4 + CD8", "cd4_cd8"),
        ("Mother's name", "mothers_name"),
        ("H/O HTN & DM", "h_o_htn_and_dm"),
        ("Glucose, µmol/L", "glucose_umol_l"),
        ("β-HCG", "b_hcg"),
        ("  24-hour   urine ", "24_hour_urine"),
        # French, with both apostrophes
        ("Œdème des membres inférieurs", "oedeme_des_membres_inferieurs"),
        ("Date d’admission", "date_d_admission"),
        ("Température à l'arrivée", "temperature_a_l_arrivee"),
        # Swahili, Yoruba, Ewe, Turkish, Vietnamese
        ("Uzito wa mtoto", "uzito_wa_mtoto"),
        ("Ọjọ́ ìbí", "ojo_ibi"),
        ("ɖe tsia", "de_tsia"),
        ("İstanbul", "istanbul"),
        ("Cân nặng", "can_nang"),
        # Amharic, Russian and Chinese are transliterated
        ("የደም ግፊት", "yadame_gefite"),
        ("Вес тела", "ves_tela"),
        ("体重", "ti_zhong"),
        # Arabic and Khmer leave vowels out: nobody could read `lwzn` or `dmngn`
        ("الوزن", ""),
        ("ضغط الدم الانقباضي", ""),
        ("ទម្ងន់", ""),
        ("Weight (الوزن)", "weight"),
        ("", ""),
        ("???", ""),
        ("\u202e\u200f", ""),
        ("😀", ""),
    ],
)
def test_snake_case(text: str, name: str) -> None:
    assert snake_case(text) == name


def test_what_is_reserved_or_begins_with_a_digit_gets_a_prefix() -> None:
    names = Names(["location"])
    assert names.name(["Location"], "obs", "ciel_1") == "obs_location"
    assert names.name(["Order"], "obs", "ciel_1") == "obs_order"
    assert names.name(["24 h urine"], "obs", "ciel_1") == "obs_24_h_urine"


def test_duplicates_are_numbered() -> None:
    names = Names(["weight_3"])
    assert [names.name(["Weight"], "obs", "x") for _ in range(3)] == ["weight", "weight_2", "weight_4"]
    assert names.name(["WEIGHT?"], "form", "x", numbered=False) == "form_weight"
    assert names.name(["weight"], "form", "x", numbered=False) == "form_weight_2"


def test_the_first_readable_name_counts_and_else_the_last_resort() -> None:
    assert Names().name(["الوزن", "Poids", "Weight"], "obs", "ciel_5089") == "poids"
    assert Names().name(["الوزن", "ទម្ងន់", ""], "obs", "ciel_5089") == "ciel_5089"


def test_long_names_keep_whole_words_and_their_number() -> None:
    names = Names()
    long = "Arterial blood oxygen saturation of the patient at rest in room air"
    assert names.name([long], "obs", "x") == "arterial_blood_oxygen_saturation_of_the_patient_at_rest_in_room"
    assert names.name([long], "obs", "x") == "arterial_blood_oxygen_saturation_of_the_patient_at_rest_in_2"
    assert names.name(["x" * 100], "obs", "x") == "x" * 63
    assert names.name(["x" * 100], "obs", "x") == "x" * 61 + "_2"


@given(st.lists(st.text(max_size=90) | st.sampled_from(sorted(KEYWORDS)) | st.just("key"), max_size=30))
def test_every_name_is_valid_and_unique_whatever_the_texts(texts: list[str]) -> None:
    names = Names(["key"])
    made = [names.name([text], "obs", "ciel_1") for text in texts]
    assert len(set(made)) == len(made)
    for name in made:
        assert re.fullmatch(NAME_PATTERN, name), name
        assert len(name) <= LONGEST
        assert name not in KEYWORDS
        assert name != "key"
