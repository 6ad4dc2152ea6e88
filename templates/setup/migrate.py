"""Brings the sink's tables to the state that was rendered; begins a new generation where they are to be filled anew.

Runs once, before Flink's job starts. Tables that hold rows stay as they are and readable: a new generation is filled
beside them, and the program `swap` puts it in their place. A crash at any point leads to a new generation at the next
run: the token on Flink's volume is removed before anything is changed, and written again as the last step.
"""

import json
import sys
import uuid
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import psycopg
from kafka.errors import KafkaError

from .flink_generation import Volume, cancel_jobs
from .kafka_session import TOPICS, incarnation, parse_servers, read_topics
from .kafka_session import connect as connect_kafka
from .sink_check import missing_privileges, missing_staging_privilege
from .sink_differences import differences, staged_differences, truncation
from .sink_records import (
    RECORDS,
    Generation,
    create_records,
    create_staging,
    drop_staging,
    has_rows,
    identity,
    present_tables,
    read_generation,
    record_generation,
    staging_schema,
)
from .sink_session import connect, explain, hold_lock, sink_of_environment, transaction
from .sink_tables import Change, Connection, Plan, parse_plan
from .waiting import (
    Announcer,
    Backoff,
    NotReadyError,
    Problem,
    RefusedError,
    log,
    start_log,
    stop_on_sigterm,
    try_until_done,
    variable,
)

TABLES = Path("/etc/ozone/tables.json")

LOCK_TIMEOUT_MS = 3_000
"""While a lock is waited for, readers queue up behind it; it is tried again after a pause."""


def read_plan(path: Path) -> Plan:
    """The rendered plan. Raises RefusedError where the file is missing or broken."""
    try:
        return parse_plan(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(
            Problem(f"The rendered file {path} cannot be used: {error!r}.", "Render the site again.")
        ) from None


def migrate(connection: Connection, plan: Plan, volume: Volume, topics: str, flink_url: str) -> None:
    """Do all that is to be done; `topics` is the incarnation of the topics that the tables are filled from.

    Raises NotReadyError or RefusedError. After RefusedError the site runs on as before.
    """
    _refuse(missing_privileges(connection, (plan.schema, RECORDS)))
    hold_lock(connection)
    create_records(connection)
    present = read_generation(connection, plan.site)
    in_place = differences(connection, plan)
    staging = present.staging if present else ""
    changes = staged_differences(connection, plan, staging) if staging else in_place
    reason = _reason_to_refill(plan, volume, topics, present, identity(connection), changes)
    if not reason:
        _apply(connection, changes)
        volume.prepare()
        where = f" beside, in {staging}" if staging else ""
        log.info("The tables are as they should be; generation %s goes on%s.", volume.token(), where)
        return
    log.info("The tables are to be filled anew: %s.", reason)
    _begin(connection, plan, volume, topics, flink_url, truncation(connection, plan) + in_place)


def _begin(
    connection: Connection,
    plan: Plan,
    volume: Volume,
    topics: str,
    flink_url: str,
    in_place: Sequence[Change],
) -> None:
    """Begin a generation. `in_place` are the changes that it takes to fill the tables that people read."""
    # Whatever stands in the way, also of a later swap, is found before the running job is stopped.
    _apply(connection, in_place, rehearse=True)
    token = uuid.uuid4().hex[:12]
    beside = has_rows(connection, present_tables(connection, plan.site))
    staging = staging_schema(token) if beside else ""
    changes = drop_staging(connection, plan)
    if beside:
        _refuse(missing_staging_privilege(connection))
        changes += create_staging(plan, staging)
    else:
        changes += in_place
    generation = Generation(plan.fingerprint, topics, token, identity(connection), staging)
    changes.append(record_generation(plan, generation))
    _apply(connection, changes, rehearse=True)
    volume.forget()
    cancel_jobs(flink_url)
    _apply(connection, changes)
    volume.clear()
    volume.prepare()
    volume.begin(token, plan.fingerprint)
    if beside:
        log.info(
            "Generation %s begins. It is filled beside, in the schema %s; until swap puts it in place the tables "
            "keep their old rows.",
            token,
            staging,
        )
    else:
        log.info("The tables are ready; generation %s begins and fills them from the source.", token)


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise NotReadyError(*problems)


def _reason_to_refill(
    plan: Plan,
    volume: Volume,
    topics: str,
    present: Generation | None,
    database: str,
    changes: Sequence[Change],
) -> str:
    """Why the present generation cannot go on, in words; empty where it can."""
    if present is None:
        return "this is the first run with this database"
    if plan.fingerprint != present.fingerprint or plan.fingerprint != volume.fingerprint():
        return "ozone.yaml has changed, or Flink's volume is new"
    if present.token != volume.token():
        return "the database and Flink's volume do not belong together"
    if present.database != database:
        return "the database was restored or replaced"
    if topics != present.topics:
        return "Kafka's topics are new"
    if any(change.refill for change in changes):
        return "a table was changed by a person"
    return ""


def _apply(connection: Connection, changes: Sequence[Change], *, rehearse: bool = False) -> None:
    """Make changes in one transaction, or only see whether they can be made."""
    with transaction(connection, LOCK_TIMEOUT_MS, rehearse=rehearse) as work:
        work.do(changes)


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
        sink = sink_of_environment()
        flink_url = variable("FLINK_URL", "the address of Flink's REST API", "http://jobmanager:8081")
        volume = Volume(Path(variable("FLINK_DATA", "the folder of Flink's state", "/flink-data")))
        plan = read_plan(TABLES)
        with closing(connect(sink)) as connection:
            try:
                migrate(connection, plan, volume, _topics(), flink_url)
            except psycopg.Error as error:
                explain(error, "reading what is there")
            except OSError as error:
                raise NotReadyError(Problem(f"Flink's volume cannot be written: {error}.")) from None

    return try_until_done(attempt, Announcer(), Backoff())


if __name__ == "__main__":
    sys.exit(main())
