"""What an own table has to hold, worked out row by row in plain Python.

Written from docs/language.md alone, for declarations that no batch query was written for: it looks at nothing of
ozone_gen. A contract test compares it with the batch queries in tests/oracle/language, which were written by hand.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

Row = Mapping[str, Any]
Declaration = Mapping[str, Any]

_VALUES: Final = {
    "numeric": "value_numeric", "integer": "value_numeric", "text": "value_text", "date": "value_datetime",
    "datetime": "value_datetime", "time": "value_datetime", "coded": "value_coded", "boolean": "value_coded",
    "drug": "value_drug", "complex": "value_complex",
}  # fmt: skip
_TYPES: Final = {
    "Numeric": "numeric", "Coded": "coded", "Text": "text", "Date": "date", "Datetime": "datetime", "Time": "time",
    "Boolean": "boolean", "Complex": "complex",
}  # fmt: skip
_OF_ENCOUNTER: Final = (
    "encounter_datetime", "encounter_type", "form_name", "location", "location_uuid", "visit_id", "visit_uuid",
    "visit_type",
)  # fmt: skip
_OF_OBSERVATION: Final = ("encounter_id", "encounter_uuid", *_OF_ENCOUNTER, "patient_id", "patient_uuid")
_CONTEXT: Final[Mapping[str, tuple[str, ...]]] = {
    "patient": (
        "site", "patient_id", "patient_uuid", "gender", "birthdate", "birthdate_estimated", "dead", "death_date",
        "date_created",
    ),
    "visit": (
        "site", "visit_id", "visit_uuid", "date_started", "date_stopped", "visit_type", "location", "location_uuid",
        "patient_id", "patient_uuid",
    ),
    "encounter": ("site", "encounter_id", "encounter_uuid", *_OF_ENCOUNTER, "patient_id", "patient_uuid"),
    "obs_group": ("site", "obs_group_id", "obs_group_uuid", "obs_datetime", *_OF_OBSERVATION),
    "obs": (
        "site", "obs_id", "obs_uuid", "obs_datetime", "question_label", "question_uuid", "obs_group_id",
        *_OF_OBSERVATION,
    ),
}  # fmt: skip
KEYS: Final[Mapping[str, str]] = {
    "patient": "patient_id", "visit": "visit_id", "encounter": "encounter_id", "obs_group": "obs_group_id",
    "obs": "obs_id",
}  # fmt: skip
_BELOW: Final[Mapping[str, frozenset[str]]] = {
    "patient": frozenset({"encounter_types", "forms", "visit_types", "locations"}),
    "visit": frozenset({"encounter_types", "forms"}),
}
"""Filters on what lies below a row: they choose observations."""


class Reference:
    """The rows of a source, and what a table over them has to hold."""

    def __init__(self, rows: Mapping[str, Iterable[Row]], site: str, locales: Sequence[str]) -> None:
        """Index the rows of the source's tables by their ids."""

        def indexed(table: str, key: str = "") -> dict[Any, Row]:
            return {row[key or f"{table}_id"]: row for row in rows.get(table, ())}

        self._site = site
        self._locales = locales
        self._obs, self._encounters, self._visits = indexed("obs"), indexed("encounter"), indexed("visit")
        self._patients, self._persons = indexed("patient"), indexed("person")
        self._concepts, self._drugs = indexed("concept"), indexed("drug")
        self._datatypes = indexed("concept_datatype")
        self._kinds = {
            "encounter_types": indexed("encounter_type"),
            "visit_types": indexed("visit_type"),
            "forms": indexed("form"),
            "locations": indexed("location"),
        }
        self._names: dict[int, list[Row]] = defaultdict(list)
        for name in rows.get("concept_name", ()):
            self._names[name["concept_id"]].append(name)
        terms = indexed("concept_reference_term")
        sources = indexed("concept_reference_source", "concept_source_id")
        ways = indexed("concept_map_type")
        self._mappings: list[tuple[int, str, str, bool]] = []  # concept, source, code, whether it is the same
        for mapping in rows.get("concept_reference_map", ()):
            term = terms[mapping["concept_reference_term_id"]]
            source = sources[term["concept_source_id"]]["name"]
            same = ways[mapping["concept_map_type_id"]]["name"] == "SAME-AS"
            self._mappings.append((mapping["concept_id"], source, term["code"], same))
        self._ids: dict[str, int | None] = {}
        properties = {row["property"]: row["property_value"] for row in rows.get("global_property", ())}
        self._truths: dict[int, bool] = {}
        for property_name in ("concept.false", "concept.true"):
            wanted = properties.get(property_name)
            for concept in self._concepts.values():
                if wanted in (str(concept["concept_id"]), concept["uuid"]):
                    self._truths[concept["concept_id"]] = property_name == "concept.true"

    def table(self, declared: Declaration) -> list[dict[str, Any]]:
        """The rows of a declared table, as its ozone.yaml says it."""
        grain = declared["rows"]
        context = declared.get("context") or _CONTEXT[grain]
        if KEYS[grain] not in context:
            context = (KEYS[grain], *context)
        things: Mapping[str, Callable[[Declaration], Iterable[tuple[Row, list[Row]]]]] = {
            "patient": self._of_patients, "visit": self._of_visits, "encounter": self._of_encounters,
            "obs_group": self._of_groups, "obs": self._of_observations,
        }  # fmt: skip
        made = []
        for facts, observations in things[grain](declared):
            row = {name: facts[name] for name in context}
            for name, column in declared.get("columns", {}).items():
                row[name] = self._cell({"concept": column} if isinstance(column, str) else column, observations)
            made.append(row)
        return made

    # --- rows, each with the observations in its reach

    def _of_patients(self, declared: Declaration) -> Iterable[tuple[Row, list[Row]]]:
        chooses = any(declared.get(name) for name in _BELOW["patient"])
        seen = defaultdict(list)
        for obs in self._live_observations():
            encounter = self._encounters.get(obs["encounter_id"])
            in_reach = not chooses if encounter is None else self._encounter_passes(encounter, declared, "patient")
            if in_reach and self._since(declared, obs["obs_datetime"]):
                seen[obs["person_id"]].append(obs)
        for patient in self._patients.values():
            if not patient["voided"]:
                person = self._persons[patient["patient_id"]]
                yield {
                    "site": self._site, "patient_id": patient["patient_id"], "patient_uuid": person["uuid"],
                    "gender": person["gender"], "birthdate": person["birthdate"],
                    "birthdate_estimated": person["birthdate_estimated"], "dead": person["dead"],
                    "death_date": person["death_date"], "date_created": patient["date_created"],
                }, seen[patient["patient_id"]]  # fmt: skip

    def _of_visits(self, declared: Declaration) -> Iterable[tuple[Row, list[Row]]]:
        seen = defaultdict(list)
        for obs in self._live_observations():
            encounter = self._encounters.get(obs["encounter_id"])
            if encounter and self._encounter_passes(encounter, declared, "visit"):
                seen[encounter["visit_id"]].append(obs)
        for visit in self._visits.values():
            if visit["voided"] or self._patients[visit["patient_id"]]["voided"]:
                continue
            if not self._is_one_of(declared, "visit_types", visit["visit_type_id"]):
                continue
            if not self._is_one_of(declared, "locations", visit["location_id"]):
                continue
            if self._since(declared, visit["date_started"]):
                facts = {
                    "site": self._site, "visit_id": visit["visit_id"], "visit_uuid": visit["uuid"],
                    "date_started": visit["date_started"], "date_stopped": visit["date_stopped"],
                    **self._named("visit_type", "visit_types", visit["visit_type_id"]),
                    **self._named("location", "locations", visit["location_id"]),
                    **self._who(visit["patient_id"], visit["date_started"]),
                }  # fmt: skip
                yield facts, seen[visit["visit_id"]]

    def _of_encounters(self, declared: Declaration) -> Iterable[tuple[Row, list[Row]]]:
        seen = defaultdict(list)
        for obs in self._live_observations():
            seen[obs["encounter_id"]].append(obs)
        for encounter in self._encounters.values():
            if self._patients[encounter["patient_id"]]["voided"]:
                continue
            if not self._encounter_passes(encounter, declared, "encounter"):
                continue
            if self._since(declared, encounter["encounter_datetime"]):
                facts = {
                    "site": self._site,
                    **self._of_encounter(encounter),
                    **self._who(encounter["patient_id"], encounter["encounter_datetime"]),
                }
                yield facts, seen[encounter["encounter_id"]]

    def _of_groups(self, declared: Declaration) -> Iterable[tuple[Row, list[Row]]]:
        members = defaultdict(list)
        for obs in self._live_observations():
            members[obs["obs_group_id"]].append(obs)
        for obs in self._observed_rows(declared, [declared["group"]]):
            facts = {"obs_group_id": obs["obs_id"], "obs_group_uuid": obs["uuid"], **self._of_observed(obs)}
            yield facts, members[obs["obs_id"]]

    def _of_observations(self, declared: Declaration) -> Iterable[tuple[Row, list[Row]]]:
        for obs in self._observed_rows(declared, declared.get("concepts") or ()):
            facts = {
                "obs_id": obs["obs_id"], "obs_uuid": obs["uuid"], "question_label": self._name(obs["concept_id"]),
                "question_uuid": self._concepts[obs["concept_id"]]["uuid"], "obs_group_id": obs["obs_group_id"],
                **self._of_observed(obs),
            }  # fmt: skip
            yield facts, [obs]

    def _live_observations(self) -> Iterable[Row]:
        return (obs for obs in self._obs.values() if not obs["voided"])

    def _observed_rows(self, declared: Declaration, concepts: Sequence[str]) -> Iterable[Row]:
        wanted = self._concept_ids(concepts)
        for obs in self._live_observations():
            encounter = self._encounters.get(obs["encounter_id"])
            patient = self._patients.get(obs["person_id"])
            if (concepts and obs["concept_id"] not in wanted) or (patient and patient["voided"]):
                continue
            if encounter and encounter["voided"]:
                continue
            of_nothing: dict[str, None] = dict.fromkeys(("encounter_type", "form_id", "location_id", "visit_id"))
            if self._encounter_passes(encounter or of_nothing, declared, "obs") and self._since(
                declared, obs["obs_datetime"]
            ):
                yield obs

    # --- filters

    def _encounter_passes(self, encounter: Row, declared: Declaration, grain: str) -> bool:
        """Whether it is not voided, and the filters that are about it at this grain let it through."""
        if encounter.get("voided"):
            return False
        visit = self._visit_of(encounter)
        facts = {
            "encounter_types": encounter["encounter_type"],
            "forms": encounter["form_id"],
            "locations": encounter["location_id"],
            "visit_types": visit["visit_type_id"] if visit else None,
        }
        about = _BELOW.get(grain, facts.keys())
        return all(self._is_one_of(declared, name, facts[name]) for name in about)

    def _is_one_of(self, declared: Declaration, kind: str, thing: int | None) -> bool:
        wanted = declared.get(kind)
        if not wanted:
            return True
        found = self._kinds[kind].get(thing)
        return found is not None and (found["name"] in wanted or found["uuid"] in wanted)

    @staticmethod
    def _since(declared: Declaration, moment: datetime.datetime) -> bool:
        first = declared.get("from")
        return first is None or moment >= datetime.datetime.fromisoformat(str(first))

    # --- context

    def _visit_of(self, encounter: Row) -> Row | None:
        """A voided visit counts as absent."""
        visit = self._visits.get(encounter["visit_id"])
        return None if visit is None or visit["voided"] else visit

    def _named(self, name: str, kind: str, thing: int | None) -> dict[str, Any]:
        found = self._kinds[kind].get(thing)
        return {name: found["name"] if found else None, f"{name}_uuid": found["uuid"] if found else None}

    def _who(self, person_id: int, moment: datetime.datetime) -> dict[str, Any]:
        person = self._persons[person_id]
        return {
            "patient_id": person_id,
            "patient_uuid": person["uuid"],
            "patient_gender": person["gender"],
            "patient_birthdate": person["birthdate"],
            "patient_age": whole_years(person["birthdate"], moment.date()),
        }

    def _of_encounter(self, encounter: Row | None) -> dict[str, Any]:
        if encounter is None:
            nothing = dict.fromkeys(("encounter_id", "uuid", "encounter_datetime", "encounter_type", "form_id",
                                     "location_id", "visit_id"))  # fmt: skip
            encounter = nothing
        visit = self._visit_of(encounter)
        form = self._kinds["forms"].get(encounter["form_id"])
        return {
            "encounter_id": encounter["encounter_id"],
            "encounter_uuid": encounter["uuid"],
            "encounter_datetime": encounter["encounter_datetime"],
            **self._named("encounter_type", "encounter_types", encounter["encounter_type"]),
            "form_name": form["name"] if form else None,
            "form_uuid": form["uuid"] if form else None,
            "form_version": form["version"] if form else None,
            **self._named("location", "locations", encounter["location_id"]),
            **self._named("visit_type", "visit_types", visit["visit_type_id"] if visit else None),
            "visit_id": visit["visit_id"] if visit else None,
            "visit_uuid": visit["uuid"] if visit else None,
            "visit_date_started": visit["date_started"] if visit else None,
            "visit_date_stopped": visit["date_stopped"] if visit else None,
        }

    def _of_observed(self, obs: Row) -> dict[str, Any]:
        return {
            "site": self._site,
            "obs_datetime": obs["obs_datetime"],
            **self._of_encounter(self._encounters.get(obs["encounter_id"])),
            **self._who(obs["person_id"], obs["obs_datetime"]),
        }

    # --- the dictionary

    def _concept_ids(self, references: Iterable[str]) -> set[int]:
        return {found for each in references if (found := self._concept_id(each)) is not None}

    def _concept_id(self, reference: str) -> int | None:
        """The concept of a uuid or a SAME-AS mapping; of several the least."""
        # Every cell asks, and looking is a pass over the whole dictionary.
        if reference not in self._ids:
            self._ids[reference] = self._looked_up(reference)
        return self._ids[reference]

    def _looked_up(self, reference: str) -> int | None:
        if ":" in reference:
            source, code = reference.split(":", 1)
            ids = [each for each, of, term, same in self._mappings if same and (of, term) == (source, code)]
        else:
            ids = [each["concept_id"] for each in self._concepts.values() if each["uuid"] == reference]
        return min(ids, default=None)

    def _name(self, concept_id: int | None) -> str | None:
        """The best name that is not voided."""

        def rank(name: Row) -> tuple[Any, ...]:
            place = 2 * len(self._locales)
            for at, locale in reversed(list(enumerate(self._locales))):
                if name["locale"] == locale:
                    place = 2 * at
                elif name["locale"].startswith(f"{locale}_"):
                    place = 2 * at + 1
            kind = name["concept_name_type"] != "FULLY_SPECIFIED"
            return place, not name["locale_preferred"], kind, name["locale"].encode(), name["concept_name_id"]

        live = [name for name in self._names.get(concept_id or 0, ()) if not name["voided"]]
        return min(live, key=rank)["name"] if live else None

    def _code(self, concept_id: int, source: str) -> str | None:
        codes = [(not same, code.encode()) for of, s, code, same in self._mappings if (of, s) == (concept_id, source)]
        return min(codes)[1].decode() if codes else None

    # --- cells

    def _cell(self, column: Declaration, observations: Sequence[Row]) -> Any:
        concepts = column["concept"]
        concepts = [concepts] if isinstance(concepts, str) else concepts
        kind = self._column_type(column, concepts)
        group = self._concept_ids([column["group"]]) if "group" in column else None
        empty = 0 if column.get("repeat") == "count" else None
        for concept in concepts:
            wanted = self._concept_ids([concept])
            found = [
                obs
                for obs in observations
                if obs["concept_id"] in wanted
                and obs[_VALUES[kind]] is not None
                and (group is None or self._group_of(obs) in group)
            ]
            if kind == "boolean" and column.get("repeat") != "count":
                found = [obs for obs in found if obs["value_coded"] in self._truths]
            if found:  # the first concept that has a value wins
                return self._reduced(column, kind, sorted(found, key=lambda o: (o["obs_datetime"], o["obs_id"])))
        return empty

    def _column_type(self, column: Declaration, concepts: Sequence[str]) -> str:
        if "type" in column:
            return str(column["type"])
        if any(key in column for key in ("value", "answers", "answer")):
            return "coded"
        for concept in concepts:
            found = self._concept_id(concept)
            if found is not None:
                datatype = self._datatypes[self._concepts[found]["datatype_id"]]["name"]
                if datatype in _TYPES:
                    return _TYPES[datatype]
        raise AssertionError(f"{concepts} have no type")

    def _group_of(self, obs: Row) -> int | None:
        """The concept of the group that it is in; a voided one is none."""
        group = self._obs.get(obs["obs_group_id"])
        return None if group is None or group["voided"] else group["concept_id"]

    def _reduced(self, column: Declaration, kind: str, found: Sequence[Row]) -> Any:
        """What becomes of observations with a value, in their order."""
        if "answer" in column:
            answers = column["answer"]
            wanted = self._concept_ids([answers] if isinstance(answers, str) else answers)
            return any(obs["value_coded"] in wanted for obs in found)
        values = [self._value(column, kind, obs[_VALUES[kind]]) for obs in found]
        if "answers" in column:
            known = {each for each in values if each is not None}
            return "; ".join(sorted(known, key=str.encode)) if known else None
        repeat = column.get("repeat", "last")
        match repeat:
            case "last":
                return values[-1]
            case "first":
                return values[0]
            case "count":
                return len(values)
            case "list":
                texts = [as_text(each) for each in values if each is not None]
                return "; ".join(texts) if texts else None
            case "sum" if kind == "integer":
                return sum(values)
            case "sum":
                exact = (Decimal(repr(each)).quantize(Decimal("1e-10"), ROUND_HALF_UP) for each in values)
                return float(sum(exact))
        order = str.encode if kind == "text" else None
        return (min if repeat == "min" else max)(values, key=order)

    def _value(self, column: Declaration, kind: str, value: Any) -> Any:
        """A value in the column's type."""
        match kind:
            case "integer":
                return int(Decimal(repr(value)).quantize(Decimal(1), ROUND_HALF_UP))
            case "date":
                return value.date()
            case "time":
                return value.time()
            case "boolean":
                return self._truths.get(value)
            case "numeric":
                return float(value)
        written = column.get("value", "name")
        if kind == "drug":
            return self._drugs[value][written]
        if kind != "coded":
            return value
        if isinstance(written, Mapping):
            return self._code(value, written["code"])
        return self._concepts[value]["uuid"] if written == "uuid" else self._name(value)


def whole_years(born: datetime.date | None, at: datetime.date) -> int | None:
    """Complete years between two days, negative ones before the birth, as MariaDB's TIMESTAMPDIFF counts them."""
    if born is None:
        return None
    if at < born:
        return -(whole_years(at, born) or 0)
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))


def as_text(value: Any) -> str:
    """A value as an element of a list."""
    if isinstance(value, float):
        text = f"{Decimal(repr(value)).quantize(Decimal('1e-10'), ROUND_HALF_UP):f}"
        return text.rstrip("0").rstrip(".")
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat(sep=" ") if isinstance(value, datetime.datetime) else value.isoformat()
    return str(value)
