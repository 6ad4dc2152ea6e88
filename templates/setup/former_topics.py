"""Removes what former sets of captured tables have left in Kafka: their topics, and how far Debezium had come.

Another set of tables is read into topics of another prefix (the source's name and a hash). Both go together: with the
offsets alone Debezium would never fill such topics again, should the site go back to that set.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Protocol

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from .connector_watch import RENDERED_PREFIX
from .kafka_session import OffsetAdmin
from .waiting import NotReadyError, Problem, log

OFFSETS = "connect-offsets"
"""As in connect-distributed.properties."""

READ_TRIES = 30


class Offsets(Protocol):
    """Where Kafka Connect remembers how far its connectors have come."""

    def prefixes(self) -> Collection[str]:
        """The topic prefixes of all that is remembered."""

    def forget(self, prefix: str) -> None:
        """Remember nothing of a prefix any more."""


class ConnectOffsets:
    """Connect's own topic: the newest value of each key counts, and an empty one removes it (KIP-875 says so, too)."""

    def __init__(self, servers: Sequence[tuple[str, int]]) -> None:
        self._servers = [f"{host}:{port}" for host, port in servers]

    def prefixes(self) -> Collection[str]:
        """The topic prefixes of all that is remembered."""
        return {prefix for prefix, _, _ in self._entries()}

    def forget(self, prefix: str) -> None:
        """Remember nothing of a prefix any more."""
        producer = KafkaProducer(bootstrap_servers=self._servers, acks="all", client_id="ozone-setup")
        try:
            for found, partition, key in list(self._entries()):
                if found == prefix:
                    producer.send(OFFSETS, key=key, value=None, partition=partition).get(timeout=30)
        finally:
            producer.close()

    def _entries(self) -> Iterator[tuple[str, int, bytes]]:
        """Prefix, partition and key."""
        consumer = KafkaConsumer(bootstrap_servers=self._servers, group_id=None, client_id="ozone-setup")
        newest: dict[tuple[int, bytes], bytes | None] = {}
        try:
            partitions = [TopicPartition(OFFSETS, number) for number in consumer.partitions_for_topic(OFFSETS) or ()]
            consumer.assign(partitions)
            consumer.seek_to_beginning(*partitions)
            ends = consumer.end_offsets(partitions)
            for _ in range(READ_TRIES):
                if all(consumer.position(partition) >= ends[partition] for partition in partitions):
                    break
                for records in consumer.poll(timeout_ms=1_000).values():
                    newest.update({(record.partition, record.key): record.value for record in records})
            else:
                raise NotReadyError(Problem(f"Kafka does not give what is in the topic {OFFSETS}."))
        finally:
            consumer.close()
        for (partition, key), value in newest.items():
            prefix = prefix_of(key)
            if value is not None and prefix is not None:
                yield prefix, partition, key


def prefix_of(key: bytes) -> str | None:
    """The topic prefix in a key of Connect's offsets: `["openmrs",{"server":"openmrs-0a1b2c3d"}]`."""
    try:
        parts: Any = json.loads(key)
        server = parts[1]["server"]
    except (ValueError, TypeError, KeyError, IndexError):
        return None
    return server if isinstance(server, str) else None


def remove_former(admin: OffsetAdmin, offsets: Offsets, present: Collection[str]) -> list[str]:
    """Remove what belongs to prefixes of ours other than the present ones; the prefixes that are gone."""
    topics: dict[str, list[str]] = {}
    for topic in admin.describe_topics():
        prefix = topic["name"].removeprefix("schema-history.").partition(".")[0]
        if RENDERED_PREFIX.fullmatch(prefix) and prefix not in present:
            topics.setdefault(prefix, []).append(topic["name"])
    known = offsets.prefixes()
    remembered = {prefix for prefix in known if RENDERED_PREFIX.fullmatch(prefix) and prefix not in present}
    for prefix in sorted(topics.keys() | remembered):
        # In this order: topics without offsets are filled anew, offsets without topics would leave them empty.
        if prefix in remembered:
            offsets.forget(prefix)
        if prefix in topics:
            admin.delete_topics(sorted(topics[prefix]))
        log.info("Removed %d topics of %s, a former set of captured tables.", len(topics.get(prefix, ())), prefix)
    return sorted(topics.keys() | remembered)
