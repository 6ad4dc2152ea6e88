"""Creates the topics that the rendered SQL reads, and brings the settings of existing ones in line.

Runs once, before anything reads a topic: Debezium makes a topic only when its table has rows, and a Flink job
on a topic that does not exist fails.
"""

import sys
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import kafka.errors
from kafka.admin import ConfigResource, ConfigResourceType

from .kafka_session import TOPICS, Admin, Topic, connect, parse_servers, read_topics
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

# Error codes of the Kafka protocol (its documentation, "Error codes") that mean a mistake in what was
# rendered: trying again would not help.
INVALID_TOPIC, INVALID_PARTITIONS, INVALID_CONFIG, POLICY_VIOLATION = 17, 37, 40, 44
LASTING = frozenset((INVALID_TOPIC, INVALID_PARTITIONS, INVALID_CONFIG, POLICY_VIOLATION))
TOPIC_ALREADY_EXISTS = 36
INVALID_REPLICATION_FACTOR = 38


def set_up_topics(admin: Admin, topics: Sequence[Topic]) -> None:
    """Create what is missing and mend what differs; doing it twice changes nothing.

    Raises NotReadyError where Kafka cannot do it now, RefusedError where a topic has another number of
    partitions than was rendered, after everything else is done.
    """
    existing = {topic["name"]: topic for topic in admin.describe_topics()}
    missing = [topic for topic in topics if topic.name not in existing]
    if missing:
        _create(admin, missing)
        admin.wait_for_topics([topic.name for topic in missing])
    changed = _align_settings(admin, topics)
    differing = list(_shape_problems(topics, existing))
    if differing:
        raise RefusedError(*differing)
    log.info(
        "Kafka is ready: %d topics, %d of them created now, %d changed.",
        len(topics),
        len(missing),
        len(changed),
    )


def _create(admin: Admin, topics: Sequence[Topic]) -> None:
    results = admin.create_topics(
        {
            topic.name: {
                "num_partitions": topic.partitions,
                "replication_factor": topic.replication_factor,
                "configs": topic.config,
            }
            for topic in topics
        },
        raise_errors=False,
    )["topics"]
    lasting, passing = [], []
    for result in results:
        code, name = result["error_code"], result["name"]
        if code == 0:
            log.info("Created the topic %s.", name)
        elif code in LASTING:
            lasting.append(
                Problem(
                    f"Kafka refuses the topic {name}: {_reason(result)}.",
                    "Correct ozone.yaml and render again.",
                )
            )
        elif code == INVALID_REPLICATION_FACTOR:
            passing.append(
                Problem(
                    f"Kafka has too few brokers for the topic {name}: {_reason(result)}.",
                    "Start the other brokers, or lower the replication factor.",
                )
            )
        elif code != TOPIC_ALREADY_EXISTS:
            passing.append(Problem(f"Kafka could not create the topic {name} now: {_reason(result)}."))
    if lasting:
        raise RefusedError(*lasting)
    if passing:
        raise NotReadyError(*passing)


def _reason(result: dict[str, Any]) -> str:
    error = kafka.errors.for_code(result["error_code"])
    return str(result.get("error_message") or error.description).rstrip(".")


def _align_settings(admin: Admin, topics: Sequence[Topic]) -> list[str]:
    """Set each rendered setting that differs; others, set by a person, stay. Returns the changed topics."""
    if not topics:
        return []
    named = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    present = admin.describe_configs(named, config_filter="all")["topic"]
    changes = {}
    for topic in topics:
        have = {key: value["value"] for key, value in present.get(topic.name, {}).items()}
        differing = {key: value for key, value in topic.config.items() if have.get(key) != value}
        if differing:
            changes[topic.name] = differing
    if not changes:
        return []
    results = admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name, settings) for name, settings in changes.items()],
        incremental=True,
    )["topic"]
    problems = []
    for name, settings in changes.items():
        words = ", ".join(f"{key}={value}" for key, value in settings.items())
        if results.get(name) == "OK":
            log.info("Changed the topic %s: %s.", name, words)
        else:
            problems.append(
                Problem(
                    f"Kafka refuses the settings {words} of the topic {name}: {results.get(name)}.",
                    "Correct ozone.yaml and render again.",
                )
            )
    if problems:
        raise RefusedError(*problems)
    return list(changes)


def _shape_problems(topics: Sequence[Topic], existing: dict[str, dict[str, Any]]) -> list[Problem]:
    problems = []
    for topic in topics:
        if topic.name not in existing:
            continue
        partitions = existing[topic.name]["partitions"]
        if len(partitions) != topic.partitions:
            problems.append(
                Problem(
                    f"The topic {topic.name} has {len(partitions)} partitions, ozone.yaml asks for "
                    f"{topic.partitions}. It is not changed, as rows already in it would get out of order.",
                    f"Set the number back to {len(partitions)}, or stop the site, remove Kafka's volume "
                    "(docker volume ls), and start again: everything is then read anew from the source.",
                )
            )
        copies = {len(partition["replica_nodes"]) for partition in partitions}
        if copies != {topic.replication_factor}:
            log.warning(
                "The topic %s is kept in %s copies, ozone.yaml asks for %d. It works all the same.",
                topic.name,
                " or ".join(map(str, sorted(copies))),
                topic.replication_factor,
            )
    return problems


def main() -> int:
    """Set the topics up. Exit code: 0 done, 1 a person has to change something."""
    start_log()
    stop_on_sigterm()

    def attempt() -> None:
        servers = parse_servers(variable("KAFKA_BOOTSTRAP_SERVERS", "the address of Kafka", "kafka:9092"))
        topics = read_topics(TOPICS)
        try:
            with closing(connect(servers)) as admin:
                set_up_topics(admin, topics)
        except kafka.errors.KafkaError as error:
            raise NotReadyError(Problem(f"Kafka does not do what it is asked yet: {error}.")) from None

    return try_until_done(attempt, Announcer(), Backoff())


if __name__ == "__main__":
    sys.exit(main())
