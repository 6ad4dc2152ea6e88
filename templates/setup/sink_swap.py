"""Puts the tables of a generation that was filled beside into the place of the old ones, in one transaction.

A table that nothing depends on is replaced: the new one moves in and gets the old one's grants. The job's connections
follow by themselves: PostgreSQL looks a statement's tables up again when one has moved, along the search_path.
A table that a view, a foreign key, a trigger or the like depends on stays and takes the new one's rows over, which
takes longer, and all that depends on it stays.
"""

import dataclasses
from collections.abc import Iterable, Iterator

from psycopg import sql

from .sink_differences import (
    align_records,
    drop_others,
    drop_table,
    make_schema,
    predecessors,
    staged_differences,
)
from .sink_records import (
    Generation,
    Relation,
    forget_table,
    owned_tables,
    present_tables,
    read_generation,
    record_generation,
    refuse_foreign,
)
from .sink_session import Work, transaction
from .sink_tables import (
    Change,
    Connection,
    Plan,
    Table,
    alter_table,
    canonical_types,
    column_names,
    qualified,
    rename_table,
)
from .waiting import Problem, RefusedError

GO_BACK = "Run migrate again (docker compose up -d does): it begins a new filling; the tables stay as they are."


def swap(connection: Connection, plan: Plan, generation: Generation, lock_timeout_ms: int) -> None:
    """Put the tables of `generation` in place; nothing where they are.

    Raises RefusedError where the sink does not hold this generation whole, or something stands in the way;
    NotReadyError where a table is in use.
    """
    with transaction(connection, lock_timeout_ms) as work:
        work.doing = "reading what is there"
        connection.execute("SELECT 1 FROM ozone_gen.state WHERE site = %s FOR UPDATE", (plan.site,))
        check_generation(connection, plan, generation)
        work.doing = "locking the tables"
        _lock(connection, plan, generation.staging)
        _check_tables(connection, plan, generation.staging)
        _replace(connection, plan, generation.staging, work)
        work.do([record_generation(plan, dataclasses.replace(generation, staging=""))])


def check_generation(connection: Connection, plan: Plan, generation: Generation) -> None:
    """Raise RefusedError where the sink is not at `generation`, whose tables are beside."""
    found = read_generation(connection, plan.site)
    if found != generation or found.fingerprint != plan.fingerprint or not found.staging:
        raise RefusedError(
            Problem("The analytics database belongs to another filling than Flink's volume does.", GO_BACK)
        )


def _lock(connection: Connection, plan: Plan, staging: str) -> None:
    relations = [*present_tables(connection, plan.site), *_staged(connection, plan, staging)]
    names = sql.SQL(", ").join(qualified(each.schema, each.name) for each in relations)
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(names))


def _staged(connection: Connection, plan: Plan, staging: str) -> Iterator[Relation]:
    owned = owned_tables(connection, plan.site)
    missing = [table.name for table in plan.tables if owned.get((staging, table.name)) is None]
    if missing:
        raise RefusedError(
            Problem(f"The tables {', '.join(missing)} are missing from {staging}: a person dropped them.", GO_BACK)
        )
    for table in plan.tables:
        oid = owned[staging, table.name]
        assert oid is not None, "missing ones are refused"
        yield Relation(staging, table.name, oid)


def _check_tables(connection: Connection, plan: Plan, staging: str) -> None:
    changed = [change.words for change in staged_differences(connection, plan, staging) if change.refill]
    if changed:
        raise RefusedError(Problem(f"A person changed the tables in {staging} ({changed[0]}).", GO_BACK))


def _replace(connection: Connection, plan: Plan, staging: str, work: Work) -> None:
    refuse_foreign(connection, plan)
    types = canonical_types(connection, plan)
    former = predecessors(present_tables(connection, plan.site), plan)
    staged = {relation.name: relation for relation in _staged(connection, plan, staging)}
    work.do(make_schema(connection, plan))
    kept = {name: old for name, old in former.items() if _depended_on(connection, old, staged[name])}
    grants = {name: list(_grants(connection, plan, former.get(name), staged[name])) for name in staged}
    work.do(drop_others(connection, plan, former.values()))
    replaced = [former[name] for name in former if name not in kept]
    work.do([dataclasses.replace(drop_table(relation), words="") for relation in replaced])
    work.do(_emptied(kept.values()))
    for table in plan.tables:
        if table.name in kept:
            old = kept[table.name]
            work.do(rename_table(connection, old.schema, old.name, old.oid, plan, table))
            work.do(alter_table(connection, plan.schema, old.oid, table, types))
            work.do(_copied(plan, table, staging))
        else:
            work.do(_moved(plan, table, staging, grants[table.name]))
    work.do([forget_table(plan, staging, table.name) for table in plan.tables])
    work.do(align_records(connection, plan))
    work.do([Change(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(staging)), "")])


