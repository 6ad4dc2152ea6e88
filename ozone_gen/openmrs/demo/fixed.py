"""The rows that do not depend on patients: the dictionary, types, places and staff of the demo site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ozone_gen.openmrs.demo import metadata, schema
from ozone_gen.openmrs.demo.dictionary import Concept, concept_id, concept_ids, concepts, made_up_uuid
from ozone_gen.openmrs.demo.sql import Value, insert, row

_SINCE: Final = "2022-06-01 08:00:00"
_LATER: Final = "2024-07-01 09:30:00"
_DATATYPES: Final = (
    (1, "Numeric", "NM", "8d4a4488-c2cc-11de-8d13-0010c6dffd0f"),
    (2, "Coded", "CWE", "8d4a48b6-c2cc-11de-8d13-0010c6dffd0f"),
    (3, "Text", "ST", "8d4a4ab4-c2cc-11de-8d13-0010c6dffd0f"),
    (4, "N/A", "ZZ", "8d4a4c94-c2cc-11de-8d13-0010c6dffd0f"),
    (5, "Document", "RP", "8d4a4e74-c2cc-11de-8d13-0010c6dffd0f"),
    (6, "Date", "DT", "8d4a505e-c2cc-11de-8d13-0010c6dffd0f"),
    (7, "Time", "TM", "8d4a591e-c2cc-11de-8d13-0010c6dffd0f"),
    (8, "Datetime", "TS", "8d4a5af4-c2cc-11de-8d13-0010c6dffd0f"),
    (10, "Boolean", "BIT", "8d4a5cca-c2cc-11de-8d13-0010c6dffd0f"),
    (13, "Complex", "ED", "8d4a6242-c2cc-11de-8d13-0010c6dffd0f"),
)
_CLASSES: Final = (
    (1, "Test", "8d4907b2-c2cc-11de-8d13-0010c6dffd0f"),
    (3, "Drug", "8d490dfc-c2cc-11de-8d13-0010c6dffd0f"),
    (4, "Diagnosis", "8d4918b0-c2cc-11de-8d13-0010c6dffd0f"),
    (5, "Finding", "8d491a9a-c2cc-11de-8d13-0010c6dffd0f"),
    (7, "Question", "8d491e50-c2cc-11de-8d13-0010c6dffd0f"),
    (8, "LabSet", "8d492026-c2cc-11de-8d13-0010c6dffd0f"),
    (10, "ConvSet", "8d492594-c2cc-11de-8d13-0010c6dffd0f"),
    (11, "Misc", "8d492774-c2cc-11de-8d13-0010c6dffd0f"),
    (12, "Symptom", "8d492954-c2cc-11de-8d13-0010c6dffd0f"),
    (13, "Symptom/Finding", "8d492b2a-c2cc-11de-8d13-0010c6dffd0f"),
    (14, "Specimen", "8d492d0a-c2cc-11de-8d13-0010c6dffd0f"),
    (17, "Program", made_up_uuid("class program")),
    (23, "Frequency", "8e071bfe-520c-44c0-a89b-538e9129b42a"),
    (25, "Units of Measure", "e30d8601-07f8-413a-9d11-cdfbb28196ec"),
)
_MAP_TYPES: Final = (
    (1, "SAME-AS", "35543629-7d8c-11e1-909d-c80aa9edcf4e"),
    (2, "NARROWER-THAN", "43ac5109-7d8c-11e1-909d-c80aa9edcf4e"),
    (3, "BROADER-THAN", "4b9d9421-7d8c-11e1-909d-c80aa9edcf4e"),
)
_OLD_TERM: Final = ("LOINC", "8287-5")

Rows = Iterable[tuple[Value, ...]]


def _insert(table: str, columns: str, rows: Rows) -> str:
    """An INSERT that fills in what is alike everywhere.

    That is who made a row and when, its uuid (from the table and the row's first value), and the defaults of
    NOT NULL columns, because readers of dumps do not know them.
    """
    given = columns.split(", ")
    alike: dict[str, Value] = {}
    with_uuid = False
    for column in schema.tables()[table].columns:
        if column.name in given:
            continue
        if column.name == "creator":
            alike["creator"] = 1
        elif column.name == "date_created":
            alike["date_created"] = _SINCE
        elif column.name == "uuid":
            with_uuid = True
        elif column.default is not None and not column.nullable:
            alike[column.name] = column.default[1:-1] if column.default[0] == "'" else int(column.default)
    values = tuple(alike.values())
    if not with_uuid:
        return insert(table, ", ".join((*given, *alike)), (row(*own, *values) for own in rows))
    return insert(
        table,
        ", ".join((*given, *alike, "uuid")),
        (row(*own, *values, made_up_uuid(f"{table} {own[0]}")) for own in rows),
    )


_RETIRED: Final = "retired, retired_by, date_retired, retire_reason"
_NAMED: Final = f"uuid, name, description, {_RETIRED}"


def _retired(retired: bool) -> tuple[Value, ...]:
    """Values of _RETIRED."""
    return (True, 1, _LATER, "No longer used") if retired else (False, None, None, None)


def _named(thing: metadata.Named) -> tuple[Value, ...]:
    """Values of an id and of _NAMED."""
    return (thing.id, thing.uuid, thing.name, thing.description, *_retired(thing.retired))


def _named_table(table: str, things: Iterable[metadata.Named]) -> str:
    return _insert(table, f"{table}_id, {_NAMED}", map(_named, things))


def _concepts() -> Iterator[str]:
    every = tuple(concepts().values())
    datatypes = {name: number for number, name, *_ in _DATATYPES}
    classes = {name: number for number, name, _ in _CLASSES}
    yield _insert("concept_datatype", "concept_datatype_id, name, hl7_abbreviation, uuid", _DATATYPES)
    yield _insert("concept_class", "concept_class_id, name, uuid", _CLASSES)
    yield _insert(
        "concept",
        f"concept_id, uuid, datatype_id, class_id, is_set, {_RETIRED}",
        (
            (c.id, c.uuid, datatypes[c.datatype], classes[c.concept_class], bool(c.members),
             *_retired(c.retired))
            for c in every
        ),
    )  # fmt: skip
    confusing = (True, 1, _LATER, "Confusing")
    yield _insert(
        "concept_name",
        "concept_name_id, concept_id, uuid, name, locale, concept_name_type, locale_preferred, "
        "voided, voided_by, date_voided, void_reason",
        (
            (name.id, c.id, name.uuid, name.name, name.locale, name.kind, name.preferred)
            + (confusing if name.voided else (False, None, None, None))
            for c in every
            for name in c.names
        ),
    )
    yield _insert(
        "concept_description",
        "concept_description_id, concept_id, description, locale",
        ((c.id, c.id, c.description, c.names[0].locale) for c in every if c.description),
    )
    yield _insert(
        "concept_numeric",
        "concept_id, low_absolute, hi_absolute, units, allow_decimal",
        (
            (c.id, c.numeric.low, c.numeric.high, c.numeric.units, c.numeric.allow_decimal)
            for c in every
            if c.numeric
        ),
    )
    yield _insert("concept_complex", "concept_id, handler", ((c.id, c.handler) for c in every if c.handler))
    answers = [(c.id, answer, weight) for c in every for weight, answer in enumerate(c.answers, 1)]
    yield _insert(
        "concept_answer",
        "concept_answer_id, concept_id, answer_concept, sort_weight",
        ((number, *answer) for number, answer in enumerate(answers, 1)),
    )
    members = [(member, c.id, weight) for c in every for weight, member in enumerate(c.members)]
    yield _insert(
        "concept_set",
        "concept_set_id, concept_id, concept_set, sort_weight",
        ((number, *member) for number, member in enumerate(members, 1)),
    )
    yield from _mappings(every)


def _mappings(every: tuple[Concept, ...]) -> Iterator[str]:
    sources = {name: number for number, name, *_ in metadata.CONCEPT_SOURCES}
    map_types = {name: number for number, name, _ in _MAP_TYPES}
    yield _insert("concept_map_type", "concept_map_type_id, name, uuid", _MAP_TYPES)
    yield _insert(
        "concept_reference_source",
        "concept_source_id, name, hl7_code, uuid, description",
        ((*source, "Codes of another dictionary") for source in metadata.CONCEPT_SOURCES),
    )
    # Concepts may share a term: ICD-10-WHO I10 stands for two.
    mapped = [(c.id, mapping) for c in every for mapping in c.mappings]
    shared = dict.fromkeys((mapping.source, mapping.code) for _, mapping in mapped)
    terms = {term: number for number, term in enumerate(shared, 1)}
    # Only some dictionaries come with names of their terms.
    names = {(m.source, m.code): c.names[0].name for c in every for m in c.mappings if m.source == "ICD-10-WHO"}
    yield _insert(
        "concept_reference_term",
        f"concept_reference_term_id, concept_source_id, code, name, {_RETIRED}",
        (
            (number, sources[source], code, names.get((source, code)), *_retired((source, code) == _OLD_TERM))
            for (source, code), number in terms.items()
        ),
    )
    yield _insert(
        "concept_reference_map",
        "concept_map_id, concept_id, concept_reference_term_id, concept_map_type_id",
        (
            (number, concept, terms[mapping.source, mapping.code], map_types[mapping.map_type])
            for number, (concept, mapping) in enumerate(mapped, 1)
        ),
    )


def _staff() -> Iterator[str]:
    yield _insert("person", "person_id, gender", ((who.person, who.gender) for who in metadata.STAFF))
    yield _insert(
        "person_name",
        "person_name_id, person_id, preferred, given_name, family_name",
        (
            *((who.person, who.person, True, who.given_name, who.family_name) for who in metadata.STAFF),
            # Before she married; no longer the preferred one.
            (len(metadata.STAFF) + 1, 2, False, "Grace", "Njoroge"),
        ),
    )
    # Nobody can log in: there are no passwords.
    users = [
        (who.user, f"{who.user}-{who.person}", who.username, who.person, *_retired(who.retired))
        for who in metadata.users()
    ]
    users.append((metadata.DAEMON_USER, "daemon", "daemon", 1, *_retired(False)))
    for user, person, name, _, retired in metadata.MORE_USERS:
        users.append((user, f"{user}-{person}", name, person, *_retired(retired)))
    yield _insert("users", f"user_id, system_id, username, person_id, {_RETIRED}", users)
    has = [(who.user, who.role) for who in metadata.users()]
    has += [(user, role) for user, _, _, roles, _ in metadata.MORE_USERS for role in roles]
    yield _insert("role", "role, description", ((role, role) for role in dict.fromkeys(role for _, role in has)))
    yield _insert("user_role", "user_id, role", has)
    providers = [
        (who.provider, who.person, None, who.identifier, *_retired(who.retired))
        for who in metadata.STAFF
        if who.provider
    ]
    providers.append((metadata.VISITING_PROVIDER, None, "Visiting Surgeon", None, *_retired(False)))
    yield _insert("provider", f"provider_id, person_id, name, identifier, {_RETIRED}", providers)


def _places() -> Iterator[str]:
    yield _named_table("location_tag", metadata.LOCATION_TAGS)
    yield _insert(
        "location",
        f"location_id, {_NAMED}, parent_location, address1, latitude, longitude, city_village, country",
        (
            (*_named(place), place.parent, place.street, *place.position, "Mto Kijani", "Umoja")
            for place in metadata.LOCATIONS
        ),
    )
    yield _insert(
        "location_tag_map",
        "location_id, location_tag_id",
        ((place.id, tag) for place in metadata.LOCATIONS for tag in place.tags),
    )


def _types() -> Iterator[str]:
    yield _named_table("encounter_type", metadata.ENCOUNTER_TYPES)
    yield _named_table("visit_type", metadata.VISIT_TYPES)
    yield _named_table("encounter_role", metadata.ENCOUNTER_ROLES)
    yield _named_table("patient_identifier_type", metadata.IDENTIFIER_TYPES)
    # Only this table calls the reason so.
    columns = _NAMED.replace("retire_reason", "retired_reason")
    yield _insert(
        "form",
        f"form_id, {columns}, version, encounter_type, published",
        ((*_named(form), form.version, form.encounter_type, not form.retired) for form in metadata.FORMS),
    )
    yield _insert(
        "person_attribute_type",
        f"person_attribute_type_id, {_NAMED}, format",
        ((*_named(kind), form) for kind, form in metadata.PERSON_ATTRIBUTE_TYPES),
    )
    yield _insert(
        "visit_attribute_type",
        f"visit_attribute_type_id, {_NAMED}, datatype, min_occurs",
        ((*_named(kind), datatype, 0) for kind, datatype in metadata.VISIT_ATTRIBUTE_TYPES),
    )


def _orders_and_programs() -> Iterator[str]:
    yield _insert(
        "order_type",
        f"order_type_id, {_NAMED}, java_class_name",
        ((*_named(kind), java_class) for kind, java_class in metadata.ORDER_TYPES),
    )
    yield _insert(
        "care_setting",
        f"care_setting_id, {_NAMED}, care_setting_type",
        ((*_named(setting), setting.name.upper()) for setting in metadata.CARE_SETTINGS),
    )
    yield _insert(
        "order_frequency",
        "order_frequency_id, concept_id, frequency_per_day",
        ((number, concept_id(key), times) for number, key, times in metadata.FREQUENCIES),
    )
    yield _insert(
        "program",
        "program_id, concept_id, outcomes_concept_id, name, description, retired",
        (
            (number, concept_id(key), concept_id(outcomes) if outcomes else None, *rest)
            for number, key, outcomes, *rest in metadata.PROGRAMS
        ),
    )
    yield _insert(
        "drug",
        f"drug_id, uuid, name, concept_id, dosage_form, route, {_RETIRED}",
        (
            (drug.id, drug.uuid, drug.name, *concept_ids(drug.concept, drug.form, "160240"),
             *_retired(drug.retired))
            for drug in metadata.DRUGS
        ),
    )  # fmt: skip


def _appointment_services() -> Iterator[str]:
    yield _insert(
        "appointment_speciality",
        "speciality_id, name, uuid, voided",
        ((what.id, what.name, what.uuid, False) for what in metadata.SPECIALITIES),
    )
    yield _insert(
        "appointment_service",
        "appointment_service_id, name, speciality_id, start_time, end_time, duration_mins, color, "
        "max_appointments_limit, description, initial_appointment_status, voided, location_id",
        ((*service, metadata.OUTPATIENTS) for service in metadata.SERVICES),
    )
    yield _insert(
        "appointment_service_type",
        "appointment_service_type_id, appointment_service_id, name, duration_mins, voided",
        metadata.SERVICE_TYPES,
    )


def _settings() -> str:
    true, false, weight, height = concept_ids("TRUE", "FALSE", "5089", "5090")
    settings = {
        "concept.true": str(true),
        "concept.false": str(false),
        "concept.weight": str(weight),
        "concept.height": str(height),
        "default_locale": "en",
        "locale.allowed.list": "en, fr, sw",
    }
    return _insert("global_property", "property, property_value", settings.items())


def statements() -> Iterator[str]:
    """The INSERT statements, each for one table."""
    yield from _staff()
    yield from _places()
    yield from _types()
    yield from _concepts()
    yield from _orders_and_programs()
    yield from _appointment_services()
    yield _settings()
