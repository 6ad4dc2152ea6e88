"""Made-up patients: who they are, and their rows in the person and patient tables.

Everything about a patient follows from the seed and the patient's number, so patients can be made one at a
time and the first hundred are the same whether a hundred or a million are made. Ids come from the number too:
each table gives every patient a block of ids.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from random import Random
from typing import Final

from ozone_gen.openmrs.demo import metadata
from ozone_gen.openmrs.demo.calendar import FIRST_DAY, LAST_DAY, stamp
from ozone_gen.openmrs.demo.dictionary import concept_ids
from ozone_gen.openmrs.demo.sql import VOIDABLE, Buffer, Buffers, quote

FIRST_PERSON: Final = 100
"""Patient n is person and patient FIRST_PERSON + n; lower ids are of staff."""

MOST_PATIENTS: Final = 2_000_000
"""With more, observation ids would not fit into OpenMRS's INT columns."""

_MASK: Final = (1 << 48) - 1
_SCRAMBLE: Final = 0x5DEECE66D  # odd, so that different ids stay different modulo 2**48


def _quoted(words: str) -> tuple[str, ...]:
    return tuple(quote(word.replace("_", " ")) for word in words.split())


_GIRLS: Final = _quoted(
    "Amina Grace Esther Fatuma Mary Zawadi Neema Rehema Josephine Marie-Claire Aisha Nyambura Achieng "
    "Wanjiru Chantal Immaculée Béatrice Solange Halima Khadija Asha Tatu Subira Lucy Ruth Deborah Zoë "
    "Thandiwe Nomsa Chipo Ngozi Adaeze Folasade Yewande Awa Mariama Aïssatou Ndeye Hawa Selam Hirut Almaz "
    "ሰላም فاطمة मीरा Ana_María Rose Agnes Jane Upendo"
)
_BOYS: Final = _quoted(
    "Juma John Peter Otieno Kamau Baraka Daudi Joseph Emmanuel Jean-Pierre Omar Hassan Ali Mwangi Kiprono "
    "Wekesa Didier Fabrice Aimé Théo Issa Rashid Hamisi Salim Samuel David Moses Sipho Thabo Tendai Chukwu "
    "Emeka Babatunde Kwame Kofi Mamadou Cheikh Abebe Tesfaye Haile አበበ محمد 李 José_Luis N'Golo Paul Simon "
    "George Gabriel Elias"
)
_FAMILIES: Final = _quoted(
    "Mwangaza Otieno Kamau Njoroge Wanyama Odhiambo Kimani Mutua Habimana Uwimana Mukasa Nakato Okello "
    "Achan Diallo N'Diaye Traoré Keita O'Brien Banda Phiri Moyo Ncube Dlamini Tshabalala Okafor Adeyemi "
    "Bello Tadesse Bekele ተስፋዬ حسن Müller Garcia_López Nkosi Sow Ba Cissé Kone Zulu Mwale Chirwa Kasongo "
    "Ilunga Abdi Warsame"
)
# Invented places: (village, district, province).
_PLACES: Final = tuple(
    (quote(village), quote(district), quote(province))
    for village, district, province in (
        ("Mto Kijani", "Bonde Kuu", "Mashariki"),
        ("Kilima cha Jua", "Bonde Kuu", "Mashariki"),
        ("Ziwa Dogo", "Bonde Kuu", "Mashariki"),
        ("Mti Mkavu", "Nyanda", "Mashariki"),
        ("Jiwe la Asali", "Nyanda", "Mashariki"),
        ("Saint-Éloi-du-Lac", "Rive Gauche", "Magharibi"),
        ("Pont d'Or", "Rive Gauche", "Magharibi"),
        ("Bandari Ndogo", "Pwani", "Kusini"),
        ("Chumvi", "Pwani", "Kusini"),
        ("Kwa Bibi Rukia", "Pwani", "Kusini"),
    )
)
_LANES: Final = _quoted("Market_Road School_Lane Mission_Hill Rue_de_l'Église Plot_14/B \"Blue_Shop\"")
_OTHER_CAUSE: Final = quote('Struck by lightning, says "a cousin"')
_IDENTIFIER_LETTERS: Final = "0123456789ACDEFGHJKLMNPRTUVWXY"
# Ages in years, with the share of people who are no older: (youngest, oldest, share).
_AGES: Final = ((0, 1, 0.06), (1, 5, 0.2), (5, 15, 0.37), (15, 45, 0.75), (45, 65, 0.91), (65, 95, 1.0))


