"""A session with Kafka, and the topics that were rendered."""

import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from kafka import KafkaAdminClient

from .waiting import NotReadyError, Problem, RefusedError, reach

TOPICS = Path("/etc/ozone/topics.json")


@dataclass(frozen=True)
class Topic:
    """A topic as it is to be."""

    name: str
    partitions: int
    replication_factor: int
    config: dict[str, str]


class Admin(Protocol):
    """What is used of kafka-python's KafkaAdminClient, which has no types."""

    def describe_topics(self, topics: list[str] | None = None) -> list[dict[str, Any]]:
        """All topics with their partitions."""

    def create_topics(
        self, new_topics: dict[str, dict[str, Any]], *, raise_errors: bool = True
    ) -> dict[str, Any]:
        """One result for each topic, with `error_code` and `error_message`."""

    def wait_for_topics(self, topic_names: list[str], timeout_ms: int = 10000) -> None:
        """Return when each partition has a leader."""

    def describe_configs(self, config_resources: list[Any], *, config_filter: str) -> dict[str, Any]:
        """{"topic": {name: {setting: {"value": ...}}}}."""

    def alter_configs(self, config_resources: list[Any], *, incremental: bool) -> dict[str, Any]:
        """{"topic": {name: "OK" or an error}}."""

    def close(self) -> None:
        """End the connection."""


class OffsetAdmin(Admin, Protocol):
    """What else is used of it, where offsets are looked at."""

    def list_partition_offsets(self, topic_partition_specs: dict[Any, Any]) -> dict[Any, Any]:
        """For each partition an object with `offset`: the first or the next to be written, as was asked."""

    def list_group_offsets(self, group_specs: dict[str, None]) -> dict[str, dict[Any, Any]]:
        """For each group an object with `offset`, the next to be read, for each partition it has committed."""

    def delete_topics(self, topics: list[str]) -> dict[str, Any]:
        """Delete topics; raises where one cannot be."""


def read_topics(path: Path) -> list[Topic]:
    """The rendered topics. Raises RefusedError where the file is missing or broken."""
    try:
        rendered = json.loads(path.read_text(encoding="utf-8"))["topics"]
        return [
            Topic(
                name=topic["name"],
                partitions=int(topic["partitions"]),
                replication_factor=int(topic["replication_factor"]),
                config={key: _setting(value) for key, value in topic["config"].items()},
            )
            for topic in rendered
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedError(
            Problem(f"The rendered file {path} cannot be used: {error!r}.", "Render the site again.")
        ) from None


def _setting(value: Any) -> str:
    """A setting as Kafka writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def parse_servers(text: str) -> list[tuple[str, int]]:
    """`host:port,host:port` as pairs. Raises RefusedError for anything else."""
    servers = []
    for server in text.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdecimal():
            raise RefusedError(
                Problem(
                    f"KAFKA_BOOTSTRAP_SERVERS is {text!r}, which is no list of servers.",
                    "Write it as kafka:9092.",
                )
            )
        servers.append((host.strip("[]"), int(port)))
    return servers


def connect(servers: Sequence[tuple[str, int]]) -> OffsetAdmin:
    """A connection to Kafka. Raises NotReadyError where there is none."""
    reach("Kafka", servers, "KAFKA_BOOTSTRAP_SERVERS")
    # The client logs each refused connection by itself; ours say it in words.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    return cast(
        OffsetAdmin,
        KafkaAdminClient(
            bootstrap_servers=[f"{host}:{port}" for host, port in servers],
            client_id="ozone-setup",
            bootstrap_timeout_ms=10_000,
        ),
    )


def incarnation(admin: Admin, names: Iterable[str]) -> str:
    """Changes when one of the topics is deleted and made again, as each gets a new id.

    Raises NotReadyError where one is missing.
    """
    wanted = set(names)
    ids = {topic["name"]: topic["topic_id"] for topic in admin.describe_topics() if topic["name"] in wanted}
    missing = sorted(wanted - ids.keys())
    if missing:
        raise NotReadyError(
            Problem(
                f"Kafka has no topic {', '.join(missing)} yet.",
                "The service kafka-setup makes them: start it.",
            )
        )
    lines = "".join(f"{name} {ids[name]}\n" for name in sorted(ids))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]
