"""Brings the sink's tables to the state that was rendered; begins a new generation where they are refilled.

Runs once, before Flink's job starts. A crash at any point leads to a new generation at the next run: the
token on Flink's volume is removed before anything is changed, and written again as the last step.
"""

import json
import sys
import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
from kafka.errors import KafkaError
from psycopg import errors, sql

from .flink_generation import Volume, cancel_jobs
from .kafka_session import TOPICS, incarnation, parse_servers, read_topics
from .kafka_session import connect as connect_kafka
from .sink_tables import RECORDS, Change, Connection, Plan, differences, parse_plan, truncation
from .waiting import (
    Announcer,
    Backoff,
    NotReadyError,
    Problem,
    RefusedError,
    log,
    port_number,
    reach,
    start_log,
    stop_on_sigterm,
    try_until_done,
    variable,
)

TABLES = Path("/etc/ozone/tables.json")
VARIABLES = "ANALYTICS_DB_HOST, ANALYTICS_DB_PORT"

ADVISORY_LOCK = 0x6F7A6F6E65
"""'ozone' in ASCII: one migration at a time in a database."""


LOCK_TIMEOUT = "10s"
"""While a lock is waited for, everybody else's reads of the table queue up behind it."""


@dataclass(frozen=True)
class Sink:
    """Where the sink is and who writes to it."""

    host: str
    port: int
    database: str
    user: str
    password: str


def read_plan(path: Path) -> Plan:
    """The rendered plan. Raises RefusedError where the file is missing or broken."""
    try:
        return parse_plan(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(
            Problem(f"The rendered file {path} cannot be used: {error!r}.", "Render the site again.")
        ) from None


def connect(sink: Sink) -> Connection:
    """A session with the sink. Raises NotReadyError where there is none."""
    reach("The analytics database", [(sink.host, sink.port)], VARIABLES)
    try:
        return psycopg.connect(
            host=sink.host,
            port=sink.port,
            dbname=sink.database,
            user=sink.user,
            password=sink.password,
            connect_timeout=5,
            application_name="ozone-migrate",
            autocommit=True,
        )
    except psycopg.OperationalError as error:
        raise NotReadyError(_connection_problem(sink, str(error))) from None


def _connection_problem(sink: Sink, text: str) -> Problem:
    """Why the server gives no session, in words: libpq gives no code for it, only the server's sentence."""
    place = f"The analytics database at {sink.host}:{sink.port}"
    if "password authentication failed" in text or ("role" in text and "does not exist" in text):
        return Problem(
            f"{place} refuses the user {sink.user!r}: the password is wrong, or there is no such user.",
            "Correct ANALYTICS_DB_USER and ANALYTICS_DB_PASSWORD in .env.",
        )
    if "database" in text and "does not exist" in text:
        return Problem(
            f"{place} has no database {sink.database!r}.",
            f'Create it as an administrator (CREATE DATABASE "{sink.database}" OWNER "{sink.user}";), or '
            "correct ANALYTICS_DB_NAME in .env.",
        )
    if "pg_hba.conf" in text:
        return Problem(
            f"{place} does not let the user {sink.user!r} in from this machine.",
            "Add a line for it to the server's pg_hba.conf and reload it.",
        )
    if "starting up" in text or "shutting down" in text:
        return Problem(f"{place} is starting or stopping.")
    sentence = text.strip().splitlines()[-1].rpartition("FATAL: ")[2].strip()
    return Problem(f"{place} gives no session: {sentence}")


def migrate(connection: Connection, plan: Plan, volume: Volume, topics: str, flink_url: str) -> None:
    """Do all that is to be done; `topics` is the incarnation of the topics that the tables are filled from.

    Raises NotReadyError or RefusedError. After RefusedError the site runs on as before.
    """
    _check_privileges(connection, plan)
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (ADVISORY_LOCK,)).fetchone()
    if not row or not row[0]:
        raise NotReadyError(Problem("Another migration is at work in the same database."))
    _create_records(connection)
    changes = differences(connection, plan)
    reason = _reason_to_refill(connection, plan, volume, topics, changes)
    if not reason:
        _apply(connection, changes)
        volume.prepare()
        log.info("The tables are as they should be; generation %s goes on.", volume.token())
        return
    log.info("The tables are to be filled anew: %s.", reason)
    changes = truncation(connection, plan) + changes
    # Whatever stands in the way is found before the running job is stopped.
    _apply(connection, changes, rehearse=True)
    volume.forget()
    cancel_jobs(flink_url)
    token = uuid.uuid4().hex[:12]
    _apply(connection, [*changes, _state(plan, topics, token)])
    volume.clear()
    volume.prepare()
    volume.begin(token, plan.fingerprint)
    log.info("The tables are ready; generation %s begins and fills them from the source.", token)


