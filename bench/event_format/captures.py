"""Ways to capture the same tables into Kafka, and the topics that hold what was captured."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from bench.event_format.project import PARALLELISM, EventsProject
from ozone_gen.components.connect import connector_config
from ozone_gen.components.kafka import TOPIC_CONFIG
from tests.e2e.running_site import until


@dataclass(frozen=True)
class Capture:
    """A connector's events: unwrapped to the row or as Debezium's envelope, of read columns or all, compressed."""

    name: str
    unwrapped: bool
    narrow: bool
    compression: str
    server_id: int

    def config(self, project: EventsProject) -> dict[str, str]:
        """Take the product's connector and put back what this capture does without."""
        config = {
            **connector_config(project.plan.source),
            "topic.prefix": self.name,
            "schema.history.internal.kafka.topic": f"schema-history.{self.name}",
            "database.server.id": str(self.server_id),
            "producer.override.compression.type": self.compression,
        }
        if not self.narrow:
            del config["column.include.list"]
        if not self.unwrapped:
            config = {name: value for name, value in config.items() if not name.startswith("transforms")}
        return config

    def topic(self, project: EventsProject, table: str) -> str:
        """Name the topic of a source table."""
        return f"{self.name}.{project.plan.source.database}.{table}"


CAPTURES = (
    Capture("envelope", unwrapped=False, narrow=False, compression="none", server_id=6001),
    Capture("envelope_lz4", unwrapped=False, narrow=False, compression="lz4", server_id=6002),
    Capture("unwrapped", unwrapped=True, narrow=False, compression="lz4", server_id=6003),
    Capture("narrow", unwrapped=True, narrow=True, compression="lz4", server_id=6004),
)


class Topics:
    """The broker, seen from the host."""

    def __init__(self, project: EventsProject) -> None:
        """Connect to the broker of a running project."""
        self._project = project
        self._servers = f"127.0.0.1:{project.ports['kafka']}"
        self._admin = KafkaAdminClient(bootstrap_servers=self._servers)

    def make(self, capture: Capture) -> list[str]:
        """Make the topics of a capture and return their names."""
        # Envelopes have to be kept for ever to be replayed; compaction would lose before-images.
        settings = TOPIC_CONFIG if capture.unwrapped else {"cleanup.policy": "delete", "retention.ms": "-1"}
        names = [capture.topic(self._project, table) for table in self._project.tables]
        self._admin.create_topics([NewTopic(name, PARALLELISM, 1, topic_configs=settings) for name in names])
        return names

    def remove(self, capture: Capture) -> None:
        """Remove the topics of a capture, with its schema history."""
        there = [name for name in self._admin.list_topics() if name.split(".")[0] == capture.name]
        history = f"schema-history.{capture.name}"
        for name in [*there, history]:
            with contextlib.suppress(Exception):
                self._admin.delete_topics([name])
        until("the topics are gone", lambda: not set(there) & set(self._admin.list_topics()))

    def there(self, capture: Capture) -> bool:
        """Say whether the topics of a capture were made."""
        return any(name.split(".")[0] == capture.name for name in self._admin.list_topics())

    @contextlib.contextmanager
    def consumer(self) -> Iterator[Any]:
        """A consumer that is assigned by hand."""
        consumer = KafkaConsumer(bootstrap_servers=self._servers, enable_auto_commit=False, group_id=None)
        try:
            yield consumer
        finally:
            consumer.close()

    def partitions(self, names: Sequence[str]) -> list[TopicPartition]:
        """List the partitions of topics."""
        return [TopicPartition(name, number) for name in names for number in range(PARALLELISM)]

    def records(self, consumer: Any, names: Sequence[str]) -> int:
        """Count the records of topics by their end offsets; nothing was removed from them yet."""
        ends: Mapping[TopicPartition, int] = consumer.end_offsets(self.partitions(names))
        return sum(ends.values())

    def size(self, names: Sequence[str]) -> int:
        """Return the bytes that the broker holds on disk of these topics."""
        return sum(
            partition["partition_size"]
            for broker in self._admin.describe_log_dirs()
            for folder in broker["log_dirs"]
            for topic in folder["topics"]
            if topic["name"] in names
            for partition in topic["partitions"]
        )

    def repeat(self, names: Sequence[str]) -> int:
        """Produce every record of these topics once more, in order, and return how many there were."""
        with self.consumer() as consumer:
            counts = {name: self.records(consumer, [name]) for name in names}
        total = 0
        for name, count in counts.items():
            if count:
                self._project.compose(
                    *("exec", "-T", "-e", "KAFKA_HEAP_OPTS=-Xmx192m", "kafka", "bash", "-ec", _REPEAT),
                    *("repeat", name, str(count)),
                )
                total += count
        return total


# Kafka's own tools: keys keep their partition, and a tombstone stays one. All is read before any is written, since
# what is written comes back at the end of the topic.
_REPEAT = """
cd /opt/kafka/bin
./kafka-console-consumer.sh --bootstrap-server kafka:9092 --topic "$1" --from-beginning --max-messages "$2" \\
  --property print.key=true --property key.separator='|' --property null.literal='(tombstone)' >/tmp/repeated
[ "$(wc -l </tmp/repeated)" = "$2" ]
./kafka-console-producer.sh --bootstrap-server kafka:9092 --topic "$1" --compression-codec=lz4 </tmp/repeated \\
  --property parse.key=true --property key.separator='|' --property null.marker='(tombstone)'
rm /tmp/repeated
"""


def register(project: EventsProject, capture: Capture) -> None:
    """Start the connector of a capture."""
    project.send("connect", "PUT", f"/connectors/{capture.name}/config", capture.config(project))


def unregister(project: EventsProject, capture: Capture) -> None:
    """Stop the connector of a capture and forget how far it had read."""
    forget(project, capture)
    project.send("connect", "DELETE", f"/connectors/{capture.name}")


def forget(project: EventsProject, capture: Capture) -> None:
    """Stop a connector and delete its offsets; resumed, it begins with a snapshot again."""
    project.send("connect", "PUT", f"/connectors/{capture.name}/stop")
    until("the connector stopped", lambda: _state(project, capture) == "STOPPED")
    project.send("connect", "DELETE", f"/connectors/{capture.name}/offsets")


def resume(project: EventsProject, capture: Capture) -> None:
    """Let a stopped connector run again."""
    project.send("connect", "PUT", f"/connectors/{capture.name}/resume")


def snapshot(project: EventsProject, topics: Topics, capture: Capture, rows: int) -> tuple[float, int]:
    """Register a connector; return the seconds until all rows are in Kafka, and the bytes that they take."""
    names = topics.make(capture)
    with topics.consumer() as consumer:
        started = time.monotonic()
        register(project, capture)
        until(f"{rows} records of {capture.name}", lambda: topics.records(consumer, names) >= rows, 900)
        seconds = time.monotonic() - started
    time.sleep(2)
    return seconds, topics.size(names)


def _state(project: EventsProject, capture: Capture) -> str:
    state: str = project.get("connect", f"/connectors/{capture.name}/status")["connector"]["state"]
    return state
