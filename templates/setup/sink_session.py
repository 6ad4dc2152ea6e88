"""A session with the sink, and changes of it in one transaction, with every fault in words."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import psycopg
from psycopg import errors

from .sink_tables import Change, Connection
from .waiting import NotReadyError, Problem, RefusedError, log, port_number, reach, variable

VARIABLES = "ANALYTICS_DB_HOST, ANALYTICS_DB_PORT"

ADVISORY_LOCK = 0x6F7A6F6E65
"""'ozone' in ASCII: one migration or swap at a time in a database."""


@dataclass(frozen=True)
class Sink:
    """Where the sink is and who writes to it."""

    host: str
    port: int
    database: str
    user: str
    password: str


def sink_of_environment() -> Sink:
    """The sink that the environment names. Raises RefusedError where a variable is missing or wrong."""
    return Sink(
        host=variable("ANALYTICS_DB_HOST", "the host of the analytics database"),
        port=port_number("ANALYTICS_DB_PORT", 5432),
        database=variable("ANALYTICS_DB_NAME", "the name of the analytics database"),
        user=variable("ANALYTICS_DB_USER", "the user that writes to the analytics database"),
        password=variable("ANALYTICS_DB_PASSWORD", "the password of the analytics database's user"),
    )


def connect(sink: Sink, program: str = "ozone-migrate") -> Connection:
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
            application_name=program,
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


def hold_lock(connection: Connection) -> None:
    """Keep other migrations and swaps out until the session ends. Raises NotReadyError where one is at work."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (ADVISORY_LOCK,)).fetchone()
    if not row or not row[0]:
        raise NotReadyError(Problem("Another migration is at work in the same database."))


class Work:
    """Changes as they are made in one transaction; `words` tells afterwards what was done."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.doing = ""
        self.words: list[str] = []

    def do(self, changes: Sequence[Change]) -> None:
        """Make changes, in order."""
        for change in changes:
            self.doing = change.words or self.doing
            self._connection.execute(change.statement)
            if change.words:
                self.words.append(change.words)


@contextmanager
def transaction(
    connection: Connection, lock_timeout_ms: int, *, rehearse: bool = False
) -> Iterator[Work]:
    """All of it or nothing, or nothing in any case; what was done is logged once it is committed.

    Raises NotReadyError or RefusedError for what the server said.
    """
    work = Work(connection)
    try:
        with connection.transaction(force_rollback=rehearse):
            # While a lock is waited for, everybody else's reads of the table queue up behind it.
            connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{lock_timeout_ms}ms",))
            yield work
    except psycopg.Error as error:
        explain(error, work.doing)
    if not rehearse:
        for words in work.words:
            log.info("%s.", words)


def explain(error: psycopg.Error, doing: str) -> NoReturn:
    """Raise NotReadyError or RefusedError for what the server said; `doing` says at which change."""
    said = " ".join(
        filter(None, (error.diag.message_primary or str(error).strip(), error.diag.message_detail))
    )
    said = said.rstrip(".").replace("\n", "; ")
    if isinstance(error, errors.LockNotAvailable | errors.DeadlockDetected):
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
