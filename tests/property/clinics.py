"""A small clinic whose records are made and changed at random: each history is one, in a range of ids of its own."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tests.property.dictionary import ANSWERS, DRUGS, FALSE, GROUPS, NAMED, QUESTIONS, TRUE, uuid_of
from tests.property.histories import Row, Source

STRIDE: Final = 1000
"""Ids of a clinic's records: from its number times this on."""

MOMENTS: Final = tuple(
    datetime.datetime.fromisoformat(each)
    for each in (
        "1899-12-31 23:59:59", "1950-03-01 00:00:00", "1969-12-31 00:00:01", "1969-12-31 23:59:59",
        "1970-01-01 00:00:00", "2000-02-29 12:30:00", "2024-02-28 08:00:00", "2024-02-29 08:00:00",
        "2024-02-29 08:00:01", "2024-03-01 00:00:00", "2024-12-31 23:59:59",
    )
)  # fmt: skip
BIRTHDATES: Final = (
    *(moment.date() for moment in MOMENTS), datetime.date(2000, 3, 1), datetime.date(2026, 5, 5), None,
)  # fmt: skip
NUMBERS: Final = (0, 1, 2.5, 3.5, -2.5, 0.1, 0.2, 36.6, 70, 70.25, 1e7, 12345678.9, 1e10, 0.0005, 1e-5, None)
TEXTS: Final = ("", "a", "B", "10", "9", "ünïcode", "a; b", "two\nlines", "tab\there", 'quote "', None)


