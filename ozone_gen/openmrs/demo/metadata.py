"""What a site has set up before its first patient: types, forms, places, people who work there, drugs.

Encounter types, forms, order types and the like carry the uuids that every OpenMRS Reference Application has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ozone_gen.openmrs.demo.dictionary import made_up_uuid


@dataclass(frozen=True, slots=True)
class Named:
    """A thing with an id, a uuid and a name."""

    id: int
    uuid: str
    name: str
    description: str | None = None
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Form(Named):
    """A form, with its version and the encounter type (id) it is for."""

    version: str = "1.0"
    encounter_type: int = 0


@dataclass(frozen=True, slots=True)
class Location(Named):
    """A place, with its parent (id), its tags (ids), its street and where it lies."""

    parent: int | None = None
    tags: tuple[int, ...] = ()
    street: str | None = None
    position: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody who works at the site: their person, and their user and provider where they have one.

    The three ids differ, as in any real database: a creator is a user, never a person.
    """

    person: int
    given_name: str
    family_name: str
    gender: str
    user: int | None = None
    username: str = ""
    role: str = ""
    provider: int | None = None
    identifier: str = ""
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Drug(Named):
    """Something that can be prescribed: its concept's key, dose form, dose and unit."""

    concept: str = ""
    form: str = "1513"
    dose: float = 1
    unit: str = "1513"


CONCEPT_SOURCES: Final = (
    (1, "SNOMED CT", "SCT", "1ADDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD"),
    (3, "ICD-10-WHO", None, "3f65bd34-26fe-102b-80cb-0017a47871b2"),
    (6, "LOINC", None, "6ADDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD"),
    (21, "CIEL", None, "21ADDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD"),
    (40, "DEMO", None, made_up_uuid("source demo")),
)
"""Where codes come from: id, name, HL7 code, uuid."""

DISCHARGE, ADMISSION, VISIT_NOTE, CHECK_IN, VITALS, LABORATORY, CONSULTATION, OLD_REVIEW = (
    1,
    2,
    3,
    5,
    7,
    9,
    10,
    11,
)
ENCOUNTER_TYPES: Final = (
    Named(DISCHARGE, "181820aa-88c9-479b-9077-af92f5364329", "Discharge", "The patient's stay is ending."),
    Named(
        ADMISSION, "e22e39fd-7db2-45e7-80f1-60fa0d5a4378", "Admission", "The patient is admitted to a ward."
    ),
    Named(
        VISIT_NOTE,
        "d7151f82-c1f3-4152-a605-2f9ea7414a79",
        "Visit Note",
        "Examination, usually with a diagnosis.",
    ),
    Named(CHECK_IN, "ca3aed11-1aa4-42a1-b85c-8332fc8001fc", "Check In", "Paperwork at the start of a visit."),
    Named(VITALS, "67a71486-1a54-468f-ac3e-7091a9a79584", "Vitals", "For capturing vital signs"),
    Named(
        LABORATORY, made_up_uuid("encounter type laboratory"), "Laboratory", "Specimens and their results."
    ),
    Named(
        CONSULTATION, "dd528487-82a5-4082-9c72-ed246bd49591", "Consultation", "Diagnoses beside observations."
    ),
    Named(OLD_REVIEW, made_up_uuid("encounter type review"), "Chart review", "No longer done.", retired=True),
)

OUTPATIENT, INPATIENT, EMERGENCY, HOME_VISIT = 1, 2, 3, 4
VISIT_TYPES: Final = (
    Named(
        OUTPATIENT, made_up_uuid("visit type outpatient"), "Outpatient", "Seen and sent home the same day."
    ),
    Named(INPATIENT, made_up_uuid("visit type inpatient"), "Inpatient", "Stays for at least a night."),
    Named(
        EMERGENCY, made_up_uuid("visit type emergency"), "Emergency", "Comes without an appointment, at once."
    ),
    Named(HOME_VISIT, made_up_uuid("visit type home"), "Home Visit", "Ended in 2024.", retired=True),
)

FORMS: Final = (
    Form(1, "a000cb34-9ec1-4344-a1c8-f692232f6edd", "Vitals", encounter_type=VITALS),
    Form(2, "c75f120a-04ec-11e3-8780-2b40bef9a44b", "Visit Note", encounter_type=VISIT_NOTE),
    Form(3, "d2c7532c-fb01-11e2-8ff2-fd54ab5fdb2a", "Admission (Simple)", encounter_type=ADMISSION),
    Form(4, "b5f8ffd8-fbde-11e2-8ff2-fd54ab5fdb2a", "Discharge (Simple)", encounter_type=DISCHARGE),
    Form(5, made_up_uuid("form vitals 2"), "Vitals", version="2.0", encounter_type=VITALS),
    Form(6, made_up_uuid("form laboratory"), "Laboratory results", encounter_type=LABORATORY),
    Form(7, made_up_uuid("form triage"), "Triage", "Replaced by Vitals", True, "0.9", VITALS),
)

