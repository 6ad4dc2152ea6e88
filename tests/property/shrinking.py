"""Make a failing case small: few tables, columns and events, so that a person sees what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Final

from tests.property.convergence import Case
from tests.property.examples import moved
from tests.property.histories import Event, History, final_rows, loose_ends

Differences = Callable[[Case], dict[str, dict[int, str]]]

_CANDIDATES: Final = 40
"""Shorter histories that are tried side by side: each as a clinic of its own, all in one job."""


def shrunk(case: Case, differences: Differences, jobs: int = 40) -> Case:
    """Return a smaller case of one clinic that fails, too; at most so many jobs are run for it."""
    shrinking = _Shrinking(differences, jobs)
    found = differences(case)
    if not found:
        return case  # it does not fail each time
    numbers = sorted({number for problems in found.values() for number in problems if number})
    number = numbers[0] if numbers else 1
    case = shrinking.first(case, [replace(case, clinics=[moved(case.clinics[number - 1], 1)])])
    if len(case.clinics) > 1:
        return case  # it takes several clinics
    case = shrinking.fewer_tables(case)
    case = shrinking.shorter_clinic(case)
    case = shrinking.shorter_dictionary(case)
    return shrinking.shorter_clinic(shrinking.fewer_tables(case))


class _Shrinking:
    def __init__(self, differences: Differences, jobs: int) -> None:
        self._differences, self._jobs = differences, jobs

    def _fails(self, case: Case) -> dict[str, dict[int, str]]:
        if not self._jobs:
            return {}
        self._jobs -= 1
        return self._differences(case)

    def first(self, case: Case, smaller: Iterable[Case]) -> Case:
        """The first of the smaller cases that fails, else the case itself."""
        return next((each for each in smaller if self._fails(each)), case)

    def fewer_tables(self, case: Case) -> Case:
        """Leave out tables and columns."""
        for name in list(case.tables):
            others = {other: table for other, table in case.tables.items() if other != name}
            if others:
                case = self.first(case, [replace(case, tables=others)])
        for name in list(case.tables):
            for column in list(case.tables[name].get("columns", {})):
                tables = deepcopy(dict(case.tables))
                del tables[name]["columns"][column]
                if tables[name]["columns"]:
                    case = self.first(case, [replace(case, tables=tables)])
        return case

    def shorter_clinic(self, case: Case) -> Case:
        """Leave out events of the clinic: many shorter histories are tried in one job."""
        (history,) = case.clinics
        parts = 2
        while self._jobs and len(history) > 1:
            candidates = [each for each in _without(history, parts) if _is_whole(each, case.dictionary)]
            candidates = candidates[:_CANDIDATES]
            clinics = [moved(each, number) for number, each in enumerate(candidates, 1)]
            found = self._fails(replace(case, clinics=clinics)) if clinics else {}
            failing = {number for problems in found.values() for number in problems if number}
            if failing:
                history = min((candidates[number - 1] for number in failing), key=len)
                parts = max(2, parts - 1)
            elif parts >= len(history):
                break
            else:
                parts = min(parts * 2, len(history))
        smaller = replace(case, clinics=[history])
        return self.first(case, [smaller]) if len(history) < len(case.clinics[0]) else case

    def shorter_dictionary(self, case: Case) -> Case:
        """Leave out what happened to the dictionary."""
        parts = 1
        while self._jobs and parts <= len(case.dictionary):
            smaller = [
                replace(case, dictionary=each)
                for each in _without(case.dictionary, parts)
                if _is_whole(case.clinics[0], each)
            ]
            found = self.first(case, smaller[: self._jobs])
            case, parts = (found, parts) if found is not case else (case, parts * 2)
        return case


def _without(history: History, parts: int) -> Iterator[Sequence[Event]]:
    """The history without one of so many parts."""
    size = -(-len(history) // parts)
    for start in range(0, len(history), size):
        yield [*history[:start], *history[start + size :]]


def _is_whole(clinic: History, dictionary: History) -> bool:
    """Whether a source can be so at the end."""
    rows = final_rows(dictionary, clinic)
    return bool(rows["concept"]) and not loose_ends(rows)
