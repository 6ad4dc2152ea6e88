"""Tables from the sets of a dictionary, where nothing tells how often its concepts are used."""

from __future__ import annotations

from ozone_gen.flattening.core import CORE_TABLES
from ozone_gen.openmrs.dictionary import Concept, Dictionary
from ozone_gen.suggest.names import Names
from ozone_gen.suggest.references import References
from ozone_gen.suggest.tables import By, Columns, Found, SuggestedTable, Suggestion, name_of_code


def suggest_from_sets(dictionary: Dictionary, references: References) -> Suggestion:
    """A table for each set whose members can be observed: OpenMRS records laboratory panels and the like as groups."""
    concepts = {concept.id: concept for concept in dictionary.concepts}
    names = Names(CORE_TABLES)
    found = []
    for group in dictionary.concepts:
        reference = references.concept(group) if group.members and not group.retired else None
        if reference is None:
            continue
        columns = Columns(By.GROUP, references)
        made = [columns.column(member) for member in _members(group, concepts)]
        kept = tuple(column for column in made if column is not None)
        if not kept:
            continue
        what = group.name or group.uuid
        called = (group.name, *group.names.values())
        name = names.name(called, By.GROUP.prefix, name_of_code(reference), numbered=False)
        declaration = {"rows": By.GROUP.grain.value, "group": reference}
        table = SuggestedTable(By.GROUP, what, name, declaration, kept, (), len(made) - len(kept), None)
        found.append(Found(By.GROUP, what, None, table))
    return Suggestion(tuple(found))


def _members(group: Concept, concepts: dict[int, Concept]) -> list[Concept]:
    """The members that are in use, in their order; the sets among them are groups of their own."""
    members = (concepts.get(member) for member in group.members)
    return [each for each in members if each is not None and not each.retired and not each.members]