LOCATION_TAGS: Final = (
    Named(1, "1c783dca-fd54-4ea8-a0fc-2875374e9cb6", "Admission Location"),
    Named(2, "b8bbf83e-645f-451f-8efe-a0db56f09676", "Login Location"),
    Named(4, "37dd4458-dc9e-4ae6-a1f1-789c1162d37b", "Visit Location"),
    Named(5, made_up_uuid("location tag clinic-a"), "clinic-a"),
    Named(6, made_up_uuid("location tag mobile"), "Mobile clinic", "No longer used", retired=True),
)

UNKNOWN, CENTRE, OUTPATIENTS, WARD, MATERNITY, CASUALTY, LAB, PHARMACY, DESK, OUTREACH, OLD_DISPENSARY = (
    range(1, 12)
)
LOCATIONS: Final = (
    Location(UNKNOWN, "8d6c993e-c2cc-11de-8d13-0010c6dffd0f", "Unknown Location"),
    Location(
        CENTRE,
        made_up_uuid("location centre"),
        "Mto Kijani Health Centre",
        tags=(4, 5),
        street="1, Barabara ya Soko",
        position=("-0.4512", "35.1029"),
    ),
    Location(OUTPATIENTS, made_up_uuid("location opd"), "Outpatient Clinic", parent=CENTRE, tags=(2, 5)),
    Location(WARD, made_up_uuid("location ward"), "Inpatient Ward", parent=CENTRE, tags=(1, 2, 5)),
    Location(MATERNITY, made_up_uuid("location maternity"), "Maternity Ward", parent=WARD, tags=(1, 5)),
    Location(CASUALTY, made_up_uuid("location casualty"), "Emergency", parent=CENTRE, tags=(2, 5)),
    Location(LAB, made_up_uuid("location laboratory"), "Laboratory", parent=CENTRE, tags=(2, 5)),
    Location(PHARMACY, made_up_uuid("location pharmacy"), "Pharmacy", parent=CENTRE, tags=(5,)),
    Location(DESK, made_up_uuid("location desk"), "Registration Desk", parent=CENTRE, tags=(2, 5)),
    Location(
        OUTREACH, made_up_uuid("location outreach"), "Kilima cha Jua outreach post", "Tuesdays", tags=(4, 6)
    ),
    Location(OLD_DISPENSARY, made_up_uuid("location old"), "Old Dispensary", "Burnt down", True, CENTRE),
)

OPENMRS_ID, OLD_NUMBER, NATIONAL_ID, HIV_NUMBER = 4, 2, 5, 6
IDENTIFIER_TYPES: Final = (
    Named(OPENMRS_ID, "05a29f94-c0ed-11e2-94be-8c13b969e334", "OpenMRS ID", "With a check digit."),
    Named(
        OLD_NUMBER,
        "8d79403a-c2cc-11de-8d13-0010c6dffd0f",
        "Old Identification Number",
        "From the paper register.",
    ),
    Named(NATIONAL_ID, made_up_uuid("identifier type national"), "National ID"),
    Named(HIV_NUMBER, made_up_uuid("identifier type hiv"), "HIV care number"),
)

BIRTHPLACE, CITIZENSHIP, MOTHERS_NAME, CIVIL_STATUS, TELEPHONE, TEST_PATIENT = 2, 3, 4, 5, 8, 10
PERSON_ATTRIBUTE_TYPES: Final = (
    (Named(BIRTHPLACE, "8d8718c2-c2cc-11de-8d13-0010c6dffd0f", "Birthplace"), "java.lang.String"),
    (
        Named(CITIZENSHIP, "8d871afc-c2cc-11de-8d13-0010c6dffd0f", "Citizenship", retired=True),
        "java.lang.String",
    ),
    (Named(MOTHERS_NAME, "8d871d18-c2cc-11de-8d13-0010c6dffd0f", "Mother's Name"), "java.lang.String"),
    (Named(CIVIL_STATUS, "8d871f2a-c2cc-11de-8d13-0010c6dffd0f", "Civil Status"), "org.openmrs.Concept"),
    (Named(TELEPHONE, "14d4f066-15f5-102d-96e4-000c29c2a5d7", "Telephone Number"), "java.lang.String"),
    (Named(TEST_PATIENT, "4f07985c-88a5-4abd-aa0c-f3ec8324d8e7", "Test Patient"), "java.lang.Boolean"),
)

INSURANCE, PAID = 1, 2
VISIT_ATTRIBUTE_TYPES: Final = (
    (
        Named(INSURANCE, made_up_uuid("visit attribute insurance"), "Insurance scheme"),
        "org.openmrs.customdatatype.datatype.FreeTextDatatype",
    ),
    (
        Named(PAID, made_up_uuid("visit attribute paid"), "Fee paid on"),
        "org.openmrs.customdatatype.datatype.DateDatatype",
    ),
)

