"""How far a generation has been filled: to where Flink's job has read the topics, as its checkpoints say.

With each checkpoint the job commits its sources' offsets for the consumer group of its generation. A checkpoint's
barriers run behind the events, and the sinks write all they hold before they pass them on: so what is committed
has arrived in the sink.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kafka import TopicPartition
from kafka.admin import OffsetSpec

from .connect_worker import Config, ConnectWorker
from .kafka_session import OffsetAdmin


@dataclass(frozen=True)
class Extent:
    """The offsets of a partition's first event and behind its last one."""

    first: int
    end: int


@dataclass(frozen=True)
class Progress:
    """How much of what is to be read has been read."""

    topics: int
    unread_topics: int
    events: int
    unread_events: int
    begun: bool = True

    def __str__(self) -> str:
        if not self.begun:
            return "Flink's job has made no checkpoint yet"
        percent = 100 if not self.events else 100 * (self.events - self.unread_events) // self.events
        return f"{percent} % read, {self.topics - self.unread_topics} of {self.topics} topics to their ends"


def consumer_group(token: str) -> str:
    """The group that a generation's job commits for; the rendered job has it, too."""
    return f"ozone-{token}"


def extents(admin: OffsetAdmin, topics: Sequence[str]) -> dict[TopicPartition, Extent]:
    """What the topics hold now."""
    wanted = set(topics)
    partitions = [
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in admin.describe_topics()
        if topic["name"] in wanted
        for partition in topic["partitions"]
    ]
    first = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
    end = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
    return {partition: Extent(first[partition].offset, end[partition].offset) for partition in partitions}


def progress(admin: OffsetAdmin, token: str, wanted: Mapping[TopicPartition, Extent]) -> Progress:
    """How far the job of a generation has come on the way to `wanted`."""
    group = consumer_group(token)
    committed = admin.list_group_offsets({group: None})[group]
    unread: dict[TopicPartition, int] = {}
    for partition, extent in wanted.items():
        # For an empty partition nothing is ever committed.
        read_to = committed[partition].offset if partition in committed else extent.first
        if read_to < extent.end:
            unread[partition] = extent.end - max(read_to, extent.first)
    return Progress(
        topics=len({partition.topic for partition in wanted}),
        unread_topics=len({partition.topic for partition in unread}),
        events=sum(extent.end - extent.first for extent in wanted.values()),
        unread_events=sum(unread.values()),
        begun=bool(committed) or not unread,
    )


def snapshot_is_complete(worker: ConnectWorker, connectors: Mapping[str, Config]) -> bool:
    """Whether Kafka holds everything that was in the source when the connectors began with these topics."""
    for name, config in connectors.items():
        offsets = [
            each["offset"]
            for each in worker.offsets(name)
            if each["partition"].get("server") == config["topic.prefix"]
        ]
        # While a snapshot is taken, the stored offset says so.
        if not offsets or any(not offset or offset.get("snapshot") for offset in offsets):
            return False
    return True
