"""How the sink's tables differ from those that were rendered, all of them together.

A table that an earlier run did not make is never touched.
"""

import dataclasses
from collections.abc import Iterable, Sequence

from psycopg import sql

from .sink_records import (
    STAGING,
    Relation,
    forget_table,
    owned_tables,
    present_tables,
    record_table,
    refuse_foreign,
    schema_exists,
)
from .sink_tables import (
    Change,
    Connection,
    Plan,
    alter_table,
    canonical_types,
    create_table,
    qualified,
    rename_table,
)


def differences(connection: Connection, plan: Plan) -> list[Change]:
    """What has to be done to the tables that people read, in order, where it is done in place.

    Raises RefusedError where a table of the plan exists and was not made by an earlier run for this site.
    """
    refuse_foreign(connection, plan)
    present = present_tables(connection, plan.site)
    former = predecessors(present, plan)
    types = canonical_types(connection, plan)
    changes = make_schema(connection, plan)
    changes += drop_others(connection, plan, former.values())
    for table in plan.tables:
        relation = former.get(table.name)
        if relation is None:
            changes += create_table(plan.schema, table)
        else:
            changes += rename_table(connection, relation.schema, relation.name, relation.oid, plan, table)
            changes += alter_table(connection, plan.schema, relation.oid, table, types)
    return changes + align_records(connection, plan)


def staged_differences(connection: Connection, plan: Plan, staging: str) -> list[Change]:
    """What has to be done to the tables of a generation that is filled beside; a missing one is made."""
    staged = dataclasses.replace(plan, schema=staging)
    owned = owned_tables(connection, plan.site)
    types = canonical_types(connection, plan)
    changes = make_schema(connection, staged)
    for table in plan.tables:
        oid = owned.get((staging, table.name))
        if oid is None:
            changes += create_table(staging, table)
        else:
            changes += alter_table(connection, staging, oid, table, types)
    return changes


def predecessors(present: Sequence[Relation], plan: Plan) -> dict[str, Relation]:
    """For each table of the plan the one whose place it takes: of its name, or of the name it had before."""
    places = {(relation.schema, relation.name): relation for relation in present}
    schemas = [plan.schema, *sorted({relation.schema for relation in present} - {plan.schema})]
    found: dict[str, Relation] = {}
    for table in plan.tables:
        candidates = (places.get((schema, name)) for schema in schemas for name in (table.name, table.renamed_from))
        for relation in candidates:
            if relation is not None and relation not in found.values():
                found[table.name] = relation
                break
    return found


def make_schema(connection: Connection, plan: Plan) -> list[Change]:
    """The plan's schema, where it is not there yet."""
    if schema_exists(connection, plan.schema):
        return []
    statement = sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(plan.schema))
    return [Change(statement, f"new schema {plan.schema}")]


def drop_others(connection: Connection, plan: Plan, kept: Iterable[Relation]) -> list[Change]:
    """Drop the site's tables that are not among those that are kept."""
    staying = set(kept)
    return [
        drop_table(relation) for relation in present_tables(connection, plan.site) if relation not in staying
    ]


def drop_table(relation: Relation) -> Change:
    """Drop a table, unless something depends on it."""
    statement = sql.SQL("DROP TABLE {}").format(qualified(relation.schema, relation.name))
    return Change(statement, f"{relation.schema}.{relation.name} dropped", refill=False)


def align_records(connection: Connection, plan: Plan) -> list[Change]:
    """Remember exactly the plan's tables as those that people read."""
    owned = {place for place in owned_tables(connection, plan.site) if not place[0].startswith(STAGING)}
    declared = {(plan.schema, table.name) for table in plan.tables}
    changes = [forget_table(plan, *place) for place in sorted(owned - declared)]
    return changes + [record_table(plan, *place) for place in sorted(declared - owned)]


def truncation(connection: Connection, plan: Plan) -> list[Change]:
    """Empties the tables that go on, all at once: there may be foreign keys between them."""
    kept = predecessors(present_tables(connection, plan.site), plan).values()
    names = [qualified(relation.schema, relation.name) for relation in kept]
    if not names:
        return []
    return [Change(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(names)), f"emptied {len(names)} tables")]