DRUG_ORDER, TEST_ORDER, OLD_TEST_ORDER = 2, 3, 4
ORDER_TYPES: Final = (
    (Named(DRUG_ORDER, "131168f4-15f5-102d-96e4-000c29c2a5d7", "Drug Order"), "org.openmrs.DrugOrder"),
    (Named(TEST_ORDER, "52a447d3-a64a-11e3-9aeb-50e549534c5e", "Test Order"), "org.openmrs.TestOrder"),
    (
        Named(OLD_TEST_ORDER, made_up_uuid("order type radiology"), "Radiology", "Now Test Order", retired=True),
        "org.openmrs.TestOrder",
    ),
)
CARE_SETTINGS: Final = (
    Named(1, "6f0c9a92-6f24-11e3-af88-005056821db0", "Outpatient"),
    Named(2, "c365e560-c3ec-11e3-9c1a-0800200c9a66", "Inpatient"),
)
ENCOUNTER_ROLES: Final = (
    Named(1, "a0b03050-c99b-11e0-9572-0800200c9a66", "Unknown"),
    Named(2, "240b26f9-dd88-4172-823d-4a8bfeb7841f", "Clinician"),
    Named(3, made_up_uuid("encounter role assistant"), "Assistant"),
)
# (id, concept's key, times a day)
FREQUENCIES: Final = ((1, "160862", 1), (2, "160858", 2), (3, "160866", 3), (4, "162249", 4))
OLD_PROGRAM: Final = 4
# (id, concept's key, key of the set of its outcomes, name, description, retired)
PROGRAMS: Final = (
    (1, "160631", "161555", "HIV Program", "Care and treatment of HIV", False),
    (2, "160541", "161555", "TB Program", None, False),
    (3, "159937", "161555", "MCH Program", None, False),
    (OLD_PROGRAM, "159937", None, "Village midwives", "Ended in 2024", True),
)

DRUGS: Final = (
    Drug(1, made_up_uuid("drug 1"), "Paracetamol 500mg", concept="70116", dose=2),
    Drug(2, made_up_uuid("drug 2"), "Amoxicillin 250mg", concept="71160", form="1608", unit="1608"),
    Drug(
        3,
        made_up_uuid("drug 3"),
        "Amoxicillin 125mg/5ml",
        concept="71160",
        form="162263",
        dose=5,
        unit="162263",
    ),
    Drug(4, made_up_uuid("drug 4"), "Metformin 500mg", concept="79782"),
    Drug(5, made_up_uuid("drug 5"), "Amlodipine 5mg", concept="71137", dose=0.5),
    Drug(6, made_up_uuid("drug 6"), "Ibuprofen 400mg", concept="77897"),
    Drug(7, made_up_uuid("drug 7"), "Co-trimoxazole 960mg", concept="105281"),
    Drug(8, made_up_uuid("drug 8"), "ORS sachet", concept="351", form="1514", unit="1514"),
    Drug(9, made_up_uuid("drug 9"), "Amlodipine 10mg", "No longer bought", True, "71137"),
)

STAFF: Final = (
    Staff(1, "Super", "User", "M", 1, "admin", "System Developer"),
    Staff(2, "Grace", "Mwangaza", "F", 7, "gmwangaza", "Doctor", 4, "doctor-2"),
    Staff(3, "Amina", "Tembo", "F", 4, "nurse", "Nurse", 2, "nurse"),
    Staff(4, "Jean-Luc", "N'Dour", "M", 5, "doctor", "Doctor", 3, "doctor"),
    Staff(5, "Otieno", "Baraka", "M", 3, "clerk", "Clerk"),
    Staff(6, "Sauda", "O'Hara", "F", 8, "shara", "Nurse", 6, "nurse-old", retired=True),
    Staff(7, "Pendo", "Łukasz", "F", 6, "lab", "Laboratory Technician", 5, "lab"),
    Staff(8, "Unknown", "Provider", "U", None, "", "", 1, "UNKNOWN"),
)
DAEMON_USER: Final = 2
# More users of the same people: (user, person, username, roles, retired).
MORE_USERS: Final = (
    (9, 4, "jlndour", ("Doctor", "Provider"), False),
    (10, 2, "grace", ("Registration", "Nurse"), True),
)
VISITING_PROVIDER: Final = 7
"""A provider who is no person of the database."""

SPECIALITIES: Final = (
    Named(1, made_up_uuid("speciality 1"), "General Medicine"),
    Named(2, made_up_uuid("speciality 2"), "Maternal Health"),
)
DRESSING: Final = 3
# (id, name, speciality, start, end, minutes, colour, limit, description, first status, voided)
SERVICES: Final = (
    (1, "General consultation", 1, "08:00:00", "16:30:00", 20, "#006400", 40, "Every day", None, False),
    (2, "Antenatal care", 2, "09:00:00", "13:00:00", 30, "#8B0000", None, None, "Requested", None),
    (DRESSING, "Dressing", None, None, None, None, None, None, None, None, True),
)
OLD_SLOT: Final = 4
# (id, service, name, minutes, voided); the appointments module lets `voided` be NULL, which means no.
SERVICE_TYPES: Final = (
    (1, 1, "First visit", 30, False),
    (2, 1, "Follow-up", 15, None),
    (3, 2, "Booking", 45, False),
    (OLD_SLOT, 1, "Long visit", None, True),
)


def users() -> Iterator[Staff]:
    """Those of the staff who have a user."""
    return (staff for staff in STAFF if staff.user is not None)