def _emptied(kept: Iterable[Relation]) -> list[Change]:
    """All at once: there may be foreign keys between them."""
    names = [qualified(relation.schema, relation.name) for relation in kept]
    return [Change(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(names)), "")] if names else []


def _copied(plan: Plan, table: Table, staging: str) -> list[Change]:
    parts = {
        "target": qualified(plan.schema, table.name),
        "staged": qualified(staging, table.name),
        "columns": column_names([column.name for column in table.columns]),
    }
    copy = "INSERT INTO {target} ({columns}) SELECT {columns} FROM {staged}"
    words = f"{table.name} has the new rows; it was kept for what depends on it"
    return [
        Change(sql.SQL(copy).format(**parts), words),
        Change(sql.SQL("DROP TABLE {staged}").format(**parts), ""),
        Change(sql.SQL("ANALYZE {target}").format(**parts), ""),
    ]


def _moved(plan: Plan, table: Table, staging: str, grants: list[Change]) -> list[Change]:
    statement = sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(
        qualified(staging, table.name), sql.Identifier(plan.schema)
    )
    return [Change(statement, f"{table.name} is the new one"), *grants]


def _depended_on(connection: Connection, old: Relation, new: Relation) -> bool:
    """Whether the old table has anything about it that a new one in its place would not have."""
    row = connection.execute(
        # Views, foreign keys, triggers, policies, publications, functions of its row type, indexes of a person.
        "SELECT EXISTS (SELECT 1 FROM pg_depend d WHERE deptype IN ('n', 'a') AND ("
        "   refclassid = 'pg_class'::regclass AND refobjid = old.oid"
        "   OR refclassid = 'pg_type'::regclass AND refobjid = old.reltype)"
        "  AND NOT (classid = 'pg_constraint'::regclass AND objid IN ("
        "   SELECT oid FROM pg_constraint WHERE conrelid = old.oid AND contype IN ('p', 'n')))"
        "  AND NOT (classid = 'pg_class'::regclass AND objid IN ("
        "   SELECT indexrelid FROM pg_index JOIN pg_class i ON i.oid = indexrelid"
        "   WHERE indrelid = old.oid AND i.relname ~ '^ozone_[0-9a-f]{10}_')))"
        " OR EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = old.oid AND NOT attisdropped"
        "  AND (attacl IS NOT NULL OR attoptions IS NOT NULL))"
        " OR old.relowner <> new.relowner OR old.reloptions IS NOT NULL OR old.relrowsecurity"
        " OR old.relreplident <> 'd' OR old.relkind <> 'r' OR old.relispartition OR old.relpersistence <> 'p'"
        " FROM pg_class old, pg_class new WHERE old.oid = %s AND new.oid = %s",
        (old.oid, new.oid),
    ).fetchone()
    return bool(row and row[0])


def _grants(connection: Connection, plan: Plan, old: Relation | None, new: Relation) -> Iterator[Change]:
    """The rights that belong to the new table's place: those of the old one, else those that the schema gives."""
    if old is not None:
        rights = "SELECT (aclexplode(relacl)).*, relowner AS owner FROM pg_class WHERE oid = %(old)s"
    else:
        rights = (
            "SELECT (aclexplode(defaclacl)).*, defaclrole AS owner FROM pg_default_acl JOIN pg_namespace n"
            " ON n.oid = defaclnamespace WHERE nspname = %(schema)s AND defaclobjtype = 'r'"
            " AND defaclrole = (SELECT relowner FROM pg_class WHERE oid = %(new)s)"
        )
    target = qualified(plan.schema, new.name)
    of_new = "SELECT (aclexplode(relacl)).*, relowner AS owner FROM pg_class WHERE oid = %(new)s"
    said = (
        "SELECT DISTINCT privilege_type, is_grantable,"
        " CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END"
        " FROM ({}) rights WHERE grantee <> owner ORDER BY 3, 1, 2"
    )
    values = {"new": new.oid, "old": old.oid if old else None, "schema": plan.schema}
    if old is not None:  # what the server gives every new table may have been taken away from the old one
        for _, _, grantee in connection.execute(said.format(of_new), values).fetchall():
            yield Change(sql.SQL("REVOKE ALL ON {} FROM {}").format(target, sql.SQL(grantee)), "")
    for privilege, grantable, grantee in connection.execute(said.format(rights), values).fetchall():
        statement = sql.SQL("GRANT {} ON {} TO {}{}").format(
            sql.SQL(privilege), target, sql.SQL(grantee), sql.SQL(" WITH GRANT OPTION" if grantable else "")
        )
        yield Change(statement, "")