class People(Buffers):
    """The rows of people that wait to be written."""

    def __init__(self) -> None:
        self.person = Buffer(
            "person",
            "person_id, uuid, gender, birthdate, birthdate_estimated, dead, death_date, cause_of_death, "
            f"cause_of_death_non_coded, deathdate_estimated, {VOIDABLE}",
        )
        self.name = Buffer(
            "person_name",
            f"person_name_id, uuid, person_id, preferred, given_name, middle_name, family_name, {VOIDABLE}",
        )
        self.address = Buffer(
            "person_address",
            "person_address_id, uuid, person_id, preferred, address1, city_village, county_district, "
            f"state_province, postal_code, country, latitude, longitude, {VOIDABLE}",
        )
        self.attribute = Buffer(
            "person_attribute",
            f"person_attribute_id, uuid, person_id, person_attribute_type_id, value, {VOIDABLE}",
        )
        self.patient = Buffer("patient", f"patient_id, allergy_status, {VOIDABLE}")
        self.identifier = Buffer(
            "patient_identifier",
            "patient_identifier_id, uuid, patient_id, identifier_type, identifier, preferred, location_id, "
            f"{VOIDABLE}",
        )
        self.merge = Buffer(
            "person_merge_log",
            "person_merge_log_id, uuid, winner_person_id, loser_person_id, merged_data, creator, "
            "date_created, voided",
        )
        self.causes = concept_ids("114100", "116128", "138405", "117399", "1490", "115835")
        self.civil_status = concept_ids("1057", "5555", "5555", "1058", "1059")


class Patient:
    """One made-up patient. Days count from FIRST_DAY; `born` is None where the birthdate is unknown."""

    __slots__ = (
        "adult_height", "body_mass", "born", "dead", "diabetic", "died", "female", "first_day", "growth",
        "hiv", "hypertensive", "last_day", "merged", "number", "person", "random", "salt", "void_reason",
        "voided",
    )  # fmt: skip

    def __init__(self, seed: int, number: int) -> None:
        # Random takes the absolute value of a seed: keep it positive, and apart from every other patient's.
        source = Random(((seed & 0xFFFFFFFFFFFFFFFF) << 32) + number)
        random = source.random
        self.number = number
        self.random = random
        self.person = FIRST_PERSON + number
        salt = f"{source.getrandbits(64):016x}"
        self.salt = f"'{salt[:8]}-{salt[8:12]}-4{salt[12:15]}-8"
        self.female = random() < 0.54
        self.merged = number % 40 == 13
        self.voided = self.merged or number % 40 == 29
        # OpenMRS voids all that hangs on a patient; in one of two it was forgotten, as happens by SQL.
        self.void_reason = "Registered twice" if number % 80 == 29 else None
        self.born = self._birthday(random)
        age = 30.0 if self.born is None else (LAST_DAY - self.born) / 365.25
        self.first_day = 0 if self.born is None or self.born < 0 else self.born
        self.dead = number % 14 == 9
        self.last_day = LAST_DAY
        self.died = 0
        if self.dead:
            self.died = self.last_day = LAST_DAY - int((LAST_DAY - self.first_day) * 0.5 * random())
        # Around 1; how this body differs from the average of its age.
        self.growth = 1 + 0.1 * (random() + random() - 1)
        usual = 160 if self.female else 171
        self.adult_height = usual * (1 + 0.45 * (self.growth - 1)) + 8 * (random() - 0.5)
        self.body_mass = 17.5 + 16 * random() * random() + age / 30
        self.hypertensive = age > 35 and random() < 0.35
        self.diabetic = age > 30 and random() < 0.15
        self.hiv = age > 15 and random() < 0.08

    def _birthday(self, random: Callable[[], float]) -> int | None:
        number = self.number
        if number % 90 == 77:
            return None
        if number % 30 == 8:
            return LAST_DAY - 20 - int(40 * random())
        if number % 30 == 21:
            return LAST_DAY - int(365.25 * (90 + 5 * random()))
        share = random()
        youngest, oldest = next((young, old) for young, old, upto in _AGES if share <= upto)
        return LAST_DAY - max(20, int(365.25 * (youngest + (oldest - youngest) * random())))

    def uuids(self, table: int) -> str:
        """The start of the uuids of this patient's rows in a table, numbered anyhow; `uuid_end` ends them."""
        return f"{self.salt}{table:03x}-"