def _check_privileges(connection: Connection, plan: Plan) -> None:
    """Raises NotReadyError with the GRANT that mends it: PostgreSQL 15 gives none on `public` by itself."""
    row = connection.execute(
        "SELECT current_user, current_database(), has_database_privilege(current_database(), 'CREATE')"
    ).fetchone()
    assert row is not None, "a query without FROM has a row"
    user, database, may_create = row
    held: dict[str, bool] = dict(
        connection.execute(
            "SELECT nspname, has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE')"
            " FROM pg_namespace WHERE nspname = ANY(%s)",
            ([plan.schema, RECORDS],),
        ).fetchall()
    )

    def grant(privileges: str, what: str, name: str) -> str:
        statement = sql.SQL("GRANT {} ON {} {} TO {};").format(
            sql.SQL(privileges), sql.SQL(what), sql.Identifier(name), sql.Identifier(user)
        )
        return f"Run in the database {database!r} as an administrator: {statement.as_string(connection)}"

    problems = [
        Problem(
            f"The user {user!r} may not create tables in the schema {schema!r} of the analytics database.",
            grant("USAGE, CREATE", "SCHEMA", schema),
        )
        for schema, usable in sorted(held.items())
        if not usable
    ]
    missing = [schema for schema in sorted({plan.schema, RECORDS}) if schema not in held]
    if missing and not may_create:
        names = " and ".join(map(repr, missing))
        problems.append(
            Problem(
                f"The user {user!r} may not create the schema {names} in the analytics database.",
                grant("CREATE", "DATABASE", database),
            )
        )
    if problems:
        raise NotReadyError(*problems)


def _create_records(connection: Connection) -> None:
    """The tables of migrate's own. IF NOT EXISTS would ask for privileges also where they exist."""
    if connection.execute("SELECT to_regclass('ozone_gen.state')").fetchone() != (None,):
        return
    with connection.transaction():
        if not connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (RECORDS,)).fetchone():
            connection.execute("CREATE SCHEMA ozone_gen")
            connection.execute(
                "COMMENT ON SCHEMA ozone_gen IS 'What ozone-gen has made in this database. Not to be edited.'"
            )
        connection.execute(
            "CREATE TABLE ozone_gen.state (site text PRIMARY KEY, fingerprint text NOT NULL,"
            " topics text NOT NULL, generation text NOT NULL, updated_at timestamptz NOT NULL)"
        )
        connection.execute(
            "CREATE TABLE ozone_gen.owned_table (schema_name text, table_name text, site text NOT NULL,"
            " PRIMARY KEY (schema_name, table_name))"
        )


def _reason_to_refill(
    connection: Connection, plan: Plan, volume: Volume, topics: str, changes: Sequence[Change]
) -> str:
    """Why the present generation cannot go on, in words; empty where it can."""
    row = connection.execute(
        "SELECT fingerprint, topics, generation FROM ozone_gen.state WHERE site = %s", (plan.site,)
    ).fetchone()
    if row is None:
        return "this is the first run with this database"
    fingerprint, filled_from, token = row
    if plan.fingerprint != fingerprint or plan.fingerprint != volume.fingerprint():
        return "ozone.yaml has changed, or Flink's volume is new"
    if token != volume.token():
        return "the database and Flink's volume do not belong together"
    if topics != filled_from:
        return "Kafka's topics are new"
    if any(change.refill for change in changes):
        return "a table was changed by a person"
    return ""


