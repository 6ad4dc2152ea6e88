"""Puts tables that are filled beside in place once they are complete, and says how far they are.

Runs for as long as the site does, and sleeps while there is nothing to swap. It is healthy while nothing stands in
the way: also while the tables are being filled.
"""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from kafka import TopicPartition
from kafka.errors import KafkaError

from .connect_setup import CONNECTORS, read_connectors
from .connect_worker import Config, ConnectWorker
from .fill_progress import Extent, extents, progress, snapshot_is_complete
from .flink_checkpoints import Checkpoints
from .flink_generation import Volume
from .former_topics import ConnectOffsets, Offsets, remove_former
from .kafka_session import TOPICS, OffsetAdmin, incarnation, parse_servers, read_topics
from .kafka_session import connect as connect_kafka
from .migrate import TABLES, read_plan
from .sink_records import Generation, identity, read_generation
from .sink_session import connect, explain, hold_lock, sink_of_environment
from .sink_swap import GO_BACK, swap
from .sink_tables import Connection, Plan
from .waiting import (
    Announcer,
    NotReadyError,
    Problem,
    RefusedError,
    log,
    start_log,
    stop_on_sigterm,
    variable,
)

HEALTHY = Path("/tmp/healthy")
"""In the container's own file system; its age is what the service's health check looks at."""

LOOK_EVERY_S = 2.0
IDLE_LOOK_EVERY_S = 10.0
SAY_EVERY_S = 30.0

LOCK_TIMEOUTS_MS = (200, 500, 1_000, 2_000, 5_000, 10_000)
"""While a lock is waited for, readers queue up behind it: short waits first, longer ones where readers never pause."""


@dataclass
class Swapper:
    """Brings the generation on Flink's volume into place, step by step."""

    plan: Plan
    volume: Volume
    topics: tuple[str, ...]
    connectors: Mapping[str, Config]
    worker: ConnectWorker
    open_sink: Callable[[], Connection]
    open_kafka: Callable[[], OffsetAdmin]
    offsets: Offsets
    checkpoints: Checkpoints
    clock: Callable[[], float] = time.monotonic
    _settled: str = ""
    _wanted: dict[TopicPartition, Extent] = field(default_factory=dict)
    _wanted_by: str = ""
    _tries: int = 0
    _said_at: float = float("-inf")

    def step(self) -> bool:
        """Do what can be done now; whether all is in place.

        Raises NotReadyError or RefusedError for what a person has to know; a later step may succeed all the same.
        """
        token = self.volume.token()
        if token is None or self.volume.fingerprint() != self.plan.fingerprint:
            raise NotReadyError(
                Problem("The tables are not prepared for this plan.", "Start migrate: docker compose up -d.")
            )
        if token == self._settled:
            return True
        with closing(self.open_sink()) as connection, closing(self.open_kafka()) as kafka:
            generation = self._generation(connection, kafka, token)
            if not snapshot_is_complete(self.worker, self.connectors):
                self._say("The source is still being read for the first time")
                return False
            if generation.staging:
                if not self._is_filled(kafka, token):
                    return False
                self._swap(connection, generation)
            remove_former(kafka, self.offsets, {config["topic.prefix"] for config in self.connectors.values()})
        self._settled = token
        return True

    def _generation(self, connection: Connection, kafka: OffsetAdmin, token: str) -> Generation:
        """The generation on the volume, as the sink knows it."""
        found = read_generation(connection, self.plan.site)
        if found is None:
            raise RefusedError(Problem("The analytics database was emptied.", GO_BACK))
        if (found.token, found.fingerprint) != (token, self.plan.fingerprint):
            raise RefusedError(
                Problem("The analytics database belongs to another filling than Flink's volume does.", GO_BACK)
            )
        if found.database != identity(connection):
            raise RefusedError(Problem("The analytics database was restored or replaced.", GO_BACK))
        if found.topics != incarnation(kafka, self.topics):
            raise RefusedError(Problem("Kafka's topics are new: what was read of the old ones is worthless.", GO_BACK))
        return found

    def _is_filled(self, kafka: OffsetAdmin, token: str) -> bool:
        if self._wanted_by != token:
            self._wanted, self._wanted_by, self._tries = extents(kafka, self.topics), token, 0
        found = progress(kafka, token, self._wanted)
        if found.unread_topics:
            self._say(f"The new tables are being filled beside the old ones: {found}")
            self.checkpoints.hurry()
        return not found.unread_topics

    def _swap(self, connection: Connection, generation: Generation) -> None:
        hold_lock(connection)
        timeout = LOCK_TIMEOUTS_MS[min(self._tries, len(LOCK_TIMEOUTS_MS) - 1)]
        self._tries += 1
        swap(connection, self.plan, generation, timeout)
        log.info("The new tables are in place; generation %s goes on in them.", generation.token)

    def _say(self, words: str) -> None:
        now = self.clock()
        if now - self._said_at >= SAY_EVERY_S:
            log.info("%s.", words)
            self._said_at = now


def swapper_of_environment() -> Swapper:
    """What is rendered and mounted. Raises RefusedError where it is missing or broken."""
    servers = parse_servers(variable("KAFKA_BOOTSTRAP_SERVERS", "the address of Kafka", "kafka:9092"))
    sink = sink_of_environment()
    return Swapper(
        plan=read_plan(TABLES),
        volume=Volume(Path(variable("FLINK_DATA", "the folder of Flink's state", "/flink-data"))),
        topics=tuple(topic.name for topic in read_topics(TOPICS)),
        connectors=read_connectors(CONNECTORS),
        worker=ConnectWorker(variable("CONNECT_URL", "Kafka Connect's address", "http://connect:8083")),
        open_sink=lambda: connect(sink, "ozone-swap"),
        open_kafka=lambda: connect_kafka(servers),
        offsets=ConnectOffsets(servers),
        checkpoints=Checkpoints(variable("FLINK_URL", "the address of Flink's REST API", "http://jobmanager:8081")),
    )


def attempt(swapper: Swapper) -> tuple[bool, tuple[Problem, ...]]:
    """Make one step: whether all is in place, and what stands in the way."""
    try:
        try:
            return swapper.step(), ()
        except psycopg.Error as error:
            explain(error, "reading what is there")
        except KafkaError as error:
            raise NotReadyError(Problem(f"Kafka does not answer as it should yet: {error}.")) from None
    except (NotReadyError, RefusedError) as error:
        return False, error.problems


def main() -> int:
    """Swap for as long as the container runs. Exit code: 1 where the rendered files cannot be used."""
    start_log()
    stop_on_sigterm()
    HEALTHY.unlink(missing_ok=True)
    try:
        swapper = swapper_of_environment()
    except RefusedError as error:
        for problem in error.problems:
            log.error("%s", problem)
        return 1
    announcer = Announcer()
    while True:
        in_place, problems = attempt(swapper)
        announcer.problems(problems)
        if problems:
            HEALTHY.unlink(missing_ok=True)
        else:
            HEALTHY.touch()
        if in_place:
            announcer.well("The tables are in place.")
        time.sleep(IDLE_LOOK_EVERY_S if in_place else LOOK_EVERY_S)


if __name__ == "__main__":
    sys.exit(main())