def uuid_end(row_id: int) -> str:
    """The end of a row's uuid, with the closing quote: another one for each id below 2**48."""
    return f"{row_id * _SCRAMBLE & _MASK:012x}'"


def check_digit(identifier: str) -> str:
    """The Luhn check character in base 30 that OpenMRS's own identifier generator uses."""
    total, factor = 0, 2
    for letter in reversed(identifier):
        addend = factor * _IDENTIFIER_LETTERS.index(letter)
        factor = 3 - factor
        total += addend // 30 + addend % 30
    return _IDENTIFIER_LETTERS[-total % 30]


def _openmrs_id(number: int) -> str:
    digits = ""
    number += 30**4
    while number:
        number, digit = divmod(number, 30)
        digits = _IDENTIFIER_LETTERS[digit] + digits
    return digits + check_digit(digits)


def _birthdate(patient: Patient, estimated: bool) -> str:
    if patient.born is None:
        return "NULL"
    born = date.fromordinal(FIRST_DAY + patient.born)
    # An estimate is a year; for small children the day is known well enough.
    return f"'{born.year}-01-01'" if estimated and born.year < 2020 else f"'{born.isoformat()}'"


def write_person(people: People, patient: Patient) -> None:
    """Add the rows that say who the patient is."""
    random = patient.random
    number, person = patient.number, patient.person
    registered = stamp(max(0, patient.first_day), 480 + int(540 * random()))
    clerk = 3 if random() < 0.9 else 1
    made = f"{clerk},{registered}"
    alive = f"{made},0,NULL,NULL,NULL)"
    gone = alive
    if patient.voided:
        reason = f"'Merged into patient {person - 1}'" if patient.merged else "'Registered twice'"
        gone = f"{made},1,1,{stamp(LAST_DAY, 615)},{reason})"
    struck = f"{made},1,{clerk},{registered},'Typing error')"

    estimated = random() < 0.25
    gender = "U" if number % 70 == 33 else "F" if patient.female else "M"
    death = "0,NULL,NULL,NULL,0"
    if patient.dead:
        known = random() < 0.75
        cause = people.causes[int(random() * len(people.causes))] if known else "NULL"
        words = "NULL" if known else _OTHER_CAUSE
        death = f"1,{stamp(patient.died, int(1440 * random()))},{cause},{words},{int(random() < 0.2)}"
    people.person.rows.append(
        f"({person},{patient.uuids(1)}{uuid_end(person)},'{gender}',{_birthdate(patient, estimated)},"
        f"{int(estimated)},{death},{gone}"
    )
    people.patient.rows.append(f"({person},'{'Unknown' if random() < 0.7 else 'No known allergies'}',{gone}")

    given = _GIRLS if patient.female else _BOYS
    first = given[int(random() * len(given))]
    middle = given[int(random() * len(given))] if random() < 0.3 else "NULL"
    family = _FAMILIES[int(random() * len(_FAMILIES))]
    uuids, row = patient.uuids(2), 100 + number * 10
    names = people.name.rows
    if number % 12 == 5:
        # An older, not preferred name; a reader must prefer the second row.
        maiden = _FAMILIES[int(random() * len(_FAMILIES))]
        names.append(f"({row},{uuids}{uuid_end(row)},{person},0,{first},NULL,{maiden},{alive}")
        row += 1
    if number % 20 == 7:
        names.append(f"({row},{uuids}{uuid_end(row)},{person},1,{first},NULL,'Mistyped',{struck}")
        row += 1
    preferred = int(number % 50 != 44)
    names.append(f"({row},{uuids}{uuid_end(row)},{person},{preferred},{first},{middle},{family},{gone}")
    _write_address(people, patient, gone, struck)
    _write_identifiers(people, patient, gone, struck)
    _write_attributes(people, patient, alive, struck)
    if patient.merged:
        people.merge.rows.append(
            f"({number},{patient.uuids(7)}{uuid_end(number)},{person - 1},{person},"
            f"'<merged>{person}</merged>',1,{stamp(LAST_DAY, 615)},0)"
        )