def _state(plan: Plan, topics: str, token: str) -> Change:
    statement = sql.SQL(
        "INSERT INTO ozone_gen.state (site, fingerprint, topics, generation, updated_at)"
        " VALUES ({}, {}, {}, {}, now()) ON CONFLICT (site) DO UPDATE SET fingerprint = EXCLUDED.fingerprint,"
        " topics = EXCLUDED.topics, generation = EXCLUDED.generation, updated_at = EXCLUDED.updated_at"
    )
    values = map(sql.Literal, (plan.site, plan.fingerprint, topics, token))
    return Change(statement.format(*values), "", refill=False)


def _apply(connection: Connection, changes: Sequence[Change], *, rehearse: bool = False) -> None:
    """Make changes in one transaction, or only see whether they can be made."""
    doing = ""
    try:
        with connection.transaction(force_rollback=rehearse):
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
            for change in changes:
                doing = change.words
                connection.execute(change.statement)
    except psycopg.Error as error:
        _explain(error, doing)
    if not rehearse:
        for change in changes:
            if change.words:
                log.info("%s.", change.words)


def _explain(error: psycopg.Error, doing: str) -> None:
    """Raises NotReadyError or RefusedError for what the server said; `doing` says at which change."""
    said = " ".join(
        filter(None, (error.diag.message_primary or str(error).strip(), error.diag.message_detail))
    )
    said = said.rstrip(".").replace("\n", "; ")
    if isinstance(error, errors.LockNotAvailable):
        raise NotReadyError(
            Problem(
                f"Another program keeps a table in use ({doing}).",
                "Wait for its query to end, or end it: SELECT pid, query FROM pg_stat_activity; tells which.",
            )
        ) from None
    if isinstance(error, errors.DependentObjectsStillExist | errors.FeatureNotSupported):
        raise RefusedError(
            Problem(
                f"Something that was added to the analytics database stands in the way ({doing}): {said}.",
                "Save the definition of what is named, drop it, run migrate again, and create it anew.",
            )
        ) from None
    if isinstance(error, errors.InsufficientPrivilege):
        raise NotReadyError(
            Problem(
                f"The analytics database does not allow it ({doing}): {said}.",
                "Make the user that migrate connects as the owner of it: ALTER TABLE ... OWNER TO ...;",
            )
        ) from None
    if isinstance(error, psycopg.OperationalError | errors.InternalError):
        raise NotReadyError(Problem(f"The analytics database cannot do it now ({doing}): {said}.")) from None
    raise RefusedError(
        Problem(f"The analytics database refuses what was rendered ({doing}): {said}.", "Report this fault.")
    ) from None


def _topics() -> str:
    """The incarnation of the topics that the tables are filled from."""
    servers = parse_servers(variable("KAFKA_BOOTSTRAP_SERVERS", "the address of Kafka", "kafka:9092"))
    names = [topic.name for topic in read_topics(TOPICS)]
    try:
        with closing(connect_kafka(servers)) as admin:
            return incarnation(admin, names)
    except KafkaError as error:
        raise NotReadyError(Problem(f"Kafka does not answer as it should yet: {error}.")) from None


def main() -> int:
    """Migrate. Exit code: 0 done, 1 a person has to change something."""
    start_log()
    stop_on_sigterm()

    def attempt() -> None:
        sink = Sink(
            host=variable("ANALYTICS_DB_HOST", "the host of the analytics database"),
            port=port_number("ANALYTICS_DB_PORT", 5432),
            database=variable("ANALYTICS_DB_NAME", "the name of the analytics database"),
            user=variable("ANALYTICS_DB_USER", "the user that writes to the analytics database"),
            password=variable("ANALYTICS_DB_PASSWORD", "the password of the analytics database's user"),
        )
        flink_url = variable("FLINK_URL", "the address of Flink's REST API", "http://jobmanager:8081")
        volume = Volume(Path(variable("FLINK_DATA", "the folder of Flink's state", "/flink-data")))
        plan = read_plan(TABLES)
        with closing(connect(sink)) as connection:
            try:
                migrate(connection, plan, volume, _topics(), flink_url)
            except psycopg.Error as error:
                _explain(error, "reading what is there")
            except OSError as error:
                raise NotReadyError(Problem(f"Flink's volume cannot be written: {error}.")) from None

    return try_until_done(attempt, Announcer(), Backoff())


if __name__ == "__main__":
    sys.exit(main())