class Clinic:
    """One clinic's records in a source that has a dictionary."""

    def __init__(self, source: Source, number: int, chance: random.Random, asked: Sequence[int]) -> None:
        """Make it up: a few people, visits, encounters and observations, most of them answers to what is asked."""
        self.source = source
        self._first = number * STRIDE
        self._chance = chance
        self._asked = tuple(asked)
        self._next = dict.fromkeys(("person", "visit", "encounter", "obs"), 0)
        for _ in range(chance.randint(2, 3)):
            self._new_person()
        for _ in range(chance.randint(1, 3)):
            self._new_visit()
        for _ in range(chance.randint(1, 4)):
            self._new_encounter()
        for _ in range(chance.randint(2, 10)):
            self._new_obs()

    def live(self, steps: int) -> None:
        """Change something, over and over."""
        ways: Sequence[tuple[int, Callable[[], object]]] = (
            (20, self._change_obs), (8, self._void_obs), (8, self._new_obs), (6, self._move_obs), (5, self._delete_obs),
            (4, self._group_obs), (3, self._again), (4, self._change_encounter), (3, self._void_encounter),
            (2, self._new_encounter), (2, self._delete_encounter), (3, self._change_visit), (2, self._void_visit),
            (1, self._new_visit), (1, self._delete_visit), (3, self._void_patient), (2, self._change_person),
            (1, self._merge), (1, self._new_person),
        )  # fmt: skip
        weights = [weight for weight, _ in ways]
        for _ in range(steps):
            ((_, change),) = self._chance.choices(ways, weights)
            change()

    def _id(self, table: str) -> int:
        self._next[table] += 1
        return self._first + self._next[table]

    def _mine(self, table: str) -> list[Row]:
        return [
            row for key, row in sorted(self.source.rows[table].items()) if key[0] // STRIDE * STRIDE == self._first
        ]

    def _some(self, table: str) -> Row | None:
        rows = self._mine(table)
        return self._chance.choice(rows) if rows else None

    def _maybe(self, table: str, key: str, likely: float = 0.8) -> Any:
        row = self._some(table)
        return row[key] if row and self._chance.random() < likely else None

    # --- people

    def _new_person(self) -> None:
        chance, id = self._chance, self._id("person")
        person = {"person_id": id, "uuid": uuid_of("person", id), "gender": chance.choice("FM"), "voided": False}
        person |= {"birthdate": chance.choice(BIRTHDATES), "birthdate_estimated": False, "dead": False}
        self.source.put("person", person | {"date_created": MOMENTS[-1]})
        if id == self._first + 1 or chance.random() < 0.8:
            self.source.put("patient", {"patient_id": id, "voided": False, "date_created": chance.choice(MOMENTS)})

    def _change_person(self) -> None:
        chance, person = self._chance, self._some("person")
        assert person
        ways: tuple[Mapping[str, Any], ...] = (
            {"birthdate": chance.choice(BIRTHDATES)},
            {"gender": chance.choice(("F", "M", "", None))},
            {"dead": not person["dead"], "death_date": chance.choice((None, *MOMENTS))},
            {"birthdate_estimated": not person["birthdate_estimated"]},
        )
        self.source.change("person", person, **chance.choice(ways))

    def _void_patient(self) -> None:
        patient = self._some("patient")
        assert patient
        self.source.change("patient", patient, voided=not patient["voided"])

    def _merge(self) -> None:
        """All that one patient has becomes another's, and the patient is voided."""
        patients = self._mine("patient")
        if len(patients) > 1:
            winner, loser = self._chance.sample(patients, 2)
            for table, column in (("visit", "patient_id"), ("encounter", "patient_id"), ("obs", "person_id")):
                for row in self._mine(table):
                    if row[column] == loser["patient_id"]:
                        self.source.change(table, row, **{column: winner["patient_id"]})
            self.source.change("patient", loser, voided=True)

    # --- visits and encounters

    def _new_visit(self) -> None:
        id = self._id("visit")
        self.source.put("visit", {"visit_id": id, "uuid": uuid_of("visit", id), "voided": False, **self._of_visit()})

    def _of_visit(self) -> Row:
        chance = self._chance
        return {
            "patient_id": self._maybe("patient", "patient_id", 1),
            "visit_type_id": chance.choice(NAMED["visit_type"]),
            "location_id": chance.choice((None, *NAMED["location"])),
            "date_started": chance.choice(MOMENTS),
            "date_stopped": chance.choice((None, *MOMENTS)),
        }

    def _change_visit(self) -> None:
        self._change_one("visit", self._of_visit())

    def _void_visit(self) -> None:
        self._void("visit")

    def _delete_visit(self) -> None:
        self._delete("visit")

    def _new_encounter(self) -> None:
        id = self._id("encounter")
        row = {"encounter_id": id, "uuid": uuid_of("encounter", id), "voided": False}
        self.source.put("encounter", row | self._of_encounter())

    def _of_encounter(self) -> Row:
        chance = self._chance
        return {
            "patient_id": self._maybe("patient", "patient_id", 1),
            "encounter_type": chance.choice(NAMED["encounter_type"]),
            "form_id": chance.choice((None, *NAMED["form"])),
            "location_id": chance.choice((None, *NAMED["location"])),
            "visit_id": self._maybe("visit", "visit_id"),
            "encounter_datetime": chance.choice(MOMENTS),
        }

    def _change_encounter(self) -> None:
        self._change_one("encounter", self._of_encounter())

    def _void_encounter(self) -> None:
        self._void("encounter")

    def _delete_encounter(self) -> None:
        self._delete("encounter")

    # --- observations

    def _new_obs(self) -> None:
        chance, id = self._chance, self._id("obs")
        concept = chance.choice((*GROUPS, *self._asked * 2, chance.choice(list(QUESTIONS))))
        self.source.put(
            "obs",
            {
                "obs_id": id,
                "uuid": uuid_of("obs", id),
                "voided": False,
                "person_id": self._maybe("person", "person_id", 1),
                "encounter_id": self._maybe("encounter", "encounter_id", 0.9),
                "obs_datetime": chance.choice(MOMENTS),
                "obs_group_id": self._some_group(id),
                "concept_id": concept,
                **self._value(concept),
            },
        )

    def _some_group(self, of: int) -> int | None:
        """A group made before, so that none contains itself."""
        before = [row for row in self._mine("obs") if row["obs_id"] < of]
        groups: list[int] = [row["obs_id"] for row in before if row["concept_id"] in GROUPS]
        return self._chance.choice((None, *groups))

    def _value(self, concept: int) -> Row:
        chance = self._chance
        match QUESTIONS.get(concept):
            case None:
                return {}
            case "Numeric":
                return {"value_numeric": chance.choice(NUMBERS)}
            case "Text":
                return {"value_text": chance.choice(TEXTS)}
            case "Date" | "Datetime" | "Time":
                return {"value_datetime": chance.choice((None, *MOMENTS))}
            case "Boolean":
                return {"value_coded": chance.choice((None, TRUE, TRUE, FALSE, FALSE, 51))}
            case "Complex":
                return {"value_complex": chance.choice(TEXTS)}
        if concept == 45:
            return {"value_drug": chance.choice((None, *DRUGS)), "value_coded": chance.choice((None, *ANSWERS))}
        return {"value_coded": chance.choice((None, TRUE, *ANSWERS, *ANSWERS))}

    def _change_obs(self) -> None:
        if obs := self._some("obs"):
            chance = self._chance
            concept = obs["concept_id"]
            if concept in QUESTIONS and chance.random() < 0.25:
                concept = chance.choice(self._asked)
            values = self._value(concept)
            if chance.random() < 0.3:
                values["obs_datetime"] = chance.choice(MOMENTS)
            self.source.change("obs", obs, concept_id=concept, **values)

    def _void_obs(self) -> None:
        self._void("obs")

    def _move_obs(self) -> None:
        if obs := self._some("obs"):
            self._change_one(
                "obs",
                {
                    "encounter_id": self._maybe("encounter", "encounter_id"),
                    "person_id": self._maybe("person", "person_id", 1),
                },
                obs,
            )

    def _group_obs(self) -> None:
        if obs := self._some("obs"):
            self.source.change("obs", obs, obs_group_id=self._some_group(obs["obs_id"]))

    def _delete_obs(self) -> None:
        self._delete("obs")

    def _again(self) -> None:
        """Deleted, and inserted under the same key."""
        obs = self._some("obs")
        if obs and self.source.delete("obs", obs):
            self.source.put("obs", obs | self._value(obs["concept_id"]))

    # --- anything

    def _change_one(self, table: str, values: Row, row: Row | None = None) -> None:
        """Change one or two of these columns."""
        row = row or self._some(table)
        if row:
            names = self._chance.sample(sorted(values), self._chance.choice((1, 1, 2)))
            self.source.change(table, row, **{name: values[name] for name in names})

    def _void(self, table: str) -> None:
        if row := self._some(table):
            self.source.change(table, row, voided=not row["voided"])

    def _delete(self, table: str) -> None:
        if row := self._some(table):
            self.source.delete(table, row)