def _write_address(people: People, patient: Patient, kept: str, struck: str) -> None:
    random = patient.random
    uuids, row = patient.uuids(3), patient.number * 10
    if random() < 0.04:
        return
    if random() < 0.05:
        people.address.rows.append(
            f"({row},{uuids}{uuid_end(row)},{patient.person},1,NULL,'Nowhere',NULL,NULL,NULL,'Umoja',NULL,"
            f"NULL,{struck}"
        )
        row += 1
    times = 2 if random() < 0.12 else 1
    for time in range(times):
        village, district, province = _PLACES[int(random() * len(_PLACES))]
        lane = _LANES[int(random() * len(_LANES))] if random() < 0.5 else "NULL"
        place = "NULL,NULL"
        if random() < 0.1:
            place = f"'{-4 + 3 * random():.5f}','{33 + 4 * random():.5f}'"
        people.address.rows.append(
            f"({row},{uuids}{uuid_end(row)},{patient.person},{int(time == times - 1)},{lane},{village},"
            f"{district},{province},NULL,'Umoja',{place},{kept}"
        )
        row += 1


def _write_identifiers(people: People, patient: Patient, kept: str, struck: str) -> None:
    random = patient.random
    uuids, row, person = patient.uuids(4), patient.number * 10, patient.person
    rows = people.identifier.rows

    def add(kind: int, identifier: str, preferred: int, end: str) -> None:
        nonlocal row
        rows.append(
            f"({row},{uuids}{uuid_end(row)},{person},{kind},'{identifier}',{preferred},{metadata.DESK},{end}"
        )
        row += 1

    if random() < 0.03:
        add(metadata.OPENMRS_ID, _openmrs_id(patient.number + 15_000_000), 1, struck)
    add(metadata.OPENMRS_ID, _openmrs_id(patient.number), 1, kept)
    if random() < 0.3:
        add(metadata.OLD_NUMBER, f"{1990 + int(30 * random())}/{patient.number:04d}", 0, kept)
    if random() < 0.45:
        add(metadata.NATIONAL_ID, f"U{int(1e9 * random()):09d}", 0, kept)
    if patient.hiv:
        add(metadata.HIV_NUMBER, f"13001-{patient.number:05d}", 0, kept)


def _write_attributes(people: People, patient: Patient, kept: str, struck: str) -> None:
    random = patient.random
    uuids, row, person = patient.uuids(5), patient.number * 10, patient.person
    attributes = []
    if random() < 0.7:
        attributes.append((metadata.TELEPHONE, f"'+999 7{int(1e8 * random()):08d}'", kept))
        if random() < 0.08:
            attributes.append((metadata.TELEPHONE, "'+999 0'", struck))
    if random() < 0.3:
        attributes.append((metadata.MOTHERS_NAME, _GIRLS[int(random() * len(_GIRLS))], kept))
    if patient.born is not None and patient.born < -6570 and random() < 0.6:
        attributes.append((metadata.CIVIL_STATUS, f"'{people.civil_status[int(random() * 5)]}'", kept))
    if random() < 0.2:
        attributes.append((metadata.BIRTHPLACE, _PLACES[int(random() * len(_PLACES))][0], kept))
    if random() < 0.02:
        attributes.append((metadata.TEST_PATIENT, "'true'", kept))
    for kind, value, end in attributes:
        people.attribute.rows.append(f"({row},{uuids}{uuid_end(row)},{person},{kind},{value},{end}")
        row += 1
